package route

import (
	"reflect"
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// term is a column of a stored table.
type term struct {
	src *source
	col int
}

// fact is what conditions say of a term's values, or of those of all terms that
// equal it.
type fact struct {
	eq     *Source
	in     []Source
	inNode *sqlast.In // the condition that in is from, when it is just that
	tuples *sqlast.In // the condition over rows of columns that in is a column of
	also   [][]Source // further lists that the values are in, beside in
	list   *Source    // holds the values as DestList has them, where no other says them
	lo, hi *BoundSource
	weak   bool // holds for the term's own rows, not for those it is joined to
	null   bool // eq, or one of in, also holds for a NULL in both
}

func (f *fact) empty() bool {
	return f.eq == nil && f.in == nil && f.list == nil && f.lo == nil && f.hi == nil
}

// class is a set of terms that are equal in every row.
type class struct {
	terms []term
	fact  fact
}

// facts knows which columns are equal and what their values are.
type facts struct {
	b       *binder
	classes map[term]*class
	// apart is what conditions say of a subquery's own rows where these lie with
	// other rows, of which it isn't true.
	apart map[term]fact
}

func (f *facts) class(t term) *class {
	c := f.classes[t]
	if c == nil {
		c = &class{terms: []term{t}}
		f.classes[t] = c
	}
	return c
}

// union makes two classes one.
func (f *facts) union(a, b term) {
	x, y := f.class(a), f.class(b)
	if x == y || !compatible(columnOf(a), columnOf(b)) {
		return
	}
	x.terms = append(x.terms, y.terms...)
	x.fact = both(x.fact, y.fact)
	for _, t := range y.terms {
		f.classes[t] = x
	}
}

func columnOf(t term) sqlast.Type { return t.src.cols[t.col].typ }

// compatible says whether values that are equal in the one column are equal in
// the other, and have the same keyspace ID.
func compatible(a, b sqlast.Type) bool {
	return ColumnOf(a) == ColumnOf(b)
}

// ColumnOf says how a column stores and compares, for its vindex.
func ColumnOf(t sqlast.Type) vindex.Column {
	c := vindex.Column{NoCase: t.NoCase && t.Class == sqlast.ClassText}
	switch t.Class {
	case sqlast.ClassInt:
		c.Affinity = vindex.Integer
	case sqlast.ClassDecimal:
		c.Affinity = vindex.Numeric
		if t.Keyed() {
			c.Affinity = vindex.Exact
		}
	case sqlast.ClassDouble:
		c.Affinity = vindex.Real
	case sqlast.ClassText, sqlast.ClassJSON:
		c.Affinity = vindex.Text
	case sqlast.ClassDate, sqlast.ClassDateTime, sqlast.ClassTime:
		c.Affinity = vindex.Text
		c.Temporal, c.Fsp = temporalOf(t)
	}
	return c
}

// both keeps the sharper of two facts.
func both(a, b fact) fact {
	switch {
	case a.empty():
		return b
	case b.empty():
		return a
	}
	weak, list := a.weak || b.weak, a.list
	if list == nil {
		list = b.list
	}
	out := a
	switch {
	case a.eq == nil && (b.eq != nil || a.in == nil && b.in != nil):
		out = b
	case a.eq == nil && a.in != nil && b.in != nil && b.eq == nil:
		if len(b.in) < len(a.in) {
			a, b = b, a
			out = a
		}
		for _, list := range append(b.also[:len(b.also):len(b.also)], b.in) {
			same := func(l []Source) bool { return sameSources(l, list) }
			if !same(a.in) && !slices.ContainsFunc(out.also, same) {
				out.also = append(out.also[:len(out.also):len(out.also)], list)
			}
		}
	case a.eq == nil && a.in == nil:
		if out.lo == nil {
			out.lo = b.lo
		}
		if out.hi == nil {
			out.hi = b.hi
		}
	}
	out.weak, out.list = weak, list
	return out
}

func (f *facts) note(t term, n fact) {
	c := f.class(t)
	c.fact = both(c.fact, n)
}

// term finds what stored column a reference means, through derived tables and
// CTEs whose rows a condition from outside may reach into.
func (f *facts) term(e sqlast.Expr) (term, bool) {
	c, ok := e.(*sqlast.Col)
	if !ok {
		return term{}, false
	}
	src := f.b.sourceOf[c]
	if src == nil {
		return term{}, false
	}
	i := src.findAny(c.Name)
	if i < 0 {
		return term{}, false
	}
	if src.def != nil {
		return term{src, i}, true
	}
	if src.cols[i].col == nil || !f.b.transparent(src) || !f.b.passes(src.query.(*sqlast.Select), src.cols[i].col) {
		return term{}, false
	}
	return f.term(src.cols[i].col)
}

// constant gives the source of an expression that has no column, and no value of
// another row, in it.
func (f *facts) constant(e sqlast.Expr) (Source, bool) {
	switch e := e.(type) {
	case *sqlast.Lit:
		return Source{Arg: -1, Const: litValue(e)}, true
	case *sqlast.Param:
		return Source{Arg: e.Index}, true
	}
	if !constantExpr(e) {
		return Source{}, false
	}
	p, err := f.b.compute(e)
	if err != nil {
		return Source{}, false
	}
	return Source{Arg: p.Index}, true
}

// comparand is the constant e that column x is compared with, when values equal
// by that comparison have one keyspace ID: its collation is no coarser than the
// column's, and neither side is converted first.
func (f *facts) comparand(x sqlast.Expr, e sqlast.Expr) (Source, bool) {
	t, ok := f.term(x)
	if !ok {
		return Source{}, false
	}
	col := columnOf(t)
	text := ColumnOf(col).Affinity == vindex.Text
	class := e.Type().Class
	if l, isLit := e.(*sqlast.Lit); isLit && l.Kind == sqlast.LitBytes && col.Class != sqlast.ClassBlob {
		return Source{}, false
	}
	if text && class.Numeric() {
		return Source{}, false // compared as numbers: '5' = '05'
	}
	if c := x.(*sqlast.Col); col.Class.Numeric() && class == sqlast.ClassText && (c.Def == nil || !sqlast.Given(e)) {
		return Source{}, false // the text is cast: '5x' = 5
	}
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		if _, collates := x.(*sqlast.Collate); collates && text && !col.NoCase {
			ok = false
		}
		return ok
	})
	if !ok {
		return Source{}, false
	}
	return f.constant(e)
}

// filled says whether an outer join may fill the column that e names with NULL.
func (f *facts) filled(e sqlast.Expr) bool {
	for {
		c, ok := e.(*sqlast.Col)
		if !ok {
			return false
		}
		src := f.b.sourceOf[c]
		if src == nil || src.nullable {
			return src != nil
		}
		i := src.findAny(c.Name)
		if src.def != nil || i < 0 || src.cols[i].col == nil {
			return false
		}
		e = src.cols[i].col
	}
}

func constantExpr(e sqlast.Expr) bool {
	ok := true
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		switch x := x.(type) {
		case *sqlast.Col, *sqlast.Subquery, *sqlast.Agg, *sqlast.Window, *sqlast.Default, *sqlast.Values, *sqlast.Row, *sqlast.Raw:
			ok = false
		case *sqlast.Func:
			ok = ok && x.Name != "RAND" && x.Name != "UUID" && x.Name != "SLEEP"
		case *sqlast.In:
			ok = ok && x.Sub == nil
		}
		return ok
	})
	return ok
}

// condition takes what a conjunct says. own tells whether a term's table belongs
// to the rows that the condition is about.
func (f *facts) condition(e sqlast.Expr, weak bool, own func(*source) bool, attach func(a, b term)) {
	f.eachFact(e, func(t term, n fact) {
		if own(t.src) {
			n.weak = weak
			f.note(t, n)
		}
	}, func(a, b term) {
		switch {
		case own(a.src) && own(b.src):
			f.union(a, b)
		case own(a.src):
			attach(a, b)
		case own(b.src):
			attach(b, a)
		}
	})
}

// eachFact reads one conjunct.
func (f *facts) eachFact(e sqlast.Expr, value func(term, fact), equal func(a, b term)) {
	switch e := e.(type) {
	case *sqlast.Binary:
		f.binaryFact(e, value, equal)
	case *sqlast.In:
		f.inFact(e, value)
	case *sqlast.Between:
		t, ok := f.term(e.X)
		if !ok || e.Not {
			return
		}
		lo, ok1 := f.comparand(e.X, e.Lo)
		hi, ok2 := f.comparand(e.X, e.Hi)
		if ok1 && ok2 {
			value(t, fact{lo: &BoundSource{Source: lo, Inclusive: true}, hi: &BoundSource{Source: hi, Inclusive: true}})
		}
	case *sqlast.Is:
		if t, ok := f.term(e.X); ok && e.What == sqlast.IsNull && !e.Not && !f.filled(e.X) {
			value(t, fact{eq: &Source{Arg: -1}, null: true})
		}
	}
}

func (f *facts) binaryFact(e *sqlast.Binary, value func(term, fact), equal func(a, b term)) {
	if e.Op == sqlast.OpOr {
		f.orFact(e, value)
		return
	}
	if !e.Op.Comparison() || e.Op == sqlast.OpNe {
		return
	}
	if l, ok := e.L.(*sqlast.Row); ok {
		if r, ok := e.R.(*sqlast.Row); ok && e.Op == sqlast.OpEq && len(l.Items) == len(r.Items) {
			for i := range l.Items {
				f.eachFact(&sqlast.Binary{Op: sqlast.OpEq, L: l.Items[i], R: r.Items[i]}, value, equal)
			}
		}
		return
	}
	l, lok := f.term(e.L)
	r, rok := f.term(e.R)
	switch {
	case lok && rok:
		if e.Op == sqlast.OpEq {
			equal(l, r)
		}
	case lok && !(e.Op == sqlast.OpNullSafeEq && f.filled(e.L)):
		f.compareFact(l, e.Op, e.L, e.R, value)
	case rok && !(e.Op == sqlast.OpNullSafeEq && f.filled(e.R)):
		f.compareFact(r, mirrored(e.Op), e.R, e.L, value)
	case e.Op == sqlast.OpEq:
		f.keyExprFact(e.L, []sqlast.Expr{e.R}, value)
		f.keyExprFact(e.R, []sqlast.Expr{e.L}, value)
	}
}

func mirrored(op sqlast.Op) sqlast.Op {
	switch op {
	case sqlast.OpLt:
		return sqlast.OpGt
	case sqlast.OpLe:
		return sqlast.OpGe
	case sqlast.OpGt:
		return sqlast.OpLt
	case sqlast.OpGe:
		return sqlast.OpLe
	}
	return op
}

func (f *facts) compareFact(t term, op sqlast.Op, x, with sqlast.Expr, value func(term, fact)) {
	c, ok := f.comparand(x, with)
	if !ok {
		return
	}
	switch op {
	case sqlast.OpEq, sqlast.OpNullSafeEq:
		value(t, fact{eq: &c, null: op == sqlast.OpNullSafeEq})
	case sqlast.OpLt, sqlast.OpLe:
		value(t, fact{hi: &BoundSource{Source: c, Inclusive: op == sqlast.OpLe}})
	case sqlast.OpGt, sqlast.OpGe:
		value(t, fact{lo: &BoundSource{Source: c, Inclusive: op == sqlast.OpGe}})
	}
}

func (f *facts) inFact(e *sqlast.In, value func(term, fact)) {
	if e.Not || e.Sub != nil {
		return
	}
	if row, ok := e.X.(*sqlast.Row); ok {
		for i, x := range row.Items {
			t, ok := f.term(x)
			if !ok {
				continue
			}
			var members []sqlast.Expr
			for _, m := range e.List {
				if r, ok := m.(*sqlast.Row); ok && i < len(r.Items) {
					members = append(members, r.Items[i])
				}
			}
			if list, ok := f.constants(x, members); ok && len(list) == len(e.List) {
				value(t, fact{in: list, tuples: e})
			}
		}
		return
	}
	t, ok := f.term(e.X)
	if m, isList := e.List[0].(*sqlast.Members); isList {
		if items, known := f.b.params.lists[m.X.(*sqlast.Param).Index]; ok && known {
			value(t, fact{list: &Source{Arg: items}})
		}
		return
	}
	if !ok {
		f.keyExprFact(e.X, e.List, value)
		return
	}
	if list, ok := f.constants(e.X, e.List); ok {
		if len(list) == 1 {
			value(t, fact{eq: &list[0]})
			return
		}
		value(t, fact{in: list, inNode: e})
	}
}

func (f *facts) constants(x sqlast.Expr, es []sqlast.Expr) ([]Source, bool) {
	out := make([]Source, 0, len(es))
	for _, e := range es {
		s, ok := f.comparand(x, e)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, len(out) > 0
}

// orFact finds terms to which every branch of an OR gives values.
func (f *facts) orFact(e *sqlast.Binary, value func(term, fact)) {
	branches := disjuncts(nil, e)
	var found map[term][]Source
	null := map[term]bool{} // terms that may be NULL in some branch
	for i, br := range branches {
		here := map[term][]Source{}
		for _, c := range sqlast.Conjuncts(br) {
			f.eachFact(c, func(t term, n fact) {
				null[t] = null[t] || n.null
				switch {
				case n.eq != nil:
					here[t] = []Source{*n.eq}
				case n.in != nil && here[t] == nil:
					here[t] = n.in
				}
			}, func(a, b term) {})
		}
		if i == 0 {
			found = here
			continue
		}
		for t, list := range found {
			if more, ok := here[t]; ok {
				found[t] = append(list[:len(list):len(list)], more...)
			} else {
				delete(found, t)
			}
		}
	}
	for t, list := range found {
		value(t, fact{in: list, null: null[t]})
	}
}

func disjuncts(out []sqlast.Expr, e sqlast.Expr) []sqlast.Expr {
	if b, ok := e.(*sqlast.Binary); ok && b.Op == sqlast.OpOr {
		return disjuncts(disjuncts(out, b.L), b.R)
	}
	return append(out, e)
}

// sameSource says whether two sources give the same value in every execution.
func sameSource(a, b Source) bool {
	if a.Arg >= 0 || b.Arg >= 0 {
		return a.Arg == b.Arg
	}
	return reflect.DeepEqual(a.Const, b.Const)
}
