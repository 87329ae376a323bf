package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vindex"
)

// change is a row's columns that effects are about, before and after: before is
// nil for a row that is inserted, after for one that is deleted.
type change struct{ before, after []any }

func (c *change) event() route.Event {
	switch {
	case c.before == nil:
		return route.OnInsert
	case c.after == nil:
		return route.OnDelete
	}
	return route.OnUpdate
}

// Follow runs the effects of rows as though they had just been inserted: rows hold
// the values of the effects' columns.
func Follow(ctx context.Context, s Session, e *route.Effects, rows [][]any) error {
	changes := make([]change, len(rows))
	for i, r := range rows {
		changes[i].after = r
	}
	return atomically(ctx, s, func(sc *scope) error {
		if err := sc.effects(e, true, changes); err != nil {
			return err
		}
		return sc.effects(e, false, changes)
	})
}

// effectChunks are the numbers of rows that one execution of an effect does: few
// different texts, so that their plans are kept.
var effectChunks = [...]int{256, 32, 4, 1}

// effects runs the effects that go before the rows, or those that go after them.
func (sc *scope) effects(e *route.Effects, before bool, rows []change) error {
	for i := range e.List {
		if e.List[i].Before != before {
			continue
		}
		if err := sc.effect(e, &e.List[i], rows); err != nil {
			return err
		}
	}
	return nil
}

// effect runs one effect for the rows that it follows.
func (sc *scope) effect(all *route.Effects, e *route.Effect, rows []change) error {
	var list [][]any
	for i := range rows {
		c := &rows[i]
		if e.On&c.event() == 0 || c.event() == route.OnUpdate && !changed(c, e.Watch) {
			continue
		}
		args, err := sc.effectArgs(all, e, c)
		if err != nil {
			return err
		}
		if args != nil {
			list = append(list, args)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if e.UnlessGiven {
		var err error
		if list, err = notGiven(all, e, list, rows); err != nil {
			return err
		}
	}
	if e.Key {
		if err := uniqueAmong(all, e, rows); err != nil {
			return err
		}
	}
	if e.Judge == route.JudgeAll {
		var err error
		if list, err = distinctArgs(all, e, list); err != nil {
			return err
		}
	}
	for len(list) > 0 {
		n := 1
		if e.Row != "" {
			for _, size := range effectChunks {
				if size <= len(list) {
					n = size
					break
				}
			}
		}
		if err := sc.runEffect(e, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func changed(c *change, watch []int) bool {
	for _, i := range watch {
		if !sameValue(c.before[i], c.after[i]) {
			return true
		}
	}
	return false
}

// sameValue says whether two values are stored as one and the same.
func sameValue(a, b any) bool {
	x, ok := a.([]byte)
	y, ok2 := b.([]byte)
	if ok && ok2 {
		return bytes.Equal(x, y)
	}
	return !ok && !ok2 && a == b
}

// effectArgs gives what an effect binds of a row; nil when it has a NULL that
// means that the row has no effect.
func (sc *scope) effectArgs(all *route.Effects, e *route.Effect, c *change) ([]any, error) {
	args := make([]any, len(e.Args))
	for i := range e.Args {
		a := &e.Args[i]
		row := c.before
		if a.New {
			row = c.after
		}
		if row == nil {
			return nil, fmt.Errorf("effect %q asks for a row that isn't there", e.Head)
		}
		if a.ID == nil {
			var err error
			if args[i], err = all.Value(a, row); err != nil {
				return nil, err
			}
			if args[i] == nil && e.SkipNull && i < len(e.Args)-e.Nullable {
				return nil, nil
			}
			continue
		}
		id, err := a.ID.KeyspaceID(row, sc.Scratch())
		if err != nil {
			return nil, err
		}
		args[i] = id
	}
	return args, nil
}

// runEffect runs an effect's statement for some rows.
func (sc *scope) runEffect(e *route.Effect, rows [][]any) error {
	args := rows[0]
	if len(rows) > 1 {
		args = make([]any, 0, len(rows)*len(rows[0]))
		for _, r := range rows {
			args = append(args, r...)
		}
	}
	found, err := sc.statement(e.Keyspace, e.Text(len(rows)), args)
	var one []any
	if len(rows) == 1 {
		one = rows[0]
	}
	switch {
	case err != nil:
		var t *tablet.Error
		if e.Judge == route.JudgeUnique && errors.As(err, &t) && t.Code == tablet.CodeUnique {
			return e.Fail(one)
		}
		return err
	case e.Judge == route.JudgeEmpty && found > 0, e.Judge == route.JudgeAll && found < int64(len(rows)):
		return e.Fail(one)
	}
	return nil
}

// statement runs a statement of the gate's own inside the scope. It gives the
// number of rows that were found or affected.
func (sc *scope) statement(keyspace, text string, args []any) (int64, error) {
	p, err := sc.Statement(keyspace, text)
	if err != nil {
		return 0, fmt.Errorf("%w (in %s)", err, text)
	}
	return sc.plan(p, args)
}

// plan runs a plan inside the scope, and gives the number of rows that were found
// or affected.
func (sc *scope) plan(p *route.Plan, args []any) (int64, error) {
	vec, err := Bind(sc.ctx, sc, &p.Params, args, nil)
	if err != nil {
		return 0, err
	}
	if p.Write != nil {
		_, res, err := write(sc.ctx, sc, p, vec)
		return res.RowsAffected, err
	}
	rows, err := Query(sc.ctx, sc, p, vec)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	dest := make([]any, len(p.Columns))
	for {
		if err := rows.Next(dest); err != nil {
			if cerr := rows.Close(); err == io.EOF {
				err = cerr
			}
			return n, err
		}
		n++
	}
}

// keyOf gives a text that is the same for values which are equal in their
// columns; ok is false when one of them is NULL.
func keyOf(all *route.Effects, e *route.Effect, row []any) (key string, ok bool, err error) {
	var b []byte
	for i := range e.Args {
		a := &e.Args[i]
		if a.ID != nil {
			continue
		}
		v, err := all.Value(a, row)
		if err != nil {
			return "", false, err
		}
		v, err = vindex.Canonical(v, route.ColumnOf(all.Columns[a.At].Type))
		if err != nil {
			return "", false, err
		}
		switch v := v.(type) {
		case nil:
			return "", false, nil
		case int64:
			b = strconv.AppendInt(append(b, 'i'), v, 10)
		case float64:
			b = strconv.AppendFloat(append(b, 'f'), v, 'g', -1, 64)
		case string:
			b = append(strconv.AppendInt(append(b, 's'), int64(len(v)), 10), ':')
			b = append(b, v...)
		case []byte:
			b = append(strconv.AppendInt(append(b, 'b'), int64(len(v)), 10), ':')
			b = append(b, v...)
		}
	}
	return string(b), true, nil
}

// uniqueAmong checks a unique key among the rows of the statement, in the order in
// which they are changed: a row's new key must not be one that another row has
// got, or that a later row still has.
func uniqueAmong(all *route.Effects, e *route.Effect, rows []change) error {
	if len(rows) < 2 {
		return nil
	}
	held := make(map[string]int, len(rows)) // key → rows that have it
	keys := make([]string, len(rows))
	had := make([]bool, len(rows))
	for i := range rows {
		if rows[i].before == nil {
			continue
		}
		var err error
		if keys[i], had[i], err = keyOf(all, e, rows[i].before); err != nil {
			return err
		}
		if had[i] {
			held[keys[i]]++
		}
	}
	for i := range rows {
		if had[i] {
			held[keys[i]]--
		}
		if rows[i].after == nil {
			continue
		}
		key, ok, err := keyOf(all, e, rows[i].after)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if held[key] > 0 {
			values, err := keyValues(all, e, rows[i].after)
			if err != nil {
				return err
			}
			return e.Fail(values)
		}
		held[key]++
	}
	return nil
}

func keyValues(all *route.Effects, e *route.Effect, row []any) ([]any, error) {
	var out []any
	for i := range e.Args {
		if e.Args[i].ID != nil {
			continue
		}
		v, err := all.Value(&e.Args[i], row)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// notGiven drops rows whose old key another row has got.
func notGiven(all *route.Effects, e *route.Effect, list [][]any, rows []change) ([][]any, error) {
	given := map[string]struct{}{}
	for i := range rows {
		if rows[i].after == nil {
			continue
		}
		key, ok, err := keyOf(all, e, rows[i].after)
		if err != nil {
			return nil, err
		}
		if ok {
			given[key] = struct{}{}
		}
	}
	if len(given) == 0 {
		return list, nil
	}
	out := list[:0:0]
	for _, args := range list {
		key, err := keyOfArgs(all, e, args)
		if err != nil {
			return nil, err
		}
		if _, again := given[key]; !again {
			out = append(out, args)
		}
	}
	return out, nil
}

// keyOfArgs is keyOf for what an effect binds, none of it NULL.
func keyOfArgs(all *route.Effects, e *route.Effect, args []any) (string, error) {
	row := make([]any, len(all.Columns))
	for i := range e.Args {
		row[e.Args[i].At] = args[i]
	}
	key, _, err := keyOf(all, e, row)
	return key, err
}

// distinctArgs drops rows that ask for what an earlier one asks for.
func distinctArgs(all *route.Effects, e *route.Effect, list [][]any) ([][]any, error) {
	if len(list) == 1 {
		return list, nil
	}
	seen := make(map[string]struct{}, len(list))
	out := list[:0:0]
	for _, args := range list {
		key, err := keyOfArgs(all, e, args)
		if err != nil {
			return nil, err
		}
		if _, again := seen[key]; !again {
			seen[key] = struct{}{}
			out = append(out, args)
		}
	}
	return out, nil
}

// attempt runs fn so that a violation of a key, which it gives as the error,
// leaves nothing of what fn did; any other error is the statement's.
func (sc *scope) attempt(fn func(*scope) error) (violation, err error) {
	inner := &scope{ctx: sc.ctx, Session: sc.Session, outer: sc, inner: true, txs: map[Place]tablet.Tx{}}
	err = inner.end(fn(inner))
	var undo *UndoError
	if err != nil && !errors.As(err, &undo) && violates(err) {
		return err, nil
	}
	return nil, err
}

// violates says whether an error is about a constraint.
func violates(err error) bool {
	switch tablet.CodeOf(err) {
	case tablet.CodeUnique, tablet.CodeForeignKey, tablet.CodeCheck, tablet.CodeNotNull:
		return true
	}
	return route.IsViolation(err)
}

// Tx implements Session: what runs inside the scope writes in its transactions,
// so that the scope can undo it.
func (sc *scope) Tx(ctx context.Context, keyspace string, shard int, to Access) (tablet.Tx, error) {
	if to != Reading {
		return sc.tx(Place{keyspace, shard})
	}
	return sc.Session.Tx(ctx, keyspace, shard, Reading)
}

// Atomically implements Session: the scope is atomic already.
func (sc *scope) Atomically(_ context.Context, fn func(Session) error) error { return fn(sc) }
