package tabletserver

import "context"

// Lock takes the write lock, for SELECT … FOR UPDATE. When the transaction has
// read already and another one has committed since, that is CodeConflict: what
// it would lock is no longer what it has seen.
func (x *Tx) Lock(ctx context.Context) error {
	if err := x.usable(); err != nil {
		return x.t.at(err)
	}
	switch {
	case x.locked:
		return nil
	case x.c == nil:
		return x.t.at(x.startWrite(ctx))
	case !x.read && !x.opts.ReadOnly:
		x.leaveReader()
		return x.t.at(x.startWrite(ctx))
	}
	if err := x.takeLock(ctx); err != nil {
		return x.t.at(err)
	}
	if x.t.cfg.Engine != nil {
		return x.t.at(x.writeApart())
	}
	if x.t.commits.newest(x.c.seen) {
		return nil
	}
	// There may have been a commit since. SQLite knows.
	if err := x.c.lock(); err != nil {
		return x.t.at(err)
	}
	defer x.c.mu.Unlock()
	if err := x.patiently(ctx, x.touch); err != nil {
		x.failed(err)
		return x.t.at(err)
	}
	return nil
}

// touch makes SQLite begin to write, which it refuses on an old snapshot, and
// takes the write back.
func (x *Tx) touch() error {
	c := x.c.c
	if err := c.Control("SAVEPOINT _vt_touch"); err != nil {
		return err
	}
	err := c.Control("PRAGMA user_version=0")
	if c.InTransaction() {
		_ = c.Control("ROLLBACK TO _vt_touch")
		_ = c.Control("RELEASE _vt_touch")
	}
	return err
}

const (
	foreignKeysOff = "PRAGMA foreign_keys=OFF"
	foreignKeysOn  = "PRAGMA foreign_keys=ON"
)

// foreignKeys switches a transaction's foreign keys, where it asked for that, on
// a locked connection that has no transaction open.
func (x *Tx) foreignKeys(c *conn, on bool) error {
	switch {
	case !x.opts.NoForeignKeys || !x.opts.Write || x.t.cfg.NoForeignKeys:
		return nil
	case on:
		return c.c.Control(foreignKeysOn)
	}
	return c.c.Control(foreignKeysOff)
}
