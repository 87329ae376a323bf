package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// calls are the functions that do something to the session, or wait: the session
// is asked when the statement begins, once for each that is written. With each
// stand the least and the most arguments that it takes.
var calls = map[string][2]int{
	"GET_LOCK": {2, 2}, "RELEASE_LOCK": {1, 1}, "IS_FREE_LOCK": {1, 1}, "IS_USED_LOCK": {1, 1}, "RELEASE_ALL_LOCKS": {0, 0},
	"SLEEP": {1, 1}, "LAST_INSERT_ID": {1, 1},
}

func isCall(f *sqlast.Func) bool {
	_, ok := calls[f.Name]
	return ok && (f.Name != "LAST_INSERT_ID" || len(f.Args) > 0)
}

// call makes a parameter of a function that the session answers.
func (b *binder) call(f *sqlast.Func, own *block) (sqlast.Expr, error) {
	if n := calls[f.Name]; len(f.Args) < n[0] || len(f.Args) > n[1] {
		return nil, errorf(CodeBadValue, f.Pos, "incorrect parameter count in the call to function %s", f.Name)
	}
	if own != nil && len(own.sources) > 0 || b.write {
		return nil, unsupported(f.Name+" in a statement about rows", "call it in a SELECT without FROM")
	}
	c := Computed{Kind: ComputedCall, Name: strings.ToLower(f.Name)}
	for i := range f.Args {
		if err := b.expr(&f.Args[i], own, clauseItem); err != nil {
			return nil, err
		}
		arg, ok := b.facts.constant(f.Args[i])
		if !ok {
			return nil, unsupported("an argument of "+f.Name+" that is no constant", "SET @x first, and give @x")
		}
		c.Args = append(c.Args, arg)
	}
	t := sqlast.TypeOf(sqlast.ClassInt)
	t.Name = "BIGINT"
	return b.params.add(c, t), nil
}

// Calls says whether running the plan, even to explain it, does something to
// the session.
func (p *Plan) Calls() bool {
	for i := range p.Params.Computed {
		if p.Params.Computed[i].Kind == ComputedCall {
			return true
		}
	}
	return false
}

// sureCalls refuses calls that a condition decides over: they would be made
// whatever it says.
func sureCalls(s *sqlast.Select) error {
	for _, it := range s.Items {
		if err := sureCall(it.Expr, true); err != nil {
			return err
		}
	}
	if err := sureCall(s.Where, true); err != nil {
		return err
	}
	return sureCall(s.Having, true)
}

func sureCall(e sqlast.Expr, sure bool) error {
	at := 0
	rest := true
	switch e := e.(type) {
	case nil:
		return nil
	case *sqlast.Func:
		if isCall(e) && !sure {
			return unsupported(e.Name+" where a condition decides whether it is called", "call it in a statement of its own")
		}
		rest = e.Name != "IF" && e.Name != "IFNULL" && e.Name != "COALESCE"
	case *sqlast.Binary:
		rest = e.Op != sqlast.OpAnd && e.Op != sqlast.OpOr
	case *sqlast.Case:
		rest = false
	}
	var err error
	sqlast.EachChild(e, func(x *sqlast.Expr) {
		if err == nil {
			err = sureCall(*x, sure && (at == 0 || rest))
		}
		at++
	})
	return err
}
