package capnweb

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxSafe is the largest integer that a JSON number carries exactly.
const maxSafe = 1<<53 - 1

// Encoder writes values as expressions of the wire. A [Marshaler] gets one; its
// methods write one value each, inside or outside an array.
type Encoder struct {
	buf   []byte
	x     exporter // nil: references can't be sent
	depth int
	max   int
}

// exporter gives what is sent by reference a place on the wire.
type exporter interface {
	// reference writes a stub or promise.
	reference(e *Encoder, h hook, path []any, promise bool) error
	// export writes a local object under the given tag, and takes h over.
	export(e *Encoder, tag string, h hook) error
	// pipe starts a stream and gives its number. It retains r as long as it reads.
	pipe(r *Readable) (int64, error)
}

// Raw is a value that is encoded already, as by [Encoder.Encoded].
type Raw []byte

// MarshalCapnweb writes it.
func (r Raw) MarshalCapnweb(e *Encoder) error {
	e.sep()
	e.buf = append(e.buf, r...)
	return nil
}

// NewEncoder gives an encoder outside any session, which can't write references.
func NewEncoder() *Encoder { return &Encoder{max: Limits{}.complete().Depth} }

// Encoded gives what was written so far, and its length grows with every value.
func (e *Encoder) Encoded() Raw { return e.buf }

// Marshal encodes a value that holds no references.
func Marshal(v any) ([]byte, error) {
	e := Encoder{max: Limits{}.complete().Depth}
	if err := e.Value(v); err != nil {
		return nil, err
	}
	return e.buf, nil
}

// sep writes the comma that a value needs before it.
func (e *Encoder) sep() {
	if n := len(e.buf); n > 0 {
		switch e.buf[n-1] {
		case '[', '{', ':', ',':
		default:
			e.buf = append(e.buf, ',')
		}
	}
}

// Null writes null.
func (e *Encoder) Null() { e.raw("null") }

// Bool writes a boolean.
func (e *Encoder) Bool(b bool) {
	e.sep()
	e.buf = strconv.AppendBool(e.buf, b)
}

// Int writes an integer exactly: as a number where JavaScript's keep it, as a
// bigint beyond.
func (e *Encoder) Int(i int64) {
	e.sep()
	if i >= -maxSafe && i <= maxSafe {
		e.buf = strconv.AppendInt(e.buf, i, 10)
		return
	}
	e.buf = append(e.buf, `["bigint","`...)
	e.buf = strconv.AppendInt(e.buf, i, 10)
	e.buf = append(e.buf, `"]`...)
}

// Float writes a float. One without a fraction keeps a ".0", so that a decoder
// that tells integers from floats knows it again.
func (e *Encoder) Float(f float64) {
	switch {
	case math.IsNaN(f):
		e.raw(`["nan"]`)
		return
	case math.IsInf(f, 1):
		e.raw(`["inf"]`)
		return
	case math.IsInf(f, -1):
		e.raw(`["-inf"]`)
		return
	}
	e.sep()
	from := len(e.buf)
	e.buf = strconv.AppendFloat(e.buf, f, 'g', -1, 64)
	for _, c := range e.buf[from:] {
		if c == '.' || c == 'e' {
			return
		}
	}
	e.buf = append(e.buf, ".0"...)
}

// String writes text, which must be valid UTF-8.
func (e *Encoder) String(s string) error {
	e.sep()
	var ok bool
	if e.buf, ok = appendString(e.buf, s); !ok {
		return fmt.Errorf("text that isn't valid UTF-8 can't be sent as a string: %.40q; send it as []byte", s)
	}
	return nil
}

// Bytes writes binary data.
func (e *Encoder) Bytes(b []byte) { e.bytes(b, "") }

func (e *Encoder) bytes(b []byte, kind string) {
	e.sep()
	e.buf = append(e.buf, `["bytes","`...)
	e.buf = base64.RawStdEncoding.AppendEncode(e.buf, b)
	e.buf = append(e.buf, '"')
	if kind != "" {
		e.buf = append(e.buf, `,"`...)
		e.buf = append(e.buf, kind...)
		e.buf = append(e.buf, '"')
	}
	e.buf = append(e.buf, ']')
}

// BeginArray opens an array; the values up to EndArray are its elements.
func (e *Encoder) BeginArray() {
	e.sep()
	e.buf = append(e.buf, "[["...)
}

// EndArray closes the array that was opened last.
func (e *Encoder) EndArray() { e.buf = append(e.buf, "]]"...) }

// BeginObject opens an object; each value up to EndObject follows its Key.
func (e *Encoder) BeginObject() {
	e.sep()
	e.buf = append(e.buf, '{')
}

// Key writes the name of the field whose value comes next.
func (e *Encoder) Key(name string) error {
	if err := e.String(name); err != nil {
		return err
	}
	e.buf = append(e.buf, ':')
	return nil
}

// EndObject closes the object that was opened last.
func (e *Encoder) EndObject() { e.buf = append(e.buf, '}') }

func (e *Encoder) raw(s string) {
	e.sep()
	e.buf = append(e.buf, s...)
}

// Value writes any value of the kinds that the package doc lists.
func (e *Encoder) Value(v any) error {
	switch x := v.(type) {
	case nil:
		e.Null()
	case bool:
		e.Bool(x)
	case int64:
		e.Int(x)
	case int:
		e.Int(int64(x))
	case float64:
		e.Float(x)
	case string:
		return e.String(x)
	case []byte:
		e.Bytes(x)
	case []any:
		return e.array(x)
	case map[string]any:
		return e.object(x)
	default:
		return e.other(v)
	}
	return nil
}

func (e *Encoder) enter() error {
	if e.depth++; e.depth >= e.max {
		return fmt.Errorf("a value nests deeper than %d levels; does it hold itself?", e.max)
	}
	return nil
}

func (e *Encoder) array(list []any) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.BeginArray()
	for _, v := range list {
		if err := e.Value(v); err != nil {
			return err
		}
	}
	e.EndArray()
	e.depth--
	return nil
}

// object writes fields in the order of their names, so that equal values have
// equal encodings.
func (e *Encoder) object(m map[string]any) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.BeginObject()
	for _, k := range sortedKeys(m) {
		if err := e.Key(k); err != nil {
			return err
		}
		if err := e.Value(m[k]); err != nil {
			return err
		}
	}
	e.EndObject()
	e.depth--
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (e *Encoder) other(v any) error {
	switch x := v.(type) {
	case Marshaler:
		if err := e.enter(); err != nil {
			return err
		}
		err := x.MarshalCapnweb(e)
		e.depth--
		return err
	case UndefinedType:
		e.raw(`["undefined"]`)
	case time.Time:
		e.date(x)
	case *big.Int:
		e.big(x)
	case TypedBytes:
		if elementSize[x.Type] == 0 || len(x.Data)%elementSize[x.Type] != 0 {
			return fmt.Errorf("%d bytes of type %q can't be sent; the type must be one of JavaScript's, and the length fit its elements", len(x.Data), x.Type)
		}
		e.bytes(x.Data, x.Type)
	case *url.URL:
		e.raw(`["url"`)
		return e.closing(e.String(x.String()))
	case http.Header:
		e.raw(`["headers",`)
		e.header(x)
		e.buf = append(e.buf, ']')
	case *Request:
		return e.request(x)
	case *Response:
		return e.response(x)
	case *Blob:
		e.raw(`["blob"`)
		if err := e.String(x.Type); err != nil {
			return err
		}
		return e.closing(e.body(x.Body, true))
	case *Stub, *Promise, *Writable, *Readable, Target, Source, Sink:
		return e.ref(x)
	case error:
		return e.error(asError(x))
	default:
		return e.reflected(reflect.ValueOf(v))
	}
	return nil
}

// ref writes what is sent by reference.
func (e *Encoder) ref(v any) error {
	if e.x == nil {
		return fmt.Errorf("a %T can't be encoded outside a session", v)
	}
	switch x := v.(type) {
	case *Stub:
		h, err := x.hook()
		if err != nil {
			return err
		}
		return e.x.reference(e, h, nil, false)
	case *Promise:
		h, err := x.hook()
		if err != nil {
			return err
		}
		return e.x.reference(e, h, x.path, true)
	case *Writable:
		h, err := x.hook()
		if err != nil {
			return err
		}
		h.retain()
		return e.x.export(e, "writable", h)
	case Sink:
		return e.x.export(e, "writable", newSinkHook(x))
	case *Readable:
		return e.readable(x)
	case Source:
		r := NewReadable(x)
		defer r.Release()
		return e.readable(r)
	default:
		return e.x.export(e, "export", newLocalHook(v.(Target)))
	}
}

func (e *Encoder) readable(r *Readable) error {
	id, err := e.x.pipe(r)
	if err != nil {
		return err
	}
	e.raw(`["readable",`)
	e.buf = strconv.AppendInt(e.buf, id, 10)
	e.buf = append(e.buf, ']')
	return nil
}

// closing writes the bracket that ends a special form, if all went well.
func (e *Encoder) closing(err error) error {
	if err == nil {
		e.buf = append(e.buf, ']')
	}
	return err
}

// date writes milliseconds since 1970; the zero time stands for an invalid
// date.
func (e *Encoder) date(t time.Time) {
	if t.IsZero() {
		e.raw(`["date",null]`)
		return
	}
	e.raw(`["date",`)
	e.buf = strconv.AppendInt(e.buf, t.UnixMilli(), 10)
	e.buf = append(e.buf, ']')
}

func (e *Encoder) big(x *big.Int) {
	e.raw(`["bigint","`)
	e.buf = x.Append(e.buf, 10)
	e.buf = append(e.buf, `"]`...)
}

func (e *Encoder) error(x *Error) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.raw(`["error"`)
	name := x.Name
	if name == "" {
		name = "Error"
	}
	// What went wrong must reach the peer, so odd text is mended, not refused.
	e.sep()
	e.buf, _ = appendString(e.buf, name)
	e.sep()
	e.buf, _ = appendString(e.buf, x.Message)
	if x.Stack != "" {
		e.sep()
		e.buf, _ = appendString(e.buf, x.Stack)
	} else if len(x.Props) > 0 {
		e.Null()
	}
	if len(x.Props) > 0 {
		if err := e.object(x.Props); err != nil {
			return err
		}
	}
	e.depth--
	e.buf = append(e.buf, ']')
	return nil
}

// reflected writes the types that aren't met often.
func (e *Encoder) reflected(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Bool:
		e.Bool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.Int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := v.Uint(); u > maxSafe {
			e.big(new(big.Int).SetUint64(u))
		} else {
			e.Int(int64(u))
		}
	case reflect.Float32, reflect.Float64:
		e.Float(v.Float())
	case reflect.String:
		return e.String(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			e.Null()
			return nil
		}
		return e.notSent(v)
	case reflect.Slice, reflect.Array, reflect.Map:
		list, err := generic(v)
		if err != nil {
			return err
		}
		return e.Value(list)
	default:
		return e.notSent(v)
	}
	return nil
}

func (e *Encoder) notSent(v reflect.Value) error {
	return fmt.Errorf("a value of type %s can't be sent; make it a map, a slice, a Target or a Marshaler", v.Type())
}

// generic turns a typed container into []any or map[string]any.
func generic(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Map {
		if v.Type().Key().Kind() != reflect.String {
			return nil, fmt.Errorf("a %s can't be sent: its keys must be strings", v.Type())
		}
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			m[it.Key().String()] = it.Value().Interface()
		}
		return m, nil
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list, nil
}

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string. Bytes that aren't UTF-8 become
// U+FFFD; ok says that there were none.
func appendString(buf []byte, s string) (_ []byte, ok bool) {
	ok = true
	buf = append(buf, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				ok = false
				buf = append(append(buf, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		buf = append(buf, s[from:i]...)
		switch c {
		case '"', '\\':
			buf = append(buf, '\\', c)
		case '\n':
			buf = append(buf, '\\', 'n')
		case '\r':
			buf = append(buf, '\\', 'r')
		case '\t':
			buf = append(buf, '\\', 't')
		default:
			buf = append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(buf, s[from:]...), '"'), ok
}
