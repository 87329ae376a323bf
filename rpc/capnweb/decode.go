package capnweb

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// decoder reads expressions and evaluates them.
type decoder struct {
	scanner
	limits Limits
	x      importer // nil: references are an error
	depth  int
	refs   int // stubs, promises and streams in what was read
	stack  []any
	slab   []any
	slabs  int // size of the last slab
}

// importer evaluates the expressions that refer to the session's tables. A
// hook that it returns is the caller's to release.
type importer interface {
	// exported gives what stands in the table of exports.
	exported(id int64) (hook, error)
	// imported gives the peer's object; promise says that it will be resolved.
	imported(id int64, promise bool) (hook, error)
	// readable gives the reading end of a pipe, once.
	readable(id int64) (*Readable, error)
	// origin is whom calls are made for.
	origin() origin
}

// Unmarshal decodes what [Marshal] or a peer encoded, without references.
func Unmarshal(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errNotUTF8
	}
	d := decoder{scanner: scanner{s: string(data)}, limits: Limits{}.complete()}
	v, err := d.value()
	if err == nil && d.peek() != 0 {
		err = d.fail("more after the value's end")
	}
	return v, err
}

var errNotUTF8 = errors.New("malformed message: it isn't valid UTF-8")

// slabSize is how many elements of small arrays share an allocation.
const slabSize = 256

// value reads one expression.
func (d *decoder) value() (any, error) {
	switch c := d.peek(); c {
	case '[':
		return d.nested(d.bracket)
	case '{':
		return d.nested(d.object)
	default:
		return d.scalar(c)
	}
}

func (d *decoder) nested(read func() (any, error)) (any, error) {
	if d.depth++; d.depth >= d.limits.Depth {
		return nil, fmt.Errorf("a message nests deeper than %d levels", d.limits.Depth)
	}
	v, err := read()
	d.depth--
	return v, err
}

func (d *decoder) object() (any, error) {
	d.i++
	m := map[string]any{}
	for more := !d.take('}'); more; {
		k, err := d.text()
		if err == nil {
			err = d.want(':')
		}
		if err != nil {
			return m, err
		}
		old, twice := m[k]
		v, err := d.value()
		if twice {
			releaseTree(old)
		}
		m[k] = v
		if err == nil {
			more, err = d.more('}')
		}
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

// bracket reads an escaped array or a special form. What it read before an
// error is returned with it, to be released.
func (d *decoder) bracket() (any, error) {
	d.i++
	switch d.peek() {
	case '[':
		d.i++
		list, err := d.elements()
		if err == nil {
			err = d.want(']')
		}
		return list, err
	case '"':
		from := d.i
		tag, err := d.text()
		if err != nil {
			return nil, err
		}
		v, err := d.special(tag)
		if err == nil {
			if err = d.want(']'); err != nil {
				d.i = from
				err = errors.Join(err, d.fail("malformed "+strconv.Quote(clip(tag))))
			}
		}
		return v, err
	}
	return nil, d.fail("an array that is neither escaped nor tagged")
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}

// elements reads expressions up to the bracket that closes them.
func (d *decoder) elements() ([]any, error) {
	from := len(d.stack)
	var err error
	for more := !d.take(']'); more && err == nil; {
		var v any
		if v, err = d.value(); err == nil {
			d.stack = append(d.stack, v)
			more, err = d.more(']')
		} else {
			d.stack = append(d.stack, v)
		}
	}
	list := d.slice(len(d.stack) - from)
	copy(list, d.stack[from:])
	clear(d.stack[from:])
	d.stack = d.stack[:from]
	return list, err
}

// slice makes a slice of n elements, out of the slab when it is small.
func (d *decoder) slice(n int) []any {
	if n == 0 {
		return []any{}
	}
	if n > slabSize/8 {
		return make([]any, n)
	}
	if len(d.slab) < n {
		// A message with one small array pays for that alone.
		d.slabs = min(max(2*d.slabs, n), slabSize)
		d.slab = make([]any, d.slabs)
	}
	s := d.slab[:n:n]
	d.slab = d.slab[n:]
	return s
}

// special reads a tagged form after its tag, up to the closing bracket.
func (d *decoder) special(tag string) (any, error) {
	switch tag {
	case "undefined":
		return Undefined, nil
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	case "nan":
		return math.NaN(), nil
	case "import", "pipeline", "remap", "export", "promise", "writable", "readable":
		return d.reference(tag)
	}
	read := dataForm(tag)
	if read == nil {
		return nil, d.fail("unknown special form " + strconv.Quote(clip(tag)))
	}
	if err := d.want(','); err != nil {
		return nil, err
	}
	return read(d)
}

// dataForm gives what reads a form that holds data, nil for an unknown tag.
func dataForm(tag string) func(*decoder) (any, error) {
	switch tag {
	case "bigint":
		return (*decoder).bigint
	case "date":
		return (*decoder).date
	case "bytes":
		return (*decoder).bytes
	case "error":
		return (*decoder).error
	case "url":
		return (*decoder).url
	case "headers":
		return (*decoder).headers
	case "request":
		return (*decoder).request
	case "response":
		return (*decoder).response
	case "blob":
		return (*decoder).blob
	}
	return nil
}

func (d *decoder) bigint() (any, error) {
	s, err := d.text()
	if err != nil {
		return nil, err
	}
	if len(s) > d.limits.BigIntDigits {
		return nil, fmt.Errorf("a bigint of %d digits; at most %d are taken", len(s), d.limits.BigIntDigits)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	x, ok := new(big.Int).SetString(strings.TrimSpace(s), 10)
	if !ok {
		return nil, d.fail("a bigint of other than decimal digits")
	}
	return x, nil
}

func (d *decoder) date() (any, error) {
	if d.peek() == 'n' {
		return time.Time{}, d.literal("null")
	}
	v, err := d.scalar(d.peek())
	if err != nil {
		return nil, err
	}
	const most = 864e13 // milliseconds either way that JavaScript's dates span
	var ms float64
	switch v := v.(type) {
	case int64:
		ms = float64(v)
	case float64:
		ms = v
	default:
		return nil, d.fail("a date that isn't a number")
	}
	if ms < -most || ms > most {
		return time.Time{}, nil
	}
	return time.UnixMilli(int64(ms)).UTC(), nil
}

func (d *decoder) bytes() (any, error) {
	s, err := d.text()
	if err != nil {
		return nil, err
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, d.fail("bytes that aren't base64")
	}
	if !d.take(',') {
		return b, nil
	}
	kind, err := d.text()
	if err != nil {
		return nil, err
	}
	size := elementSize[kind]
	if size == 0 {
		return nil, d.fail("bytes of unknown type " + strconv.Quote(clip(kind)))
	}
	if len(b)%size != 0 {
		return nil, d.fail(strconv.Itoa(len(b)) + " bytes are no whole " + kind)
	}
	if kind == "ArrayBuffer" || kind == "Uint8Array" {
		return b, nil
	}
	return TypedBytes{kind, b}, nil
}

func (d *decoder) error() (any, error) {
	e := &Error{}
	var err error
	if e.Name, err = d.text(); err != nil {
		return nil, err
	}
	if err = d.want(','); err != nil {
		return nil, err
	}
	if e.Message, err = d.text(); err != nil || !d.take(',') {
		return e, err
	}
	stack, err := d.plain(d.limits.Depth - d.depth)
	if err != nil {
		return e, err
	}
	e.Stack, _ = stack.(string)
	if !d.take(',') {
		return e, nil
	}
	if d.peek() != '{' {
		return e, d.fail("an error's fields must be an object")
	}
	props, err := d.nested(d.object)
	e.Props, _ = props.(map[string]any)
	return e, err
}

func (d *decoder) url() (any, error) {
	s, err := d.text()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return nil, d.fail("a URL that isn't one")
	}
	return u, nil
}

// reference reads a form that refers to an object, after its tag.
func (d *decoder) reference(tag string) (any, error) {
	if d.x == nil {
		return nil, d.fail(strconv.Quote(tag) + " outside a session")
	}
	if err := d.want(','); err != nil {
		return nil, err
	}
	id, err := d.integer()
	if err != nil {
		return nil, err
	}
	var h hook
	switch tag {
	case "readable":
		r, err := d.x.readable(id)
		if err != nil {
			return nil, err
		}
		d.refs++
		return r, nil
	case "export", "promise", "writable":
		h, err = d.x.imported(id, tag == "promise")
	case "remap":
		h, err = d.remap(id)
	default:
		h, err = d.pipeline(id, tag == "import")
	}
	if err != nil {
		return nil, err
	}
	d.refs++
	switch tag {
	case "promise", "pipeline", "remap":
		return newPromise(h), nil
	case "writable":
		return newWritable(h), nil
	}
	return newStub(h), nil
}

// pipeline reads [id, path, arguments], the last two optional. With neither, a
// stub is for the thing itself, not for its value.
func (d *decoder) pipeline(id int64, stub bool) (hook, error) {
	h, err := d.x.exported(id)
	if err != nil {
		return nil, err
	}
	defer h.release()
	if !d.take(',') {
		if stub {
			h.retain()
			return h, nil
		}
		return h.get(d.x.origin(), nil), nil
	}
	path, err := d.path()
	if err != nil {
		return nil, err
	}
	if !d.take(',') {
		return h.get(d.x.origin(), path), nil
	}
	if err := d.want('['); err != nil {
		return nil, err
	}
	before := d.refs
	list, err := d.elements()
	args := payload{value: list, refs: d.refs - before}
	d.refs = before
	if err != nil {
		args.release()
		return nil, err
	}
	return h.call(d.x.origin(), path, args), nil
}

// path reads an array of names and indexes.
func (d *decoder) path() ([]any, error) {
	if err := d.want('['); err != nil {
		return nil, err
	}
	var path []any
	for more := !d.take(']'); more; {
		var part any
		var err error
		if c := d.peek(); c == '"' {
			part, err = d.text()
		} else {
			part, err = d.integer()
		}
		if err != nil {
			return nil, err
		}
		path = append(path, part)
		if more, err = d.more(']'); err != nil {
			return nil, err
		}
	}
	return path, nil
}
