package ddl

import (
	"slices"
	"strconv"
	"strings"

	decimals "github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/internal/fit"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// settleDefault refuses a default that is a literal which the column doesn't take,
// and makes of it what the column keeps: a rounded number, a date in its spelling.
func settleDefault(def *sqlast.TableDef, c *sqlast.ColumnDef) error {
	v, ok := literalValue(c.Default)
	if !ok {
		return nil
	}
	kept, good := keptDefault(&c.Type, v)
	switch {
	case !good:
		return fail(errInvalidDefault, "invalid default value for %q in table %q: %s doesn't fit %s", c.Name, def.Name, c.DefaultText, typeText(c))
	case kept == "":
		return nil
	case !c.Type.Class.Exact():
		c.Default = &sqlast.Lit{Kind: sqlast.LitString, Text: kept}
		c.DefaultText = "'" + strings.ReplaceAll(kept, "'", "''") + "'"
		return nil
	}
	c.Default = &sqlast.Lit{Kind: sqlast.LitDecimal, Text: strings.TrimPrefix(kept, "-")}
	if strings.HasPrefix(kept, "-") {
		c.Default = &sqlast.Unary{Op: sqlast.OpNeg, X: c.Default}
	}
	quote := ""
	if strings.HasPrefix(c.DefaultText, "'") {
		quote = "'"
	}
	c.DefaultText = quote + kept + quote
	return nil
}

// literalValue gives the value of a literal as a column would be given it; ok is
// false for what is none, and for NULL and bytes.
func literalValue(e sqlast.Expr) (v any, ok bool) {
	switch e := e.(type) {
	case *sqlast.Unary:
		text, isText := literalText(e.X)
		return "-" + text, isText && e.Op == sqlast.OpNeg
	case *sqlast.Lit:
		switch e.Kind {
		case sqlast.LitTrue, sqlast.LitFalse:
			return int64(sqlast.LitFalse - e.Kind), true
		case sqlast.LitInt:
			if n, err := strconv.ParseInt(e.Text, 10, 64); err == nil {
				return n, true
			}
		case sqlast.LitNull, sqlast.LitBytes:
			return nil, false
		}
		return e.Text, true
	}
	return nil, false
}

func literalText(e sqlast.Expr) (string, bool) {
	l, ok := e.(*sqlast.Lit)
	if !ok || l.Kind != sqlast.LitInt && l.Kind != sqlast.LitDecimal && l.Kind != sqlast.LitFloat {
		return "", false
	}
	return l.Text, true
}

// keptDefault says whether a column of type t takes v; kept is the text of what it
// makes of it, where that is another value.
func keptDefault(t *sqlast.Type, v any) (kept string, ok bool) {
	fault := fit.None
	var out any
	switch t.Class {
	case sqlast.ClassInt:
		lo, hi := t.IntRange()
		if out, fault = fit.Int(v, lo, hi); t.Name == "YEAR" {
			out, fault = fit.Year(v)
		}
		return keptNumber(v, out, 0), fault == fit.None
	case sqlast.ClassDecimal:
		out, fault = fit.Key(v, max(t.Size, 1), max(t.Scale, 0), t.Unsigned)
		return keptNumber(v, out, max(t.Scale, 0)), fault == fit.None
	case sqlast.ClassDouble:
		_, fault = fit.Double(v, t.Unsigned)
	case sqlast.ClassText:
		switch text, isText := v.(string); {
		case t.Name == "ENUM":
			out, fault = fit.Enum(v, t.Values)
		case t.Name == "SET":
			out, fault = fit.Set(v, t.Values)
		case isText && t.Stripped():
			out, fault = fit.Char(text, t.Size)
		case isText:
			_, fault = fit.Text(text, t.Size)
		}
	case sqlast.ClassDate, sqlast.ClassDateTime, sqlast.ClassTime:
		return keptTime(t, v)
	}
	if text, isText := out.(string); isText && text != v {
		kept = text
	}
	return kept, fault == fit.None
}

// keptNumber is the text of what is kept of a number, if that is another one.
func keptNumber(given, kept any, scale int) string {
	a, _ := decimals.Of(given)
	b, ok := decimals.Of(kept)
	if !ok || a.Cmp(b) == 0 {
		return ""
	}
	return b.Text(scale)
}

func keptTime(t *sqlast.Type, v any) (kept string, ok bool) {
	if s, isText := v.(string); isText && t.Class != sqlast.ClassTime && strings.HasPrefix(s, "0000-00-00") {
		return "", false // NO_ZERO_DATE is a part of strict mode
	}
	kind := map[sqlast.Class]vindex.Temporal{sqlast.ClassDate: vindex.Date, sqlast.ClassDateTime: vindex.DateTime, sqlast.ClassTime: vindex.Time}[t.Class]
	kept, ok = vindex.CanonicalTemporal(v, kind, max(t.Scale, 0))
	if kept == v {
		kept = ""
	}
	return kept, ok
}

// sameValues says whether two types take the same values.
func sameValues(a, b *sqlast.Type) bool {
	return a.Name == b.Name && a.Size == b.Size && a.Scale == b.Scale && a.Unsigned == b.Unsigned && slices.Equal(a.Values, b.Values)
}
