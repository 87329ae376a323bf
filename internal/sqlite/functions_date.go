package sqlite

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/fit"
)

var dateFunctions = []function{
	{"cmp_datetime", []int{2}, strict(cmpDatetime)},
	{"store_datetime", []int{2}, strict(storeDatetime)},
	{"datetime_of", []int{1, 2}, strict(datetimeOf)},
	{"date_add", []int{3}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { dateAdd(c, a, 1) })},
	{"date_sub", []int{3}, strict(func(c sqlite3.Context, a ...sqlite3.Value) { dateAdd(c, a, -1) })},
	{"date_format", []int{2}, strict(dateFormat)},
	{"str_to_date", []int{2}, strict(strToDate)},
	{"timestampdiff", []int{3}, strict(timestampDiff)},
	{"monthname", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			c.ResultText(m.t.Month().String())
		}
	})},
	{"dayname", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			c.ResultText(m.t.Weekday().String())
		}
	})},
	{"week", []int{1, 2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			w, _ := weekOf(m.t, int(optInt(a, 1, 0)))
			c.ResultInt(w)
		}
	})},
	{"weekofyear", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			_, w := m.t.ISOWeek()
			c.ResultInt(w)
		}
	})},
	{"yearweek", []int{1, 2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			w, y := weekOf(m.t, int(optInt(a, 1, 0))|2)
			c.ResultInt(y*100 + w)
		}
	})},
	{"unix_timestamp", []int{1}, strict(unixTimestamp)},
	{"from_unixtime", []int{1}, strict(fromUnixtime)},
	{"from_days", []int{1}, strict(fromDays)},
	{"to_seconds", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			c.ResultInt64(m.t.Unix() + unixEpochDays*86400)
		}
	})},
	{"time_micros", []int{1}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		if m, ok := momentOf(a[0]); ok {
			c.ResultInt64(m.t.UnixMicro())
		} else if s, ok := parseSpan(a[0].Text()); ok {
			c.ResultInt64(s.d.Microseconds())
		}
	})},
	{"extract_unit", []int{2}, strict(extractUnit)},
	{"convert_tz", []int{3, 4}, strict(convertTZ)},
	{"period_add", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		m := periodMonths(a[0].Int64()) + a[1].Int64()
		c.ResultInt64(m/12*100 + m%12 + 1)
	})},
	{"period_diff", []int{2}, strict(func(c sqlite3.Context, a ...sqlite3.Value) {
		c.ResultInt64(periodMonths(a[0].Int64()) - periodMonths(a[1].Int64()))
	})},
}

// unixEpochDays is TO_DAYS('1970-01-01').
const unixEpochDays = 719528

// cmpDatetime spells x with fsp digits behind the second (-1: as a DATE) for a
// comparison as text: padded, but nothing cut off that isn't zero. What is no
// date stays as it is.
func cmpDatetime(ctx sqlite3.Context, arg ...sqlite3.Value) {
	m, ok := momentOf(arg[0])
	if !ok || arg[0].Type() != sqlite3.TEXT && arg[0].Type() != sqlite3.INTEGER {
		ctx.ResultValue(arg[0])
		return
	}
	fsp := int(arg[1].Int64())
	ns := m.t.Nanosecond()
	if fsp < 0 {
		if ns == 0 && m.t.Hour() == 0 && m.t.Minute() == 0 && m.t.Second() == 0 {
			m.clock = false
			ctx.ResultText(m.text())
			return
		}
		fsp = 0
	}
	m.clock, m.frac = true, 9
	full := m.text()
	keep := 20 + min(fsp, 6)
	if fsp == 0 {
		keep = 19
	}
	for end := len(full); end > keep; end-- {
		if full[end-1] != '0' && full[end-1] != '.' {
			keep = end
			break
		}
	}
	ctx.ResultText(full[:keep])
}

// storeDatetime spells x as a column with fsp digits keeps it: rounded; -1: the
// date alone. What is no date is an error, MySQL's zero date among it.
func storeDatetime(ctx sqlite3.Context, arg ...sqlite3.Value) {
	m, ok := momentOf(arg[0])
	fsp := int(arg[1].Int64())
	switch {
	case ok:
		ctx.ResultText(m.rounded(fsp).text())
	case fsp < 0:
		ctx.ResultError(fit.BadTime.Error("date", plain(arg[0]), ""))
	default:
		ctx.ResultError(fit.BadTime.Error("datetime", plain(arg[0]), ""))
	}
}

// rounded is m with fsp digits behind the second; -1: its date.
func (m moment) rounded(fsp int) moment {
	if fsp < 0 {
		return moment{t: m.t}
	}
	fsp = min(fsp, 6)
	m.t = m.t.Round(time.Duration(math.Pow10(9 - fsp)))
	m.clock, m.frac = true, fsp
	return m
}

// datetimeOf is CAST(x AS DATETIME(fsp)), TIMESTAMP(x).
func datetimeOf(ctx sqlite3.Context, arg ...sqlite3.Value) {
	m, ok := momentOf(arg[0])
	if !ok {
		return
	}
	ctx.ResultText(m.rounded(int(optInt(arg, 1, int64(m.frac)))).text())
}

// dateAdd is date_add(x, amount, unit), and date_sub by sign.
func dateAdd(ctx sqlite3.Context, arg []sqlite3.Value, sign int64) {
	step, ok := parseInterval(arg[1].Text(), arg[2].Text())
	if !ok {
		return
	}
	m, ok := momentOf(arg[0])
	if !ok {
		s, ok := parseSpan(arg[0].Text())
		if ok && step.months == 0 {
			s.d += time.Duration(sign) * step.d
			if step.micros {
				s.frac = 6
			}
			ctx.ResultText(s.text())
		}
		return
	}
	m.t = addMonths(m.t, sign*step.months).Add(time.Duration(sign) * step.d)
	if y := m.t.Year(); y < 0 || y > 9999 {
		return
	}
	m.clock = m.clock || step.clock
	if step.micros {
		m.frac = 6
	}
	ctx.ResultText(m.text())
}

// addMonths keeps to the month's last day, where time.AddDate rolls over.
func addMonths(t time.Time, n int64) time.Time {
	if n == 0 {
		return t
	}
	first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC).AddDate(0, int(n), 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// step is an interval: months, and a length of time.
type step struct {
	months int64
	d      time.Duration
	clock  bool // its unit is shorter than a day
	micros bool // it counts microseconds
}

// unitLength maps the single units to months or to a length.
var unitLength = map[string]struct {
	months int64
	d      time.Duration
}{
	"microsecond": {0, time.Microsecond}, "second": {0, time.Second}, "minute": {0, time.Minute},
	"hour": {0, time.Hour}, "day": {0, 24 * time.Hour}, "week": {0, 7 * 24 * time.Hour},
	"month": {1, 0}, "quarter": {3, 0}, "year": {12, 0},
}

// unitOrder is the order in which a compound unit's parts are written.
var unitOrder = []string{"year", "month", "day", "hour", "minute", "second", "microsecond"}

// parseInterval reads an amount: a number, or for a compound unit as
// hour_minute the parts from the last one backwards, '1:30'.
func parseInterval(text, unit string) (st step, ok bool) {
	unit = strings.ToLower(unit)
	st.clock = strings.HasSuffix(unit, "second") || strings.HasSuffix(unit, "minute") || strings.HasSuffix(unit, "hour")
	st.micros = strings.HasSuffix(unit, "microsecond")
	if u, single := unitLength[unit]; single {
		f, err := strconv.ParseFloat(leadingNumber(text), 64)
		if err != nil {
			f = 0
		}
		if unit == "second" {
			st.micros = f != math.Trunc(f)
			st.d = time.Duration(math.Round(f*1e6)) * time.Microsecond
			return st, math.Abs(f) < 1e9
		}
		n := math.Round(f)
		st.months, st.d = int64(n)*u.months, time.Duration(n)*u.d
		return st, math.Abs(n)*float64(u.d) < float64(math.MaxInt64) && math.Abs(n) < 1e15
	}
	from, to, compound := strings.Cut(unit, "_")
	if !compound {
		return st, false
	}
	return st, st.addParts(text, from, to)
}

func leadingNumber(s string) string {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	return s[:end]
}

func (st *step) addParts(text, from, to string) bool {
	first, last := indexOf(unitOrder, from), indexOf(unitOrder, to)
	if first < 0 || last < first {
		return false
	}
	sign := int64(1)
	if strings.HasPrefix(strings.TrimSpace(text), "-") {
		sign = -1
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if len(parts) > last-first+1 {
		return false
	}
	if to == "microsecond" && len(parts) > 0 {
		// A fraction: '1.5' is 1 second and 500000 microseconds.
		parts[len(parts)-1] = (parts[len(parts)-1] + "000000")[:6]
	}
	for i := range parts {
		n, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil {
			return false
		}
		u := unitLength[unitOrder[last-len(parts)+1+i]]
		st.months += sign * n * u.months
		st.d += time.Duration(sign*n) * u.d
	}
	return true
}

func indexOf(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}

// timestampDiff is timestampdiff(unit, a, b): whole units from a to b.
func timestampDiff(ctx sqlite3.Context, arg ...sqlite3.Value) {
	a, ok1 := momentOf(arg[1])
	b, ok2 := momentOf(arg[2])
	u, ok3 := unitLength[strings.ToLower(arg[0].Text())]
	if !ok1 || !ok2 || !ok3 {
		return
	}
	if u.months == 0 {
		secs := b.t.Unix() - a.t.Unix()
		micros := secs*1e6 + int64(b.t.Nanosecond()-a.t.Nanosecond())/1000
		ctx.ResultInt64(micros / int64(u.d/time.Microsecond))
		return
	}
	sign := int64(1)
	if b.t.Before(a.t) {
		a, b, sign = b, a, -1
	}
	n := int64(b.t.Year()-a.t.Year())*12 + int64(b.t.Month()-a.t.Month())
	ad := time.Date(2000, 1, a.t.Day(), a.t.Hour(), a.t.Minute(), a.t.Second(), a.t.Nanosecond(), time.UTC)
	bd := time.Date(2000, 1, b.t.Day(), b.t.Hour(), b.t.Minute(), b.t.Second(), b.t.Nanosecond(), time.UTC)
	if n > 0 && bd.Before(ad) {
		n--
	}
	ctx.ResultInt64(sign * n / u.months)
}

// weekOf is MySQL's WEEK(d, mode) with the year it belongs to. Bits of mode: 1
// the week begins on Monday; 2 week 1 to 53 with its year, else 0 to 53; 4
// (seen the other way round for weeks from Monday) week 1 is the first one that
// begins in the year, else the first one with four days or more in it.
func weekOf(t time.Time, mode int) (week, year int) {
	monday, ownYear := mode&1 != 0, mode&2 != 0
	fullFirst := mode&4 != 0
	if !monday {
		fullFirst = !fullFirst
	}
	start := weekOneStart(t.Year(), monday, fullFirst)
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	year = t.Year()
	if day.Before(start) {
		if !ownYear {
			return 0, year
		}
		year--
		start = weekOneStart(year, monday, fullFirst)
	} else if next := weekOneStart(year+1, monday, fullFirst); ownYear && !day.Before(next) {
		return 1, year + 1
	}
	return int(day.Sub(start)/(7*24*time.Hour)) + 1, year
}

// weekOneStart is the first day of a year's first week.
func weekOneStart(year int, monday, fullFirst bool) time.Time {
	first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	into := int(first.Weekday()) // days since the week began
	if monday {
		into = (into + 6) % 7
	}
	if into == 0 || !fullFirst && into <= 3 {
		return first.AddDate(0, 0, -into)
	}
	return first.AddDate(0, 0, 7-into)
}

func unixTimestamp(ctx sqlite3.Context, arg ...sqlite3.Value) {
	m, ok := momentOf(arg[0])
	if !ok {
		return
	}
	if m.frac == 0 {
		ctx.ResultInt64(m.t.Unix())
		return
	}
	ctx.ResultFloat(float64(m.t.UnixMicro()) / 1e6)
}

func fromUnixtime(ctx sqlite3.Context, arg ...sqlite3.Value) {
	m := moment{clock: true}
	if arg[0].NumericType() == sqlite3.INTEGER {
		m.t = time.Unix(arg[0].Int64(), 0).UTC()
	} else {
		m.t = time.UnixMicro(int64(math.Round(arg[0].Float() * 1e6))).UTC()
		m.frac = fracDigits(time.Duration(m.t.Nanosecond()))
	}
	if arg[0].Float() >= 0 && m.t.Year() <= 9999 {
		ctx.ResultText(m.text())
	}
}

func fromDays(ctx sqlite3.Context, arg ...sqlite3.Value) {
	n := arg[0].Int64() - unixEpochDays
	if n < -unixEpochDays || n > 2932896 {
		return
	}
	ctx.ResultText(time.Unix(n*86400, 0).UTC().Format("2006-01-02"))
}

func periodMonths(p int64) int64 {
	y, m := p/100, p%100
	switch {
	case y < 70:
		y += 2000
	case y < 100:
		y += 1900
	}
	return y*12 + m - 1
}

// convertTZ knows offsets and the zones of the machine's tables; NULL for others.
func convertTZ(ctx sqlite3.Context, arg ...sqlite3.Value) {
	m, ok := momentOf(arg[0])
	from, ok1 := zone(arg[1].Text())
	to, ok2 := zone(arg[2].Text())
	if !ok || !ok1 || !ok2 {
		return
	}
	t := m.t
	there := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), from)
	if len(arg) == 4 {
		there = inStandardTime(t, from)
	}
	there = there.In(to)
	m.t = time.Date(there.Year(), there.Month(), there.Day(), there.Hour(), there.Minute(), there.Second(), there.Nanosecond(), time.UTC)
	m.clock = true
	ctx.ResultText(m.text())
}

// inStandardTime is the moment of a wall clock's time in a zone, as PostgreSQL has it:
// where the clocks are put forward, a time that none shows is as of before; where they
// are put back, one that they show twice is as of after.
func inStandardTime(wall time.Time, zone *time.Location) time.Time {
	at := func(offset int) (u time.Time, valid bool) {
		u = wall.Add(-time.Duration(offset) * time.Second)
		return u, offsetAt(u, zone) == offset
	}
	before, ok := at(offsetAt(wall.Add(-24*time.Hour), zone))
	after, ok2 := at(offsetAt(wall.Add(24*time.Hour), zone))
	if ok2 || !ok && after.Equal(before) {
		return after
	}
	return before
}

func offsetAt(u time.Time, zone *time.Location) int {
	_, offset := u.In(zone).Zone()
	return offset
}

func zone(name string) (*time.Location, bool) {
	if s, ok := parseSpan(strings.TrimPrefix(name, "+")); ok && strings.Contains(name, ":") {
		return time.FixedZone(name, int(s.d/time.Second)), true
	}
	if strings.EqualFold(name, "SYSTEM") {
		return time.UTC, true
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil && name != "" && name != "Local"
}

// extractUnit is EXTRACT(unit FROM x) for the units that SQLite's strftime has
// no letter for.
func extractUnit(ctx sqlite3.Context, arg ...sqlite3.Value) {
	unit := arg[0].Text()
	m, ok := momentOf(arg[1])
	if !ok {
		return
	}
	if unit == "week" {
		w, _ := weekOf(m.t, 0)
		ctx.ResultInt(w)
		return
	}
	from, to, compound := strings.Cut(unit, "_")
	if !compound {
		to = from
	}
	first, last := indexOf(unitOrder, from), indexOf(unitOrder, to)
	if first < 0 || last < first {
		return
	}
	parts := []int{m.t.Year(), int(m.t.Month()), m.t.Day(), m.t.Hour(), m.t.Minute(), m.t.Second(), m.t.Nanosecond() / 1000}
	n := int64(0)
	for i := first; i <= last; i++ {
		if i == len(parts)-1 {
			n *= 1e6
		} else {
			n *= 100
		}
		n += int64(parts[i])
	}
	ctx.ResultInt64(n)
}
