package route

import "github.com/vitessdo/vitessdo/sqlast"

// takeInsertID takes LAST_INSERT_ID(x) out of `SET col = LAST_INSERT_ID(x)`: the
// column gets x, and the session is told x. So the new values are read first and
// written by key.
func (w *writer) takeInsertID() error {
	for i := range w.update.Set {
		set := &w.update.Set[i]
		f, ok := set.Expr.(*sqlast.Func)
		if !ok || f.Name != "LAST_INSERT_ID" || len(f.Args) != 1 {
			continue
		}
		if w.insertID != nil {
			return unsupported("LAST_INSERT_ID(…) for two columns", "set it once")
		}
		w.insertID, set.Expr, w.random = set.Col, f.Args[0], true
	}
	return nil
}
