package twopc

import (
	"context"
	"errors"
	"slices"
	"strconv"
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
	fails   string // the call that fails; with a number, the first so many times
	times   int
	code    tablet.Code // of the failure
	journal *[]string
}

// journals guards all journals: participants commit side by side.
var journals sync.Mutex

var errFault = errors.New("fault")

func (f *fakeTx) do(call string) error { return f.note(call, call) }

// note writes text for a call into the journal, and fails where it should.
func (f *fakeTx) note(call, text string) error {
	journals.Lock()
	defer journals.Unlock()
	*f.journal = append(*f.journal, f.name+"."+text)
	name, many, _ := strings.Cut(f.fails, "*")
	if name != call {
		return nil
	}
	if n, err := strconv.Atoi(many); err == nil && f.times == n {
		return nil
	}
	f.times++
	if f.code != "" {
		return &tablet.Error{Code: f.code, Err: errFault, Message: call + " fails"}
	}
	return errFault
}

func (f *fakeTx) Wrote() bool                          { return f.wrote }
func (f *fakeTx) Commit(context.Context) error         { return f.do("commit") }
func (f *fakeTx) Rollback() error                      { return f.do("rollback") }
func (f *fakeTx) CommitPrepared(context.Context) error { return f.do("commitPrepared") }
func (f *fakeTx) Prepare(_ context.Context, dtid string, _ tablet.Target) (tablet.Redo, error) {
	return tablet.Redo{Shard: f.name}, f.do("prepare")
}

func (f *fakeTx) Target() tablet.Target                  { return tablet.Target{Shard: f.name} }
func (f *fakeTx) Conclude(context.Context, string) error { return f.do("conclude") }

func (f *fakeTx) Decide(_ context.Context, dtid string, parts []tablet.Target) error {
	call := "decide(" + dtid
	for _, p := range parts {
		call += " " + p.Shard
	}
	return f.note("decide", call+")")
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
		lost  bool   // what fails leaves open whether it was done
		want  string // journal; prepare and commitPrepared calls sorted, since they run side by side
		code  tablet.Code
		fails bool
	}{
		{name: "nobody wrote", parts: "r r", want: "p0.rollback p1.rollback"},
		{name: "one writer commits by itself", parts: "r w", want: "p1.commit p0.rollback"},
		{name: "one writer fails", parts: "w!commit", want: "p0.commit p0.rollback", fails: true},
		{name: "all or nothing", parts: "w r w",
			want: "p0.prepare p2.prepare log.append(tx p0,p2) p0.commitPrepared p2.commitPrepared log.done(tx) p1.rollback"},
		{name: "a prepare fails", parts: "w w!prepare w", fails: true,
			want: "p0.prepare p1.prepare p0.rollback p1.rollback p2.rollback"},
		{name: "the decision fails", parts: "w w", log: errFault, fails: true,
			want: "p0.prepare p1.prepare log.append(tx p0,p1) p0.rollback p1.rollback"},
		{name: "a commit fails after the decision", parts: "w w!commitPrepared", fails: true, code: tablet.CodeUnknownResult,
			want: "p0.prepare p1.prepare log.append(tx p0,p1) p0.commitPrepared p1.commitPrepared"},
		{name: "the last one decides", parts: "w r w w", noLog: true,
			want: "p0.prepare p2.prepare p3.decide(tx p0 p2) p0.commitPrepared p2.commitPrepared p3.conclude p1.rollback"},
		{name: "a prepare fails, the last one deciding", parts: "w!prepare w", noLog: true, fails: true,
			want: "p0.prepare p0.rollback p1.rollback"},
		{name: "the last one refuses", parts: "w w!decide", noLog: true, fails: true,
			want: "p0.prepare p1.decide(tx p0) p0.rollback p1.rollback"},
		{name: "its answer is lost once", parts: "w w!decide*1", noLog: true, lost: true,
			want: "p0.prepare p1.decide(tx p0) p1.decide(tx p0) p0.commitPrepared p1.conclude"},
		{name: "its answer is lost for good", parts: "w w!decide", noLog: true, lost: true, fails: true, code: tablet.CodeUnknownResult,
			want: "p0.prepare p1.decide(tx p0) p1.decide(tx p0) p1.decide(tx p0) p1.decide(tx p0)"},
		{name: "nobody knows what the log's disk has", parts: "w w", fails: true, code: tablet.CodeUnknownResult,
			log:  &tablet.Error{Code: tablet.CodeUnknownResult},
			want: "p0.prepare p1.prepare log.append(tx p0,p1)"},
		{name: "multi", mode: Multi, parts: "w w", want: "p0.commit p1.commit"},
		{name: "multi fails at first", mode: Multi, parts: "w!commit w", fails: true, want: "p0.commit p0.rollback p1.rollback"},
		{name: "multi fails in the middle", mode: Multi, parts: "w w!commit w", fails: true, code: tablet.CodeUnknownResult,
			want: "p0.commit p1.commit p1.rollback p2.rollback"},
		{name: "single", mode: Single, parts: "w w", fails: true, code: tablet.CodeUnsupported, want: "p0.rollback p1.rollback"},
		{name: "single with one writer", mode: Single, parts: "w r", want: "p0.commit p1.rollback"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var journal []string
			var parts []tablet.Tx
			for i, p := range strings.Fields(tc.parts) {
				kind, fails, _ := strings.Cut(p, "!")
				f := &fakeTx{name: "p" + string(rune('0'+i)), wrote: kind == "w", fails: fails, journal: &journal}
				if tc.lost {
					f.code = tablet.CodeUnknownResult
				}
				parts = append(parts, f)
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
				for _, sideBySide := range []string{".prepare", ".commitPrepared"} {
					if strings.HasSuffix(a, sideBySide) && strings.HasSuffix(b, sideBySide) {
						return strings.Compare(a, b)
					}
				}
				return 0
			})
			if got := strings.Join(journal, " "); got != tc.want {
				t.Errorf("calls\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}
