package capnweb

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/vitessdo/vitessdo/internal/await"
)

// script is a transport whose other end is a test that writes the wire by hand.
type script struct {
	in   chan []byte
	out  chan string
	idle chan struct{} // gets one each time the session waits for a message
	once sync.Once
	end  chan struct{}
}

func newScript() *script {
	return &script{in: make(chan []byte), out: make(chan string, 1000), idle: make(chan struct{}, 1000), end: make(chan struct{})}
}

func (s *script) Send(_ context.Context, m []byte) error {
	s.out <- string(m)
	return nil
}

func (s *script) Receive(context.Context) ([]byte, error) {
	s.idle <- struct{}{}
	select {
	case m := <-s.in:
		return m, nil
	case <-s.end:
		return nil, io.EOF
	}
}

func (s *script) Close(reason error) error {
	s.once.Do(func() {
		if reason != nil {
			s.out <- "close: " + reason.Error()
		}
		close(s.end)
	})
	return nil
}

// TestWire plays the scripts in testdata/wire. The commands:
//
//	peer [read=N] [sorted]
//	                 sends the lines to the session, and prints the N messages
//	                 that it sends then; sorted, when their order isn't fixed
//	call NAME METHOD [on=OTHER] [read=N]
//	                 calls the peer with the values in the input; later commands
//	                 know the promise as NAME
//	await NAME [read=N]  waits for it in the background; "result" prints it
//	result NAME      prints what came
//	release NAME [read=N]
//	stats            prints how much the session holds
func TestWire(t *testing.T) {
	datadriven.Walk(t, "testdata/wire", func(t *testing.T, path string) {
		await.Goroutines(t)
		w := &wireTest{t: t, tr: newScript(), promises: map[string]*Promise{}, results: map[string]chan string{}}
		w.s = NewSession(w.tr, service(&w.released), &Options{Limits: Limits{StreamWindow: 100}})
		<-w.tr.idle
		defer func() {
			_ = w.s.Close()
			finish(t, w.s)
		}()
		datadriven.RunTest(t, path, w.run)
	})
}

type wireTest struct {
	t        *testing.T
	tr       *script
	s        *Session
	released atomic.Int32
	promises map[string]*Promise
	results  map[string]chan string
}

func (w *wireTest) run(t *testing.T, d *datadriven.TestData) string {
	name := func() string { return d.CmdArgs[0].Key }
	switch d.Cmd {
	case "peer":
		for line := range strings.SplitSeq(d.Input, "\n") {
			select {
			case w.tr.in <- []byte(line):
				select {
				case <-w.tr.idle:
				case <-w.s.ctx.Done():
				}
			case <-w.s.ctx.Done():
			}
		}
	case "call":
		args := []any{}
		for line := range strings.SplitSeq(d.Input, "\n") {
			if line != "" {
				args = append(args, w.value(line))
			}
		}
		on := w.s.Main().Call
		if d.HasArg("on") {
			var other string
			d.ScanArgs(t, "on", &other)
			on = w.promises[other].Call
		}
		w.promises[name()] = on(t.Context(), d.CmdArgs[1].Key, args...)
	case "await":
		c := make(chan string, 1)
		w.results[name()] = c
		p := w.promises[name()]
		ready := make(chan struct{})
		go func() {
			p.Pull()
			close(ready)
			v, err := p.Await(context.Background())
			c <- show(v, err)
			Release(v)
		}()
		<-ready
	case "result":
		select {
		case r := <-w.results[name()]:
			return r
		case <-time.After(10 * time.Second):
			d.Fatalf(t, "no result")
		}
	case "release":
		w.promises[name()].Release()
	case "stats":
		return fmt.Sprintf("%+v released=%d\n", w.s.Stats(), w.released.Load())
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	n := 0
	if d.HasArg("read") {
		d.ScanArgs(t, "read", &n)
	}
	var sent []string
	for range n {
		select {
		case m := <-w.tr.out:
			sent = append(sent, m+"\n")
		case <-time.After(10 * time.Second):
			d.Fatalf(t, "only this was sent:\n%s", strings.Join(sent, ""))
		}
	}
	// A stream writes when its goroutine runs: before or behind an answer.
	slices.SortStableFunc(sent, func(a, b string) int {
		return cmp.Compare(strings.Count(a[:min(len(a), 9)], `["stream"`), strings.Count(b[:min(len(b), 9)], `["stream"`))
	})
	if d.HasArg("sorted") {
		slices.Sort(sent)
	}
	return strings.Join(sent, "")
}

// value makes an argument: $NAME is a promise, func a function of ours, anything
// else is written as on the wire.
func (w *wireTest) value(text string) any {
	if name, ok := strings.CutPrefix(text, "$"); ok {
		return w.promises[name]
	}
	if text == "func" {
		return Func(func(_ context.Context, c *Call) (any, error) { return c.Args, nil })
	}
	v, err := Unmarshal([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func show(v any, err error) string {
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	if s, ok := v.(*Stub); ok {
		return fmt.Sprintf("a stub of %T\n", s.h)
	}
	return fmt.Sprintf("%#v\n", v)
}
