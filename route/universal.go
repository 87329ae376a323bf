package route

import (
	"reflect"

	"github.com/vitessdo/vitessdo/sqlast"
)

// The columns that identify a row of a stored table in a scratch table.
const (
	shardColumn = "_shard"
	rowIDColumn = "_rowid"
)

// universal plans any query: what the shards can answer of it by themselves,
// down to each stored table's rows, becomes tables of the scratch database, and
// the rest of the query runs there.
func (b *binder) universal(p *Plan, q sqlast.Query) error {
	return b.universalFor(p, q, nil)
}

// universalFor is universal for a query that also needs, of the tables in
// targets, the rows' shards and row IDs.
func (b *binder) universalFor(p *Plan, q sqlast.Query, targets map[*source]bool) error {
	u := &gathering{b: b, targets: targets, needed: b.neededColumns(q), joined: map[*source]string{},
		inner: map[*Fragment]*relation{}, plain: forced(directives(q))}
	top, err := u.grouped(q)
	switch {
	case err != nil:
		return err
	case top != nil:
		b.outputs[top] = b.outputs[q]
		q = top
	default:
		if err := u.query(q); err != nil {
			return err
		}
	}
	if err := u.finishJoins(q); err != nil {
		return err
	}
	p.Fragments = u.frags
	if s, ok := q.(*sqlast.Select); ok && u.joinedResult(p, s) {
		return nil
	}
	p.Combine.Indexes = u.indexes(q)
	u.rename(q)
	p.Combine.Joins = u.joins
	if s, ok := q.(*sqlast.Select); ok {
		s.Lock = nil
	}
	text, err := b.env.Printer.Stmt(q)
	if err != nil {
		return err
	}
	p.Combine.Kind, p.Combine.Width, p.Combine.SQL = Query, len(b.outputs[q]), text.String()
	return nil
}

// gathering walks a query, makes fragments of what shards can do, and puts their
// tables in its place.
type gathering struct {
	b       *binder
	targets map[*source]bool
	needed  map[*source]map[int]bool
	frags   []*Fragment
	joins   []*Join
	// joined names the table that holds a source together with others, inner the
	// fragments that only joins of the gate read; leafs counts their sources.
	joined map[*source]string
	inner  map[*Fragment]*relation
	leafs  int
	// lookedUp are indexes of tables that hold groups.
	lookedUp []Index
	// plain: each stored table is fetched by itself.
	plain bool
	seen  map[sqlast.Expr]bool // subqueries that are gathered
}

// fragment adds f, unless there is one like it, and gives its ordinal.
func (u *gathering) fragment(f *Fragment) int {
	for i, o := range u.frags {
		if u.inner[o] == nil && o.Keyspace == f.Keyspace && o.Tag == f.Tag && reflect.DeepEqual(o.SQL, f.SQL) && reflect.DeepEqual(o.Dest, f.Dest) &&
			reflect.DeepEqual(o.Names, f.Names) && !f.Split {
			return i
		}
	}
	u.frags = append(u.frags, f)
	return len(u.frags) - 1
}

func tableName(fragment int) string { return "f" + itoa(fragment) }

// query gathers what stands in a query that itself stays.
func (u *gathering) query(q sqlast.Query) error {
	switch q := q.(type) {
	case *sqlast.SetOp:
		if err := u.with(q.With); err != nil {
			return err
		}
		if err := u.below(&q.L); err != nil {
			return err
		}
		if err := u.below(&q.R); err != nil {
			return err
		}
		return u.subqueries(&sqlast.SetOp{L: &sqlast.Select{}, R: &sqlast.Select{}, OrderBy: q.OrderBy})
	case *sqlast.Select:
		if err := u.with(q.With); err != nil {
			return err
		}
		if q.From != nil {
			from, err := u.from(q.From, u.b.blocks[q], false)
			if err != nil {
				return err
			}
			q.From = from
		}
		own := *q
		own.With, own.From = nil, nil
		return u.subqueries(&own)
	}
	return nil
}

func (u *gathering) with(w *sqlast.With) error {
	if w == nil {
		return nil
	}
	for _, c := range w.CTEs {
		if err := u.below(&c.Query); err != nil {
			return err
		}
	}
	return nil
}

// below gathers a query inside another, whole if that can be.
func (u *gathering) below(q *sqlast.Query) error {
	if !u.plain {
		top, err := u.push(*q)
		if top == nil && err == nil {
			top, err = u.grouped(*q)
		}
		if err != nil {
			return err
		}
		if top != nil {
			*q = top
			return nil
		}
	}
	return u.query(*q)
}

// subqueries gathers the subqueries in the expressions of q.
func (u *gathering) subqueries(q sqlast.Query) error {
	var err error
	sqlast.EachQueryExpr(q, func(e *sqlast.Expr) {
		if err == nil {
			err = u.subqueriesIn(*e)
		}
	})
	return err
}

// first says whether an expression wasn't gathered before: a write that sets a
// column and keeps effects of it names the one expression twice.
func (u *gathering) first(x sqlast.Expr) bool {
	if u.seen[x] {
		return false
	}
	if u.seen == nil {
		u.seen = map[sqlast.Expr]bool{}
	}
	u.seen[x] = true
	return true
}

func (u *gathering) subqueriesIn(e sqlast.Expr) error {
	var err error
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		if err != nil {
			return false
		}
		switch x := x.(type) {
		case *sqlast.Subquery:
			if u.first(x) {
				err = u.below(&x.Query)
			}
		case *sqlast.In:
			if x.Sub != nil && u.first(x) {
				err = u.below(&x.Sub)
			}
		}
		return err == nil
	})
	return err
}

// from gathers a FROM clause; nullable says whether a join above it may put
// NULLs in its place.
func (u *gathering) from(t sqlast.TableExpr, blk *block, nullable bool) (sqlast.TableExpr, error) {
	switch t := t.(type) {
	case *sqlast.TableRef:
		for _, src := range blk.sources {
			if src.ref == t && src.def != nil {
				if ref, err := u.joinAtGate(t, blk, nullable); ref != nil || err != nil {
					return ref, err
				}
				return t, u.table(src)
			}
		}
	case *sqlast.Derived:
		return t, u.below(&t.Query)
	case *sqlast.Join:
		if !u.plain {
			ref, err := u.pushJoin(t, blk, nullable)
			if ref != nil || err != nil {
				return ref, err
			}
		}
		if ref, err := u.joinAtGate(t, blk, nullable); ref != nil || err != nil {
			return ref, err
		}
		var err error
		if t.L, err = u.from(t.L, blk, nullable || t.Kind == sqlast.JoinRight || t.Kind == sqlast.JoinFull); err != nil {
			return nil, err
		}
		if t.R, err = u.from(t.R, blk, nullable || t.Kind == sqlast.JoinLeft || t.Kind == sqlast.JoinFull); err != nil {
			return nil, err
		}
		return t, u.subqueriesIn(t.On)
	}
	return t, nil
}

// table fetches a stored table by itself.
func (u *gathering) table(src *source) error {
	var f *Fragment
	if src.catalog {
		f = u.b.catalogFragment(src, u.needed[src])
	} else {
		var err error
		if f, err = u.b.tableFragment(src, u.needed[src], u.targets[src]); err != nil {
			return err
		}
	}
	src.ref.Alias = src.label
	src.ref.Name, src.ref.Schema = tableName(u.fragment(f)), ""
	return nil
}

// neededColumns lists, for each stored table, the ordinals of the columns that
// the query names.
func (b *binder) neededColumns(q sqlast.Query) map[*source]map[int]bool {
	out := map[*source]map[int]bool{}
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		if c, ok := e.(*sqlast.Col); ok {
			if src := b.sourceOf[c]; src != nil && src.def != nil {
				if out[src] == nil {
					out[src] = map[int]bool{}
				}
				if i := src.findAny(c.Name); i >= 0 {
					out[src][i] = true
				}
			}
		}
		return true
	})
	return out
}

// tableFragment fetches a table's columns, filtered by what is known of its
// rows, from the shards that can hold them.
func (b *binder) tableFragment(src *source, cols map[int]bool, target bool) (*Fragment, error) {
	sel, f, _ := b.tableSelect(src, cols, target)
	text, err := b.print(f.Keyspace, sel)
	if err != nil {
		return nil, err
	}
	f.SQL = text
	return f, nil
}

// tableSelect is tableFragment without the text.
func (b *binder) tableSelect(src *source, cols map[int]bool, target bool) (*sqlast.Select, *Fragment, place) {
	at := b.facts.sourceAlone(src)
	ref := &sqlast.TableRef{Name: src.def.Name, Table: src.def}
	frag := &sqlast.Select{From: ref, Where: sqlast.CloneExpr(b.pushable(src))}
	if frag.Where != nil && src.label != ref.Name {
		ref.Alias = src.label
	}
	frag.Where = sqlast.And(frag.Where, b.implied(src, at))
	f := &Fragment{Keyspace: src.keyspace, Dest: b.destination(at), Tag: target, Table: src.def}
	if src.block.sel != nil {
		b.guard(&f.Dest, src.block.sel)
	}
	add := func(c *sqlast.Col, as string, t sqlast.Type) {
		it := sqlast.SelectItem{Expr: c}
		if as != c.Name {
			it.Alias = as
		}
		frag.Items = append(frag.Items, it)
		f.Names, f.Types = append(f.Names, as), append(f.Types, t)
	}
	for i, c := range src.cols {
		if cols[i] {
			col := &sqlast.Col{Name: c.name, Pos: -1, Source: ref, Def: c.def}
			col.T = c.typ
			add(col, c.name, c.typ)
		}
	}
	if target {
		add(b.rowID("", src.def), rowIDColumn, sqlast.TypeOf(sqlast.ClassInt))
	}
	if len(frag.Items) == 0 {
		c := src.cols[0]
		add(&sqlast.Col{Name: c.name, Pos: -1, Source: ref, Def: c.def}, c.name, c.typ)
	}
	f.Width = len(frag.Items)
	return frag, f, at
}

// implied gives the equalities of a table's sharding columns with constants that
// only conditions on other tables' equal columns state.
func (b *binder) implied(src *source, at place) sqlast.Expr {
	if at.kind != placeGroup {
		return nil
	}
	stated := map[term]bool{}
	for _, c := range sqlast.Conjuncts(b.pushable(src)) {
		b.facts.eachFact(c, func(t term, _ fact) { stated[t] = true }, func(_, _ term) {})
	}
	var out []sqlast.Expr
	for i, name := range at.vindex.Columns {
		t := term{src, src.findAny(name)}
		eq := at.classes[i].fact.eq
		if eq == nil || at.classes[i].fact.null || stated[t] || columnOf(t).Class.Temporal() {
			continue
		}
		value := sourceExpr(*eq, src.cols[t.col].typ)
		if value == nil {
			continue
		}
		c := &sqlast.Col{Name: src.cols[t.col].name, Pos: -1, Source: src.ref, Def: src.cols[t.col].def}
		c.T = src.cols[t.col].typ
		x := &sqlast.Binary{Op: sqlast.OpEq, L: c, R: value}
		x.T = sqlast.TypeOf(sqlast.ClassInt)
		out = append(out, x)
	}
	return sqlast.And(out...)
}

// sourceExpr is the expression of a source that meets a column of type t; nil
// where a literal might read otherwise.
func sourceExpr(s Source, t sqlast.Type) sqlast.Expr {
	if s.Arg >= 0 {
		p := &sqlast.Param{Index: s.Arg}
		p.T = t
		return p
	}
	var l *sqlast.Lit
	switch v := s.Const.(type) {
	case int64:
		l = &sqlast.Lit{Kind: sqlast.LitInt, Text: itoa(int(v))}
		l.T = sqlast.TypeOf(sqlast.ClassInt)
	case string:
		l = &sqlast.Lit{Kind: sqlast.LitString, Text: v}
		l.T = sqlast.TypeOf(sqlast.ClassText)
	}
	if l == nil || l.T.Class != t.Class || len(t.Values) > 0 {
		return nil
	}
	return l
}

// pushable is the part of a block's conditions that speaks of one table alone,
// and decides whether its row can matter.
func (b *binder) pushable(src *source) sqlast.Expr {
	var out []sqlast.Expr
	own := func(s *source) bool { return s == src }
	take := func(cond sqlast.Expr) {
		for _, c := range sqlast.Conjuncts(cond) {
			if b.onlyAbout(c, own) {
				out = append(out, c)
			}
		}
	}
	blk := src.block
	if blk.sel != nil && !src.nullable {
		take(blk.sel.Where)
	}
	for _, j := range blk.joins {
		inner := j.join.Kind == sqlast.JoinInner || j.join.Kind == sqlast.JoinCross
		if inner && !src.nullable || farSide(j, src) {
			take(j.join.On)
		}
	}
	return sqlast.And(out...)
}

// farSide says whether an outer join may drop rows of src that its condition
// rejects: src is on the side that NULLs stand in for.
func farSide(j *joinInfo, src *source) bool {
	far := j.right
	switch j.join.Kind {
	case sqlast.JoinLeft:
	case sqlast.JoinRight:
		far = j.left
	default:
		return false
	}
	// Only a table that is the whole far side: a join inside it may keep other
	// rows by this one's.
	return len(far) == 1 && far[0] == src
}

// onlyAbout says whether a condition names columns of the given sources alone,
// and nothing whose value hangs on other rows, and the shards can decide it.
func (b *binder) onlyAbout(e sqlast.Expr, own func(*source) bool) bool {
	ok, some := true, false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		switch x := x.(type) {
		case *sqlast.Col:
			src := b.sourceOf[x]
			ok = ok && src != nil && own(src)
			some = true
		case *sqlast.Subquery, *sqlast.Agg, *sqlast.Window:
			ok = false
		case *sqlast.In:
			ok = ok && x.Sub == nil
		case *sqlast.Func:
			ok = ok && x.Name != "RAND" && x.Name != "UUID"
		}
		return ok
	})
	return ok && some && b.native(e)
}
