package exec

import (
	"context"
	"fmt"
	"slices"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// writeByKey finds the rows that a write is about, and writes them by their row
// IDs. A row that was found several times, as a join does, is written once, by
// the first of its finds.
func writeByKey(ctx context.Context, s Session, p *route.Plan, args []any) (out [][]any, res Result, err error) {
	err = atomically(ctx, s, func(sc *scope) error {
		out, res = nil, Result{} // the session may try again
		at, err := writtenPlaces(sc, p, args)
		if err != nil {
			return err
		}
		if err := sc.lock(at); err != nil {
			return err
		}
		rows, err := find(ctx, sc, p, args)
		if err != nil {
			return err
		}
		for i := range p.Write.ByKey {
			n, returned, err := writeKeys(sc, &p.Write.ByKey[i], rows, len(p.Columns) > 0)
			if err != nil {
				return err
			}
			res.RowsAffected += n
			out = append(out, returned...)
			tellID(&res, &p.Write.ByKey[i], rows)
		}
		return nil
	})
	if err != nil {
		return nil, Result{}, err
	}
	return out, res, nil
}

// find runs a write's fragments and combine, and keeps the rows.
func find(ctx context.Context, s Session, p *route.Plan, args []any) ([][]any, error) {
	src, what, err := finding(ctx, s, p, args)
	if err != nil {
		return nil, err
	}
	return keepAll(src, &meter{limits: s.Limits()}, what)
}

// finding starts a write's fragments and combine; what names them for the limits.
func finding(ctx context.Context, s Session, p *route.Plan, args []any) (src *asSource, what string, err error) {
	read := *p
	read.Write = nil
	if read.Combine.Width > 0 {
		read.Columns = make([]route.Column, read.Combine.Width)
	}
	rows, err := gather(ctx, s, &read, args)
	if err != nil {
		return nil, "", err
	}
	what = "the rows that the statement reads"
	if len(p.Fragments) > 0 {
		what = p.Fragments[0].SQL.String()
	}
	return &asSource{rows: rows, row: make([]any, len(read.Columns))}, what, nil
}

// asSource makes a source of Rows.
type asSource struct {
	rows Rows
	row  []any
}

func (a *asSource) next() ([]any, error) {
	err := a.rows.Next(a.row)
	return a.row, err
}

func (a *asSource) close() error { return a.rows.Close() }

// tellID gives the result the ID that SET col = LAST_INSERT_ID(x) names.
func tellID(res *Result, w *route.KeyWrite, rows [][]any) {
	if !w.TellsID {
		return
	}
	for _, row := range rows {
		if id, ok := row[w.InsertID].(int64); ok && row[w.RowID] != nil {
			res.LastInsertID, res.HasInsertID, res.Generated = id, true, true
		}
	}
}

// writeKeys writes the rows that were found of one table, with their effects.
func writeKeys(sc *scope, w *route.KeyWrite, rows [][]any, returning bool) (n int64, returned [][]any, err error) {
	if !w.Ignore {
		return writeFound(sc, w, rows, returning)
	}
	if rows, err = distinctRows(w, rows); err != nil {
		return 0, nil, err
	}
	for i := range rows {
		var one int64
		var out [][]any
		violation, err := sc.attempt(func(sc *scope) (err error) {
			one, out, err = writeFound(sc, w, rows[i:i+1], returning)
			return err
		})
		if err != nil {
			return 0, nil, err
		}
		if violation == nil {
			n += one
			returned = append(returned, out...)
		}
	}
	return n, returned, nil
}

func writeFound(sc *scope, w *route.KeyWrite, rows [][]any, returning bool) (n int64, returned [][]any, err error) {
	if rows, err = distinctRows(w, rows); err != nil {
		return 0, nil, err
	}
	if w.Among != nil && len(rows) > 1 {
		changes, err := foundChanges(sc, w, w.Among, rows)
		if err != nil {
			return 0, nil, err
		}
		for i := range w.Among.Effects.List {
			if err := uniqueAmong(w.Among.Effects, &w.Among.Effects.List[i], changes); err != nil {
				return 0, nil, err
			}
		}
	}
	if w.Effects == nil {
		return writeDistinct(sc, w, rows, returning)
	}
	changes, err := foundChanges(sc, w, &w.Following, rows)
	if err != nil {
		return 0, nil, err
	}
	if err := sc.effects(w.Effects, true, changes); err != nil {
		return 0, nil, err
	}
	if n, returned, err = writeDistinct(sc, w, rows, returning); err != nil {
		return 0, nil, err
	}
	return n, returned, sc.effects(w.Effects, false, changes)
}

// writeDistinct writes distinct rows, with the children that follow them.
func writeDistinct(sc *scope, w *route.KeyWrite, rows [][]any, returning bool) (n int64, returned [][]any, err error) {
	if w.Children == nil {
		k, err := groupKeys(sc, w, rows, returning)
		if err != nil {
			return 0, nil, err
		}
		return k.run(sc)
	}
	for i := range rows {
		one := rows[i : i+1]
		k, err := groupKeys(sc, w, one, returning)
		if err != nil {
			return 0, nil, err
		}
		leaving := k.leaving()
		written, out, err := k.run(sc)
		if err != nil {
			return 0, nil, err
		}
		n, returned = n+written, append(returned, out...)
		if leaving == nil {
			continue // the shard's own action has seen it change
		}
		changes, err := foundChanges(sc, w, w.Children, one)
		if err != nil {
			return 0, nil, err
		}
		if err := sc.effects(w.Children.Effects, false, changes); err != nil {
			return 0, nil, err
		}
		if _, _, err := leaving.run(sc); err != nil {
			return 0, nil, err
		}
	}
	return n, returned, nil
}

// foundChanges gives the effects' columns of rows that were found, before and
// after the write.
func foundChanges(sc *scope, w *route.KeyWrite, f *route.Following, rows [][]any) ([]change, error) {
	deletes := w.Move == nil && len(w.Values) == 0
	out := make([]change, len(rows))
	for i, row := range rows {
		c := &out[i]
		c.before = make([]any, len(f.Old))
		for k, at := range f.Old {
			if at >= 0 {
				c.before[k] = row[at]
			}
		}
		if deletes {
			continue
		}
		c.after = make([]any, len(f.New))
		for k, at := range f.New {
			if at < 0 {
				continue
			}
			if c.after[k] = row[at]; at != f.Old[k] {
				// What doesn't fit has been refused by the write.
				c.after[k], _ = stored(row[at], f.Effects.Columns[k])
			}
		}
	}
	return out, deriveChanges(sc.ctx, f.Effects.Derived, out)
}

// distinctRows drops finds of a row that was found before, as by a join, and
// those without a row, as by an outer join.
func distinctRows(w *route.KeyWrite, rows [][]any) ([][]any, error) {
	type id struct{ shard, row int64 }
	seen := make(map[id]struct{}, len(rows))
	out := make([][]any, 0, len(rows))
	for _, row := range rows {
		if row[w.RowID] == nil {
			continue // the other side of an outer join
		}
		shard, ok := row[w.Shard].(int64)
		if !ok {
			return nil, fmt.Errorf("a row to write came from shard %v; it must be a shard's ordinal", row[w.Shard])
		}
		rowID, ok := row[w.RowID].(int64)
		if !ok {
			return nil, fmt.Errorf("a row to write has the row ID %s; it must be an integer", describe(row[w.RowID]))
		}
		if _, again := seen[id{shard, rowID}]; !again {
			seen[id{shard, rowID}] = struct{}{}
			out = append(out, row)
		}
	}
	return out, nil
}

// writtenPlaces lists the shards on which the write may find rows: those of
// the fragments that tell where a row came from.
func writtenPlaces(s Session, p *route.Plan, args []any) ([]Place, error) {
	var tagged []*route.Fragment
	for _, f := range p.Fragments {
		if f.Tag {
			tagged = append(tagged, f)
		}
	}
	if tagged == nil {
		tagged = p.Fragments
	}
	runs, err := resolve(s, tagged, args)
	return places(runs), err
}

// step is a statement with the executions that each shard gets.
type step struct {
	sql  *dialect.Text
	args map[int][][]any // shard → executions
}

func (st *step) add(shard int, args []any) {
	if st.args == nil {
		st.args = map[int][][]any{}
	}
	st.args[shard] = append(st.args[shard], args)
}

// keyed is a write by key of all rows found. Its steps go in order, so that a
// row that moves leaves before others come.
type keyed struct {
	keyspace  string
	m         *route.ShardMap
	most      int // the highest number of a parameter that shards take
	steps     []step
	counted   []bool // whose executions count as affected rows
	tied      error  // for a row that the first step leaves where it is
	returning bool
	// everywhere: each execution goes to every shard, and the first one's counts.
	everywhere bool
}

// groupKeys sorts distinct rows by what is to be done to them, and where.
func groupKeys(s Session, w *route.KeyWrite, rows [][]any, returning bool) (*keyed, error) {
	m, err := shardMap(s, w.Keyspace)
	if err != nil {
		return nil, err
	}
	k := &keyed{keyspace: w.Keyspace, m: m, most: maxParam, steps: []step{{sql: &w.SQL}}, counted: []bool{true}, returning: returning, everywhere: w.Everywhere}
	if w.Move != nil {
		k.steps = []step{{sql: &w.SQL}, {sql: &w.Stay}, {sql: &w.Move.SQL}}
		k.counted, k.tied = []bool{false, true, true}, w.Tied
	}
	if len(w.Values)+len(w.Keys) >= fewest {
		k.most = leastParameters(s, m)
	}
	for _, row := range rows {
		shard, rowID := row[w.Shard].(int64), row[w.RowID].(int64)
		if shard < 0 || shard >= int64(len(m.Names)) {
			return nil, fmt.Errorf("a row to write came from shard %v; keyspace %q has %d", shard, w.Keyspace, len(m.Names))
		}
		values := make([]any, len(w.Values))
		for i, c := range w.Values {
			values[i] = row[c]
		}
		if w.Fit != nil {
			if values, err = insertArgs(w.Fit, values); err != nil {
				return nil, err
			}
		}
		if w.Everywhere {
			k.addCopies(w, m, rowID, row, values)
			continue
		}
		if err := k.addRow(s, w, m, int(shard), rowID, values); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// leaving takes the first step, in which rows that move leave, out of the others;
// nil when none does.
func (k *keyed) leaving() *keyed {
	out := *k
	out.steps, out.counted = k.steps[:1], k.counted[:1]
	k.steps, k.counted = k.steps[1:], k.counted[1:]
	if out.steps[0].args == nil {
		return nil
	}
	return &out
}

// addCopies adds the write of a reference table's row on every shard.
func (k *keyed) addCopies(w *route.KeyWrite, m *route.ShardMap, rowID int64, row, values []any) {
	args := append(append(make([]any, 0, 1+len(values)+len(w.Keys)), rowID), values...)
	for _, c := range w.Keys {
		args = append(args, row[c])
	}
	for shard := range m.Names {
		k.steps[0].add(shard, args)
	}
}

func (k *keyed) addRow(s Session, w *route.KeyWrite, m *route.ShardMap, shard int, rowID int64, values []any) error {
	byID := func(values []any) []any { return append(append(make([]any, 0, 1+len(values)), rowID), values...) }
	if w.Move == nil {
		k.steps[0].add(shard, byID(values))
		return nil
	}
	values, err := insertArgs(w.Move.Columns, values)
	if err != nil {
		return err
	}
	to := shard
	if w.Move.Dest != nil {
		var err error
		if to, err = w.Move.Dest.ShardOf(m, values, s.Scratch()); err != nil {
			return err
		}
	}
	if to == shard {
		k.steps[1].add(shard, byID(values))
		return nil
	}
	k.steps[0].add(shard, []any{rowID})
	k.steps[2].add(to, values)
	return nil
}

// places lists the shards with executions of the step, ascending.
func (st *step) places(keyspace string) []Place {
	var out []Place
	for shard := range st.args {
		out = append(out, Place{keyspace, shard})
	}
	slices.SortFunc(out, comparePlaces)
	return out
}

// run does the steps; each one's shards work side by side. Locks beyond those
// that finding took are of the shards that rows move to.
func (k *keyed) run(sc *scope) (affected int64, returned [][]any, err error) {
	var all []Place
	for i := range k.steps {
		all = append(all, k.steps[i].places(k.keyspace)...)
	}
	slices.SortFunc(all, comparePlaces)
	if err := sc.lock(slices.Compact(all)); err != nil {
		return 0, nil, err
	}
	for i := range k.steps {
		st := &k.steps[i]
		at := st.places(k.keyspace)
		if len(at) == 0 {
			continue
		}
		shards := at[len(at)-1].Shard + 1
		counts := make([]int64, shards)
		rows := make([][][]any, shards)
		err = sc.each(at, func(ctx context.Context, at Place, tx tablet.Tx) (err error) {
			counts[at.Shard], rows[at.Shard], err = k.exec(ctx, st, tx, at.Shard, k.returning && k.counted[i])
			return err
		})
		if err != nil {
			return 0, nil, err
		}
		if !k.counted[i] {
			if k.tied != nil && !st.hit(counts) {
				return 0, nil, k.tied
			}
			continue
		}
		if k.everywhere {
			counts, rows = counts[:1], rows[:1]
		}
		for shard := range counts {
			affected += counts[shard]
			returned = append(returned, rows[shard]...)
		}
	}
	return affected, returned, nil
}

// hit says whether each execution has written a row; counts is by shard.
func (st *step) hit(counts []int64) bool {
	for shard, execs := range st.args {
		if counts[shard] != int64(len(execs)) {
			return false
		}
	}
	return true
}

// exec runs a shard's executions, as one batch unless they return rows.
func (k *keyed) exec(ctx context.Context, st *step, tx tablet.Tx, shard int, returning bool) (n int64, rows [][]any, err error) {
	execs := st.args[shard]
	sql, err := static(k.m.Text(st.sql, shard))
	if err != nil {
		return 0, nil, err
	}
	if returning {
		for _, args := range execs {
			q := tablet.Query{SQL: sql, Args: args, Schema: k.m.Schema}
			if err := inline(&q, k.most, printer(k.m, shard)); err != nil {
				return 0, nil, err
			}
			out, err := queryAll(ctx, tx, &q)
			if err != nil {
				return 0, nil, err
			}
			n += int64(len(out))
			rows = append(rows, out...)
		}
		return n, rows, nil
	}
	q := tablet.Query{SQL: sql, Args: execs[0], Schema: k.m.Schema}
	if len(execs) > 1 {
		q.Batch = len(execs)
		q.Args = make([]any, 0, len(execs)*len(execs[0]))
		for _, args := range execs {
			q.Args = append(q.Args, args...)
		}
	}
	res, err := execute(ctx, tx, &q, k.most, printer(k.m, shard))
	return res.RowsAffected, nil, err
}
