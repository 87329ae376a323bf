package twopc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// TestRecover: what a log has decided is brought to its end, in order, and the log
// is told when nobody lacks it any more.
func TestRecover(t *testing.T) {
	for _, tc := range []struct {
		name, fails string // how the second one fails
		tries       int    // how often it may
		want        string
		failed      bool
	}{
		{"nobody fails", "", 0, "a.commitPrepared b.commitPrepared c.commitPrepared log.done(d1)", false},
		{"once", "commitPrepared*1", 1, "a.commitPrepared b.commitPrepared b.commitPrepared c.commitPrepared log.done(d1)", false},
		{"for good", "commitPrepared", 1, "a.commitPrepared b.commitPrepared b.commitPrepared", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var journal, seen []string
			OnPoint(func(p Point, participant int) { seen = append(seen, p.String()+string(rune('0'+participant))) })
			defer func() { OnPoint(nil) }()
			parts := []tablet.Tx{&fakeTx{name: "a", journal: &journal}, nil, &fakeTx{name: "b", fails: tc.fails, journal: &journal}, &fakeTx{name: "c", journal: &journal}}
			tries := 0
			err := Recover(context.Background(), "d1", parts, &fakeLog{journal: &journal}, func(err error) bool {
				tries++
				return errors.Is(err, errFault) && tries <= tc.tries
			})
			if errors.Is(err, errFault) != tc.failed {
				t.Errorf("the error is %v", err)
			}
			if got := strings.Join(journal, " "); got != tc.want {
				t.Errorf("done: %s\nwant: %s", got, tc.want)
			}
			if !tc.failed && !slices.Equal(seen[len(seen)-2:], []string{"replaying3", "replayed3"}) {
				t.Errorf("points passed: %v", seen)
			}
		})
	}
	journal := []string{}
	if err := Recover(context.Background(), "d1", []tablet.Tx{nil, nil}, &fakeLog{journal: &journal}, nil); err != nil || !slices.Equal(journal, []string{"log.done(d1)"}) {
		t.Errorf("nothing to be done: %v, %v", journal, err)
	}
}
