package exec

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/internal/fit"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// Bind makes the vector that a plan's statements bind: the caller's arguments,
// brought into the forms that cross the tablet contract and into those of the
// columns that they meet, then the computed ones. It appends to buf[:0], whose
// room it uses; with enough of it and nothing to convert it doesn't allocate.
//
// Booleans become 0 and 1, all kinds of integers int64 (a larger uint64 is an
// error), floats float64, times text in the session's zone, with six digits of
// fraction unless the fraction is zero.
func Bind(ctx context.Context, s Session, p *route.Params, user []any, buf []any) ([]any, error) {
	if len(user) != p.User {
		return nil, &tablet.Error{Code: tablet.CodeMisuse,
			Message: fmt.Sprintf("the statement takes %d arguments, %d were given", p.User, len(user))}
	}
	args := buf[:0]
	for i, v := range user {
		switch v.(type) {
		case nil, int64, float64, string, []byte:
		default:
			var err error
			given := v
			if v, err = convert(v, s.Location); errors.Is(err, errTooLarge) && takesLong(p, i) {
				v, err = unsignedText(given)
			}
			if err != nil {
				code := tablet.CodeDataType
				if errors.Is(err, errTooLarge) {
					code = tablet.CodeValueRange
				}
				return nil, &tablet.Error{Code: code, Err: err, Message: fmt.Sprintf("argument %d: %v", i+1, err)}
			}
		}
		args = append(args, v)
	}
	for _, i := range p.Text {
		if b, ok := args[i].([]byte); ok {
			args[i] = string(b)
		}
	}
	for _, i := range p.Exact {
		if s, ok := args[i].(string); ok && len(s) > decimal.Digits {
			v, err := keptExactly(s, i)
			if err != nil {
				return nil, err
			}
			args[i] = v
		}
	}
	for _, i := range p.Numbers {
		if s, ok := args[i].(string); ok {
			if n, whole := route.Numeral(s); !whole {
				args[i] = n.Nearest()
			}
		}
	}
	for i := range p.Coerce {
		c := &p.Coerce[i]
		var err error
		if args[c.Arg], err = coerce(args[c.Arg], c); err != nil {
			return nil, err
		}
	}
	if len(p.Computed) == 0 {
		return args, nil
	}
	return compute(ctx, s, p.Computed, args)
}

// keptExactly gives the number that text stands for, which the engine would round
// before it compares with it, and refuses one that it can't keep. Text that is no
// number stays.
func keptExactly(text string, arg int) (any, error) {
	d, ok := decimal.Parse(strings.TrimSpace(text))
	if !ok {
		return text, nil
	}
	v, err := d.Value()
	if f := d.Nearest(); err != nil && math.Abs(f) > math.MaxInt64 {
		return f, nil // beyond all that such a column keeps, whatever its last digits
	}
	if err != nil {
		return nil, &tablet.Error{Code: tablet.CodeOutOfRange, Err: err, Message: fmt.Sprintf(
			"argument %d: DECIMAL value is out of range: %s has more than the %d digits that are kept exactly; give a float64 for an approximate comparison",
			arg+1, d, decimal.Digits)}
	}
	return v, nil
}

// coerce brings an argument into the form of the column that it meets.
func coerce(v any, c *route.Coercion) (any, error) {
	switch {
	case v == nil:
		return nil, nil
	case c.Column != nil:
		return stored(v, c.Column)
	case c.Type.Class == sqlast.ClassBlob && !c.Store:
		return fit.AsBytes(v), nil
	case !c.Store:
		return temporal(v, &c.Type, false), nil
	}
	kept, fault := storedTime(v, &c.Type)
	if fault != fit.None {
		return nil, fault.Error(kindOf(&c.Type), v, "")
	}
	return kept, nil
}

// takesLong says whether argument i meets a DECIMAL, which may have more digits
// than an integer.
func takesLong(p *route.Params, i int) bool {
	return slices.Contains(p.Long, i) || slices.ContainsFunc(p.Coerce, func(c route.Coercion) bool {
		return c.Arg == i && c.Column != nil && c.Column.Type.Class == sqlast.ClassDecimal
	})
}

// unsignedText gives the digits of an unsigned integer that no int64 holds.
func unsignedText(v any) (any, error) {
	if valuer, ok := v.(driver.Valuer); ok {
		w, err := valuer.Value()
		if err != nil {
			return nil, err
		}
		v = w
	}
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer {
		r = r.Elem()
	}
	return strconv.FormatUint(r.Uint(), 10), nil
}

var errTooLarge = errors.New("the largest that an integer can be; a DECIMAL(20,0) column takes larger ones")

// convert brings a value into a form that crosses the tablet contract.
func convert(v any, zone func() *time.Location) (any, error) {
	switch v := v.(type) {
	case nil, int64, float64, string, []byte:
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return timeText(v, zone()), nil
	case driver.Valuer:
		w, err := v.Value()
		if err != nil {
			return nil, err
		}
		if _, again := w.(driver.Valuer); again {
			return nil, fmt.Errorf("the Value method of a %T gives another driver.Valuer, a %T", v, w)
		}
		return convert(w, zone)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := r.Uint(); n <= math.MaxInt64 {
			return int64(n), nil
		}
		return nil, fmt.Errorf("the unsigned integer %d is above %d, %w", r.Uint(), int64(math.MaxInt64), errTooLarge)
	case reflect.Float32, reflect.Float64:
		return r.Float(), nil
	case reflect.Bool:
		return convert(r.Bool(), zone)
	case reflect.String:
		return r.String(), nil
	case reflect.Slice:
		if r.Type().Elem().Kind() == reflect.Uint8 {
			return r.Bytes(), nil
		}
	case reflect.Pointer:
		if r.IsNil() {
			return nil, nil
		}
		return convert(r.Elem().Interface(), zone)
	}
	return nil, fmt.Errorf("a value of type %T can't be bound", v)
}

// zeroTime is what MySQL's clients send for Go's zero time.
const zeroTime = "0000-00-00 00:00:00"

func timeText(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return zeroTime
	}
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	if t.Nanosecond() < 1000 {
		return t.Format(time.DateTime)
	}
	return t.Format("2006-01-02 15:04:05.000000")
}

// compute appends the computed parameters.
func compute(ctx context.Context, s Session, list []route.Computed, args []any) (_ []any, err error) {
	var sc *scratch // for expressions, taken once
	defer func() {
		if sc != nil {
			sc.release()
		}
	}()
	for i := range list {
		c := &list[i]
		var v any
		switch c.Kind {
		case route.ComputedConst:
			v = c.Value
		case route.ComputedNow:
			v = now(s, c)
		case route.ComputedUUID:
			v = newUUID()
		case route.ComputedRand:
			v = mathrand.Float64()
		case route.ComputedSession:
			v, err = s.Value(c.Name)
		case route.ComputedCoerced:
			v = temporal(args[c.Arg], &c.Type, false)
		case route.ComputedNext:
			if v, err = nextValue(ctx, s, c.Next, args); err != nil {
				return nil, err
			}
		case route.ComputedCall:
			vals := make([]any, len(c.Args))
			for k, a := range c.Args {
				vals[k] = a.Value(args)
			}
			v, err = s.Call(ctx, c.Name, vals)
		case route.ComputedExpr:
			if sc == nil {
				if sc, err = takeScratch(ctx); err != nil {
					return nil, err
				}
			}
			v, err = sc.eval(ctx, c.SQL, args)
		default:
			err = fmt.Errorf("computed parameter of the unknown kind %d", c.Kind)
		}
		if err != nil {
			return nil, err
		}
		if v, err = convert(v, s.Location); err != nil {
			return nil, fmt.Errorf("computed parameter %d: %w", len(args)+1, err)
		}
		args = append(args, v)
	}
	return args, nil
}

// now gives the statement's time in the form that the parameter's type wants.
// Digits beyond the scale are dropped, as NOW() does.
func now(s Session, c *route.Computed) any {
	t := s.Now()
	if c.Type.Class == sqlast.ClassInt {
		return t.Unix()
	}
	if c.UTC {
		t = t.UTC()
	} else if zone := s.Location(); zone != nil {
		t = t.In(zone)
	}
	layout := time.DateTime
	switch c.Type.Class {
	case sqlast.ClassDate:
		return t.Format(time.DateOnly)
	case sqlast.ClassTime:
		layout = time.TimeOnly
	}
	if n := c.Type.Scale; n > 0 {
		layout += ".000000"[:1+min(n, 6)]
	}
	return t.Format(layout)
}

// newUUID gives a random (version 4) UUID's text.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[:8], b[:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// nextValue takes values of a sequence and gives the first.
func nextValue(ctx context.Context, s Session, next *route.NextValues, args []any) (any, error) {
	n, ok := next.Count.Value(args).(int64)
	if !ok || n < 1 || n > maxNext {
		return nil, &tablet.Error{Code: tablet.CodeOutOfRange, Message: fmt.Sprintf(
			"sequence %s: %s values asked for; ask for 1 to %d", next.Sequence, describe(next.Count.Value(args)), int64(maxNext))}
	}
	return s.NextIDs(ctx, next.Keyspace, next.Sequence, n)
}

// maxNext bounds how many values of a sequence are taken at once.
const maxNext = 1 << 40
