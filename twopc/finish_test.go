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
	if !errors.As(err, &u) || u.DTID() != "d1" {
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

// TestCommitEarly: the client is told when it is decided, and what follows is done
// by whoever has been given it, however often it takes.
func TestCommitEarly(t *testing.T) {
	var journal []string
	b := &fakeTx{name: "b", wrote: true, fails: "commitPrepared*2", journal: &journal}
	parts := []tablet.Tx{&fakeTx{name: "a", wrote: true, journal: &journal}, b, &fakeTx{name: "c", wrote: true, journal: &journal}}
	var rest *Rest
	if err := CommitEarly(context.Background(), TwoPC, "d1", parts, func(r *Rest) { rest = r }); err != nil || rest == nil {
		t.Fatal(rest, err)
	}
	if got := journal[len(journal)-1]; got != "c.decide(d1 a b)" {
		t.Errorf("it returned after %s", got)
	}
	if at := rest.Shards(); rest.DTID() != "d1" || len(at) != 2 || at[0].Shard != "a" || at[1].Shard != "b" {
		t.Errorf("left are %v of %s", at, rest.DTID())
	}
	for i := range 2 {
		if err := rest.Finish(context.Background()); !errors.Is(err, errFault) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	journal = nil
	if err := rest.Finish(context.Background()); err != nil || strings.Join(journal, " ") != "b.commitPrepared c.conclude" {
		t.Errorf("the last attempt did %v, %v", journal, err)
	}

	// What isn't decided leaves nothing.
	bad := &fakeTx{name: "a", wrote: true, fails: "prepare", journal: &journal}
	err := CommitEarly(context.Background(), TwoPC, "d2", []tablet.Tx{bad, b}, func(*Rest) { t.Error("something is left") })
	if !errors.Is(err, errFault) {
		t.Error(err)
	}
	if err := CommitEarly(context.Background(), TwoPC, "", []tablet.Tx{b}, func(*Rest) { t.Error("something is left") }); err != nil {
		t.Error(err)
	}
}

// TestFaultPassesEveryPoint: a commit reaches each point that is its own, in
// order, once per participant where it is about one.
func TestFaultPassesEveryPoint(t *testing.T) {
	var journal, seen []string
	OnPoint(func(p Point, participant int) { seen = append(seen, p.String()+string(rune('0'+participant))) })
	defer func() { OnPoint(nil) }()
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
