package sqlite

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// A frame of RANGE with INTERVALs is one of microseconds: SQLite's ranges are of
// numbers, so that the window is sorted by the date's.

// byTime says whether a frame's ends are INTERVALs.
func byTime(f *sqlast.Frame) bool {
	if f == nil {
		return false
	}
	_, start := f.Start.X.(*sqlast.Interval)
	_, end := f.End.X.(*sqlast.Interval)
	return start || end
}

// timeOrder prints the ORDER BY of a window whose frame has INTERVALs.
func (p *printer) timeOrder(w *sqlast.WindowSpec) {
	if len(w.OrderBy) != 1 {
		p.unsupported("a RANGE with INTERVAL in a window that isn't ordered by one date, in the same brackets", -1, "")
		return
	}
	o := w.OrderBy[0]
	x := o.Expr
	if f, ok := x.(*sqlast.Func); ok && f.Name == "_TIME_KEY" {
		x = f.Args[0]
	}
	p.call("time_micros", x)
	p.direction(&o)
}

// unitMicros are the lengths of the units that have one, in microseconds.
var unitMicros = map[string]int64{
	"MICROSECOND": 1, "SECOND": 1e6, "MINUTE": 60e6, "HOUR": 3600e6, "DAY": 86400e6, "WEEK": 7 * 86400e6,
}

// compoundUnits are the parts of compound units from the last one backwards.
var compoundUnits = []string{"MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY"}

// micros prints an INTERVAL's microseconds.
func (p *printer) micros(x *sqlast.Interval) {
	text, isText := strLit(x.X)
	if l, ok := x.X.(*sqlast.Lit); ok && !isText {
		text, isText = l.Text, l.Kind == sqlast.LitInt || l.Kind == sqlast.LitDecimal
	}
	unit := unitMicros[x.Unit]
	switch {
	case unit > 0 && isText:
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			if x.Unit != "SECOND" {
				n = float64(int64(n + 0.5))
			}
			p.s(strconv.FormatInt(int64(n*float64(unit)+0.5), 10))
			return
		}
	case unit > 0:
		p.expr(x.X, precMul)
		p.s(" * " + strconv.FormatInt(unit, 10))
		return
	case isText:
		if n, ok := compoundLength(text, x.Unit); ok {
			p.s(strconv.FormatInt(n, 10))
			return
		}
	}
	p.unsupported("RANGE with INTERVAL … "+x.Unit, -1, "months differ in length: give the range in days, or join the rows by their dates")
}

// compoundLength reads '1:30' HOUR_MINUTE and the like.
func compoundLength(text, unit string) (micros int64, ok bool) {
	from, to, compound := strings.Cut(unit, "_")
	last := slices.Index(compoundUnits, to)
	if first := slices.Index(compoundUnits, from); !compound || last < 0 || first < last {
		return 0, false
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if last == 0 && len(parts) > 0 {
		parts[len(parts)-1] = (parts[len(parts)-1] + "000000")[:6] // a fraction of a second
	}
	for i := len(parts) - 1; i >= 0; i-- {
		n, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil || last >= len(compoundUnits) {
			return 0, false
		}
		micros += n * unitMicros[compoundUnits[last]]
		last++
	}
	return micros, true
}
