package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Step is done before a plan's own statements run, in the same transaction, and
// gives parameter Slot its value. A later step may use an earlier one's. It is one
// of three: a question to a lookup, a subquery that hangs on no row of the
// statement, or an expression over what such steps have given.
type Step struct {
	Slot   int
	Lookup *LookupStep
	Query  *SubqueryStep
	SQL    string
}

// SubqueryStep runs Plan, over the parameters of the whole statement. The value is
// that of its only row, NULL without one; more rows are error 1242. With Exists it
// is 1 or 0, as there is a row. With List it is all of its values, as JSON; parameter
// Items has them too, NULLs aside, as destinations take lists.
type SubqueryStep struct {
	Plan   *Plan
	Exists bool
	List   bool
	Items  int
	// Decimal: the value is a DECIMAL.
	Decimal bool
}

// step appends a step and returns its parameter.
func (ps *paramSet) step(s Step, t sqlast.Type) *sqlast.Param {
	p := ps.add(Computed{Kind: ComputedConst}, t)
	s.Slot = p.Index
	if ps.late == nil {
		ps.late = map[int]bool{}
	}
	ps.late[s.Slot] = true
	ps.p.Steps = append(ps.p.Steps, s)
	return p
}

// isLate says whether e has the value of a step in it.
func (ps *paramSet) isLate(e sqlast.Expr) bool {
	late := false
	if len(ps.late) > 0 {
		sqlast.Walk(e, func(x sqlast.Expr) bool {
			p, ok := x.(*sqlast.Param)
			late = late || ok && ps.late[p.Index]
			return !late
		})
	}
	return late
}

// firsts finds the subqueries of a statement that can be evaluated before it.
type firsts struct {
	b *binder
	// done has what stands in the place of subqueries: a write may name one
	// expression several times.
	done map[sqlast.Expr]sqlast.Expr
	// keys are worth it wherever their rows are.
	keys map[sqlast.Expr]bool
	err  error
}

// keyValuesFirst lists the subqueries that the sharding key of all rows equals, where
// the rows may be on several shards: their values lead to one, also those of tables
// that each shard has.
func (b *binder) keyValuesFirst(q sqlast.Query, at located, dest Destination) map[sqlast.Expr]bool {
	s, ok := q.(*sqlast.Select)
	if !ok || at.kind != placeGroup || dest.Single() {
		return nil
	}
	var out map[sqlast.Expr]bool
	for _, c := range sqlast.Conjuncts(s.Where) {
		e, ok := c.(*sqlast.Binary)
		if !ok || e.Op != sqlast.OpEq {
			continue
		}
		for _, sides := range [][2]sqlast.Expr{{e.L, e.R}, {e.R, e.L}} {
			sub, isSub := sides[1].(*sqlast.Subquery)
			t, isCol := b.facts.term(sides[0])
			if isSub && isCol && sub.Kind == sqlast.SubScalar && slices.Contains(at.classes, b.facts.class(t)) {
				if out == nil {
					out = map[sqlast.Expr]bool{}
				}
				out[sub] = true
			}
		}
	}
	return out
}

// evaluateFirst makes steps of the subqueries of q, and of more expressions beside
// it, that hang on none of its rows. Parameters stand in their places, by which
// rows can be found like by any others. It says whether there were any.
func (b *binder) evaluateFirst(q sqlast.Query, keys map[sqlast.Expr]bool, more ...*sqlast.Expr) (bool, error) {
	if !reads(q) || forced(directives(q)) {
		return false, nil
	}
	f := &firsts{b: b, done: map[sqlast.Expr]sqlast.Expr{}, keys: keys}
	f.query(q, true)
	for _, e := range more {
		f.root(e, true)
	}
	if len(f.done) == 0 || f.err != nil {
		return false, f.err
	}
	for _, blk := range b.blocks {
		blk.subs = slices.DeleteFunc(blk.subs, func(s *subInfo) bool { return f.done[s.node] != nil })
	}
	b.facts = &facts{b: b, classes: map[term]*class{}}
	return true, nil
}

// reads says whether a query has rows of tables: the gate puts others together by
// itself, while it asks for their subqueries all at once.
func reads(q sqlast.Query) bool {
	switch q := q.(type) {
	case *sqlast.Select:
		return q.From != nil
	case *sqlast.SetOp:
		return reads(q.L) || reads(q.R)
	}
	return false
}

func (f *firsts) query(q sqlast.Query, sure bool) {
	sqlast.EachQueryExpr(q, func(e *sqlast.Expr) { f.root(e, sure) })
}

func (f *firsts) root(e *sqlast.Expr, sure bool) {
	if nests(*e) {
		f.expr(e, sure, *e)
	}
}

// nests says whether there is a subquery in e.
func nests(e sqlast.Expr) bool {
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		found = found || sqlast.SubQuery(x) != nil
		return !found
	})
	return found
}

// expr looks for subqueries in e, a part of root. sure says that it is evaluated
// for each row, so that an error in it is one of the statement's.
func (f *firsts) expr(e *sqlast.Expr, sure bool, root sqlast.Expr) {
	if f.err != nil {
		return
	}
	switch x := (*e).(type) {
	case *sqlast.Subquery:
		if have := f.done[x]; have != nil {
			*e = have
			return
		}
		if f.can(x, sure, root) {
			value, err := f.step(x)
			if err != nil {
				f.err = err
				return
			}
			f.done[x], *e = value, value
			return
		}
		f.query(x.Query, false)
	case *sqlast.In:
		if x.Sub == nil {
			break
		}
		if f.done[x] == nil && f.lists(x, sure) {
			if f.err = f.list(x); f.err == nil {
				f.done[x] = x
			}
			break
		}
		f.query(x.Sub, false)
	}
	below := sure && strict(*e)
	sqlast.EachChild(*e, func(c *sqlast.Expr) { f.expr(c, below, root) })
}

// strict says whether an expression evaluates all that it is made of. AND does
// not, but a condition's order is nobody's promise.
func strict(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Binary:
		return e.Op != sqlast.OpOr
	case *sqlast.Unary, *sqlast.Between, *sqlast.Is, *sqlast.Cast, *sqlast.Row, *sqlast.Like:
		return true
	}
	return false
}

// can says whether a subquery can be evaluated first: it has one value for all
// rows, which a parameter can hold and which compares as the subquery does.
func (f *firsts) can(x *sqlast.Subquery, sure bool, root sqlast.Expr) bool {
	b, out := f.b, f.b.outputs[x.Query]
	switch {
	case x.Kind == sqlast.SubScalar:
		if len(out) != 1 || !carried(&out[0].typ) || out[0].typ.Class == sqlast.ClassText && collates(root) {
			return false
		}
	case x.Kind != sqlast.SubExists:
		return false
	}
	return b.closed(x.Query) && (b.spread(x.Query) || f.keys[x]) && settled(x.Query) &&
		(sure || quiet(x.Query) && (x.Kind == sqlast.SubExists || !x.Many))
}

// lists says whether the members of IN can be listed first: they are the same for
// all rows, and compare one by one as the subquery's do. What is no more than rows of
// tables is a join.
func (f *firsts) lists(x *sqlast.In, sure bool) bool {
	b, out := f.b, f.b.outputs[x.Sub]
	if s, ok := x.Sub.(*sqlast.Select); ok && b.simple(s) {
		return false
	}
	return len(out) == 1 && listed(x.X.Type(), &out[0].typ) && b.closed(x.Sub) && b.spread(x.Sub) && settled(x.Sub) && (sure || quiet(x.Sub))
}

// listed says whether values of type t compare with members of type m in a list as
// they do with a query's column of that type.
func listed(t, m *sqlast.Type) bool {
	plain := func(t *sqlast.Type) bool { return len(t.Values) == 0 && !t.Keyed() }
	switch {
	case !plain(t) || !plain(m):
		return false
	case t.Class.Numeric():
		return m.Class.Numeric()
	case t.Class.Temporal():
		return m.Class == t.Class && max(m.Scale, 0) == max(t.Scale, 0)
	}
	// The list's members have no collation but the one that their type tells, where a
	// set operation's columns may have that of one of its queries.
	return t.Class == sqlast.ClassText && m.Class == sqlast.ClassText && t.NoCase == m.NoCase
}

// carried says whether a parameter of a type means all that a subquery of it does.
func carried(t *sqlast.Type) bool {
	switch t.Class {
	case sqlast.ClassInt, sqlast.ClassDouble, sqlast.ClassDecimal, sqlast.ClassDate, sqlast.ClassDateTime, sqlast.ClassTime,
		sqlast.ClassText, sqlast.ClassBlob:
		return len(t.Values) == 0
	}
	return false
}

// collates says whether there is a collation other than the binary one in e: a
// parameter leaves it to the other side of a comparison, where a subquery doesn't.
func collates(e sqlast.Expr) bool {
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		_, is := x.(*sqlast.Collate)
		found = found || is || noCase(x)
		return !found
	})
	return found
}

// spread says whether a query reads rows that aren't on every shard.
func (b *binder) spread(q sqlast.Query) bool {
	found := false
	sqlast.EachQuery(q, func(in sqlast.Query) {
		s, ok := in.(*sqlast.Select)
		if !ok || b.blocks[s] == nil {
			return
		}
		for _, src := range b.blocks[s].sources {
			found = found || src.def != nil && b.sourcePlace(src).kind != placeAny
		}
	})
	return found
}

// settled says whether a query gives the same whenever it is run on the same rows,
// and does nothing else.
func settled(q sqlast.Query) bool {
	ok := !locks(q)
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		switch e := e.(type) {
		case *sqlast.Func:
			ok = ok && e.Name != "RAND" && e.Name != "UUID" && e.Name != "SLEEP"
		case *sqlast.UserVar:
			ok = false
		}
		return ok
	})
	return ok
}

// quiet says whether a query can't fail but for the shards themselves: it only
// looks at columns, compares them, and takes aggregates that don't overflow.
func quiet(q sqlast.Query) bool {
	ok := true
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		switch e := e.(type) {
		case *sqlast.Col, *sqlast.Lit, *sqlast.Param, *sqlast.Is, *sqlast.Between:
		case *sqlast.In:
			ok = ok && e.Sub == nil
		case *sqlast.Binary:
			ok = ok && (e.Op.Comparison() || e.Op == sqlast.OpAnd || e.Op == sqlast.OpOr)
		case *sqlast.Unary:
			ok = ok && e.Op == sqlast.OpNot
		case *sqlast.Agg:
			ok = ok && (e.Name == "COUNT" || e.Name == "MIN" || e.Name == "MAX" || e.Name == "AVG")
		default:
			ok = false
		}
		return ok
	})
	return ok
}

// step plans a subquery by itself, and gives what stands in its place.
func (f *firsts) step(x *sqlast.Subquery) (sqlast.Expr, error) {
	b := f.b
	t := *x.Type()
	t.Name, t.NotNull = "", false
	q := x.Query
	once := x.Kind == sqlast.SubExists
	if s, ok := q.(*sqlast.Select); ok && once && !isAggregated(s) && s.ValuesRows == nil && !s.Distinct && !hasWindows(s) {
		s.Items, s.OrderBy, b.blocks[s].order = []sqlast.SelectItem{{Expr: countOf(1)}}, nil, nil
		b.outputs[q] = []outCol{{name: "1", typ: sqlast.TypeOf(sqlast.ClassInt)}}
	}
	rows := 2 // the second makes the error
	if once {
		rows = 1
	}
	if !b.oneRow(q) {
		atMost(q, rows)
	}
	p, err := f.alone(q)
	if err != nil {
		return nil, err
	}
	value := b.params.step(Step{Query: &SubqueryStep{Plan: p, Exists: once, Decimal: !once && t.Class == sqlast.ClassDecimal}}, t)
	if !once {
		return value, nil
	}
	is := &sqlast.Is{X: value, What: sqlast.IsTrue, Not: x.Not} // a condition, as EXISTS is
	is.T = *x.Type()
	return is, nil
}

// list plans the subquery of IN by itself, and puts its members in its place.
func (f *firsts) list(x *sqlast.In) error {
	t := f.b.outputs[x.Sub][0].typ
	t.Name, t.NotNull = "", false
	p, err := f.alone(x.Sub)
	if err != nil {
		return err
	}
	m := f.b.params.list(Step{Query: &SubqueryStep{Plan: p, List: true, Decimal: t.Class == sqlast.ClassDecimal}}, t)
	x.List, x.Sub = []sqlast.Expr{m}, nil
	return nil
}

// alone plans a subquery by itself.
func (f *firsts) alone(q sqlast.Query) (*Plan, error) {
	b := f.b
	p := &Plan{Columns: resultColumns(b.outputs[q], b)}
	outer, steps := b.facts, b.params.p.Steps
	b.facts, b.params.p.Steps = &facts{b: b, classes: map[term]*class{}}, nil
	err := b.plan(p, q, false)
	p.Params.Steps = b.params.p.Steps
	b.facts, b.params.p.Steps = outer, steps
	return p, err
}

// atMost adds a LIMIT to a query that has none.
func atMost(q sqlast.Query, rows int) {
	limit := &sqlast.Limit{Count: countOf(rows)}
	switch q := q.(type) {
	case *sqlast.Select:
		if q.Limit == nil {
			q.Limit = limit
		}
	case *sqlast.SetOp:
		if q.Limit == nil {
			q.Limit = limit
		}
	}
}

func countOf(n int) *sqlast.Lit {
	l := &sqlast.Lit{Kind: sqlast.LitInt, Text: itoa(n)}
	l.T = sqlast.TypeOf(sqlast.ClassInt)
	return l
}
