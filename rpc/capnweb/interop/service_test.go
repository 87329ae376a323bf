//go:build !nonode

package interop

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// counts is what a session's service counts.
type counts struct{ released, closed, made atomic.Int64 }

// service is Service of service.mjs, in Go.
type service struct {
	counts  *counts
	session func() *capnweb.Session // nil in a batch
	mu      sync.Mutex
	kept    *capnweb.Stub
}

func (s *service) Call(ctx context.Context, c *capnweb.Call) (any, error) {
	switch c.Method {
	case "echo":
		return c.Arg(0), nil
	case "counter":
		return &counter{counts: s.counts}, nil
	case "fail":
		return nil, &capnweb.Error{Name: "RangeError", Message: "too much", Props: map[string]any{"code": "TOO_BIG", "limit": 7}}
	case "twice":
		f, err := capnweb.Arg[*capnweb.Stub](c, 0)
		if err != nil {
			return nil, err
		}
		v, err := f.Do(ctx, "", 1)
		if err != nil {
			return nil, err
		}
		return f.Do(ctx, "", v)
	case "keep", "use", "drop":
		return s.callback(ctx, c)
	case "numbers":
		n, err := capnweb.Arg[int64](c, 0)
		return &numbers{n: n, counts: s.counts}, err
	case "broken":
		return &numbers{n: 2, counts: s.counts, end: capnweb.Errorf("TypeError", "broken on purpose")}, nil
	case "sum":
		return sum(ctx, c)
	case "fill":
		return capnweb.Undefined, fill(ctx, c)
	case "describe":
		return describe(ctx, c.Arg(0))
	case "make":
		return build(c.Arg(0))
	case "stats":
		m := map[string]any{"released": s.counts.released.Load(), "closed": s.counts.closed.Load(), "made": s.counts.made.Load()}
		if s.session != nil {
			st := s.session().Stats()
			m["imports"], m["exports"] = st.Imports, st.Exports
		}
		return m, nil
	}
	return nil, capnweb.Errorf("TypeError", "'%s' is not a function.", c.Method)
}

func (s *service) callback(ctx context.Context, c *capnweb.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c.Method {
	case "keep":
		f, err := capnweb.Arg[*capnweb.Stub](c, 0)
		if err != nil {
			return nil, err
		}
		s.kept = f.Dup()
	case "use":
		return s.kept.Do(ctx, "hello", c.Arg(0))
	case "drop":
		s.kept.Release()
	}
	return capnweb.Undefined, nil
}

type counter struct {
	n      int64
	counts *counts
}

func (c *counter) Call(_ context.Context, call *capnweb.Call) (any, error) {
	by, err := capnweb.Arg[int64](call, 0)
	c.n += by
	return c.n, err
}

func (c *counter) Get(_ context.Context, name string) (any, error) {
	if name != "n" {
		return capnweb.Undefined, nil
	}
	return c.n, nil
}

func (c *counter) Release() { c.counts.released.Add(1) }

type numbers struct {
	n, at  int64
	counts *counts
	end    error
}

func (s *numbers) Next(context.Context) (any, error) {
	if s.at == s.n {
		if s.end != nil {
			return nil, s.end
		}
		return nil, io.EOF
	}
	s.at++
	s.counts.made.Add(1)
	return s.at, nil
}

func (s *numbers) Close() error {
	s.counts.closed.Add(1)
	return nil
}

func sum(ctx context.Context, c *capnweb.Call) (any, error) {
	r, err := capnweb.Arg[*capnweb.Readable](c, 0)
	if err != nil {
		return nil, err
	}
	var sum int64
	for {
		v, err := r.Next(ctx)
		if err == io.EOF {
			return sum, nil
		}
		if err != nil {
			return nil, err
		}
		sum += v.(int64)
	}
}

func fill(ctx context.Context, c *capnweb.Call) error {
	w, err := capnweb.Arg[*capnweb.Writable](c, 0)
	if err != nil {
		return err
	}
	n, err := capnweb.Arg[int64](c, 1)
	for i := int64(1); i <= n && err == nil; i++ {
		err = w.Write(ctx, i)
	}
	if err != nil {
		return err
	}
	return w.Close(ctx)
}

// text reads a body.
func text(ctx context.Context, body any) (string, error) {
	r, ok := body.(*capnweb.Readable)
	if !ok {
		return fmt.Sprint(body), nil
	}
	var all []byte
	for {
		v, err := r.Next(ctx)
		if err == io.EOF {
			return string(all), nil
		}
		if err != nil {
			return "", err
		}
		all = append(all, v.([]byte)...)
	}
}

func describe(ctx context.Context, v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return "null", nil
	case capnweb.UndefinedType:
		return "undefined", nil
	case *capnweb.Request:
		body, err := text(ctx, x.Body)
		return fmt.Sprintf("request %s %s %s %s", x.Method, x.URL, x.Header.Get("x-a"), body), err
	case *capnweb.Response:
		body, err := text(ctx, x.Body)
		return fmt.Sprintf("response %d %s %s", x.Status, x.Header.Get("x-a"), body), err
	case *capnweb.Blob:
		body, err := text(ctx, x.Body)
		return fmt.Sprintf("blob %s %s", x.Type, body), err
	case time.Time:
		return "time.Time " + x.Format(time.RFC3339Nano), nil
	case []any:
		return fmt.Sprintf("[] %d", len(x)), nil
	case map[string]any:
		return "map[" + strings.Join(slices.Sorted(maps.Keys(x)), " ") + "]", nil
	case capnweb.TypedBytes:
		return fmt.Sprintf("capnweb.TypedBytes %s %d", x.Type, len(x.Data)), nil
	case http.Header:
		return "http.Header " + x.Get("x-a"), nil
	}
	return fmt.Sprintf("%T %v", v, v), nil
}

func build(kind any) (any, error) {
	switch kind {
	case "request":
		return &capnweb.Request{URL: "https://example.com/p?q", Method: "PUT", Header: http.Header{"X-A": {"1"}}, Body: once([]byte("text"))}, nil
	case "response":
		return &capnweb.Response{Status: 404, Header: http.Header{"X-A": {"2"}}, Body: once([]byte("text"))}, nil
	case "blob":
		return &capnweb.Blob{Type: "text/css", Body: once([]byte("hello"))}, nil
	}
	return nil, fmt.Errorf("no value %v", kind)
}

// onceSource is a stream of one chunk.
type onceSource struct{ chunk any }

func once(chunk any) capnweb.Source { return &onceSource{chunk} }

func (s *onceSource) Next(context.Context) (any, error) {
	if s.chunk == nil {
		return nil, io.EOF
	}
	v := s.chunk
	s.chunk = nil
	return v, nil
}

func (s *onceSource) Close() error { return nil }

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

var power100 = new(big.Int).Lsh(big.NewInt(1), 100)
