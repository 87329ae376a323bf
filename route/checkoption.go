package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// WITH CHECK OPTION. The first value that a row gets is printed with the view's
// condition about the row as it is to be, and the statement fails where that
// doesn't hold.

// checkable says why the condition of a written view can't be looked at row by row.
func checkable(src *source) error {
	if nests(src.check) {
		return unsupported("writing through view '"+src.checkedBy+"', whose CHECK OPTION asks other rows", "write to its table")
	}
	return nil
}

// checkUpdate lets the first assignment to a view's row look at all of them.
func (w *writer) checkUpdate(src *source) error {
	sets := w.sets[src]
	if src.check == nil || len(sets) == 0 {
		return nil
	}
	if err := checkable(src); err != nil {
		return err
	}
	cond := w.substitute(src.check, src, sets) // makes a copy
	sets[0].Expr = checked(cond, sets[0].Expr, src)
	for i := range w.update.Set {
		if w.update.Set[i].Col == sets[0].Col {
			w.update.Set[i].Expr = sets[0].Expr
		}
	}
	return nil
}

// checkInsert does the same for the row of an INSERT.
func (ib *insertBuilder) checkInsert(row []sqlast.Expr) error {
	src := ib.src
	if src.check == nil {
		return nil
	}
	if err := checkable(src); err != nil {
		return err
	}
	if ib.ins.Ignore || ib.ins.Pass || len(ib.ins.OnDup) > 0 {
		return unsupported("INSERT IGNORE and ON DUPLICATE KEY UPDATE through view '"+src.checkedBy+"' WITH CHECK OPTION", "write to its table")
	}
	var failed error
	cond := ib.extraParams(sqlast.CloneExpr(src.check))
	cond = sqlast.Rewrite(cond, func(x sqlast.Expr) sqlast.Expr {
		c, ok := x.(*sqlast.Col)
		if !ok {
			return x
		}
		v, err := ib.insertedValue(c.Name)
		if err != nil {
			failed = err
			return x
		}
		if v == nil {
			v = &sqlast.Lit{Kind: sqlast.LitNull}
		}
		return v
	})
	if len(row) > 0 {
		row[0] = checked(cond, row[0], src)
	}
	return failed
}

func checked(cond, x sqlast.Expr, src *source) sqlast.Expr {
	c := &sqlast.Checked{Cond: cond, X: x, View: strings.ReplaceAll(src.checkedBy, "`", "")}
	c.T = *x.Type()
	return c
}
