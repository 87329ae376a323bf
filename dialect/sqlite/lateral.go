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
