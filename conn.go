package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// Conn is a connection: a session of the gate. It is used by one goroutine at a
// time, as database/sql sees to.
type Conn struct {
	s      *session
	closed bool
}

var (
	_ driver.Conn               = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
)

// Ping checks that every tablet serves.
func (c *Conn) Ping(ctx context.Context) error {
	if c.closed {
		return driver.ErrBadConn
	}
	err := c.s.cl.ping(ctx)
	if tablet.CodeOf(err) == tablet.CodeWrongShard && c.s.cl.refresh(ctx) == nil {
		err = c.s.cl.ping(ctx) // the shards are others since
	}
	if tablet.CodeOf(err) == tablet.CodeClosed {
		return driver.ErrBadConn
	}
	return mapError(err)
}

// ping asks every shard whether it serves.
func (c *cluster) ping(ctx context.Context) error {
	for _, list := range *c.tablets.Load() {
		for _, t := range list {
			if err := t.Ping(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close rolls back what is open.
func (c *Conn) Close() error {
	if c.closed {
		return nil
	}
	defer c.s.enter()()
	c.end()
	return nil
}

// end is Close from within a call.
func (c *Conn) end() {
	c.closed = true
	c.rollbackOpen()
	c.s.releaseLocks()
}

// ran looks after a statement whether it was to be the connection's last one.
func (c *Conn) ran() {
	if c.s.released {
		c.end()
	}
}

func (c *Conn) rollbackOpen() {
	s := c.s
	if s.open != nil {
		_ = s.open.Close()
	}
	if s.tx != nil {
		s.tx.rollback()
		s.tx = nil
	}
}

// ResetSession makes the connection as good as new before it is used again. No
// transaction can survive it.
func (c *Conn) ResetSession(context.Context) error {
	if c.closed {
		return driver.ErrBadConn
	}
	defer c.s.enter()()
	c.rollbackOpen()
	if c.s.dirty() {
		c.s.reset()
	}
	return nil
}

// IsValid says whether the connection may go back to the pool.
func (c *Conn) IsValid() bool { return !c.closed && c.s.tx == nil }

// CheckNamedValue takes what the driver can bind: integers, floats, booleans,
// text, bytes, times and nil, and what gives these through driver.Valuer.
func (c *Conn) CheckNamedValue(nv *driver.NamedValue) error {
	switch nv.Value.(type) {
	case nil, int64, float64, bool, string, []byte, time.Time, uint64:
		return nil
	}
	if c.s.dialect != nil && c.s.dialect.Lists != nil {
		l, ok, err := asList(nv.Value)
		if err != nil {
			return errorFrom(CodeDataType, err, "argument %d: %v", nv.Ordinal, err)
		}
		if ok {
			nv.Value = l
			return nil
		}
	}
	v, err := argumentValue(nv.Value)
	if err != nil {
		return errorFrom(CodeDataType, err, "argument %d: %v", nv.Ordinal, err)
	}
	nv.Value = v
	return nil
}

// argumentValue is driver.DefaultParameterConverter, but for unsigned integers,
// which it refuses from a Valuer and above an int64: bind knows what fits.
func argumentValue(v any) (any, error) {
	if valuer, ok := v.(driver.Valuer); ok {
		if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
			return nil, nil
		}
		w, err := valuer.Value()
		if u, ok := w.(uint64); ok && err == nil {
			return u, nil
		}
		if err != nil || driver.IsValue(w) {
			return w, err
		}
		return nil, fmt.Errorf("the Value method of a %T gives a %T, which is no driver.Value", v, w)
	}
	return driver.DefaultParameterConverter.ConvertValue(v)
}

// Prepare readies a statement.
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext readies a statement: its errors show now.
func (c *Conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if c.closed {
		return nil, driver.ErrBadConn
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, _, err := c.s.prepare(query, false)
	if err != nil {
		if c.s.cfg.MultiStatements {
			if parts, splitErr := c.s.split(query); splitErr == nil && len(parts) > 1 {
				return &Stmt{c: c, text: query, params: -1, dialect: c.s.dialect}, nil
			}
		}
		err = mapError(err)
		c.s.observeFailure(ctx, query, err)
		return nil, c.s.told(err)
	}
	return &Stmt{c: c, text: query, params: p.params, dialect: c.s.dialect}, nil
}

// BeginTx starts a transaction. Every level of database/sql is given or exceeded,
// as docs/transactions.md says, but for Write Committed, which is refused.
// LevelDefault is what the session has set, or else the option
// transaction_isolation. LevelSnapshot takes its snapshot now.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.closed {
		return nil, driver.ErrBadConn
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer c.s.enter()()
	if c.s.tx != nil {
		return nil, newError(CodeTxState, "a transaction is open on this connection already")
	}
	c.s.settle()
	level, readOnly := c.s.nextTransaction()
	level, err := levelOf(opts.Isolation, level)
	if err == nil {
		err = c.s.start(ctx, level, opts.ReadOnly || readOnly)
	}
	if err != nil {
		return nil, mapError(err)
	}
	tx := &Tx{s: c.s}
	if c.s.observed(ctx) {
		tx.ctx = context.WithoutCancel(ctx)
	}
	return tx, nil
}

// Begin starts a transaction.
func (c *Conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// ExecContext runs a statement, or several where multi_statements allows it; the
// result is the last one's.
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.s.enter()()
	res, err := c.exec(ctx, query, args)
	if err == nil {
		c.ran()
		return res, nil
	}
	if err := c.s.guard.outOfTime(ctx); err != nil {
		return nil, err
	}
	if parts := c.several(query, err); parts != nil {
		return c.execAll(ctx, parts, args)
	}
	return nil, c.s.failedWith(err)
}

// exec runs one statement, as often as the schema changes under it.
func (c *Conn) exec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, st := c.s.observe(ctx, query)
	res, err := c.tryExec(ctx, query, args)
	for n := 0; err != nil && c.s.planAnew(ctx, err, n); n++ {
		res, err = c.tryExec(ctx, query, args)
	}
	c.s.attempted()
	st.endWrite(res, err)
	return res, err
}

func (c *Conn) tryExec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.closed {
		return nil, driver.ErrBadConn
	}
	s := c.s
	s.settle()
	ctx, cancel := s.withTimeout(ctx)
	defer cancel()
	p, lits, err := s.preparedFor(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return s.execPrepared(ctx, p, args, lits)
}

// preparedFor is prepare for a statement that is to be run with arguments.
func (s *session) preparedFor(ctx context.Context, query string, args []driver.NamedValue) (*prepared, []any, error) {
	for {
		p, lits, err := s.prepare(query, len(args) == 0)
		if err == nil {
			p, err = s.planFor(p, query, args)
		}
		if err != nil {
			return nil, nil, err
		}
		if again, err := s.freshen(ctx, p); err != nil || !again {
			return p, lits, err
		}
	}
}

// execPrepared runs a statement for its result.
func (s *session) execPrepared(ctx context.Context, p *prepared, args []driver.NamedValue, lits []any) (driver.Result, error) {
	s.begins(p)
	if err := s.permits(p); err != nil {
		return nil, err
	}
	if p.plan == nil {
		res, err := s.command(ctx, p, args)
		s.commanded(p)
		return res, err
	}
	if p.directed != nil {
		var done context.CancelFunc
		ctx, done = s.direct(ctx, p.directed)
		defer done()
	}
	if err := s.autoBegin(ctx, p.writes()); err != nil {
		return nil, err
	}
	if p.steps != nil {
		_, res, err := s.runSteps(ctx, p, args, lits)
		return res, err
	}
	vec, err := s.bind(ctx, p, args, lits)
	if err != nil {
		return nil, err
	}
	s.plans(p, vec)
	if len(p.into) > 0 {
		n, err := s.selectInto(ctx, p, vec)
		return result{rows: n}, err
	}
	if p.plan.Write == nil {
		return s.drain(ctx, p.plan, vec)
	}
	return s.write(ctx, p, vec)
}

// commanded notes what ROW_COUNT() tells after a command.
func (s *session) commanded(p *prepared) {
	switch p.parsed.Stmt.(type) {
	case *sqlast.Execute: // what it ran has said so
	case *sqlast.Show, *sqlast.Explain, *sqlast.Maintain:
		s.rowCount = -1
	default:
		s.rowCount = 0
	}
}

// write runs a write and notes what the session remembers of it.
func (s *session) write(ctx context.Context, p *prepared, vec []any) (driver.Result, error) {
	r, err := s.execWrite(ctx, p.plan, vec)
	if err != nil {
		return nil, s.writeFailed(err)
	}
	if p.sequence != nil {
		s.sequenceWritten(*p.sequence)
	}
	s.rowCount = r.RowsAffected
	if p.ignoring > 0 {
		s.ignoredRows(p, r.RowsAffected)
	}
	if r.HasInsertID && r.Generated {
		s.lastInsertID = r.LastInsertID
	}
	return result{rows: r.RowsAffected, id: r.LastInsertID}, nil
}

// drain runs a query for nothing but its effects.
func (s *session) drain(ctx context.Context, p *route.Plan, vec []any) (driver.Result, error) {
	rows, err := exec.Query(ctx, s, p, vec)
	if err == nil {
		rows, err = s.besides(p, rows, vec)
	}
	if err != nil {
		return nil, s.failed(err)
	}
	s.rowCount = -1
	buf := make([]any, len(p.Columns))
	for err == nil {
		err = rows.Next(buf)
	}
	if cerr := rows.Close(); cerr != nil && isEOF(err) {
		err = cerr
	}
	if !isEOF(err) {
		return nil, s.failed(err)
	}
	return result{}, nil
}

// QueryContext runs a query. Its context governs the rows until they are closed.
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	defer c.s.enter()()
	rows, err := c.query(ctx, query, args)
	if err == nil {
		c.ran()
		if c.s.guard != nil {
			return guardedRows{rows}, nil
		}
		return rows, nil
	}
	if err := c.s.guard.outOfTime(ctx); err != nil {
		return nil, err
	}
	if parts := c.several(query, err); parts != nil {
		return c.queryAll(ctx, parts, args)
	}
	return nil, c.s.failedWith(err)
}

// query runs one query, as often as the schema changes under it.
func (c *Conn) query(ctx context.Context, query string, args []driver.NamedValue) (*rows, error) {
	ctx, st := c.s.observe(ctx, query)
	out, err := c.tryQuery(ctx, query, args)
	for n := 0; err != nil && c.s.planAnew(ctx, err, n); n++ {
		out, err = c.tryQuery(ctx, query, args)
	}
	c.s.attempted()
	switch {
	case err != nil:
		st.end(0, err)
	case len(out.cols) == 0:
		st.end(out.done.rows, nil)
	default:
		out.watch = st
	}
	return out, err
}

func (c *Conn) tryQuery(ctx context.Context, query string, args []driver.NamedValue) (*rows, error) {
	if c.closed {
		return nil, driver.ErrBadConn
	}
	s := c.s
	s.settle()
	p, lits, err := s.preparedFor(ctx, query, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.withTimeout(ctx)
	if d := s.maxExecution(); d > 0 && p.plan != nil && !p.writes() {
		end := cancel
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, d)
		cancel = func() { stop(); end() }
	}
	if p.plan != nil && p.plan.Combine.Kind != route.Pass && len(p.plan.Fragments) > 0 {
		ctx, cancel = s.cl.untilClosed(ctx, cancel)
	}
	if p.directed != nil {
		outer := cancel
		var done context.CancelFunc
		ctx, done = s.direct(ctx, p.directed)
		cancel = func() { done(); outer() }
	}
	out, err := s.runQuery(ctx, p, args, lits)
	s.directed = nil
	if err != nil {
		cancel()
		return nil, err
	}
	out.cancel = cancel
	return out, nil
}

func (s *session) runQuery(ctx context.Context, p *prepared, args []driver.NamedValue, lits []any) (*rows, error) {
	s.begins(p)
	if err := s.permits(p); err != nil {
		return nil, err
	}
	if p.plan == nil {
		out, err := s.commandRows(ctx, p, args)
		s.commanded(p)
		return out, err
	}
	if err := s.autoBegin(ctx, p.writes()); err != nil {
		return nil, err
	}
	if p.steps != nil {
		data, res, err := s.runSteps(ctx, p, args, lits)
		if err != nil || len(p.cols) == 0 {
			return s.without(res, err)
		}
		s.open = &rows{s: s, src: &givenRows{data}, cols: p.cols}
		return s.open, nil
	}
	vec, err := s.bind(ctx, p, args, lits)
	if err != nil {
		return nil, err
	}
	s.plans(p, vec)
	if len(p.into) > 0 {
		n, err := s.selectInto(ctx, p, vec)
		return s.without(result{rows: n}, err)
	}
	if p.plan.Write != nil && len(p.cols) > 0 {
		if s.uncheckedAlone() {
			return nil, newError(CodeUnsupported, "RETURNING with foreign_key_checks=0 is not supported outside a transaction; BEGIN one")
		}
		src, err := exec.Query(ctx, s, p.plan, vec)
		if err != nil {
			return nil, s.writeFailed(err)
		}
		s.open = &rows{s: s, src: src, cols: p.cols}
		return s.open, nil
	}
	if p.plan.Write != nil {
		return s.without(s.write(ctx, p, vec))
	}
	src, err := exec.Query(ctx, s, p.plan, vec)
	if err != nil {
		return nil, s.failed(err)
	}
	s.rowCount = -1
	if src, err = s.besides(p.plan, src, vec); err != nil {
		return nil, err
	}
	if _, stream := src.(tablet.Rows); !stream && len(p.plan.Fragments) > 0 {
		// A shard of several that finds the schema changed says so by the first
		// row; the query can be planned anew as long as no row was given out.
		if src, err = peek(src, len(p.cols)); err != nil {
			return nil, err
		}
	}
	out := &rows{s: s, src: src, cols: p.cols}
	s.open = out
	return out, nil
}

// failed notes what an error means for the transaction.
func (s *session) failed(err error) error {
	if s.tx != nil {
		return s.tx.failed(err)
	}
	return err
}

// writeFailed is failed for a write, and names the key of a duplicate entry.
func (s *session) writeFailed(err error) error {
	err = s.failed(err)
	s.nameKey(err)
	return err
}

// nameKey says in a duplicate entry's error which key it is, where the engine has
// told its columns only.
func (s *session) nameKey(err error) {
	var t *tablet.Error
	if !errors.As(err, &t) || t.Code != tablet.CodeUnique || t.Constraint != "" || len(t.Columns) == 0 {
		return
	}
	def := s.snap.schema.Table(t.Target.Keyspace, t.Table)
	if def == nil {
		return
	}
	for _, x := range def.Indexes {
		unique := x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique
		if unique && slices.EqualFunc(x.Columns(), t.Columns, equalFold) {
			t.Constraint = x.Name
			return
		}
	}
}

func (s *session) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = s.underLocks(ctx)
	if s.guard != nil {
		limited, stop := s.guard.withDeadline(ctx)
		if s.cfg.Timeout <= 0 {
			return limited, stop
		}
		ctx, cancel := context.WithTimeout(limited, s.cfg.Timeout)
		return ctx, func() { cancel(); stop() }
	}
	if s.cfg.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.cfg.Timeout)
}

// result is what a write answers.
type result struct{ rows, id int64 }

// LastInsertId is the first AUTO_INCREMENT value that the statement made.
func (r result) LastInsertId() (int64, error) { return r.id, nil }

// RowsAffected counts as MySQL does.
func (r result) RowsAffected() (int64, error) { return r.rows, nil }
