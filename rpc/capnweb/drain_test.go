package capnweb

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer asks for a call's result by a second message. One that is still on its way
// when the session drains is waited for.
func TestDrain(t *testing.T) {
	const push = `["push",["pipeline",0,["echo"],[1]]]`
	for _, x := range []struct {
		name  string
		later string // what comes while the session drains
		after time.Duration
		sent  string
	}{
		{"asked late", `["pull",1]`, time.Second, `["resolve",1,1]`},
		{"given up", `["release",1,1]`, time.Second, ""},
		{"never asked", "", pullTime, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newScript()
				s := NewSession(tr, echo{}, nil)
				tr.in <- []byte(push)
				synctest.Wait()
				began := time.Now()
				if x.later != "" {
					go func() {
						time.Sleep(x.after)
						tr.in <- []byte(x.later)
					}()
				}
				if err := s.Drain(context.Background()); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != x.after {
					t.Errorf("drained after %v; want %v", took, x.after)
				}
				_ = s.Close()
				<-s.Done()
				close(tr.out)
				var sent []string
				for m := range tr.out {
					sent = append(sent, m)
				}
				if got := strings.Join(sent, " "); got != x.sent {
					t.Errorf("sent %q; want %q", got, x.sent)
				}
			})
		})
	}
}

type echo struct{}

func (echo) Call(_ context.Context, m *Call) (any, error) { return m.Arg(0), nil }
