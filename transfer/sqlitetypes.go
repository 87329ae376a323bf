package transfer

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/vitessdo/vitessdo/internal/sqlite"
)

// What a column's rows hold, by one look at all of them.
const (
	lookInt     = `max(typeof(%[1]s) = 'integer')`
	lookReal    = `max(typeof(%[1]s) = 'real')`
	lookText    = `max(typeof(%[1]s) = 'text')`
	lookBlob    = `max(typeof(%[1]s) = 'blob')`
	lookNull    = `max(%[1]s IS NULL)`
	lookLength  = `max(length(%[1]s))`
	lookLow     = `min(%[1]s)`
	lookHigh    = `max(%[1]s)`
	lookDate    = `min(%[1]s IS NULL OR %[1]s GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]')`
	lookMoment  = `min(%[1]s IS NULL OR %[1]s GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9]*' AND substr(%[1]s, 20) NOT GLOB '*[^.0-9]*' AND length(%[1]s) <= 26)`
	lookDecimal = `min(%[1]s IS NULL OR typeof(%[1]s) IN ('integer', 'real') AND round(%[1]s, %[2]d) = %[1]s AND %[1]s > -1e%[3]d AND %[1]s < 1e%[3]d)`
)

// looked is what was found in a column.
type looked struct {
	integer, real, text, blob, null, date, moment, decimal bool
	length                                                 int64
	low, high                                              any
}

var decimalType = regexp.MustCompile(`^(?:DECIMAL|NUMERIC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)$`)

// types gives every column a type of MySQL's that keeps what its rows hold.
func (s *sqliteSchema) types(ctx context.Context, c *sqlite.Conn, t *sqliteTable) error {
	looks := []string{"count(*)"}
	for _, col := range t.columns {
		digits, scale := decimalDigits(col.declared)
		for _, look := range []string{lookInt, lookReal, lookText, lookBlob, lookNull, lookLength, lookLow, lookHigh, lookDate, lookMoment, lookDecimal} {
			if look != lookDecimal {
				looks = append(looks, fmt.Sprintf(look, quoteSQLite(col.name)))
				continue
			}
			looks = append(looks, fmt.Sprintf(look, quoteSQLite(col.name), scale, max(0, digits-scale)))
		}
	}
	const per = 11
	for first := 0; first < len(t.columns); first += 100 { // SQLite bounds a result's columns
		n := min(100, len(t.columns)-first)
		query := "SELECT " + looks[0] + ", " + strings.Join(looks[1+first*per:1+(first+n)*per], ", ") + " FROM " + quoteSQLite(t.name)
		rows, err := c.QueryAll(ctx, query)
		if err != nil {
			return err
		}
		row := rows[0]
		t.rows, _ = row[0].(int64)
		for i := range n {
			v := row[1+i*per : 1+(i+1)*per]
			is := func(k int) bool { return v[k] == int64(1) }
			l := looked{integer: is(0), real: is(1), text: is(2), blob: is(3), null: is(4), low: v[6], high: v[7], date: is(8), moment: is(9), decimal: is(10)}
			l.length, _ = v[5].(int64)
			s.typeOf(t, t.columns[first+i], &l)
		}
	}
	return nil
}

func decimalDigits(declared string) (digits, scale int) {
	if m := decimalType.FindStringSubmatch(declared); m != nil {
		_, _ = fmt.Sscan(m[1], &digits)
		_, _ = fmt.Sscan(m[2], &scale)
	}
	return digits, scale
}

// typeOf chooses a column's type: what it is declared as, if that takes all values,
// else what does.
func (s *sqliteSchema) typeOf(t *sqliteTable, c *sqliteColumn, l *looked) {
	if l.null && c.name != "" && containsFold(t.primary, c.name) {
		s.note("table %s: column %s of the primary key has NULLs, which are refused", t.name, c.name)
	}
	d := c.declared
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(d, w) {
				return true
			}
		}
		return false
	}
	digits, scale := decimalDigits(d)
	onlyNumbers, onlyText := !l.text && !l.blob, !l.integer && !l.real && !l.blob
	switch {
	case has("BOOL") && onlyNumbers && !l.real && within(l, 0, 1):
		c.typ = "TINYINT(1)"
	case has("INT") && onlyNumbers && !l.real:
		c.typ = "BIGINT"
	case digits > 0 && digits <= 65 && scale <= 30 && l.decimal && digits <= 15:
		c.typ = fmt.Sprintf("DECIMAL(%d,%d)", digits, scale)
	case has("DATETIME", "TIMESTAMP") && onlyText && l.moment, d == "DATE" && onlyText && l.moment && !l.date:
		c.typ = "DATETIME(6)"
	case d == "DATE" && onlyText && l.date:
		c.typ = "DATE"
	case has("CHAR", "CLOB", "TEXT") && onlyText, has("JSON") && onlyText:
		c.typ = c.textType(l.length)
	case has("BLOB") && !l.integer && !l.real && !l.text:
		c.typ = c.blobType(l.length)
	case has("REAL", "FLOA", "DOUB") && onlyNumbers:
		c.typ = "DOUBLE"
	default:
		s.byContent(t, c, l)
	}
	if strings.HasPrefix(c.typ, "DATE") && c.def != "" && !strings.HasPrefix(c.def, "'") && !strings.EqualFold(c.def, "CURRENT_TIMESTAMP") ||
		strings.EqualFold(c.def, "CURRENT_TIMESTAMP") && !strings.HasPrefix(c.typ, "DATETIME") || strings.EqualFold(c.def, "CURRENT_DATE") {
		s.note("table %s: the default of column %s is left out: %s of type %s", t.name, c.name, c.def, c.typ)
		c.def = ""
	}
	if strings.EqualFold(c.def, "CURRENT_TIMESTAMP") {
		c.def = "CURRENT_TIMESTAMP(6)"
	}
}

func within(l *looked, lo, hi int64) bool {
	a, ok := l.low.(int64)
	b, ok2 := l.high.(int64)
	return !ok && !ok2 || ok && ok2 && a >= lo && b <= hi
}

// byContent chooses a type that keeps what is there, where the declared one wouldn't.
func (s *sqliteSchema) byContent(t *sqliteTable, c *sqliteColumn, l *looked) {
	switch {
	case l.blob && (l.text || l.integer || l.real):
		c.typ = c.blobType(max(l.length, 64))
		s.note("table %s: column %s (%s) has values of several kinds, and is made of bytes", t.name, c.name, named(c.declared))
		return
	case l.blob:
		c.typ = c.blobType(l.length)
	case l.text:
		c.typ = c.textType(max(l.length, 32))
		if l.integer || l.real {
			s.note("table %s: column %s (%s) has text and numbers, and is made of text", t.name, c.name, named(c.declared))
			return
		}
	case l.real:
		c.typ = "DOUBLE"
	case l.integer:
		c.typ = "BIGINT"
	default:
		c.typ = c.textType(0)
		return
	}
	if c.declared != "" && c.declared != "NUMERIC" {
		s.note("table %s: column %s was declared %s, and is made %s, which keeps its values", t.name, c.name, c.declared, c.typ)
	}
}

func named(declared string) string {
	if declared == "" {
		return "of no type"
	}
	return declared
}

var sized = regexp.MustCompile(`CHAR[A-Z ]*\(\s*(\d+)\s*\)`)

// textType is VARCHAR where a key needs a bounded column, or a size was declared.
func (c *sqliteColumn) textType(longest int64) string {
	size := int64(0)
	if m := sized.FindStringSubmatch(c.declared); m != nil {
		_, _ = fmt.Sscan(m[1], &size)
	}
	if size == 0 && !c.keyed {
		return "LONGTEXT"
	}
	if size == 0 {
		size = 255
	}
	if size = max(size, longest); size > 16383 {
		return "LONGTEXT"
	}
	return fmt.Sprintf("VARCHAR(%d)", size)
}

func (c *sqliteColumn) blobType(longest int64) string {
	if !c.keyed || longest > 16383 {
		return "LONGBLOB"
	}
	return fmt.Sprintf("VARBINARY(%d)", max(255, longest))
}

func containsFold(list []string, name string) bool {
	for _, n := range list {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
