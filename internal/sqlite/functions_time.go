package sqlite

import (
	"math"
	"time"

	"github.com/ncruces/go-sqlite3"
)

var timeFunctions = []function{
	{"time_of", []int{1, 2}, strict(timeOf)},
	{"sec_to_time", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		s := span{d: time.Duration(math.Round(a[0].Float()*1e6)) * time.Microsecond}
		if s.d%time.Second != 0 {
			s.frac = 6
		}
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
		if m, ok := momentOf(a[0]); ok {
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

// timeOf is TIME(x), and with digits CAST(x AS TIME(fsp)).
func timeOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if m, ok := momentOf(arg[0]); ok && !m.clock {
		ctx.ResultText("00:00:00")
		return
	}
	s, ok := parseSpan(arg[0].Text())
	if !ok {
		return
	}
	if len(arg) == 2 {
		s.frac = min(max(int(arg[1].Int64()), 0), 6)
		s.d = s.d.Round(time.Duration(math.Pow10(9 - s.frac)))
	}
	ctx.ResultText(s.clamped().text())
}

func makeTime(ctx sqlite3.Context, arg ...sqlite3.Value) {
	h, m, sec := arg[0].Int64(), arg[1].Int64(), arg[2].Float()
	if m < 0 || m > 59 || sec < 0 || sec >= 60 || h > 100000 || h < -100000 {
		return
	}
	s := span{d: time.Duration(max(h, -h))*time.Hour + time.Duration(m)*time.Minute +
		time.Duration(math.Round(sec*1e6))*time.Microsecond}
	if s.d%time.Second != 0 {
		s.frac = 6
	}
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
	if m, ok := momentOf(arg[0]); ok {
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
	a, ok1 := momentOf(arg[0])
	b, ok2 := momentOf(arg[1])
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

func timeFormat(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if s, ok := parseSpan(arg[0].Text()); ok && s.d >= 0 && s.d < 24*time.Hour {
		ctx.ResultText(formatMoment(time.Time{}.Add(s.d), arg[1].Text()))
	}
}
