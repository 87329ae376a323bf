package twopc

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// TestFinish: after the decision a participant that fails is not given up.
func TestFinish(t *testing.T) {
	var journal []string
	bad := &fakeTx{name: "b", wrote: true, fails: "commitPrepared", journal: &journal}
	parts := []tablet.Tx{&fakeTx{name: "a", wrote: true, journal: &journal}, bad}
	err := Commit(context.Background(), TwoPC, "d1", parts, &fakeLog{journal: &journal})
	if tablet.CodeOf(err) != tablet.CodeUnknownResult || !errors.Is(err, errFault) {
		t.Fatalf("commit: %v", err)
	}
	var u *UnfinishedError
	if !errors.As(err, &u) || u.DTID != "d1" {
		t.Fatalf("%v holds no UnfinishedError", err)
	}
	if err := u.Finish(context.Background()); !errors.Is(err, errFault) {
		t.Fatalf("the first attempt: %v", err)
	}
	if strings.Contains(strings.Join(journal, " "), "log.done") {
		t.Error("the log was told too early")
	}
	bad.fails, journal = "", nil
	if err := u.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(journal, " "); got != "b.commitPrepared log.done(d1)" {
		t.Errorf("the last attempt did %s", got)
	}
}

// TestFaultPassesEveryPoint: a commit reaches each point that is its own, in
// order, once per participant where it is about one.
func TestFaultPassesEveryPoint(t *testing.T) {
	var journal, seen []string
	Fault = func(p Point, participant int) { seen = append(seen, p.String()+string(rune('0'+participant))) }
	defer func() { Fault = nil }()
	parts := []tablet.Tx{&fakeTx{name: "a", wrote: true, journal: &journal}, &fakeTx{name: "b", wrote: true, journal: &journal}}
	if err := Commit(context.Background(), TwoPC, "d1", parts, &fakeLog{journal: &journal}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, " "); got != "preparing0 preparing1 deciding0 decided0 committed0 committed1 forgetting0 finished0" {
		t.Errorf("points passed: %s", got)
	}
	if n := len(Points()); n != int(numPoints) || Points()[n-1] != Recovered {
		t.Errorf("points: %v", Points())
	}
}
