package front

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// Settle decides what in an expression of a definition hangs on types: a check's, a
// default's, a generated column's. Its columns are def's, where def has them. No
// binder sees such an expression before its text is kept.
func Settle(def *sqlast.TableDef, e sqlast.Expr) (sqlast.Expr, error) {
	var failed error
	out := sqlast.Rewrite(e, func(x sqlast.Expr) sqlast.Expr {
		switch x := x.(type) {
		case *sqlast.Col:
			if c := def.Column(x.Name); c != nil {
				x.T = c.Type
			}
		case *sqlast.Lit:
			x.T = sqlast.TypeOf(literalClass[x.Kind])
			x.T.Bool = x.Kind == sqlast.LitTrue || x.Kind == sqlast.LitFalse
		case *sqlast.Cast:
			x.T = x.To
		case *sqlast.Unary:
			if x.T = *x.X.Type(); x.Op == sqlast.OpNot {
				x.T = truth
			}
		case *sqlast.Binary:
			x.T = computed(x)
		case *sqlast.Is, *sqlast.In, *sqlast.Like, *sqlast.Between:
			*x.Type() = truth
		case *sqlast.Late:
			y, err := x.Decide(x.Args)
			if err != nil {
				failed = err
				return x
			}
			if b, ok := y.(*sqlast.Binary); ok {
				b.T = computed(b)
			}
			return y
		}
		return x
	})
	return out, failed
}

var truth = sqlast.Type{Class: sqlast.ClassInt, Bool: true, Size: -1, Scale: -1}

var literalClass = map[sqlast.LitKind]sqlast.Class{
	sqlast.LitNull: sqlast.ClassNull, sqlast.LitInt: sqlast.ClassInt, sqlast.LitDecimal: sqlast.ClassDecimal,
	sqlast.LitFloat: sqlast.ClassDouble, sqlast.LitString: sqlast.ClassText, sqlast.LitBytes: sqlast.ClassBlob,
	sqlast.LitDate: sqlast.ClassDate, sqlast.LitTime: sqlast.ClassTime, sqlast.LitTimestamp: sqlast.ClassDateTime,
	sqlast.LitTrue: sqlast.ClassInt, sqlast.LitFalse: sqlast.ClassInt,
}

// computed is as much of an operator's type as operands need.
func computed(x *sqlast.Binary) sqlast.Type {
	l, r := x.L.Type(), x.R.Type()
	switch {
	case x.Op.Comparison(), x.Op == sqlast.OpAnd, x.Op == sqlast.OpOr, x.Op == sqlast.OpXor:
		return truth
	case x.Op == sqlast.OpConcat:
		return sqlast.TypeOf(sqlast.ClassText)
	case x.Op == sqlast.OpIntDiv, l.Class == sqlast.ClassInt && r.Class == sqlast.ClassInt && x.Op != sqlast.OpDiv:
		return sqlast.TypeOf(sqlast.ClassInt)
	case l.Class.Numeric() && r.Class.Numeric():
		return sqlast.TypeOf(sqlast.ClassDouble)
	}
	return sqlast.TypeOf(sqlast.ClassUnknown)
}
