package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *printer) update(s *sqlast.Update) {
	p.with(s.With)
	t, single := s.From.(*sqlast.TableRef)
	if !single {
		p.updateJoin(s)
		return
	}
	p.updateWord(s)
	p.table(t)
	p.s(" SET ")
	p.assignments(s.Set, t)
	differ := p.differ(s.Changed, s.Set, t)
	if s.Limit == nil || s.Limit.Count == nil {
		p.limitedWhere(t, and(s.Where, differ), nil, nil)
	} else {
		p.limitedWhere(t, s.Where, s.OrderBy, s.Limit)
		if differ != nil {
			p.s(" AND ")
			p.expr(differ, precAnd)
		}
	}
	p.returning(s.Returning)
}

func (p *printer) updateWord(s *sqlast.Update) {
	if s.Ignore {
		p.s("UPDATE OR IGNORE ")
	} else {
		p.s("UPDATE ")
	}
}

// limitedWhere prints the WHERE of a single-table UPDATE or DELETE; with a
// LIMIT, the rows are picked by a subquery.
func (p *printer) limitedWhere(t *sqlast.TableRef, where sqlast.Expr, order []sqlast.OrderItem, l *sqlast.Limit) {
	if l == nil || l.Count == nil {
		if where != nil {
			p.s(" WHERE ")
			p.truth(where, 0)
		}
		return
	}
	id := rowid(t)
	p.s(" WHERE " + id + " IN (SELECT " + id + " FROM ")
	p.table(t)
	if where != nil {
		p.s(" WHERE ")
		p.truth(where, 0)
	}
	p.orderLimit(order, l)
	p.c(')')
}

// rowid gives the name by which a table's row ID can be had: one that no column
// of its hides.
func rowid(t *sqlast.TableRef) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if t.Table == nil || t.Table.Column(name) == nil {
			return name
		}
	}
	return "rowid"
}

// tables lists the table references of a join tree; inner says whether it
// consists of inner joins with nothing but ON conditions.
func tables(t sqlast.TableExpr, list []*sqlast.TableRef) (refs []*sqlast.TableRef, inner bool) {
	switch t := t.(type) {
	case *sqlast.TableRef:
		return append(list, t), true
	case *sqlast.Join:
		l, li := tables(t.L, list)
		r, ri := tables(t.R, l)
		plain := (t.Kind == sqlast.JoinInner || t.Kind == sqlast.JoinCross) && !t.Natural && len(t.Using) == 0
		return r, li && ri && plain
	}
	return list, true
}

// targetOf finds the table that a column of a join belongs to.
func targetOf(c *sqlast.Col, refs []*sqlast.TableRef) *sqlast.TableRef {
	var found *sqlast.TableRef
	for _, t := range refs {
		switch {
		case c.Source == t:
			return t
		case c.Table != "":
			if strings.EqualFold(c.Table, t.Label()) {
				found = t
			}
		case c.Source == nil && t.Table != nil && t.Table.Column(c.Name) != nil:
			found = t
		}
	}
	return found
}

func (p *printer) updateJoin(s *sqlast.Update) {
	refs, inner := tables(s.From, nil)
	var target *sqlast.TableRef
	for _, a := range s.Set {
		t := targetOf(a.Col, refs)
		if t == nil {
			p.unsupported("an UPDATE of "+a.Col.Name+", whose table isn't known", a.Col.Pos, "")
			return
		}
		if target != nil && t != target {
			p.unsupported("an UPDATE of several tables", a.Col.Pos, "pick the rows first, then update table by table")
			return
		}
		target = t
	}
	if target == nil || s.Limit != nil || len(s.OrderBy) > 0 {
		p.unsupported("UPDATE of a join with ORDER BY or LIMIT", -1, "")
		return
	}
	p.updateWord(s)
	p.table(target)
	p.s(" SET ")
	if inner {
		p.assignments(s.Set, target)
		where := p.innerFrom(s.From, target)
		if s.Where != nil {
			where = append(where, s.Where)
		}
		if differ := p.differ(s.Changed, s.Set, target); differ != nil {
			where = append(where, differ)
		}
		p.conjunction(" WHERE ", where)
	} else {
		p.updateFromSelect(s, target)
	}
	p.returning(s.Returning)
}

func (p *printer) conjunction(word string, terms []sqlast.Expr) {
	for i, x := range terms {
		if i > 0 {
			word = " AND "
		}
		p.s(word)
		p.truth(x, precAnd)
	}
}

// innerFrom prints the other tables of an inner join behind FROM, and returns
// the join's conditions.
func (p *printer) innerFrom(t sqlast.TableExpr, target *sqlast.TableRef) (on []sqlast.Expr) {
	word := " FROM "
	var walk func(t sqlast.TableExpr)
	walk = func(t sqlast.TableExpr) {
		if j, ok := t.(*sqlast.Join); ok {
			walk(j.L)
			walk(j.R)
			if j.On != nil {
				on = append(on, j.On)
			}
			return
		}
		if t != sqlast.TableExpr(target) {
			p.s(word)
			word = ", "
			p.from(t)
		}
	}
	walk(t)
	return on
}

// updateFromSelect is the general form: a subquery computes row IDs and values.
func (p *printer) updateFromSelect(s *sqlast.Update, target *sqlast.TableRef) {
	var values []string
	p.eachAssignment(s.Set, target, func(i int, name, text string) {
		if i > 0 {
			p.s(", ")
		}
		p.ident(name)
		p.s(` = "_u"."_`)
		p.int(i)
		p.c('"')
		values = append(values, text)
	})
	p.s(" FROM (SELECT ")
	p.ident(target.Label())
	p.s("." + rowid(target) + ` AS "_id"`)
	for i, v := range values {
		p.s(", " + v + ` AS "_`)
		p.int(i)
		p.c('"')
	}
	p.s(" FROM ")
	p.from(s.From)
	if s.Where != nil {
		p.s(" WHERE ")
		p.truth(s.Where, 0)
	}
	p.s(`) AS "_u" WHERE `)
	p.ident(target.Label())
	p.s("." + rowid(target) + ` = "_u"."_id"`)
	if len(s.Changed) == 0 {
		return
	}
	word := " AND ("
	for i, a := range s.Set {
		if containsName(s.Changed, a.Col.Name) && !sqlast.AssignedAgain(s.Set, i) {
			p.s(word)
			p.ident(target.Label())
			p.c('.')
			p.ident(a.Col.Name)
			p.s(` COLLATE BINARY IS NOT "_u"."_`)
			p.int(i)
			p.c('"')
			word = " OR "
		}
	}
	p.c(')')
}

func (p *printer) delete(s *sqlast.Delete) {
	p.with(s.With)
	if t, ok := s.From.(*sqlast.TableRef); ok && len(s.Targets) <= 1 {
		p.s("DELETE FROM ")
		p.table(t)
		p.limitedWhere(t, s.Where, s.OrderBy, s.Limit)
		p.returning(s.Returning)
		return
	}
	if len(s.Targets) != 1 {
		p.unsupported("a DELETE from several tables", -1, "pick the rows first, then delete table by table")
		return
	}
	refs, _ := tables(s.From, nil)
	var target *sqlast.TableRef
	for _, t := range refs {
		if t == s.Targets[0] || strings.EqualFold(t.Label(), s.Targets[0].Label()) {
			target = t
		}
	}
	if target == nil {
		p.unsupported("a DELETE from "+s.Targets[0].Name+", which its FROM doesn't have", s.Targets[0].Pos, "")
		return
	}
	id := rowid(target)
	p.s("DELETE FROM ")
	p.ident(target.Name)
	p.s(" WHERE " + id + " IN (SELECT ")
	p.ident(target.Label())
	p.s("." + id + " FROM ")
	p.from(s.From)
	if s.Where != nil {
		p.s(" WHERE ")
		p.truth(s.Where, 0)
	}
	p.orderLimit(s.OrderBy, s.Limit)
	p.c(')')
	p.returning(s.Returning)
}
