package sqlite

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/internal/fit"
	"github.com/vitessdo/vitessdo/internal/jsontable"
)

// fitJSON brings a part of a document into a column of JSON_TABLE; ok is false where
// no value of its type is meant. JSON's null is NULL.
func fitJSON(c *jsontable.Column, v any) (out any, ok bool) {
	if c.Fit == jsontable.JSON {
		text, err := writeJSON(v)
		return text, err == nil
	}
	switch x := v.(type) {
	case nil:
		return nil, true
	case map[string]any, []any:
		return nil, false
	case bool:
		v = int64(0)
		if x {
			v = int64(1)
		}
		if c.Fit == jsontable.Text || c.Fit == jsontable.Blob {
			v = strconv.FormatBool(x)
		}
	case json.Number:
		v = jsonNumber(x)
	}
	return fitScalar(c, v)
}

// jsonNumber is a number as MySQL's documents keep it: whole, or a double. What is
// larger than both stays text, of which the column may make something.
func jsonNumber(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	if f, err := n.Float64(); err == nil && strings.ContainsAny(n.String(), ".eE") && !math.IsInf(f, 0) {
		return f
	}
	return n.String()
}

func fitScalar(c *jsontable.Column, v any) (out any, ok bool) {
	fault := fit.None
	switch c.Fit {
	case jsontable.Int:
		out, fault = fit.Int(v, c.Args[0], c.Args[1])
	case jsontable.Year:
		out, fault = fit.Year(v)
	case jsontable.Decimal:
		out, fault = fit.Decimal(v, int(c.Args[0]), int(c.Args[1]), c.Args[2] != 0)
	case jsontable.Key:
		out, fault = fit.Key(v, int(c.Args[0]), int(c.Args[1]), c.Args[2] != 0)
	case jsontable.Double:
		out, fault = fit.Double(v, c.Args[0] != 0)
	case jsontable.Text:
		out, fault = fit.Text(scalarText(v), int(c.Args[0]))
	case jsontable.Blob:
		out, fault = fit.Bytes([]byte(scalarText(v)), int(c.Args[0]))
	case jsontable.Enum:
		out, fault = fit.Enum(v, c.Members)
	case jsontable.Set:
		out, fault = fit.Set(v, c.Members)
	default:
		return fitTime(c, scalarText(v))
	}
	return out, fault == fit.None
}

func fitTime(c *jsontable.Column, text string) (out any, ok bool) {
	if c.Fit == jsontable.Time {
		s, ok := parseSpan(text)
		if !ok {
			return nil, false
		}
		return s.rounded(int(c.Args[0])).clamped().text(), true
	}
	m, ok := parseMoment(fullYear(text))
	if !ok {
		return nil, false
	}
	digits := -1
	if c.Fit == jsontable.DateTime {
		digits = int(c.Args[0])
	}
	return m.rounded(digits).text(), true
}

// scalarText spells a value as MySQL does; a double without exponent while it is of
// few digits.
func scalarText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if a := math.Abs(v); a == 0 || a >= 1e-4 && a < 1e15 {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}
