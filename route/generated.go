package route

import (
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
)

// leaveGenerated leaves out the generated columns for which all rows have DEFAULT, the
// only value that MySQL takes there. A text without column names may have values for
// all columns, as in MySQL, or for those that aren't generated, as in SQLite.
func (ib *insertBuilder) leaveGenerated() {
	if !slices.ContainsFunc(ib.src.def.Columns, func(c *sqlast.ColumnDef) bool { return c.Generated != nil }) {
		return
	}
	names := ib.ins.Columns
	if len(names) == 0 {
		for _, c := range ib.src.def.Columns {
			names = append(names, c.Name)
		}
	}
	if len(ib.ins.Rows) == 0 || slices.ContainsFunc(ib.ins.Rows, func(row []sqlast.Expr) bool { return len(row) != len(names) }) {
		return // a SELECT's, or told of later
	}
	var keep []int
	for i, name := range names {
		c := ib.src.def.Column(name)
		if c == nil || c.Generated == nil || slices.ContainsFunc(ib.ins.Rows, func(row []sqlast.Expr) bool { return !isDefault(row[i]) }) {
			keep = append(keep, i)
		}
	}
	if len(keep) == len(names) {
		return
	}
	ib.ins.Columns = picked(names, keep)
	rows := make([][]sqlast.Expr, len(ib.ins.Rows))
	for r, row := range ib.ins.Rows {
		rows[r] = picked(row, keep)
	}
	ib.ins.Rows = rows
}

// isDefault says whether a value is the keyword DEFAULT.
func isDefault(x sqlast.Expr) bool {
	d, ok := x.(*sqlast.Default)
	return ok && d.Col == nil
}

// picked gives the members at some places.
func picked[T any](list []T, at []int) []T {
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = list[k]
	}
	return out
}
