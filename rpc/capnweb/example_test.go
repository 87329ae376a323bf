package capnweb_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// account is an object with state. Calls to it run one after the other.
type account struct{ balance int64 }

func (a *account) Call(_ context.Context, c *capnweb.Call) (any, error) {
	switch c.Method {
	case "deposit":
		n, err := capnweb.Arg[int64](c, 0)
		if err != nil {
			return nil, err
		}
		a.balance += n
		return a.balance, nil
	}
	return nil, capnweb.Errorf("TypeError", "an account can't %s", c.Method)
}

// bank is what the examples' clients call.
var bank = capnweb.Methods{
	"open": func(context.Context, *capnweb.Call) (any, error) { return &account{}, nil },
	"greet": func(ctx context.Context, c *capnweb.Call) (any, error) {
		ask, err := capnweb.Arg[*capnweb.Stub](c, 0)
		if err != nil {
			return nil, err
		}
		name, err := ask.Do(ctx, "") // calls back
		return fmt.Sprintf("hello %v", name), err
	},
	"count": func(context.Context, *capnweb.Call) (any, error) { return &counting{}, nil },
}

// counting is a stream of 1, 2, 3.
type counting struct{ n int64 }

func (c *counting) Next(context.Context) (any, error) {
	if c.n == 3 {
		return nil, io.EOF
	}
	c.n++
	return c.n, nil
}

func (c *counting) Close() error { return nil }

func serve() *httptest.Server {
	return httptest.NewServer(&capnweb.Handler{Main: func(*http.Request) (capnweb.Target, error) { return bank, nil }})
}

// Calls of a batch travel in one HTTP request, and may use each other's results.
func ExampleNewBatch() {
	srv := serve()
	defer srv.Close()
	ctx := context.Background()
	s := capnweb.NewBatch(ctx, srv.URL, nil, nil, nil)
	defer s.Close()
	acc := s.Main().Call(ctx, "open")
	first := acc.Call(ctx, "deposit", 10)
	second := acc.Call(ctx, "deposit", first) // what the first will return
	fmt.Println(second.Await(ctx))
	// Output: 20 <nil>
}

// Over a WebSocket the server can call back, and streams flow.
func ExampleDial() {
	srv := serve()
	defer srv.Close()
	ctx := context.Background()
	s, err := capnweb.Dial(ctx, strings.Replace(srv.URL, "http", "ws", 1), nil, nil, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	name := capnweb.Func(func(context.Context, *capnweb.Call) (any, error) { return "world", nil })
	fmt.Println(s.Main().Do(ctx, "greet", name))

	v, err := s.Main().Do(ctx, "count")
	if err != nil {
		fmt.Println(err)
		return
	}
	numbers := v.(*capnweb.Readable)
	defer numbers.Release()
	for {
		n, err := numbers.Next(ctx)
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(n)
	}
	// Output:
	// hello world <nil>
	// 1
	// 2
	// 3
	// EOF
}
