package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Derived computes columns of a row that are made of its others. Query, of the
// gate's engine, takes the values that stand in the row at From, and gives one
// row of those that belong at To, in the columns Columns.
type Derived struct {
	Query   string
	From    []int
	To      []int
	Columns []*sqlast.ColumnDef
	// Err says what can't be printed, and so not be computed.
	Err error
}

// derived plans the computation of parts of a table's keys. at gives the place of
// a column in the row.
func derived(print dialect.Printer, def *sqlast.TableDef, parts []sqlast.IndexPart, columns []*sqlast.ColumnDef, to []int, at func(name string) int) *Derived {
	d := &Derived{To: to, Columns: columns}
	var given []string
	for _, name := range def.GivenByKey(&sqlast.IndexDef{Parts: parts}) {
		if !containsFold(given, name) {
			given = append(given, name)
			d.From = append(d.From, at(name))
		}
	}
	d.Query, d.Err = print.Computed(def, given, parts)
	return d
}

// derive says how the columns that are derived come from the others, which are
// taken in where effects are not about them.
func (l *effectList) derive(print dialect.Printer) {
	var parts []sqlast.IndexPart
	var columns []*sqlast.ColumnDef
	var to []int
	for i, c := range l.out.Columns {
		if c.Generated != nil {
			parts, columns, to = append(parts, l.made[i]), append(columns, c), append(to, i)
		}
	}
	if len(parts) > 0 {
		l.out.Derived = derived(print, l.src.def, parts, columns, to, l.column)
	}
}

// take adds a column, which a part is for.
func (l *effectList) take(c *sqlast.ColumnDef, made sqlast.IndexPart) int {
	l.out.Columns, l.made = append(l.out.Columns, c), append(l.made, made)
	return len(l.out.Columns) - 1
}

// part gives the ordinal of what a key is on: a column, or an expression, whose
// values are of the type that the key's hidden table keeps.
func (l *effectList) part(part sqlast.IndexPart, t sqlast.Type) int {
	if part.Column != "" {
		return l.column(part.Column)
	}
	i := slices.IndexFunc(l.made, func(p sqlast.IndexPart) bool { return p.Column == "" && p.ExprText == part.ExprText })
	if i >= 0 {
		return i
	}
	t.NotNull = false
	return l.take(&sqlast.ColumnDef{Type: t, Generated: part.Expr}, part)
}
