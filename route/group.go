package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// located is a query's place, and whether the query is right only when all of it
// runs on a single shard.
type located struct {
	place
	onlySingle bool
}

// gather reads the conditions of a query and of the queries below it. own tells
// the tables of the enclosing blocks that the query's rows belong to.
func (f *facts) gather(q sqlast.Query, weak bool) {
	switch q := q.(type) {
	case *sqlast.Select:
		f.gatherSelect(q, weak)
	case *sqlast.SetOp:
		f.gatherCTEs(q.With)
		f.gather(q.L, weak)
		f.gather(q.R, weak)
	}
}

func (f *facts) gatherCTEs(w *sqlast.With) {
	if w == nil {
		return
	}
	for _, c := range w.CTEs {
		f.gather(c.Query, true)
	}
}

func (f *facts) gatherSelect(s *sqlast.Select, weak bool) {
	blk := f.b.blocks[s]
	f.gatherCTEs(s.With)
	for _, src := range blk.sources {
		if src.query != nil && src.cte == nil {
			f.gather(src.query, weak || src.nullable || src.lateral || !f.b.transparent(src))
		}
	}
	f.gatherBlock(blk, s.Where, weak)
}

// gatherBlock reads a block's own conditions, then those that tie outer joins'
// far sides and subqueries to its rows.
func (f *facts) gatherBlock(blk *block, where sqlast.Expr, weak bool) {
	own := f.ownSources(blk)
	var ties [][2]term
	tie := func(inner, outer term) { ties = append(ties, [2]term{inner, outer}) }
	for _, c := range sqlast.Conjuncts(where) {
		f.condition(c, weak, own, tie)
	}
	for _, j := range blk.joins {
		f.gatherJoin(j, weak, own, tie)
	}
	for _, t := range ties {
		f.attach(t[0], t[1], own)
	}
	for _, s := range blk.subs {
		f.gather(s.query, true)
		f.tieIn(s)
	}
}

// ownSources gives the test for the stored tables at or below a block's FROM.
func (f *facts) ownSources(blk *block) func(*source) bool {
	set := map[*source]bool{}
	f.collect(blk, set)
	return func(s *source) bool { return set[s] }
}

func (f *facts) collect(blk *block, set map[*source]bool) {
	for _, src := range blk.sources {
		if !set[src] { // a recursive CTE's own reference leads back to its query
			set[src] = true
			f.collectQuery(src.query, set)
		}
	}
}

func (f *facts) collectQuery(q sqlast.Query, set map[*source]bool) {
	switch q := q.(type) {
	case *sqlast.Select:
		if b := f.b.blocks[q]; b != nil {
			f.collect(b, set)
		}
	case *sqlast.SetOp:
		f.collectQuery(q.L, set)
		f.collectQuery(q.R, set)
	}
}

func (f *facts) gatherJoin(j *joinInfo, weak bool, own func(*source) bool, tie func(a, b term)) {
	if j.join.Kind == sqlast.JoinInner || j.join.Kind == sqlast.JoinCross {
		inner := weak || allNullable(j.left) && allNullable(j.right)
		for _, c := range sqlast.Conjuncts(j.join.On) {
			f.condition(c, inner, own, tie)
		}
		return
	}
	if j.join.Kind == sqlast.JoinFull {
		return // nothing holds of the rows that it keeps alone
	}
	far := j.right
	if j.join.Kind == sqlast.JoinRight {
		far = j.left
	}
	set := map[*source]bool{}
	for _, s := range far {
		set[s] = true
		f.collectQuery(s.query, set)
	}
	inFar := func(s *source) bool { return set[s] }
	attach := func(inner, outer term) {
		if own(outer.src) {
			f.attach(inner, outer, inFar)
		} else {
			tie(inner, outer)
		}
	}
	// What the condition says of the far rows holds for them alone, so it is
	// noted only where they stay apart from the near ones.
	for _, c := range sqlast.Conjuncts(j.join.On) {
		f.eachFact(c, func(term, fact) {}, func(a, b term) {
			switch {
			case inFar(a.src) && inFar(b.src):
				f.attach(a, b, inFar)
				f.attach(b, a, inFar)
			case inFar(a.src):
				attach(a, b)
			case inFar(b.src):
				attach(b, a)
			}
		})
	}
	for _, c := range sqlast.Conjuncts(j.join.On) {
		f.eachFact(c, func(t term, n fact) {
			if inFar(t.src) && f.alone(t, inFar) {
				n.weak = true
				f.note(t, n)
			}
		}, func(a, b term) {})
	}
}

// alone says whether a term's class holds terms of the given sources only.
func (f *facts) alone(t term, in func(*source) bool) bool {
	return !slices.ContainsFunc(f.class(t).terms, func(x term) bool { return !in(x.src) })
}

func allNullable(list []*source) bool {
	return !slices.ContainsFunc(list, func(s *source) bool { return !s.nullable })
}

// attach says that the far side's rows are where the near side's are: the
// equality holds for the far rows that matter, and says nothing of the near
// ones. So it is taken only while the far class stands alone, and what is known of
// the far rows themselves is kept apart.
func (f *facts) attach(far, near term, inFar func(*source) bool) {
	c := f.class(far)
	if c == f.class(near) || !f.alone(far, inFar) {
		return
	}
	known := c.fact
	if known.weak {
		c.fact = fact{}
	}
	if f.union(near, far); f.class(far) != f.class(near) {
		c.fact = known
		return
	}
	if known.weak && !known.empty() {
		if f.apart == nil {
			f.apart = map[term]fact{}
		}
		f.apart[far] = known
	}
}

// tieIn attaches `x IN (SELECT y …)`: rows whose y isn't on x's shard can't
// match. NOT IN, and IN whose NULL shows, would notice a NULL elsewhere.
func (f *facts) tieIn(s *subInfo) {
	in, ok := s.node.(*sqlast.In)
	if !ok {
		return
	}
	sel, ok := s.query.(*sqlast.Select)
	if !ok || len(sel.Items) != 1 || sel.Items[0].Expr == nil {
		return
	}
	outer, ok1 := f.term(in.X)
	inner, ok2 := f.term(sel.Items[0].Expr)
	if !ok1 || !ok2 {
		return
	}
	// A NULL on either side is told apart from no match by the rows elsewhere.
	if (in.Not || !s.conjunct) && !(sel.Items[0].Expr.Type().NotNull && in.X.Type().NotNull) {
		return
	}
	set := map[*source]bool{}
	f.collectQuery(s.query, set)
	if !set[inner.src] || set[outer.src] {
		return
	}
	before := f.class(inner) == f.class(outer)
	f.attach(inner, outer, func(x *source) bool { return set[x] })
	if !before && f.class(inner) == f.class(outer) {
		s.tied = true
	}
}

// transparent says whether a condition on a derived table's key columns may
// choose the shards that its query runs on: each of its rows is made of one
// shard's rows only.
func (b *binder) transparent(src *source) bool {
	if src.cte != nil && (src.cte.refs > 1 || src.cte.recursive) {
		return false
	}
	s, ok := src.query.(*sqlast.Select)
	return ok && b.local(s)
}

// local says whether a SELECT, run on each shard by itself, gives together what
// it would give over all rows: no LIMIT, and whatever puts rows together puts
// together only rows with the same sharding key.
func (b *binder) local(s *sqlast.Select) bool {
	blk := b.blocks[s]
	if blk == nil || s.Limit != nil || s.ValuesRows != nil {
		return false
	}
	if isAggregated(s) && !b.coversKey(blk, groupExprs(s, blk)) {
		return false
	}
	if s.Distinct && !b.coversKey(blk, itemExprs(s)) {
		return false
	}
	ok := true
	eachWindow(s, func(w *sqlast.Window) { ok = ok && b.coversKey(blk, partitionOf(w, s)) })
	return ok
}

func partitionOf(w *sqlast.Window, s *sqlast.Select) []sqlast.Expr {
	spec := w.Spec
	name := w.Name
	if spec != nil {
		if len(spec.PartitionBy) > 0 {
			return spec.PartitionBy
		}
		name = spec.Base
	}
	for _, x := range s.Windows {
		if name != "" && x.Name == name {
			return x.PartitionBy
		}
	}
	return nil
}

func isAggregated(s *sqlast.Select) bool {
	if len(s.GroupBy) > 0 || sqlast.HasAgg(s.Having) {
		return true
	}
	for _, it := range s.Items {
		if sqlast.HasAgg(it.Expr) {
			return true
		}
	}
	for _, o := range s.OrderBy {
		if sqlast.HasAgg(o.Expr) {
			return true
		}
	}
	return false
}

func itemExprs(s *sqlast.Select) []sqlast.Expr {
	out := make([]sqlast.Expr, len(s.Items))
	for i, it := range s.Items {
		out[i] = it.Expr
	}
	return out
}

// groupExprs gives the GROUP BY terms with aliases and positions replaced.
func groupExprs(s *sqlast.Select, blk *block) []sqlast.Expr {
	out := make([]sqlast.Expr, len(s.GroupBy))
	for i, g := range s.GroupBy {
		out[i] = g
		if i < len(blk.group) && blk.group[i] >= 0 {
			if out[i] = s.Items[blk.group[i]].Expr; constantNumber(out[i]) {
				out[i] = number(blk.group[i] + 1) // a number alone is the position of an item
			}
		}
	}
	return out
}

// coversKey says whether the expressions hold all columns of the primary vindex
// of some sharded table of the block that every row has a row of, so that rows
// which agree on the expressions are on one shard.
func (b *binder) coversKey(blk *block, exprs []sqlast.Expr) bool {
	have := map[term]bool{}
	for _, e := range exprs {
		t, ok := b.facts.term(e)
		if !ok {
			continue
		}
		have[t] = true
		if b.facts.filled(e) {
			continue // its class's other columns may differ where it is NULL
		}
		for _, same := range b.facts.class(t).terms {
			have[same] = true
		}
	}
	sharded, covered := false, false
	b.eachStored(blk, false, func(src *source, nullable bool) {
		p := b.sourcePlace(src)
		if p.kind != placeGroup {
			return
		}
		sharded = true
		all := !nullable
		for _, c := range p.vindex.Columns {
			all = all && have[term{src, src.findAny(c)}]
		}
		covered = covered || all
	})
	return covered || !sharded
}

// eachStored visits the stored tables at and below a block's FROM, and tells
// whether an outer join on the way may fill their columns with NULL.
func (b *binder) eachStored(blk *block, nullable bool, f func(*source, bool)) {
	for _, src := range blk.sources {
		if src.def != nil {
			f(src, nullable || src.nullable)
			continue
		}
		b.eachStoredIn(src.query, nullable || src.nullable, f)
	}
}

func (b *binder) eachStoredIn(q sqlast.Query, nullable bool, f func(*source, bool)) {
	switch q := q.(type) {
	case *sqlast.Select:
		if blk := b.blocks[q]; blk != nil {
			b.eachStored(blk, nullable, f)
		}
	case *sqlast.SetOp:
		b.eachStoredIn(q.L, true, f) // a row comes from one member only
		b.eachStoredIn(q.R, true, f)
	}
}

// passes says whether a condition on an output column of s may be put before
// what s does with its rows: they are grouped by the column, if at all.
func (b *binder) passes(s *sqlast.Select, col *sqlast.Col) bool {
	blk := b.blocks[s]
	among := func(exprs []sqlast.Expr) bool {
		t, _ := b.facts.term(col)
		return slices.ContainsFunc(exprs, func(e sqlast.Expr) bool {
			x, ok := b.facts.term(e)
			return ok && x == t
		})
	}
	if isAggregated(s) && !among(groupExprs(s, blk)) {
		return false
	}
	ok := true
	eachWindow(s, func(w *sqlast.Window) { ok = ok && among(partitionOf(w, s)) })
	return ok
}

// eachWindow visits the window functions of a SELECT.
func eachWindow(s *sqlast.Select, f func(*sqlast.Window)) {
	visit := func(e sqlast.Expr) {
		sqlast.Walk(e, func(x sqlast.Expr) bool {
			if w, ok := x.(*sqlast.Window); ok {
				f(w)
			}
			return true
		})
	}
	for _, it := range s.Items {
		visit(it.Expr)
	}
	for _, o := range s.OrderBy {
		visit(o.Expr)
	}
}

// locate says where a query's rows are. Facts must have been gathered.
func (f *facts) locate(q sqlast.Query) located {
	switch q := q.(type) {
	case *sqlast.Select:
		return f.locateBlock(f.b.blocks[q])
	case *sqlast.SetOp:
		l, r := f.locate(q.L), f.locate(q.R)
		if q.Kind != sqlast.Union && f.sameShard(q.L, q.R, l, r) {
			l.onlySingle = q.Limit != nil // what the right side has elsewhere takes nothing away
			return l
		}
		out := located{place: meet(l.place, r.place), onlySingle: l.onlySingle || r.onlySingle}
		if q.Kind != sqlast.Union || !q.All || q.Limit != nil || l.kind != r.kind {
			out.onlySingle = true
		}
		return out
	}
	return located{}
}

func (f *facts) locateBlock(blk *block) located { return f.locateWithout(blk, nil) }

// locateWithout is locateBlock without regard to some subqueries.
func (f *facts) locateWithout(blk *block, later map[sqlast.Expr]bool) located {
	var out located
	for _, src := range blk.sources {
		out.add(f.locateSource(src))
	}
	for _, j := range blk.joins {
		if f.replicatesNear(j) {
			out.onlySingle = true
		}
	}
	from := out.place
	for _, s := range blk.subs {
		if !later[s.node] {
			f.locateSub(s, from, &out)
		}
	}
	return out
}

func (l *located) add(o located) {
	l.place = meet(l.place, o.place)
	l.onlySingle = l.onlySingle || o.onlySingle
}

func (f *facts) locateSource(src *source) located {
	if src.def != nil {
		return located{place: f.sourceClasses(src)}
	}
	if src.query == nil || src.cte != nil && src.cte.recursive && src.cte.binding {
		return located{}
	}
	if src.cte != nil && src.cte.recursive {
		if src.cte.locating {
			return located{}
		}
		src.cte.locating = true
		defer func() { src.cte.locating = false }()
		in := f.locate(src.query)
		in.onlySingle = in.onlySingle || in.kind == placeGroup
		return in
	}
	in := f.locate(src.query)
	in.onlySingle = in.onlySingle || src.lateral && in.kind != placeAny
	if in.kind == placeGroup {
		sel, ok := src.query.(*sqlast.Select)
		// Two references to a CTE are different rows of the same tables.
		twice := src.cte != nil && src.cte.refs > 1
		in.onlySingle = in.onlySingle || twice || ok && !f.b.local(sel)
	}
	return in
}

// replicatesNear says whether an outer join keeps rows that stand on every shard
// beside rows that are spread: each shard would keep them.
func (f *facts) replicatesNear(j *joinInfo) bool {
	near, far := j.left, j.right
	switch j.join.Kind {
	case sqlast.JoinLeft, sqlast.JoinFull:
	case sqlast.JoinRight:
		near, far = far, near
	default:
		return false
	}
	spread := func(list []*source) bool {
		return slices.ContainsFunc(list, func(s *source) bool {
			k := f.locateSource(s).kind
			return k == placeGroup || k == placeMany
		})
	}
	if j.join.Kind == sqlast.JoinFull { // both sides are near
		return spread(near) != spread(far)
	}
	return !spread(near) && spread(far)
}

func (f *facts) locateSub(s *subInfo, from place, out *located) {
	in := f.locate(s.query)
	if in.kind == placeAny {
		out.place = meet(out.place, in.place) // of which keyspace it is counts
		return
	}
	out.add(in)
	if in.kind != placeGroup {
		return
	}
	if from.kind != placeGroup {
		out.onlySingle = true
		return
	}
	// A correlated subquery sees all rows that matter to it; one that only IN
	// ties to the shard must not put rows of several shards together.
	if sel, ok := s.query.(*sqlast.Select); !ok || s.tied && !f.b.local(sel) {
		out.onlySingle = true
	}
}
