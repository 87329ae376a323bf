package vitessdo

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
)

// What a change of the schema does to an open transaction.
const (
	ddlTransactional = "transactional" // it is part of it
	ddlAutocommit    = "autocommit"    // it commits it, and is a transaction by itself
)

// runDDL changes the schema on all shards and in the catalog: as part of the session's
// transaction, or in one of its own.
func (s *session) runDDL(ctx context.Context, st *sqlparse.Statement) error {
	if s.readsOnly() {
		return newError(CodeTxReadOnly, "cannot execute %s in a READ ONLY transaction", statementName(st))
	}
	if s.shard >= 0 {
		return newError(CodeUnsupported, "%s while the session is on one shard (%s/%s): a schema change goes to all shards; USE %s first",
			statementName(st), s.keyspace, s.cl.state.Load().shards[s.keyspace].Names[s.shard], s.keyspace)
	}
	if s.tx == nil || s.commitsDDL() {
		if err := s.commit(ctx); err != nil {
			return err
		}
		s.warnings = nil
		return s.changeAlone(ctx, st.Text)
	}
	if err := s.autoBegin(ctx, true); err != nil {
		return err
	}
	s.warnings = nil
	s.settle()
	return s.changeWithin(ctx, st.Text)
}

// commitsDDL says whether a change of the schema commits the session's transaction, as
// in MySQL. It always does so with one that nobody has begun: clients that switch
// autocommit off rely on it, and may never say COMMIT.
func (s *session) commitsDDL() bool {
	v, _ := s.sysvar("ddl")
	return v == ddlAutocommit || s.tx != nil && s.tx.unasked
}

// changeAlone runs a change in a transaction of its own. Lookup vindexes are filled
// afterwards, while others go on.
func (s *session) changeAlone(ctx context.Context, text string) error {
	done, err := s.inTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	var ks string
	var change *ddl.Change
	err = s.plannedChange(ctx, func() error {
		return s.within(ctx, func(t *transaction) (err error) {
			ks, change, err = s.change(ctx, text)
			return err
		})
	})
	if err != nil || change == nil {
		return err
	}
	for _, b := range change.Backfill {
		if err := s.backfillVindex(ctx, ks, b.Table, b.Vindex, nil); err != nil {
			return err
		}
	}
	return nil
}

// inTurn waits, as long as for a lock, until no other session of this process changes
// the schema by itself. done ends the session's turn.
func (s *session) inTurn(ctx context.Context) (done func(), err error) {
	limit := s.lockWait()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case s.cl.ddl <- struct{}{}:
		return func() { <-s.cl.ddl }, nil
	case <-timer.C:
		return nil, newError(CodeLockTimeout, "another change of the schema has gone on for %v; try again", limit)
	case <-ctx.Done():
		return nil, errorFrom(CodeCanceled, ctx.Err(), "the statement was interrupted: %v", ctx.Err())
	}
}

// within runs f in a transaction that changes the schema by itself.
func (s *session) within(ctx context.Context, f func(t *transaction) error) error {
	first := s.newTransaction(false)
	return again(ctx, s.lockWait(), func() error {
		t := &transaction{s: s, id: s.cl.waiterID(), age: first.age, alone: true, changes: &changes{}}
		s.tx = t
		s.snap = s.newest()
		err := f(t)
		if err != nil {
			t.rollback()
		} else {
			err = t.commit(ctx)
		}
		s.tx = nil
		return err
	})
}

// changeWithin runs a change as a part of the session's transaction. When it fails,
// what it has done is undone.
func (s *session) changeWithin(ctx context.Context, text string) error {
	t := s.tx
	if t.changes == nil {
		t.changes = &changes{}
	}
	return s.plannedChange(ctx, func() error {
		return t.undoably(ctx, func() error {
			ks, change, err := s.change(ctx, text)
			if err != nil || change == nil {
				return err
			}
			for _, b := range change.Backfill {
				if err := s.backfillWithin(ctx, ks, b); err != nil {
					return t.failed(err)
				}
			}
			return nil
		})
	})
}

// changeSavepoint is that of a statement which changes the schema.
const changeSavepoint = "_vt_change"

// undoably undoes what f has done if it fails, and no more than that.
func (t *transaction) undoably(ctx context.Context, f func() error) error {
	if err := t.savepoint(ctx, changeSavepoint); err != nil {
		return t.failed(err)
	}
	err := f()
	if t.broken != nil {
		return err
	}
	var undo error
	if err != nil {
		undo = t.rollbackTo(ctx, changeSavepoint)
	}
	if undo == nil {
		undo = t.release(ctx, changeSavepoint)
	}
	if undo != nil {
		return t.failed(&exec.UndoError{Err: err, Undo: undo})
	}
	return err
}

// checkView sees that a view's query can be planned, as a use of it will be.
func (s *session) checkView(v *sqlast.CreateView) error {
	st, err := sqlparse.Parse(v.QueryText, s.modes)
	if err != nil {
		return err
	}
	q, ok := st.Stmt.(sqlast.Query)
	if !ok {
		return newError(CodeUnsupported, "the view %s is not made of a query", v.View.Name)
	}
	_, err = route.Select(s.env(), q, st.Params, false)
	var p *route.Error
	if errors.As(err, &p) {
		p.Pos = -1 // it counts from the query's beginning, not the statement's
	}
	return err
}

// change plans a statement by the session's snapshot and makes the change in its
// transaction. It gives what was done, nil for nothing. The lookup vindexes that the
// change names are still to be filled.
func (s *session) change(ctx context.Context, text string) (ks string, change *ddl.Change, err error) {
	if ks, change, err = s.planChange(text); err != nil || change.Empty() {
		return "", nil, inStatement(err, text)
	}
	if err := s.tx.apply(ctx, ks, change); err != nil {
		return "", nil, err
	}
	if change.Fill != nil {
		err = s.fill(ctx, ks, change.Fill)
	}
	return ks, change, err
}

func (s *session) planChange(text string) (ks string, change *ddl.Change, err error) {
	// What planning makes of a statement is of no use to another attempt.
	st, err := s.parse(text, nil)
	if err != nil {
		return "", nil, err
	}
	if v, ok := st.Stmt.(*sqlast.CreateView); ok {
		if err := s.checkView(v); err != nil {
			return "", nil, err
		}
	}
	if ks, err = s.ddlKeyspace(st.Stmt); err != nil {
		return "", nil, err
	}
	if err := s.qualifyFor(st.Stmt, ks); err != nil {
		return "", nil, err
	}
	change, err = ddl.Plan(st.Stmt, s.snap.schema, s.snap.vschema, s.ddlOptions(ks))
	if err != nil {
		return "", nil, err
	}
	for _, w := range change.Warnings {
		s.warn(levelWarning, mysqlErrors[CodePlan].number, w)
	}
	return ks, change, nil
}

func (s *session) ddlOptions(ks string) ddl.Options {
	o := ddl.Options{Keyspace: ks, DefaultCollation: s.cfg.Collation, ForeignKeys: s.cfg.ForeignKeys, Unchecked: s.unchecked, UniqueKeys: s.cfg.UniqueKeys}
	o.Printers = func(ks string) dialect.Printers {
		if m := s.snap.shards[ks]; m != nil {
			return m.Printers
		}
		return nil
	}
	o.Shards, o.Bound = map[string]int{}, map[string]bool{}
	for name, m := range s.snap.shards {
		o.Shards[name], o.Bound[name] = len(m.Names), s.cl.tablets.Load().bound(name)
	}
	return o
}

// ofTheTable names the table in an error about the copy that is to replace it.
func ofTheTable(err error) error {
	if t, ok := errors.AsType[*tablet.Error](err); ok {
		t.Table = strings.TrimPrefix(t.Table, sqlite.Rebuilt)
	}
	return err
}

// unfinished says that a transaction is decided, though it isn't done everywhere.
func unfinished(err error) bool {
	var u *twopc.UnfinishedError
	return errors.As(err, &u)
}

// forgetSequences lets go of what is reserved of the sequences that a change has
// set, renamed or dropped.
func (c *cluster) forgetSequences(ks string, change *ddl.Change) {
	for _, q := range change.Sequences {
		at := sequenceOf(ks, q)
		c.seqs.Forget(at.keyspace, at.name)
		if q.From != "" {
			c.seqs.Forget(ks, q.From)
		}
	}
}

// highestIDs finds, for sequences that begin above what a table holds, the
// highest value on any shard.
func highestIDs(ctx context.Context, ks string, shards []tablet.Tx, list []ddl.SequenceChange) (map[sequenceName]int64, error) {
	out := map[sequenceName]int64{}
	for _, q := range list {
		if q.Column == "" {
			continue
		}
		sql := "SELECT max(" + quoteName(q.Column) + ") FROM " + quoteName(q.Table)
		for _, tx := range shards {
			v, err := oneValue(ctx, tx, sql)
			if err != nil {
				return nil, err
			}
			if n, ok := v.(int64); ok && n > out[sequenceOf(ks, q)] {
				out[sequenceOf(ks, q)] = n
			}
		}
	}
	return out, nil
}

func oneValue(ctx context.Context, r tablet.Runner, sql string) (any, error) {
	return valueOf(ctx, r, &tablet.Query{SQL: sql})
}

// valueOf gives the first value of a query's first row, nil when there is none.
func valueOf(ctx context.Context, r tablet.Runner, q *tablet.Query) (any, error) {
	rows, err := r.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	row := make([]any, len(rows.Columns()))
	err = rows.Next(row)
	if cerr := rows.Close(); err == nil {
		err = cerr
	}
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return row[0], err
}

// record writes the change into the catalog.
func (c *cluster) record(ctx context.Context, tx tablet.Tx, ks string, change *ddl.Change, auto bool, highest map[sequenceName]int64) error {
	for _, name := range change.Drop {
		if err := c.catalog.DropRelation(ctx, tx, ks, name); err != nil {
			return err
		}
	}
	for _, r := range change.Relations {
		if err := c.catalog.PutRelation(ctx, tx, topo.Relation{Keyspace: r.Keyspace, Name: r.Name, View: r.View, DDL: r.DDL}); err != nil {
			return err
		}
	}
	if change.VSchema != nil {
		if err := c.catalog.PutVSchema(ctx, tx, change.VSchema.Marshal(), auto); err != nil {
			return err
		}
	}
	for _, q := range change.Sequences {
		if err := c.recordSequence(ctx, tx, sequenceOf(ks, q), q, highest[sequenceOf(ks, q)]); err != nil {
			return err
		}
	}
	return nil
}

// sequenceOf names the sequence of a change to keyspace ks.
func sequenceOf(ks string, q ddl.SequenceChange) sequenceName {
	if q.Keyspace != "" {
		ks = q.Keyspace
	}
	return sequenceName{ks, q.Name}
}

func (c *cluster) recordSequence(ctx context.Context, tx tablet.Tx, at sequenceName, q ddl.SequenceChange, highest int64) error {
	switch {
	case q.From != "":
		return c.catalog.RenameSequence(ctx, tx, at.keyspace, q.From, q.Name)
	case q.Drop:
		return c.catalog.DropSequence(ctx, tx, at.keyspace, at.name)
	}
	next := max(q.Next, highest+1, 1)
	if q.AtLeast {
		now, err := c.catalog.PeekSequenceTx(ctx, tx, at.keyspace, at.name)
		if err != nil {
			return err
		}
		next = max(next, now)
	}
	return c.catalog.SetSequence(ctx, tx, at.keyspace, at.name, next)
}

// fill writes the rows of CREATE TABLE … AS SELECT.
func (s *session) fill(ctx context.Context, ks string, f *ddl.Fill) error {
	ins := &sqlast.Insert{Table: &sqlast.TableRef{Schema: ks, Name: f.Table.Name}, Columns: f.Columns, Query: f.Query}
	plan, err := route.Insert(s.env(), ins, 0, false)
	if err != nil {
		return err
	}
	vec, err := exec.Bind(ctx, s, &plan.Params, nil, nil)
	if err != nil {
		return err
	}
	_, err = exec.Exec(ctx, s, plan, vec)
	return s.failed(err)
}

func quoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// backquoted is quoteName for MySQL's dialect.
func backquoted(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}
