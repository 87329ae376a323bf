package exec

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/internal/fit"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// temporal brings a value into the text of a date or time type: as the column
// keeps it, with store, or as it orders against what columns keep. What can't be
// read as one stays as it is.
func temporal(v any, t *sqlast.Type, store bool) any {
	if s, ok := v.(string); ok && s == zeroTime && t.Class == sqlast.ClassDate {
		return zeroTime[:len("0000-00-00")]
	}
	return route.Coerce(v, route.Coercion{Type: *t, Store: store})
}

// stored brings a value into the form in which a column keeps it. What doesn't
// fit is an error; with it comes the value that MySQL would keep outside of
// strict mode.
func stored(v any, c *sqlast.ColumnDef) (any, error) {
	t := &c.Type
	if b, ok := v.([]byte); ok && t.Class != sqlast.ClassBlob && (t.Class != sqlast.ClassDecimal || !decimal.IsKey(b)) {
		v = string(b)
	}
	if v == nil {
		return nil, nil
	}
	out, fault := v, fit.None
	switch t.Class {
	case sqlast.ClassInt:
		out, fault = storedInt(v, t)
	case sqlast.ClassDecimal:
		out, fault = storedDecimal(v, t)
	case sqlast.ClassDouble:
		if f, ok := v.(float64); ok && (f >= 0 || !t.Unsigned) && f-f == 0 {
			return v, nil
		}
		out, fault = fit.Double(v, t.Unsigned)
	case sqlast.ClassText:
		out, fault = storedText(v, t)
	case sqlast.ClassBlob:
		out, fault = storedBytes(v, t)
	case sqlast.ClassDate, sqlast.ClassDateTime, sqlast.ClassTime:
		out, fault = storedTime(v, t)
	}
	if fault == fit.None {
		return out, nil
	}
	e := fault.Error(kindOf(t), v, c.Name)
	return out, e
}

// implicit is the value that INSERT IGNORE puts for a NULL where there can be none;
// nil for times, whose zero is no time.
func implicit(t *sqlast.Type) any {
	switch {
	case len(t.Values) > 0 && t.Name == "ENUM":
		return t.Values[0]
	case t.Class == sqlast.ClassText:
		return ""
	case t.Class == sqlast.ClassBlob:
		return []byte{}
	case t.Class == sqlast.ClassDecimal:
		v, _ := storedDecimal(int64(0), t)
		return v
	case t.Class.Numeric():
		return int64(0)
	}
	return nil
}

// Stored brings a value into the form in which a column keeps it; what doesn't fit
// is an error.
func Stored(v any, c *sqlast.ColumnDef) (any, error) { return stored(v, c) }

// Entry makes the entry of a hidden table of what was read of a row by f.Read. It
// uses row's memory.
func Entry(f *route.KeyFill, row []any, b *route.Scratch) ([]any, error) {
	for i := range f.Keys {
		// What an expression gives isn't yet what the column keeps.
		var err error
		if row[i], err = stored(row[i], f.Hidden.Columns[i]); err != nil {
			return nil, err
		}
	}
	id, err := f.Row.KeyspaceID(row, b)
	return append(row[:f.Keys:f.Keys], id), err
}

// kindOf names a type as MySQL's messages do.
func kindOf(t *sqlast.Type) string {
	switch t.Class {
	case sqlast.ClassInt:
		return "integer"
	case sqlast.ClassDecimal:
		return "decimal"
	case sqlast.ClassDouble:
		return strings.ToUpper(t.Name)
	case sqlast.ClassDate:
		return "date"
	case sqlast.ClassDateTime:
		return "datetime"
	case sqlast.ClassTime:
		return "time"
	}
	return "string"
}

func storedInt(v any, t *sqlast.Type) (any, fit.Fault) {
	if t.Name == "YEAR" {
		return fit.Year(v)
	}
	lo, hi := t.IntRange()
	if s, ok := v.(string); ok && t.Name == "BIT" {
		return bitsOf(s, hi)
	}
	return fit.Int(v, lo, hi)
}

// bitsOf reads what b'…' and []byte hold: a number's bytes, the highest first.
// Digits are taken for a number in decimal, as arguments often are.
func bitsOf(s string, hi int64) (any, fit.Fault) {
	if n, fault := fit.Int(s, 0, hi); fault == fit.None || len(s) > 8 {
		return n, fault
	}
	n := int64(0)
	for i := range len(s) {
		n = n<<8 | int64(s[i])
	}
	return fit.Int(n, 0, hi)
}

func storedDecimal(v any, t *sqlast.Type) (any, fit.Fault) {
	precision := t.Size
	if precision <= 0 {
		precision = 65
	}
	if t.Keyed() {
		return fit.Key(v, precision, max(t.Scale, 0), t.Unsigned)
	}
	return fit.Decimal(v, precision, max(t.Scale, 0), t.Unsigned)
}

func storedText(v any, t *sqlast.Type) (any, fit.Fault) {
	switch {
	case t.Name == "ENUM":
		return fit.Enum(v, t.Values)
	case t.Name == "SET":
		return fit.Set(v, t.Values)
	}
	if f, ok := v.(float64); ok {
		v = fit.DoubleText(f)
	}
	if t.Size < 0 {
		return v, fit.None
	}
	switch x := v.(type) {
	case string:
		if t.Stripped() && strings.HasSuffix(x, " ") {
			return fit.Char(x, t.Size)
		}
		if len(x) <= t.Size {
			return v, fit.None
		}
		return fit.Text(x, t.Size)
	case int64:
		if _, fault := fit.Text(strconv.FormatInt(x, 10), t.Size); fault != fit.None {
			return fit.Text(strconv.FormatInt(x, 10), t.Size)
		}
	}
	return v, fit.None
}

func storedBytes(v any, t *sqlast.Type) (any, fit.Fault) {
	if t.Filled() {
		return fit.Binary(fit.AsBytes(v), t.Size)
	}
	if b, ok := v.([]byte); ok && (t.Size < 0 || len(b) <= t.Size) {
		return v, fit.None
	}
	return fit.Bytes(fit.AsBytes(v), t.Size)
}

// storedTime refuses what stands for no date, as MySQL's clients send for Go's zero
// time too: NO_ZERO_DATE is a part of strict mode.
func storedTime(v any, t *sqlast.Type) (any, fit.Fault) {
	if s, ok := v.(string); ok && t.Class != sqlast.ClassTime && strings.HasPrefix(s, zeroTime[:len("0000-00-00")]) {
		return temporal(v, t, true), fit.BadTime
	}
	if s, ok := route.CanonicalTime(v, t); ok {
		return s, fit.None
	}
	zero := zeroTime
	switch t.Class {
	case sqlast.ClassDate:
		zero = zeroTime[:len("0000-00-00")]
	case sqlast.ClassTime:
		zero = zeroTime[len("0000-00-00 "):]
	}
	return zero, fit.BadTime
}

// inRow says which row of an INSERT an error is about, and in which table.
func inRow(err error, table *sqlast.TableDef, row int) error {
	e, ok := err.(*tablet.Error)
	if !ok {
		return err
	}
	if table != nil {
		e.Table = table.Name
	}
	e.Message += " at row " + strconv.Itoa(row+1)
	return e
}
