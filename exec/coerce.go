package exec

import (
	"math"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
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

// stored brings a value into the form in which a column keeps it, as far as
// the column's affinity won't do that on the shard.
func stored(v any, c *sqlast.ColumnDef) any {
	t := &c.Type
	switch t.Name {
	case "BIT":
		return bitsOf(v)
	case "SET":
		return setOf(v, t.Values)
	}
	if b, ok := v.([]byte); ok && t.Class != sqlast.ClassBlob {
		v = string(b)
	}
	switch {
	case v == nil:
		return nil
	case t.Class.Temporal():
		return temporal(v, t, true)
	case t.Class == sqlast.ClassDecimal:
		return rounded(v, max(t.Scale, 0))
	case c.AutoInc:
		return whole(v)
	}
	return v
}

// whole gives the integer that a column of integers makes of a number in
// another form.
func whole(v any) any {
	switch x := v.(type) {
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(x), 10, 64); err == nil {
			return n
		}
	case float64:
		if x >= -(1<<63) && x < 1<<63 && x == math.Trunc(x) {
			return int64(x)
		}
	}
	return v
}

// rounded rounds a number, half away from zero as MySQL does, to a scale. Text
// that is no number stays.
func rounded(v any, scale int) any {
	var d decimal.Decimal
	ok := false
	switch x := v.(type) {
	case float64:
		d, ok = decimal.Float(x)
	case string:
		d, ok = decimal.Parse(strings.TrimSpace(x))
	}
	if !ok {
		return v
	}
	if r, err := d.Round(scale).Value(); err == nil {
		return r
	}
	return v
}
