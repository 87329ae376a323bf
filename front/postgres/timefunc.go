package postgres

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// timeCall converts the functions of dates and times; ok is false for others.
func (c *conv) timeCall(name string, n node) (sqlast.Expr, bool) {
	args := n.list("args")
	at := n.at()
	switch name {
	case "extract", "date_part":
		if len(args) != 2 {
			return nil, false
		}
		field, ok := front.StringOf(c.expr(args[0]))
		if !ok {
			c.refuse(at, name+" of a field that isn't a string", "")
		}
		if field = strings.ToLower(field); field == "epoch" && args[1].kind == "A_Expr" {
			if x, ok := c.seconds(args[1].node); ok {
				return x, true
			}
		}
		return c.extract(field, c.expr(args[1]), at), true
	case "date_trunc":
		if len(args) != 2 {
			c.refuse(at, "date_trunc in another time zone", "set loc in the data source name")
		}
		unit, ok := front.StringOf(c.expr(args[0]))
		if !ok {
			c.refuse(at, "date_trunc to a unit that isn't a string", "")
		}
		return c.truncate(strings.ToLower(unit), c.expr(args[1]), at), true
	case "to_char":
		return c.toChar(c.exprs(args), at), true
	case "to_date", "to_timestamp":
		if len(args) != 2 {
			return nil, false
		}
		f, ok := front.StringOf(c.expr(args[1]))
		if !ok {
			c.refuse(at, name+" with a form that isn't a string", "")
		}
		x := front.Call("STR_TO_DATE", c.expr(args[0]), front.Text(c.timeForm(f, at)))
		if name == "to_date" {
			return front.Cast(x, "DATE", sqlast.ClassDate, -1, -1), true
		}
		return timestamp(x), true
	case "timezone":
		if len(args) == 2 {
			return c.atTimeZone(args[0], args[1], at), true
		}
	}
	return nil, false
}

// isUTC says whether a tree names UTC.
func isUTC(t tree) bool {
	switch strings.ToUpper(t.message("sval").str("sval")) {
	case "UTC", "GMT", "ETC/UTC", "Z", "ZULU":
		return t.kind == "A_Const"
	}
	return false
}

// isNow says whether a tree is the moment of the statement, with all its digits.
func isNow(t tree) bool {
	if names := t.names("funcname"); t.kind == "FuncCall" && len(names) > 0 {
		return clocks[names[len(names)-1]] && len(t.list("args")) == 0
	}
	return t.kind == "SQLValueFunction" && t.str("op") == "SVFOP_CURRENT_TIMESTAMP"
}

// moment lets text and parameters be moments.
func (c *conv) moment(x sqlast.Expr) sqlast.Expr {
	if _, ok := front.StringOf(x); ok || isParam(x) {
		return timestamp(x)
	}
	return x
}

// extract is EXTRACT(field FROM x).
func (c *conv) extract(field string, x sqlast.Expr, at int) sqlast.Expr {
	x = c.moment(x)
	one := func(name string, more ...sqlast.Expr) sqlast.Expr {
		return front.Call(name, append([]sqlast.Expr{x}, more...)...)
	}
	switch field {
	case "year", "month", "day", "hour", "minute", "quarter":
		return front.Call("EXTRACT", front.Word(strings.ToUpper(field)), x)
	case "second":
		c.maybeTwice(x)
		return front.Op(sqlast.OpAdd, one("SECOND"), perMillion(front.Call("MICROSECOND", sqlast.CloneExpr(x))))
	case "dow":
		return front.Op(sqlast.OpSub, one("DAYOFWEEK"), front.Int(1))
	case "isodow":
		return front.Op(sqlast.OpAdd, one("WEEKDAY"), front.Int(1))
	case "doy":
		return one("DAYOFYEAR")
	case "week":
		return one("WEEK", front.Int(3))
	case "isoyear":
		return front.Op(sqlast.OpIntDiv, one("YEARWEEK", front.Int(3)), front.Int(100))
	case "epoch":
		return perMillion(front.Call("TIMESTAMPDIFF", front.Word("MICROSECOND"), front.Call("FROM_UNIXTIME", front.Int(0)), timestamp(x)))
	case "decade":
		return front.Op(sqlast.OpIntDiv, one("YEAR"), front.Int(10))
	}
	c.refuse(at, "EXTRACT of "+field, "year, quarter, month, week, day, dow, isodow, doy, hour, minute, second, epoch, isoyear and decade can be had")
	return nil
}

// truncForms are what is kept of a moment, by the unit.
var truncForms = map[string]string{
	"second": "%Y-%m-%d %H:%i:%s", "minute": "%Y-%m-%d %H:%i:00", "hour": "%Y-%m-%d %H:00:00",
	"day": "%Y-%m-%d 00:00:00", "month": "%Y-%m-01 00:00:00", "year": "%Y-01-01 00:00:00",
}

// truncate is date_trunc(unit, x).
func (c *conv) truncate(unit string, x sqlast.Expr, at int) sqlast.Expr {
	x = c.moment(x)
	if form := truncForms[unit]; form != "" {
		return timestamp(front.Call("DATE_FORMAT", x, front.Text(form)))
	}
	back := func(n sqlast.Expr, unit string, from sqlast.Expr) sqlast.Expr {
		return timestamp(front.Call("DATE_SUB", from, &sqlast.Interval{X: n, Unit: unit}))
	}
	c.maybeTwice(x)
	switch unit {
	case "week":
		return back(front.Call("WEEKDAY", x), "DAY", front.Call("DATE", sqlast.CloneExpr(x)))
	case "quarter":
		month := front.Cast(front.Call("DATE_FORMAT", x, front.Text("%Y-%m-01")), "DATE", sqlast.ClassDate, -1, -1)
		into := front.Op(sqlast.OpMod, front.Op(sqlast.OpSub, front.Call("MONTH", sqlast.CloneExpr(x)), front.Int(1)), front.Int(3))
		return back(into, "MONTH", month)
	}
	c.refuse(at, "date_trunc to "+unit, "second, minute, hour, day, week, month, quarter and year can be had")
	return nil
}

// toChar is to_char of a moment or a number.
func (c *conv) toChar(args []sqlast.Expr, at int) sqlast.Expr {
	form, ok := "", false
	if len(args) == 2 {
		form, ok = front.StringOf(args[1])
	}
	if !ok {
		c.refuse(at, "to_char with a form that isn't a string", "")
	}
	c.maybeTwice(args[0])
	return c.later(func(a []sqlast.Expr) sqlast.Expr {
		if a[0].Type().Class.Numeric() {
			return c.formatted(a[0], form, at)
		}
		return front.Call("DATE_FORMAT", a[0], front.Text(c.timeForm(form, at)))
	}, c.moment(args[0]))
}

// timeForms are the parts of a form, longest first, and what MySQL writes for them.
var timeForms = []struct{ from, to string }{
	{"FMMonth", "%M"}, {"FMDay", "%W"}, {"FMHH24", "%k"}, {"FMHH12", "%l"}, {"FMMM", "%c"}, {"FMDD", "%e"}, {"FMHH", "%l"},
	{"YYYY", "%Y"}, {"IYYY", "%x"}, {"HH24", "%H"}, {"HH12", "%h"}, {"DDD", "%j"}, {"Mon", "%b"}, {"YY", "%y"}, {"MM", "%m"}, {"DD", "%d"},
	{"HH", "%h"}, {"MI", "%i"}, {"SS", "%s"}, {"US", "%f"}, {"AM", "%p"}, {"PM", "%p"}, {"Dy", "%a"}, {"IW", "%v"},
}

// timeForm makes a form of DATE_FORMAT's of one of to_char's.
func (c *conv) timeForm(form string, at int) string {
	var b strings.Builder
next:
	for form != "" {
		if form[0] == '"' {
			text, rest, _ := strings.Cut(form[1:], `"`)
			b.WriteString(strings.ReplaceAll(text, "%", "%%"))
			form = rest
			continue
		}
		for _, f := range timeForms {
			if len(form) >= len(f.from) && strings.EqualFold(form[:len(f.from)], f.from) &&
				(form[:len(f.from)] == f.from || !strings.ContainsAny(f.to, "bMWa")) {
				b.WriteString(f.to)
				form = form[len(f.from):]
				continue next
			}
		}
		if isLetter(form[0]) {
			c.refuse(at, "the part "+form+" of a form of dates", "YYYY, YY, MM, DD, HH24, HH12, MI, SS, US, AM, Mon, Dy, FMMonth, FMDay, DDD and IW can be had, other text in double quotes")
		}
		if form[0] == '%' {
			b.WriteByte('%')
		}
		b.WriteByte(form[0])
		form = form[1:]
	}
	return b.String()
}
