package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/tablet"
)

// Stmt is a prepared statement in use, between [Conn.Prepare] and
// [Stmt.Release]. It belongs to the goroutine that its Conn belongs to.
type Stmt struct {
	c        *Conn
	s        *sqlite3.Stmt
	sql      string
	cols     []string
	params   int
	prepared int // SQLite's count of re-preparations when cols was read
	kind     Kind
	readOnly bool
	busy     bool
	cached   bool
	stepped  bool
	large    bool // holds bindings that are worth freeing
	trusted  bool // compiled without the guard
	prev     *Stmt
	next     *Stmt
}

// Prepare takes the statement for sql, one and only one statement, from the
// cache, or compiles it. Each one taken must be released.
func (c *Conn) Prepare(sql string) (_ *Stmt, err error) {
	if s := c.cache.get(sql); s != nil && !s.busy && (!s.trusted || c.guard.off) {
		s.busy = true
		return s, nil
	}
	defer c.recoverTo(&err)
	if c.db == nil {
		return nil, &tablet.Error{Code: tablet.CodeClosed, Message: "the connection is closed"}
	}
	c.guard.text = sql
	raw, tail, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		err = c.fail(err, sql)
		if code := tablet.CodeOf(err); code != tablet.CodeNoTable && code != tablet.CodeNoColumn {
			return nil, err
		}
		// SQLite says so too when its schema was old and the disk failed to give
		// it the new one.
		if serr := c.db.Exec(readSchema); serr != nil {
			return nil, c.fail(serr, sql)
		}
		if raw, tail, err = c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, c.fail(err, sql)
		}
	}
	if raw == nil {
		return nil, &tablet.Error{Code: tablet.CodeSyntax, Message: "the statement is empty"}
	}
	if tail != "" && !c.blank(tail) {
		_ = raw.Close()
		return nil, &tablet.Error{Code: tablet.CodeSyntax,
			Message: "one statement was expected, more follow at offset " + strconv.Itoa(len(sql)-len(tail))}
	}
	s := &Stmt{c: c, s: raw, sql: sql, busy: true, kind: KindOf(sql),
		params: raw.BindCount(), readOnly: raw.ReadOnly(), trusted: c.guard.on && c.guard.off}
	s.readColumns()
	c.cache.put(s)
	return s, nil
}

// readSchema makes SQLite see whether the schema that it has is the newest.
const readSchema = "SELECT 1 FROM sqlite_schema LIMIT 1"

// blank says whether SQL text holds no statement.
func (c *Conn) blank(sql string) bool {
	if strings.Trim(sql, " \t\r\n\f;") == "" {
		return true
	}
	s, _, err := c.db.Prepare(sql)
	if s != nil {
		_ = s.Close()
	}
	return err == nil && s == nil
}

// Release ends the use of the statement. It may be called once only.
func (s *Stmt) Release() {
	s.busy = false
	if s.c.db == nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			s.c.broken = true
		}
	}()
	if s.stepped {
		_ = s.s.Reset() // repeats the error of the last step, which was told
		s.stepped = false
	}
	if s.large {
		_ = s.s.ClearBindings()
		s.large = false
	}
	if !s.cached {
		_ = s.s.Close()
	}
}

// ReadOnly says that running the statement changes no table's content. The
// statements of transaction control count as read-only.
func (s *Stmt) ReadOnly() bool { return s.readOnly }

// Kind says what sort of statement this is, by its first word.
func (s *Stmt) Kind() Kind { return s.kind }

// SQL is the statement's text.
func (s *Stmt) SQL() string { return s.sql }

// Columns names the result's columns; none means that the statement returns no
// rows. After a schema change they are right from the first step on. The slice
// must not be changed, and stays as it is.
func (s *Stmt) Columns() []string { return s.cols }

// Params is the number of arguments that the statement needs: the highest
// number of its parameters.
func (s *Stmt) Params() int { return s.params }

func (s *Stmt) readColumns() {
	n := s.s.ColumnCount()
	s.cols = nil
	if n > 0 {
		s.cols = make([]string, n)
		for i := range s.cols {
			s.cols[i] = s.s.ColumnName(i)
		}
	}
	s.prepared = s.s.Status(sqlite3.STMTSTATUS_REPREPARE, false)
}

// largeBytes is the size of bound text and blobs above which they are freed
// when the statement goes back to the cache.
const largeBytes = 16 << 10

// Bind resets the statement and sets its parameters: ?N takes args[N-1]. It
// copies what it needs.
func (s *Stmt) Bind(args []tablet.Value) (err error) {
	if s.params > len(args) {
		return &tablet.Error{Code: tablet.CodeMisuse,
			Message: fmt.Sprintf("the statement uses parameter %d, but %d values were given", s.params, len(args))}
	}
	defer s.c.recoverTo(&err)
	if s.stepped {
		_ = s.s.Reset()
		s.stepped = false
	}
	size := 0
	for i := range s.params {
		switch v := args[i].(type) {
		case nil:
			err = s.s.BindNull(i + 1)
		case int64:
			err = s.s.BindInt64(i+1, v)
		case float64:
			err = s.s.BindFloat(i+1, v)
		case string:
			size += len(v)
			err = s.s.BindText(i+1, v)
		case []byte:
			size += len(v)
			err = s.s.BindBlob(i+1, v)
		default:
			return &tablet.Error{Code: tablet.CodeMisuse,
				Message: fmt.Sprintf("parameter %d is of type %T; only int64, float64, string, []byte and nil can be bound", i+1, v)}
		}
		if err != nil {
			return s.c.fail(err, s.sql)
		}
	}
	s.large = size > largeBytes
	return nil
}

// Step runs the statement up to its next row, and says whether there is one.
func (s *Stmt) Step() (row bool, err error) {
	defer s.c.recoverTo(&err)
	first := !s.stepped
	s.stepped = true
	s.c.guard.text = s.sql // it is compiled anew where the schema has changed
	row = s.s.Step()
	if !row {
		if err := s.s.Err(); err != nil {
			return false, s.c.fail(err, s.sql)
		}
	}
	if first && s.cols != nil && s.s.Status(sqlite3.STMTSTATUS_REPREPARE, false) != s.prepared {
		s.readColumns()
	}
	return row, nil
}

// Row puts the current row into dest, one value per column.
func (s *Stmt) Row(dest []tablet.Value) (err error) {
	if len(dest) != len(s.cols) {
		return &tablet.Error{Code: tablet.CodeMisuse,
			Message: fmt.Sprintf("the row has %d columns, the destination %d", len(s.cols), len(dest))}
	}
	defer s.c.recoverTo(&err)
	clear(dest) // the engine would append blobs to a slice that it finds there
	if err := s.s.Columns(dest...); err != nil {
		return s.c.fail(err, s.sql)
	}
	for i, v := range dest {
		if b, ok := v.([]byte); ok && b == nil {
			dest[i] = []byte{} // an empty blob isn't NULL
		}
	}
	return nil
}

// Int runs a statement without parameters, and gives the integer that its first
// row begins with.
func (s *Stmt) Int() (v int64, err error) {
	ok, err := s.Step()
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, &tablet.Error{Code: tablet.CodeInternal, Message: "no row came from " + s.sql}
	}
	defer s.c.recoverTo(&err)
	return s.s.ColumnInt64(0), nil
}

// Exec binds args and runs the statement to its end, dropping rows.
func (s *Stmt) Exec(args []tablet.Value) (err error) {
	if err := s.Bind(args); err != nil {
		return err
	}
	defer s.c.recoverTo(&err)
	s.c.guard.text = s.sql
	if err := s.s.Exec(); err != nil {
		return s.c.fail(err, s.sql)
	}
	return nil
}

// Run is Exec for a write: it tells what the write did.
func (s *Stmt) Run(args []tablet.Value) (changed, lastID int64, err error) {
	if s.kind == KindInsert || s.kind == KindWith {
		s.c.db.SetLastInsertRowID(tablet.NoRowID)
	}
	if err := s.Exec(args); err != nil {
		return 0, 0, err
	}
	changed, lastID = s.Changes()
	return changed, lastID, nil
}

// Changes tells the rows that the statement, just run, changed itself, and for an
// insert run by [Stmt.Run] the row ID that it inserted last, or tablet.NoRowID.
func (s *Stmt) Changes() (changed, lastID int64) {
	switch {
	case s.readOnly:
	case s.kind == KindInsert, s.kind == KindWith:
		return s.c.db.Changes(), s.c.db.LastInsertRowID()
	case s.kind == KindChange:
		return s.c.db.Changes(), 0
	}
	return 0, 0
}

// QueryAll runs sql, of the caller's own, and collects its rows, whose values are the caller's.
func (c *Conn) QueryAll(ctx context.Context, sql string, args ...tablet.Value) ([][]tablet.Value, error) {
	defer c.Trust(c.Trust(true))
	c.SetContext(ctx)
	s, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer s.Release()
	if err := s.Bind(args); err != nil {
		return nil, err
	}
	var rows [][]tablet.Value
	for {
		ok, err := s.Step()
		if err != nil || !ok {
			return rows, err
		}
		row := make([]tablet.Value, len(s.cols))
		if err := s.Row(row); err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}
