package postgres

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// numberForm is a form of to_char's for numbers.
type numberForm struct {
	fill   bool // no FM: blanks fill it up
	commas bool
	whole  int // digits before the point
	least  int // of those, how many are written though they are leading zeros
	behind int // digits behind the point
	width  int // of all, without the sign
}

// numberFormOf reads a form: FM, digits 9 and 0, commas or G, a point or D.
func (c *conv) numberFormOf(form string, at int) numberForm {
	f := numberForm{fill: true}
	rest, fm := strings.CutPrefix(strings.ToUpper(form), "FM")
	f.fill = !fm
	point, nines := false, false
	digits := ""
	for _, r := range rest {
		switch {
		case r == '9' || r == '0':
			if point {
				f.behind++
				nines = nines || r == '9'
			} else {
				f.whole++
				if r == '0' || f.least > 0 {
					f.least++
				}
			}
			digits += "d"
		case (r == ',' || r == 'G') && !point:
			f.commas = true
			digits += ","
		case (r == '.' || r == 'D') && !point:
			point = true
			digits += "."
		default:
			c.refuse(at, "the form "+form+" of numbers", "9, 0, a comma or G, a point or D, and FM before them can be had")
		}
		f.width++
	}
	before, _, _ := strings.Cut(digits, ".")
	groups := strings.Split(before, ",")
	for i, g := range groups {
		if f.commas && (i > 0 && len(g) != 3 || i == 0 && (g == "" || len(g) > 3)) {
			c.refuse(at, "the form "+form+" of numbers", "let commas stand before each three digits")
		}
	}
	switch {
	case f.whole == 0 || point && f.behind == 0:
		c.refuse(at, "the form "+form+" of numbers", "let digits stand on both sides of a point")
	case fm && nines:
		c.refuse(at, "the form "+form+" of numbers, whose last zeros are left out", "write 0 behind the point")
	case f.commas && f.least > 1:
		c.refuse(at, "the form "+form+" of numbers", "let no more than the last digit before the point be 0 where there are commas")
	}
	return f
}

// formatted is to_char of a number.
func (c *conv) formatted(x sqlast.Expr, form string, at int) sqlast.Expr {
	f := c.numberFormOf(form, at)
	c.repeats = true
	again := func() sqlast.Expr { return sqlast.CloneExpr(x) }
	rounded := front.Call("ROUND", again(), front.Int(f.behind))
	var body sqlast.Expr = front.Call("FORMAT", front.Call("ABS", again()), front.Int(f.behind))
	if !f.commas {
		body = front.Call("REPLACE", body, front.Text(","), front.Text(""))
	}
	if f.least == 0 && f.behind > 0 { // no zero before the point
		body = front.When(&sqlast.Like{X: body, Pattern: front.Text("0.%")}, front.Call("SUBSTRING", sqlast.CloneExpr(body), front.Int(2)), sqlast.CloneExpr(body))
	}
	if least := f.least + f.behind + min(f.behind, 1); f.least > 1 {
		body = front.Call("LPAD", body, front.Int(least), front.Text("0"))
		body = front.When(front.Op(sqlast.OpGe, front.Call("ABS", again()), &sqlast.Lit{Kind: sqlast.LitInt, Text: "1" + strings.Repeat("0", f.least)}),
			front.Call("REPLACE", front.Call("FORMAT", front.Call("ABS", again()), front.Int(f.behind)), front.Text(","), front.Text("")), body)
	}
	positive := ""
	if f.fill {
		positive = " "
	}
	sign := front.When(front.Op(sqlast.OpLt, rounded, front.Int(0)), front.Text("-"), front.Text(positive))
	var out sqlast.Expr = front.Call("CONCAT", sign, body)
	if f.fill {
		out = front.Call("LPAD", out, front.Int(f.width+1), front.Text(" "))
	}
	limit := &sqlast.Lit{Kind: sqlast.LitInt, Text: "1" + strings.Repeat("0", f.whole)}
	if f.whole > 17 {
		return out
	}
	hashes := strings.NewReplacer("9", "#", "0", "#", "G", ",", "D", ".").Replace(strings.TrimPrefix(strings.ToUpper(form), "FM"))
	over := front.Op(sqlast.OpGe, front.Call("ABS", sqlast.CloneExpr(rounded)), limit)
	small := front.Op(sqlast.OpLt, again(), front.Int(0))
	return front.When(over, front.Call("CONCAT", front.When(small, front.Text("-"), front.Text(positive)), front.Text(hashes)), out)
}
