package route

import "github.com/vitessdo/vitessdo/sqlast"

// A set operation, and VALUES, make columns of expressions of several types. A
// DECIMAL of many digits is a key there (sqlast.Type.Keyed), and what stands in one
// column must be keys altogether, or none.

// sameForm brings column i of a member into the form of the whole's column.
func sameForm(q sqlast.Query, i int, whole *outCol) {
	switch q := q.(type) {
	case *sqlast.SetOp:
		sameForm(q.L, i, whole)
		sameForm(q.R, i, whole)
	case *sqlast.Select:
		for _, row := range q.ValuesRows {
			formAs(&row[i], &whole.typ)
		}
		if q.ValuesRows == nil && i < len(q.Items) {
			it := &q.Items[i]
			if formAs(&it.Expr, &whole.typ) && it.Alias == "" {
				it.Alias = whole.name
			}
		}
	}
}

// formAs wraps *e if its form is another one than that of values of type whole.
func formAs(e *sqlast.Expr, whole *sqlast.Type) bool {
	t := *(*e).Type()
	if t.Keyed() == whole.Keyed() || t.Class == sqlast.ClassNull {
		return false
	}
	if whole.Keyed() {
		f := &sqlast.Func{Name: "_DECIMAL_KEY", Args: []sqlast.Expr{*e}, Pos: -1}
		f.T = *whole
		f.T.Name, f.T.NotNull = "", t.NotNull
		*e = f
		return true
	}
	c := &sqlast.Cast{X: *e, To: sqlast.TypeOf(sqlast.ClassText)}
	switch whole.Class {
	case sqlast.ClassInt, sqlast.ClassDecimal:
		c.To = sqlast.Decimal(exactDigits-max(t.Scale, 0), t.Scale)
		c.To.Name = "DECIMAL"
	case sqlast.ClassDouble:
		c.To.Name, c.To.Class = "DOUBLE", sqlast.ClassDouble
	default:
		c.To.Name = "CHAR"
	}
	inferCast(c)
	*e = c
	return true
}
