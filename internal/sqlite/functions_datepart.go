package sqlite

import (
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// datePartFunctions read dates in any of MySQL's spellings, where SQLite's own
// functions know one, and take what is no date for another one.
var datePartFunctions = []function{
	{"date_part", []int{2}, strict(datePart)},
	{"date_of", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			c.ResultText(m.rounded(-1).text())
		}
	})},
	{"last_day", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			c.ResultText(time.Date(m.t.Year(), m.t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Format("2006-01-02"))
		}
	})},
	{"date_diff", []int{2}, strict(func(c sqlite3.Context, arg ...sqlite3.Value) {
		a, ok1 := momentOf(arg[0])
		b, ok2 := momentOf(arg[1])
		if ok1 && ok2 {
			c.ResultInt64(a.days() - b.days())
		}
	})},
	{"to_days", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			c.ResultInt64(m.days())
		}
	})},
	{"makedate", []int{2}, strict(makeDate)},
	{"temporal_number", []int{1}, strict(temporalNumber)},
}

// days is MySQL's count of days, for which the year 0 has no leap day.
func (m moment) days() int64 {
	secs := m.t.Unix() + unixEpochDays*86400
	n := secs / 86400
	if secs < 0 && secs%86400 != 0 {
		n--
	}
	if m.t.Year() == 0 && m.t.Month() < 3 {
		n++
	}
	return n
}

func datePart(ctx sqlite3.Context, arg ...sqlite3.Value) {
	unit := arg[0].Text()
	if unit == "hour" || unit == "minute" || unit == "second" {
		if s, ok := parseSpan(arg[1].Text()); ok {
			d := max(s.d, -s.d)
			ctx.ResultInt64(map[string]int64{"hour": int64(d / time.Hour), "minute": int64(d/time.Minute) % 60,
				"second": int64(d/time.Second) % 60}[unit])
			return
		}
	}
	m, ok := momentOf(arg[1])
	if !ok {
		return
	}
	switch t := m.t; unit {
	case "year":
		ctx.ResultInt(t.Year())
	case "month":
		ctx.ResultInt(int(t.Month()))
	case "day", "dayofmonth":
		ctx.ResultInt(t.Day())
	case "quarter":
		ctx.ResultInt((int(t.Month()) + 2) / 3)
	case "dayofweek":
		ctx.ResultInt(int(t.Weekday()) + 1)
	case "weekday":
		ctx.ResultInt((int(t.Weekday()) + 6) % 7)
	case "dayofyear":
		ctx.ResultInt(t.YearDay())
	default: // a date has no time
		ctx.ResultInt(0)
	}
}

// makeDate is MAKEDATE(year, day of year), with years of two digits.
func makeDate(ctx sqlite3.Context, arg ...sqlite3.Value) {
	y, d := toInt(arg[0]), toInt(arg[1])
	switch {
	case y < 0 || y > 9999 || d < 1 || d > 10_000_000:
		return
	case y < 70:
		y += 2000
	case y < 100:
		y += 1900
	}
	if t := time.Date(int(y), 1, int(d), 0, 0, 0, 0, time.UTC); t.Year() <= 9999 {
		ctx.ResultText(t.Format("2006-01-02"))
	}
}

// temporalNumber is a date, datetime or time as a number: its digits.
func temporalNumber(ctx sqlite3.Context, arg ...sqlite3.Value) {
	s := arg[0].Text()
	sign := int64(1)
	if strings.HasPrefix(s, "-") {
		sign, s = -1, s[1:]
	}
	whole, frac, hasFrac := strings.Cut(s, ".")
	n, err := strconv.ParseInt(strings.NewReplacer("-", "", ":", "", " ", "", "T", "").Replace(whole), 10, 64)
	switch {
	case err != nil:
		ctx.ResultInt(0)
	case hasFrac:
		f, _ := strconv.ParseFloat(strconv.FormatInt(n, 10)+"."+frac, 64)
		ctx.ResultFloat(float64(sign) * f)
	default:
		ctx.ResultInt64(sign * n)
	}
}
