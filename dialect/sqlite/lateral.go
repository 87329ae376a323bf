package sqlite

import (
	"strconv"

	"github.com/vitessdo/vitessdo/sqlast"
)

// lateral prints a lateral derived table. SQLite's derived tables see nothing of
// the tables beside them, but the arguments of a table-valued function do: the
// rows are packed by a correlated subquery, and unpacked as columns c0, c1, ….
func (p *printer) lateral(t *sqlast.Derived) {
	p.s(`lateral_rows((WITH "_l"(`)
	n := width(t.Query)
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		p.s("c" + strconv.Itoa(i))
	}
	p.s(") AS (")
	p.query(t.Query)
	p.s(") SELECT pack_rows(")
	for i := range n {
		if i > 0 {
			p.s(", ")
		}
		p.s("c" + strconv.Itoa(i))
	}
	p.s(`) FROM "_l")) AS `)
	p.ident(t.Alias)
}

// beginsLateral says whether a join that j has on its right, and no condition for,
// must be printed without brackets: its first table is lateral, and sees nothing out
// of brackets. SQLite joins from left to right then, which comes to the same, as long
// as no rows of j's left side are filled up with NULLs for what is on the right.
func beginsLateral(j, r *sqlast.Join) bool {
	if j.Kind == sqlast.JoinLeft || j.Kind == sqlast.JoinRight || j.Kind == sqlast.JoinFull || j.On != nil || len(j.Using) > 0 || j.Natural {
		return false
	}
	for {
		if r.Kind == sqlast.JoinRight || r.Kind == sqlast.JoinFull || len(r.Using) > 0 || r.Natural {
			return false
		}
		switch l := r.L.(type) {
		case *sqlast.Join:
			r = l
		case *sqlast.Derived:
			return l.Lateral || l.JSON != nil
		default:
			return false
		}
	}
}

// width is the number of a query's columns.
func width(q sqlast.Query) int {
	switch q := q.(type) {
	case *sqlast.SetOp:
		return width(q.L)
	case *sqlast.Select:
		if q.ValuesRows != nil {
			return len(q.ValuesRows[0])
		}
		return len(q.Items)
	}
	return 0
}
