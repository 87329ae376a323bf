package vitessdo

import (
	"context"
	"database/sql/driver"
)

// Stmt is a prepared statement. Its plan is looked up at each run, so that it
// follows changes of the schema.
type Stmt struct {
	c      *Conn
	text   string
	params int
	// dialect is the one that it was prepared in.
	dialect *Dialect
}

var (
	_ driver.Stmt              = (*Stmt)(nil)
	_ driver.StmtExecContext   = (*Stmt)(nil)
	_ driver.StmtQueryContext  = (*Stmt)(nil)
	_ driver.NamedValueChecker = (*Stmt)(nil)
)

// Close does nothing: plans are shared.
func (s *Stmt) Close() error { return nil }

// NumInput is the number of parameters; -1 for several statements in one text.
func (s *Stmt) NumInput() int { return s.params }

// CheckNamedValue is Conn's.
func (s *Stmt) CheckNamedValue(nv *driver.NamedValue) error { return s.c.CheckNamedValue(nv) }

// ExecContext runs the statement.
func (s *Stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	defer s.c.s.speak(s.dialect)()
	return s.c.ExecContext(ctx, s.text, args)
}

// QueryContext runs the query.
func (s *Stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	defer s.c.s.speak(s.dialect)()
	return s.c.QueryContext(ctx, s.text, args)
}

// Exec runs the statement.
func (s *Stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

// Query runs the query.
func (s *Stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}
