package front

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Int is a whole number.
func Int(n int) sqlast.Expr {
	if n < 0 {
		return &sqlast.Unary{Op: sqlast.OpNeg, X: Int(-n)}
	}
	return &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.Itoa(n)}
}

// Text is a string.
func Text(s string) sqlast.Expr { return &sqlast.Lit{Kind: sqlast.LitString, Text: s} }

// Null is NULL.
func Null() sqlast.Expr { return &sqlast.Lit{Kind: sqlast.LitNull} }

// Word is a bare word among a function's arguments.
func Word(w string) sqlast.Expr { return &sqlast.Keyword{Word: w} }

// Call is a function's call; its name is MySQL's.
func Call(name string, args ...sqlast.Expr) *sqlast.Func {
	return &sqlast.Func{Name: name, Args: args, Pos: -1}
}

// Column is a column by its name; table may be "".
func Column(table, name string) sqlast.Expr { return &sqlast.Col{Table: table, Name: name, Pos: -1} }

// Op is a two-sided operator.
func Op(op sqlast.Op, l, r sqlast.Expr) *sqlast.Binary { return &sqlast.Binary{Op: op, L: l, R: r} }

// Not negates x if not is true.
func Not(x sqlast.Expr, not bool) sqlast.Expr {
	if not {
		return &sqlast.Unary{Op: sqlast.OpNot, X: x}
	}
	return x
}

// Cast is CAST(x AS name), of a class, with size and scale or -1.
func Cast(x sqlast.Expr, name string, class sqlast.Class, size, scale int) *sqlast.Cast {
	to := sqlast.TypeOf(class)
	to.Name, to.Size, to.Scale = name, size, scale
	return &sqlast.Cast{X: x, To: to}
}

// When is CASE WHEN cond THEN then [ELSE otherwise] END.
func When(cond, then, otherwise sqlast.Expr) *sqlast.Case {
	return &sqlast.Case{Whens: []sqlast.When{{Cond: cond, Then: then}}, Else: otherwise}
}

// Filter lets an aggregate pass over the rows that cond doesn't hold of. Its values are
// NULL for these, which is another thing for documents, where NULL is a member. Where
// cond has to stand again, again gives a copy of it.
func Filter(a *sqlast.Agg, cond sqlast.Expr, again func(sqlast.Expr) sqlast.Expr) {
	if strings.HasPrefix(a.Name, "JSON") {
		a.Filter = cond
		return
	}
	if a.Star {
		a.Star, a.Args = false, []sqlast.Expr{Int(1)}
	}
	for i, x := range a.Args {
		if i > 0 {
			cond = again(cond)
		}
		a.Args[i] = When(cond, x, nil)
	}
}

// IsNull is x IS [NOT] NULL.
func IsNull(x sqlast.Expr, not bool) sqlast.Expr {
	return &sqlast.Is{X: x, What: sqlast.IsNull, Not: not}
}

// Later leaves to the binder what args become.
func Later(decide func(args []sqlast.Expr) (sqlast.Expr, error), args ...sqlast.Expr) sqlast.Expr {
	return &sqlast.Late{Args: args, Decide: decide}
}

// StringOf gives the text of a string literal.
func StringOf(e sqlast.Expr) (string, bool) {
	l, ok := e.(*sqlast.Lit)
	if !ok || l.Kind != sqlast.LitString {
		return "", false
	}
	return l.Text, true
}

// IntOf gives the value of a whole number's literal.
func IntOf(e sqlast.Expr) (int, bool) {
	switch e := e.(type) {
	case *sqlast.Lit:
		n, err := strconv.Atoi(e.Text)
		return n, err == nil && e.Kind == sqlast.LitInt
	case *sqlast.Unary:
		n, ok := IntOf(e.X)
		return -n, ok && e.Op == sqlast.OpNeg
	}
	return 0, false
}
