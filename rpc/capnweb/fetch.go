package capnweb

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
)

// header writes pairs as plain JSON.
func (e *Encoder) header(h http.Header) {
	e.sep()
	e.buf = append(e.buf, '[')
	for _, k := range sortedKeys(h) {
		for _, v := range h[k] {
			e.raw("[")
			e.buf, _ = appendString(e.buf, k)
			e.buf = append(e.buf, ',')
			e.buf, _ = appendString(e.buf, v)
			e.buf = append(e.buf, ']')
		}
	}
	e.buf = append(e.buf, ']')
}

func (e *Encoder) request(r *Request) error {
	e.raw(`["request"`)
	if err := e.String(r.URL); err != nil {
		return err
	}
	e.raw("{")
	if r.Method != "" && r.Method != "GET" {
		e.raw(`"method":`)
		e.buf, _ = appendString(e.buf, r.Method)
	}
	if len(r.Header) > 0 {
		e.raw(`"headers":`)
		e.header(r.Header)
	}
	if r.Body != nil {
		e.raw(`"body":`)
		if err := e.body(r.Body, false); err != nil {
			return err
		}
	}
	init := r.Init
	if r.Body != nil && init["duplex"] == nil {
		// fetch asks for it beside a body; it has its place among the other fields.
		if init = maps.Clone(init); init == nil {
			init = map[string]any{}
		}
		init["duplex"] = "half"
	}
	if err := e.init(init); err != nil {
		return err
	}
	e.buf = append(e.buf, "}]"...)
	return nil
}

func (e *Encoder) response(r *Response) error {
	e.raw(`["response"`)
	if err := e.body(r.Body, false); err != nil {
		return err
	}
	e.raw("{")
	if r.Status != 0 && r.Status != http.StatusOK {
		e.raw(`"status":`)
		e.buf = strconv.AppendInt(e.buf, int64(r.Status), 10)
	}
	if r.StatusText != "" {
		e.raw(`"statusText":`)
		e.buf, _ = appendString(e.buf, r.StatusText)
	}
	if len(r.Header) > 0 {
		e.raw(`"headers":`)
		e.header(r.Header)
	}
	if err := e.init(r.Init); err != nil {
		return err
	}
	e.buf = append(e.buf, "}]"...)
	return nil
}

func (e *Encoder) body(v any, streamOnly bool) error {
	switch v.(type) {
	case nil, string, []byte:
		if streamOnly {
			return errors.New("a blob's body must be a stream")
		}
	case Source:
	default:
		return fmt.Errorf("a %T can't be a body; it must be a string, a []byte or a stream", v)
	}
	return e.Value(v)
}

// init writes further fields.
func (e *Encoder) init(m map[string]any) error {
	for _, k := range sortedKeys(m) {
		if err := e.Key(k); err != nil {
			return err
		}
		if err := e.plain(m[k]); err != nil {
			return fmt.Errorf("field %q of a request or response: %w", k, err)
		}
	}
	return nil
}

// plain writes a value as plain JSON, which has neither escaped arrays nor
// special forms.
func (e *Encoder) plain(v any) error {
	switch x := v.(type) {
	case nil, bool, string:
		return e.Value(v)
	case int, int64:
		e.raw(fmt.Sprint(x))
		return nil
	case float64:
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			e.Float(x)
			return nil
		}
	case []any:
		return e.plainList(x)
	case map[string]any:
		if err := e.enter(); err != nil {
			return err
		}
		e.BeginObject()
		err := e.init(x)
		e.EndObject()
		e.depth--
		return err
	}
	return fmt.Errorf("%v of type %T isn't plain JSON", v, v)
}

func (e *Encoder) plainList(list []any) error {
	if err := e.enter(); err != nil {
		return err
	}
	e.raw("[")
	for _, v := range list {
		if err := e.plain(v); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	e.depth--
	return nil
}

func (d *decoder) headers() (any, error) {
	if d.peek() != '[' {
		return nil, d.fail("headers must be pairs")
	}
	v, err := d.plain(4)
	if err != nil {
		return nil, err
	}
	return d.pairs(v)
}

func (d *decoder) pairs(v any) (http.Header, error) {
	list, ok := v.([]any)
	h := http.Header{}
	for _, p := range list {
		pair, _ := p.([]any)
		if len(pair) != 2 {
			ok = false
			break
		}
		name, isName := pair[0].(string)
		text, isText := pair[1].(string)
		if !isName || !isText {
			ok = false
			break
		}
		h.Add(name, text)
	}
	if !ok {
		return nil, d.fail("headers must be pairs of strings")
	}
	return h, nil
}

func (d *decoder) request() (any, error) {
	r := &Request{Method: "GET"}
	var err error
	if r.URL, err = d.text(); err != nil {
		return nil, err
	}
	if err = d.want(','); err != nil {
		return nil, err
	}
	f := fetchInit{header: &r.Header, body: &r.Body}
	if err = d.fetchInit(&f); err != nil {
		return r, err
	}
	if m, given := f.rest["method"]; given {
		if r.Method, given = m.(string); !given {
			return r, d.fail("a request's method must be a string")
		}
		delete(f.rest, "method")
	}
	if len(f.rest) > 0 {
		r.Init = f.rest
	}
	return r, nil
}

func (d *decoder) response() (any, error) {
	r := &Response{Status: http.StatusOK}
	var err error
	if r.Body, err = d.bodyValue(); err != nil {
		return r, err
	}
	if err = d.want(','); err != nil {
		return r, err
	}
	f := fetchInit{header: &r.Header}
	if err = d.fetchInit(&f); err != nil {
		return r, err
	}
	if s, given := f.rest["status"]; given {
		i, ok := s.(int64)
		if !ok || i < 200 || i > 599 {
			return r, d.fail("a response's status must be a number from 200 to 599")
		}
		r.Status = int(i)
		delete(f.rest, "status")
	}
	if s, given := f.rest["statusText"]; given {
		if r.StatusText, given = s.(string); !given {
			return r, d.fail("a response's status text must be a string")
		}
		delete(f.rest, "statusText")
	}
	if len(f.rest) > 0 {
		r.Init = f.rest
	}
	return r, nil
}

// fetchInit is where the fields of a request or a response go.
type fetchInit struct {
	header *http.Header
	body   *any // nil: the object has no body
	rest   map[string]any
}

func (d *decoder) fetchInit(f *fetchInit) error {
	if err := d.want('{'); err != nil {
		return err
	}
	f.rest = map[string]any{}
	for more := !d.take('}'); more; {
		k, err := d.text()
		if err != nil {
			return err
		}
		if err = d.want(':'); err != nil {
			return err
		}
		if k == "body" && f.body != nil {
			old := *f.body
			*f.body, err = d.bodyValue()
			releaseTree(old)
		} else {
			var v any
			if v, err = d.plain(d.limits.Depth - d.depth); err == nil && k == "headers" {
				*f.header, err = d.pairs(v)
			} else {
				f.rest[k] = v
			}
		}
		if err != nil {
			return err
		}
		if more, err = d.more('}'); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) bodyValue() (any, error) {
	v, err := d.value()
	if err != nil {
		return v, err
	}
	switch v.(type) {
	case nil, string, []byte, *Readable:
		return v, nil
	}
	return v, d.fail("a body must be null, text, bytes or a stream")
}

func (d *decoder) blob() (any, error) {
	b := &Blob{}
	var err error
	if b.Type, err = d.text(); err != nil {
		return nil, err
	}
	if err = d.want(','); err != nil {
		return nil, err
	}
	v, err := d.value()
	b.Body = v
	if err != nil {
		return b, err
	}
	if _, ok := v.(*Readable); !ok {
		return b, d.fail("a blob's content must be a stream")
	}
	return b, nil
}
