package tablet

import "context"

// Snapshot is one state of a shard, for reading only. Several streams may be
// open on it, and goroutines may use it side by side.
type Snapshot interface {
	// Query is Runner's, for statements that read.
	Query(ctx context.Context, q *Query) (Rows, error)
	// Newest says whether no commit has shown on the shard since the snapshot
	// was taken, and none is about to. It is false as well while a transaction is
	// prepared here for a holder elsewhere, as that may show there already, and where
	// it can't be asked before ctx ends.
	Newest(ctx context.Context) bool
	// Close lets go of the snapshot once its streams have ended.
	Close() error
}

// Snapshotter is a Tablet that can be part of a cut: a look at several shards
// as of one moment. Snapshots that were taken one after the other are such a
// look if all of them are the newest after the last was taken.
type Snapshotter interface {
	// Snapshot takes a snapshot that shows every commit up to now.
	Snapshot(ctx context.Context) (Snapshot, error)
	// HoldCommits returns when no commit is about to show on the shard, and
	// lets none show until release is called, which must be soon: a tablet
	// elsewhere doesn't wait for ever. release says whether it has waited so long.
	HoldCommits(ctx context.Context) (release func() bool, err error)
	// HoldDecisions returns when no distributed transaction that was decided here,
	// as the holder, is unfinished, and lets none be decided until release is
	// called. Where it is held on all shards no transaction is half done.
	HoldDecisions(ctx context.Context) (release func() bool, err error)
}

// SnapshotTx is a Tx that can be part of a cut.
type SnapshotTx interface {
	// TakeSnapshot takes the transaction's snapshot now and not with its first
	// statement; it does nothing when there is one.
	TakeSnapshot(ctx context.Context) error
	// Newest is Snapshot's. It is true as well while the transaction holds the
	// write lock, as nobody else can commit then.
	Newest(ctx context.Context) bool
}
