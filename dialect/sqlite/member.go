package sqlite

import "github.com/vitessdo/vitessdo/sqlast"

// memberNumber prints a column of ENUM or SET where a number is asked for: its
// member's place, its members' bits. It returns false where e is none.
func (p *printer) memberNumber(e sqlast.Expr) bool {
	c, ok := e.(*sqlast.Col)
	if !ok {
		return false
	}
	t := e.Type()
	if c.Def != nil {
		t = &c.Def.Type
	}
	switch t.Name {
	case "ENUM":
		p.s("enum_key(")
	case "SET":
		p.s("set_key(")
	default:
		return false
	}
	p.expr(e, 0)
	for _, v := range t.Values {
		p.s(", ")
		p.str(v)
	}
	p.c(')')
	return true
}

// asBlob prints text for a comparison with bytes, of which SQLite holds none
// for equal to text. It returns false where e is bytes already.
func (p *printer) asBlob(e sqlast.Expr, c sqlast.Class) bool {
	if l, ok := e.(*sqlast.Lit); ok {
		if l.Kind == sqlast.LitString {
			p.blob(l.Text)
		}
		return l.Kind == sqlast.LitString
	}
	_, isParam := e.(*sqlast.Param)
	if c != sqlast.ClassText && !isParam {
		return false
	}
	p.s("CAST(")
	p.expr(e, 0)
	p.s(" AS BLOB)")
	return true
}

// isBytes: x'..' is text where it meets text.
func isBytes(e sqlast.Expr) bool {
	l, ok := e.(*sqlast.Lit)
	return ok && l.Kind == sqlast.LitBytes
}
