package postgres

import (
	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// asJSON lets a value become a part of a document as PostgreSQL writes it: booleans in
// words, moments as ISO 8601.
func (c *conv) asJSON(x sqlast.Expr) sqlast.Expr {
	switch x.(type) {
	case *sqlast.Lit, *sqlast.Param:
		return x
	}
	return c.later(func(a []sqlast.Expr) sqlast.Expr {
		x := a[0]
		switch t := x.Type(); {
		case t.Bool:
			return jsonBool(x)
		case t.Class == sqlast.ClassDateTime:
			text := shortMoment(x, "T")
			if t.Name == "TIMESTAMP" {
				return front.Op(sqlast.OpConcat, text, front.Text("+00:00"))
			}
			return text
		}
		return x
	}, x)
}

// jsonBool is a truth as JSON.
func jsonBool(x sqlast.Expr) sqlast.Expr {
	word := func(w string) sqlast.Expr { return front.Cast(front.Text(w), "JSON", sqlast.ClassJSON, -1, -1) }
	return front.When(x, word("true"), front.When(front.Not(sqlast.CloneExpr(x), true), word("false"), nil))
}

// asJSONs is asJSON of those that aren't names, which alternate with values.
func (c *conv) asJSONs(args []sqlast.Expr, named bool) []sqlast.Expr {
	for i := range args {
		if !named || i%2 == 1 {
			args[i] = c.asJSON(args[i])
		}
	}
	return args
}
