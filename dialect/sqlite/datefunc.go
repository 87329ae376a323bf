package sqlite

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

func dateFuncs() map[string]fnPrinter {
	m := map[string]fnPrinter{
		"DATE": (*printer).dateFn, "TIME": (*printer).timeFn, "TIMESTAMP": (*printer).timestampFn,
		"LAST_DAY": (*printer).lastDay, "DATEDIFF": (*printer).dateDiff, "TIMESTAMPDIFF": (*printer).timestampDiff,
		"TIMESTAMPADD": (*printer).timestampAdd, "EXTRACT": (*printer).extract, "DATE_FORMAT": (*printer).dateFormat,
		"UNIX_TIMESTAMP": (*printer).unixTimestamp, "FROM_UNIXTIME": (*printer).fromUnixtime,
		"TO_DAYS": (*printer).toDays, "GET_FORMAT": (*printer).getFormat,
	}
	for name := range partFormat {
		m[name] = func(p *printer, f *sqlast.Func, min int) {
			if len(f.Args) != 1 {
				p.unsupported("function "+f.Name+" with this number of arguments", f.Pos, "")
				return
			}
			p.part(f.Name, f.Args[0], min)
		}
	}
	for _, name := range []string{"DATE_ADD", "ADDDATE", "DATE_SUB", "SUBDATE"} {
		m[name] = (*printer).dateAddFn
	}
	for _, name := range []string{"NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE", "UTC_TIMESTAMP"} {
		m[name] = (*printer).now
	}
	for name, text := range map[string]string{
		"CURDATE": "date('now')", "CURRENT_DATE": "date('now')", "UTC_DATE": "date('now')",
		"CURTIME": "time('now')", "CURRENT_TIME": "time('now')", "UTC_TIME": "time('now')",
	} {
		m[name] = func(p *printer, _ *sqlast.Func, _ int) { p.s(text) }
	}
	return m
}

// partFormat maps a function that takes a part of a date to strftime's letter.
var partFormat = map[string]string{
	"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "DAYOFMONTH": "%d", "HOUR": "%H", "MINUTE": "%M", "SECOND": "%S",
	"QUARTER": "%m", "DAYOFWEEK": "%w", "WEEKDAY": "%w", "DAYOFYEAR": "%j",
}

func (p *printer) part(name string, x sqlast.Expr, min int) {
	if !spelled(x) {
		p.s("date_part('" + strings.ToLower(name) + "', ")
		p.expr(x, 0)
		p.c(')')
		return
	}
	prec := precAtom
	switch name {
	case "QUARTER", "WEEKDAY":
		prec = precMul
	case "DAYOFWEEK":
		prec = precAdd
	}
	b := p.open(prec, min)
	if name == "QUARTER" || name == "WEEKDAY" {
		p.c('(')
	}
	p.s("CAST(strftime('" + partFormat[name] + "', ")
	p.expr(x, 0)
	p.s(") AS INTEGER)")
	switch name {
	case "QUARTER":
		p.s(" + 2) / 3")
	case "WEEKDAY":
		p.s(" + 6) % 7")
	case "DAYOFWEEK":
		p.s(" + 1")
	}
	p.close(b)
}

func (p *printer) extract(f *sqlast.Func, min int) {
	unit, ok := unitArg(f.Args)
	if !ok || len(f.Args) != 2 {
		p.unsupported("EXTRACT", f.Pos, "")
		return
	}
	if _, ok := partFormat[unit]; ok {
		p.part(unit, f.Args[1], min)
		return
	}
	p.s("extract_unit(")
	p.str(strings.ToLower(unit))
	p.s(", ")
	p.expr(f.Args[1], 0)
	p.c(')')
}

func unitArg(args []sqlast.Expr) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	k, ok := args[0].(*sqlast.Keyword)
	if !ok {
		return "", false
	}
	return strings.TrimPrefix(strings.ToUpper(k.Word), "SQL_TSI_"), true
}

func (p *printer) dateFn(f *sqlast.Func, _ int) {
	if len(f.Args) != 1 {
		p.unsupported("DATE", f.Pos, "")
		return
	}
	p.dateOf(f.Args[0])
}

// dateOf prints x's date.
func (p *printer) dateOf(x sqlast.Expr) {
	if spelled(x) {
		p.call("date", x)
	} else {
		p.call("date_of", x)
	}
}

// spelled says whether e's value is a valid date or datetime in SQLite's own
// spelling, so that SQLite's functions may take it. They'd take the 30th of
// February for the 1st of March, and a number for a Julian day.
func spelled(e sqlast.Expr) bool {
	if _, isLit := e.(*sqlast.Lit); isLit {
		return false
	}
	c := class(e)
	return c == sqlast.ClassDate || c == sqlast.ClassDateTime
}

func (p *printer) timeFn(f *sqlast.Func, _ int) {
	if len(f.Args) != 1 {
		p.unsupported("TIME", f.Pos, "")
		return
	}
	p.call("time_of", f.Args[0])
}

func (p *printer) timestampFn(f *sqlast.Func, _ int) {
	switch len(f.Args) {
	case 1:
		p.call("datetime_of", f.Args[0])
	case 2:
		p.call("addtime", f.Args...)
	}
}

func (p *printer) lastDay(f *sqlast.Func, _ int) {
	if len(f.Args) != 1 {
		p.unsupported("LAST_DAY", f.Pos, "")
		return
	}
	if !spelled(f.Args[0]) {
		p.call("last_day", f.Args[0])
		return
	}
	p.s("date(")
	p.expr(f.Args[0], 0)
	p.s(", 'start of month', '+1 month', '-1 day')")
}

func (p *printer) dateDiff(f *sqlast.Func, _ int) {
	if len(f.Args) != 2 {
		p.unsupported("DATEDIFF", f.Pos, "")
		return
	}
	if !spelled(f.Args[0]) || !spelled(f.Args[1]) {
		p.call("date_diff", f.Args...)
		return
	}
	p.s("CAST(julianday(date(")
	p.expr(f.Args[0], 0)
	p.s(")) - julianday(date(")
	p.expr(f.Args[1], 0)
	p.s(")) AS INTEGER)")
}

func (p *printer) timestampDiff(f *sqlast.Func, _ int) {
	unit, ok := unitArg(f.Args)
	if !ok || len(f.Args) != 3 {
		p.unsupported("TIMESTAMPDIFF", f.Pos, "")
		return
	}
	p.s("timestampdiff(")
	p.str(strings.ToLower(unit))
	p.s(", ")
	p.exprs(f.Args[1:])
	p.c(')')
}

func (p *printer) timestampAdd(f *sqlast.Func, _ int) {
	unit, ok := unitArg(f.Args)
	if !ok || len(f.Args) != 3 {
		p.unsupported("TIMESTAMPADD", f.Pos, "")
		return
	}
	p.dateAdd(f.Args[2], &sqlast.Interval{X: f.Args[1], Unit: unit}, false)
}

func (p *printer) dateAddFn(f *sqlast.Func, _ int) {
	if len(f.Args) != 2 {
		p.unsupported(f.Name, f.Pos, "")
		return
	}
	iv, ok := f.Args[1].(*sqlast.Interval)
	if !ok {
		iv = &sqlast.Interval{X: f.Args[1], Unit: "DAY"}
	}
	p.dateAdd(f.Args[0], iv, f.Name == "DATE_SUB" || f.Name == "SUBDATE")
}

// intervalOf recognises x ± INTERVAL … and INTERVAL … + x.
func intervalOf(e *sqlast.Binary) (*sqlast.Interval, sqlast.Expr, bool) {
	if iv, ok := e.R.(*sqlast.Interval); ok {
		return iv, e.L, true
	}
	if iv, ok := e.L.(*sqlast.Interval); ok && e.Op == sqlast.OpAdd {
		return iv, e.R, true
	}
	return nil, nil, false
}

// modifier maps a unit of fixed length to SQLite's modifier and its factor.
var modifier = map[string]struct {
	word   string
	factor int64
	clock  bool
}{
	"SECOND": {"seconds", 1, true}, "MINUTE": {"minutes", 1, true}, "HOUR": {"hours", 1, true},
	"DAY": {"days", 1, false}, "WEEK": {"days", 7, false},
	"MONTH": {"months", 1, false}, "QUARTER": {"months", 3, false}, "YEAR": {"years", 1, false},
}

// dateAdd prints x ± an interval: by SQLite's own date functions where x's
// spelling is known and the amount is a literal, else by ours.
func (p *printer) dateAdd(x sqlast.Expr, iv *sqlast.Interval, sub bool) {
	unit := strings.ToUpper(iv.Unit)
	m, simple := modifier[unit]
	n, isLit := intLit(iv.X)
	isDate, known := wholeSeconds(x)
	if p.plain && (m.word == "months" || m.word == "years") {
		simple = false // not every SQLite knows what to do with the 31st of a shorter month
	}
	if !simple || !isLit || !known {
		name := "date_add("
		if sub {
			name = "date_sub("
		}
		p.s(name)
		p.expr(x, 0)
		p.s(", ")
		p.expr(iv.X, 0)
		p.s(", ")
		p.str(strings.ToLower(unit))
		p.c(')')
		return
	}
	if sub {
		n = -n
	}
	if isDate && !m.clock {
		p.s("date(")
	} else {
		p.s("datetime(")
	}
	p.expr(x, 0)
	p.s(", '")
	if n *= m.factor; n >= 0 {
		p.c('+')
	}
	p.s(strconv.FormatInt(n, 10) + " " + m.word + "'")
	if m.word == "months" || m.word == "years" {
		p.s(", 'floor'") // the 31st of a shorter month is its last day
	}
	p.c(')')
}

// wholeSeconds says whether e is spelt as a date, or as a datetime without a
// fraction.
func wholeSeconds(e sqlast.Expr) (isDate, known bool) {
	fsp, ok := fspOf(e)
	if !ok || fsp > 0 {
		return false, false
	}
	if _, isCol := e.(*sqlast.Col); !isCol {
		return false, false // a parameter may be bound with a fraction
	}
	return fsp < 0, true
}

// strftimeOf translates the letters that strftime has too; ok is false if there
// are others.
func strftimeOf(format string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		b.WriteByte(format[i])
		if format[i] != '%' {
			continue
		}
		i++
		if i == len(format) {
			return "", false
		}
		switch c := format[i]; c {
		case 'Y', 'm', 'd', 'H', 'S', 'j', 'w', '%':
			b.WriteByte(c)
		case 'i':
			b.WriteByte('M')
		case 's':
			b.WriteByte('S')
		case 'T':
			b.WriteString("H:%M:%S")
		default:
			return "", false
		}
	}
	return b.String(), true
}

func (p *printer) dateFormat(f *sqlast.Func, _ int) {
	if len(f.Args) < 2 {
		p.unsupported("DATE_FORMAT", f.Pos, "")
		return
	}
	if lit, ok := strLit(f.Args[1]); ok && spelled(f.Args[0]) {
		if s, ok := strftimeOf(lit); ok {
			p.s("strftime(")
			p.str(s)
			p.s(", ")
			p.expr(f.Args[0], 0)
			p.c(')')
			return
		}
	}
	p.call("date_format", f.Args[:2]...)
}

// unixTimestamp: what is before 1970 has the number 0.
func (p *printer) unixTimestamp(f *sqlast.Func, _ int) {
	switch {
	case len(f.Args) == 0:
		p.s("unixepoch()")
	case len(f.Args) == 1:
		if fsp, ok := fspOf(f.Args[0]); ok && fsp <= 0 && spelled(f.Args[0]) {
			p.s("max(unixepoch(")
			p.expr(f.Args[0], 0)
			p.s("), 0)")
			return
		}
		p.call("unix_timestamp", f.Args[0])
	default:
		p.unsupported("UNIX_TIMESTAMP", f.Pos, "")
	}
}

func (p *printer) fromUnixtime(f *sqlast.Func, _ int) {
	switch len(f.Args) {
	case 1:
		p.call("from_unixtime", f.Args[0])
	case 2:
		p.s("date_format(from_unixtime(")
		p.expr(f.Args[0], 0)
		p.s("), ")
		p.expr(f.Args[1], 0)
		p.c(')')
	default:
		p.unsupported("FROM_UNIXTIME", f.Pos, "")
	}
}

func (p *printer) toDays(f *sqlast.Func, _ int) {
	if len(f.Args) != 1 {
		p.unsupported("TO_DAYS", f.Pos, "")
		return
	}
	p.call("to_days", f.Args[0])
}

// formats are GET_FORMAT's, by kind and region.
var formats = map[string]map[string]string{
	"DATE": {"USA": "%m.%d.%Y", "JIS": "%Y-%m-%d", "ISO": "%Y-%m-%d", "EUR": "%d.%m.%Y", "INTERNAL": "%Y%m%d"},
	"DATETIME": {"USA": "%Y-%m-%d %H.%i.%s", "JIS": "%Y-%m-%d %H:%i:%s", "ISO": "%Y-%m-%d %H:%i:%s",
		"EUR": "%Y-%m-%d %H.%i.%s", "INTERNAL": "%Y%m%d%H%i%s"},
	"TIME": {"USA": "%h:%i:%s %p", "JIS": "%H:%i:%s", "ISO": "%H:%i:%s", "EUR": "%H.%i.%s", "INTERNAL": "%H%i%s"},
}

func (p *printer) getFormat(f *sqlast.Func, _ int) {
	if len(f.Args) == 2 {
		kind, _ := unitArg(f.Args)
		region, isLit := strLit(f.Args[1])
		if kind == "TIMESTAMP" {
			kind = "DATETIME"
		}
		if byRegion, ok := formats[kind]; ok && isLit {
			if format, ok := byRegion[strings.ToUpper(region)]; ok {
				p.str(format)
			} else {
				p.s("NULL")
			}
			return
		}
	}
	p.unsupported("GET_FORMAT without a literal region", f.Pos, "")
}

// now is the moment as SQL, which only a stored default needs: elsewhere the
// moment has become a parameter before.
func (p *printer) now(f *sqlast.Func, _ int) {
	digits := int64(0)
	if len(f.Args) == 1 {
		digits, _ = intLit(f.Args[0])
	}
	p.s(nowText(int(digits)))
}

// nowText is the current time with that many digits behind the second; SQLite's
// clock has three.
func nowText(digits int) string {
	const millis = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
	switch {
	case digits <= 0:
		return "datetime('now')"
	case digits < 3:
		return "substr(" + millis + ", 1, " + strconv.Itoa(20+digits) + ")"
	case digits == 3:
		return millis
	}
	return millis + " || '" + strings.Repeat("0", digits-3) + "'"
}
