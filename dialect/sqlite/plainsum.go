package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// maxPlainSum is up to how many digits a DECIMAL is summed as a whole number: nine
// million of the largest of 12 digits fit into 64 bits, and more are an error.
const maxPlainSum = 12

// plainSum prints the sum of a column of DECIMALs exactly and with SQLite's own
// functions: without the point they are whole numbers. Where a number doesn't keep the
// sum, it is text. It returns false for other sums.
func (p *printer) plainSum(e *sqlast.Agg) bool {
	c, ok := e.Args[0].(*sqlast.Col)
	if !ok || e.Name != "SUM" || e.Distinct || c.Def == nil {
		return false
	}
	t := &c.Def.Type
	if t.Class != sqlast.ClassDecimal || t.Keyed() || t.Size <= 0 || t.Size > maxPlainSum {
		return false
	}
	scale := max(t.Scale, 0)
	unit := "1" + strings.Repeat("0", scale)
	sum := p.capture(func() {
		p.s("sum(CAST(round(")
		p.col(c)
		p.s(" * " + unit + ") AS INTEGER))")
	})
	if scale == 0 {
		p.s(sum)
		return true
	}
	// The engine computes an aggregate once, however often it stands there.
	p.s("CASE WHEN abs(" + sum + ") < 1000000000000000 THEN " + sum + " / " + unit + ".0 ELSE CASE WHEN " + sum + " < 0 THEN '-' ELSE '' END || (abs(" +
		sum + ") / " + unit + ") || '.' || substr('" + strings.Repeat("0", scale) + "' || (abs(" + sum + ") % " + unit + "), -")
	p.int(scale)
	p.s(") END")
	return true
}
