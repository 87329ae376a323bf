package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// returning binds the RETURNING list of a write to one table, and says what
// columns the write's answer has. Its columns are named bare, as the engine
// wants them.
func (b *binder) returning(items []sqlast.SelectItem, src *source, blk *block) ([]sqlast.SelectItem, []Column, error) {
	if len(blk.sources) != 1 {
		return nil, nil, unsupported("RETURNING of a write over several tables", "read the rows before or after")
	}
	sel := &sqlast.Select{Items: items}
	if err := b.expandStars(sel, blk); err != nil {
		return nil, nil, err
	}
	for i := range sel.Items {
		e := &sel.Items[i].Expr
		if hasSubquery(*e) {
			return nil, nil, unsupported("a subquery in RETURNING", "read its value before or after")
		}
		if err := b.expr(e, blk, clauseItem); err != nil {
			return nil, nil, err
		}
		if sqlast.HasAgg(*e) {
			return nil, nil, errorf(CodeBadGroup, -1, "invalid use of an aggregate in RETURNING")
		}
	}
	cols := resultColumns(b.output(sel), b)
	out := make([]sqlast.SelectItem, len(sel.Items))
	for i, it := range sel.Items {
		it.Expr = sqlast.Rewrite(sqlast.CloneExpr(it.Expr), func(x sqlast.Expr) sqlast.Expr {
			c, ok := x.(*sqlast.Col)
			if !ok {
				return x
			}
			bare := *c
			bare.Schema, bare.Table = "", ""
			return &bare
		})
		out[i] = it
	}
	return out, cols, nil
}

func cloneItems(items []sqlast.SelectItem) []sqlast.SelectItem {
	out := slices.Clone(items)
	for i := range out {
		out[i].Expr = sqlast.CloneExpr(out[i].Expr)
	}
	return out
}

func hasSubquery(e sqlast.Expr) bool {
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		_, window := x.(*sqlast.Window)
		found = found || window || sqlast.SubQuery(x) != nil
		return !found
	})
	return found
}

// bindReturning is returning for UPDATE and DELETE.
func (w *writer) bindReturning(p *Plan) error {
	items := w.returned()
	if len(*items) == 0 {
		return nil
	}
	bound, cols, err := w.binder.returning(*items, w.targets[0], w.blk)
	if err != nil {
		return err
	}
	*items, p.Columns = bound, cols
	if w.update != nil {
		w.update.Changed = nil // rows that stay as they are are returned too
	}
	return nil
}

func (w *writer) returned() *[]sqlast.SelectItem {
	if w.update != nil {
		return &w.update.Returning
	}
	return &w.del.Returning
}

// rowReturning gives the RETURNING list of the statements that write a row by
// its key, which know none of the text's parameters.
func (w *writer) rowReturning() ([]sqlast.SelectItem, error) {
	items := *w.returned()
	for _, it := range items {
		found := false
		sqlast.Walk(it.Expr, func(x sqlast.Expr) bool {
			_, is := x.(*sqlast.Param)
			found = found || is
			return !found
		})
		if found {
			return nil, unsupported("a value or parameter in RETURNING of a write by key", "return the columns, and compute with them after")
		}
	}
	return items, nil
}
