package route

import "github.com/vitessdo/vitessdo/sqlast"

// takeInsertID takes LAST_INSERT_ID(x) out of `SET col = LAST_INSERT_ID(x)`: the
// column gets x, and the session is told x. So the new values are read first and
// written by key.
func (w *writer) takeInsertID() error {
	for i := range w.update.Set {
		set := &w.update.Set[i]
		id := toldID(*set)
		if id == nil {
			continue
		}
		if w.insertID != nil {
			return unsupported("LAST_INSERT_ID(…) for two columns", "set it once")
		}
		w.insertID, set.Expr, w.random = set.Col, id, true
	}
	return nil
}

// toldID gives x of col = LAST_INSERT_ID(x), or nil.
func toldID(set sqlast.Assignment) sqlast.Expr {
	if f, ok := set.Expr.(*sqlast.Func); ok && f.Name == "LAST_INSERT_ID" && len(f.Args) == 1 {
		return f.Args[0]
	}
	return nil
}
