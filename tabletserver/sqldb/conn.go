package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"
	"strings"
	"sync"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// conn is a connection that is made anew when it breaks outside of a transaction.
type conn struct {
	e     *Engine
	hooks tabletserver.Hooks
	ctx   context.Context

	mu     sync.Mutex // guards c against Close
	c      *sql.Conn  // nil when it is to be made
	closed bool
	keys   string // the PRAGMA foreign_keys that holds, "" for the database's own

	open    bool   // a transaction is
	claimed int64  // its turn, once it may write; else 0
	wrote   bool   // it has
	version uint64 // of the schema, that it has set
	changes int64
}

var _ tabletserver.Conn = (*conn)(nil)

// reach makes the connection.
func (c *conn) reach(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return &tablet.Error{Code: tablet.CodeClosed, Message: "the connection is closed"}
	}
	if c.c != nil {
		return nil
	}
	made, err := c.e.db.Conn(ctx)
	if err == nil && c.keys != "" {
		_, err = made.ExecContext(ctx, c.keys)
	}
	if err != nil {
		if made != nil {
			_ = made.Close()
		}
		return c.e.fail(err)
	}
	c.c = made
	return nil
}

// drop lets go of a connection that nobody should use any more.
func (c *conn) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.c != nil {
		_ = c.c.Raw(func(any) error { return driver.ErrBadConn }) // the pool closes it
		_ = c.c.Close()
		c.c = nil
	}
	c.ended()
}

func (c *conn) ended() { c.open, c.claimed, c.wrote, c.version = false, 0, false, 0 }

// Close implements [tabletserver.Conn].
func (c *conn) Close() error {
	c.drop()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	return nil
}

// SetContext implements [tabletserver.Conn].
func (c *conn) SetContext(ctx context.Context) { c.ctx = ctx }

// InTransaction implements [tabletserver.Conn].
func (c *conn) InTransaction() bool { return c.open }

// Trust implements [tabletserver.Conn]: behind database/sql nobody can tell.
func (c *conn) Trust(bool) bool { return false }

// TotalChanges implements [tabletserver.Conn].
func (c *conn) TotalChanges() int64 { return c.changes }

// DeferredKeys implements [tabletserver.Conn]: no key that the tablet's tables have is
// checked at the end only.
func (c *conn) DeferredKeys() (bool, error) { return false, nil }

// Broken implements [tabletserver.Conn]: what is broken is made anew.
func (c *conn) Broken() bool { return false }

// exec runs a statement without rows.
func (c *conn) exec(ctx context.Context, text string, args ...any) (res sql.Result, err error) {
	err = c.do(ctx, func(ctx context.Context) (err error) {
		res, err = c.c.ExecContext(ctx, text, args...)
		return err
	})
	return res, err
}

// do makes a request. Outside of a transaction it asks again on a new connection when
// the old one turns out to be gone, as idle ones are after a while: what runs there are
// reads, and what begins a transaction.
func (c *conn) do(ctx context.Context, request func(context.Context) error) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.e.o.Timeout)
		defer cancel()
	}
	again := !c.open
	for {
		if err := c.reach(ctx); err != nil {
			return err
		}
		err := request(ctx)
		if err == nil {
			return nil
		}
		if !again || !broken(err) || ctx.Err() != nil {
			return c.failed(ctx, err)
		}
		c.drop()
		again = false
	}
}

// failed looks at what an error has left of the connection.
func (c *conn) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	out := c.e.fail(err)
	switch {
	case ctx.Err() != nil:
		// Whether the statement was run, and what it has left open, isn't known.
		out = &tablet.Error{Code: tablet.CodeCanceled, Err: ctx.Err(), Message: "the statement was interrupted: " + ctx.Err().Error()}
		c.drop()
	case broken(err):
		c.drop()
	case c.open && c.claimed == 0 && tablet.CodeOf(out) == tablet.CodeLockTimeout:
		// Nobody else writes: the transaction's snapshot is an older one.
		out = &tablet.Error{Code: tablet.CodeConflict, Err: err,
			Message: "another transaction has changed this shard since this one began to read it; retry the transaction"}
	}
	return out
}

// claim makes sure, once the transaction has the database's write lock, that the
// database is still the owner's, and moves the turn on.
func (c *conn) claim(ctx context.Context) error {
	if c.claimed != 0 || !c.open {
		return nil
	}
	rows, err := c.rows(ctx, "UPDATE _vt_meta SET turn = turn + 1 WHERE owner = '"+c.e.lease.Owner()+"' RETURNING turn", nil)
	if err != nil {
		return err
	}
	if len(rows.values) == 0 {
		return c.e.lease.Taken()
	}
	c.claimed, _ = rows.values[0][0].(int64)
	return nil
}

// Control implements [tabletserver.Conn].
func (c *conn) Control(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.e.o.Timeout)
	defer cancel()
	switch {
	case text == "COMMIT":
		return c.commit(ctx)
	case text == "ROLLBACK":
		if c.open {
			_, err := c.exec(ctx, text)
			if err != nil {
				c.drop() // that rolls back, too
			}
			c.ended()
		}
		return nil
	case strings.HasPrefix(text, "BEGIN"):
		return c.begin(ctx, text)
	case strings.HasPrefix(text, "PRAGMA foreign_keys"):
		_, err := c.exec(ctx, text)
		if err == nil {
			c.keys = text
		}
		return err
	case strings.HasPrefix(text, setVersion):
		// Only to find out whether the transaction can write.
		return c.claim(ctx)
	}
	_, err := c.exec(ctx, text)
	return err
}

func (c *conn) begin(ctx context.Context, text string) error {
	if err := c.e.lease.Held(); err != nil {
		return err
	}
	if _, err := c.exec(ctx, text); err != nil {
		return err
	}
	c.ended()
	c.open = true
	if text == "BEGIN" {
		return nil
	}
	if err := c.claim(ctx); err != nil {
		_ = c.Control("ROLLBACK")
		return err
	}
	return nil
}

// commit commits, and finds out what became of it when the connection breaks.
func (c *conn) commit(ctx context.Context) error {
	if !c.open {
		_, err := c.exec(ctx, "COMMIT")
		return err
	}
	if !c.wrote {
		_, err := c.exec(ctx, "COMMIT")
		if err != nil {
			c.drop()
		}
		c.ended()
		return err
	}
	return c.hooks.Commit(c.version, func() error {
		turn := c.claimed
		_, err := c.exec(ctx, "COMMIT")
		if err == nil {
			c.ended()
			return nil
		}
		if c.open && c.c != nil { // the database says no: a constraint, its disk
			return err
		}
		return c.e.lease.Settle(ctx, turn, err, c.turn)
	})
}

// turn reads the turn under the write lock, when all that came before has ended.
func (c *conn) turn(ctx context.Context) (int64, error) {
	if _, err := c.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return 0, err
	}
	c.open = true
	rows, err := c.rows(ctx, "SELECT turn FROM _vt_meta WHERE owner = '"+c.e.lease.Owner()+"'", nil)
	if c.open {
		_ = c.Control("ROLLBACK")
	}
	if err != nil {
		return 0, err
	}
	if len(rows.values) == 0 {
		return 0, c.e.lease.Taken()
	}
	turn, _ := rows.values[0][0].(int64)
	return turn, nil
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
	if _, err := st.Step(); err != nil {
		return nil, err
	}
	return st.rows.values, nil
}

// The version of the schema as the tablet asks for it.
const (
	getVersion = "PRAGMA user_version"
	setVersion = "PRAGMA user_version="
)

// Prepare implements [tabletserver.Conn]. It doesn't ask the database.
func (c *conn) Prepare(text string) (tabletserver.Stmt, error) {
	s := &stmt{c: c, kind: tabletserver.KindOf(text)}
	switch v, sets := strings.CutPrefix(text, setVersion); {
	case text == getVersion:
		s.text, s.readOnly = "SELECT schema FROM _vt_meta", true
		return s, nil
	case sets:
		version, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return nil, &tablet.Error{Code: tablet.CodeSyntax, Message: "the schema's version is " + v, Err: err}
		}
		s.version, s.text = version, "UPDATE _vt_meta SET schema = "+v
		return s, nil
	}
	s.text, s.params = sqlite.Dense(text)
	s.readOnly = reads(s.kind, text)
	s.upsert = s.kind == tabletserver.KindInsert && strings.Contains(text, " ON CONFLICT")
	return s, nil
}
