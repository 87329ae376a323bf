package difftest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// Diff tells how got differs from want, "" if it doesn't.
func Diff(s Statement, want, got Answer) string {
	if want.Err != nil || got.Err != nil {
		a, b := ClassOf(want.Err), ClassOf(got.Err)
		if a == b || manyRows(s) && violation(a) && violation(b) {
			return ""
		}
		return fmt.Sprintf("error %q (%s), want %q (%s)", errText(got.Err), b, errText(want.Err), a)
	}
	if s.Kind == Write && !s.NoCount && want.Affected != got.Affected {
		return fmt.Sprintf("%d rows affected, want %d", got.Affected, want.Affected)
	}
	if s.Kind != Query {
		return ""
	}
	return diffRows(s, want.Rows, got.Rows)
}

// manyRows says that a statement may violate one constraint with one row and
// another with another; which is found first is left open.
func manyRows(s Statement) bool {
	return strings.Contains(s.SQL, "), (") || strings.Contains(s.SQL, "SELECT") || strings.HasPrefix(s.SQL, "UPDATE")
}

func violation(class string) bool {
	return class != classPlan && class != classOther && class != classUnsupported && class != ""
}

func diffRows(s Statement, want, got [][]any) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows, want %d", len(got), len(want))
	}
	w, g := texts(want, nil, s.Fold), texts(got, nil, s.Fold)
	if s.Exact {
		for i := range w {
			if w[i] != g[i] {
				return fmt.Sprintf("row %d is %s, want %s", i, g[i], w[i])
			}
		}
		return ""
	}
	if len(s.Keys) > 0 {
		// The keys' texts fold case: _ci columns sort so.
		wk, gk := texts(want, s.Keys, true), texts(got, s.Keys, true)
		for i := range wk {
			if wk[i] != gk[i] {
				return fmt.Sprintf("row %d is sorted wrong: %s stands where %s should", i, gk[i], wk[i])
			}
		}
	}
	slices.Sort(w)
	slices.Sort(g)
	for i := range w {
		if w[i] != g[i] {
			return fmt.Sprintf("sorted row %d is %s, want %s", i, g[i], w[i])
		}
	}
	return ""
}

// texts gives each row, or some columns of it, as text in which no two different
// values look alike.
func texts(rows [][]any, cols []int, fold bool) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		var b strings.Builder
		if cols == nil {
			for _, v := range r {
				writeValue(&b, v, fold)
			}
		}
		for _, c := range cols {
			writeValue(&b, r[c], fold)
		}
		out[i] = b.String()
	}
	return out
}

func writeValue(b *strings.Builder, v any, fold bool) {
	switch v := v.(type) {
	case nil:
		b.WriteString("NULL")
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		// A DECIMAL holds whole numbers as integers; so 3 and 3.0 are one.
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			b.WriteString(strconv.FormatInt(int64(v), 10))
		} else {
			b.WriteString("f" + strconv.FormatFloat(v, 'g', 15, 64))
		}
	case string:
		if fold {
			v = foldASCII(v)
		}
		b.WriteString(strconv.Quote(v))
	case []byte:
		fmt.Fprintf(b, "x'%x'", v)
	default:
		fmt.Fprintf(b, "%T(%v)", v, v)
	}
	b.WriteByte('|')
}

func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// Error classes that are no shard's code.
const (
	classPlan        = "plan"        // found wrong before it ran
	classUnsupported = "unsupported" // refused
	classOther       = "other"
)

// ClassOf is what an error is compared by.
func ClassOf(err error) string {
	if err == nil {
		return ""
	}
	var d *vitessdo.Error
	if errors.As(err, &d) {
		switch d.Code {
		case vitessdo.CodeUnsupported, vitessdo.CodePlan:
			return classUnsupported
		case vitessdo.CodeUnique, vitessdo.CodeNotNull, vitessdo.CodeForeignKey, vitessdo.CodeCheck:
			return string(d.Code)
		case vitessdo.CodeNoTable, vitessdo.CodeNoColumn, vitessdo.CodeColumnCount, vitessdo.CodeAmbiguousColumn, vitessdo.CodeSyntax:
			return classPlan
		}
		return classOther
	}
	var p *route.Error
	if errors.As(err, &p) {
		if p.Code == route.CodeUnsupported {
			return classUnsupported
		}
		return classPlan
	}
	switch c := tablet.CodeOf(err); c {
	case tablet.CodeUnique, tablet.CodeNotNull, tablet.CodeForeignKey, tablet.CodeCheck:
		return string(c)
	}
	return classOther
}

func errText(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}

// Show prints an answer for people.
func Show(a Answer) string {
	if a.Err != nil {
		return "error: " + a.Err.Error()
	}
	if len(a.Rows) == 0 {
		return fmt.Sprintf("no rows, %d affected", a.Affected)
	}
	lines := texts(a.Rows, nil, false)
	if len(lines) > 20 {
		lines = append(lines[:20], fmt.Sprintf("… %d rows in all", len(a.Rows)))
	}
	return strings.Join(lines, "\n  ")
}
