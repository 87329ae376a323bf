package dialect

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

// Complete writes the MySQL texts of a definition's expressions, by which the catalog
// keeps them, where the front end of another dialect has left them out.
func Complete(stmt sqlast.Stmt) error {
	c := &completer{}
	switch s := stmt.(type) {
	case *sqlast.CreateTable:
		c.table(s)
	case *sqlast.AlterTable:
		for i := range s.Specs {
			c.spec(&s.Specs[i])
		}
	case *sqlast.CreateIndex:
		c.index(s.Index)
	case *sqlast.CreateView:
		if s.QueryText == "" {
			s.QueryText, c.err = QuerySource(s.Query)
		}
	}
	return c.err
}

type completer struct{ err error }

// text fills in a text; a bracketed one where MySQL's grammar wants brackets.
func (c *completer) text(e sqlast.Expr, to *string, brackets bool) {
	if e == nil || *to != "" {
		return
	}
	text, err := ExprSource(e)
	if err != nil && c.err == nil {
		c.err = err
	}
	if brackets {
		text = "(" + text + ")"
	}
	*to = text
}

func (c *completer) table(s *sqlast.CreateTable) {
	for _, col := range s.Def.Columns {
		c.column(col)
	}
	for _, x := range s.Def.Indexes {
		c.index(x)
	}
	for _, k := range s.Def.Checks {
		c.text(k.Expr, &k.Text, false)
	}
	if s.Query != nil && s.QueryText == "" {
		s.QueryText, c.err = QuerySource(s.Query)
	}
}

func (c *completer) column(col *sqlast.ColumnDef) {
	c.text(col.Generated, &col.GeneratedText, false)
	c.text(col.Default, &col.DefaultText, !plainDefault(col.Default))
}

// plainDefault says whether a default needs no brackets in MySQL.
func plainDefault(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Lit:
		return true
	case *sqlast.Unary:
		_, lit := e.X.(*sqlast.Lit)
		return lit && e.Op == sqlast.OpNeg
	case *sqlast.Func:
		return e.Name == "CURRENT_TIMESTAMP"
	}
	return false
}

func (c *completer) index(x *sqlast.IndexDef) {
	for i := range x.Parts {
		c.text(x.Parts[i].Expr, &x.Parts[i].ExprText, false)
	}
}

func (c *completer) spec(s *sqlast.AlterSpec) {
	if s.Column != nil {
		c.column(s.Column)
	}
	if s.Index != nil {
		c.index(s.Index)
	}
	if s.Check != nil {
		c.text(s.Check.Expr, &s.Check.Text, false)
	}
}
