package vitessdo

import (
	"context"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// hasty is a tablet elsewhere on which commits come all the time. So many times it
// doesn't wait for long enough until what is decided is done, and then so many times it
// doesn't hold commits for long enough.
type hasty struct {
	tablet.Tablet
	tablet.Snapshotter
	undone, lapses int
}

func (h *hasty) Target() tablet.Target             { return tablet.Target{Keyspace: "ks", Shard: "-"} }
func (h *hasty) Capabilities() tablet.Capabilities { return tablet.Capabilities{} }

func (h *hasty) HoldDecisions(context.Context) (func() bool, error) {
	if h.undone--; h.undone >= 0 {
		return nil, &tablet.Error{Code: tablet.CodeCanceled, Message: "it took too long"}
	}
	return func() bool { return true }, nil
}

func (h *hasty) HoldCommits(context.Context) (func() bool, error) {
	h.lapses--
	held := h.lapses < 0
	return func() bool { return held }, nil
}

type never struct{}

func (never) Newest(context.Context) bool { return false }

// Whoever looks at several shards tries anew when one didn't hold its commits for long
// enough, for as long as he may wait; what he has seen then, he lets go.
func TestHeldTooShort(t *testing.T) {
	for _, c := range []struct {
		name   string
		undone int
		lapses int
		wait   time.Duration
		code   Code
	}{
		{"held", 0, 0, time.Minute, ""},
		{"held at last", 2, 3, time.Minute, ""},
		{"never held", 0, 1 << 60, 10 * time.Millisecond, CodeLockTimeout},
		{"never done", 1 << 60, 0, 10 * time.Millisecond, CodeLockTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &hasty{undone: c.undone, lapses: c.lapses}
			cl := &cluster{apart: true}
			cl.tablets.Store(&tabletMap{"ks": {h}})
			open := 0
			take := func() ([]cutPart, error) { open++; return []cutPart{{snap: never{}}}, nil }
			_, err := cl.cut(t.Context(), []tablet.Tablet{h}, c.wait, take, func() { open-- })
			if c.code != "" {
				wantCode(t, err, c.code, "a cut")
			} else if err != nil {
				t.Error(err)
			}
			if want := map[bool]int{true: 1, false: 0}[err == nil]; open != want {
				t.Errorf("%d looks are open, not %d", open, want)
			}
		})
	}
}
