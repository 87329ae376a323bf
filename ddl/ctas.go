package ddl

import (
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
)

// selectColumns completes the definition of CREATE TABLE … AS SELECT: a column
// of the query that isn't declared is added behind those that are, with the
// type that its values have.
func (p *planner) selectColumns(def *sqlast.TableDef, stmt *sqlast.CreateTable) (*sqlast.TableDef, error) {
	cols, err := (&outputs{planner: p}).query(stmt.Query, nil)
	if err != nil {
		return nil, err
	}
	fill := &Fill{Table: def, Query: stmt.Query, Text: stmt.QueryText}
	seen := map[string]bool{}
	for _, c := range cols {
		if seen[strings.ToLower(c.Name)] {
			return nil, fail(errDuplicateColumn, "duplicate column name %q in the query of CREATE TABLE %q; give one an alias", c.Name, def.Name)
		}
		seen[strings.ToLower(c.Name)] = true
		fill.Columns = append(fill.Columns, c.Name)
		if def.Column(c.Name) != nil {
			continue
		}
		if c.Type.Name == "" {
			return nil, fail(errNotSupported, "the type of column %q of the query can't be told; declare it: CREATE TABLE %s (%s TYPE) AS SELECT …",
				c.Name, quote(def.Name), quote(c.Name))
		}
		def.Columns = append(def.Columns, c)
	}
	p.out.Fill = fill
	return def, nil
}

// source is a table in FROM, as far as its columns matter.
type source struct {
	label string
	cols  []*sqlast.ColumnDef
	skip  []string // columns that USING shows once, on the other side
}

// outputs finds the result columns of queries.
type outputs struct {
	*planner
	ctes  []source
	depth int
}

// maxDepth stops views that refer to themselves.
const maxDepth = 32

func (o *outputs) query(q sqlast.Query, names []string) ([]*sqlast.ColumnDef, error) {
	if o.depth++; o.depth > maxDepth {
		return nil, fail(errNotSupported, "the query is nested deeper than %d levels", maxDepth)
	}
	defer func() { o.depth-- }()
	var cols []*sqlast.ColumnDef
	var err error
	switch q := q.(type) {
	case *sqlast.Select:
		if err = o.with(q.With); err == nil {
			cols, err = o.selectCols(q)
		}
	case *sqlast.SetOp:
		if err = o.with(q.With); err == nil {
			cols, err = o.setOp(q)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(names) > 0 && len(names) != len(cols) {
		return nil, fail(errColumnCount, "%d column names for a query of %d columns", len(names), len(cols))
	}
	for i, n := range names {
		cols[i].Name = n
	}
	return cols, nil
}

func (o *outputs) setOp(q *sqlast.SetOp) ([]*sqlast.ColumnDef, error) {
	l, err := o.query(q.L, nil)
	if err != nil {
		return nil, err
	}
	r, err := o.query(q.R, nil)
	if err != nil {
		return nil, err
	}
	if len(l) != len(r) {
		return nil, fail(errColumnCount, "the members of a set operation have %d and %d columns", len(l), len(r))
	}
	for i := range l {
		l[i].Type = widen(l[i].Type, r[i].Type)
	}
	return l, nil
}

func (o *outputs) with(w *sqlast.With) error {
	if w == nil {
		return nil
	}
	for _, cte := range w.CTEs {
		q := cte.Query
		if op, ok := q.(*sqlast.SetOp); ok && w.Recursive {
			q = op.L // the anchor gives the types
		}
		cols, err := o.query(q, cte.Columns)
		if err != nil {
			return err
		}
		o.ctes = append(o.ctes, source{label: cte.Name, cols: cols})
	}
	return nil
}

func (o *outputs) selectCols(q *sqlast.Select) ([]*sqlast.ColumnDef, error) {
	from, err := o.from(q.From)
	if err != nil {
		return nil, err
	}
	var cols []*sqlast.ColumnDef
	for _, item := range q.Items {
		if item.Star {
			star, err := starColumns(from, item.Table)
			if err != nil {
				return nil, err
			}
			cols = append(cols, star...)
			continue
		}
		c := &sqlast.ColumnDef{Name: itemName(&item)}
		if col, ok := item.Expr.(*sqlast.Col); ok {
			def := find(from, col)
			if def == nil {
				return nil, fail(errUnknownColumn, "unknown column %q in the query", col.Name)
			}
			c = plainCopy(def, c.Name)
		} else {
			c.Type = exprType(item.Expr, from)
		}
		cols = append(cols, c)
	}
	return cols, nil
}

func itemName(item *sqlast.SelectItem) string {
	if item.Alias != "" {
		return item.Alias
	}
	if col, ok := item.Expr.(*sqlast.Col); ok {
		return col.Name
	}
	return item.Text
}

func jsonColumns(t *sqlast.JSONTable) (out []*sqlast.ColumnDef) {
	for _, c := range t.Leaves() {
		out = append(out, &sqlast.ColumnDef{Name: c.Name, Type: c.Type})
	}
	return out
}

// plainCopy is what CREATE TABLE … AS SELECT keeps of a column.
func plainCopy(def *sqlast.ColumnDef, name string) *sqlast.ColumnDef {
	return &sqlast.ColumnDef{Name: name, Type: def.Type, Default: def.Default, DefaultText: def.DefaultText,
		Comment: def.Comment, Charset: def.Charset}
}

func starColumns(from []source, table string) ([]*sqlast.ColumnDef, error) {
	var cols []*sqlast.ColumnDef
	found := false
	for _, s := range from {
		if table != "" && !strings.EqualFold(s.label, table) {
			continue
		}
		found = true
		for _, c := range s.cols {
			if table != "" || !containsName(s.skip, c.Name) {
				cols = append(cols, plainCopy(c, c.Name))
			}
		}
	}
	if !found && table != "" {
		return nil, fail(errUnknownTable, "unknown table %q in the query", table)
	}
	return cols, nil
}

func find(from []source, col *sqlast.Col) *sqlast.ColumnDef {
	for _, s := range from {
		if col.Table != "" && !strings.EqualFold(s.label, col.Table) {
			continue
		}
		for _, c := range s.cols {
			if strings.EqualFold(c.Name, col.Name) {
				return c
			}
		}
	}
	return nil
}

func (o *outputs) from(t sqlast.TableExpr) ([]source, error) {
	switch t := t.(type) {
	case *sqlast.TableRef:
		cols, err := o.tableColumns(t)
		return []source{{label: t.Label(), cols: cols}}, err
	case *sqlast.Derived:
		if t.JSON != nil {
			return []source{{label: t.Alias, cols: jsonColumns(t.JSON)}}, nil
		}
		cols, err := o.query(t.Query, t.Columns)
		return []source{{label: t.Alias, cols: cols}}, err
	case *sqlast.Join:
		l, err := o.from(t.L)
		if err != nil {
			return nil, err
		}
		r, err := o.from(t.R)
		if err != nil {
			return nil, err
		}
		if t.Natural {
			return nil, fail(errNotSupported, "CREATE TABLE … AS SELECT from a NATURAL JOIN isn't supported; name the columns by USING")
		}
		for i := range r {
			r[i].skip = append(r[i].skip, t.Using...)
		}
		switch t.Kind {
		case sqlast.JoinLeft:
			nullable(r)
		case sqlast.JoinRight:
			nullable(l)
		case sqlast.JoinFull:
			nullable(l)
			nullable(r)
		}
		return append(l, r...), nil
	}
	return nil, nil
}

// nullable lets columns be NULL, on the far side of an outer join.
func nullable(sources []source) {
	for i := range sources {
		cols := copyEach(sources[i].cols)
		for _, c := range cols {
			c.Type.NotNull = false
		}
		sources[i].cols = cols
	}
}

func (o *outputs) tableColumns(t *sqlast.TableRef) ([]*sqlast.ColumnDef, error) {
	if t.Schema == "" {
		for i := len(o.ctes) - 1; i >= 0; i-- {
			if strings.EqualFold(o.ctes[i].label, t.Name) {
				return o.ctes[i].cols, nil
			}
		}
	}
	ks := o.o.Keyspace
	if t.Schema != "" {
		ks = t.Schema
	}
	if def := o.s.Table(ks, t.Name); def != nil {
		return def.Columns, nil
	}
	if v := o.s.View(ks, t.Name); v != nil {
		return (&outputs{planner: o.planner, depth: o.depth}).query(v.Query, v.Columns)
	}
	return nil, fail(errNoSuchTable, "table %q doesn't exist in keyspace %q", t.Name, ks)
}

// ResultColumns gives the result columns of a query over the keyspace's tables,
// as CREATE TABLE … AS SELECT would declare them; names, when there are any,
// rename them. A column whose type can't be told has an empty Type.Name.
func ResultColumns(q sqlast.Query, names []string, s *schema.Schema, keyspace string) ([]*sqlast.ColumnDef, error) {
	return (&outputs{planner: &planner{s: s, o: Options{Keyspace: keyspace}}}).query(q, names)
}
