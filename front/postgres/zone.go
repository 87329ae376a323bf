package postgres

import (
	"regexp"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// zonePart is a time zone behind a time.
var zonePart = regexp.MustCompile(`^(.*:\d\d(?:\.\d+)?)\s*([zZ]|[+-]\d\d?(?::?\d\d)?|[A-Za-z][A-Za-z0-9/_+-]*)$`)

// momentText is a moment's literal as it is kept: in UTC where it names a zone and the
// type has one, without its zone where the type has none.
func (c *conv) momentText(s string, zoned bool, at int) string {
	m := zonePart.FindStringSubmatch(s)
	if m == nil {
		return c.dateText(s, at)
	}
	text := c.dateText(strings.TrimSpace(m[1]), at)
	if !zoned {
		return text
	}
	for _, layout := range dateLayouts {
		if t, err := time.ParseInLocation(layout, text, c.zoneOf(m[2], at)); err == nil {
			return t.UTC().Format("2006-01-02 15:04:05.999999")
		}
	}
	c.fail(at, "invalid input syntax for a date or time: "+s)
	return ""
}

// zoneOf is the zone that a moment's literal names.
func (c *conv) zoneOf(name string, at int) *time.Location {
	for _, layout := range []string{"Z07", "Z0700", "Z07:00", "Z7"} {
		if t, err := time.Parse(layout, strings.ToUpper(name)); err == nil {
			return t.Location()
		}
	}
	return c.namedZone(name, at)
}

// namedZone is a zone by its name in the IANA database.
func (c *conv) namedZone(name string, at int) *time.Location {
	if strings.EqualFold(name, "utc") || strings.EqualFold(name, "gmt") || strings.EqualFold(name, "z") || strings.EqualFold(name, "zulu") {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || strings.EqualFold(name, "local") || strings.Trim(name, "+-0123456789:") == "" {
		c.refuse(at, "the time zone "+name, "name one of the IANA database, as Europe/Berlin or UTC")
	}
	return zone
}

// atTimeZone converts x AT TIME ZONE zone: a moment becomes what the zone's clocks show,
// and what they show a moment.
func (c *conv) atTimeZone(zone, x tree, at int) sqlast.Expr {
	if isUTC(zone) && isNow(x) {
		return front.Call("UTC_TIMESTAMP", front.Int(6))
	}
	var there sqlast.Expr
	if v, ok := c.interval(zone); ok {
		if v.months != 0 || v.days != 0 || v.times != nil || v.micros%60e6 != 0 || max(v.micros, -v.micros) > 16*3600e6 {
			c.refuse(at, "AT TIME ZONE of this interval", "give hours and minutes")
		}
		there = front.Text(time.Unix(0, 0).In(time.FixedZone("", int(v.micros/1e6))).Format("-07:00"))
	} else {
		name, ok := front.StringOf(c.expr(zone))
		if !ok {
			c.refuse(at, "AT TIME ZONE of what isn't a literal", "name the zone in the statement")
		}
		there = front.Text(c.namedZone(name, at).String())
	}
	here := &sqlast.SysVar{Name: "time_zone"}
	moment, known := c.zoned(x)
	return c.later(func(a []sqlast.Expr) sqlast.Expr {
		x, from, to := a[0], a[1], a[2]
		if !known {
			moment = isParam(x) || x.Type().Name == "TIMESTAMP"
			if col, ok := x.(*sqlast.Col); !isParam(x) && (!ok || col.Def == nil) {
				c.refuse(at, "AT TIME ZONE of a moment of which it isn't known whether it has a zone", "say it: x::timestamptz or x::timestamp")
			}
		}
		if !moment {
			from, to = to, from
		}
		return front.Call("CONVERT_TZ", timestamp(x), from, to, front.Text("standard"))
	}, c.moment(c.expr(x)), here, there)
}

// zoned says whether what a tree stands for is a moment, timestamptz, and not what a clock
// shows; known is false where that hangs on types.
func (c *conv) zoned(t tree) (moment, known bool) {
	args := t.list("args")
	switch t.kind {
	case "A_Const":
		return true, true
	case "SQLValueFunction":
		return !strings.Contains(t.str("op"), "LOCAL"), true
	case "TypeCast":
		names := t.message("typeName").names("names")
		return names[len(names)-1] != "timestamp", true // a DATE is a moment, too
	case "A_Expr":
		if names := t.names("name"); len(names) == 1 && (names[0] == "+" || names[0] == "-") && t.has("lexpr") {
			return c.zoned(t.child("lexpr"))
		}
	case "CoalesceExpr", "MinMaxExpr":
		return c.zoned(args[0])
	case "FuncCall":
		names := t.names("funcname")
		switch name := names[len(names)-1]; {
		case clocks[name], name == "to_timestamp":
			return true, true
		case name == "date_trunc" && len(args) == 2:
			return c.zoned(args[1])
		case (name == "min" || name == "max") && len(args) == 1:
			return c.zoned(args[0])
		case name == "timezone" && len(args) == 2:
			moment, known = c.zoned(args[1])
			return !moment, known
		}
	}
	return false, false
}
