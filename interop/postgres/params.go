package postgres

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vitessdo/vitessdo/tablet"
)

// The types that the engine knows.
const (
	oidUnknown = 0
	oidBool    = 16
	oidBytea   = 17
	oidName    = 19
	oidInt8    = 20
	oidInt2    = 21
	oidInt4    = 23
	oidText    = 25
	oidFloat4  = 700
	oidFloat8  = 701
	oidVarchar = 1043
	oidNumeric = 1700
)

// value is one parameter on its way.
type value struct {
	data   []byte
	format int16
	// oid is the type that the statement must be prepared with for this value; 0 when
	// the server's own will do.
	oid uint32
}

const (
	asText   int16 = 0
	asBinary int16 = 1
)

// encode brings v to the type that the server takes a parameter for.
func (e *Engine) encode(v tablet.Value, oid uint32, byValue bool) (value, error) {
	byValue = byValue && (oid == oidText || oid == oidUnknown)
	switch v := v.(type) {
	case nil:
		return value{}, nil
	case int64:
		return encodeInt(v, oid, byValue), nil
	case float64:
		if math.IsNaN(v) {
			return value{}, nil // as SQLite binds it
		}
		return encodeFloat(v, oid, byValue), nil
	case string:
		if !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 {
			return value{}, &tablet.Error{Code: tablet.CodeDataType, Message: "text that isn't UTF-8, or has a NUL in it, can't be kept by " + e.o.Name + "; keep it as a BLOB"}
		}
		return encodeText(v, oid), nil
	case []byte:
		out := value{data: v, format: asBinary}
		if v == nil {
			out.data = []byte{} // an empty blob isn't NULL
		}
		switch {
		case oid == oidBytea:
		case (oid == oidText || oid == oidVarchar) && !byValue && utf8.Valid(v):
			out.format = asText
		default:
			out.oid = oidBytea
		}
		return out, nil
	}
	return value{}, &tablet.Error{Code: tablet.CodeMisuse, Message: fmt.Sprintf("a parameter is of type %T; only int64, float64, string, []byte and nil can be bound", v)}
}

func encodeInt(v int64, oid uint32, byValue bool) value {
	switch {
	case oid == oidInt8:
	case oid == oidInt4 && v == int64(int32(v)):
		return value{binary.BigEndian.AppendUint32(nil, uint32(v)), asBinary, 0}
	case oid == oidInt2 && v == int64(int16(v)):
		return value{binary.BigEndian.AppendUint16(nil, uint16(v)), asBinary, 0}
	case oid == oidNumeric, oid == oidFloat8, oid == oidText && !byValue, oid == oidVarchar:
		return value{strconv.AppendInt(nil, v, 10), asText, 0}
	default:
		return value{binary.BigEndian.AppendUint64(nil, uint64(v)), asBinary, oidInt8}
	}
	return value{binary.BigEndian.AppendUint64(nil, uint64(v)), asBinary, 0}
}

func encodeFloat(v float64, oid uint32, byValue bool) value {
	switch {
	case oid == oidFloat8:
	case oid == oidNumeric && !math.IsInf(v, 0):
		return value{strconv.AppendFloat(nil, v, 'g', -1, 64), asText, 0}
	case (oid == oidText && !byValue) || oid == oidVarchar:
		return value{[]byte(floatText(v)), asText, 0}
	default:
		return value{binary.BigEndian.AppendUint64(nil, math.Float64bits(v)), asBinary, oidFloat8}
	}
	return value{binary.BigEndian.AppendUint64(nil, math.Float64bits(v)), asBinary, 0}
}

// floatText spells a number as SQLite makes text of it.
func floatText(v float64) string {
	s := strconv.FormatFloat(v, 'g', 15, 64)
	if !strings.ContainsAny(s, ".eIN") {
		s += ".0"
	}
	return s
}

// begins is the number that text begins with.
var begins = regexp.MustCompile(`^[ \t\n\r\f\v]*([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)`)

// encodeText brings text to a type; among numbers it is the one that it begins with.
func encodeText(v string, oid uint32) value {
	switch oid {
	case oidInt2, oidInt4, oidInt8, oidNumeric, oidFloat4, oidFloat8:
		m := begins.FindStringSubmatch(v)
		if m == nil {
			return encodeInt(0, oid, false)
		}
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
			return encodeInt(n, oid, false)
		}
		if oid == oidNumeric {
			return value{[]byte(m[1]), asText, 0}
		}
		f, _ := strconv.ParseFloat(m[1], 64)
		return encodeFloat(f, oid, false)
	case oidBytea:
		return value{[]byte(v), asBinary, 0}
	}
	return value{[]byte(v), asText, 0}
}

// formats says how the columns of a result are to come.
func formats(fields []pgconn.FieldDescription) []int16 {
	out := make([]int16, len(fields))
	for i, f := range fields {
		switch f.DataTypeOID {
		case oidBool, oidBytea, oidInt2, oidInt4, oidInt8, oidFloat4, oidFloat8:
			out[i] = asBinary
		}
	}
	return out
}

// decode makes a value of the contract of a column's.
func decode(data []byte, oid uint32) (tablet.Value, error) {
	if data == nil {
		return nil, nil
	}
	switch oid {
	case oidBool:
		return int64(data[0]), nil
	case oidInt2:
		return int64(int16(binary.BigEndian.Uint16(data))), nil
	case oidInt4:
		return int64(int32(binary.BigEndian.Uint32(data))), nil
	case oidInt8:
		return int64(binary.BigEndian.Uint64(data)), nil
	case oidFloat4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(data))), nil
	case oidFloat8:
		f := math.Float64frombits(binary.BigEndian.Uint64(data))
		if math.IsNaN(f) {
			return nil, nil
		}
		return f, nil
	case oidBytea:
		return append([]byte{}, data...), nil
	case oidNumeric:
		return number(string(data)), nil
	case oidText, oidVarchar, oidName:
		return string(data), nil
	}
	return nil, &tablet.Error{Code: tablet.CodeInternal, Message: fmt.Sprintf("the database gave a value of its type %d", oid)}
}

// exactDigits is how many digits of a decimal a DOUBLE keeps.
const exactDigits = 15

// number is a numeric as SQLite keeps it: an integer, a DOUBLE or, where that doesn't
// keep all its digits, as of a sum, its text.
func number(s string) tablet.Value {
	short := s
	if strings.Contains(s, ".") {
		short = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if n, err := strconv.ParseInt(short, 10, 64); err == nil {
		return n
	}
	if len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(short), "0")) > exactDigits {
		return s
	}
	f, err := strconv.ParseFloat(short, 64)
	if err != nil || math.IsNaN(f) {
		return nil
	}
	return f
}
