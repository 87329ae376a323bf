package capnweb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
)

// connect gives two sessions over a Pipe, and checks in the end that nothing of
// them is left.
func connect(t *testing.T, a, b Target) (*Session, *Session) {
	t.Helper()
	await.Goroutines(t)
	ta, tb := Pipe()
	sa, sb := NewSession(ta, a, nil), NewSession(tb, b, nil)
	t.Cleanup(func() {
		_ = sa.Close()
		finish(t, sa)
		finish(t, sb)
	})
	return sa, sb
}

func finish(t *testing.T, s *Session) {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(time.Minute):
		buf := make([]byte, 1<<20)
		t.Fatalf("a session doesn't end; goroutines:\n%s", buf[:runtime.Stack(buf, true)])
	}
}

// settled waits until both sessions hold only their main objects.
func settled(t *testing.T, list ...*Session) {
	t.Helper()
	for _, s := range list {
		await.Nil(t, func() error {
			if held := s.Stats(); held != (Stats{1, 1}) {
				return fmt.Errorf("a session still holds %+v", held)
			}
			return nil
		})
	}
}

// counter is an object that counts, and tells when it is released.
type counter struct {
	n        int64
	released *atomic.Int32
}

func (c *counter) Call(_ context.Context, call *Call) (any, error) {
	switch call.Method {
	case "add":
		by, err := Arg[int64](call, 0)
		if err != nil {
			return nil, err
		}
		c.n += by
		return c.n, nil
	case "self":
		return map[string]any{"value": c.n}, nil
	}
	return nil, fmt.Errorf("no method %s", call.Method)
}

func (c *counter) Get(_ context.Context, name string) (any, error) {
	if name == "n" {
		return c.n, nil
	}
	return Undefined, nil
}

func (c *counter) Release() { c.released.Add(1) }

// service is what the tests call.
func service(released *atomic.Int32) Methods {
	return Methods{
		"echo": func(_ context.Context, c *Call) (any, error) { return c.Arg(0), nil },
		"counter": func(_ context.Context, c *Call) (any, error) {
			return &counter{n: 0, released: released}, nil
		},
		"fail": func(_ context.Context, c *Call) (any, error) {
			return nil, &Error{Name: "RangeError", Message: "too much", Props: map[string]any{"code": "TOO_BIG", "limit": int64(7)}}
		},
		"twice": func(ctx context.Context, c *Call) (any, error) {
			f, err := Arg[*Stub](c, 0)
			if err != nil {
				return nil, err
			}
			a, err := f.Do(ctx, "", int64(1))
			if err != nil {
				return nil, err
			}
			return f.Do(ctx, "", a)
		},
		"wait": func(ctx context.Context, c *Call) (any, error) {
			c.Go()
			<-ctx.Done()
			released.Add(1)
			return nil, ctx.Err()
		},
		"numbers": func(_ context.Context, c *Call) (any, error) {
			n, err := Arg[int64](c, 0)
			return &numbers{n: n, closed: released}, err
		},
		"sum": func(ctx context.Context, c *Call) (any, error) {
			r, err := Arg[*Readable](c, 0)
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
		},
		"panic": func(context.Context, *Call) (any, error) { panic("on purpose") },
	}
}

// numbers is a source of 1, 2, 3 … n.
type numbers struct {
	n, at  int64
	closed *atomic.Int32
}

func (s *numbers) Next(context.Context) (any, error) {
	if s.at == s.n {
		return nil, io.EOF
	}
	s.at++
	return s.at, nil
}

func (s *numbers) Close() error {
	s.closed.Add(1)
	return nil
}

func TestCallsAndValues(t *testing.T) {
	var released atomic.Int32
	client, server := connect(t, nil, service(&released))
	ctx := t.Context()
	u, _ := url.Parse("https://example.com/a?b=c")
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for _, v := range []any{
		nil, true, false, Undefined, int64(0), int64(-1), int64(1<<53 - 1), int64(1 << 53), int64(math.MaxInt64), int64(math.MinInt64),
		0.0, 1.5, 5.0, 1e300, math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.SmallestNonzeroFloat64, 1e20,
		"", "text", "\"\\\n\r\t\x00\u2028 ünï 𝄞", []byte{}, []byte{0, 1, 2, 255},
		TypedBytes{"Float64Array", make([]byte, 16)}, huge, time.UnixMilli(1234567890123).UTC(), time.Time{},
		[]any{}, []any{[]any{}}, []any{int64(1), []any{int64(2), "x"}}, map[string]any{}, map[string]any{"a": []any{int64(1)}, "b": nil},
		&Error{Name: "TypeError", Message: "m", Props: map[string]any{"code": int64(3)}},
		&Error{Name: "Error", Message: "m", Stack: "at x"},
		u, http.Header{"A": {"1", "2"}, "B": {"3"}},
		&Request{URL: "https://example.com/", Method: "POST", Header: http.Header{"X": {"y"}}, Body: "text", Init: map[string]any{"duplex": "half", "redirect": "error"}},
		&Response{Status: 404, StatusText: "Not Found", Header: http.Header{"X": {"y"}}, Body: []byte{1}},
	} {
		got, err := client.Main().Do(ctx, "echo", v)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%#v came back as %#v, %v", v, got, err)
		}
	}
	if got, err := client.Main().Do(ctx, "echo", math.NaN()); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN came back as %v, %v", got, err)
	}
	settled(t, client, server)
}

func TestPipelining(t *testing.T) {
	var released atomic.Int32
	client, server := connect(t, nil, service(&released))
	ctx := t.Context()
	c := client.Main().Call(ctx, "counter")
	a := c.Call(ctx, "add", 3)
	b := c.Call(ctx, "add", a) // the result of one call is the argument of the next
	if v, err := b.Await(ctx); err != nil || v != int64(6) {
		t.Fatalf("got %v, %v", v, err)
	}
	n := c.Get("n")
	if v, err := n.Await(ctx); err != nil || v != int64(6) {
		t.Fatalf("property: %v, %v", v, err)
	}
	n.Release()
	whole := client.Main().Call(ctx, "echo", map[string]any{"list": []any{"x", "y"}})
	field := whole.Get("list", 1)
	whole.Release()
	if v, err := field.Await(ctx); err != nil || v != "y" {
		t.Fatalf("field: %v, %v", v, err)
	}
	field.Release()
	stub, err := c.Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	a.Release()
	b.Release()
	c.Release()
	if v, err := stub.(*Stub).Do(ctx, "add", 1); err != nil || v != int64(7) {
		t.Fatalf("got %v, %v", v, err)
	}
	if n := released.Load(); n != 0 {
		t.Fatalf("released %d times too early", n)
	}
	Release(stub)
	await.True(t, "the object is given back", func() bool { return released.Load() == 1 })
	settled(t, client, server)
}

// Ask is one message each way, whatever the result holds.
func TestAsk(t *testing.T) {
	var released atomic.Int32
	client, server := connect(t, nil, service(&released))
	ctx := t.Context()
	if v, err := client.Main().Ask(ctx, "echo", "x").Await(ctx); err != nil || v != "x" {
		t.Fatalf("got %v, %v", v, err)
	}
	p := client.Main().Ask(ctx, "counter")
	q := p.Call(ctx, "add", 2)
	if v, err := q.Await(ctx); err != nil || v != int64(2) {
		t.Fatalf("got %v, %v", v, err)
	}
	p.Release()
	q.Release()
	if _, err := client.Main().Ask(ctx, "fail").Await(ctx); err == nil || err.Error() != "RangeError: too much" {
		t.Fatalf("got %v", err)
	}
	client.Main().Ask(ctx, "counter").Release() // its object is given back when it comes
	await.True(t, "both objects are given back", func() bool { return released.Load() == 2 })
	settled(t, client, server)
}

func TestErrors(t *testing.T) {
	var released atomic.Int32
	client, server := connect(t, nil, service(&released))
	ctx := t.Context()
	_, err := client.Main().Do(ctx, "fail")
	var e *Error
	if !errors.As(err, &e) || e.Name != "RangeError" || e.Message != "too much" || e.Props["code"] != "TOO_BIG" || e.Props["limit"] != int64(7) {
		t.Errorf("got %#v", err)
	}
	for _, c := range []struct {
		p    *Promise
		want string
	}{
		{client.Main().Call(ctx, "nothing"), "'nothing' is not a function."},
		{client.Main().Call(ctx, "fail").Call(ctx, "more"), "too much"},
		{client.Main().Call(ctx, "echo", nil).Get("x"), "cannot read property 'x' of null"},
		{client.Main().Call(ctx, "echo", client.Main().Call(ctx, "fail")), "too much"},
		{client.Main().Call(ctx, "echo", "\xff"), "valid UTF-8"},
		{client.Main().Call(ctx, "echo", struct{}{}), "can't be sent"},
		{client.Main().Call(ctx, "panic"), `method "panic" failed unexpectedly`},
		{server.Main().Call(ctx, "x"), "no main object"},
		{client.Main().Get(), "can't be awaited"},
	} {
		if _, err := c.p.Await(ctx); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
		c.p.Release()
	}
}

func TestCallbacks(t *testing.T) {
	var released atomic.Int32
	client, server := connect(t, nil, service(&released))
	ctx := t.Context()
	double := Func(func(_ context.Context, c *Call) (any, error) {
		n, err := Arg[int64](c, 0)
		return 2 * n, err
	})
	if v, err := client.Main().Do(ctx, "twice", double); err != nil || v != int64(4) {
		t.Fatalf("got %v, %v", v, err)
	}
	// What comes back is the object itself, not a way around over the peer.
	stub := NewStub(double)
	back, err := client.Main().Do(ctx, "echo", stub)
	if err != nil || back.(*Stub).h != stub.h {
		t.Fatalf("got %v, %v", back, err)
	}
	Release(back)
	stub.Release()
	settled(t, client, server)
}

func TestCancelReachesTheMethod(t *testing.T) {
	var stopped atomic.Int32
	client, server := connect(t, nil, service(&stopped))
	ctx, cancel := context.WithCancel(t.Context())
	p := client.Main().Call(ctx, "wait")
	// The next call is answered while the first waits.
	if _, err := client.Main().Do(ctx, "echo", 1); err != nil {
		t.Fatal(err)
	}
	p.Pull()
	cancel()
	if _, err := p.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	p.Release()
	await.True(t, "the call is stopped", func() bool { return stopped.Load() > 0 })
	settled(t, client, server)
}

func TestStreams(t *testing.T) {
	var closed atomic.Int32
	client, server := connect(t, nil, service(&closed))
	ctx := t.Context()
	v, err := client.Main().Do(ctx, "numbers", 1000)
	if err != nil {
		t.Fatal(err)
	}
	r := v.(*Readable)
	for i := int64(1); ; i++ {
		v, err := r.Next(ctx)
		if err == io.EOF && i == 1001 {
			break
		}
		if err != nil || v != i {
			t.Fatalf("got %v, %v instead of %d", v, err, i)
		}
	}
	r.Release()
	// The other way, and given up in the middle.
	if v, err := client.Main().Do(ctx, "sum", &numbers{n: 100, closed: &closed}); err != nil || v != int64(5050) {
		t.Fatalf("got %v, %v", v, err)
	}
	v, err = client.Main().Do(ctx, "numbers", int64(1)<<60)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.(*Readable).Next(ctx); err != nil {
		t.Fatal(err)
	}
	Release(v)
	await.True(t, "the streams are closed", func() bool { return closed.Load() == 3 })
	settled(t, client, server)
}

// A source isn't read further ahead than the window, whatever the reader does.
func TestBackPressure(t *testing.T) {
	await.Goroutines(t)
	ta, tb := Pipe()
	var closed atomic.Int32
	src := &numbers{n: 1 << 60, closed: &closed}
	var made atomic.Int64
	client := NewSession(ta, nil, nil)
	server := NewSession(tb, Methods{"open": func(context.Context, *Call) (any, error) {
		return sourceFunc{func(ctx context.Context) (any, error) {
			made.Add(1)
			return src.Next(ctx)
		}}, nil
	}}, &Options{Limits: Limits{StreamWindow: 1000}})
	v, err := client.Main().Do(t.Context(), "open")
	if err != nil {
		t.Fatal(err)
	}
	r := v.(*Readable)
	for i := range 500 {
		if _, err := r.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		// One message has more than 30 bytes.
		if ahead := made.Load() - int64(i); ahead > 40 {
			t.Fatalf("the source is %d values ahead", ahead)
		}
	}
	r.Release()
	settled(t, client, server)
	_ = client.Close()
	finish(t, client)
	finish(t, server)
}

type sourceFunc struct {
	next func(context.Context) (any, error)
}

func (s sourceFunc) Next(ctx context.Context) (any, error) { return s.next(ctx) }
func (s sourceFunc) Close() error                          { return nil }

func TestMap(t *testing.T) {
	var released atomic.Int32
	client, server := connect(t, nil, service(&released))
	ctx := t.Context()
	counter := client.Main().Call(ctx, "counter")
	list := client.Main().Call(ctx, "echo", []any{int64(1), int64(2), int64(3)})
	p := list.Map(func(m *Mapping, n *Ref) any {
		return map[string]any{"n": n, "sum": m.Capture(counter).Call("add", n)}
	})
	v, err := p.Await(ctx)
	want := []any{map[string]any{"n": int64(1), "sum": int64(1)}, map[string]any{"n": int64(2), "sum": int64(3)}, map[string]any{"n": int64(3), "sum": int64(6)}}
	if err != nil || !reflect.DeepEqual(v, want) {
		t.Fatalf("got %v, %v", v, err)
	}
	p.Release()
	list.Release()
	list = client.Main().Call(ctx, "echo", []any{[]any{int64(1)}, []any{}, nil})
	nested := list.Map(func(m *Mapping, list *Ref) any {
		return list.Map(func(m *Mapping, n *Ref) any { return []any{n, m.Capture(counter).Call("add", n)} })
	})
	v, err = nested.Await(ctx)
	if err != nil || !reflect.DeepEqual(v, []any{[]any{[]any{int64(1), int64(7)}}, []any{}, nil}) {
		t.Fatalf("got %v, %v", v, err)
	}
	nested.Release()
	list.Release()
	counter.Release()
	settled(t, client, server)
}

func TestClose(t *testing.T) {
	var stopped atomic.Int32
	client, server := connect(t, nil, service(&stopped))
	ctx := t.Context()
	p := client.Main().Call(ctx, "wait")
	p.Pull()
	if _, err := client.Main().Do(ctx, "echo", 1); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	if _, err := p.Await(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	finish(t, server)
	if stopped.Load() != 1 {
		t.Error("Done was closed while a method ran")
	}
	if err := server.Err(); err != io.EOF {
		t.Errorf("the peer has %v", err)
	}
	if _, err := client.Main().Do(ctx, "echo", 1); !errors.Is(err, ErrClosed) {
		t.Errorf("a later call got %v", err)
	}
}

func TestAbort(t *testing.T) {
	client, server := connect(t, nil, Methods{})
	client.Abort(Errorf("RangeError", "enough"))
	finish(t, server)
	var e *AbortError
	if !errors.As(server.Err(), &e) || !e.Remote || e.Err.Error() != "RangeError: enough" {
		t.Errorf("got %v", server.Err())
	}
}
