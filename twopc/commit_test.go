package twopc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// fakeTx is a participant that notes what is asked of it in a shared journal.
type fakeTx struct {
	tablet.Tx
	name    string
	wrote   bool
	fails   string // the call that fails
	journal *[]string
}

// journals guards all journals: participants commit side by side.
var journals sync.Mutex

var errFault = errors.New("fault")

func (f *fakeTx) do(call string) error {
	journals.Lock()
	defer journals.Unlock()
	*f.journal = append(*f.journal, f.name+"."+call)
	if f.fails == call {
		return errFault
	}
	return nil
}

func (f *fakeTx) Wrote() bool                          { return f.wrote }
func (f *fakeTx) Commit(context.Context) error         { return f.do("commit") }
func (f *fakeTx) Rollback() error                      { return f.do("rollback") }
func (f *fakeTx) CommitPrepared(context.Context) error { return f.do("commitPrepared") }
func (f *fakeTx) Prepare(_ context.Context, dtid string) (tablet.Redo, error) {
	return tablet.Redo{Shard: f.name}, f.do("prepare")
}

type fakeLog struct {
	journal *[]string
	err     error
}

func (l *fakeLog) Append(dtid string, redos []tablet.Redo) error {
	shards := make([]string, len(redos))
	for i, r := range redos {
		shards[i] = r.Shard
	}
	*l.journal = append(*l.journal, "log.append("+dtid+" "+strings.Join(shards, ",")+")")
	return l.err
}

func (l *fakeLog) Done(dtid string) { *l.journal = append(*l.journal, "log.done("+dtid+")") }

func TestCommit(t *testing.T) {
	tests := []struct {
		name  string
		mode  Mode
		parts string // one letter each: r reads, w writes; "w!call" fails there
		log   error
		noLog bool
		want  string // journal; commitPrepared calls sorted, since they run side by side
		code  tablet.Code
		fails bool
	}{
		{name: "nobody wrote", parts: "r r", want: "p0.rollback p1.rollback"},
		{name: "one writer commits by itself", parts: "r w", want: "p0.rollback p1.commit"},
		{name: "one writer fails", parts: "w!commit", want: "p0.commit p0.rollback", fails: true},
		{name: "all or nothing", parts: "w r w",
			want: "p1.rollback p0.prepare p2.prepare log.append(tx p0,p2) p0.commitPrepared p2.commitPrepared log.done(tx)"},
		{name: "a prepare fails", parts: "w w!prepare w", fails: true,
			want: "p0.prepare p1.prepare p0.rollback p1.rollback p2.rollback"},
		{name: "the decision fails", parts: "w w", log: errFault, fails: true,
			want: "p0.prepare p1.prepare log.append(tx p0,p1) p0.rollback p1.rollback"},
		{name: "a commit fails after the decision", parts: "w w!commitPrepared", fails: true, code: tablet.CodeUnknownResult,
			want: "p0.prepare p1.prepare log.append(tx p0,p1) p0.commitPrepared p1.commitPrepared"},
		{name: "in memory", parts: "w w", noLog: true,
			want: "p0.prepare p1.prepare p0.commitPrepared p1.commitPrepared"},
		{name: "multi", mode: Multi, parts: "w w", want: "p0.commit p1.commit"},
		{name: "multi fails at first", mode: Multi, parts: "w!commit w", fails: true, want: "p0.commit p0.rollback p1.rollback"},
		{name: "multi fails in the middle", mode: Multi, parts: "w w!commit w", fails: true, code: tablet.CodeUnknownResult,
			want: "p0.commit p1.commit p1.rollback p2.rollback"},
		{name: "single", mode: Single, parts: "w w", fails: true, code: tablet.CodeUnsupported, want: "p0.rollback p1.rollback"},
		{name: "single with one writer", mode: Single, parts: "w r", want: "p1.rollback p0.commit"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var journal []string
			var parts []tablet.Tx
			for i, p := range strings.Fields(tc.parts) {
				kind, fails, _ := strings.Cut(p, "!")
				parts = append(parts, &fakeTx{name: "p" + string(rune('0'+i)), wrote: kind == "w", fails: fails, journal: &journal})
			}
			mode := tc.mode
			if mode == "" {
				mode = TwoPC
			}
			var log Log = &fakeLog{journal: &journal, err: tc.log}
			if tc.noLog {
				log = nil
			}
			err := Commit(t.Context(), mode, "tx", parts, log)
			if (err != nil) != tc.fails {
				t.Fatalf("Commit: %v, want an error: %v", err, tc.fails)
			}
			if tc.code != "" && tablet.CodeOf(err) != tc.code {
				t.Errorf("code %q, want %q", tablet.CodeOf(err), tc.code)
			}
			slices.SortStableFunc(journal, func(a, b string) int {
				if strings.HasSuffix(a, "commitPrepared") && strings.HasSuffix(b, "commitPrepared") {
					return strings.Compare(a, b)
				}
				return 0
			})
			if got := strings.Join(journal, " "); got != tc.want {
				t.Errorf("calls\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}
