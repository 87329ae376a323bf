package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	createMeta = `CREATE TABLE IF NOT EXISTS _vt_meta(id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, turn INTEGER NOT NULL, owner TEXT, expires INTEGER)`
	firstMeta  = `INSERT INTO _vt_meta(id, schema, turn) VALUES(1, 0, 0) ON CONFLICT DO NOTHING`
	// createMark's table has a row for as long as it takes to see whether another one
	// was inserted after it.
	createMark = `CREATE TABLE IF NOT EXISTS _vt_mark(id INTEGER PRIMARY KEY)`
	moveMark   = `REPLACE INTO _vt_mark(id) VALUES(-9223372036854775807 - 1)`
)

// row is the [lease.Store] of a database.
type row struct{ e *Engine }

// Claim implements [lease.Store]; it makes what isn't there yet.
func (r row) Claim(ctx context.Context, owner string, until time.Duration, steal bool) (left time.Duration, err error) {
	c, err := r.e.db.Conn(ctx)
	if err != nil {
		return 0, r.e.fail(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return 0, r.e.fail(err)
	}
	left, err = take(ctx, c, owner, until, steal)
	if err == nil && left == 0 {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil || left > 0 {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return left, r.e.fail(err)
}

// take is Claim within the transaction that holds the write lock.
func take(ctx context.Context, c *sql.Conn, owner string, until time.Duration, steal bool) (left time.Duration, err error) {
	for _, text := range []string{createMeta, firstMeta, createMark} {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return 0, err
		}
	}
	var seconds int64
	err = c.QueryRowContext(ctx, "SELECT coalesce(expires - unixepoch(), 0) FROM _vt_meta WHERE owner IS NOT NULL").Scan(&seconds)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	if seconds > 0 && !steal {
		return time.Duration(seconds) * time.Second, nil
	}
	_, err = c.ExecContext(ctx, "UPDATE _vt_meta SET owner = '"+owner+"', expires = "+end(until))
	return 0, err
}

// Renew implements [lease.Store].
func (r row) Renew(ctx context.Context, owner string, until time.Duration) (still bool, err error) {
	res, err := r.e.db.ExecContext(ctx, "UPDATE _vt_meta SET expires = "+end(until)+" WHERE owner = '"+owner+"'")
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Release implements [lease.Store].
func (r row) Release(ctx context.Context, owner string) error {
	_, err := r.e.db.ExecContext(ctx, "UPDATE _vt_meta SET owner = NULL WHERE owner = '"+owner+"'")
	return err
}

// end is a time from now by the database's clock, which counts whole seconds, of which one
// may just be over.
func end(until time.Duration) string {
	return fmt.Sprintf("unixepoch() + %d", int64((until+time.Second-1)/time.Second)+1)
}
