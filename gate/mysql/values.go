package mysql

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	wire "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/vitessdo/vitessdo/gate"
)

// appendTextRow writes a row of the text protocol.
func appendTextRow(b []byte, fields []field, row []any) ([]byte, error) {
	var scratch [32]byte
	for i, v := range row {
		switch x := v.(type) {
		case nil:
			b = append(b, 0xfb)
		case string:
			b = appendText(b, x)
		case []byte:
			b = appendText(b, x)
		default:
			b = appendText(b, textOf(scratch[:0], &fields[i], x))
		}
	}
	return b, nil
}

// textOf spells a value that is no text yet.
func textOf(b []byte, f *field, v any) []byte {
	switch x := v.(type) {
	case int64:
		if f.kind == wire.MYSQL_TYPE_BIT {
			return bits(f, x)
		}
		return strconv.AppendInt(b, x, 10)
	case uint64:
		return strconv.AppendUint(b, x, 10)
	case float64:
		return floatText(b, f, x)
	case bool:
		if x {
			return append(b, '1')
		}
		return append(b, '0')
	case time.Time:
		return append(b, gate.TimeText(x, f.col)...)
	case string:
		return append(b, x...)
	case []byte:
		return append(b, x...)
	}
	return fmt.Append(b, v)
}

// bits gives the bytes of a BIT column's value.
func bits(f *field, n int64) []byte {
	var all [8]byte
	binary.BigEndian.PutUint64(all[:], uint64(n))
	return all[8-(max(1, min(f.col.Size, 64))+7)/8:]
}

// floatText spells a float as MySQL does: 1e20 and not 1e+20.
func floatText(b []byte, f *field, x float64) []byte {
	size := 64
	if f.kind == wire.MYSQL_TYPE_FLOAT {
		size = 32
	}
	format := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-15 || a >= 1e15) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, x, format, -1, size)
	if format == 'e' {
		s := strings.Replace(string(b), "e+0", "e", 1)
		s = strings.Replace(strings.Replace(s, "e+", "e", 1), "e-0", "e-", 1)
		return append(b[:0], s...)
	}
	return b
}

// appendBinaryRow writes a row of the protocol of prepared statements.
func appendBinaryRow(b []byte, fields []field, row []any) ([]byte, error) {
	b = append(b, 0)
	nulls := len(b)
	b = append(b, make([]byte, (len(row)+2+7)/8)...)
	for i, v := range row {
		if v == nil {
			b[nulls+(i+2)/8] |= 1 << ((i + 2) % 8)
			continue
		}
		var err error
		if b, err = appendBinary(b, &fields[i], v); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendBinary(b []byte, f *field, v any) ([]byte, error) {
	switch f.kind {
	case wire.MYSQL_TYPE_TINY, wire.MYSQL_TYPE_SHORT, wire.MYSQL_TYPE_YEAR, wire.MYSQL_TYPE_INT24, wire.MYSQL_TYPE_LONG, wire.MYSQL_TYPE_LONGLONG:
		n, ok := wholeOf(v)
		if !ok {
			return nil, misfit(f, v)
		}
		switch f.kind {
		case wire.MYSQL_TYPE_TINY:
			return append(b, byte(n)), nil
		case wire.MYSQL_TYPE_SHORT, wire.MYSQL_TYPE_YEAR:
			return binary.LittleEndian.AppendUint16(b, uint16(n)), nil
		case wire.MYSQL_TYPE_LONGLONG:
			return binary.LittleEndian.AppendUint64(b, n), nil
		}
		return binary.LittleEndian.AppendUint32(b, uint32(n)), nil
	case wire.MYSQL_TYPE_FLOAT, wire.MYSQL_TYPE_DOUBLE:
		x, ok := floatOf(v)
		if !ok {
			return nil, misfit(f, v)
		}
		if f.kind == wire.MYSQL_TYPE_FLOAT {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x))), nil
		}
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x)), nil
	case wire.MYSQL_TYPE_DATE, wire.MYSQL_TYPE_DATETIME, wire.MYSQL_TYPE_TIMESTAMP:
		out, ok := appendMoment(b, string(textOf(nil, f, v)), f.kind == wire.MYSQL_TYPE_DATE)
		if !ok {
			return nil, misfit(f, v)
		}
		return out, nil
	case wire.MYSQL_TYPE_TIME:
		out, ok := appendTime(b, string(textOf(nil, f, v)))
		if !ok {
			return nil, misfit(f, v)
		}
		return out, nil
	}
	return appendText(b, textOf(nil, f, v)), nil
}

// misfit is a value that its column's type has no form for. SQLite's tables may hold
// such values, and some expressions give them.
func misfit(f *field, v any) error {
	return &failure{wire.ER_TRUNCATED_WRONG_VALUE, "22007", fmt.Sprintf(
		"column '%s' is a %s, and has a value of another kind (%T): CAST it AS CHAR, or send the statement without preparing it", f.col.Name, f.col.Type, v)}
}

func wholeOf(v any) (uint64, bool) {
	switch x := v.(type) {
	case int64:
		return uint64(x), true
	case uint64:
		return x, true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case float64:
		return uint64(int64(x)), x == math.Trunc(x) && math.Abs(x) < 1<<63
	case string:
		n, err := strconv.ParseInt(x, 10, 64)
		return uint64(n), err == nil
	}
	return 0, false
}

func floatOf(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	case string:
		f, err := strconv.ParseFloat(x, 64)
		return f, err == nil
	}
	return 0, false
}

// appendMoment writes a date or a date with a time.
func appendMoment(b []byte, s string, day bool) ([]byte, bool) {
	date, clock, _ := strings.Cut(strings.Replace(s, "T", " ", 1), " ")
	parts := strings.Split(date, "-")
	if len(parts) != 3 {
		return nil, false
	}
	y, err1 := strconv.ParseUint(parts[0], 10, 16)
	m, err2 := strconv.ParseUint(parts[1], 10, 8)
	d, err3 := strconv.ParseUint(parts[2], 10, 8)
	if err1 != nil || err2 != nil || err3 != nil {
		return nil, false
	}
	var hour, minute, second, micro uint32
	if clock != "" {
		var ok bool
		if hour, minute, second, micro, ok = clockOf(clock); !ok || hour > 23 {
			return nil, false
		}
	}
	n := 11
	switch {
	case day || hour|minute|second|micro == 0:
		n = 4
	case micro == 0:
		n = 7
	}
	b = append(b, byte(n), byte(y), byte(y>>8), byte(m), byte(d))
	if n > 4 {
		b = append(b, byte(hour), byte(minute), byte(second))
	}
	if n > 7 {
		b = binary.LittleEndian.AppendUint32(b, micro)
	}
	return b, true
}

// appendTime writes a TIME, which may be negative and longer than a day.
func appendTime(b []byte, s string) ([]byte, bool) {
	s, negative := strings.CutPrefix(s, "-")
	hour, minute, second, micro, ok := clockOf(s)
	if !ok {
		return nil, false
	}
	if hour|minute|second|micro == 0 {
		return append(b, 0), true
	}
	n, sign := byte(8), byte(0)
	if micro != 0 {
		n = 12
	}
	if negative {
		sign = 1
	}
	b = append(b, n, sign)
	b = binary.LittleEndian.AppendUint32(b, hour/24)
	b = append(b, byte(hour%24), byte(minute), byte(second))
	if micro != 0 {
		b = binary.LittleEndian.AppendUint32(b, micro)
	}
	return b, true
}

// clockOf reads hours, minutes, seconds and a fraction.
func clockOf(s string) (hour, minute, second, micro uint32, ok bool) {
	s, fraction, _ := strings.Cut(s, ".")
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 || len(fraction) > 9 {
		return 0, 0, 0, 0, false
	}
	var n [3]uint32
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 32)
		if err != nil || i > 0 && v > 59 {
			return 0, 0, 0, 0, false
		}
		n[i] = uint32(v)
	}
	if fraction != "" {
		v, err := strconv.ParseUint((fraction + "00000")[:6], 10, 32)
		if err != nil {
			return 0, 0, 0, 0, false
		}
		micro = uint32(v)
	}
	return n[0], n[1], n[2], micro, true
}
