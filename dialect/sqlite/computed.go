package sqlite

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// KeyPart implements [dialect.Printer].
func (pr Printer) KeyPart(def *sqlast.TableDef, x *sqlast.IndexDef, i int) (string, error) {
	p := get()
	defer p.put()
	p.keyPart(def, x, x.Parts[i])
	text, err := p.text()
	if err == nil && pr.Plain != nil {
		text, err = pr.Plain.without(text, pr.constant)
	}
	return text.String(), err
}

// Computed implements [dialect.Printer]. The parameters get the affinities and
// collations of their columns, as comparisons in the expressions go by them; a
// generated column that another one names stands in a query around the columns
// that it is made of.
func (Printer) Computed(def *sqlast.TableDef, given []string, parts []sqlast.IndexPart) (string, error) {
	p := get()
	defer p.put()
	p.s("SELECT ")
	var needed []*sqlast.ColumnDef // generated, each behind those that it names
	for i, part := range parts {
		if i > 0 {
			p.s(", ")
		}
		if part.Column == "" {
			p.indexed(def.Resolved(part.Expr))
			needed = generatedIn(needed, def, part.Expr)
			continue
		}
		c := def.Column(part.Column)
		p.generated(def, c)
		needed = generatedIn(needed, def, c.Generated)
	}
	for _, c := range slices.Backward(needed) {
		p.s(" FROM (SELECT *, CAST(")
		p.generated(def, c)
		p.asColumn(c)
	}
	p.s(" FROM (SELECT ")
	for i, name := range given {
		if i > 0 {
			p.s(", ")
		}
		p.s("CAST(?")
		p.int(i + 1)
		p.asColumn(def.Column(name))
	}
	p.s(strings.Repeat(")", len(needed)+1))
	return string(p.buf), p.err
}

// asColumn prints the end of a CAST to what a column keeps, under its name.
func (p *printer) asColumn(c *sqlast.ColumnDef) {
	p.s(" AS " + affinity(&c.Type) + ")")
	if collated(&c.Type) {
		p.s(" COLLATE NOCASE")
	}
	p.s(" AS ")
	p.ident(c.Name)
}

// generatedIn adds the generated columns that an expression names.
func generatedIn(list []*sqlast.ColumnDef, def *sqlast.TableDef, e sqlast.Expr) []*sqlast.ColumnDef {
	sqlast.Walk(e, func(e sqlast.Expr) bool {
		if ref, ok := e.(*sqlast.Col); ok {
			if c := def.Column(ref.Name); c != nil && c.Generated != nil && !slices.Contains(list, c) {
				list = append(generatedIn(list, def, c.Generated), c)
			}
		}
		return true
	})
	return list
}

// FoldsCase says whether the values of an expression of a table's definition, as a
// key has them, compare without regard to case: all columns that they are text of
// do, unless it says a collation.
func FoldsCase(def *sqlast.TableDef, e sqlast.Expr) bool { return folds(def.Resolved(e)) }

func folds(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Col, *sqlast.Collate:
		return noCase(e)
	case *sqlast.Cast:
		return castClass(e.To) == sqlast.ClassText && folds(e.X)
	case *sqlast.Binary:
		return e.Op == sqlast.OpConcat && allFold(e.L, e.R)
	case *sqlast.Case:
		values := []sqlast.Expr{e.Else}
		for _, w := range e.Whens {
			values = append(values, w.Then)
		}
		return allFold(values...)
	case *sqlast.Func:
		switch e.Name {
		case "IF":
			return allFold(e.Args[min(1, len(e.Args)):]...)
		case "IFNULL", "COALESCE", "GREATEST", "LEAST":
			return allFold(e.Args...)
		case "NULLIF":
			return allFold(e.Args[:min(1, len(e.Args))]...)
		}
		return allFold(e.TextArgs()...)
	}
	return false
}

// allFold says whether all texts among the expressions, literals aside, fold case.
func allFold(xs ...sqlast.Expr) bool {
	some := false
	for _, x := range xs {
		if x == nil || weak(x) || !textual(x) {
			continue
		}
		if c, ok := x.(*sqlast.Collate); ok {
			return noCase(c)
		}
		if !folds(x) {
			return false
		}
		some = true
	}
	return some
}
