package sqlite

import (
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

func dateFormat(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if m, ok := momentOf(arg[0]); ok {
		ctx.ResultText(formatMoment(m.t, arg[1].Text()))
	}
}

// formatMoment writes t by MySQL's DATE_FORMAT letters.
func formatMoment(t time.Time, format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		b.WriteString(formatLetter(t, format[i]))
	}
	return b.String()
}

func formatLetter(t time.Time, c byte) string {
	hour12 := (t.Hour()+11)%12 + 1
	switch c {
	case 'a':
		return t.Weekday().String()[:3]
	case 'b':
		return t.Month().String()[:3]
	case 'c':
		return strconv.Itoa(int(t.Month()))
	case 'D':
		return strconv.Itoa(t.Day()) + ordinal(t.Day())
	case 'd':
		return two(t.Day())
	case 'e':
		return strconv.Itoa(t.Day())
	case 'f':
		return digits(t.Nanosecond()/1000, 6)
	case 'H':
		return two(t.Hour())
	case 'h', 'I':
		return two(hour12)
	case 'i':
		return two(t.Minute())
	case 'j':
		return digits(t.YearDay(), 3)
	case 'k':
		return strconv.Itoa(t.Hour())
	case 'l':
		return strconv.Itoa(hour12)
	case 'M':
		return t.Month().String()
	case 'm':
		return two(int(t.Month()))
	case 'p':
		return t.Format("PM")
	case 'r':
		return two(hour12) + t.Format(":04:05 PM")
	case 'S', 's':
		return two(t.Second())
	case 'T':
		return t.Format("15:04:05")
	case 'U', 'u', 'V', 'v', 'X', 'x':
		return formatWeek(t, c)
	case 'W':
		return t.Weekday().String()
	case 'w':
		return strconv.Itoa(int(t.Weekday()))
	case 'Y':
		return digits(t.Year(), 4)
	case 'y':
		return two(t.Year() % 100)
	}
	return string(c)
}

func formatWeek(t time.Time, c byte) string {
	mode := map[byte]int{'U': 0, 'u': 1, 'V': 2, 'v': 3, 'X': 2, 'x': 3}[c]
	w, y := weekOf(t, mode)
	if c == 'X' || c == 'x' {
		return digits(y, 4)
	}
	return two(w)
}

func ordinal(n int) string {
	if n/10 == 1 {
		return "th"
	}
	switch n % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}

// parsedDate is what str_to_date has read so far; -1: not written.
type parsedDate struct {
	y, mo, d, h, mi, s, us, yday int
	pm                           int // 0 AM, 1 PM
	date, clock, frac            bool

	week     int  // of the year, as weekMode counts
	weekday  int  // -1: not written
	weekMode byte // the letter that gave the week, 0 for none
}

// strToDate is STR_TO_DATE(text, format). The result is a date, a time or a
// datetime by what the format has.
func strToDate(ctx sqlite3.Context, arg ...sqlite3.Value) {
	p := parsedDate{yday: -1, pm: -1, weekday: -1}
	text, format := arg[0].Text(), arg[1].Text()
	for i := 0; i < len(format); i++ {
		c := format[i]
		text = strings.TrimLeft(text, " ") // MySQL skips blanks before each item
		if c == ' ' {
			continue
		}
		if c != '%' || i+1 == len(format) {
			if !strings.HasPrefix(text, string(c)) {
				return
			}
			text = text[1:]
			continue
		}
		i++
		var ok bool
		if text, ok = p.read(text, format[i]); !ok {
			return
		}
	}
	if s, ok := p.result(); ok {
		ctx.ResultText(s)
	}
}

func (p *parsedDate) read(text string, c byte) (rest string, ok bool) {
	num := func(into *int, most int) (string, bool) {
		n, rest, ok := number(text, most, 0)
		*into = n
		return rest, ok
	}
	switch c {
	case 'Y', 'y', 'm', 'c', 'd', 'e', 'D', 'b', 'M', 'j', 'X', 'x', 'V', 'v', 'U', 'u':
		p.date = true
	case 'H', 'k', 'h', 'I', 'l', 'i', 'S', 's', 'f', 'p', 'T', 'r':
		p.clock = true
	}
	switch c {
	case 'Y', 'X', 'x':
		return num(&p.y, 4)
	case 'V', 'v', 'U', 'u':
		p.weekMode = c
		return num(&p.week, 2)
	case 'w':
		return num(&p.weekday, 1)
	case 'y':
		rest, ok = num(&p.y, 2)
		if p.y += 1900; p.y < 1970 {
			p.y += 100
		}
		return rest, ok
	case 'm', 'c':
		return num(&p.mo, 2)
	case 'd', 'e':
		return num(&p.d, 2)
	case 'D':
		rest, ok = num(&p.d, 2)
		return rest[min(2, len(rest)):], ok
	case 'j':
		return num(&p.yday, 3)
	case 'H', 'k', 'h', 'I', 'l':
		return num(&p.h, 2)
	case 'i':
		return num(&p.mi, 2)
	case 'S', 's':
		return num(&p.s, 2)
	case 'f':
		n, rest, ok := number(text, 6, 0)
		for i := len(text) - len(rest); i < 6; i++ {
			n *= 10
		}
		p.us, p.frac = n, true
		return rest, ok
	case 'p':
		if len(text) < 2 {
			return text, false
		}
		p.pm = indexOf([]string{"AM", "PM"}, strings.ToUpper(text[:2]))
		return text[2:], p.pm >= 0
	case 'T', 'r':
		return p.readAll(text, map[byte]string{'T': "H:i:S", 'r': "h:i:S p"}[c])
	case 'M', 'b':
		return p.readName(text, c == 'b', func(i int) string { return time.Month(i + 1).String() }, 12, &p.mo)
	case 'W', 'a':
		rest, ok = p.readName(text, c == 'a', func(i int) string { return time.Weekday(i).String() }, 7, &p.weekday)
		p.weekday--
		return rest, ok
	case '%':
		return strings.TrimPrefix(text, "%"), strings.HasPrefix(text, "%")
	}
	return text, false
}

func (p *parsedDate) readAll(text, format string) (rest string, ok bool) {
	for i := 0; i < len(format); i++ {
		switch c := format[i]; c {
		case ':', ' ':
			if !strings.HasPrefix(text, string(c)) {
				return text, false
			}
			text = text[1:]
		default:
			if text, ok = p.read(text, c); !ok {
				return text, false
			}
		}
	}
	return text, true
}

func (p *parsedDate) readName(text string, short bool, name func(int) string, n int, into *int) (string, bool) {
	for i := range n {
		w := name(i)
		if short {
			w = w[:3]
		}
		if len(text) >= len(w) && strings.EqualFold(text[:len(w)], w) {
			*into = i + 1
			return text[len(w):], true
		}
	}
	return text, false
}

func (p *parsedDate) result() (string, bool) {
	if p.pm >= 0 {
		if p.h < 1 || p.h > 12 {
			return "", false
		}
		p.h = p.h%12 + 12*p.pm
	}
	if p.h > 23 || p.mi > 59 || p.s > 59 {
		return "", false
	}
	clock := two(p.h) + ":" + two(p.mi) + ":" + two(p.s)
	if p.frac {
		clock += "." + digits(p.us, 6)
	}
	if !p.date {
		return clock, p.clock
	}
	if p.yday > 0 {
		t := time.Date(p.y, 1, p.yday, 0, 0, 0, 0, time.UTC)
		p.mo, p.d = int(t.Month()), t.Day()
	}
	if p.weekMode != 0 && p.mo == 0 && p.d == 0 {
		if p.weekday < 0 || p.weekday > 6 || p.week > 53 {
			return "", false
		}
		t := p.weekDay()
		p.y, p.mo, p.d = t.Year(), int(t.Month()), t.Day()
	}
	t := time.Date(p.y, time.Month(p.mo), p.d, 0, 0, 0, 0, time.UTC)
	if int(t.Month()) != p.mo || t.Day() != p.d {
		return "", false
	}
	day := t.Format("2006-01-02")
	if p.clock {
		return day + " " + clock, true
	}
	return day, true
}

// weekDay is the day that a year, a week and a day of the week mean.
func (p *parsedDate) weekDay() time.Time {
	monday := p.weekMode == 'v' || p.weekMode == 'u'
	into := p.weekday
	if monday {
		into = (into + 6) % 7
	}
	return weekOneStart(p.y, monday, !monday).AddDate(0, 0, 7*(p.week-1)+into)
}
