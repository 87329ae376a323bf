package sqlite

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *printer) insert(s *sqlast.Insert) {
	switch {
	case s.Replace:
		p.s("INSERT OR REPLACE INTO ")
	case s.Ignore && len(s.OnDup) == 0:
		p.s("INSERT OR IGNORE INTO ") // passes over violated CHECKs, too
	default:
		p.s("INSERT INTO ")
	}
	p.table(s.Table)
	conflict := len(s.OnDup) > 0
	if s.Query != nil {
		p.columnList(s.Columns)
		p.c(' ')
		p.insertQuery(p.storable(s.Query, columnDefs(s)), conflict || s.Pass)
	} else {
		p.insertRows(s)
	}
	switch {
	case conflict:
		p.onDuplicate(s)
	case s.Pass:
		p.onConflict(s.Table.Table, passedKey(s))
		p.s(" DO NOTHING")
	}
	p.returning(s.Returning)
}

func (p *printer) columnList(cols []string) {
	if len(cols) == 0 {
		return
	}
	p.s(" (")
	p.idents(cols)
	p.c(')')
}

// storable is q with the items of its select list in the form that the columns
// keep.
func (p *printer) storable(q sqlast.Query, defs []*sqlast.ColumnDef) sqlast.Query {
	sel, ok := q.(*sqlast.Select)
	if !ok || len(sel.Items) != len(defs) || sel.Distinct {
		return p.storableRows(q, defs)
	}
	var out *sqlast.Select
	for i, def := range defs {
		x := sel.Items[i].Expr
		if x == nil || def == nil || !def.Type.Class.Temporal() && fits(&def.Type, x) && !def.Type.Keyed() && !keyed(x) {
			continue
		}
		if out == nil {
			c := *sel
			c.Items = slices.Clone(sel.Items)
			out = &c
		}
		out.Items[i].Expr = &sqlast.Raw{Text: p.capture(func() { p.stored(def, x, 0) })}
	}
	if out == nil {
		return q
	}
	return out
}

// storableRows is storable for a query whose rows are made before they can be
// brought into another form, where columns or values have keys.
func (p *printer) storableRows(q sqlast.Query, defs []*sqlast.ColumnDef) sqlast.Query {
	keys := false
	for i, def := range defs {
		keys = keys || def != nil && def.Type.Keyed() || keyedItem(q, i)
	}
	if !keys {
		return q
	}
	rows := &sqlast.Derived{Query: q, Alias: "_q"}
	out := &sqlast.Select{From: rows}
	for i, def := range defs {
		c := &sqlast.Col{Table: "_q", Name: "_c" + strconv.Itoa(i)}
		if keyedItem(q, i) {
			c.T = *asKey(nil).Type()
		}
		rows.Columns = append(rows.Columns, c.Name)
		out.Items = append(out.Items, sqlast.SelectItem{Expr: &sqlast.Raw{Text: p.capture(func() { p.stored(def, c, 0) })}})
	}
	return out
}

// insertQuery prints the query of INSERT … SELECT. Before an ON CONFLICT it
// must have a WHERE, else the parser takes ON for a join's.
func (p *printer) insertQuery(q sqlast.Query, conflict bool) {
	sel, ok := q.(*sqlast.Select)
	switch {
	case !conflict:
		p.query(q)
	case ok && sel.ValuesRows == nil:
		p.selectStmt(sel, true)
	default:
		p.s("SELECT * FROM (")
		p.query(q)
		p.s(") WHERE true")
	}
}

func (p *printer) insertRows(s *sqlast.Insert) {
	cols, defs := s.Columns, columnDefs(s)
	if len(cols) == 0 && (len(s.Rows) == 0 || len(s.Rows[0]) == 0) {
		p.defaultRows(s)
		return
	}
	keep := make([]bool, max(len(cols), len(s.Rows[0])))
	dropped := false
	for i := range keep {
		keep[i] = !allDefault(s.Rows, i)
		dropped = dropped || !keep[i]
	}
	if dropped && len(cols) == 0 {
		cols = definedColumns(s.Table)
	}
	if dropped && !p.keepSome(s, cols, keep) {
		return
	}
	if !dropped {
		p.columnList(cols)
	}
	p.s(" VALUES ")
	for i, row := range s.Rows {
		if i > 0 {
			p.s(", ")
		}
		p.c('(')
		sep := ""
		for j, x := range row {
			if j < len(keep) && !keep[j] {
				continue
			}
			p.s(sep)
			sep = ", "
			var def *sqlast.ColumnDef
			if j < len(defs) {
				def = defs[j]
			}
			p.inserted(def, x)
		}
		p.c(')')
	}
}

// keepSome prints the column list without those that get their default in every
// row; SQLite has no DEFAULT in VALUES. It returns false if that leaves none.
func (p *printer) keepSome(s *sqlast.Insert, cols []string, keep []bool) bool {
	var left []string
	for i, k := range keep {
		if k && i < len(cols) {
			left = append(left, cols[i])
		}
	}
	if len(cols) < len(keep) {
		p.unsupported("DEFAULT in the values of a table that isn't known", s.Table.Pos, "")
		return false
	}
	if len(left) == 0 {
		p.defaultRows(s)
		return false
	}
	p.columnList(left)
	return true
}

// defaultRows prints rows that consist of defaults only.
func (p *printer) defaultRows(s *sqlast.Insert) {
	if len(s.Rows) <= 1 {
		p.s(" DEFAULT VALUES")
		return
	}
	if s.Table.Table == nil || len(s.Table.Table.Columns) == 0 {
		p.unsupported("several rows of defaults for a table that isn't known", s.Table.Pos, "")
		return
	}
	def := s.Table.Table.Columns[0]
	p.columnList([]string{def.Name})
	p.s(" VALUES ")
	for i := range s.Rows {
		if i > 0 {
			p.s(", ")
		}
		p.c('(')
		p.defaultValue(def)
		p.c(')')
	}
}

func allDefault(rows [][]sqlast.Expr, i int) bool {
	for _, r := range rows {
		if i >= len(r) || !isDefault(r[i]) {
			return false
		}
	}
	return true
}

func isDefault(e sqlast.Expr) bool {
	d, ok := e.(*sqlast.Default)
	return ok && d.Col == nil
}

func definedColumns(t *sqlast.TableRef) []string {
	if t.Table == nil {
		return nil
	}
	names := make([]string, len(t.Table.Columns))
	for i, c := range t.Table.Columns {
		names[i] = c.Name
	}
	return names
}

// columnDefs gives the definitions of the columns that are inserted into, or
// nil for a table that isn't known.
func columnDefs(s *sqlast.Insert) []*sqlast.ColumnDef {
	t := s.Table.Table
	if t == nil {
		return nil
	}
	if len(s.Columns) == 0 {
		return t.Columns
	}
	defs := make([]*sqlast.ColumnDef, len(s.Columns))
	for i, c := range s.Columns {
		defs[i] = t.Column(c)
	}
	return defs
}

// inserted prints a value of VALUES.
func (p *printer) inserted(def *sqlast.ColumnDef, x sqlast.Expr) {
	if isDefault(x) {
		if def == nil {
			p.unsupported("DEFAULT for a column that isn't known", -1, "")
			return
		}
		p.defaultValue(def)
		return
	}
	if def != nil && def.AutoInc {
		if n, ok := intLit(x); ok && n == 0 {
			p.s("NULL") // 0 asks for the next value in MySQL
			return
		}
	}
	p.stored(def, x, 0)
}

// stored prints a value that goes into a column: dates in the column's spelling,
// x'..' as what the column holds, and through a function that checks it what may
// not fit. def may be nil.
func (p *printer) stored(def *sqlast.ColumnDef, x sqlast.Expr, min int) {
	if l, ok := x.(*sqlast.Lit); ok && def != nil && def.Type.Filled() && (l.Kind == sqlast.LitBytes || l.Kind == sqlast.LitString) && len(l.Text) <= def.Type.Size {
		p.blob(l.Text + strings.Repeat("\x00", def.Type.Size-len(l.Text)))
		return
	}
	if l, ok := x.(*sqlast.Lit); ok && l.Kind == sqlast.LitBytes {
		c := l.Type().Class
		if def != nil {
			c = def.Type.Class
		}
		p.bytesAs(l, c)
		return
	}
	if l, ok := x.(*sqlast.Lit); ok && l.Kind == sqlast.LitString && def != nil && def.Type.Class == sqlast.ClassBlob &&
		(def.Type.Size < 0 || len(l.Text) <= def.Type.Size) {
		p.blob(l.Text)
		return
	}
	if _, ok := wide(x); ok && def != nil && def.Type.Class == sqlast.ClassText && p.decimalText(x) {
		return
	}
	if def == nil || def.Type.Class != sqlast.ClassDate && def.Type.Class != sqlast.ClassDateTime {
		fit := func() {
			switch {
			case def == nil || fits(&def.Type, x) && !def.Type.Keyed():
				p.expr(x, min)
			case fits(&def.Type, x):
				p.keptKey(x, min)
			default:
				p.fit(def, x, min)
			}
		}
		if def != nil && def.Type.Class == sqlast.ClassDouble {
			p.approximately(fit)
		} else {
			fit()
		}
		return
	}
	fsp := -1
	if def.Type.Class == sqlast.ClassDateTime {
		fsp = max(def.Type.Scale, 0)
	}
	if l, ok := x.(*sqlast.Lit); ok && (l.Kind == sqlast.LitString || class(l).Temporal()) && isDate(l.Text) {
		p.str(storeDate(l.Text, fsp))
		return
	}
	if spelt(x, fsp) {
		p.expr(x, min)
		return
	}
	p.s("store_datetime(")
	p.expr(x, 0)
	p.s(", ")
	p.int(fsp)
	p.c(')')
}

// spelt says whether x's values are spelt as a column with fsp digits has them.
func spelt(x sqlast.Expr, fsp int) bool {
	if l, ok := x.(*sqlast.Lit); ok {
		return l.Kind == sqlast.LitNull
	}
	own, ok := fspOf(x)
	if !ok {
		return false
	}
	if _, isParam := x.(*sqlast.Param); isParam {
		return true
	}
	return own == fsp
}

// isDate says whether s is a date of the calendar, with a time behind it or none.
func isDate(s string) bool {
	if !dateShape(s) {
		return false
	}
	_, err := time.Parse(time.DateOnly, s[:10])
	return err == nil
}

// storeDate is padDate for a value that is stored: a DATE loses its time.
// Fractions that are too long stay; rounding them is left to the caller.
func storeDate(s string, fsp int) string {
	if fsp < 0 && dateShape(s) {
		return s[:10]
	}
	return padDate(s, fsp)
}
