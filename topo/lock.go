package topo

import (
	"context"
	"fmt"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// Named locks are rows with a time until which they hold: whoever has one says
// again and again that he still wants it, and one whose owner is gone comes free by
// itself. The clock is that of the catalog's tablet.

const lockNow = `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`

// TakeLock takes a lock for an owner, or keeps it if he has it. It says whether he
// has it now, until the lease is over. note goes with the lock, for LockHolder.
func (c *Catalog) TakeLock(ctx context.Context, name, owner string, note int64, lease time.Duration) (ok bool, err error) {
	err = each(ctx, c.t, `INSERT INTO locks (name, owner, note, until) VALUES (?1, ?2, ?3, `+lockNow+` + ?4)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, note = excluded.note, until = excluded.until
WHERE owner = excluded.owner OR until < `+lockNow+` RETURNING 1`, 1, func([]tablet.Value) error {
		ok = true
		return nil
	}, name, owner, note, lease.Milliseconds())
	if err != nil {
		return false, fmt.Errorf("lock %q: %w", name, err)
	}
	return ok, nil
}

// KeepLocks prolongs all locks of an owner, and gives those that he has.
func (c *Catalog) KeepLocks(ctx context.Context, owner string, lease time.Duration) (names []string, err error) {
	err = each(ctx, c.t, `UPDATE locks SET until = `+lockNow+` + ?2 WHERE owner = ?1 RETURNING name`, 1, func(row []tablet.Value) error {
		names = append(names, asText(row[0]))
		return nil
	}, owner, lease.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("locks: can't keep them: %w", err)
	}
	return names, nil
}

// ReleaseLock lets go of a lock, if the owner has it.
func (c *Catalog) ReleaseLock(ctx context.Context, name, owner string) error {
	_, err := c.t.Exec(ctx, &tablet.Query{SQL: `DELETE FROM locks WHERE name = ?1 AND owner = ?2`, Args: []tablet.Value{name, owner}})
	if err != nil {
		return fmt.Errorf("lock %q: can't release it: %w", name, err)
	}
	return nil
}

// LockHolder tells who has a lock, and the note that he took it with; "" for nobody.
func (c *Catalog) LockHolder(ctx context.Context, name string) (owner string, note int64, err error) {
	err = each(ctx, c.t, `SELECT owner, note FROM locks WHERE name = ?1 AND until >= `+lockNow, 2, func(row []tablet.Value) error {
		owner, note = asText(row[0]), asInt(row[1])
		return nil
	}, name)
	if err != nil {
		return "", 0, fmt.Errorf("lock %q: %w", name, err)
	}
	return owner, note, nil
}
