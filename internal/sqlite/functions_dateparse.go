package sqlite

import (
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// moment is a date or datetime as MySQL text has it.
type moment struct {
	t     time.Time // UTC
	clock bool      // a time was written
	frac  int       // digits behind the second
}

// text spells it as it was written.
func (m moment) text() string {
	if !m.clock {
		return m.t.Format("2006-01-02")
	}
	if m.frac == 0 {
		return m.t.Format("2006-01-02 15:04:05")
	}
	return m.t.Format("2006-01-02 15:04:05." + strings.Repeat("0", m.frac))
}

// momentOf reads a date or datetime, of a number by its digits, as
// [YY]YYMMDD[HHMMSS].
func momentOf(v sqlite3.Value) (moment, bool) {
	s := v.Text()
	switch v.Type() {
	case sqlite3.FLOAT:
		s = strconv.FormatFloat(v.Float(), 'f', -1, 64)
		fallthrough
	case sqlite3.INTEGER:
		if whole, _, _ := strings.Cut(s, "."); len(whole) < 6 && len(whole) > 2 {
			s = strings.Repeat("0", 6-len(whole)) + s
		}
	}
	return parseMoment(fullYear(s))
}

// fullYear puts the century before digits that begin with a year of two.
func fullYear(s string) string {
	t := strings.TrimSpace(s)
	whole, _, _ := strings.Cut(t, ".")
	if len(whole) != 6 && len(whole) != 12 || strings.Trim(whole, "0123456789") != "" {
		return s
	}
	return century(t[:2]) + t
}

func century(yy string) string {
	if yy < "70" {
		return "20"
	}
	return "19"
}

// parseMoment reads YYYY-MM-DD[ HH:MM[:SS[.f]]], also with T, with single-digit
// parts, and as YYYYMMDD[HHMMSS]. ok is false for what is no date.
func parseMoment(s string) (m moment, ok bool) {
	s = strings.TrimSpace(s)
	if compact(s) {
		if len(s) >= 14 {
			s = s[:4] + "-" + s[4:6] + "-" + s[6:8] + " " + s[8:10] + ":" + s[10:12] + ":" + s[12:]
		} else {
			s = s[:4] + "-" + s[4:6] + "-" + s[6:]
		}
	} else if len(s) > 3 && s[2] == '-' && s[0] >= '0' && s[0] <= '9' {
		s = century(s[:2]) + s
	}
	y, rest, ok1 := number(s, 4, '-')
	mo, rest, ok2 := number(rest, 2, '-')
	d, rest, ok3 := number(rest, 2, 0)
	if !ok1 || !ok2 || !ok3 || mo < 1 || mo > 12 || d < 1 || d > 31 {
		return m, false
	}
	var h, mi, sec, nanos int
	if rest = strings.TrimSuffix(rest, "Z"); rest != "" {
		if rest[0] != ' ' && rest[0] != 'T' {
			return m, false
		}
		m.clock = true
		if h, mi, sec, nanos, m.frac, ok = parseClock(strings.TrimSpace(rest[1:])); !ok || h > 23 {
			return m, false
		}
	}
	m.t = time.Date(y, time.Month(mo), d, h, mi, sec, nanos, time.UTC)
	return m, m.t.Day() == d // not the 31st of a shorter month
}

func compact(s string) bool {
	whole, frac, hasFrac := strings.Cut(s, ".")
	return (len(whole) == 8 && !hasFrac || len(whole) == 14) && strings.Trim(whole+frac, "0123456789") == ""
}

// number reads up to most digits and the separator behind them (0: none).
func number(s string, most int, sep byte) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < most && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if i == 0 {
		return 0, s, false
	}
	if sep == 0 {
		return n, s[i:], true
	}
	if i == len(s) || s[i] != sep {
		return 0, s, false
	}
	return n, s[i+1:], true
}

// parseClock reads HH:MM[:SS[.f]].
func parseClock(s string) (h, m, sec, nanos, frac int, ok bool) {
	h, rest, ok := number(s, 3, ':')
	if !ok {
		return
	}
	m, rest, ok = number(rest, 2, 0)
	if !ok || m > 59 {
		return h, m, 0, 0, 0, false
	}
	if strings.HasPrefix(rest, ":") {
		sec, rest, ok = number(rest[1:], 2, 0)
		if !ok || sec > 59 {
			return h, m, sec, 0, 0, false
		}
		if strings.HasPrefix(rest, ".") {
			digits := rest[1:]
			for frac < len(digits) && digits[frac] >= '0' && digits[frac] <= '9' {
				frac++
			}
			rest, digits = digits[frac:], digits[:min(frac, 9)]
			n, _ := strconv.Atoi((digits + "000000000")[:9])
			nanos, frac = n, min(frac, 6)
		}
	}
	return h, m, sec, nanos, frac, rest == ""
}

// span is a TIME: a signed time of day or a length.
type span struct {
	d    time.Duration
	frac int
}

// parseSpan reads [-]HHH:MM[:SS[.f]], [-]D HH:MM:SS, a datetime's time, or
// seconds as a number HHMMSS.
func parseSpan(s string) (span, bool) {
	s = strings.TrimSpace(s)
	if m, ok := parseMoment(s); ok && m.clock {
		y, mo, d := m.t.Date()
		return span{m.t.Sub(time.Date(y, mo, d, 0, 0, 0, 0, time.UTC)), m.frac}, true
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	days := 0
	if d, rest, ok := number(s, 2, ' '); ok {
		days, s = d, rest
		if !strings.Contains(s, ":") {
			s += ":00"
		}
	}
	if !strings.Contains(s, ":") {
		whole, frac, _ := strings.Cut(s, ".")
		for len(whole) < 6 {
			whole = "0" + whole
		}
		n := len(whole)
		s = whole[:n-4] + ":" + whole[n-4:n-2] + ":" + whole[n-2:]
		if frac != "" {
			s += "." + frac
		}
	}
	h, m, sec, nanos, frac, ok := parseClock(s)
	if !ok {
		return span{}, false
	}
	d := time.Duration(days*24+h)*time.Hour + time.Duration(m)*time.Minute +
		time.Duration(sec)*time.Second + time.Duration(nanos)
	if neg {
		d = -d
	}
	return span{d, frac}, true
}

func (s span) text() string {
	d, sign := s.d, ""
	if d < 0 {
		d, sign = -d, "-"
	}
	t := sign + two(int(d/time.Hour)) + ":" + two(int(d/time.Minute)%60) + ":" + two(int(d/time.Second)%60)
	if s.frac > 0 {
		t += "." + digits(int(d%time.Second)/1000, 6)[:s.frac]
	}
	return t
}

func two(n int) string { return digits(n, 2) }

func digits(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return s
}
