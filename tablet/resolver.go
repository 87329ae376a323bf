package tablet

import (
	"context"
	"time"
)

// Outcome is what the holder of a decision says about a transaction.
type Outcome string

// The outcomes.
const (
	Commits   Outcome = "commits"
	Aborts    Outcome = "aborts"
	Undecided Outcome = "undecided" // ask again
)

// InDoubt is a transaction that a tablet has prepared. It holds the shard's
// write lock.
type InDoubt struct {
	DTID    string
	Holder  Target    // where the decision is kept
	Since   time.Time // when it was prepared, or found after a crash
	Decided bool      // to commit; what is in the way has failed once
}

// Decision is one that a tablet keeps as the holder: some participant may not
// have committed yet.
type Decision struct {
	DTID         string
	Participants []Target  // without the holder itself
	Since        time.Time // when it was made, or found after a crash
}

// Resolver settles distributed transactions by their IDs, when whoever began
// them is gone. It is safe for concurrent use. Every call may be repeated.
type Resolver interface {
	// CommitPrepared commits what is prepared under dtid, which must be decided.
	// It does nothing when dtid isn't known: then it is committed already.
	CommitPrepared(ctx context.Context, dtid string) error
	// RollbackPrepared rolls back what is prepared under dtid, whose holder must
	// have said that it aborts. It does nothing when dtid isn't known.
	RollbackPrepared(ctx context.Context, dtid string) error
	// Prepared lists what is prepared for a holder elsewhere.
	Prepared(ctx context.Context) ([]InDoubt, error)
	// Outcome tells what became of a transaction whose holder this tablet is. An
	// unknown one aborts, and will from then on: it is not decided any more.
	Outcome(ctx context.Context, dtid string) (Outcome, error)
	// Decisions lists the decisions that are kept here.
	Decisions(ctx context.Context) ([]Decision, error)
	// Confirm tells the holder that a participant has committed. When all have,
	// it forgets the decision.
	Confirm(ctx context.Context, dtid string, participant Target) error
}
