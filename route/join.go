package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Rel names rows that the gate gets or makes: 0 … are the fragments, [JoinRel]
// gives the joins.
type Rel int

// JoinRel is the rows of the plan's join i.
func JoinRel(i int) Rel { return ^Rel(i) }

// Join gives the join's ordinal, if r is one.
func (r Rel) Join() (int, bool) { return int(^r), r < 0 }

// Name is the table that holds the rows in a scratch database.
func (r Rel) Name() string {
	if i, ok := r.Join(); ok {
		return "j" + itoa(i)
	}
	return tableName(int(r))
}

// JoinKind says which rows a join gives.
type JoinKind uint8

// The kinds of joins.
const (
	InnerJoin JoinKind = iota // pairs that match
	OuterJoin                 // and left rows that nothing matches, with NULLs
	SemiJoin                  // left rows that something matches
	AntiJoin                  // left rows that nothing matches
)

// String is the kind as EXPLAIN prints it.
func (k JoinKind) String() string {
	return [...]string{"JOIN", "LEFT JOIN", "SEMI JOIN", "ANTI JOIN"}[k]
}

// Join is an equi-join that the gate does by itself. Rows match when all keys
// are equal, as SQLite compares the columns: NULL equals nothing.
type Join struct {
	Kind        JoinKind
	Left, Right Rel
	Keys        []JoinKey
	// Cols are the columns of the joined rows, Names and Types theirs.
	Cols  []JoinCol
	Names []string
	Types []sqlast.Type
	// LeftFirst, RightFirst: conditions pick that side's rows, so that it is read
	// first, and its keys, unless they are many, narrow the other side.
	LeftFirst, RightFirst bool
	// NarrowLeft and NarrowRight are that side's fragment, asked for the rows of
	// some keys; nil where it can't be, as where rows without a match are kept.
	NarrowLeft, NarrowRight *Narrow
}

// JoinKey is a column of either side.
type JoinKey struct {
	Left, Right int
	NoCase      bool
	Text        string // the condition, for EXPLAIN
}

// JoinCol is a column of one side.
type JoinCol struct {
	Right bool
	Col   int
}

// Narrow is a fragment's statement with one more condition: key Key of the join
// is among the members of a list.
type Narrow struct {
	Key int // ordinal in Join.Keys
	SQL dialect.Text
	// JSON: the list is one value, a JSON array.
	JSON bool
	// Dest, of kind DestIn without rows, sends each member to the shard that
	// owns it; nil: the list goes wherever the fragment does.
	Dest *Destination
}

// relation is a Rel under construction.
type relation struct {
	rel   Rel
	srcs  []*source
	cols  map[term]int
	few   bool
	frag  *Fragment
	sel   *sqlast.Select // what frag asks; printed at the end
	place place
}

// joining makes joins of a tree of joins, as far as they are equi-joins.
type joining struct {
	u      *gathering
	blk    *block
	frags  []*relation
	joins  []*Join
	leaves int
	// used conditions are done by the joins and fragments; rest are conditions
	// of ON that become WHERE's.
	used map[sqlast.Expr]bool
	rest []sqlast.Expr
}

// joinAtGate plans a tree of joins as joins at the gate; nil when some part of
// it is no equi-join of stored tables.
func (u *gathering) joinAtGate(t sqlast.TableExpr, blk *block, nullable bool) (sqlast.TableExpr, error) {
	if u.plain || blk.sel == nil {
		return nil, nil
	}
	g := &joining{u: u, blk: blk, used: map[sqlast.Expr]bool{}, leaves: u.leafs}
	r, err := g.relation(t, nullable)
	if r != nil && err == nil && !nullable {
		r, err = g.semiJoins(r)
	}
	if r == nil || err != nil || len(g.joins) == 0 && len(r.srcs) == 1 {
		return nil, err
	}
	for _, f := range g.frags {
		u.frags = append(u.frags, f.frag)
		u.inner[f.frag] = f
	}
	u.joins = append(u.joins, g.joins...)
	u.leafs = g.leaves
	for _, src := range r.srcs {
		u.joined[src] = r.rel.Name()
	}
	var where []sqlast.Expr
	for _, c := range sqlast.Conjuncts(blk.sel.Where) {
		if !g.used[c] {
			where = append(where, c)
		}
	}
	blk.sel.Where = sqlast.And(append(where, g.rest...)...)
	return &sqlast.TableRef{Name: r.rel.Name()}, nil
}

func (g *joining) relation(t sqlast.TableExpr, nullable bool) (*relation, error) {
	switch t := t.(type) {
	case *sqlast.TableRef:
		for _, src := range g.blk.sources {
			if src.ref == t && src.def != nil && !src.catalog {
				return g.table(src)
			}
		}
	case *sqlast.Join:
		inner := t.Kind == sqlast.JoinInner || t.Kind == sqlast.JoinCross
		if inner && !nullable {
			return g.chain(t, false) // it finds what is co-located in any order
		}
		if r, err := g.pushed(t, nullable); r != nil || err != nil {
			return r, err
		}
		if inner {
			return g.chain(t, true)
		}
		return g.outer(t, nullable)
	}
	return nil, nil
}

// add takes a fragment in, and names its columns.
func (g *joining) add(r *relation) *relation {
	r.rel = Rel(len(g.u.frags) + len(g.frags))
	g.frags = append(g.frags, r)
	return r
}

func (g *joining) table(src *source) (*relation, error) {
	b := g.u.b
	sel, f, at := b.tableSelect(src, g.u.needed[src], g.u.targets[src])
	src.leaf = g.leaves
	g.leaves++
	r := &relation{srcs: []*source{src}, cols: map[term]int{}, frag: f, sel: sel, place: at, few: sel.Where != nil}
	if !src.nullable {
		g.use(sqlast.Conjuncts(g.blk.sel.Where), r.srcs)
	}
	for i, name := range f.Names {
		if k := src.findAny(name); g.u.needed[src][k] {
			r.cols[term{src, k}] = i
		}
		f.Names[i] = joinedName(src.leaf, name)
	}
	r.tag(src)
	return g.add(r), nil
}

// pushed makes a fragment of an outer join that the shards can do.
func (g *joining) pushed(t *sqlast.Join, nullable bool) (*relation, error) {
	u := g.u
	var leaves []*source
	sel, at := u.joinSelect(t, g.blk, nullable, &leaves)
	if sel == nil {
		return nil, nil
	}
	return g.several(sel, leaves, at, !nullable), nil
}

// several takes in a fragment of several tables. Its select has no items yet.
func (g *joining) several(sel *sqlast.Select, srcs []*source, at place, where bool) *relation {
	u := g.u
	r := &relation{srcs: srcs, cols: map[term]int{}, sel: sel, place: at, few: sel.Where != nil}
	r.frag = &Fragment{Keyspace: at.keyspace, Dest: u.b.destination(at)}
	u.b.guard(&r.frag.Dest, g.blk.sel)
	for _, src := range srcs {
		src.leaf = g.leaves
		g.leaves++
		for i := range src.cols {
			if u.needed[src][i] {
				r.cols[term{src, i}] = len(sel.Items)
				u.addColumn(sel, r.frag, src, i)
			}
		}
		if u.targets[src] {
			r.frag.Tag = true
			sel.Items = append(sel.Items, sqlast.SelectItem{Expr: u.b.rowID(src.label, src.def)})
			r.frag.Names, r.frag.Types = append(r.frag.Names, joinedName(src.leaf, rowIDColumn)), append(r.frag.Types, sqlast.TypeOf(sqlast.ClassInt))
		}
	}
	r.tag(srcs...)
	if where {
		g.use(sqlast.Conjuncts(g.blk.sel.Where), srcs)
	}
	return g.add(r)
}

// use notes the conditions that a fragment of srcs has checked.
func (g *joining) use(conds []sqlast.Expr, srcs []*source) []sqlast.Expr {
	var out []sqlast.Expr
	for _, c := range conds {
		if g.u.b.onlyAbout(c, func(s *source) bool { return slices.Contains(srcs, s) }) {
			g.used[c] = true
			out = append(out, c)
		}
	}
	return out
}

// tag names the column that a fragment of rows to write has behind its own: the
// shard's ordinal, which all tables of a fragment share.
func (r *relation) tag(srcs ...*source) {
	if !r.frag.Tag {
		return
	}
	for _, src := range srcs {
		src.tagLeaf = srcs[0].leaf
	}
	r.frag.Names, r.frag.Types = append(r.frag.Names, shardColumn), append(r.frag.Types, sqlast.TypeOf(sqlast.ClassInt))
}

// outer joins the sides of a LEFT or RIGHT JOIN.
func (g *joining) outer(t *sqlast.Join, nullable bool) (*relation, error) {
	if t.Kind == sqlast.JoinFull {
		return nil, nil
	}
	near, far := t.L, t.R
	if t.Kind == sqlast.JoinRight {
		near, far = far, near
	}
	l, err := g.relation(near, nullable)
	if l == nil || err != nil {
		return nil, err
	}
	r, err := g.relation(far, true)
	if r == nil || err != nil {
		return nil, err
	}
	i := slices.IndexFunc(g.blk.joins, func(x *joinInfo) bool { return x.join == t })
	if i < 0 {
		return nil, nil
	}
	var keys []JoinKey
	for _, c := range sqlast.Conjuncts(t.On) {
		k, ok := g.key(c, l, r)
		switch {
		case ok:
			keys = append(keys, k)
		case len(r.srcs) == 1 && farSide(g.blk.joins[i], r.srcs[0]) && g.u.b.onlyAbout(c, func(s *source) bool { return s == r.srcs[0] }):
			// The far side's fragment checks it.
		default:
			return nil, nil
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return g.join(l, r, keys, OuterJoin), nil
}

// chain joins the members of inner joins, those that are co-located on the
// shards, whatever the order in which they stand.
func (g *joining) chain(t *sqlast.Join, nullable bool) (*relation, error) {
	var items []sqlast.TableExpr
	var on []sqlast.Expr
	flatten(t, &items, &on)
	conds := on
	if !nullable {
		conds = append(slices.Clone(on), sqlast.Conjuncts(g.blk.sel.Where)...)
	}
	rels, err := g.members(items, conds, nullable)
	if rels == nil || err != nil {
		return nil, err
	}
	cur, rels := rels[0], rels[1:]
	for len(rels) > 0 {
		var keys []JoinKey
		i := slices.IndexFunc(rels, func(r *relation) bool { keys = g.keys(conds, cur, r); return len(keys) > 0 })
		if i < 0 {
			return nil, nil
		}
		cur = g.join(cur, rels[i], keys, InnerJoin)
		rels = slices.Delete(rels, i, i+1)
	}
	for _, c := range on {
		if g.used[c] {
			continue
		}
		if nullable {
			return nil, nil // it may not drop rows of the near side
		}
		g.rest = append(g.rest, c)
	}
	return cur, nil
}

func flatten(t sqlast.TableExpr, items *[]sqlast.TableExpr, on *[]sqlast.Expr) {
	j, ok := t.(*sqlast.Join)
	if !ok || j.Kind != sqlast.JoinInner && j.Kind != sqlast.JoinCross {
		*items = append(*items, t)
		return
	}
	flatten(j.L, items, on)
	flatten(j.R, items, on)
	*on = append(*on, sqlast.Conjuncts(j.On)...)
}

// cluster is tables of a chain that are joined on the shards.
type cluster struct {
	srcs []*source
	at   place
	rel  *relation // a member that is no table
}

// members makes the relations of a chain; nil when some member can't be one.
func (g *joining) members(items []sqlast.TableExpr, conds []sqlast.Expr, nullable bool) ([]*relation, error) {
	var list []cluster
	for _, t := range items {
		i := slices.IndexFunc(g.blk.sources, func(s *source) bool {
			return s.ref != nil && sqlast.TableExpr(s.ref) == t && s.def != nil && !s.catalog
		})
		if i >= 0 {
			src := g.blk.sources[i]
			list = append(list, cluster{srcs: []*source{src}, at: g.u.b.facts.sourceClasses(src)})
			continue
		}
		r, err := g.relation(t, nullable)
		if r == nil || err != nil {
			return nil, err
		}
		list = append(list, cluster{rel: r})
	}
	if !nullable {
		list = g.coLocate(list, conds)
	}
	var out []*relation
	for _, c := range list {
		r, err := c.rel, error(nil)
		switch {
		case r != nil:
		case len(c.srcs) == 1:
			if r, err = g.table(c.srcs[0]); err != nil {
				return nil, err
			}
			if !nullable {
				g.use(conds, c.srcs)
			}
		default:
			var from sqlast.TableExpr = c.srcs[0].ref
			for _, s := range c.srcs[1:] {
				from = &sqlast.Join{Kind: sqlast.JoinCross, L: from, R: s.ref}
			}
			var where []sqlast.Expr
			for _, x := range g.use(conds, c.srcs) {
				where = append(where, sqlast.CloneExpr(x))
			}
			r = g.several(&sqlast.Select{From: from, Where: sqlast.And(where...)}, c.srcs, c.at, false)
			r.few = g.restricted(conds, c.srcs)
		}
		if !nullable {
			if r, err = g.semiJoins(r); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// restricted says whether a condition is about one of the tables alone.
func (g *joining) restricted(conds []sqlast.Expr, srcs []*source) bool {
	return slices.ContainsFunc(srcs, func(s *source) bool {
		return slices.ContainsFunc(conds, func(c sqlast.Expr) bool {
			return g.u.b.onlyAbout(c, func(x *source) bool { return x == s })
		})
	})
}

// coLocate puts tables together that conditions tie and whose rows lie together.
func (g *joining) coLocate(list []cluster, conds []sqlast.Expr) []cluster {
	for i := 0; i < len(list); i++ {
		for j := i + 1; j < len(list); j++ {
			a, b := &list[i], &list[j]
			if a.rel != nil || b.rel != nil {
				continue
			}
			at := meet(a.at, b.at)
			if at.kind == placeMany || !g.tied(conds, a.srcs, b.srcs) {
				continue
			}
			a.srcs, a.at = append(a.srcs, b.srcs...), at
			list = slices.Delete(list, j, j+1)
			j = i // others may be tied to the new one
		}
	}
	return list
}

// tied says whether some condition is about both sides and nothing else.
func (g *joining) tied(conds []sqlast.Expr, a, b []*source) bool {
	in := func(list []*source) func(*source) bool {
		return func(s *source) bool { return slices.Contains(list, s) }
	}
	both := append(slices.Clone(a), b...)
	return slices.ContainsFunc(conds, func(c sqlast.Expr) bool {
		o := g.u.b
		return o.onlyAbout(c, in(both)) && !o.onlyAbout(c, in(a)) && !o.onlyAbout(c, in(b))
	})
}

// keys takes the conditions that are keys of a join.
func (g *joining) keys(conds []sqlast.Expr, l, r *relation) []JoinKey {
	var out []JoinKey
	for _, c := range conds {
		if g.used[c] {
			continue
		}
		if k, ok := g.key(c, l, r); ok {
			g.used[c] = true
			out = append(out, k)
		}
	}
	return out
}

// key reads an equality of a column of either side.
func (g *joining) key(c sqlast.Expr, l, r *relation) (JoinKey, bool) {
	e, ok := c.(*sqlast.Binary)
	if !ok || e.Op != sqlast.OpEq {
		return JoinKey{}, false
	}
	x, ok1 := g.stored(e.L)
	y, ok2 := g.stored(e.R)
	if !ok1 || !ok2 || !joinable(columnOf(x), columnOf(y)) {
		return JoinKey{}, false
	}
	i, inLeft := l.cols[x]
	k, inRight := r.cols[y]
	if !inLeft || !inRight {
		x, y = y, x
		i, inLeft = l.cols[x]
		k, inRight = r.cols[y]
	}
	t := columnOf(x)
	return JoinKey{Left: i, Right: k, NoCase: t.NoCase && t.Class == sqlast.ClassText,
		Text: x.src.label + "." + x.src.cols[x.col].name + " = " + y.src.label + "." + y.src.cols[y.col].name}, inLeft && inRight
}

// stored is the stored column that stands in e.
func (g *joining) stored(e sqlast.Expr) (term, bool) {
	c, ok := e.(*sqlast.Col)
	if !ok {
		return term{}, false
	}
	src := g.u.b.sourceOf[c]
	if src == nil || src.def == nil {
		return term{}, false
	}
	i := src.findAny(c.Name)
	return term{src, i}, i >= 0
}

// joinable says whether values of the two columns are equal just when they are
// the same number, text or blob: neither side is converted, and both compare
// text alike.
func joinable(a, b sqlast.Type) bool {
	number := func(c sqlast.Class) bool { return c == sqlast.ClassInt || c == sqlast.ClassDouble }
	switch {
	case number(a.Class) && number(b.Class):
		return true
	case a.Class != b.Class:
		return false
	}
	switch a.Class {
	case sqlast.ClassText:
		return a.NoCase == b.NoCase
	case sqlast.ClassDecimal:
		return a.Keyed() == b.Keyed() && (a.Keyed() || a.Scale == b.Scale)
	case sqlast.ClassDateTime, sqlast.ClassTime:
		return a.Scale == b.Scale
	case sqlast.ClassDate, sqlast.ClassBlob:
		return true
	}
	return false
}

// join makes the join of two relations.
func (g *joining) join(l, r *relation, keys []JoinKey, kind JoinKind) *relation {
	few := r.few && (kind == InnerJoin || kind == SemiJoin)
	j := &Join{Kind: kind, Left: l.rel, Right: r.rel, Keys: keys, LeftFirst: l.few, RightFirst: few}
	out := &relation{rel: JoinRel(len(g.u.joins) + len(g.joins)), cols: map[term]int{}, few: l.few || few, srcs: l.srcs}
	sides := []*relation{l}
	if kind == InnerJoin || kind == OuterJoin {
		sides = append(sides, r)
		out.srcs = append(slices.Clone(l.srcs), r.srcs...)
	}
	for side, in := range sides {
		at := len(j.Cols)
		names, types := g.columns(in.rel)
		for i := range names {
			j.Cols = append(j.Cols, JoinCol{Right: side == 1, Col: i})
		}
		j.Names, j.Types = append(j.Names, names...), append(j.Types, types...)
		for t, i := range in.cols {
			out.cols[t] = at + i
		}
	}
	g.joins = append(g.joins, j)
	return out
}

func (g *joining) columns(r Rel) ([]string, []sqlast.Type) {
	if i, ok := r.Join(); ok {
		j := g.joins[i-len(g.u.joins)]
		return j.Names, j.Types
	}
	in := g.frags[int(r)-len(g.u.frags)]
	names := in.frag.Names
	if in.frag.Tag {
		names = slices.Clone(names)
		names[len(names)-1] = joinedName(in.srcs[0].leaf, shardColumn)
	}
	return names, in.frag.Types
}

// String shows a join in EXPLAIN.
func (j *Join) String() string {
	on := make([]string, len(j.Keys))
	for i, k := range j.Keys {
		on[i] = k.Text
	}
	return j.Left.Name() + " " + j.Kind.String() + " " + j.Right.Name() + " ON " + strings.Join(on, " AND ")
}
