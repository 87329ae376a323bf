package exec

import (
	"math"
	"strconv"
	"strings"

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
	if b, ok := v.([]byte); ok && t.Class != sqlast.ClassBlob {
		v = string(b)
	}
	switch {
	case v == nil:
		return nil
	case t.Class.Temporal():
		return temporal(v, t, true)
	case t.Class == sqlast.ClassDecimal:
		return decimal(v, max(t.Scale, 0))
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

// decimal rounds a number, half away from zero as MySQL does, to a scale.
func decimal(v any, scale int) any {
	switch x := v.(type) {
	case float64:
		r, changed := roundText(strconv.FormatFloat(x, 'f', -1, 64), scale)
		if !changed {
			return v
		}
		if f, err := strconv.ParseFloat(r, 64); err == nil {
			return f
		}
	case string:
		text := strings.TrimSpace(x)
		if strings.ContainsAny(text, "eE") {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return v
			}
			text = strconv.FormatFloat(f, 'f', -1, 64)
		}
		if r, changed := roundText(text, scale); changed {
			return r
		}
	}
	return v
}

// roundText rounds a plain decimal number; changed is false when there is
// nothing to round or the text is no such number.
func roundText(text string, scale int) (rounded string, changed bool) {
	sign, digits := "", text
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		if digits[0] == '-' {
			sign = "-"
		}
		digits = digits[1:]
	}
	whole, frac, _ := strings.Cut(digits, ".")
	if len(frac) <= scale || !allDigits(whole) || !allDigits(frac) {
		return text, false
	}
	b := []byte(whole + frac[:scale])
	if frac[scale] >= '5' {
		i := len(b) - 1
		for ; i >= 0 && b[i] == '9'; i-- {
			b[i] = '0'
		}
		if i >= 0 {
			b[i]++
		} else {
			b = append([]byte{'1'}, b...)
		}
	}
	n := len(b) - scale
	out := string(b[:n])
	if out == "" {
		out = "0"
	}
	if scale > 0 {
		out += "." + string(b[n:])
	}
	if strings.Trim(out, "0.") == "" {
		sign = ""
	}
	return sign + out, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
