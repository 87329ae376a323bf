package vitessdo

import (
	"context"
	"database/sql/driver"

	"github.com/vitessdo/vitessdo/sqlast"
)

// What a server needs that puts the driver behind a protocol of its own: it
// doesn't know what kind of statement comes, and must tell what MySQL's answers
// tell. Programs behind database/sql have no use for it.

// Outcome is what a statement of any kind has given.
type Outcome struct {
	// Rows are a query's; nil for a statement that gives none. They are to be
	// closed before the connection is used again.
	Rows    driver.Rows
	Columns []Column
	// What a statement without rows has done, as sql.Result tells it.
	RowsAffected, LastInsertID int64
}

// Column describes a column of a result.
type Column struct {
	Name string
	// Type is MySQL's name of the type without UNSIGNED, as "BIGINT"; "" of an
	// expression whose type only its values tell.
	Type              string
	Unsigned, NotNull bool
	// Size is the declared length or precision, Scale the digits behind the point
	// or of the fraction of a second; -1 where nothing says so.
	Size, Scale int
	NoCase      bool // text compares without case
	// Schema, Table and Origin say where a plain column comes from; else "".
	Schema, Table, Origin string
}

// Run runs one statement of any kind. ctx governs its rows until they are closed.
func (c *Conn) Run(ctx context.Context, query string, args []driver.NamedValue) (*Outcome, error) {
	defer c.s.enter()()
	r, err := c.query(ctx, query, args)
	if err != nil {
		if late := c.s.guard.outOfTime(ctx); late != nil {
			return nil, late
		}
		return nil, c.s.failedWith(err)
	}
	c.ran()
	if len(r.cols) == 0 {
		return &Outcome{RowsAffected: r.done.rows, LastInsertID: r.done.id}, r.Close()
	}
	out := &Outcome{Rows: r, Columns: described(r.cols)}
	if c.s.guard != nil {
		out.Rows = guardedRows{r}
	}
	return out, nil
}

// without is the result of a statement that gives no rows.
func (s *session) without(res driver.Result, err error) (*rows, error) {
	if err != nil {
		return nil, err
	}
	r := s.literal(nil, nil)
	r.done, _ = res.(result)
	return r, nil
}

func described(cols []column) []Column {
	out := make([]Column, len(cols))
	for i := range cols {
		c := &cols[i]
		name := c.typ.Name
		if name == "" {
			name = typeName(&c.typ)
		}
		out[i] = Column{
			Name: c.name, Type: name, Unsigned: c.typ.Unsigned, NotNull: c.typ.NotNull, Size: c.typ.Size, Scale: c.typ.Scale,
			NoCase: c.typ.NoCase, Schema: c.from.schema, Table: c.from.table, Origin: c.from.column,
		}
	}
	return out
}

// Describe says what a prepared statement takes and gives: its columns are nil
// when it gives no rows, or when only running it tells which.
func (s *Stmt) Describe() []Column {
	defer s.c.s.enter()()
	p, _, err := s.c.s.prepare(s.text, false)
	if err != nil {
		return nil // running it will tell
	}
	return described(p.cols)
}

// Split cuts a text at its semicolons into statements, by the session's sql_mode.
func (c *Conn) Split(text string) ([]string, error) {
	parts, err := c.s.split(text)
	if err != nil {
		return nil, mapError(inStatement(err, text))
	}
	return parts, nil
}

// Status is what a session tells beside its answers.
type Status struct {
	ID            uint64 // as CONNECTION_ID()
	Keyspace      string // "" when none is selected
	InTransaction bool
	Autocommit    bool
	// NoBackslashEscapes: a backslash in text is a character like others (sql_mode).
	NoBackslashEscapes bool
	Warnings           int  // that SHOW WARNINGS lists
	Closed             bool // a statement has ended the connection, as COMMIT RELEASE does
}

// Status tells how the session stands after its last statement.
func (c *Conn) Status() Status {
	defer c.s.enter()()
	s := c.s
	return Status{
		ID: s.id, Keyspace: s.keyspace, InTransaction: s.tx != nil, Autocommit: !s.noCommit,
		NoBackslashEscapes: s.modes.NoBackslashEscapes, Warnings: len(s.warnings), Closed: c.closed,
	}
}

// Renew makes the connection as good as a new one, for another client: nothing is
// left of what it has set, opened or done. What Configure, Identify and RefuseWrites
// have said stays.
func (c *Conn) Renew() error {
	if c.closed {
		return driver.ErrBadConn
	}
	defer c.s.enter()()
	c.rollbackOpen()
	c.s.reset()
	c.s.lastInsertID, c.s.rowCount, c.s.foundRows = 0, 0, 0
	return nil
}

// Identify says whom USER() names on this connection, as "app@host".
func (c *Conn) Identify(user string) { c.s.login = user }

// RefuseWrites makes the connection refuse whatever changes rows, sequences or
// the schema, from now on and for good.
func (c *Conn) RefuseWrites() { c.s.readOnly = true }

// Quiet says whether observers, logs and statistics are left out of what the
// connection runs from now on: a server asks for things that its clients haven't.
func (c *Conn) Quiet(quiet bool) { c.s.quiet = quiet }

// mysqlOptionPrevents is MySQL's number for what --read-only prevents.
const mysqlOptionPrevents = 1290

func readOnlySession() error {
	e := newError(CodeTxReadOnly, "this connection may only read; the statement changes rows, a sequence or the schema")
	e.Number, e.SQLState = mysqlOptionPrevents, "HY000"
	return e
}

// permits says whether a connection that only reads may run the statement.
func (s *session) permits(p *prepared) error {
	if !s.readOnly {
		return nil
	}
	if p.plan != nil {
		if !p.writes() {
			return nil
		}
		return readOnlySession()
	}
	switch p.parsed.Stmt.(type) {
	case *sqlast.Empty, *sqlast.Begin, *sqlast.Commit, *sqlast.Rollback, *sqlast.Savepoint, *sqlast.Release, *sqlast.Use,
		*sqlast.Set, *sqlast.Do, *sqlast.Prepare, *sqlast.Execute, *sqlast.Deallocate, *sqlast.Kill, *sqlast.Show, *sqlast.Explain:
		return nil
	}
	return readOnlySession()
}

// Configure changes options that are about a connection alone, from its next
// statement on: ParseTime, Loc, ClientFoundRows, NoScatter, Timeout, and the limits.
func (c *Conn) Configure(change func(*Config)) {
	cfg := c.s.cfg.Clone()
	change(cfg)
	c.s.cfg = cfg
	c.s.local, c.s.literals = nil, nil // their plans follow the options
}
