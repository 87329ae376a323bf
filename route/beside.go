package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// beside is what ON DUPLICATE KEY UPDATE names of the SELECT's own columns, as in
// INSERT INTO t … SELECT … FROM q ON DUPLICATE KEY UPDATE v = q.v. The SELECT gives
// them behind the inserted columns; in the assignments parameters of the numbers
// -1, -2, … stand for them until it is settled where the row has them.
type beside struct {
	cols  []*sqlast.Col
	types []sqlast.Type
}

// takeBeside finds those columns, and adds them to the SELECT.
func (ib *insertBuilder) takeBeside() error {
	if len(ib.ins.OnDup) == 0 {
		return nil
	}
	for i := range ib.ins.OnDup {
		set := &ib.ins.OnDup[i]
		set.Expr = sqlast.Rewrite(set.Expr, func(x sqlast.Expr) sqlast.Expr {
			if c, ok := x.(*sqlast.Col); ok && !ib.ownColumn(c) {
				return &sqlast.Param{Index: -1 - ib.beside.at(c)}
			}
			return x
		})
	}
	if len(ib.beside.cols) == 0 {
		return nil
	}
	s, ok := ib.ins.Query.(*sqlast.Select)
	if !ok || s.Distinct || s.ValuesRows != nil || isAggregated(s) {
		return unsupported("column '"+ib.beside.cols[0].Name+"' of a SELECT that groups rows or unites several, in ON DUPLICATE KEY UPDATE",
			"SELECT from it as from a derived table: … SELECT * FROM (SELECT …) AS q ON DUPLICATE KEY UPDATE")
	}
	for i, c := range ib.beside.cols {
		s.Items = append(s.Items, sqlast.SelectItem{Expr: c, Alias: "_vt_beside" + itoa(i)})
	}
	return nil
}

// ownColumn says whether a column is the written table's. Without a table's name
// it is, where the table has such a column.
func (ib *insertBuilder) ownColumn(c *sqlast.Col) bool {
	if c.Table == "" {
		return ib.src.def.Column(c.Name) != nil
	}
	return ib.src.called(c.Schema, c.Table)
}

func (b *beside) at(c *sqlast.Col) int {
	for i, have := range b.cols {
		if strings.EqualFold(have.Name, c.Name) && strings.EqualFold(have.Table, c.Table) && have.Schema == c.Schema {
			return i
		}
	}
	b.cols = append(b.cols, c)
	return len(b.cols) - 1
}

// rowParam is the parameter of the row's plans for one in ON DUPLICATE KEY UPDATE.
func (ib *insertBuilder) rowParam(p *sqlast.Param) *sqlast.Param {
	out := *p
	if p.Index < 0 {
		i := -1 - p.Index
		out.Index = len(ib.cols) + i
		out.T = ib.beside.types[i]
		out.T.NotNull = false
		return &out
	}
	out.Index = len(ib.cols) + len(ib.beside.cols) + ib.extraAt(p.Index)
	return &out
}

// besideFits refuses what a parameter can't stand for: a column whose collation or
// exact form the rest of the expression would have to know of.
func (ib *insertBuilder) besideFits(set sqlast.Assignment) error {
	if p, ok := set.Expr.(*sqlast.Param); ok && p.Index < 0 {
		c := ib.src.def.Column(set.Col.Name)
		if c != nil && c.Type.Class == ib.beside.types[-1-p.Index].Class {
			return nil
		}
	}
	var err error
	sqlast.Walk(set.Expr, func(x sqlast.Expr) bool {
		if p, ok := x.(*sqlast.Param); ok && p.Index < 0 {
			t := ib.beside.types[-1-p.Index]
			if t.NoCase || t.Values != nil || t.Class == sqlast.ClassDecimal {
				err = unsupported("column '"+ib.beside.cols[-1-p.Index].Name+"' of the SELECT, of type "+t.Name+", in an expression of ON DUPLICATE KEY UPDATE",
					"compute the value in the SELECT, and name it by VALUES(…)")
			}
		}
		return err == nil
	})
	return err
}
