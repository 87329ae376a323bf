package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// conn is a connection that is made anew when it breaks outside of a transaction.
type conn struct {
	*link
	e     *Engine
	one   *session // whose link this is; nil where each conn has its own
	hooks tabletserver.Hooks
	ctx   context.Context
	id    int64
	held  []*result // by the number of their portals; nil where that is free

	has     bool // the turn at the session
	lazy    lazy
	open    bool   // a transaction is, and the database knows it
	claimed int64  // its turn, once it may write; else 0
	late    bool   // it has read before
	wrote   bool   // it has
	moves   bool   // and something else than redos
	version uint64 // of the schema, that it has set
	changes int64
}

var (
	_ tabletserver.Conn     = (*conn)(nil)
	_ tabletserver.Upgrader = (*conn)(nil)
	_ tabletserver.Queued   = (*conn)(nil)
)

// link is the way to the database.
type link struct {
	alone    bool           // it is a session's
	mu       sync.Mutex     // guards c against Close
	c        *pgconn.PgConn // nil when it is to be made
	watch    *ctxwatch.ContextWatcher
	closed   bool
	cache    cache
	unsynced bool // the last request's end hasn't come yet
}

// reach makes the connection.
func (l *link) reach(ctx context.Context, e *Engine) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return &tablet.Error{Code: tablet.CodeClosed, Message: "the connection is closed"}
	}
	if l.c != nil && !l.c.IsClosed() {
		return nil
	}
	made, err := e.connect(ctx)
	if err != nil {
		return e.fail(err)
	}
	return e.fail(l.use(ctx, e, made))
}

// use makes the link of a connection.
func (l *link) use(ctx context.Context, e *Engine, c *pgconn.PgConn) error {
	l.c, l.unsynced = c, false
	l.watch = ctxwatch.NewContextWatcher(e.cfg.BuildContextWatcherHandler(c))
	l.cache = cache{schemas: e.schemas.Load()}
	if !l.alone {
		return nil
	}
	return c.Exec(ctx, tidy).Close()
}

// drop lets go of a connection that nobody should use any more.
func (l *link) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.c == nil {
		return
	}
	if l.alone {
		_ = l.c.Conn().Close() // at once, whatever it is at
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.c.Close(ctx)
	l.c = nil
}

// end is drop for ever.
func (l *link) end() {
	l.drop()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
}

func (c *conn) drop() {
	c.link.drop()
	c.ended()
}

func (c *conn) ended() {
	if c.one != nil && c.open {
		c.one.give()
	}
	c.lazy = lazy{}
	c.open, c.claimed, c.late, c.wrote, c.moves, c.version = false, 0, false, false, false, 0
	for _, r := range c.held {
		if r != nil && r.more {
			r.more, r.err = false, &tablet.Error{Code: tablet.CodeMisuse, Message: "the transaction ended while its rows were read"}
		}
	}
	c.held = nil
}

// Close implements [tabletserver.Conn].
func (c *conn) Close() error {
	switch {
	case c.one == nil:
		c.link.end()
		c.ended()
	case c.open:
		c.drop()
	}
	return nil
}

// SetContext implements [tabletserver.Conn].
func (c *conn) SetContext(ctx context.Context) { c.ctx = ctx }

// InTransaction implements [tabletserver.Conn].
func (c *conn) InTransaction() bool { return c.open || c.lazy.on }

// Trust implements [tabletserver.Conn]: what a statement may reach is the matter of the
// database's user.
func (c *conn) Trust(bool) bool { return false }

// TotalChanges implements [tabletserver.Conn].
func (c *conn) TotalChanges() int64 { return c.changes }

// DeferredKeys implements [tabletserver.Conn]: the gate keeps all foreign keys.
func (c *conn) DeferredKeys() (bool, error) { return false, nil }

// Broken implements [tabletserver.Conn]: what is broken is made anew.
func (c *conn) Broken() bool { return false }

// bounded gives a context an end.
func (c *conn) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.e.o.Timeout)
}

// do makes a request. Outside of a transaction it asks again on a new connection when
// the old one turns out to be gone, as idle ones are after a while: what runs there are
// reads, and what begins a transaction.
func (c *conn) do(ctx context.Context, request func(context.Context) error) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if !c.has {
		leave, err := c.Await(c.patient(ctx))
		if err != nil {
			return err
		}
		defer leave()
	}
	again := !c.open
	for {
		if c.open && (c.c == nil || c.c.IsClosed()) {
			c.drop()
			return &tablet.Error{Code: tablet.CodeIO, Message: "the transaction was lost with its connection"}
		}
		if err := c.reach(ctx, c.e); err != nil {
			return err
		}
		err := c.synced(ctx)
		if err == nil {
			err = request(ctx)
		}
		if err == nil {
			return nil
		}
		if again && (c.c.IsClosed() || c.one != nil && disturbed(err)) && ctx.Err() == nil {
			again = false
			c.drop()
			continue
		}
		return c.failed(ctx, err)
	}
}

// failed looks at what an error has left of the connection.
func (c *conn) failed(ctx context.Context, err error) error {
	out := c.e.fail(err)
	if ctx.Err() != nil {
		out = &tablet.Error{Code: tablet.CodeCanceled, Err: ctx.Err(), Message: "the statement was interrupted: " + ctx.Err().Error()}
	}
	if c.c.IsClosed() {
		c.drop()
	}
	return out
}

// run runs statements without parameters in one request.
func (c *conn) run(ctx context.Context, text string) (results []*pgconn.Result, err error) {
	err = c.do(ctx, func(ctx context.Context) (err error) {
		results, err = c.c.Exec(ctx, text).ReadAll()
		return err
	})
	return results, err
}

// claim makes sure, once the transaction has the row that every writer takes, that the
// database is still the owner's, and moves the turn on. begin stands before.
func (c *conn) claim(ctx context.Context, begin string) error {
	results, err := c.run(ctx, begin+"UPDATE _vt_meta SET turn = turn + 1 WHERE owner = '"+c.e.lease.Owner()+"' RETURNING turn")
	if err != nil {
		return err
	}
	if strings.HasPrefix(begin, "BEGIN") {
		c.ended()
		c.open = true
	}
	rows := results[len(results)-1].Rows
	if len(rows) == 0 {
		return c.e.lease.Taken()
	}
	c.claimed, err = strconv.ParseInt(string(rows[0][0]), 10, 64)
	return err
}

// Control implements [tabletserver.Conn].
func (c *conn) Control(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.e.o.Timeout)
	defer cancel()
	switch {
	case c.lazy.on && !strings.HasPrefix(text, "PRAGMA"):
		c.lazy.control(text)
		return nil
	case text == "COMMIT":
		return c.commit(ctx)
	case text == "ROLLBACK":
		if c.open {
			if _, err := c.run(ctx, text); err != nil && c.open {
				c.drop() // that rolls back, too
			}
			c.ended()
		}
		return nil
	case strings.HasPrefix(text, "BEGIN"):
		return c.begin(ctx, text)
	case strings.HasPrefix(text, "PRAGMA foreign_keys"):
		return nil // there are none
	case strings.HasPrefix(text, setVersion):
		return nil // whoever writes has the lock
	case strings.HasPrefix(text, "ROLLBACK TO"):
		c.keep() // portals that were made since are gone then
		if c.late {
			return c.claim(ctx, text+"; ") // the claim may be younger, and gone, too
		}
	}
	_, err := c.run(ctx, text)
	return err
}

func (c *conn) begin(ctx context.Context, text string) error {
	if c.one != nil {
		c.lazy = lazy{on: true, writes: text != "BEGIN", seen: -1}
		return nil
	}
	if err := c.e.lease.Held(); err != nil {
		return err
	}
	if text == "BEGIN" {
		// All that it reads is of one moment.
		if _, err := c.run(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ"); err != nil {
			return err
		}
		c.ended()
		c.open = true
		return nil
	}
	// Nobody else writes meanwhile, so that each statement sees the same moment.
	if err := c.claim(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED; "); err != nil {
		c.open = true
		_ = c.Control("ROLLBACK")
		return err
	}
	return nil
}

// Upgrade implements [tabletserver.Upgrader]. Nobody has written since the transaction's
// moment, so that it may go on with that.
func (c *conn) Upgrade() error {
	if c.lazy.on {
		c.lazy.writes = true
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.e.o.Timeout)
	defer cancel()
	if err := c.claim(ctx, ""); err != nil {
		return err
	}
	c.late = true
	return nil
}

// commit commits, and finds out what became of it when the connection breaks.
func (c *conn) commit(ctx context.Context) error {
	if !c.open || !c.wrote {
		_, err := c.run(ctx, "COMMIT")
		if err != nil && (c.open || c.one == nil) {
			c.drop()
		}
		c.ended()
		return err
	}
	version := c.version
	return c.hooks.Commit(version, func() error {
		turn := c.claimed
		if c.one != nil && c.moves {
			c.one.commits.Add(1)
		}
		results, err := c.run(ctx, "COMMIT")
		switch {
		case err == nil && results[0].CommandTag.String() != "COMMIT":
			c.ended()
			return &tablet.Error{Code: tablet.CodeIO, Message: "the transaction was rolled back by " + c.e.o.Name}
		case err == nil:
			if version != 0 {
				c.e.schemas.Add(1)
			}
			c.ended()
			return nil
		case c.open: // the database says no
			return err
		}
		if err = c.e.lease.Settle(ctx, turn, err, c.turn); err == nil && version != 0 {
			c.e.schemas.Add(1)
		}
		return err
	})
}

// turn reads the turn when all that came before has ended, by the lock of its row.
func (c *conn) turn(ctx context.Context) (int64, error) {
	results, err := c.run(ctx, "SELECT turn FROM _vt_meta WHERE owner = '"+c.e.lease.Owner()+"' FOR UPDATE")
	if err != nil {
		return 0, err
	}
	rows := results[0].Rows
	if len(rows) == 0 {
		return 0, c.e.lease.Taken()
	}
	return strconv.ParseInt(string(rows[0][0]), 10, 64)
}

// QueryAll implements [tabletserver.Conn].
func (c *conn) QueryAll(ctx context.Context, text string, args ...tablet.Value) ([][]tablet.Value, error) {
	c.ctx = ctx
	s, err := c.Prepare(text)
	if err != nil {
		return nil, err
	}
	defer s.Release()
	if err := s.Bind(args); err != nil {
		return nil, err
	}
	st := s.(*stmt)
	var all [][]tablet.Value
	for {
		if ok, err := st.Step(); err != nil || !ok {
			return all, err
		}
		all = append(all, slices.Clone(st.rows.row()))
	}
}
