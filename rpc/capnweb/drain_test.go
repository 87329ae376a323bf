package capnweb

import (
	"context"
	"io"
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
				if got := sentUntilClosed(s, tr); got != x.sent {
					t.Errorf("sent %q; want %q", got, x.sent)
				}
			})
		})
	}
}

// sentUntilClosed closes a session, and gives all that it has sent.
func sentUntilClosed(s *Session, tr *script) string {
	_ = s.Close()
	<-s.Done()
	close(tr.out)
	var sent []string
	for m := range tr.out {
		sent = append(sent, m)
	}
	return strings.Join(sent, " ")
}

type echo struct{}

func (echo) Call(_ context.Context, m *Call) (any, error) { return m.Arg(0), nil }

// A stream that the peer was given comes to its end before the session has drained.
func TestDrainStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newScript()
		s := NewSession(tr, slow{}, nil)
		tr.in <- []byte(`["push",["pipeline",0,["rows"],[]]]`)
		tr.in <- []byte(`["pull",1]`)
		synctest.Wait()
		began := time.Now()
		go func() {
			time.Sleep(2 * time.Second)
			tr.in <- []byte(`["resolve",2,["undefined"]]`)
		}()
		if err := s.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("drained after %v, before the peer had the end of the stream", took)
		}
		const want = `["pipe"] ["resolve",1,["readable",1]] ["stream",["pipeline",1,["close"],[]]] ["release",1,1]`
		if got := sentUntilClosed(s, tr); got != want {
			t.Errorf("sent %q; want %q", got, want)
		}
	})
}

// slow gives a stream that ends after a second.
type slow struct{}

func (slow) Call(context.Context, *Call) (any, error) { return Source(slow{}), nil }

func (slow) Next(context.Context) (any, error) {
	time.Sleep(time.Second)
	return nil, io.EOF
}

func (slow) Close() error { return nil }
