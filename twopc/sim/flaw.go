package sim

import (
	"fmt"
	"slices"

	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// Flaw is a way to get the protocol wrong. It alters what the machines hear or
// want, or what the disk keeps, so that the machines themselves stay as they
// are.
type Flaw uint8

// The flaws. Each takes away one thing that the protocol's promise rests on.
const (
	NoFlaw          Flaw = iota
	SkipRedo             // a participant promises without having written its redo
	PromiseEarly         // it promises while the redo is on its way to the disk
	UnlockEarly          // it gives its lock up when it has promised
	AbortAlone           // it rolls back when it has waited for long
	NeverAsk             // it doesn't ask what became of its transaction
	DropRedoEarly        // it drops its redo when it begins to commit
	NoMarker             // it commits without the marker
	MarkerEarly          // it drops the marker beside the redo, not after it
	NoReload             // after a crash it doesn't look for its redo
	WritersFirst         // after a crash it lets writers in before it has settled
	DecideEarly          // the coordinator decides when the first has prepared
	CommitEarly          // it says commit before there is a decision
	TellEarly            // it tells the client before the decision is durable
	UnknownIsAbort       // it takes silence for a refusal
	LostIsAbort          // it takes a decision without a trace for a refusal
	ForgetEarly          // it has the decision forgotten when it is made
	NoTombstone          // the holder says that a transaction aborts, and keeps nothing of that
	AnswerEarly          // it says that it has decided before that is durable
	AnswerUndecided      // it says that a transaction aborts while it decides that one
	PresumeCommit        // what it doesn't know commits
	ForgetFirst          // it forgets a decision when the first has confirmed
	NeverTell            // it waits for the coordinator to have every participant commit
	LookEarly            // it looks for a decision of unknown outcome while that may be written still
	DecideApart          // the decision is durable before the holder's own writes
	numFlaws
)

var flawNames = [numFlaws]string{"no flaw", "skip redo", "promise early", "unlock early", "abort alone", "never ask",
	"drop redo early", "no marker", "marker early", "no reload", "writers first", "decide early", "commit early",
	"tell early", "unknown is abort", "lost is abort", "forget early", "no tombstone", "answer early",
	"answer undecided", "presume commit", "forget first", "never tell", "look early", "decide apart"}

// String names the flaw.
func (f Flaw) String() string {
	if f >= numFlaws {
		return fmt.Sprintf("flaw %d", uint8(f))
	}
	return flawNames[f]
}

// Flaws lists all flaws.
func Flaws() []Flaw {
	out := make([]Flaw, 0, numFlaws-1)
	for f := NoFlaw + 1; f < numFlaws; f++ {
		out = append(out, f)
	}
	return out
}

// participate is p.Step with the flaw.
func (f Flaw) participate(p *protocol.Participant, in protocol.Msg) []protocol.Msg {
	if f == AbortAlone && in.Kind == protocol.Timeout && p.InDoubt() {
		in.Kind = protocol.Abort
	}
	out := p.Step(in, nil)
	switch {
	case f == SkipRedo && has(out, protocol.Persist):
		return p.Step(protocol.Msg{Kind: protocol.Persisted}, nil)
	case f == PromiseEarly && has(out, protocol.Persist):
		return p.Step(protocol.Msg{Kind: protocol.Persisted}, out)
	case f == UnlockEarly && has(out, protocol.Prepared):
		return append(out, protocol.Msg{Kind: protocol.Unlock})
	case f == NeverAsk && has(out, protocol.Ask):
		return nil
	case f == DropRedoEarly && p.Decided() && has(out, protocol.Apply):
		return append([]protocol.Msg{{Kind: protocol.DropRedo}}, out...)
	case f == MarkerEarly && has(out, protocol.DropRedo):
		return append([]protocol.Msg{{Kind: protocol.DropMarker}}, out...)
	}
	return out
}

// coordinate is c.Step with the flaw.
func (f Flaw) coordinate(c *protocol.Coordinator, in protocol.Msg) []protocol.Msg {
	switch {
	case f == LostIsAbort && in.Kind == protocol.DecideLost,
		f == UnknownIsAbort && in.Kind == protocol.Timeout && c.Deciding():
		in.Kind = protocol.DecideRefused
	}
	out := c.Step(in, nil)
	if f == DecideEarly && in.Kind == protocol.Prepared {
		for i := range c.Preparers() {
			out = c.Step(protocol.Msg{Kind: protocol.Prepared, Part: i}, out)
		}
	}
	decides := has(out, protocol.Decide) && in.Kind == protocol.Prepared
	switch {
	case f == CommitEarly && decides:
		for i := range c.Preparers() {
			out = append(out, protocol.Msg{Kind: protocol.Commit, Part: i})
		}
	case f == TellEarly && decides:
		out = append(out, protocol.Msg{Kind: protocol.Answer, Outcome: protocol.Commits})
	case f == ForgetEarly && in.Kind == protocol.Decided && len(out) > 0:
		out = append(out, protocol.Msg{Kind: protocol.Forget})
	}
	return out
}

// keep is k.Step with the flaw.
func (f Flaw) keep(k *keeper, dtid string, in protocol.Msg) []protocol.Msg {
	if f == NoTombstone && in.Kind == protocol.Ask {
		in.Open = false
	}
	known := slices.Contains(k.Pending(), dtid)
	out := k.Step(dtid, in, nil)
	switch {
	case f == AnswerUndecided && in.Kind == protocol.Ask && len(out) == 0:
		return []protocol.Msg{{Kind: protocol.Answer, Outcome: protocol.Aborts}}
	case f == PresumeCommit && in.Kind == protocol.Ask && !known:
		return []protocol.Msg{{Kind: protocol.Answer, Outcome: protocol.Commits}}
	case f == ForgetFirst && in.Kind == protocol.Committed && known && len(out) == 0:
		return k.Step(dtid, protocol.Msg{Kind: protocol.Forget}, nil)
	case f == NeverTell && in.Kind == protocol.Timeout:
		return nil
	}
	return out
}

func has(out []protocol.Msg, kind protocol.Kind) bool {
	return slices.ContainsFunc(out, func(m protocol.Msg) bool { return m.Kind == kind })
}
