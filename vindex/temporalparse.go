package vindex

import (
	"strconv"
	"time"
)

// cursor reads text from left to right.
type cursor struct {
	s string
	i int
}

func (c *cursor) done() bool { return c.i >= len(c.s) }

func (c *cursor) peek() byte {
	if c.done() {
		return 0
	}
	return c.s[c.i]
}

func (c *cursor) skipSpaces() (skipped bool) {
	for !c.done() && isSpace(c.s[c.i]) {
		c.i++
		skipped = true
	}
	return skipped
}

// digits reads a run of digits.
func (c *cursor) digits() string {
	from := c.i
	for !c.done() && isDigit(c.s[c.i]) {
		c.i++
	}
	return c.s[from:c.i]
}

// number reads one to width digits.
func (c *cursor) number(width int) (int, bool) {
	d := c.digits()
	if len(d) == 0 || len(d) > width {
		return 0, false
	}
	n, err := strconv.Atoi(d)
	return n, err == nil
}

// separator skips one punctuation character, as MySQL lets any stand between
// the parts of a date.
func (c *cursor) separator() bool {
	if b := c.peek(); b > ' ' && b < 0x7f && !isDigit(b) && !isLetter(b) {
		c.i++
		return true
	}
	return false
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// parseMoment reads a date or datetime as MySQL spells them.
func parseMoment(s string) (moment, bool) {
	c := &cursor{s: s}
	c.skipSpaces()
	m, packed, ok := c.date()
	if !ok {
		return moment{}, false
	}
	if !packed || c.peek() == 'T' {
		ok = c.timeOfDay(&m)
	} else {
		ok = c.fraction(&m)
	}
	if !ok || !m.valid() {
		return moment{}, false
	}
	if m, ok = c.offset(m); !ok {
		return moment{}, false
	}
	c.skipSpaces()
	return m, c.done()
}

// date reads the date, or, packed, YYMMDD[hhmmss] and YYYYMMDD[hhmmss].
func (c *cursor) date() (m moment, packed, ok bool) {
	year := c.digits()
	if b := c.peek(); len(year) > 4 && (c.done() || b == 'T' || b == '.' || isSpace(b)) {
		return packedMoment(year)
	}
	if len(year) != 4 && len(year) != 2 && len(year) != 1 {
		return m, false, false
	}
	m.year, _ = strconv.Atoi(year)
	if len(year) < 4 {
		m.year = fullYear(m.year)
	}
	if !c.separator() {
		return m, false, false
	}
	if m.month, ok = c.number(2); !ok || !c.separator() {
		return m, false, false
	}
	m.day, ok = c.number(2)
	if m.month == 0 && m.day == 0 && len(year) < 4 && m.year == 2000 {
		m.year = 0 // '00-00-00' is the zero date
	}
	return m, false, ok
}

func fullYear(yy int) int {
	if yy < 70 {
		return 2000 + yy
	}
	return 1900 + yy
}

func packedMoment(digits string) (m moment, packed, ok bool) {
	short := len(digits) == 6 || len(digits) == 12
	switch len(digits) {
	case 6, 12:
		yy, _ := strconv.Atoi(digits[:2])
		m.year = fullYear(yy)
		digits = digits[2:]
	case 8, 14:
		m.year, _ = strconv.Atoi(digits[:4])
		digits = digits[4:]
	default:
		return m, true, false
	}
	for _, part := range []*int{&m.month, &m.day, &m.hour, &m.minute, &m.second} {
		if digits == "" {
			break
		}
		*part, _ = strconv.Atoi(digits[:2])
		digits = digits[2:]
	}
	if short && m == (moment{year: 2000}) {
		m.year = 0 // all digits are zero
	}
	return m, true, true
}

// timeOfDay reads what may follow a date: nothing, or T or blanks and
// hh[:mm[:ss[.fraction]]], or hhmmss behind a packed date.
func (c *cursor) timeOfDay(m *moment) bool {
	if c.peek() == 'T' {
		c.i++
	} else if !c.skipSpaces() {
		return c.done()
	} else if c.done() {
		return true
	}
	first := c.digits()
	if len(first) == 6 || len(first) == 4 {
		m.hour, _ = strconv.Atoi(first[:2])
		m.minute, _ = strconv.Atoi(first[2:4])
		if len(first) == 6 {
			m.second, _ = strconv.Atoi(first[4:])
		}
		return c.fraction(m)
	}
	if len(first) == 0 || len(first) > 2 {
		return false
	}
	m.hour, _ = strconv.Atoi(first)
	for _, part := range []*int{&m.minute, &m.second} {
		if c.peek() != ':' {
			return true
		}
		c.i++
		var ok bool
		if *part, ok = c.number(2); !ok {
			return false
		}
	}
	return c.fraction(m)
}

// fraction reads an optional point and digits.
func (c *cursor) fraction(m *moment) bool {
	if c.peek() == '.' {
		c.i++
		m.nanos = fractionNanos(c.digits())
	}
	return true
}

// fractionNanos reads fractional digits as nanoseconds, cut after the ninth.
func fractionNanos(digits string) int {
	n := 0
	for i := range 9 {
		n *= 10
		if i < len(digits) {
			n += int(digits[i] - '0')
		}
	}
	return n
}

// offset reads an optional Z, ±hh:mm, or, as PostgreSQL writes them, ±hhmm or ±hh, and
// takes the moment to UTC. A space may stand before it.
func (c *cursor) offset(m moment) (moment, bool) {
	sign, start := -1, c.i
	c.skipSpaces()
	switch c.peek() {
	case 'Z':
		c.i++
		return m, true
	case '-':
		sign = 1
	case '+':
	default:
		c.i = start
		return m, true
	}
	c.i++
	digits := c.digits()
	hours, _ := strconv.Atoi(digits)
	minutes, ok := 0, len(digits) == 1 || len(digits) == 2
	switch {
	case len(digits) == 4:
		hours, minutes, ok = hours/100, hours%100, true
	case ok && c.peek() == ':':
		c.i++
		minutes, ok = c.number(2)
	}
	if !ok || minutes > 59 || hours*60+minutes > 14*60 || m.month == 0 {
		return m, false
	}
	m = momentOf(m.time().Add(time.Duration(sign*(hours*60+minutes)) * time.Minute))
	return m, m.year >= 0 && m.year <= 9999
}

// clock is a value of type TIME.
type clock struct {
	negative             bool
	hours, minutes, secs int64
	nanos                int
}

const maxClock = (838*3600 + 59*60 + 59) * int64(time.Second)

func (k clock) format(fsp int) (text string, exact, ok bool) {
	if k.minutes > 59 || k.secs > 59 || k.hours > 838 {
		return "", false, false
	}
	total := ((k.hours*60+k.minutes)*60+k.secs)*int64(time.Second) + int64(k.nanos)
	unit := int64(fractionUnit(fsp))
	rest := total % unit
	if total -= rest; rest*2 >= unit {
		total += unit
	}
	if total > maxClock {
		return "", false, false
	}
	b := make([]byte, 0, 17)
	if k.negative && total > 0 {
		b = append(b, '-')
	}
	secs := total / int64(time.Second)
	b = append(appendPadded(b, int(secs/3600), 2), ':')
	b = append(appendPadded(b, int(secs/60%60), 2), ':')
	b = appendPadded(b, int(secs%60), 2)
	return string(appendFraction(b, int(total%int64(time.Second)), fsp)), rest == 0, true
}

// timeFromText reads a TIME: [-][D ]h[h][:mm[:ss]][.f], [hh]mmss, or the time
// of day of a datetime.
func timeFromText(s string, fsp int) (string, bool, bool) {
	if k, ok := parseClock(s); ok {
		return k.format(fsp)
	}
	m, ok := parseMoment(s)
	if !ok {
		return "", false, false
	}
	return formatMoment(m, Time, fsp)
}

func parseClock(s string) (k clock, ok bool) {
	c := &cursor{s: s}
	c.skipSpaces()
	if c.peek() == '-' {
		k.negative = true
		c.i++
	}
	first := c.digits()
	if len(first) == 0 || len(first) > 7 {
		return k, false
	}
	n, _ := strconv.ParseInt(first, 10, 64)
	days := int64(0)
	withDays := false
	if isSpace(c.peek()) && c.skipSpaces() && !c.done() {
		days, withDays = n, true
		hours, ok := c.number(2)
		if !ok || days > 34 {
			return k, false
		}
		n = int64(hours)
	}
	if c.peek() != ':' && !withDays {
		k.hours, k.minutes, k.secs = n/10000, n/100%100, n%100
	} else {
		k.hours = days*24 + n
		for _, part := range []*int64{&k.minutes, &k.secs} {
			if c.peek() != ':' {
				break
			}
			c.i++
			n, ok := c.number(2)
			if !ok {
				return k, false
			}
			*part = int64(n)
		}
	}
	var m moment
	c.fraction(&m)
	k.nanos = m.nanos
	c.skipSpaces()
	return k, c.done()
}
