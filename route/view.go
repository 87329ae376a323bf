package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
)

// viewTarget is a view of one table, merged into the statement that writes
// through it: its source is the table, under the view's name and with the view's
// column names.
type viewTarget struct {
	keyspace string
	base     *sqlast.TableRef
	cols     []viewColumn
	where    sqlast.Expr
	// check is what WITH CHECK OPTION asks of written rows, of the view or of one
	// below it.
	check sqlast.Expr
}

// viewColumn is a column of the table, or an expression over them.
type viewColumn struct {
	name string
	base string
	expr sqlast.Expr
}

// mergedView resolves a view to its table when each of its rows is one of the
// table's, as MySQL has it for views that can be written; nil for other views.
// cascaded: a view above it asks that its rows be checked.
func (b *binder) mergedView(ks string, v *schema.View, depth int, cascaded bool) *viewTarget {
	cascaded = cascaded || v.Check == "CASCADED"
	s, ok := v.Query.(*sqlast.Select)
	if !ok || depth > maxDepth || s.With != nil || s.Distinct || s.Limit != nil || s.ValuesRows != nil || len(s.GroupBy) > 0 || s.Having != nil ||
		isAggregated(s) || hasWindows(s) {
		return nil
	}
	ref, ok := s.From.(*sqlast.TableRef)
	if !ok || ref.Shard != "" {
		return nil
	}
	s = sqlast.CloneQuery(s).(*sqlast.Select)
	ref = s.From.(*sqlast.TableRef)
	if ref.Schema == "" {
		ref.Schema = ks
	}
	out := &viewTarget{keyspace: ks, base: ref, where: s.Where}
	if cascaded || v.Check == "LOCAL" {
		out.check = sqlast.CloneExpr(s.Where)
	}
	var names []string
	if def := b.env.Schema.Table(ref.Schema, ref.Name); def != nil {
		for _, c := range def.Columns {
			names = append(names, c.Name)
		}
		out.columns(s.Items, names, ref.Label())
	} else {
		inner := b.env.Schema.View(ref.Schema, ref.Name)
		if inner == nil {
			return nil
		}
		below := b.mergedView(ref.Schema, inner, depth+1, cascaded)
		if below == nil || below.keyspace != ks || nestsQuery(s) {
			return nil
		}
		for _, c := range below.cols {
			names = append(names, c.name)
		}
		out.columns(s.Items, names, ref.Label())
		out.over(below)
	}
	for i, name := range v.Columns {
		if i < len(out.cols) {
			out.cols[i].name = name
		}
	}
	return out
}

func nestsQuery(s *sqlast.Select) bool {
	found := false
	sqlast.WalkQuery(s, func(e sqlast.Expr) bool {
		found = found || sqlast.SubQuery(e) != nil
		return !found
	})
	return found
}

// columns reads the select list over a table, or view, of the given columns.
func (t *viewTarget) columns(items []sqlast.SelectItem, names []string, label string) {
	for _, it := range items {
		if it.Star {
			for _, n := range names {
				t.cols = append(t.cols, viewColumn{name: n, base: n})
			}
			continue
		}
		c := viewColumn{name: it.Alias, expr: it.Expr}
		if col, ok := it.Expr.(*sqlast.Col); ok {
			c.base, c.expr = col.Name, nil
			if c.name == "" {
				c.name = col.Name
			}
		} else if c.name == "" {
			c.name = it.Text
		}
		t.cols = append(t.cols, c)
	}
}

// over puts what a view below says in the place of its columns.
func (t *viewTarget) over(below *viewTarget) {
	put := func(e sqlast.Expr) sqlast.Expr {
		if e == nil {
			return nil
		}
		return sqlast.Rewrite(e, func(x sqlast.Expr) sqlast.Expr {
			if c, ok := x.(*sqlast.Col); ok {
				if v := below.named(c.Name); v != nil {
					if v.expr != nil {
						return sqlast.CloneExpr(v.expr)
					}
					return &sqlast.Col{Name: v.base, Pos: c.Pos}
				}
			}
			return x
		})
	}
	for i := range t.cols {
		c := &t.cols[i]
		if c.expr != nil {
			c.expr = put(c.expr)
		} else if v := below.named(c.base); v != nil {
			c.base, c.expr = v.base, v.expr
		}
	}
	t.where = sqlast.And(sqlast.CloneExpr(below.where), put(t.where))
	t.check = sqlast.And(sqlast.CloneExpr(below.check), put(t.check))
	t.base = below.base
}

func (t *viewTarget) named(name string) *viewColumn {
	i := slices.IndexFunc(t.cols, func(c viewColumn) bool { return strings.EqualFold(c.name, name) })
	if i < 0 {
		return nil
	}
	return &t.cols[i]
}

// writtenView binds a view that may be written through: its table takes its
// place, and its condition is kept in viewConds. It is nil for another view.
func (b *binder) writtenView(t *sqlast.TableRef, ks string, own *block) (*source, error) {
	v := b.mergedView(ks, b.env.Schema.View(ks, t.Name), 0, false)
	if v == nil || own.sel != nil && joinsByName(own.sel.From) {
		return nil, nil
	}
	def := b.env.Schema.Table(v.base.Schema, v.base.Name)
	if def == nil {
		return nil, nil
	}
	inner := v.base.Label()
	t.Alias, t.Name = t.Label(), v.base.Name
	s, err := b.written(t, v.base.Schema, def, own)
	if err != nil {
		return nil, err
	}
	if err := b.addSource(s, own); err != nil {
		return nil, err
	}
	s.view, s.inner = v, inner
	if v.check != nil {
		if s.check, err = b.inView(s, v.check, own, clauseWhere); err != nil {
			return nil, err
		}
		s.checkedBy = ks + "." + s.label
	}
	if v.where != nil {
		cond, err := b.inView(s, v.where, own, clauseWhere)
		if err != nil {
			return nil, err
		}
		b.viewConds = append(b.viewConds, cond)
	}
	return s, nil
}

func joinsByName(t sqlast.TableExpr) bool {
	j, ok := t.(*sqlast.Join)
	return ok && (j.Natural || len(j.Using) > 0 || joinsByName(j.L) || joinsByName(j.R))
}

// inView binds an expression of a written view, where names are the table's.
func (b *binder) inView(s *source, e sqlast.Expr, own *block, cl clause) (sqlast.Expr, error) {
	e = sqlast.CloneExpr(e)
	view, name, session, env := s.view, s.name, b.env, *b.env
	env.Keyspace = view.keyspace
	s.view, s.name, b.env = nil, s.inner, &env
	inside := &block{sources: []*source{s}}
	err := b.expr(&e, inside, cl)
	s.view, s.name, b.env = view, name, session
	own.subs = append(own.subs, inside.subs...)
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		if c, ok := x.(*sqlast.Col); ok && b.sourceOf[c] == s {
			c.Table = s.label
		}
		return true
	})
	return e, err
}

// viewExpr gives what a column of a written view stands for when that is an
// expression.
func (b *binder) viewExpr(c *sqlast.Col, own *block, cl clause) (sqlast.Expr, error) {
	for x := own; x != nil; x = x.parent {
		for _, s := range x.sources {
			if s.view == nil || c.Table != "" && !s.called(c.Schema, c.Table) {
				continue
			}
			if v := s.view.named(c.Name); v != nil && v.expr != nil {
				return b.inView(s, v.expr, own, cl)
			}
		}
	}
	return nil, nil
}

// named gives the ordinal of the column that a statement calls by the name; with
// hidden also of one that USING has merged away.
func (s *source) named(name string, hidden bool) int {
	if s.view != nil {
		v := s.view.named(name)
		if v == nil || v.expr != nil {
			return -1
		}
		name = v.base
	}
	if hidden {
		return s.findAny(name)
	}
	return s.find(name)
}

// columnName gives the table's name of a column that a statement calls by the
// name of a view.
func (s *source) columnName(name string) string {
	if s.view == nil {
		return name
	}
	if i := s.named(name, true); i >= 0 {
		return s.cols[i].name
	}
	return name
}

func (s *source) columnNames(names []string) []string {
	if s.view == nil {
		return names
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = s.columnName(n)
	}
	return out
}

// insertColumns gives the table's names of the columns that an INSERT into a
// view names.
func (ib *insertBuilder) insertColumns(view string) error {
	names := ib.ins.Columns
	if len(names) == 0 {
		for _, c := range ib.src.view.cols {
			names = append(names, c.name)
		}
	}
	out := make([]string, len(names))
	for i, n := range names {
		v := ib.src.view.named(n)
		switch {
		case v == nil:
			return errorf(CodeUnknownColumn, -1, "unknown column '%s' in 'field list'", n)
		case v.expr != nil && len(ib.ins.Columns) == 0:
			return errorf(CodeNotInsertable, -1, "the target table %s of the INSERT is not insertable-into: its column '%s' is computed", view, n)
		case v.expr != nil:
			return notUpdatableColumn(n)
		}
		out[i] = ib.src.columnName(n)
	}
	ib.ins.Columns = out
	return nil
}

func notUpdatableColumn(name string) error {
	return errorf(CodeNotUpdatableColumn, -1, "column '%s' is not updatable: it is computed by the view", name)
}

// renameOnDup gives ON DUPLICATE KEY UPDATE the table's names of a view's
// columns.
func (ib *insertBuilder) renameOnDup() {
	for i := range ib.ins.OnDup {
		set := &ib.ins.OnDup[i]
		set.Col.Name = ib.src.columnName(set.Col.Name)
		set.Expr = sqlast.Rewrite(set.Expr, func(x sqlast.Expr) sqlast.Expr {
			switch x := x.(type) {
			case *sqlast.Col:
				if x.Table == "" || ib.src.called(x.Schema, x.Table) {
					x.Name = ib.src.columnName(x.Name)
				}
			case *sqlast.Values:
				x.Name = ib.src.columnName(x.Name)
			}
			return x
		})
	}
	ib.src.view = nil
}
