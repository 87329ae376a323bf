package vitessdo

import (
	"context"
	"errors"
	"io"
	"strings"

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
	"github.com/vitessdo/vitessdo/vschema"
)

// runDDL changes the schema on all shards and in the catalog, in one distributed
// transaction. As in MySQL it commits the session's own transaction first.
func (s *session) runDDL(ctx context.Context, st *sqlparse.Statement) error {
	if s.readsOnly() {
		return newError(CodeTxReadOnly, "cannot execute %s in a READ ONLY transaction", statementName(st))
	}
	if s.shard >= 0 {
		return newError(CodeUnsupported, "%s while the session is on one shard (%s/%s): a schema change goes to all shards; USE %s first",
			statementName(st), s.keyspace, s.cl.state.Load().shards[s.keyspace].Names[s.shard], s.keyspace)
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	s.warnings = nil
	s.cl.ddl.Lock()
	defer s.cl.ddl.Unlock()
	var fill *ddl.Fill
	err := s.plannedChange(ctx, func() (err error) {
		// What planning has made of a statement is of no use to another attempt.
		if st, err = s.parse(st.Text, nil); err != nil {
			return err
		}
		if v, ok := st.Stmt.(*sqlast.CreateView); ok {
			if err := s.checkView(v); err != nil {
				return inStatement(err, st.Text)
			}
		}
		fill, err = s.changeSchema(ctx, st)
		return err
	})
	if err != nil || fill == nil {
		return err
	}
	ks := st.Stmt.(*sqlast.CreateTable).Schema // which changeSchema has filled in
	if err := s.fill(ctx, ks, fill); err != nil {
		return errors.Join(err, s.dropUnfilled(context.WithoutCancel(ctx), ks, fill))
	}
	return nil
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

// dropUnfilled takes CREATE TABLE … AS SELECT back, whose rows could not be
// written.
func (s *session) dropUnfilled(ctx context.Context, ks string, f *ddl.Fill) error {
	return s.plannedChange(ctx, func() error {
		_, err := s.changeSchema(ctx, &sqlparse.Statement{Stmt: &sqlast.DropTable{
			Tables: []*sqlast.TableRef{{Schema: ks, Name: f.Table.Name}}}})
		return err
	})
}

// changeSchema runs a statement that changes the schema, and publishes what came
// of it. The caller holds cl.ddl. It returns the rows that are still to be
// written, if there are any.
func (s *session) changeSchema(ctx context.Context, st *sqlparse.Statement) (*ddl.Fill, error) {
	cl := s.cl
	ks, err := s.ddlKeyspace(st.Stmt)
	if err != nil {
		return nil, inStatement(err, st.Text)
	}
	if err := s.qualifyFor(st.Stmt, ks); err != nil {
		return nil, inStatement(err, st.Text)
	}
	change, err := ddl.Plan(st.Stmt, s.snap.schema, s.snap.vschema, s.ddlOptions(ks))
	if err != nil {
		return nil, inStatement(err, st.Text)
	}
	for _, w := range change.Warnings {
		s.warn(levelWarning, mysqlErrors[CodePlan].number, w)
	}
	if change.Empty() {
		return nil, nil
	}
	if err := cl.applyDDL(ctx, ks, change, s.snap); err != nil {
		return nil, err
	}
	for _, b := range change.Backfill {
		if err := s.backfillVindex(ctx, ks, b.Table, b.Vindex, nil); err != nil {
			return nil, err
		}
	}
	return change.Fill, nil
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

// applyDDL runs a change's statements on the shards of its keyspaces, in key order,
// records it in the catalog, and publishes the snapshot that comes of it.
func (c *cluster) applyDDL(ctx context.Context, ks string, change *ddl.Change, old *snapshot) error {
	if change.VSchema != nil {
		// What could not be read again must not be stored: another keyspace may
		// refer to what this one gives up.
		if _, err := vschema.Parse(change.VSchema.Marshal()); err != nil {
			return errorFrom(CodeVSchema, err, "the VSchema would not be whole: %v", err)
		}
	}
	age := c.at.nextAge()
	return again(ctx, c.cfg.LockWaitTimeout, func() error { return c.tryDDL(ctx, ks, change, old, age) })
}

func (c *cluster) tryDDL(ctx context.Context, ks string, change *ddl.Change, old *snapshot, age uint64) error {
	h := &holding{c: c, old: old, age: age, unchecked: change.ForeignKeysOff}
	defer h.letGo()
	if change.Moves() {
		if err := h.run(ctx, ks, change.Shards); err != nil {
			return err
		}
		if err := h.runOthers(ctx, change); err != nil {
			return err
		}
	}
	if err := c.fillLookups(ctx, ks, change, h.shards[ks]); err != nil {
		return err
	}
	if err := h.settle(ctx, ks, change); err != nil {
		return err
	}
	highest, err := highestIDs(ctx, ks, h.shards[ks], change.Sequences)
	if err != nil {
		return err
	}
	decided, err := h.commit(ctx, func(cat tablet.Tx) error {
		return c.record(ctx, cat, ks, change, old.auto, highest)
	}, nil)
	if decided {
		c.forgetSequences(ks, change)
	}
	return err
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
	rows, err := r.Query(ctx, &tablet.Query{SQL: sql})
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
	s.snap = s.cl.state.Load()
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
	return err
}

func quoteName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
