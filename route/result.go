package route

import "github.com/vitessdo/vitessdo/sqlast"

// handedOut marks the items of a bound statement's outermost SELECT whose values
// nothing but the caller reads. Those that the result may be sorted or told apart
// by stay unmarked.
func handedOut(q sqlast.Query) {
	s, ok := q.(*sqlast.Select)
	if !ok || s.Distinct || s.Having != nil && len(s.GroupBy) == 0 {
		return
	}
	for _, o := range s.OrderBy {
		if c, ok := o.Expr.(*sqlast.Col); !ok || c.Def == nil {
			return
		}
	}
	for i := range s.Items {
		if e := s.Items[i].Expr; e != nil && (e.Type().Class == sqlast.ClassDecimal || e.Type().Class == sqlast.ClassUnknown) {
			s.Items[i].Result = true
		}
	}
}
