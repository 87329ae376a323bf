package route

import (
	"reflect"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// factorOrs takes what all branches of an OR have in common out of it:
// (j AND a) OR (j AND b) becomes j AND (a OR b), so that a join's condition is
// seen as one. SQL's three values keep that law.
func factorOrs(e sqlast.Expr) sqlast.Expr {
	conds := sqlast.Conjuncts(e)
	changed := false
	for i, c := range conds {
		if or, ok := c.(*sqlast.Binary); ok && or.Op == sqlast.OpOr {
			if f := factorOr(or); f != nil {
				conds[i], changed = f, true
			}
		}
	}
	if !changed {
		return e
	}
	return sqlast.And(conds...)
}

// factorOr is factorOrs for one OR; nil if nothing can be taken out, or a branch
// would have nothing left.
func factorOr(or *sqlast.Binary) sqlast.Expr {
	var branches [][]sqlast.Expr
	for _, b := range disjuncts(nil, or) {
		branches = append(branches, sqlast.Conjuncts(b))
	}
	var common []sqlast.Expr
	for _, c := range branches[0] {
		if !simple(c) || indexOf(common, c) >= 0 {
			continue
		}
		everywhere := true
		for _, b := range branches[1:] {
			everywhere = everywhere && indexOf(b, c) >= 0
		}
		if everywhere {
			common = append(common, c)
		}
	}
	if len(common) == 0 {
		return nil
	}
	var rest sqlast.Expr
	for _, b := range branches {
		var left []sqlast.Expr
		for _, c := range b {
			if indexOf(common, c) < 0 {
				left = append(left, c)
			}
		}
		switch {
		case len(left) == 0:
			return nil
		case rest == nil:
			rest = sqlast.And(left...)
		default:
			rest = &sqlast.Binary{Op: sqlast.OpOr, L: rest, R: sqlast.And(left...)}
		}
	}
	return sqlast.And(append(common, rest)...)
}

// simple says that e compares columns as they are written, with each other or
// with constants, so that it means the same wherever it stands.
func simple(e sqlast.Expr) bool {
	b, ok := e.(*sqlast.Binary)
	if !ok {
		return false
	}
	columns := 0
	for _, side := range []sqlast.Expr{b.L, b.R} {
		switch side.(type) {
		case *sqlast.Col:
			columns++
		case *sqlast.Lit:
		default:
			return false
		}
	}
	return columns > 0
}

func indexOf(list []sqlast.Expr, e sqlast.Expr) int {
	for i, x := range list {
		a, ok := x.(*sqlast.Binary)
		b, also := e.(*sqlast.Binary)
		if ok && also && a.Op == b.Op && sameOperand(a.L, b.L) && sameOperand(a.R, b.R) {
			return i
		}
	}
	return -1
}

func sameOperand(a, b sqlast.Expr) bool {
	switch a := a.(type) {
	case *sqlast.Col:
		c, ok := b.(*sqlast.Col)
		return ok && strings.EqualFold(a.Schema, c.Schema) && strings.EqualFold(a.Table, c.Table) && strings.EqualFold(a.Name, c.Name)
	case *sqlast.Lit:
		return reflect.DeepEqual(a, b)
	}
	return false
}
