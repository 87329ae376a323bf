package sqlite

import "github.com/vitessdo/vitessdo/sqlast"

func (p *printer) join(j *sqlast.Join) {
	p.nullExtended(j.Kind == sqlast.JoinRight || j.Kind == sqlast.JoinFull, func() { p.from(j.L) })
	p.joinWord(j)
	p.nullExtended(j.Kind != sqlast.JoinInner && j.Kind != sqlast.JoinCross, func() { p.joined(j) })
}

// nullExtended prints, with f, what may come to stand on the side of an outer
// join that NULLs stand in for: its ON clause, and queries that SQLite may merge
// into it.
func (p *printer) nullExtended(is bool, f func()) {
	was := p.outer
	p.outer = was || is
	f()
	p.outer = was
}

// joined prints a join's right side and its condition.
func (p *printer) joined(j *sqlast.Join) {
	r, ok := j.R.(*sqlast.Join)
	switch {
	case ok && beginsLateral(j, r):
		p.join(r)
	case ok:
		p.c('(')
		p.join(r)
		p.c(')')
	default:
		p.from(j.R)
	}
	switch {
	case j.On != nil:
		p.s(" ON ")
		p.truth(j.On, 0)
	case len(j.Using) > 0:
		p.s(" USING (")
		p.idents(j.Using)
		p.c(')')
	}
}

// joinWord: SQLite's CROSS JOIN is STRAIGHT_JOIN, it fixes the order.
func (p *printer) joinWord(j *sqlast.Join) {
	if j.Natural {
		p.s(" NATURAL")
	}
	switch {
	case j.Kind == sqlast.JoinLeft:
		p.s(" LEFT JOIN ")
	case j.Kind == sqlast.JoinRight:
		p.s(" RIGHT JOIN ")
	case j.Kind == sqlast.JoinFull:
		p.s(" FULL JOIN ")
	case j.Straight && !j.Natural:
		p.s(" CROSS JOIN ")
	case j.Kind == sqlast.JoinCross && j.On == nil && len(j.Using) == 0 && !j.Natural:
		p.s(", ")
	default:
		p.s(" JOIN ")
	}
}
