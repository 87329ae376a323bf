package sqlite

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

var timeFunctions = []function{
	{"time_of", []int{1, 2}, strict(timeOf)},
	{"sec_to_time", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		s := span{d: time.Duration(math.Round(a[0].Float()*1e6)) * time.Microsecond}
		s.frac = fracDigits(s.d)
		c.ResultText(s.clamped().text())
	})},
	{"time_to_sec", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if s, ok := parseSpan(a[0].Text()); ok {
			c.ResultInt64(int64(s.d / time.Second))
		}
	})},
	{"maketime", []int{3}, strict(makeTime)},
	{"addtime", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { addTime(c, a, 1) })},
	{"subtime", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { addTime(c, a, -1) })},
	{"timediff_sql", []int{2}, strict(timeDiff)},
	{"time_format", []int{2}, strict(timeFormat)},
	{"microsecond", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := parseMoment(a[0].Text()); ok {
			c.ResultInt(m.t.Nanosecond() / 1000)
		} else if s, ok := parseSpan(a[0].Text()); ok {
			c.ResultInt64(int64(s.d%time.Second) / 1000)
		}
	})},
}

// maxSpan is MySQL's longest TIME.
const maxSpan = 838*time.Hour + 59*time.Minute + 59*time.Second

func (s span) clamped() span {
	s.d = min(max(s.d, -maxSpan), maxSpan)
	return s
}

// rounded is s with fsp digits behind the second.
func (s span) rounded(fsp int) span {
	s.frac = min(max(fsp, 0), 6)
	s.d = s.d.Round(time.Duration(math.Pow10(9 - s.frac)))
	return s
}

// timeOf is TIME(x), and with digits CAST(x AS TIME(fsp)).
func timeOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if m, ok := parseMoment(arg[0].Text()); ok && !m.clock && strings.Contains(arg[0].Text(), "-") {
		ctx.ResultText("00:00:00")
		return
	}
	s, ok := parseSpan(arg[0].Text())
	if !ok {
		return
	}
	if len(arg) == 2 {
		s = s.rounded(int(arg[1].Int64()))
	}
	ctx.ResultText(s.clamped().text())
}

// fracDigits is how many digits d's fraction of a second needs.
func fracDigits(d time.Duration) int {
	n := 6
	for us := int(d%time.Second) / 1000; n > 0 && us%10 == 0; n-- {
		us /= 10
	}
	return n
}

func makeTime(ctx sqlite3.Context, arg ...sqlite3.Value) {
	h, m, sec := arg[0].Int64(), arg[1].Int64(), arg[2].Float()
	if m < 0 || m > 59 || sec < 0 || sec >= 60 || h > 100000 || h < -100000 {
		return
	}
	s := span{d: time.Duration(max(h, -h))*time.Hour + time.Duration(m)*time.Minute +
		time.Duration(math.Round(sec*1e6))*time.Microsecond}
	s.frac = fracDigits(s.d)
	if h < 0 {
		s.d = -s.d
	}
	ctx.ResultText(s.clamped().text())
}

// addTime adds a TIME to a datetime or to a TIME.
func addTime(ctx sqlite3.Context, arg []sqlite3.Value, sign time.Duration) {
	by, ok := parseSpan(arg[1].Text())
	if !ok {
		return
	}
	if m, ok := parseMoment(arg[0].Text()); ok {
		m.t = m.t.Add(sign * by.d)
		m.clock, m.frac = true, fracOf(m.frac, by.frac)
		ctx.ResultText(m.text())
		return
	}
	if s, ok := parseSpan(arg[0].Text()); ok {
		ctx.ResultText(span{s.d + sign*by.d, fracOf(s.frac, by.frac)}.clamped().text())
	}
}

// fracOf: a result has no fraction or six digits of it.
func fracOf(a, b int) int {
	if a == 0 && b == 0 {
		return 0
	}
	return 6
}

// timeDiff is TIMEDIFF(a, b), of two datetimes or two TIMEs.
func timeDiff(ctx sqlite3.Context, arg ...sqlite3.Value) {
	a, ok1 := parseMoment(arg[0].Text())
	b, ok2 := parseMoment(arg[1].Text())
	if ok1 != ok2 {
		return
	}
	if ok1 {
		ctx.ResultText(span{a.t.Sub(b.t), fracOf(a.frac, b.frac)}.clamped().text())
		return
	}
	s, ok1 := parseSpan(arg[0].Text())
	u, ok2 := parseSpan(arg[1].Text())
	if ok1 && ok2 {
		ctx.ResultText(span{s.d - u.d, fracOf(s.frac, u.frac)}.clamped().text())
	}
}

// timeFormat knows hours beyond a day: %H and %k write them all.
func timeFormat(ctx sqlite3.Context, arg ...sqlite3.Value) {
	s, ok := parseSpan(arg[0].Text())
	if !ok {
		return
	}
	d, sign := s.d, ""
	if d < 0 {
		d, sign = -d, "-"
	}
	hours := int(d / time.Hour)
	format := strings.NewReplacer("%%", "%%", "%H", sign+two(hours), "%k", sign+strconv.Itoa(hours),
		"%T", sign+two(hours)+":%i:%s").Replace(arg[1].Text())
	ctx.ResultText(formatMoment(time.Time{}.Add(d%(24*time.Hour)), format))
}
