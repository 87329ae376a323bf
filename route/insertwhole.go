package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// wholeInsert plans an INSERT … SELECT whose rows stay on the shard that they are
// read from: each shard inserts its own, and nothing comes to the gate. done is
// false when rows may go elsewhere, or the gate has more to do than to pass them
// on. It is called when the statement's columns and its query are bound.
func (ib *insertBuilder) wholeInsert(p *Plan, at located, dest Destination) (done bool, err error) {
	s, ok := ib.ins.Query.(*sqlast.Select)
	if !ok || !ib.plainInsert() || !ib.plainQuery(s) || at.onlySingle && !dest.Single() || !dest.Single() && !ib.local(s) {
		return false, nil
	}
	if !ib.staysHere(s, at.place) || !ib.keepsNumbers(s) {
		return false, nil
	}
	one := &sqlast.Insert{Table: &sqlast.TableRef{Name: ib.src.def.Name, Table: ib.src.def}, Query: s}
	for _, c := range ib.cols {
		one.Columns = append(one.Columns, c.Name)
	}
	if !ib.runs(at.keyspace, one) {
		return false, nil
	}
	s.GroupBy, s.OrderBy = groupExprs(s, ib.blocks[s]), nil
	split := ib.split(s, at.place, dest)
	text, err := ib.print(at.keyspace, one)
	if err != nil {
		return false, err
	}
	p.Write.Kind, p.Write.Insert = WriteWhole, nil
	p.Fragments = []*Fragment{{Keyspace: at.keyspace, Dest: dest, SQL: text, Split: split}}
	return true, nil
}

// plainInsert says whether rows are only put in: the gate keeps nothing beside
// them, makes no number for them and needs to know nothing of each.
func (ib *insertBuilder) plainInsert() bool {
	ins := ib.ins
	if ins.Replace || ins.Ignore || ins.Pass || len(ins.OnDup) > 0 || len(ins.Returning) > 0 || ib.rows.Effects != nil || ib.src.check != nil {
		return false
	}
	return !slices.ContainsFunc(ib.src.def.Columns, func(c *sqlast.ColumnDef) bool { return c.AutoInc })
}

// plainQuery says whether the select list can be given the columns' forms where
// it stands: nothing else in the query speaks of it, nor is there anything that
// two runs of the statement would answer in two ways.
func (ib *insertBuilder) plainQuery(s *sqlast.Select) bool {
	if forced(s.Directives) || s.Distinct || s.Rollup || s.ValuesRows != nil || s.Limit != nil || s.Lock != nil || ib.hasAlias(s.Having) {
		return false
	}
	random := false
	sqlast.WalkQuery(s, func(e sqlast.Expr) bool {
		f, ok := e.(*sqlast.Func)
		random = random || ok && (f.Name == "RAND" || f.Name == "UUID")
		return !random
	})
	return !random
}

// staysHere says whether each row belongs to the shard that finds it: what goes
// into the sharding columns is, as it is, a sharding key of where it came from.
func (ib *insertBuilder) staysHere(s *sqlast.Select, at place) bool {
	to := ib.sourcePlace(ib.src)
	if at.kind != to.kind || at.keyspace != to.keyspace {
		return false
	}
	switch to.kind {
	case placeFixed:
		return at.dest.Kind == to.dest.Kind && at.dest.Shard == to.dest.Shard
	case placeGroup:
		if !sameVindex(at.vindex, to.vindex) {
			return false
		}
		for i, name := range to.vindex.Columns {
			k := slices.IndexFunc(ib.cols, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
			if k < 0 || !ib.carriesKey(s.Items[k].Expr, ib.cols[k], at.classes[i]) {
				return false
			}
		}
		return true
	}
	return false
}

// carriesKey says whether x is the sharding column of class c, and the column
// keeps its values as they are.
func (ib *insertBuilder) carriesKey(x sqlast.Expr, col *sqlast.ColumnDef, c *class) bool {
	t, ok := ib.facts.term(x)
	if !ok || ib.facts.filled(x) || ib.facts.class(t) != c {
		return false
	}
	from, to := columnOf(t), col.Type
	if from.Class != sqlast.ClassInt || from.Name == "YEAR" || to.Name == "YEAR" {
		if from.Name != to.Name || from.Scale != to.Scale || len(from.Values)+len(to.Values) > 0 {
			return false
		}
	}
	return compatible(from, to)
}

// keepsNumbers says whether no NULL can meet a whole number that is the primary
// key: SQLite would put a number of its own there. ENUMs are looked at by the gate.
func (ib *insertBuilder) keepsNumbers(s *sqlast.Select) bool {
	for i, c := range ib.cols {
		if c.Type.Values != nil {
			return false
		}
		if c.Type.Class != sqlast.ClassInt || !ib.inPrimaryKey(c) {
			continue
		}
		x, ok := s.Items[i].Expr.(*sqlast.Col)
		if !ok || !x.T.NotNull || ib.facts.filled(x) {
			return false
		}
	}
	return true
}

func (ib *insertBuilder) inPrimaryKey(c *sqlast.ColumnDef) bool {
	return slices.ContainsFunc(ib.src.def.Indexes, func(x *sqlast.IndexDef) bool {
		return x.Kind == sqlast.IndexPrimary && containsFold(x.Columns(), c.Name)
	})
}
