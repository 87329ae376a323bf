package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// Options say what the database can do, and how it is owned. The zero value is a
// usable default.
type Options struct {
	// Name names the database in errors, without secrets.
	Name string
	// Lease is for how long the owner is believed to be there without a sign of life;
	// default 15 s. A tablet that was killed keeps others away for as long.
	Lease time.Duration
	// Steal takes the database from an owner whose lease isn't over.
	Steal bool
	// MaxParameters and the others are what [tablet.Capabilities] has; 0 is no limit.
	MaxParameters, MaxStatement, MaxColumns, MaxTerms, MaxDepth int
	// Reconnect bounds the attempts to find out what became of a COMMIT under which the
	// connection broke; default 10 s.
	Reconnect time.Duration
	// JSON says that the driver carries values as JSON: infinities, and text that isn't
	// UTF-8, are refused.
	JSON bool
	// MaxResult bounds a result, which is held as a whole, in bytes; default 256 MiB.
	MaxResult int64
	// Timeout bounds each request whose context has no deadline; default 1 min.
	Timeout time.Duration
}

// Engine keeps a shard in a database behind database/sql.
type Engine struct {
	db    *sql.DB
	o     Options
	owner string
	// fresh is when the lease was moved on last, on this process's clock: the time
	// before the request was sent.
	fresh  atomic.Int64
	lost   atomic.Bool
	done   chan struct{}
	closed sync.Once
	work   sync.WaitGroup
}

var _ tabletserver.Engine = (*Engine)(nil)

// start is what times on this process's clock are counted from.
var start = time.Now()

// New makes the caller the owner of the database. It closes db when it is closed, and
// when it fails.
func New(ctx context.Context, db *sql.DB, o Options) (*Engine, error) {
	if o.Name == "" {
		o.Name = "database"
	}
	if o.Lease <= 0 {
		o.Lease = 15 * time.Second
	}
	if o.MaxResult <= 0 {
		o.MaxResult = 256 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Reconnect <= 0 {
		o.Reconnect = 10 * time.Second
	}
	var id [12]byte
	_, _ = rand.Read(id[:]) // it never fails
	e := &Engine{db: db, o: o, owner: hex.EncodeToString(id[:]), done: make(chan struct{})}
	if err := e.own(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	e.work.Go(e.renewing)
	return e, nil
}

// Capabilities implements [tabletserver.Engine].
func (e *Engine) Capabilities() tablet.Capabilities {
	return tablet.Capabilities{
		Dialect: "sqlite", TransactionalDDL: true, ConcurrentReads: true, Snapshots: true,
		MaxParameters: e.o.MaxParameters, MaxStatement: e.o.MaxStatement, MaxColumns: e.o.MaxColumns, MaxTerms: e.o.MaxTerms, MaxDepth: e.o.MaxDepth,
	}
}

// Connect implements [tabletserver.Engine].
func (e *Engine) Connect(ctx context.Context, h tabletserver.Hooks) (tabletserver.Conn, error) {
	c := &conn{e: e, hooks: h, ctx: ctx}
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close gives the database up.
func (e *Engine) Close() error {
	e.closed.Do(func() {
		close(e.done)
		e.work.Wait()
		if !e.lost.Load() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			_, _ = e.db.ExecContext(ctx, "UPDATE _vt_meta SET owner = NULL WHERE owner = '"+e.owner+"'")
		}
	})
	return e.db.Close()
}

const (
	createMeta = `CREATE TABLE IF NOT EXISTS _vt_meta(id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, turn INTEGER NOT NULL, owner TEXT, expires INTEGER)`
	firstMeta  = `INSERT INTO _vt_meta(id, schema, turn) VALUES(1, 0, 0) ON CONFLICT DO NOTHING`
	// createMark's table has a row for as long as it takes to see whether another one
	// was inserted after it.
	createMark = `CREATE TABLE IF NOT EXISTS _vt_mark(id INTEGER PRIMARY KEY)`
	moveMark   = `REPLACE INTO _vt_mark(id) VALUES(-9223372036854775807 - 1)`
)

// own makes this engine the owner.
func (e *Engine) own(ctx context.Context) error {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return e.fail(err)
	}
	defer c.Close()
	sent := time.Since(start)
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return e.fail(err)
	}
	err = e.take(ctx, c)
	if err == nil {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return e.fail(err)
	}
	e.fresh.Store(int64(sent))
	return nil
}

func (e *Engine) take(ctx context.Context, c *sql.Conn) error {
	for _, text := range []string{createMeta, firstMeta, createMark} {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	left := int64(0)
	err := c.QueryRowContext(ctx, "SELECT coalesce(expires - unixepoch(), 0) FROM _vt_meta WHERE owner IS NOT NULL").Scan(&left)
	if err != nil && err != sql.ErrNoRows {
		return err
	}
	if left > 0 && !e.o.Steal {
		return &tablet.Error{Code: tablet.CodeLockTimeout, Message: fmt.Sprintf(
			"%s is another process's, which was last there less than %s ago; close it, or wait %d s if it was killed", e.o.Name, e.o.Lease, left)}
	}
	_, err = c.ExecContext(ctx, fmt.Sprintf("UPDATE _vt_meta SET owner = '%s', expires = unixepoch() + %d", e.owner, e.seconds()))
	return err
}

// seconds is the lease by the database's clock, whose seconds may just be over.
func (e *Engine) seconds() int64 { return int64((e.o.Lease+time.Second-1)/time.Second) + 1 }

// renewing moves the lease on until the engine is closed.
func (e *Engine) renewing() {
	tick := time.NewTicker(e.o.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-e.done:
			return
		case <-tick.C:
		}
		e.renew()
	}
}

func (e *Engine) renew() {
	ctx, cancel := context.WithTimeout(context.Background(), e.o.Lease/2)
	defer cancel()
	sent := time.Since(start)
	res, err := e.db.ExecContext(ctx, fmt.Sprintf("UPDATE _vt_meta SET expires = unixepoch() + %d WHERE owner = '%s'", e.seconds(), e.owner))
	if err != nil {
		return
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 {
		e.lost.Store(true)
		return
	}
	e.fresh.Store(int64(sent))
}

// owned says why the database isn't this engine's to read, if it isn't.
func (e *Engine) owned() error {
	if e.lost.Load() {
		return e.taken()
	}
	if since := time.Since(start) - time.Duration(e.fresh.Load()); since > e.o.Lease {
		return &tablet.Error{Code: tablet.CodeIO, Message: fmt.Sprintf(
			"%s hasn't answered for %s, so that another process may own it by now", e.o.Name, since.Round(time.Second))}
	}
	return nil
}

func (e *Engine) taken() error {
	return &tablet.Error{Code: tablet.CodeClosed, Message: "another process has become the owner of " + e.o.Name + "; open the tablet again"}
}
