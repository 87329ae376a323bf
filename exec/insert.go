package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// inserting is an insert of rows on its way.
type inserting struct {
	p     *route.Plan
	ins   *route.InsertRows
	rows  [][]any // what each execution binds
	at    [][]int // shard → rows
	m     *route.ShardMap
	most  int    // the highest number of a parameter that shards take
	auto  []bool // which rows' AUTO_INCREMENT value was generated; nil: none
	added []bool // which rows came to be in the table
	told  Result // has the ID that LAST_INSERT_ID(x) told of a row in the way
	// later, when not nil, keeps what the effects behind the rows are about.
	later *following
	// count per row; returned rows per row
	count    []int64
	returned [][][]any
	// one backs the slices of an insert of one row, the most common one.
	one struct {
		at    [1]int
		added [1]bool
		count [1]int64
	}
}

// writeRows inserts rows, each at the shard that owns it.
func writeRows(ctx context.Context, s Session, p *route.Plan, args []any) (out [][]any, res Result, err error) {
	if p.Write.Insert.Rows != nil {
		return insertRows(ctx, s, p, valueRows(p.Write.Insert, args), args)
	}
	return insertSelected(ctx, s, p, args)
}

// valueRows gives the rows of VALUES.
func valueRows(ins *route.InsertRows, args []any) [][]any {
	width := ins.Width()
	flat := make([]any, 0, len(ins.Rows)*width)
	rows := make([][]any, len(ins.Rows))
	for i, sources := range ins.Rows {
		for _, src := range sources {
			flat = append(flat, src.Value(args))
		}
		flat = flat[:len(flat)+width-len(sources)]
		rows[i] = flat[i*width : (i+1)*width : (i+1)*width]
	}
	return rows
}

// insertRows inserts rows, in a transaction unless one execution does it.
func insertRows(ctx context.Context, s Session, p *route.Plan, rows [][]any, args []any) (out [][]any, res Result, err error) {
	in, err := prepareInsert(ctx, s, p, rows, 0, args)
	if err != nil || len(rows) == 0 {
		return nil, Result{}, err
	}
	shards := in.shards()
	if len(shards) == 1 && !in.rowwise() && !in.hasEffects() {
		r, err := runner(ctx, s, in.ins.Keyspace, shards[0].Shard, Writing)
		if err != nil {
			return nil, Result{}, err
		}
		if err := in.run(ctx, r, shards[0].Shard, true); err != nil {
			return nil, Result{}, err
		}
	} else if err := atomically(ctx, s, in.runAll); err != nil {
		return nil, Result{}, err
	}
	out, res = in.result()
	return out, res, nil
}

// prepareInsert brings the rows into their columns' forms, numbers them, and
// finds their shards; before is how many of the statement's rows came before.
func prepareInsert(ctx context.Context, s Session, p *route.Plan, rows [][]any, before int, args []any) (*inserting, error) {
	in := &inserting{p: p, ins: p.Write.Insert, rows: rows}
	if len(rows) == 1 {
		in.added, in.count = in.one.added[:], in.one.count[:]
	} else {
		in.added, in.count = make([]bool, len(rows)), make([]int64, len(rows))
	}
	if len(p.Columns) > 0 {
		in.returned = make([][][]any, len(rows))
	}
	k := len(in.ins.Columns)
	for r, row := range rows {
		for i, c := range in.ins.Columns {
			var err error
			if row[i], err = stored(row[i], c); err != nil && (!in.ins.Ignore || c.Type.Name == "ENUM") {
				// The shards' tables don't take the empty member of an ENUM.
				return nil, inRow(err, p.Write.Table, before+r)
			}
			if row[i] == nil && c.Type.NotNull && !c.AutoInc {
				if row[i] = implicit(&c.Type); row[i] == nil || !in.ins.Ignore {
					return nil, notNull(p.Write.Table, c)
				}
			}
		}
		for i, src := range in.ins.Extra {
			row[k+in.ins.Beside+i] = src.Value(args)
		}
	}
	if err := in.number(ctx, s); err != nil {
		return nil, err
	}
	err := derive(ctx, in.ins.Derived, func(d *deriving) error {
		for _, row := range rows {
			if err := d.row(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return in, in.place(s, args)
}

// notNull refuses a NULL. SQLite would put a number of its own into a whole
// number that is a primary key.
func notNull(t *sqlast.TableDef, c *sqlast.ColumnDef) error {
	e := &tablet.Error{Code: tablet.CodeNotNull, Columns: []string{c.Name}, Message: "column '" + c.Name + "' cannot be null"}
	if t != nil {
		e.Table = t.Name
	}
	return e
}

// number gives AUTO_INCREMENT values to the rows that have none, all from one
// contiguous block.
func (in *inserting) number(ctx context.Context, s Session) error {
	c := in.ins.AutoInc
	if c < 0 {
		return nil
	}
	need, highest := int64(0), int64(0)
	for _, row := range in.rows {
		if in.ins.Generated(row[c]) {
			need++
		} else if id, ok := row[c].(int64); ok && id > highest {
			highest = id
		}
	}
	keyspace, sequence := in.sequence()
	if highest > 0 {
		if err := s.ObserveID(ctx, keyspace, sequence, highest); err != nil {
			return err
		}
	}
	if need == 0 {
		return nil
	}
	next, err := s.NextIDs(ctx, keyspace, sequence, need)
	if err != nil {
		return err
	}
	in.auto = make([]bool, len(in.rows))
	for i, row := range in.rows {
		if in.ins.Generated(row[c]) {
			row[c] = next
			next++
			in.auto[i] = true
		}
	}
	return nil
}

// sequence names where AUTO_INCREMENT values come from; a table's own sequence
// is in its keyspace and has its name.
func (in *inserting) sequence() (keyspace, name string) {
	keyspace, name = in.ins.SeqKeyspace, in.ins.Sequence
	if keyspace == "" {
		keyspace = in.ins.Keyspace
	}
	if name == "" && in.p.Write.Table != nil {
		name = in.p.Write.Table.Name
	}
	return keyspace, name
}

// place finds the shard of each row.
func (in *inserting) place(s Session, args []any) error {
	m, err := shardMap(s, in.ins.Keyspace)
	if err != nil {
		return err
	}
	in.at, in.m, in.most = make([][]int, len(m.Names)), m, maxParam
	if len(in.rows) > 0 && len(in.rows[0]) > fewest {
		in.most = leastParameters(s, m)
	}
	if in.ins.Dest == nil {
		shards, err := in.ins.Fixed.Resolve(m, args, s.Scratch())
		if err != nil {
			return err
		}
		all := make([]int, len(in.rows))
		for i := range all {
			all[i] = i
		}
		for _, shard := range shards {
			in.at[shard] = all
		}
		return nil
	}
	k := len(in.ins.Columns)
	for i, row := range in.rows {
		shard, err := in.ins.Dest.ShardOf(m, row[:k], s.Scratch())
		if err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
		if in.at[shard] == nil && len(in.rows) == 1 {
			in.at[shard] = in.one.at[:0]
		}
		in.at[shard] = append(in.at[shard], i)
	}
	return nil
}

// shards lists the shards that rows go to, ascending.
func (in *inserting) shards() []Place {
	var out []Place
	for i, rows := range in.at {
		if len(rows) > 0 {
			out = append(out, Place{in.ins.Keyspace, i})
		}
	}
	return out
}

// rowwise says that a row takes more than one execution, or must be written
// apart from the others.
func (in *inserting) rowwise() bool {
	return in.ins.Counting == route.CountReplace && !in.ins.Exists.Empty() || in.returned != nil && len(in.rows) > 1
}

// hasEffects says whether more is to be done than to write the rows.
func (in *inserting) hasEffects() bool { return in.ins.Effects != nil || in.ins.Conflicts != nil }

// runAll inserts all rows and what is kept beside them.
func (in *inserting) runAll(sc *scope) error {
	if in.hasEffects() {
		return in.runWithEffects(sc)
	}
	return in.runShards(sc)
}

// runShards inserts at all shards.
func (in *inserting) runShards(sc *scope) error {
	shards := in.shards()
	if err := sc.lock(shards); err != nil {
		return err
	}
	return sc.each(shards, func(ctx context.Context, at Place, tx tablet.Tx) error {
		// What goes everywhere has the first shard's answer.
		first := in.ins.Dest != nil || at == shards[0]
		return in.run(ctx, tx, at.Shard, first)
	})
}

// run inserts a shard's rows. With answer, what it does there is told.
func (in *inserting) run(ctx context.Context, r tablet.Runner, shard int, answer bool) error {
	rows := in.at[shard]
	if in.rowwise() || in.returned != nil {
		return in.runRows(ctx, r, shard, answer)
	}
	q, err := in.query(&in.ins.SQL, shard, rows[0])
	if err != nil {
		return err
	}
	if len(rows) > 1 {
		q.Batch = len(rows)
		q.Args = make([]any, 0, len(rows)*len(q.Args))
		for _, i := range rows {
			q.Args = append(q.Args, in.rows[i]...)
		}
	}
	res, err := execute(ctx, r, &q, in.most, printer(in.m, shard))
	if err != nil || !answer {
		return in.withEntry(err, rows)
	}
	if len(rows) == 1 {
		in.tell(rows[0], res.RowsAffected, res.LastInsertID)
		return nil
	}
	if len(res.Changed) != len(rows) || len(res.InsertIDs) != len(rows) {
		return fmt.Errorf("the tablet told of %d executions, %d were sent", len(res.Changed), len(rows))
	}
	for k, i := range rows {
		in.tell(i, res.Changed[k], res.InsertIDs[k])
	}
	return nil
}

// query is a statement for a row that goes to a shard.
func (in *inserting) query(t *dialect.Text, shard, row int) (tablet.Query, error) {
	sql, err := static(in.m.Text(t, shard))
	return tablet.Query{SQL: sql, Args: in.rows[row], Schema: in.m.Schema}, err
}

// runRows inserts row by row: to count what REPLACE removes, or to gather what
// RETURNING gives.
func (in *inserting) runRows(ctx context.Context, r tablet.Runner, shard int, answer bool) error {
	replace := in.ins.Counting == route.CountReplace && !in.ins.Exists.Empty()
	for _, i := range in.at[shard] {
		gone := int64(0)
		if replace {
			var err error
			if gone, err = in.makeWay(ctx, r, shard, i); err != nil {
				return err
			}
		}
		q, err := in.query(&in.ins.SQL, shard, i)
		if err != nil {
			return err
		}
		if err := inline(&q, in.most, printer(in.m, shard)); err != nil {
			return err
		}
		if in.returned == nil {
			res, err := r.Exec(ctx, &q)
			if err != nil {
				return in.withEntry(err, []int{i})
			}
			if answer {
				in.tell(i, res.RowsAffected, res.LastInsertID)
				in.count[i] += gone
			}
			continue
		}
		out, err := queryAll(ctx, r, &q)
		if err != nil {
			return in.withEntry(err, []int{i})
		}
		if answer {
			in.returned[i] = out
			in.count[i], in.added[i] = int64(len(out))+gone, len(out) > 0
		}
	}
	return nil
}

// makeWay counts the rows that REPLACE removes for row i, and removes those that
// the row's write would not show to their children.
func (in *inserting) makeWay(ctx context.Context, r tablet.Runner, shard, i int) (gone int64, err error) {
	full, err := in.query(&in.ins.Exists, shard, i)
	if err != nil {
		return 0, err
	}
	q := full
	if err := inline(&q, in.most, printer(in.m, shard)); err != nil {
		return 0, err
	}
	found, err := queryAll(ctx, r, &q)
	if err != nil {
		return 0, err
	}
	if len(found) == 1 && len(found[0]) > 0 {
		gone, _ = found[0][0].(int64)
	}
	if gone == 0 || in.ins.Remove.Empty() {
		return gone, nil
	}
	if full, err = in.query(&in.ins.Remove, shard, i); err != nil {
		return 0, err
	}
	_, err = execute(ctx, r, &full, in.most, printer(in.m, shard))
	if tablet.CodeOf(err) == tablet.CodeForeignKey {
		if named := in.p.Write.RemovalViolated(); named != nil {
			return 0, named
		}
	}
	return gone, err
}

// withEntry completes a shard's error about a duplicate key with the key's value,
// which the shard doesn't tell.
func (in *inserting) withEntry(err error, rows []int) error {
	e, ok := errors.AsType[*tablet.Error](err)
	if !ok || e.Code != tablet.CodeUnique || len(e.Columns) == 0 || e.Execution > len(rows) {
		return err
	}
	row, parts := in.rows[rows[max(e.Execution, 1)-1]], make([]string, len(e.Columns))
	for i, name := range e.Columns {
		at := slices.IndexFunc(in.ins.Columns, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
		if at < 0 || row[at] == nil {
			return err // a default, which the shard has put in
		}
		parts[i] = route.KeyText(in.ins.Columns[at], row[at])
	}
	e.Entry = strings.Join(parts, "-")
	return err
}

// tell notes what an execution did.
func (in *inserting) tell(i int, changed, insertID int64) {
	in.count[i] = changed
	in.added[i] = changed > 0
	if in.ins.Counting == route.CountDup {
		in.added[i] = insertID != tablet.NoRowID
		switch {
		case in.added[i]:
		case changed > 0:
			in.count[i] = in.twice()
		case in.ins.Found:
			in.count[i] = 1
		}
	}
}

// twice is what a row counts that was there and is changed.
func (in *inserting) twice() int64 {
	if in.ins.Once {
		return 1
	}
	return 2
}

// result sums up.
func (in *inserting) result() ([][]any, Result) {
	var t total
	out := t.add(in, nil)
	return out, t.result()
}

// firstGenerated tells the first generated value of a row that was added.
func (in *inserting) firstGenerated() Result {
	if in.ins.AutoInc < 0 || in.auto == nil {
		return Result{}
	}
	for i, row := range in.rows {
		if in.auto[i] && in.added[i] {
			if id, ok := row[in.ins.AutoInc].(int64); ok {
				return Result{LastInsertID: id, HasInsertID: true, Generated: true}
			}
		}
	}
	return Result{}
}

// lastGiven tells the value of the last row that was added, where none was to be
// generated.
func (in *inserting) lastGiven() Result {
	if in.ins.AutoInc < 0 || in.auto != nil {
		return Result{}
	}
	for i := len(in.rows) - 1; i >= 0; i-- {
		if id, ok := in.rows[i][in.ins.AutoInc].(int64); ok && in.added[i] {
			return Result{LastInsertID: id, HasInsertID: true}
		}
	}
	return Result{}
}

// insertArgs gives what an insert of one row binds: values in the order of the
// insert's columns, in their columns' forms.
func insertArgs(cols []*sqlast.ColumnDef, values []any) (_ []any, err error) {
	out := make([]any, len(values))
	for i, v := range values {
		if i < len(cols) {
			if v, err = stored(v, cols[i]); err != nil {
				return nil, err
			}
		}
		out[i] = v
	}
	return out, nil
}
