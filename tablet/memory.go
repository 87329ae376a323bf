package tablet

import (
	"context"
	"time"
)

// Memory is a Tablet that remembers what it has carried out, through a crash: a
// request that is sent again, since its answer was lost, needn't be carried out
// again. Names are the caller's; those that begin with "dtid/" are distributed
// transactions, which Decide remembers by itself.
type Memory interface {
	// Remembers is how long something is remembered at least; 0 when nothing is.
	Remembers() time.Duration
	// Recall gives what was kept under a name, of all that is committed.
	Recall(ctx context.Context, name string) (kept []byte, found bool, err error)
}

// MemoryTx is a Tx of such a tablet.
type MemoryTx interface {
	// Recall is Memory's, for a transaction that holds the write lock: nobody can
	// add the name before it ends.
	Recall(ctx context.Context, name string) (kept []byte, found bool, err error)
	// Remember keeps something under a name, if and when the transaction commits by
	// Commit. It is called once, before that. A transaction that has written nothing
	// leaves nothing behind.
	Remember(ctx context.Context, name string, kept []byte) error
}
