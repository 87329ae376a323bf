package difftest

import (
	"fmt"
	"math"
	"math/big"
	"slices"
)

// Law is something that several queries' answers must keep among themselves, on
// any one database: a check that needs no other database to compare with. A
// condition is true, false or NULL for a row, so that the three queries that ask
// for each find every row once; and asking for a condition's value finds as many
// rows as asking by it.
type Law struct {
	Name  string
	Whole Statement
	Parts []Statement
	kind  lawKind
	ops   []lawOp // sums: how the parts' columns are combined
}

type lawKind uint8

const (
	lawRows  lawKind = iota // the parts' rows together are the whole's
	lawSet                  // as lawRows, each row once
	lawSums                 // the whole's one row combines the parts'
	lawCount                // the whole's one number counts the part's true values
)

type lawOp uint8

const (
	opSum lawOp = iota
	opCount
	opMin
	opMax
)

// Broken runs the law's queries and tells how it is broken, "" if it isn't.
// refused is set when vitessdo has no way to run one of them.
func (l *Law) Broken(s System) (diff string, want, got Answer, refused error) {
	got = s.Run(l.Whole)
	failed := 0
	if got.Err != nil {
		failed++
	}
	var parts [][][]any
	for _, p := range l.Parts {
		a := s.Run(p)
		if a.Err != nil {
			failed++
			want.Err = a.Err
		}
		parts = append(parts, a.Rows)
		want.Rows = append(want.Rows, a.Rows...)
	}
	for _, err := range []error{got.Err, want.Err} {
		if ClassOf(err) == classUnsupported {
			return "", want, got, err
		}
	}
	switch {
	case failed == 1+len(l.Parts):
		return "", want, got, nil
	case OutOfRange(want.Err) || OutOfRange(got.Err):
		// Some rows have no value. A part asks them what the whole doesn't, or has
		// none of them; and of two conditions the engine asks first which it likes.
		return "", want, got, nil
	case failed > 0:
		return fmt.Sprintf("some of the law's queries fail and some don't: %v; %v", got.Err, want.Err), want, got, nil
	}
	return l.differs(parts, want.Rows, got.Rows), want, got, nil
}

func (l *Law) differs(parts [][][]any, want, got [][]any) string {
	switch l.kind {
	case lawSums:
		return l.sums(parts, got)
	case lawCount:
		n := 0
		for _, r := range want {
			if x, ok := asNumber(r[0]); ok && x.Sign() != 0 {
				n++
			}
		}
		if x, _ := asNumber(got[0][0]); len(got) != 1 || x.Cmp(new(big.Float).SetInt64(int64(n))) != 0 {
			return fmt.Sprintf("%v rows meet the condition, it is true for %d", got[0][0], n)
		}
		return ""
	}
	w, g := texts(want, nil, l.Whole.Fold), texts(got, nil, l.Whole.Fold)
	slices.Sort(w)
	slices.Sort(g)
	if l.kind == lawSet {
		w = slices.Compact(w)
		if l.Whole.Fold {
			// Of other columns' texts, those that differ in case are two.
			g = slices.Compact(g)
		}
	}
	if len(w) != len(g) {
		return fmt.Sprintf("%d rows, the parts have %d", len(g), len(w))
	}
	for i := range w {
		if w[i] != g[i] {
			return fmt.Sprintf("sorted row %d is %s, in the parts it is %s", i, g[i], w[i])
		}
	}
	return ""
}

func (l *Law) sums(parts [][][]any, got [][]any) string {
	if len(got) != 1 {
		return fmt.Sprintf("%d rows, want 1", len(got))
	}
	for i, op := range l.ops {
		sum, found := new(big.Float).SetPrec(sumBits), op == opCount
		for _, rows := range parts {
			x, ok := asNumber(rows[0][i])
			switch {
			case !ok:
			case !found, op == opMin && x.Cmp(sum) < 0, op == opMax && x.Cmp(sum) > 0:
				sum, found = x, true
			case op == opMin, op == opMax:
			default:
				sum.Add(sum, x)
			}
		}
		x, ok := asNumber(got[0][i])
		if ok != found || ok && !near(x, sum) {
			return fmt.Sprintf("column %d is %v, the parts make %v", i, got[0][i], sum)
		}
	}
	return ""
}

// sumBits keeps sums of DECIMALs exactly, whose digits may cancel each other out.
const sumBits = 512

// near allows for the rounding of DOUBLEs.
func near(a, b *big.Float) bool {
	diff, bound := new(big.Float).Sub(a, b), new(big.Float).Abs(a)
	if bound.Cmp(big.NewFloat(1)) < 0 {
		bound.SetInt64(1)
	}
	return diff.Abs(diff).Cmp(bound.Mul(bound, big.NewFloat(1e-9))) <= 0
}

// asNumber gives a value's number; false for NULL.
func asNumber(v any) (*big.Float, bool) {
	x := new(big.Float).SetPrec(sumBits)
	switch v := v.(type) {
	case int64:
		return x.SetInt64(v), true
	case float64:
		if math.IsNaN(v) {
			return x, false
		}
		return x.SetFloat64(v), true
	case bool:
		return x.SetInt64(map[bool]int64{true: 1}[v]), true
	case []byte:
		_, ok := x.SetString(string(v))
		return x, ok
	case string:
		_, ok := x.SetString(v)
		return x, ok
	}
	return x, false
}

// law holds every database to a law.
func (r *runner) law(l *Law) {
	r.report.Statements += 1 + len(l.Parts)
	for _, c := range r.clusters {
		diff, want, got, refused := l.Broken(c)
		if refused != nil {
			r.report.Unsupported[refused.Error()]++
			return
		}
		if diff != "" {
			r.fail(l.Whole, c, l.Name+": "+diff, want, got)
			r.report.Failures[len(r.report.Failures)-1].Law = l
			return
		}
	}
}

// breaks runs statements on a new cluster, and then the law.
func (l *Law) breaks(history []Statement, shards int) (Failure, bool) {
	c, err := openCluster(shards)
	if err != nil {
		return Failure{}, false
	}
	defer c.Close()
	for _, h := range history {
		c.Run(h)
	}
	diff, want, got, _ := l.Broken(c)
	return Failure{History: history, Statement: l.Whole, Shards: shards, Diff: l.Name + ": " + diff, Want: want, Got: got, Law: l}, diff != ""
}
