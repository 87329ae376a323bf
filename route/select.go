package route

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Select plans a query with the given number of arguments; shared says that an
// argument may stand in several places (named parameters). The tree is changed.
func Select(env *Env, q sqlast.Query, args int, shared bool) (*Plan, error) {
	b := newBinder(env, args)
	b.params.shared = shared
	set, err := assignments(q)
	if err != nil {
		return nil, err
	}
	cols, err := b.query(q, nil)
	if err != nil {
		return nil, err
	}
	handedOut(q)
	p := &Plan{Columns: resultColumns(cols, b), Assign: set, Found: calcRows(q)}
	p.setLocks(q)
	if p.SkipLocked && !skippable(q) {
		return nil, unsupported("SKIP LOCKED in a query with aggregates, window functions or other queries in it",
			"select the rows with SKIP LOCKED, and then work on them")
	}
	if err := b.plan(p, q, false); err != nil {
		return nil, err
	}
	p.Params, p.Tables = b.params.p, b.tables
	return p, nil
}

// locks says whether a query, or one inside it, asks for locks. A shard knows
// one lock, its writer's, so FOR SHARE takes that as well: a snapshot alone lets
// others change what was read before the transaction has written.
func locks(q sqlast.Query) bool {
	var p Plan
	p.setLocks(q)
	return p.Lock
}

// skippable says whether the rows of some shards can be left out of a query and
// the others stay what they are.
func skippable(q sqlast.Query) bool {
	s, ok := q.(*sqlast.Select)
	alone := 0
	sqlast.EachQuery(q, func(sqlast.Query) { alone++ })
	return ok && alone == 1 && !isAggregated(s) && !hasWindows(s)
}

// setLocks notes the locks that a query, or one inside it, asks for, and what it
// does about those that aren't free.
func (p *Plan) setLocks(q sqlast.Query) {
	sqlast.EachQuery(q, func(in sqlast.Query) {
		if s, ok := in.(*sqlast.Select); ok && s.Lock != nil {
			p.Lock = true
			p.NoWait = p.NoWait || s.Lock.NoWait
			p.SkipLocked = p.SkipLocked || s.Lock.SkipLocked
		}
	})
}

func resultColumns(cols []outCol, b *binder) []Column {
	out := make([]Column, len(cols))
	for i, c := range cols {
		out[i] = Column{Name: c.name, Type: c.typ}
		if c.col != nil {
			if src := b.sourceOf[c.col]; src != nil && src.def != nil {
				out[i].Schema, out[i].Table, out[i].Origin = src.keyspace, src.def.Name, c.col.Name
			}
		}
	}
	return out
}

// plan fills in p's fragments and combine for a bound query. tag asks for the
// shard's ordinal behind the query's columns.
func (b *binder) plan(p *Plan, q sqlast.Query, tag bool) error {
	at, dest, err := b.arrange(q, false, nil)
	if err != nil {
		return err
	}
	return b.planAt(p, q, at, dest, tag)
}

// planAt is plan for a query whose place is known.
func (b *binder) planAt(p *Plan, q sqlast.Query, at located, dest Destination, tag bool) error {
	plain := forced(directives(q))
	if set, ok := q.(*sqlast.SetOp); ok && !plain && !tag && (at.kind == placeMany || !dest.Single()) {
		if done, err := b.union(p, set); done || err != nil {
			return err
		}
	}
	if plain || at.keyspace == "" || !alone(at, dest) {
		return b.universal(p, q)
	}
	if !b.runs(at.keyspace, q) {
		return b.inParts(p, q, at, dest, tag)
	}
	if dest.Single() {
		return b.pass(p, q, at.keyspace, dest, tag)
	}
	if s, ok := q.(*sqlast.Select); ok {
		return b.scatter(p, s, at.place, dest, tag)
	}
	return b.universal(p, q)
}

// whereabouts says where a query's rows are, and on which shards that is.
func (b *binder) whereabouts(q sqlast.Query) (located, Destination) {
	b.facts.gather(q, false)
	at := b.facts.locate(q)
	dest := b.destination(at.place)
	if s, ok := q.(*sqlast.Select); ok {
		b.guard(&dest, s)
	}
	return at, dest
}

// arrange is whereabouts after the subqueries have been evaluated first, where that
// is better: no shard can answer all of the query, one of them is a sharding key's
// value, or it must be for another reason.
// more gives the expressions that stand beside the query.
func (b *binder) arrange(q sqlast.Query, must bool, more func() []*sqlast.Expr) (located, Destination, error) {
	before := b.params.p.Steps
	at, dest := b.whereabouts(q)
	if forced(directives(q)) {
		return at, dest, nil
	}
	if b.nests && !alone(at, dest) {
		pruned := more == nil && b.prune(q)
		if b.sink(q) || pruned {
			b.params.p.Steps = before // what the new facts need no lookup for isn't looked up
			b.facts = &facts{b: b, classes: map[term]*class{}}
			at, dest = b.whereabouts(q)
		}
	}
	if b.scalars == 0 {
		return at, dest, nil
	}
	keys := b.keyValuesFirst(q, at, dest)
	if alone(at, dest) && !must && keys == nil {
		return at, dest, nil
	}
	asked := b.params.p.Steps
	b.params.p.Steps = before
	var beside []*sqlast.Expr
	if more != nil {
		beside = more()
	}
	some, err := b.evaluateFirst(q, keys, beside...)
	if some && err == nil {
		at, dest = b.whereabouts(q)
	} else {
		b.params.p.Steps = asked
	}
	return at, dest, err
}

// alone says whether each shard can answer a query over the rows that it has.
func alone(at located, dest Destination) bool {
	return at.kind != placeMany && (!at.onlySingle || dest.Single())
}

// forced says whether /*vt+ COMBINE=query */ stands in a statement: the gate
// then fetches each table by itself and runs all the rest.
func forced(d sqlast.Directives) bool { return strings.EqualFold(d["COMBINE"], Query.String()) }

func directives(q sqlast.Query) sqlast.Directives {
	switch q := q.(type) {
	case *sqlast.Select:
		return q.Directives
	case *sqlast.SetOp:
		return q.Directives
	}
	return nil
}

// pass sends the whole query to one shard.
func (b *binder) pass(p *Plan, q sqlast.Query, ks string, dest Destination, tag bool) error {
	text, err := b.print(ks, q)
	if err != nil {
		return err
	}
	n := len(b.outputs[q])
	p.Fragments = []*Fragment{{Keyspace: ks, Dest: dest, SQL: text, Width: n, Tag: tag}}
	p.Combine = Combine{Kind: Pass, Width: n}
	if tag {
		p.Combine.Width++
	}
	return nil
}

// scatter plans a SELECT whose rows are spread over shards.
func (b *binder) scatter(p *Plan, s *sqlast.Select, at place, dest Destination, tag bool) error {
	blk := b.blocks[s]
	limit := s.Limit
	s.Limit = nil
	whole := b.local(s)
	s.Limit = limit
	hidden := false
	for i := range s.OrderBy {
		hidden = hidden || b.orderItem(s, blk, i) < 0
	}
	switch {
	case s.Distinct && hidden:
		// A hidden sort column would tell rows apart.
		return b.universal(p, s)
	case whole:
		return b.scatterRows(p, s, at, dest, nil, tag)
	case tag, hasWindows(s) && !isAggregated(s):
		return b.universal(p, s)
	case isAggregated(s):
		return b.scatterAggregate(p, s, blk, at, dest)
	}
	// DISTINCT over columns that don't tell shards apart: each shard's distinct
	// rows, and once more over all.
	keys := make([]SortKey, len(s.Items))
	for i, it := range s.Items {
		keys[i] = SortKey{Col: i, NoCase: noCase(it.Expr)}
	}
	return b.scatterRows(p, s, at, dest, keys, tag)
}

func hasWindows(s *sqlast.Select) bool {
	found := false
	eachWindow(s, func(*sqlast.Window) { found = true })
	return found
}

// noCase says whether text in e compares without case.
func noCase(e sqlast.Expr) bool {
	t := e.Type()
	return t.NoCase && (t.Class == sqlast.ClassText || t.Class == sqlast.ClassUnknown)
}

// orderItem gives the select item that ORDER BY term i sorts by, or -1.
func (b *binder) orderItem(s *sqlast.Select, blk *block, i int) int {
	if blk.order[i] >= 0 {
		return blk.order[i]
	}
	key := b.exprKey(s.OrderBy[i].Expr)
	for k, it := range s.Items {
		if key != "" && b.exprKey(it.Expr) == key {
			return k
		}
	}
	return -1
}

// exprKey is a text that is equal for expressions that mean the same: printed,
// with every column fully qualified.
func (b *binder) exprKey(e sqlast.Expr) string {
	c := sqlast.CloneExpr(e)
	ok := true
	c = b.qualify(e, c, &ok)
	text, err := b.env.Printer.Expr(c)
	if err != nil || !ok {
		return ""
	}
	return text
}

// qualify walks an expression and its clone side by side.
func (b *binder) qualify(e, clone sqlast.Expr, ok *bool) sqlast.Expr {
	if sqlast.SubQuery(e) != nil {
		*ok = false
	}
	if c, isCol := e.(*sqlast.Col); isCol {
		cc := clone.(*sqlast.Col)
		if src := b.sourceOf[c]; src != nil {
			cc.Table = src.label
			if i := src.findAny(c.Name); i >= 0 {
				cc.Name = src.cols[i].name
			}
		}
		return cc
	}
	var from []sqlast.Expr
	sqlast.EachChild(e, func(x *sqlast.Expr) { from = append(from, *x) })
	i := 0
	sqlast.EachChild(clone, func(x *sqlast.Expr) { *x = b.qualify(from[i], *x, ok); i++ })
	return clone
}

// scatterRows plans a SELECT that each shard can run by itself: its rows are
// put side by side, merged in order, cut by LIMIT.
func (b *binder) scatterRows(p *Plan, s *sqlast.Select, at place, dest Destination, distinct []SortKey, tag bool) error {
	blk := b.blocks[s]
	c := Combine{Kind: Concat, Distinct: distinct, Width: len(s.Items)}
	items := s.Items
	for i, o := range s.OrderBy {
		k := b.orderItem(s, blk, i)
		if k < 0 {
			k = len(items)
			items = append(items[:k:k], sqlast.SelectItem{Expr: b.unalias(o.Expr, s)})
		}
		c.Kind = Merge
		c.Sort = append(c.Sort, SortKey{Col: k, Desc: o.Desc, NoCase: noCase(items[k].Expr), NullsAside: o.NullsAside()})
	}
	frag := *s
	frag.Items = items
	frag.Lock = nil
	c.Limit, c.Offset = limitSources(s.Limit)
	frag.Limit = shardLimit(s.Limit)
	split := b.split(&frag, at, dest)
	text, err := b.print(at.keyspace, &frag)
	if err != nil {
		return err
	}
	if tag {
		c.Width = len(items) + 1
	}
	p.Fragments = []*Fragment{{Keyspace: at.keyspace, Dest: dest, SQL: text, Split: split, Width: len(items), Tag: tag}}
	p.Combine = c
	return nil
}

// split replaces the IN list that decides over the shards by a slot.
func (b *binder) split(s *sqlast.Select, at place, dest Destination) bool {
	if !splittable(at, dest) {
		return false
	}
	node := at.classes[0].fact.inNode
	found := false
	conds := sqlast.Conjuncts(s.Where)
	for i, c := range conds {
		if c == sqlast.Expr(node) {
			slot := &dialect.ListSlot{Index: 0}
			slot.T = *node.X.Type()
			conds[i] = &sqlast.In{X: node.X, List: []sqlast.Expr{slot}}
			*conds[i].Type() = *node.Type()
			found = true
		}
	}
	if found {
		s.Where = sqlast.And(conds...)
	}
	return found
}

// limitSources gives LIMIT and OFFSET as the gate applies them.
func limitSources(l *sqlast.Limit) (limit, offset *Source) {
	if l == nil {
		return nil, nil
	}
	if unlimited(l.Count) {
		l = &sqlast.Limit{Offset: l.Offset}
	}
	src := func(e sqlast.Expr) *Source {
		switch e := e.(type) {
		case *sqlast.Lit:
			return &Source{Arg: -1, Const: litValue(e)}
		case *sqlast.Param:
			return &Source{Arg: e.Index}
		}
		return nil
	}
	return src(l.Count), src(l.Offset)
}

// unlimited: no count, or one beyond 64 bits, which is how MySQL spells it.
func unlimited(e sqlast.Expr) bool {
	l, ok := e.(*sqlast.Lit)
	if !ok {
		return e == nil
	}
	_, err := strconv.ParseInt(l.Text, 10, 64)
	return err != nil
}

// shardLimit is what a shard must give at the most: LIMIT + OFFSET rows.
func shardLimit(l *sqlast.Limit) *sqlast.Limit {
	if l == nil || unlimited(l.Count) {
		return nil
	}
	if l.Offset == nil {
		return l
	}
	if c, ok := l.Count.(*sqlast.Lit); ok {
		if o, ok := l.Offset.(*sqlast.Lit); ok {
			x, xok := smallInt(c.Text)
			y, yok := smallInt(o.Text)
			if xok && yok && x+y >= 0 {
				lit := &sqlast.Lit{Kind: sqlast.LitInt, Text: itoa(x + y)}
				lit.T = sqlast.TypeOf(sqlast.ClassInt)
				return &sqlast.Limit{Count: lit}
			}
		}
	}
	sum := &sqlast.Binary{Op: sqlast.OpAdd, L: l.Count, R: l.Offset}
	sum.T = sqlast.TypeOf(sqlast.ClassInt)
	return &sqlast.Limit{Count: sum}
}
