package route

import (
	"math"
	"strconv"

	"github.com/vitessdo/vitessdo/sqlast"
)

// paramSet collects what a plan binds.
type paramSet struct {
	p Params
	// shared: an argument may stand in several places (named parameters), so
	// that it must not be coerced in place.
	shared bool
	seen   map[string]int // session values already computed
	late   map[int]bool   // parameters that steps give
	lists  map[int]int    // of those the lists, with the parameter that destinations read
}

func newParamSet(user int) *paramSet {
	return &paramSet{p: Params{User: user}, seen: map[string]int{}}
}

// list appends the parameters of a step that gives a list: its members, and the
// same for destinations.
func (ps *paramSet) list(s Step, t sqlast.Type) *sqlast.Members {
	items := ps.add(Computed{Kind: ComputedConst}, sqlast.TypeOf(sqlast.ClassUnknown))
	s.Query.Items = items.Index
	m := &sqlast.Members{X: ps.step(s, sqlast.TypeOf(sqlast.ClassText))}
	m.T = t
	if ps.lists == nil {
		ps.lists = map[int]int{}
	}
	ps.lists[m.X.(*sqlast.Param).Index] = items.Index
	return m
}

// add appends a computed parameter and returns its node.
func (ps *paramSet) add(c Computed, t sqlast.Type) *sqlast.Param {
	ps.p.Computed = append(ps.p.Computed, c)
	p := &sqlast.Param{Index: ps.p.User + len(ps.p.Computed) - 1}
	p.T = t
	return p
}

// once is add for values that are the same all through the statement.
func (ps *paramSet) once(key string, c Computed, t sqlast.Type) *sqlast.Param {
	if i, ok := ps.seen[key]; ok {
		p := &sqlast.Param{Index: i}
		p.T = t
		return p
	}
	p := ps.add(c, t)
	ps.seen[key] = p.Index
	return p
}

// meet brings a parameter into the form of the temporal type that it is
// compared with or stored as. One that stands for a literal has the literal's
// type already, and keeps it otherwise.
func (ps *paramSet) meet(p *sqlast.Param, t sqlast.Type) {
	known := p.T.Class != sqlast.ClassUnknown
	if t.Class == sqlast.ClassBlob && (!known || p.T.Class == sqlast.ClassText) && p.Index < ps.p.User && !ps.shared {
		p.T = sqlast.TypeOf(sqlast.ClassBlob)
		ps.p.Coerce = append(ps.p.Coerce, Coercion{Arg: p.Index, Type: p.T})
		return
	}
	ps.asText(p, t)
	if !known && p.Index < ps.p.User && (t.Class == sqlast.ClassInt || t.Class == sqlast.ClassDecimal && !t.Keyed()) {
		ps.p.Exact = append(ps.p.Exact, p.Index)
	}
	if p.Index < ps.p.User && t.Class.Numeric() && !t.Keyed() && (!known || p.T.Class == sqlast.ClassText) && !ps.shared {
		ps.p.Numbers = append(ps.p.Numbers, p.Index)
	}
	if !known && p.Index < ps.p.User && t.Keyed() {
		ps.p.Long = append(ps.p.Long, p.Index)
	}
	if !known && p.Index < ps.p.User && t.Class == sqlast.ClassText {
		ps.p.Texts = append(ps.p.Texts, p.Index)
	}
	if known && !t.Class.Temporal() || p.T.Class.Temporal() || p.Index >= ps.p.User {
		return
	}
	p.T = t
	if !t.Class.Temporal() {
		return
	}
	if ps.shared {
		ps.p.Computed = append(ps.p.Computed, Computed{Kind: ComputedCoerced, Arg: p.Index, Type: t})
		p.Index = ps.p.User + len(ps.p.Computed) - 1
		return
	}
	ps.p.Coerce = append(ps.p.Coerce, Coercion{Arg: p.Index, Type: t})
}

// keep has the gate bring an argument into the form of the column that it becomes
// the value of: cheaper than on the shard, for each row. The parameter gets the
// column's type, by which the printer knows it.
func (ps *paramSet) keep(p *sqlast.Param, def *sqlast.ColumnDef) {
	if ps.shared || p.Index >= ps.p.User || def.Type.Class.Temporal() || def.Type.Class == sqlast.ClassJSON || def.Type.Name == "" {
		return
	}
	ps.p.Coerce = append(ps.p.Coerce, Coercion{Arg: p.Index, Type: def.Type, Store: true, Column: def})
	p.T = def.Type
	p.T.NotNull = false
}

// asText notes a parameter that meets text or numbers.
func (ps *paramSet) asText(p *sqlast.Param, t sqlast.Type) {
	if p.T.Class != sqlast.ClassUnknown || p.Index >= ps.p.User {
		return
	}
	if t.Keyed() {
		return // bytes may be a key
	}
	switch t.Class {
	case sqlast.ClassText, sqlast.ClassJSON, sqlast.ClassInt, sqlast.ClassDecimal, sqlast.ClassDouble:
		ps.p.Text = append(ps.p.Text, p.Index)
	}
}

// exactDigits is up to how many digits a REAL keeps all of a number's.
const exactDigits = 15

// litValue is a literal as the engine would read it; a number of more digits than
// the engine keeps is text.
func litValue(l *sqlast.Lit) any {
	switch l.Kind {
	case sqlast.LitNull:
		return nil
	case sqlast.LitTrue:
		return int64(1)
	case sqlast.LitFalse:
		return int64(0)
	case sqlast.LitInt:
		if n, err := strconv.ParseInt(l.Text, 10, 64); err == nil {
			return n
		}
		return l.Text
	case sqlast.LitDecimal, sqlast.LitFloat:
		if whole, scale := sqlast.LitDigits(l.Text); whole+scale > exactDigits && l.Kind == sqlast.LitDecimal {
			return l.Text
		}
		f, err := strconv.ParseFloat(l.Text, 64)
		if err != nil && !math.IsInf(f, 0) {
			return l.Text
		}
		return f
	case sqlast.LitBytes:
		if l.T.Class == sqlast.ClassText {
			return l.Text
		}
		return []byte(l.Text)
	}
	return l.Text
}

func smallInt(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil
}

func itoa(n int) string { return strconv.Itoa(n) }

// compute makes a parameter of an expression that only parameters and literals
// stand in; the gate evaluates it once.
func (b *binder) compute(e sqlast.Expr) (*sqlast.Param, error) {
	text, err := b.env.Printer.Expr(e)
	if err != nil {
		return nil, err
	}
	if b.params.isLate(e) {
		return b.params.step(Step{SQL: text}, *e.Type()), nil
	}
	return b.params.once("expr:"+text, Computed{Kind: ComputedExpr, SQL: text}, *e.Type()), nil
}
