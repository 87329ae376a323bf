package vitessdo

import (
	"context"
	"sync"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
)

// Where a shard loses its snapshots with the next commit, a view of such shards is
// read in the hope that none comes between. A statement for which that has failed
// often is given a view that keeps commits away: the locks of all shards.

// lock takes shards in by their locks, all or none.
func (v *view) lock(ctx context.Context, shards []tablet.Tablet, at []exec.Place) error {
	old := len(v.parts)
	for i, t := range shards {
		tx, err := t.Begin(ctx, tablet.TxOptions{Write: true, ID: v.id, Age: v.age, Holds: func() bool { return len(v.parts) > 0 }})
		if err != nil {
			for _, p := range v.parts[old:] {
				_ = p.snap.Close()
			}
			v.parts = v.parts[:old]
			return err
		}
		v.parts = append(v.parts, &viewedTablet{Tablet: t, at: at[i], snap: &locked{tx: tx}})
	}
	return nil
}

// locked is a shard that nobody can change, as a snapshot.
type locked struct {
	mu sync.Mutex
	tx tablet.Tx
}

var _ tablet.Snapshot = (*locked)(nil)

// Query implements tablet.Snapshot.
func (l *locked) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tx.Query(ctx, q)
}

// Newest implements tablet.Snapshot.
func (l *locked) Newest(context.Context) bool { return true }

// Close implements tablet.Snapshot.
func (l *locked) Close() error { return l.tx.Rollback() }
