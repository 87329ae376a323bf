package capnweb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/internal/await"
)

// A peer that goes beyond a limit ends the session, and nothing of it is left.
func TestLimitsEndTheSession(t *testing.T) {
	push := func(args string) string { return `["push",["pipeline",0,["echo"],[` + args + `]]]` }
	wait := `["push",["pipeline",0,["wait"],["` + strings.Repeat("x", 500) + `"]]]`
	for _, c := range []struct {
		name   string
		limits Limits
		lines  []string
		want   string
	}{
		{"message", Limits{MessageBytes: 100}, []string{push(`"` + strings.Repeat("x", 100) + `"`)}, "at most 100 are taken"},
		{"depth", Limits{Depth: 20}, []string{push(strings.Repeat("[[", 20) + strings.Repeat("]]", 20))}, "deeper than 20 levels"},
		{"depth of objects", Limits{Depth: 20}, []string{push(strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20))}, "deeper than 20 levels"},
		{"depth of calls", Limits{Depth: 20}, []string{push(strings.Repeat(`["pipeline",0,["echo"],[`, 20) + strings.Repeat("]]", 20))}, "deeper than 20 levels"},
		{"depth of plain values", Limits{Depth: 20}, []string{push(`["request","http://a/",{"cf":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}]")}, "nests too deep"},
		{"bigint", Limits{BigIntDigits: 10}, []string{push(`["bigint","12345678901"]`)}, "at most 10 are taken"},
		{"calls", Limits{Exports: 3}, []string{push("1"), push("1"), push("1")}, "it must release them"},
		{"pipes", Limits{Exports: 3}, []string{`["pipe"]`, `["pipe"]`, `["pipe"]`}, "it must release them"},
		{"objects", Limits{Imports: 2}, []string{`["push",["pipeline",0,["wait"],[["export",-1],["promise",-2],["writable",-3]]]]`}, "more than 2 objects"},
		{"bytes of calls", Limits{QueuedBytes: 1000}, []string{wait, wait}, "calls of more than 1000 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			await.Goroutines(t)
			tr := newScript()
			var n atomic.Int32
			s := NewSession(tr, service(&n), &Options{Limits: c.limits})
			for _, line := range c.lines {
				select {
				case tr.in <- []byte(line):
				case <-s.ctx.Done():
				}
			}
			finish(t, s)
			var e *AbortError
			if !errors.As(s.Err(), &e) || e.Remote || !strings.Contains(e.Error(), c.want) {
				t.Errorf("the session ended with %v, want %q", s.Err(), c.want)
			}
			if st := s.Stats(); st != (Stats{}) {
				t.Errorf("it holds %+v", st)
			}
		})
	}
}

// A peer that asks and doesn't read the answers is given up.
func TestUnreadAnswersEndTheSession(t *testing.T) {
	await.Goroutines(t)
	ta, tb := Pipe()
	s := NewSession(tb, Methods{"big": func(context.Context, *Call) (any, error) { return strings.Repeat("x", 10000), nil }},
		&Options{Limits: Limits{QueuedBytes: 50000}})
	for i := 1; i < 1000; i++ {
		if ta.Send(t.Context(), []byte(`["stream",["pipeline",0,["big"],[]]]`)) != nil {
			break
		}
	}
	finish(t, s)
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "wait for the peer to read them") {
		t.Errorf("the session ended with %v", err)
	}
}

// What can't be sent within the limits fails alone; the session goes on.
func TestLimitsOfWhatIsSent(t *testing.T) {
	await.Goroutines(t)
	ta, tb := Pipe()
	var n atomic.Int32
	server := NewSession(tb, service(&n), nil)
	client := NewSession(ta, nil, &Options{Limits: Limits{Depth: 10, Exports: 3}})
	var deep any
	for range 20 {
		deep = []any{deep}
	}
	if _, err := client.Main().Do(t.Context(), "echo", deep); err == nil || !strings.Contains(err.Error(), "deeper than 10 levels") {
		t.Errorf("got %v", err)
	}
	f := Func(func(context.Context, *Call) (any, error) { return nil, nil })
	if _, err := client.Main().Do(t.Context(), "echo", f, f, f); err == nil || !strings.Contains(err.Error(), "more than 3") {
		t.Errorf("got %v", err)
	}
	settled(t, client, server)
	if v, err := client.Main().Do(t.Context(), "echo", "still here"); err != nil || v != "still here" {
		t.Errorf("got %v, %v", v, err)
	}
	_ = client.Close()
	finish(t, client)
	finish(t, server)
}

func TestLimitOfMaps(t *testing.T) {
	await.Goroutines(t)
	ta, tb := Pipe()
	var n atomic.Int32
	server := NewSession(tb, service(&n), &Options{Limits: Limits{MapSteps: 50}})
	client := NewSession(ta, nil, nil)
	list := make([]any, 60)
	for i := range list {
		list[i] = int64(i)
	}
	for _, c := range []struct {
		n    int
		want string
	}{{40, "<nil>"}, {60, "RangeError: a map runs more than 50 instructions"}} {
		whole := client.Main().Call(t.Context(), "echo", list[:c.n])
		p := whole.Map(func(_ *Mapping, e *Ref) any { return []any{e} })
		if _, err := p.Await(t.Context()); fmt.Sprint(err) != c.want {
			t.Errorf("%d elements: got %v, want %s", c.n, err, c.want)
		}
		p.Release()
		whole.Release()
	}
	settled(t, client, server)
	_ = client.Close()
	finish(t, client)
	finish(t, server)
}
