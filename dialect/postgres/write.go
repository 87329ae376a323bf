package postgres

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *printer) insert(s *sqlast.Insert) string {
	def := s.Table.Table
	switch {
	case def == nil:
		return p.elsewhere("an INSERT into a table that isn't known").s
	case s.Replace:
		return p.elsewhere("REPLACE").s
	}
	cols := def.Columns
	if len(s.Columns) > 0 {
		cols = make([]*sqlast.ColumnDef, len(s.Columns))
		for i, name := range s.Columns {
			if cols[i] = def.Column(name); cols[i] == nil {
				return p.elsewhere("an INSERT into the column " + name).s
			}
		}
	}
	text := "INSERT INTO " + p.table(s.Table)
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	switch {
	case s.Query != nil:
		text += " (" + idents(names) + ") " + p.insertQuery(s.Query, cols)
	case len(s.Rows) > 0 && len(s.Rows[0]) > 0:
		if s.Leading {
			cols, names = cols[:min(len(s.Rows[0]), len(cols))], names[:min(len(s.Rows[0]), len(cols))]
		}
		text += " (" + idents(names) + ") VALUES " + p.rows(s.Rows, cols)
	case len(s.Rows) > 1:
		return p.elsewhere("several rows of defaults").s
	default:
		text += " DEFAULT VALUES"
	}
	switch {
	case len(s.OnDup) > 0:
		text += p.onDuplicate(s, def)
	case s.Pass && s.OnKey != nil:
		text += p.onConflict(def, def.KeyOn(s.OnKey)) + " DO NOTHING"
	case s.Ignore, s.Pass:
		text += " ON CONFLICT DO NOTHING"
	}
	return text + p.returning(s.Returning)
}

func (p *printer) rows(rows [][]sqlast.Expr, cols []*sqlast.ColumnDef) string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		values := make([]string, len(row))
		for j, x := range row {
			if j >= len(cols) {
				return p.elsewhere("a row of too many values").s
			}
			values[j] = p.stored(cols[j], x)
		}
		lines[i] = "(" + strings.Join(values, ", ") + ")"
	}
	return strings.Join(lines, ", ")
}

func (p *printer) insertQuery(q sqlast.Query, cols []*sqlast.ColumnDef) string {
	s, ok := q.(*sqlast.Select)
	if !ok || s.ValuesRows != nil || s.Distinct || len(s.Items) != len(cols) || len(s.GroupBy) > 0 || aggregates(s) || s.With != nil {
		return p.elsewhere("INSERT … SELECT of such a query").s
	}
	for i, it := range s.Items {
		if it.Star {
			return p.elsewhere("*").s
		}
		if constant(it.Expr) {
			return p.elsewhere("INSERT … SELECT of a constant").s
		}
		p.stored(cols[i], it.Expr)
	}
	text, _ := p.query(s)
	return text
}

// stored prints a value that a column is to have.
func (p *printer) stored(def *sqlast.ColumnDef, x sqlast.Expr) string {
	if d, ok := x.(*sqlast.Default); ok {
		if d.Col != nil {
			return p.elsewhere("DEFAULT(" + d.Col.Name + ")").s
		}
		return "DEFAULT"
	}
	k, known := kindOf(&def.Type)
	if !known {
		return p.elsewhere("a value for the column " + def.Name).s
	}
	if constant(x) {
		text, err := sqlite.Stored(def, x)
		if err != nil {
			return p.elsewhere("this value for the column " + def.Name).s
		}
		return p.constantText(text, k).s
	}
	o := p.value(x)
	c := sqlite.ClassOf(x)
	switch {
	case o.k == k && k == kInt && enforced(&def.Type):
		return o.s // the server sees to its range
	case o.k == k && c == def.Type.Class && sqlite.Fits(&def.Type, x) && !c.Temporal():
		return o.s
	case o.k == k && c == def.Type.Class && c.Temporal():
		own, ok := sqlite.Fraction(x)
		of, ok2 := sqlite.Fraction(&sqlast.Col{Name: def.Name, Def: def})
		if ok && ok2 && own == of {
			return o.s
		}
	}
	return p.elsewhere("this value for the column " + def.Name).s
}

// onDuplicate prints ON DUPLICATE KEY UPDATE for a table with one unique key.
func (p *printer) onDuplicate(s *sqlast.Insert, def *sqlast.TableDef) string {
	var target *sqlast.IndexDef
	switch {
	case s.OnKey != nil:
		target = def.KeyOn(s.OnKey)
	case noop(s.OnDup):
		return " ON CONFLICT DO NOTHING"
	default:
		for _, x := range def.Indexes {
			if x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique {
				if target != nil {
					return p.elsewhere("ON DUPLICATE KEY UPDATE of a table with several unique keys").s
				}
				target = x
			}
		}
	}
	on := p.onConflict(def, target)
	if noop(s.OnDup) {
		return on + " DO NOTHING"
	}
	p.target = s.Table
	defer func() { p.target = nil }()
	text := on + " DO UPDATE SET " + p.assignments(s.OnDup, def)
	if differ := p.differ(s.Changed, s.OnDup, s.Table); differ != "" {
		text += " WHERE " + differ
	}
	return text
}

// onConflict names the key whose rows are in the way.
func (p *printer) onConflict(def *sqlast.TableDef, target *sqlast.IndexDef) string {
	if target == nil || !target.Whole() {
		return p.elsewhere("a conflict of such a unique key").s
	}
	parts := make([]string, len(target.Parts))
	for i, part := range target.Parts {
		parts[i] = p.indexPart(def, target, part)
	}
	return " ON CONFLICT (" + strings.Join(parts, ", ") + ")"
}

// noop recognises id = id, by which ORMs say DO NOTHING.
func noop(set []sqlast.Assignment) bool {
	return !slices.ContainsFunc(set, func(a sqlast.Assignment) bool {
		c, ok := a.Expr.(*sqlast.Col)
		return !ok || !strings.EqualFold(c.Name, a.Col.Name)
	})
}

// assignments prints a SET list. MySQL assigns from left to right, PostgreSQL all at once.
func (p *printer) assignments(set []sqlast.Assignment, def *sqlast.TableDef) string {
	parts := make([]string, len(set))
	for i, a := range set {
		c := def.Column(a.Col.Name)
		if c == nil {
			return p.elsewhere("an assignment to " + a.Col.Name).s
		}
		for _, before := range set[:i] {
			if strings.EqualFold(before.Col.Name, c.Name) || !a.Old && reads(a.Expr, before.Col.Name) {
				return p.elsewhere("an assignment after another that it hangs on").s
			}
		}
		parts[i] = ident(c.Name) + " = " + p.stored(c, a.Expr)
	}
	return strings.Join(parts, ", ")
}

func reads(e sqlast.Expr, name string) bool {
	found := false
	sqlast.WalkDeep(e, func(x sqlast.Expr) bool {
		c, ok := x.(*sqlast.Col)
		found = found || ok && strings.EqualFold(c.Name, name)
		return !found
	})
	return found
}

// differ says that one of the changed columns would get another value; "" when no
// columns are given.
func (p *printer) differ(changed []string, set []sqlast.Assignment, target *sqlast.TableRef) string {
	if len(changed) == 0 {
		return ""
	}
	var terms []string
	for _, a := range set {
		c := target.Table.Column(a.Col.Name)
		if c == nil || !slices.ContainsFunc(changed, func(n string) bool { return strings.EqualFold(n, c.Name) }) {
			continue
		}
		value := p.stored(c, a.Expr)
		if value == "DEFAULT" {
			return p.elsewhere("DEFAULT that is compared with").s
		}
		terms = append(terms, ident(label(target))+"."+ident(c.Name)+" IS DISTINCT FROM "+value)
	}
	if len(terms) == 0 {
		return "FALSE"
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

func (p *printer) update(s *sqlast.Update) string {
	t, single := s.From.(*sqlast.TableRef)
	if !single || t.Table == nil || s.With != nil || s.Ignore || s.Limit != nil && s.Limit.Count != nil {
		return p.elsewhere("UPDATE of a join, with LIMIT or with IGNORE").s
	}
	text := "UPDATE " + p.table(t) + " SET " + p.assignments(s.Set, t.Table)
	var where []string
	if s.Where != nil {
		where = append(where, p.cond(s.Where))
	}
	if differ := p.differ(s.Changed, s.Set, t); differ != "" {
		where = append(where, differ)
	}
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return text + p.returning(s.Returning)
}

func (p *printer) delete(s *sqlast.Delete) string {
	t, single := s.From.(*sqlast.TableRef)
	if !single || len(s.Targets) > 1 || s.With != nil || s.Limit != nil && s.Limit.Count != nil {
		return p.elsewhere("DELETE from a join or with LIMIT").s
	}
	text := "DELETE FROM " + p.table(t)
	if s.Where != nil {
		text += " WHERE " + p.cond(s.Where)
	}
	return text + p.returning(s.Returning)
}

func (p *printer) returning(items []sqlast.SelectItem) string {
	if len(items) == 0 {
		return ""
	}
	text, _ := p.selectItems(items, false)
	return " RETURNING " + strings.Join(text, ", ")
}
