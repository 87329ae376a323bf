package sqlite

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// onDuplicate prints ON DUPLICATE KEY UPDATE. Without a target, SQLite's ON
// CONFLICT answers to any unique key, as MySQL's does.
func (p *printer) onDuplicate(s *sqlast.Insert) {
	if noop(s.OnDup) {
		p.onConflict(s.Table.Table, passedKey(s))
		p.s(" DO NOTHING")
		return
	}
	// Of several rows in the way MySQL updates the one that has the first of the
	// keys; without targets the engine takes an order of its own.
	targets := conflictTargets(s.Table.Table)
	if key := passedKey(s); key != nil {
		targets = []*sqlast.IndexDef{key}
	}
	for _, target := range targets {
		p.onConflict(s.Table.Table, target)
		p.s(" DO UPDATE SET ")
		p.assignments(s.OnDup, s.Table)
		if differ := p.differ(s.Changed, s.OnDup, s.Table); differ != nil {
			p.s(" WHERE ")
			p.expr(differ, 0)
		}
	}
}

// onConflict prints ON CONFLICT, of one key or, with nil, of any.
func (p *printer) onConflict(def *sqlast.TableDef, target *sqlast.IndexDef) {
	p.s(" ON CONFLICT")
	if target == nil {
		return
	}
	p.s(" (")
	for i, part := range target.Parts {
		if i > 0 {
			p.s(", ")
		}
		p.keyPart(def, target, part)
	}
	p.c(')')
}

// passedKey is the key that ON CONFLICT names; nil where it names none.
func passedKey(s *sqlast.Insert) *sqlast.IndexDef {
	if s.OnKey == nil || s.Table.Table == nil {
		return nil
	}
	return s.Table.Table.KeyOn(s.OnKey)
}

// conflictTargets lists a table's unique keys, in their order; a single nil where
// there is nothing to choose.
func conflictTargets(def *sqlast.TableDef) []*sqlast.IndexDef {
	any := []*sqlast.IndexDef{nil}
	if def == nil {
		return any
	}
	var out []*sqlast.IndexDef
	primary := def.PrimaryKey()
	for _, x := range def.Indexes {
		if x.Kind == sqlast.IndexUnique && primary != nil && containsAll(wholeColumns(x), primary.Columns()) {
			// A row in its way is in the primary key's too; and SQLite doesn't
			// find a key by a row ID in it.
			continue
		}
		if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique {
			continue
		}
		out = append(out, x)
	}
	if len(out) < 2 {
		return any
	}
	return out
}

// wholeColumns are those of an index that it has more of than a prefix.
func wholeColumns(x *sqlast.IndexDef) []string {
	var out []string
	for _, p := range x.Parts {
		if p.Column != "" && p.Length == 0 {
			out = append(out, p.Column)
		}
	}
	return out
}

// containsAll says whether all of part's names are among the columns.
func containsAll(columns, part []string) bool {
	return len(part) > 0 && !slices.ContainsFunc(part, func(name string) bool {
		return !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) })
	})
}

// differ says that one of the changed columns would get another value, as it is
// stored, whatever the column's collation takes for equal; nil when no columns
// are given.
func (p *printer) differ(changed []string, set []sqlast.Assignment, target *sqlast.TableRef) sqlast.Expr {
	if len(changed) == 0 {
		return nil
	}
	unchecked := p.unchecked
	p.unchecked = true // it is a condition beside others, in any order
	defer func() { p.unchecked = unchecked }()
	text := p.capture(func() {
		word := "("
		p.eachAssignment(set, target, func(i int, name, text string) {
			if containsName(changed, name) && !sqlast.AssignedAgain(set, i) {
				p.s(word)
				p.ident(target.Label())
				p.c('.')
				p.ident(name)
				p.s(" COLLATE BINARY IS NOT (" + text + ")")
				word = " OR "
			}
		})
		if word == "(" {
			p.s("(0") // what was assigned is what the columns have
		}
		p.c(')')
	})
	return &sqlast.Raw{Text: text}
}

func containsName(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

// checked prints a value with the condition of WITH CHECK OPTION.
func (p *printer) checked(c *sqlast.Checked, min int) {
	if p.unchecked {
		p.expr(c.X, min)
		return
	}
	p.s("check_option(")
	p.expr(c.Cond, 0)
	p.s(", ")
	p.expr(c.X, 0)
	p.s(", ")
	p.str(c.View)
	p.c(')')
}

// touched prints the value of an ON UPDATE CURRENT_TIMESTAMP column.
func (p *printer) touched(t *sqlast.Touched) {
	subst := p.subst
	p.subst = nil // it speaks of the row as it was
	p.s("CASE WHEN ")
	for i, def := range t.Defs {
		if i > 0 {
			p.s(" OR ")
		}
		p.expr(t.Olds[i], precCollate)
		p.s(" COLLATE BINARY IS NOT ")
		p.stored(def, t.News[i], precCmp)
	}
	p.s(" THEN ")
	p.expr(t.Now, 0)
	p.s(" ELSE ")
	p.expr(t.Was, 0)
	p.s(" END")
	p.subst = subst
}

// and joins two conditions, either of which may be nil.
func and(a, b sqlast.Expr) sqlast.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	out := &sqlast.Binary{Op: sqlast.OpAnd, L: a, R: b}
	return out
}

// noop recognises id = id, by which ORMs say DO NOTHING.
func noop(set []sqlast.Assignment) bool {
	for _, a := range set {
		c, ok := a.Expr.(*sqlast.Col)
		if !ok || !strings.EqualFold(c.Name, a.Col.Name) {
			return false
		}
	}
	return true
}

// assignments prints a SET list. MySQL assigns from left to right and later
// expressions see the new values; SQLite's see the old ones.
func (p *printer) assignments(set []sqlast.Assignment, target *sqlast.TableRef) {
	if !chained(set) {
		for i, a := range set {
			if i > 0 {
				p.s(", ")
			}
			p.ident(a.Col.Name)
			p.s(" = ")
			p.assigned(a, target)
		}
		return
	}
	p.eachAssignment(set, target, func(i int, name, text string) {
		if i > 0 {
			p.s(", ")
		}
		p.ident(name)
		p.s(" = ")
		p.s(text)
	})
}

// chained says whether an expression of a SET list reads a column that was
// assigned before it.
func chained(set []sqlast.Assignment) bool {
	for i := 1; i < len(set); i++ {
		if set[i].Old {
			continue
		}
		switch set[i].Expr.(type) {
		case *sqlast.Lit, *sqlast.Param, *sqlast.Values:
			continue
		}
		hit := false
		sqlast.WalkDeep(set[i].Expr, func(x sqlast.Expr) bool {
			c, ok := x.(*sqlast.Col)
			for j := 0; ok && j < i; j++ {
				hit = hit || strings.EqualFold(set[j].Col.Name, c.Name)
			}
			return !hit
		})
		if hit {
			return true
		}
	}
	return false
}

// eachAssignment hands out the SET list's columns and their expressions' texts,
// what was assigned before replaced in them.
func (p *printer) eachAssignment(set []sqlast.Assignment, target *sqlast.TableRef, f func(i int, name, text string)) {
	saved, savedTarget := p.subst, p.target
	p.target = target
	next := make(map[string]string, len(set))
	for i, a := range set {
		if p.subst = next; a.Old {
			p.subst = nil
		}
		text := p.capture(func() { p.assigned(a, target) })
		f(i, a.Col.Name, text)
		next[strings.ToLower(a.Col.Name)] = bracketed(text, a.Expr)
	}
	p.subst, p.target = saved, savedTarget
}

func bracketed(text string, e sqlast.Expr) string {
	switch e.(type) {
	case *sqlast.Lit, *sqlast.Param, *sqlast.Col, *sqlast.Values:
		return text
	}
	return "(" + text + ")"
}

// assigned prints the right side of col = x.
func (p *printer) assigned(a sqlast.Assignment, target *sqlast.TableRef) {
	def := a.Col.Def
	if def == nil && target.Table != nil {
		def = target.Table.Column(a.Col.Name)
	}
	if isDefault(a.Expr) {
		if def == nil {
			p.unsupported("DEFAULT for the column "+a.Col.Name+", which isn't known", a.Col.Pos, "")
			return
		}
		p.defaultValue(def)
		return
	}
	p.stored(def, a.Expr, 0)
}

func (p *printer) returning(items []sqlast.SelectItem) {
	if len(items) > 0 {
		p.s(" RETURNING ")
		p.items(items, false)
	}
}
