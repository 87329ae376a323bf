package route

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// Some types order otherwise than the text that they are kept as: an ENUM by
// its members' places, a SET by the bits of its members, a TIME by its length
// (it may be negative, and longer than a day), JSON by its values' types. Where
// an order is asked for, the binder puts a function in their place that gives
// what orders rightly, so that shards, merges and the gate need not know.

// sortKey puts the key of *e in its place if its type has one.
func (b *binder) sortKey(e *sqlast.Expr) bool {
	if *e == nil {
		return false
	}
	t := (*e).Type()
	var f *sqlast.Func
	switch {
	case (t.Name == "ENUM" || t.Name == "SET") && t.Class == sqlast.ClassText && len(t.Values) > 0:
		f = membersCall(*e, t)
	case t.Class == sqlast.ClassTime:
		f = &sqlast.Func{Name: "_TIME_KEY", Args: []sqlast.Expr{*e}, Pos: -1}
	case t.Class == sqlast.ClassJSON:
		f = &sqlast.Func{Name: "_JSON_KEY", Args: []sqlast.Expr{*e}, Pos: -1}
	default:
		return false
	}
	switch (*e).(type) {
	case *sqlast.Lit, *sqlast.Param:
		return false
	}
	if f.T = sqlast.TypeOf(sqlast.ClassInt); t.Class == sqlast.ClassJSON {
		f.T.Class = sqlast.ClassUnknown
	}
	*e = f
	return true
}

func membersCall(e sqlast.Expr, t *sqlast.Type) *sqlast.Func {
	f := &sqlast.Func{Name: "_" + t.Name + "_KEY", Args: []sqlast.Expr{e}, Pos: -1}
	for _, v := range t.Values {
		l := &sqlast.Lit{Kind: sqlast.LitString, Text: v}
		l.T = litType(l)
		f.Args = append(f.Args, l)
	}
	return f
}

// orderKey is sortKey for a term of ORDER BY, which may stand for a select item.
func (b *binder) orderKey(s *sqlast.Select, own *block, i int) {
	e := s.OrderBy[i].Expr
	if at := own.order[i]; at >= 0 {
		e = s.Items[at].Expr
	}
	if b.sortKey(&e) {
		s.OrderBy[i].Expr, own.order[i] = e, -1
	}
}

// compareTimes makes a comparison of TIMEs one of their lengths.
func (b *binder) compareTimes(sides ...*sqlast.Expr) {
	times := false
	for _, e := range sides {
		switch c := (*e).Type().Class; {
		case c == sqlast.ClassTime:
			times = true
		case c.Temporal():
			return
		}
	}
	if !times {
		return
	}
	for _, e := range sides {
		if s, ok := (*e).(*sqlast.Subquery); ok && s.Kind != sqlast.SubScalar {
			return
		}
	}
	for _, e := range sides {
		f := &sqlast.Func{Name: "_TIME_KEY", Args: []sqlast.Expr{*e}, Pos: -1}
		f.T = sqlast.TypeOf(sqlast.ClassInt)
		*e = f
	}
}

// extremeTime makes MIN and MAX of TIMEs those of their lengths; whole is the
// expression to wrap, the aggregate or the window that it stands in.
func extremeTime(whole *sqlast.Expr, a *sqlast.Agg) {
	if a.Name != "MIN" && a.Name != "MAX" || len(a.Args) != 1 || a.Args[0].Type().Class != sqlast.ClassTime {
		return
	}
	t := *a.Args[0].Type()
	key := &sqlast.Func{Name: "_TIME_KEY", Args: a.Args, Pos: -1}
	key.T = sqlast.TypeOf(sqlast.ClassInt)
	a.Args = []sqlast.Expr{key}
	a.T = key.T
	*(*whole).Type() = key.T
	text := &sqlast.Func{Name: "_TIME_OF_KEY", Args: []sqlast.Expr{*whole}, Pos: -1}
	text.T = t
	text.T.NotNull, text.T.Name = false, ""
	*whole = text
}
