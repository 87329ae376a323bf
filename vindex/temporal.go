package vindex

import (
	"strconv"
	"time"
)

// Temporal says what kind of time a text column holds.
type Temporal uint8

const (
	NotTemporal Temporal = iota
	Date                 // 'YYYY-MM-DD'
	DateTime             // 'YYYY-MM-DD HH:MM:SS[.f]', also TIMESTAMP
	Time                 // '[-]HH:MM:SS[.f]', up to 838 hours
)

// CanonicalTemporal gives the text that a column of kind t with fsp digits of
// fractional seconds (0 to 6) stores for v. v may be text or bytes in any
// spelling of MySQL ('2024-1-2', '2024-01-02T03:04', '20240102', a two-digit
// year, a fraction, an offset from UTC), a number such as 20240102030405, or a
// time.Time, which is taken in UTC. Fractions are rounded half up, as MySQL
// does; a date drops the time of day. ok is false for what can't be read.
func CanonicalTemporal(v any, t Temporal, fsp int) (text string, ok bool) {
	text, _, ok = TemporalText(v, t, fsp)
	return text, ok
}

// TemporalText is CanonicalTemporal which also says whether text stands for v
// exactly. When it doesn't, because digits were rounded off or a part was
// dropped, no stored value equals v: a comparison must not use text for it.
func TemporalText(v any, t Temporal, fsp int) (text string, exact, ok bool) {
	fsp = min(max(fsp, 0), 6)
	switch v := v.(type) {
	case string:
		return temporalFromText(v, t, fsp)
	case []byte:
		return temporalFromText(string(v), t, fsp)
	case time.Time:
		u := v.UTC()
		if u.Year() < 0 || u.Year() > 9999 {
			return "", false, false
		}
		return formatMoment(momentOf(u), t, fsp)
	case int64:
		return temporalFromNumber(v, 0, t, fsp)
	case int:
		return temporalFromNumber(int64(v), 0, t, fsp)
	case uint64:
		return temporalFromNumber(int64(min(v, 1<<62)), 0, t, fsp)
	case float64:
		if v > -1e15 && v < 1e15 {
			return temporalFromDecimal(strconv.FormatFloat(v, 'f', 6, 64), t, fsp)
		}
	case bool:
		n, _ := unsigned(v)
		return temporalFromNumber(int64(n), 0, t, fsp)
	case Decimal:
		return temporalFromDecimal(string(v), t, fsp)
	case HexNum:
		return temporalFromText(string(appendHexNum(nil, v)), t, fsp)
	}
	return "", false, false
}

func temporalFromText(s string, t Temporal, fsp int) (string, bool, bool) {
	if t == Time {
		return timeFromText(s, fsp)
	}
	m, ok := parseMoment(s)
	if !ok {
		return "", false, false
	}
	if m.nanos == 0 && t == DateTime && fsp == 0 && len(s) == 19 && m.canonical(s) ||
		t == Date && len(s) == 10 && m.canonical(s) {
		return s, true, true
	}
	return formatMoment(m, t, fsp)
}

func temporalFromDecimal(text string, t Temporal, fsp int) (string, bool, bool) {
	d, ok := parseDecimal(text)
	switch {
	case !ok:
		return temporalFromText(text, t, fsp)
	case len(d.whole) > 15:
		return "", false, false
	}
	n, _ := strconv.ParseInt("0"+d.whole, 10, 64)
	if d.negative {
		n = -n
		if n == 0 && t == Time { // the integer can't carry the sign
			return clock{negative: true, nanos: fractionNanos(d.frac)}.format(fsp)
		}
	}
	return temporalFromNumber(n, fractionNanos(d.frac), t, fsp)
}

// temporalFromNumber reads [YY]YYMMDD and [YY]YYMMDDhhmmss, and hhmmss for Time.
func temporalFromNumber(n int64, nanos int, t Temporal, fsp int) (string, bool, bool) {
	if t == Time && n <= 8385959 && n >= -8385959 {
		neg := n < 0
		if neg {
			n = -n
		}
		return clock{neg, n / 10000, n / 100 % 100, n % 100, nanos}.format(fsp)
	}
	m, ok := momentOfNumber(n)
	if !ok {
		return "", false, false
	}
	if m.nanos = nanos; !m.valid() {
		return "", false, false
	}
	return formatMoment(m, t, fsp)
}

// momentOfNumber follows MySQL's number_to_datetime: two-digit years below 70
// are in this century.
func momentOfNumber(n int64) (moment, bool) {
	switch {
	case n == 0:
		return moment{}, true
	case n >= 10000101000000:
	case n < 101:
		return moment{}, false
	case n <= 691231:
		n = (n + 20000000) * 1000000
	case n < 700101:
		return moment{}, false
	case n <= 991231:
		n = (n + 19000000) * 1000000
	case n < 10000101:
		return moment{}, false
	case n <= 99991231:
		n *= 1000000
	case n < 101000000:
		return moment{}, false
	case n <= 691231235959:
		n += 20000000000000
	case n < 700101000000:
		return moment{}, false
	case n <= 991231235959:
		n += 19000000000000
	default:
		return moment{}, false
	}
	date, day := n/1000000, n%1000000
	m := moment{
		year: int(date / 10000), month: int(date / 100 % 100), day: int(date % 100),
		hour: int(day / 10000), minute: int(day / 100 % 100), second: int(day % 100),
	}
	return m, m.valid()
}

// moment is a date with a time of day, in UTC. The zero moment is MySQL's zero
// date.
type moment struct {
	year, month, day     int
	hour, minute, second int
	nanos                int
}

func momentOf(t time.Time) moment {
	return moment{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond()}
}

func (m moment) time() time.Time {
	return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, m.nanos, time.UTC)
}

func (m moment) micros() int64 { return m.time().UnixMicro() }

func (m moment) valid() bool {
	if m == (moment{}) {
		return true
	}
	return m.year <= 9999 && m.month >= 1 && m.month <= 12 && m.day >= 1 && m.day <= daysIn(m.year, m.month) &&
		m.hour < 24 && m.minute < 60 && m.second < 60
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// canonical says whether s is the text that formatMoment writes for m, with
// any number of fractional digits up to six.
func (m moment) canonical(s string) bool {
	const shape = "0000-00-00 00:00:00.000000"
	if len(s) != 10 && len(s) != 19 && len(s) < 21 || len(s) > len(shape) {
		return false
	}
	for i := range len(s) {
		if shape[i] == '0' && !isDigit(s[i]) || shape[i] != '0' && s[i] != shape[i] {
			return false
		}
	}
	return true
}

// formatMoment writes m as a value of kind t.
func formatMoment(m moment, t Temporal, fsp int) (text string, exact, ok bool) {
	if t == Time {
		text, _, ok = clock{false, int64(m.hour), int64(m.minute), int64(m.second), m.nanos}.format(fsp)
		return text, false, ok
	}
	exact = true
	if t == Date {
		exact = m.hour == 0 && m.minute == 0 && m.second == 0 && m.nanos == 0
		return string(appendDate(nil, m)), exact, true
	}
	unit := fractionUnit(fsp)
	if rest := m.nanos % unit; rest != 0 {
		exact = false
		if m.nanos -= rest; rest*2 >= unit {
			if m.month == 0 {
				return "", false, false
			}
			m = momentOf(m.time().Add(time.Duration(unit)))
		}
	}
	if m.year > 9999 {
		return "", false, false
	}
	b := append(appendDate(make([]byte, 0, 26), m), ' ')
	b = append(appendPadded(b, m.hour, 2), ':')
	b = append(appendPadded(b, m.minute, 2), ':')
	b = appendPadded(b, m.second, 2)
	return string(appendFraction(b, m.nanos, fsp)), exact, true
}

func appendDate(b []byte, m moment) []byte {
	b = append(appendPadded(b, m.year, 4), '-')
	b = append(appendPadded(b, m.month, 2), '-')
	return appendPadded(b, m.day, 2)
}

func appendPadded(b []byte, n, width int) []byte {
	for limit := 10; width > 1; width, limit = width-1, limit*10 {
		if n < limit {
			for range width - 1 {
				b = append(b, '0')
			}
			break
		}
	}
	return strconv.AppendInt(b, int64(n), 10)
}

// fractionUnit is the nanoseconds of one unit in the last of fsp digits.
func fractionUnit(fsp int) int {
	unit := 1_000_000_000
	for range fsp {
		unit /= 10
	}
	return unit
}

func appendFraction(b []byte, nanos, fsp int) []byte {
	if fsp == 0 {
		return b
	}
	return appendPadded(append(b, '.'), nanos/fractionUnit(fsp), fsp)
}

// timeText is a time.Time in UTC, with as many digits of microseconds as it has.
func timeText(t time.Time) string {
	t = t.UTC().Round(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format("2006-01-02 15:04:05.000000")
}
