package exec

import (
	"context"
	"slices"

	"github.com/vitessdo/vitessdo/route"
)

// changes gives the effects' columns of rows that are inserted.
func (in *inserting) changes(ctx context.Context, rows []int) ([]change, error) {
	width := len(in.ins.EffectAt)
	flat := make([]any, width*len(rows))
	out := make([]change, len(rows))
	for i, r := range rows {
		after := flat[i*width : (i+1)*width : (i+1)*width]
		for k, at := range in.ins.EffectAt {
			if at >= 0 {
				after[k] = in.rows[r][at]
			}
		}
		out[i].after = after
	}
	return out, deriveChanges(ctx, in.ins.Effects.Derived, out)
}

// runWithEffects inserts all rows and what is kept beside them.
func (in *inserting) runWithEffects(sc *scope) error {
	in.told = Result{} // the session may try again
	all := make([]int, len(in.rows))
	for i := range all {
		all[i] = i
	}
	if in.ins.Conflicts == nil {
		return in.insert(sc, all)
	}
	for _, i := range all {
		if err := in.insertOrMeet(sc, i); err != nil {
			return err
		}
	}
	return nil
}

// insert inserts some of the rows, with their effects.
func (in *inserting) insert(sc *scope, rows []int) error {
	var changes []change
	if in.ins.Effects != nil {
		var err error
		if changes, err = in.changes(sc.ctx, rows); err != nil {
			return err
		}
		if err := sc.effects(in.ins.Effects, true, changes); err != nil {
			return err
		}
	}
	if err := in.runOn(sc, rows); err != nil || in.ins.Effects == nil {
		return err
	}
	if in.later != nil && in.ins.Conflicts == nil {
		return in.later.add(changes)
	}
	return sc.effects(in.ins.Effects, false, changes)
}

// runOn inserts some of the rows at their shards.
func (in *inserting) runOn(sc *scope, rows []int) error {
	whole := in.at
	if len(rows) < len(in.rows) {
		in.at = make([][]int, len(whole))
		for shard, list := range whole {
			for _, i := range rows {
				if _, here := slices.BinarySearch(list, i); here {
					in.at[shard] = append(in.at[shard], i)
				}
			}
		}
		defer func() { in.at = whole }()
	}
	return in.runShards(sc)
}

// insertOrMeet inserts a row, unless rows are in its way: it is skipped, or
// replaces them, or the first of them is updated.
func (in *inserting) insertOrMeet(sc *scope, i int) error {
	c := in.ins.Conflicts
	in.count[i], in.added[i] = 0, false
	switch c.Action {
	case route.ConflictPass:
		key, err := in.taken(sc, i)
		if err != nil || key != nil {
			return err
		}
		return in.insert(sc, []int{i})
	case route.ConflictSkip:
		key, err := in.taken(sc, i)
		if err != nil || key != nil {
			return err
		}
		violation, err := sc.attempt(func(sc *scope) error { return in.insert(sc, []int{i}) })
		if violation != nil {
			in.count[i], in.added[i] = 0, false
			if in.returned != nil {
				in.returned[i] = nil
			}
		}
		return err
	case route.ConflictReplace:
		gone := int64(0)
		for k := range c.Keys {
			if in.lacks(&c.Keys[k], i) {
				continue
			}
			n, err := sc.plan(c.Keys[k].Write, in.rows[i])
			if err != nil {
				return err
			}
			gone += n
		}
		err := in.insert(sc, []int{i})
		in.count[i] += gone
		return err
	}
	key, err := in.taken(sc, i)
	if err != nil {
		return err
	}
	if key == nil {
		return in.insert(sc, []int{i})
	}
	return in.update(sc, key.Write, i)
}

// update changes the row that has a key of row i, and notes the ID that
// SET id = LAST_INSERT_ID(id) tells.
func (in *inserting) update(sc *scope, p *route.Plan, i int) error {
	vec, err := Bind(sc.ctx, sc, &p.Params, in.rows[i], nil)
	if err != nil {
		return err
	}
	rows, res, err := write(sc.ctx, sc, p, vec)
	if err != nil {
		return err
	}
	if in.returned != nil {
		in.returned[i] = rows
	}
	switch {
	case res.RowsAffected > 0:
		in.count[i] = in.twice()
	case in.ins.Found:
		in.count[i] = 1
	}
	if res.HasInsertID {
		in.told = res
	}
	return nil
}

// taken gives the first unique key of the row that another row has, or nil.
func (in *inserting) taken(sc *scope, i int) (*route.ConflictKey, error) {
	for k := range in.ins.Conflicts.Keys {
		key := &in.ins.Conflicts.Keys[k]
		if in.lacks(key, i) {
			continue
		}
		n, err := sc.plan(key.Find, in.rows[i])
		if err != nil {
			return nil, err
		}
		if n > 0 {
			return key, nil
		}
	}
	return nil, nil
}

// lacks says whether a key has a NULL in the row, so that no other row can have
// the same.
func (in *inserting) lacks(key *route.ConflictKey, i int) bool {
	return slices.ContainsFunc(key.Ordinals, func(at int) bool { return in.rows[i][at] == nil })
}
