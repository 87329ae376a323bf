package sqlparse

import (
	"strings"

	"github.com/pingcap/tidb/pkg/parser/mysql"
	"github.com/pingcap/tidb/pkg/parser/types"

	"github.com/vitessdo/vitessdo/sqlast"
)

// columnType gives the type of a column declaration; ok is false for types that
// we have no values for.
func columnType(ft *types.FieldType) (t sqlast.Type, ok bool) {
	t = sqlast.TypeOf(sqlast.ClassInt)
	size, scale, binary := max(ft.GetFlen(), -1), ft.GetDecimal(), ft.GetCharset() == "binary"
	t.Name = strings.ToUpper(types.TypeToStr(ft.GetType(), ft.GetCharset()))
	t.Unsigned = mysql.HasUnsignedFlag(ft.GetFlag())
	t.Zerofill = mysql.HasZerofillFlag(ft.GetFlag())
	text := func(def int) {
		t.Class, t.Size = sqlast.ClassText, size
		if size < 0 {
			t.Size = def
		}
		if binary {
			t.Class = sqlast.ClassBlob
			return
		}
		t.Collation = strings.ToLower(ft.GetCollate())
		if t.Collation == "" && mysql.HasBinaryFlag(ft.GetFlag()) {
			t.Collation = "utf8mb4_bin" // the BINARY attribute
		}
		t.NoCase = strings.HasSuffix(t.Collation, "_ci")
	}
	switch ft.GetType() {
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeInt24, mysql.TypeLong, mysql.TypeLonglong:
		t.Size = size
		t.Bool = ft.GetType() == mysql.TypeTiny && size == 1 && !t.Unsigned
	case mysql.TypeBit:
		t.Size = max(size, 1)
	case mysql.TypeYear:
	case mysql.TypeFloat, mysql.TypeDouble:
		t.Class = sqlast.ClassDouble
		if scale >= 0 {
			t.Size, t.Scale = size, scale
		}
	case mysql.TypeNewDecimal:
		t.Class, t.Size, t.Scale = sqlast.ClassDecimal, 10, max(scale, 0)
		if size >= 0 {
			t.Size = size
		}
	case mysql.TypeString:
		text(1)
	case mysql.TypeVarchar, mysql.TypeTinyBlob, mysql.TypeBlob, mysql.TypeMediumBlob, mysql.TypeLongBlob:
		text(-1)
	case mysql.TypeEnum, mysql.TypeSet:
		binary = false
		t.Name = strings.ToUpper(types.TypeStr(ft.GetType()))
		text(-1)
		t.Size, t.Values = -1, append([]string(nil), ft.GetElems()...)
	case mysql.TypeDate:
		t.Class = sqlast.ClassDate
	case mysql.TypeDatetime, mysql.TypeTimestamp:
		t.Class, t.Scale = sqlast.ClassDateTime, max(scale, 0)
	case mysql.TypeDuration:
		t.Class, t.Scale = sqlast.ClassTime, max(scale, 0)
	case mysql.TypeJSON:
		t.Class = sqlast.ClassJSON
	default:
		return t, false
	}
	return t, true
}
