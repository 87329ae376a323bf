//go:build !nonode

package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// TestGoClient calls a JavaScript server over both transports.
func TestGoClient(t *testing.T) {
	url := startServer(t)
	batch := func(t *testing.T) *capnweb.Session {
		s := capnweb.NewBatch(t.Context(), url, nil, nil, nil)
		t.Cleanup(func() { _ = s.Close(); <-s.Done() })
		return s
	}
	socket := func(t *testing.T) *capnweb.Session {
		s, err := capnweb.Dial(t.Context(), strings.Replace(url, "http", "ws", 1), nil, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			defer func() { _ = s.Close(); <-s.Done() }()
			// JavaScript holds nothing for us but its main object: it counts before it
			// takes the call that asks into account.
			await.Nil(t, func() error {
				v, err := s.Main().Do(context.Background(), "stats")
				if m, _ := v.(map[string]any); err != nil || m["exports"] != int64(1) || m["imports"] != int64(1) {
					return fmt.Errorf("the peer still holds %v, %w", v, err)
				}
				return nil
			})
			await.Nil(t, func() error {
				if held := s.Stats(); held != (capnweb.Stats{Imports: 1, Exports: 1}) {
					return fmt.Errorf("the session still holds %+v", held)
				}
				return nil
			})
		})
		return s
	}
	for _, c := range []struct {
		name   string
		batch  bool // it fits into one batch too
		repeat bool // a batch per call
		f      func(*testing.T, func() *capnweb.Session)
	}{
		{"values", true, true, clientValues},
		{"described", true, true, clientDescribed},
		{"errors", true, true, clientErrors},
		{"pipelining", true, false, clientPipelining},
		{"callbacks", false, false, clientCallbacks},
		{"streams", false, false, clientStreams},
		{"pressure", false, false, clientPressure},
		{"fetch", false, false, clientFetch},
	} {
		if c.batch {
			t.Run("batch "+c.name, func(t *testing.T) {
				s := batch(t)
				c.f(t, func() *capnweb.Session {
					if c.repeat {
						return batch(t)
					}
					return s
				})
			})
		}
		t.Run("websocket "+c.name, func(t *testing.T) {
			s := socket(t)
			c.f(t, func() *capnweb.Session { return s })
		})
	}
}

func clientValues(t *testing.T, session func() *capnweb.Session) {
	for _, v := range []any{
		nil, true, capnweb.Undefined, int64(0), int64(1<<53 - 1), int64(1 << 53), int64(math.MaxInt64), int64(math.MinInt64), 1.5, 1e300,
		math.Inf(1), math.Inf(-1), "", "ünï \x00\n\u2028 𝄞 \"\\", []byte{}, []byte{0, 1, 255}, power100, time.UnixMilli(1234567890123).UTC(), time.Time{},
		[]any{}, []any{[]any{}}, []any{int64(1), []any{int64(2)}}, map[string]any{}, map[string]any{"a": []any{}, "b": map[string]any{}},
		capnweb.TypedBytes{Type: "Float64Array", Data: make([]byte, 16)}, mustURL("https://example.com/x?y"), http.Header{"X-A": {"1"}},
		&capnweb.Error{Name: "TypeError", Message: "m", Props: map[string]any{"code": int64(3)}},
	} {
		got, err := session().Main().Do(t.Context(), "echo", v)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%#v came back as %#v, %v", v, got, err)
		}
	}
	if got, err := session().Main().Do(t.Context(), "echo", math.NaN()); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN came back as %v, %v", got, err)
	}
	for kind, want := range map[string]any{
		"headers": http.Header{"X-A": {"3"}}, "url": mustURL("https://example.com/p?q#f"), "buffer": []byte{1, 2, 3}, "big": power100,
		"long": int64(9007199254740993), "invalid": time.Time{},
		"error":   &capnweb.Error{Name: "TypeError", Message: "m", Props: map[string]any{"code": int64(3), "cause": &capnweb.Error{Name: "Error", Message: "c"}}},
		"promise": []any{int64(1), int64(2)},
	} {
		got, err := session().Main().Do(t.Context(), "make", kind)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s came as %#v, %v", kind, got, err)
		}
	}
	got, err := session().Main().Do(t.Context(), "make", "nested")
	if m, ok := got.(map[string]any); err != nil || !ok || m["inf"] != math.Inf(1) || m["neg"] != math.Inf(-1) || !math.IsNaN(m["nan"].(float64)) ||
		!reflect.DeepEqual(m["a"], []any{[]any{int64(1)}, []any{[]any{}}, map[string]any{"b": capnweb.Undefined}}) {
		t.Errorf("got %#v, %v", got, err)
	}
}

// clientDescribed checks what JavaScript sees of our values.
func clientDescribed(t *testing.T, session func() *capnweb.Session) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{5.0, "number 5"}, {int64(5), "number 5"}, {math.Copysign(0, -1), "number -0"}, {int64(1<<53 + 1), "bigint 9007199254740993"},
		{math.NaN(), "number NaN"}, {math.Inf(1), "number Infinity"}, {1e21, "number 1e+21"}, {5e-324, "number 5e-324"},
		{nil, "object null"}, {capnweb.Undefined, "undefined undefined"}, {"\x00", "string \x00"}, {[]byte{1, 2}, "bytes 1,2"},
		{[]any{int64(1), []any{"x"}}, "array 2 number 1;array 1 string x"}, {map[string]any{"a": 1, "b": 2}, "object a,b"}, {[]string{"x"}, "array 1 string x"},
		{time.UnixMilli(5), "date 5"}, {time.Time{}, "date NaN"}, {mustURL("https://example.com/"), "url https://example.com/"},
		{http.Header{"X-A": {"1"}}, "headers 1"}, {capnweb.TypedBytes{Type: "Uint16Array", Data: []byte{1, 0, 2, 0}}, "Uint16Array 1,2"},
		{&capnweb.Error{Name: "RangeError", Message: "m", Props: map[string]any{"code": "C"}}, `error RangeError RangeError m "C"`},
		{errors.New("plain"), "error Error Error plain undefined"},
	} {
		got, err := session().Main().Do(t.Context(), "describe", c.v)
		if err != nil || got != c.want {
			t.Errorf("%#v is %v, %v; want %s", c.v, got, err, c.want)
		}
	}
}

func clientErrors(t *testing.T, session func() *capnweb.Session) {
	_, err := session().Main().Do(t.Context(), "fail")
	var e *capnweb.Error
	if !errors.As(err, &e) || e.Name != "RangeError" || e.Message != "too much" || e.Props["code"] != "TOO_BIG" || e.Props["limit"] != int64(7) {
		t.Errorf("got %#v", err)
	}
	if _, err := session().Main().Do(t.Context(), "nothing"); err == nil || !strings.Contains(err.Error(), "'nothing' is not a function") {
		t.Errorf("got %v", err)
	}
}

func clientPipelining(t *testing.T, session func() *capnweb.Session) {
	ctx := t.Context()
	main := session().Main()
	// Calls whose arguments aren't known yet let others pass: so each has a
	// counter of its own.
	counter := func() *capnweb.Promise { return main.Call(ctx, "counter") }
	c, d, e, f := counter(), counter(), counter(), counter()
	a := c.Call(ctx, "add", 3)
	b := c.Call(ctx, "add", a)
	n := d.Get("n")
	whole := main.Call(ctx, "echo", map[string]any{"list": []any{"x", "y"}})
	field := whole.Get("list", 1)
	list := main.Call(ctx, "echo", []any{int64(1), int64(2)})
	mapped := list.Map(func(m *capnweb.Mapping, n *capnweb.Ref) any {
		return map[string]any{"n": n, "sum": m.Capture(e).Call("add", n)}
	})
	lists := main.Call(ctx, "echo", []any{[]any{int64(1)}, []any{}, nil})
	nested := lists.Map(func(_ *capnweb.Mapping, l *capnweb.Ref) any {
		return l.Map(func(m *capnweb.Mapping, n *capnweb.Ref) any { return []any{n, m.Capture(f).Call("add", n)} })
	})
	all := []*capnweb.Promise{b, n, field, mapped, nested}
	for _, p := range all {
		p.Pull()
	}
	for i, want := range []any{
		int64(6), int64(0), "y",
		[]any{map[string]any{"n": int64(1), "sum": int64(1)}, map[string]any{"n": int64(2), "sum": int64(3)}},
		[]any{[]any{[]any{int64(1), int64(1)}}, []any{}, nil},
	} {
		got, err := all[i].Await(ctx)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d: got %#v, %v", i, got, err)
		}
	}
	for _, p := range append(all, a, c, d, e, f, whole, list, lists) {
		p.Release()
	}
}

func clientCallbacks(t *testing.T, session func() *capnweb.Session) {
	ctx := t.Context()
	main := session().Main()
	plus := capnweb.Func(func(_ context.Context, c *capnweb.Call) (any, error) {
		n, err := capnweb.Arg[int64](c, 0)
		return n + 10, err
	})
	if v, err := main.Do(ctx, "twice", plus); err != nil || v != int64(21) {
		t.Fatalf("got %v, %v", v, err)
	}
	if _, err := main.Do(ctx, "keep", plus); err != nil {
		t.Fatal(err)
	}
	if v, err := main.Do(ctx, "use", 5); err != nil || v != int64(15) {
		t.Fatalf("got %v, %v", v, err)
	}
	if _, err := main.Do(ctx, "drop"); err != nil {
		t.Fatal(err)
	}
	asked := main.Ask(ctx, "counter")
	v, err := asked.Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	asked.Release()
	if n, err := v.(*capnweb.Stub).Ask(ctx, "add", 2).Await(ctx); err != nil || n != int64(2) {
		t.Fatalf("got %v, %v", n, err)
	}
	v.(*capnweb.Stub).Release()
	for {
		st, err := main.Do(ctx, "stats")
		if err != nil {
			t.Fatal(err)
		}
		if st.(map[string]any)["released"].(int64) > 0 {
			break
		}
	}
}

func clientStreams(t *testing.T, session func() *capnweb.Session) {
	ctx := t.Context()
	main := session().Main()
	v, err := main.Do(ctx, "numbers", 1000)
	if err != nil {
		t.Fatal(err)
	}
	r := v.(*capnweb.Readable)
	for i := int64(1); i <= 1000; i++ {
		if n, err := r.Next(ctx); err != nil || n != i {
			t.Fatalf("got %v, %v instead of %d", n, err, i)
		}
	}
	if _, err := r.Next(ctx); err != io.EOF {
		t.Fatalf("got %v", err)
	}
	r.Release()
	var all counts
	if v, err := main.Do(ctx, "sum", &numbers{n: 100, counts: &all}); err != nil || v != int64(5050) {
		t.Fatalf("got %v, %v", v, err)
	}
	sink := &collector{}
	if _, err := main.Do(ctx, "fill", sink, 100); err != nil {
		t.Fatal(err)
	}
	if len(sink.got) != 100 || sink.got[99] != int64(100) || !sink.closed {
		t.Errorf("the sink got %d values, closed %v", len(sink.got), sink.closed)
	}
	if v, err = main.Do(ctx, "broken"); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = v.(*capnweb.Readable).Next(ctx)
	}
	if !strings.Contains(err.Error(), "broken on purpose") {
		t.Errorf("got %v", err)
	}
	capnweb.Release(v)
}

type collector struct {
	got    []any
	closed bool
}

func (c *collector) Write(_ context.Context, v any) error { c.got = append(c.got, v); return nil }
func (c *collector) Close(context.Context) error          { c.closed = true; return nil }
func (c *collector) Abort(error)                          {}

// clientPressure reads nothing of a long stream: JavaScript must stop at its
// window of 256 KiB, and go no further than that.
func clientPressure(t *testing.T, session func() *capnweb.Session) {
	ctx := t.Context()
	main := session().Main()
	v, err := main.Do(ctx, "numbers", 1000000)
	if err != nil {
		t.Fatal(err)
	}
	made := int64(-1)
	for {
		st, err := main.Do(ctx, "stats")
		if err != nil {
			t.Fatal(err)
		}
		now := st.(map[string]any)["pulled"].(int64)
		if now > 50000 {
			t.Fatalf("%d values were made for nobody", now)
		}
		if now == made && now > 2000 {
			break
		}
		made = now
	}
	v.(*capnweb.Readable).Release()
	for {
		st, err := main.Do(ctx, "stats")
		if err != nil {
			t.Fatal(err)
		}
		if st.(map[string]any)["cancelled"].(int64) > 0 {
			break
		}
	}
}

func clientFetch(t *testing.T, session func() *capnweb.Session) {
	ctx := t.Context()
	main := session().Main()
	for _, c := range []struct{ kind, want string }{
		{"request", "request PUT https://example.com/p?q 1 text"}, {"response", "response 404 2 text"}, {"blob", "blob text/css hello"},
	} {
		v, err := main.Do(ctx, "make", c.kind)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := describe(ctx, v); err != nil || got != c.want {
			t.Errorf("%s came as %v, %v", c.kind, got, err)
		}
		capnweb.Release(v)
		v, err = build(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := main.Do(ctx, "describe", v); err != nil || got != c.want {
			t.Errorf("%s went as %v, %v", c.kind, got, err)
		}
	}
}

// TestJavaScriptAborts: what JavaScript finds wrong ends the session here too.
func TestJavaScriptAborts(t *testing.T) {
	url := startServer(t)
	s, err := capnweb.Dial(t.Context(), strings.Replace(url, "http", "ws", 1), nil, nil, nil, &capnweb.Options{Limits: capnweb.Limits{Depth: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	var deep any
	for range 300 {
		deep = []any{deep}
	}
	_, err = s.Main().Do(t.Context(), "echo", deep)
	var aborted *capnweb.AbortError
	if !errors.As(err, &aborted) || !aborted.Remote || !strings.Contains(err.Error(), "depth") {
		t.Errorf("got %v", err)
	}
	<-s.Done()
}
