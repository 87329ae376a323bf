package postgres

import (
	"math"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// interval is a length of time; its parts are apart, as months and days have none.
type interval struct {
	months, days, micros int64
	// times, when not nil, multiplies it.
	times sqlast.Expr
}

// intervalUnits are the units that an interval's text may name, in months, days or
// microseconds.
var intervalUnits = map[string]interval{}

func init() {
	for names, v := range map[string]interval{
		"microsecond us usec":             {micros: 1},
		"millisecond ms msec":             {micros: 1e3},
		"second s sec":                    {micros: 1e6},
		"minute m min":                    {micros: 60e6},
		"hour h hr":                       {micros: 3600e6},
		"day d":                           {days: 1},
		"week w":                          {days: 7},
		"month mon":                       {months: 1},
		"year y yr":                       {months: 12},
		"decade dec":                      {months: 120},
		"century cent c centurie":         {months: 1200},
		"millennium mil millenia millenn": {months: 12000},
	} {
		for _, n := range strings.Fields(names) {
			intervalUnits[n], intervalUnits[n+"s"] = v, v
		}
	}
}

// maskUnits are the units of INTERVAL '1' DAY, by PostgreSQL's mask for them.
var maskUnits = map[int]string{2: "month", 4: "year", 8: "day", 1024: "hour", 2048: "minute", 4096: "second"}

// parseInterval reads an interval's text; unit is that of a bare number.
func parseInterval(text, unit string) (out interval, ok bool) {
	words := strings.Fields(strings.ToLower(separated(text)))
	if len(words) == 0 {
		return out, false
	}
	ago := words[len(words)-1] == "ago"
	if ago {
		words = words[:len(words)-1]
	}
	for i := 0; i < len(words); i++ {
		if h, rest, clock := strings.Cut(words[i], ":"); clock {
			micros, ok := clockMicros(h, rest)
			if !ok {
				return out, false
			}
			out.micros += micros
			continue
		}
		n, err := strconv.ParseFloat(words[i], 64)
		if err != nil || math.IsNaN(n) || math.Abs(n) > 1e12 {
			return out, false
		}
		name := unit
		if i+1 < len(words) {
			if _, known := intervalUnits[words[i+1]]; known {
				i++
				name = words[i]
			}
		}
		u, known := intervalUnits[name]
		if !known || !out.add(u, n) {
			return out, false
		}
	}
	if ago {
		out.months, out.days, out.micros = -out.months, -out.days, -out.micros
	}
	return out, true
}

// separated puts a blank between a number and the unit that follows it at once.
func separated(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if i > 0 && isLetter(text[i]) && text[i-1] >= '0' && text[i-1] <= '9' {
			b.WriteByte(' ')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// add adds n of a unit; part of a month is days of thirty, part of a day its hours.
func (v *interval) add(u interval, n float64) bool {
	switch {
	case u.months != 0:
		whole, part := math.Modf(n * float64(u.months))
		v.months += int64(whole)
		return part == 0 || v.add(interval{days: 1}, math.Round(part*30e6)/1e6)
	case u.days != 0:
		whole, part := math.Modf(n * float64(u.days))
		v.days += int64(whole)
		v.micros += int64(math.Round(part * 86400e6))
	default:
		v.micros += int64(math.Round(n * float64(u.micros)))
	}
	return true
}

// clockMicros reads hh:mm[:ss[.fraction]].
func clockMicros(hours, rest string) (int64, bool) {
	minutes, seconds, _ := strings.Cut(rest, ":")
	if seconds == "" {
		seconds = "0"
	}
	h, err1 := strconv.ParseInt(hours, 10, 32)
	m, err2 := strconv.ParseUint(minutes, 10, 8)
	s, err3 := strconv.ParseFloat(seconds, 64)
	if err1 != nil || err2 != nil || err3 != nil || m > 59 || s < 0 || s >= 61 {
		return 0, false
	}
	micros := int64(m)*60e6 + int64(math.Round(s*1e6))
	if strings.HasPrefix(hours, "-") {
		micros = -micros
	}
	return h*3600e6 + micros, true
}

// interval reads a tree that stands for a length of time.
func (c *conv) interval(t tree) (out interval, ok bool) {
	switch t.kind {
	case "TypeCast":
		typ := t.message("typeName")
		names := typ.names("names")
		if len(names) == 0 || names[len(names)-1] != "interval" || typ.has("arrayBounds") {
			return out, false
		}
		return c.intervalOf(t.child("arg"), typ), true
	case "A_Expr":
		return c.intervalTerm(t.node)
	case "FuncCall":
		if names := t.names("funcname"); names[len(names)-1] == "make_interval" {
			return c.madeInterval(t.node), true
		}
	}
	return out, false
}

// intervalArgs are the units of make_interval's arguments.
var intervalArgs = []string{"years", "months", "weeks", "days", "hours", "mins", "secs"}

// madeInterval reads make_interval(days => n): of whole numbers, or of one value.
func (c *conv) madeInterval(n node) (out interval) {
	args := n.list("args")
	for i, a := range args {
		unit, x := "", a
		switch {
		case a.kind == "NamedArgExpr":
			unit, x = a.str("name"), a.child("arg")
		case i < len(intervalArgs):
			unit = intervalArgs[i]
		}
		u, known := intervalUnits[unit]
		if !known {
			c.fail(n.at(), "make_interval has no argument "+strconv.Quote(unit))
		}
		v := c.expr(x)
		switch k, whole := front.IntOf(v); {
		case whole:
			out.add(u, float64(k))
		case len(args) == 1:
			u.times = v
			out = u
		default:
			c.refuse(n.at(), "make_interval of several values", "add one after the other")
		}
	}
	return out
}

func (c *conv) intervalOf(arg tree, typ node) interval {
	unit := "second"
	if mods := typ.list("typmods"); len(mods) > 0 {
		if u := maskUnits[mods[0].message("ival").num("ival")]; u != "" {
			unit = u
		}
	}
	if arg.kind == "A_Expr" && len(arg.names("name")) == 1 && arg.names("name")[0] == "||" {
		// (x || ' days')::interval
		if s, ok := front.StringOf(c.expr(arg.child("rexpr"))); ok {
			if u, known := intervalUnits[strings.ToLower(strings.TrimSpace(s))]; known {
				u.times = c.expr(arg.child("lexpr"))
				if x, ok := u.times.(*sqlast.Cast); ok && x.To.Class == sqlast.ClassText {
					u.times = x.X
				}
				return u
			}
		}
	}
	if arg.kind == "A_Const" {
		if s, ok := front.StringOf(c.expr(arg)); ok {
			if v, ok := parseInterval(s, unit); ok {
				return v
			}
			c.fail(arg.at(), "invalid input syntax for type interval: "+strconv.Quote(s))
		}
	}
	c.refuse(typ.at(), "an interval that isn't a literal", "multiply one, as in $1 * INTERVAL '1 second'")
	return interval{}
}

// intervalTerm reads n * interval, interval * n, and -interval.
func (c *conv) intervalTerm(n node) (out interval, ok bool) {
	names := n.names("name")
	if n.str("kind") != "AEXPR_OP" || len(names) != 1 {
		return out, false
	}
	if !n.has("lexpr") {
		v, ok := c.interval(n.child("rexpr"))
		v.months, v.days, v.micros = -v.months, -v.days, -v.micros
		return v, ok && names[0] == "-"
	}
	if names[0] != "*" {
		return out, false
	}
	times := n.child("rexpr")
	if out, ok = c.interval(n.child("lexpr")); !ok {
		times = n.child("lexpr")
		if out, ok = c.interval(n.child("rexpr")); !ok {
			return out, false
		}
	}
	if out.times != nil {
		c.refuse(n.at(), "a product of two values and an interval", "multiply the values first")
	}
	out.times = c.expr(times)
	return out, true
}

// withInterval converts date ± interval; ok is false where there is none.
func (c *conv) withInterval(n node, name string) (sqlast.Expr, bool) {
	if name != "+" && name != "-" {
		return nil, false
	}
	date := n.child("lexpr")
	v, ok := c.interval(n.child("rexpr"))
	if !ok {
		if name == "-" {
			return nil, false
		}
		if v, ok = c.interval(n.child("lexpr")); !ok {
			return nil, false
		}
		date = n.child("rexpr")
	}
	if _, both := c.interval(date); both {
		c.refuse(n.at(), "a sum of intervals", "write one, as INTERVAL '1 day 2 hours'")
	}
	return c.shifted(c.expr(date), v, name == "-", n.at()), true
}

// shifted is a date or time and a length of time.
func (c *conv) shifted(x sqlast.Expr, v interval, back bool, at int) sqlast.Expr {
	args := []sqlast.Expr{x}
	if v.times != nil {
		args = append(args, v.times)
		c.maybeTwice(v.times)
	}
	return c.later(func(args []sqlast.Expr) sqlast.Expr {
		out := args[0]
		switch out.Type().Class {
		case sqlast.ClassDateTime:
		case sqlast.ClassTime:
			if v.months != 0 || v.days != 0 {
				c.refuse(at, "days added to a TIME", "")
			}
		case sqlast.ClassInt, sqlast.ClassDecimal, sqlast.ClassDouble, sqlast.ClassJSON, sqlast.ClassBlob:
			c.fail(at, "an interval can be added to dates and times only")
		default:
			out = timestamp(out)
		}
		for _, part := range []struct {
			n    int64
			unit string
		}{{v.months, "MONTH"}, {v.days, "DAY"}, {v.micros, "MICROSECOND"}} {
			if part.n == 0 {
				continue
			}
			var by sqlast.Expr = &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.FormatInt(max(part.n, -part.n), 10)}
			name := map[bool]string{false: "DATE_ADD", true: "DATE_SUB"}[back != (part.n < 0)]
			if len(args) > 1 {
				product := front.Op(sqlast.OpMul, by, sqlast.CloneExpr(args[1]))
				by = front.Cast(front.Call("ROUND", product), "SIGNED", sqlast.ClassInt, -1, -1)
			}
			out = front.Call(name, out, &sqlast.Interval{X: by, Unit: part.unit})
		}
		return out
	}, args...)
}

// timestamp is x as a moment.
func timestamp(x sqlast.Expr) sqlast.Expr {
	return front.Cast(x, "DATETIME", sqlast.ClassDateTime, -1, 6)
}

// addition converts + and - of what isn't an interval.
func (c *conv) addition(name string, l, r sqlast.Expr, at int) sqlast.Expr {
	op := map[string]sqlast.Op{"+": sqlast.OpAdd, "-": sqlast.OpSub}[name]
	return c.later(func(a []sqlast.Expr) sqlast.Expr {
		l, r := a[0], a[1]
		lc, rc := l.Type().Class, r.Type().Class
		days := func(date, n sqlast.Expr) sqlast.Expr {
			f := map[string]string{"+": "DATE_ADD", "-": "DATE_SUB"}[name]
			return front.Call(f, date, &sqlast.Interval{X: n, Unit: "DAY"})
		}
		switch {
		case lc == sqlast.ClassJSON && name == "-":
			return c.without(l, r, at)
		case !lc.Temporal() && !rc.Temporal():
			return front.Op(op, c.alike(l, r, at), c.alike(r, l, at))
		case lc == sqlast.ClassDate && rc == sqlast.ClassInt:
			return days(l, r)
		case lc == sqlast.ClassInt && rc == sqlast.ClassDate && name == "+":
			return days(r, l)
		case lc == sqlast.ClassDate && rc == sqlast.ClassDate && name == "-",
			name == "-" && lc == sqlast.ClassDate && isParam(r), name == "-" && rc == sqlast.ClassDate && isParam(l):
			return front.Call("DATEDIFF", l, r)
		case lc == sqlast.ClassDate && isParam(r):
			return days(l, r)
		case name == "-" && lc.Temporal() && rc.Temporal():
			c.refuse(at, "an interval as a value (the difference of two moments)", "EXTRACT(EPOCH FROM a - b) gives its seconds")
		}
		c.refuse(at, name+" of a date or time and this", "add an INTERVAL")
		return nil
	}, l, r)
}

// seconds converts EXTRACT(EPOCH FROM a - b).
func (c *conv) seconds(n node) (sqlast.Expr, bool) {
	names := n.names("name")
	if n.str("kind") != "AEXPR_OP" || len(names) != 1 || names[0] != "-" || !n.has("lexpr") {
		return nil, false
	}
	if _, is := c.interval(n.child("rexpr")); is {
		return nil, false
	}
	a, b := c.expr(n.child("lexpr")), c.expr(n.child("rexpr"))
	micros := front.Call("TIMESTAMPDIFF", front.Word("MICROSECOND"), timestamp(b), timestamp(a))
	return perMillion(micros), true
}

// perMillion is x / 1000000.
func perMillion(x sqlast.Expr) sqlast.Expr {
	return front.Op(sqlast.OpDiv, front.Cast(x, "DOUBLE", sqlast.ClassDouble, -1, -1), &sqlast.Lit{Kind: sqlast.LitFloat, Text: "1e6"})
}
