package mysql

import (
	"encoding/binary"

	wire "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/vitessdo/vitessdo"
)

// The numbers of MySQL's collations that matter here.
const (
	utf8mb4 = 45 // utf8mb4_general_ci
	binaryC = 63
)

// isUTF8MB4 says whether a collation's number is one of utf8mb4.
func isUTF8MB4(n uint8) bool { return n == 45 || n == 46 || n >= 224 && n <= 247 || n == 255 }

// field is a column's definition on the wire.
type field struct {
	col      vitessdo.Column
	kind     byte
	charset  uint16
	length   uint32
	flags    uint16
	decimals uint8
	unknown  bool // its values tell its type
}

// shape is what a type looks like on the wire.
type shape struct {
	kind     byte
	length   int64 // 0: the column's size
	decimals uint8
	text     bool // in the connection's character set
	flags    uint16
}

// undecided is the number of digits of a float that isn't declared with any.
const undecided = 31

var shapes = map[string]shape{
	"TINYINT":    {kind: wire.MYSQL_TYPE_TINY, length: 4},
	"SMALLINT":   {kind: wire.MYSQL_TYPE_SHORT, length: 6},
	"MEDIUMINT":  {kind: wire.MYSQL_TYPE_INT24, length: 9},
	"INT":        {kind: wire.MYSQL_TYPE_LONG, length: 11},
	"BIGINT":     {kind: wire.MYSQL_TYPE_LONGLONG, length: 20},
	"YEAR":       {kind: wire.MYSQL_TYPE_YEAR, length: 4, flags: wire.UNSIGNED_FLAG | wire.ZEROFILL_FLAG},
	"FLOAT":      {kind: wire.MYSQL_TYPE_FLOAT, length: 12, decimals: undecided},
	"DOUBLE":     {kind: wire.MYSQL_TYPE_DOUBLE, length: 22, decimals: undecided},
	"DECIMAL":    {kind: wire.MYSQL_TYPE_NEWDECIMAL, length: 67},
	"BIT":        {kind: wire.MYSQL_TYPE_BIT, flags: wire.UNSIGNED_FLAG},
	"DATE":       {kind: wire.MYSQL_TYPE_DATE, length: 10},
	"DATETIME":   {kind: wire.MYSQL_TYPE_DATETIME, length: 19},
	"TIMESTAMP":  {kind: wire.MYSQL_TYPE_TIMESTAMP, length: 19},
	"TIME":       {kind: wire.MYSQL_TYPE_TIME, length: 10},
	"CHAR":       {kind: wire.MYSQL_TYPE_STRING, text: true},
	"VARCHAR":    {kind: wire.MYSQL_TYPE_VAR_STRING, text: true},
	"ENUM":       {kind: wire.MYSQL_TYPE_STRING, text: true, flags: wire.ENUM_FLAG},
	"SET":        {kind: wire.MYSQL_TYPE_STRING, text: true, flags: wire.SET_FLAG},
	"TINYTEXT":   {kind: wire.MYSQL_TYPE_BLOB, length: 255, text: true, flags: wire.BLOB_FLAG},
	"TEXT":       {kind: wire.MYSQL_TYPE_BLOB, length: 1<<16 - 1, text: true, flags: wire.BLOB_FLAG},
	"MEDIUMTEXT": {kind: wire.MYSQL_TYPE_BLOB, length: 1<<24 - 1, text: true, flags: wire.BLOB_FLAG},
	"LONGTEXT":   {kind: wire.MYSQL_TYPE_BLOB, length: 1<<32 - 1, text: true, flags: wire.BLOB_FLAG},
	"JSON":       {kind: wire.MYSQL_TYPE_JSON, length: 1<<32 - 1, flags: wire.BLOB_FLAG},
	"BINARY":     {kind: wire.MYSQL_TYPE_STRING},
	"VARBINARY":  {kind: wire.MYSQL_TYPE_VAR_STRING},
	"TINYBLOB":   {kind: wire.MYSQL_TYPE_BLOB, length: 255, flags: wire.BLOB_FLAG},
	"BLOB":       {kind: wire.MYSQL_TYPE_BLOB, length: 1<<16 - 1, flags: wire.BLOB_FLAG},
	"MEDIUMBLOB": {kind: wire.MYSQL_TYPE_BLOB, length: 1<<24 - 1, flags: wire.BLOB_FLAG},
	"LONGBLOB":   {kind: wire.MYSQL_TYPE_BLOB, length: 1<<32 - 1, flags: wire.BLOB_FLAG},
	"NULL":       {kind: wire.MYSQL_TYPE_NULL},
}

// text is what every value can be sent as.
var text = shape{kind: wire.MYSQL_TYPE_VAR_STRING, text: true}

// field gives a column's definition.
func (c *conn) field(col vitessdo.Column) field {
	s, known := shapes[col.Type]
	if !known {
		s = text
	}
	f := field{col: col, kind: s.kind, charset: binaryC, flags: s.flags, decimals: s.decimals, unknown: col.Type == ""}
	length := s.length
	if length == 0 && s.kind != wire.MYSQL_TYPE_NULL {
		length = 1<<16 - 1
		if col.Size >= 0 {
			length = int64(col.Size)
		}
	}
	if s.text {
		f.charset = uint16(c.charset)
		length *= 4 // bytes of a character
	} else {
		f.flags |= wire.BINARY_FLAG
	}
	switch s.kind {
	case wire.MYSQL_TYPE_NEWDECIMAL:
		f.decimals = uint8(max(0, min(col.Scale, 30)))
		if col.Size >= 0 {
			length = int64(col.Size) + 2
		}
	case wire.MYSQL_TYPE_DATETIME, wire.MYSQL_TYPE_TIMESTAMP, wire.MYSQL_TYPE_TIME:
		if col.Scale > 0 {
			f.decimals = uint8(min(col.Scale, 6))
			length += int64(f.decimals) + 1
		}
	}
	f.length = uint32(min(length, 1<<32-1))
	if col.Unsigned {
		f.flags |= wire.UNSIGNED_FLAG
	}
	if col.NotNull {
		f.flags |= wire.NOT_NULL_FLAG
	}
	return f
}

// append writes the definition.
func (f *field) append(b []byte) []byte {
	b = appendText(b, "def")
	b = appendText(b, f.col.Schema)
	b = appendText(b, f.col.Table)
	b = appendText(b, f.col.Table)
	b = appendText(b, f.col.Name)
	b = appendText(b, f.col.Origin)
	b = append(b, 12)
	b = binary.LittleEndian.AppendUint16(b, f.charset)
	b = binary.LittleEndian.AppendUint32(b, f.length)
	b = append(b, f.kind)
	b = binary.LittleEndian.AppendUint16(b, f.flags)
	return append(b, f.decimals, 0, 0)
}
