package route

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// keyPart is an expression that a unique key across shards is on. Conditions that
// spell it as the key does lead to the row, as those on a column do.
type keyPart struct {
	text string // as exprKey gives it
	typ  sqlast.Type
	part *sqlast.IndexPart
}

// keyParts gives the expressions of a table's unique keys that hidden tables keep.
func (b *binder) keyParts(src *source) []keyPart {
	if src.def == nil || src.exprs != nil {
		return src.exprs
	}
	src.exprs = []keyPart{}
	for _, x := range src.def.Indexes {
		hidden := b.env.Schema.Unique(src.keyspace, src.def.Name, x)
		if hidden == nil {
			continue
		}
		for i := range x.Parts {
			if x.Parts[i].Column != "" {
				continue
			}
			e := sqlast.Rewrite(sqlast.CloneExpr(x.Parts[i].Expr), func(e sqlast.Expr) sqlast.Expr {
				if c, ok := e.(*sqlast.Col); ok {
					c.Table = src.label
				}
				return e
			})
			if b.expr(&e, &block{sources: []*source{src}}, clauseWhere) == nil {
				src.exprs = append(src.exprs, keyPart{b.exprKey(e), hidden.Columns[i].Type, &x.Parts[i]})
			}
		}
	}
	return src.exprs
}

// partTerm is the term of a part of a key: the ordinals of expressions are below 0.
func (b *binder) partTerm(src *source, part *sqlast.IndexPart) (term, bool) {
	if part.Column != "" {
		i := src.findAny(part.Column)
		return term{src, i}, i >= 0
	}
	for i, p := range b.keyParts(src) {
		if p.part == part {
			return term{src, -1 - i}, true
		}
	}
	return term{}, false
}

// keyExpr says which expression of a key x is, when the hidden table tells its
// values apart as the comparison of x does.
func (f *facts) keyExpr(x sqlast.Expr) (term, sqlast.Type, bool) {
	var src *source
	switch x.(type) {
	case *sqlast.Col, *sqlast.Lit, *sqlast.Param, *sqlast.Row:
		return term{}, sqlast.Type{}, false
	}
	sqlast.Walk(x, func(e sqlast.Expr) bool {
		if c, ok := e.(*sqlast.Col); ok && src == nil {
			src = f.b.sourceOf[c]
		}
		return src == nil
	})
	if src == nil || len(f.b.keyParts(src)) == 0 {
		return term{}, sqlast.Type{}, false
	}
	text := f.b.exprKey(x)
	for i, p := range src.exprs {
		t := x.Type()
		if p.text == text && t.Class == p.typ.Class && noCase(x) == p.typ.NoCase {
			return term{src, -1 - i}, p.typ, true
		}
	}
	return term{}, sqlast.Type{}, false
}

// keyExprFact reads the equality of a key's expression with constants.
func (f *facts) keyExprFact(x sqlast.Expr, with []sqlast.Expr, value func(term, fact)) {
	t, typ, ok := f.keyExpr(x)
	if !ok {
		return
	}
	var in []Source
	for _, e := range with {
		s, ok := f.keyConstant(typ, e)
		if !ok {
			return
		}
		in = append(in, s)
	}
	if len(in) == 1 {
		value(t, fact{eq: &in[0]})
		return
	}
	value(t, fact{in: in})
}

// keyConstant is comparand for an expression of a key.
func (f *facts) keyConstant(typ sqlast.Type, e sqlast.Expr) (Source, bool) {
	class := e.Type().Class
	switch typ.Class {
	case sqlast.ClassInt, sqlast.ClassDecimal, sqlast.ClassDouble:
		if !class.Numeric() && class != sqlast.ClassUnknown {
			return Source{}, false
		}
	case sqlast.ClassText:
		if class != sqlast.ClassText && class != sqlast.ClassUnknown || typ.Values != nil || noCase(e) {
			return Source{}, false
		}
	default:
		return Source{}, false
	}
	if l, isLit := e.(*sqlast.Lit); isLit && l.Kind == sqlast.LitBytes {
		return Source{}, false
	}
	collates := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		_, is := x.(*sqlast.Collate)
		collates = collates || is
		return !collates
	})
	if collates {
		return Source{}, false
	}
	return f.constant(e)
}
