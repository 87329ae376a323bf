package protocol

import "fmt"

// Kind says what a message is.
type Kind uint8

// The messages between machines.
const (
	Prepare       Kind = iota // coordinator to participant: promise to commit
	Prepared                  // participant to coordinator: promised
	Refused                   // participant to coordinator: rolled back, never to commit
	Decide                    // coordinator to holder: make the decision to commit durable
	Decided                   // holder to coordinator: it is
	DecideRefused             // holder to coordinator: it isn't and never will be
	DecideLost                // holder to coordinator: there is no trace of the transaction any more
	DecideUnknown             // holder to coordinator: its disk failed, nobody can say
	Commit                    // coordinator or holder to participant: it is decided
	Committed                 // participant to whoever said Commit: done, durably
	Abort                     // coordinator to participant: it isn't and won't be decided
	Aborted                   // participant to coordinator: rolled back
	Ask                       // participant to holder: what became of it?
	Answer                    // holder to participant, and coordinator to client: Outcome
	Forget                    // coordinator to holder: every participant has committed

	// Events that a driver makes.

	Start         // to the coordinator: commit
	GiveUp        // to the coordinator: nobody waits any longer
	Timeout       // to anybody: nothing has happened for a while
	Begin         // to a participant: the transaction has written and holds the lock
	Carry         // to the holder's own participant: commit together with the decision
	Load          // to a participant or keeper: a record was found after a crash
	Persisted     // the redo is durable
	PersistFailed // it is not, and won't turn up
	Applied       // the writes are committed, durably
	ApplyFailed   // they are not
	RedoGone      // the redo won't turn up after any crash
	Recorded      // the decision is durable
	RecordFailed  // it is not, and won't turn up
	RecordUnknown // nobody can say
	Unlocked      // the transaction that held the holder's lock has ended

	// Effects that a driver carries out.

	Persist      // make the redo durable, answer Persisted or PersistFailed
	Undo         // roll back in the engine
	Lock         // take the shard's write lock before anybody else may
	Unlock       // let go of it
	Apply        // commit in the engine, by replay if the transaction isn't open; answer Applied or ApplyFailed
	DropRedo     // the redo isn't needed; at leisure, answer RedoGone
	DropMarker   // the marker isn't needed; at leisure
	Record       // make the decision durable, answer Recorded, RecordFailed or RecordUnknown
	DropDecision // the decision isn't needed; at leisure
	numKinds
)

var kindNames = [numKinds]string{
	"prepare", "prepared", "refused", "decide", "decided", "decide refused", "decide lost", "decide unknown",
	"commit", "committed", "abort", "aborted", "ask", "answer", "forget",
	"start", "give up", "timeout", "begin", "carry", "load", "persisted", "persist failed", "applied", "apply failed",
	"redo gone", "recorded", "record failed", "record unknown", "unlocked",
	"persist", "undo", "lock", "unlock", "apply", "drop redo", "drop marker", "record", "drop decision",
}

// String gives the kind's name.
func (k Kind) String() string {
	if k >= numKinds {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kindNames[k]
}

// Outcome is what became of a transaction.
type Outcome uint8

// The outcomes. Who gets Unknown can't tell the other two apart, and never may
// take it for one of them.
const (
	Unknown Outcome = iota
	Commits
	Aborts
)

// String names the outcome.
func (o Outcome) String() string { return [...]string{"unknown", "commits", "aborts"}[o] }

// Msg is one event or effect.
type Msg struct {
	Kind Kind
	// Part is the participant's ordinal, where a coordinator or keeper deals
	// with several. In Decide and Load to a keeper it is their number, without
	// the holder.
	Part int
	// Outcome is for Answer.
	Outcome Outcome
	// Open tells a keeper, in Decide, that what carries the decision is there
	// still: the open transaction, or for a log the process that it serves. In
	// Ask, that some transaction holds the lock. In Load to a participant it says
	// that the marker is there.
	Open bool
}

// String gives the kind and what belongs to it.
func (m Msg) String() string {
	if m.Kind == Answer {
		return "answer " + m.Outcome.String()
	}
	return m.Kind.String()
}
