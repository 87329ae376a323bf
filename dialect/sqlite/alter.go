package sqlite

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// alteration is the difference of two definitions of a table.
type alteration struct {
	p        *printer
	old, new *sqlast.TableDef
	opt      dialect.AlterOptions
	// from maps a new column's lower-case name to the old column that it was.
	from    map[string]*sqlast.ColumnDef
	dropped []*sqlast.ColumnDef
	out     []string
}

// Alter implements [dialect.Printer]. Changes that SQLite's ALTER TABLE can't
// make are made by a new table that takes the old one's place. Dropping the old
// one deletes its rows first, by which ON DELETE actions would reach the child
// tables: such a plan needs enforcement off.
func (pr Printer) Alter(old, new *sqlast.TableDef, opt dialect.AlterOptions) (dialect.Plan, error) {
	p := get()
	defer p.put()
	p.plain = pr.Plain != nil
	a := &alteration{p: p, old: old, new: new, opt: opt}
	a.match()
	rebuild := a.needsRebuild()
	if rebuild {
		a.rebuild()
	} else {
		a.native()
	}
	return dialect.Plan{Statements: a.out, NeedsForeignKeysOff: rebuild}, pr.define(p.err, a.out, new)
}

func (a *alteration) match() {
	a.from = make(map[string]*sqlast.ColumnDef, len(a.new.Columns))
	kept := map[*sqlast.ColumnDef]bool{}
	for _, c := range a.new.Columns {
		name := c.Name
		renamed := false
		for n, o := range a.opt.Renamed {
			if strings.EqualFold(n, c.Name) {
				name, renamed = o, true
			}
		}
		o := a.old.Column(name)
		if o != nil && !renamed && a.renamedAway(name) {
			o = nil // its name was taken over by a new column
		}
		if o != nil {
			a.from[strings.ToLower(c.Name)] = o
			kept[o] = true
		}
	}
	for _, c := range a.old.Columns {
		if !kept[c] {
			a.dropped = append(a.dropped, c)
		}
	}
}

func (a *alteration) renamedAway(old string) bool {
	for n, o := range a.opt.Renamed {
		if strings.EqualFold(o, old) && !strings.EqualFold(n, old) {
			return true
		}
	}
	return false
}

func (a *alteration) oldOf(c *sqlast.ColumnDef) *sqlast.ColumnDef {
	return a.from[strings.ToLower(c.Name)]
}

// asRenamed is the old definition with the columns' new names, as SQLite's own
// RENAME COLUMN would leave it.
func (a *alteration) asRenamed() *sqlast.TableDef {
	names := map[string]string{}
	for n, o := range a.opt.Renamed {
		if o == "" {
			continue // a new column with a dropped one's name
		}
		names[strings.ToLower(o)] = n
	}
	def := *dialect.RenameColumns(a.old, names)
	def.Name = a.new.Name
	return &def
}

// needsRebuild says whether SQLite's ALTER TABLE can't do it.
func (a *alteration) needsRebuild() bool {
	old := a.asRenamed()
	if len(a.opt.Renamed) > 0 && a.renameClash() {
		return true
	}
	if !slices.Equal(keyColumns(old), keyColumns(a.new)) ||
		!sameSet(a.p.constraints(old, a.opt.Old), a.p.constraints(a.new, a.opt.New)) {
		return true
	}
	// The order of columns: what is kept in the old order, what is new behind it.
	at, added := 0, false
	for _, c := range a.new.Columns {
		o := a.oldOf(c)
		if o == nil {
			added = true
			if !addable(a.new, c) {
				return true
			}
			continue
		}
		i := slices.Index(a.old.Columns, o)
		if added || i < at {
			return true
		}
		at = i
		if a.p.columnText(old, old.Columns[i]) != a.p.columnText(a.new, c) || narrower(&c.Type, &old.Columns[i].Type) {
			return true
		}
	}
	for _, c := range a.dropped {
		if inPrimaryKey(a.old, c.Name) {
			return true
		}
	}
	return false
}

// renameClash: a new name is still another column's.
func (a *alteration) renameClash() bool {
	for n, o := range a.opt.Renamed {
		if o == "" {
			continue
		}
		if c := a.old.Column(n); c != nil && !strings.EqualFold(c.Name, o) {
			return true
		}
	}
	return false
}

func keyColumns(def *sqlast.TableDef) []string {
	pk := def.PrimaryKey()
	if pk == nil {
		return nil
	}
	cols := pk.Columns()
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = strings.ToLower(c)
	}
	return out
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// addable says whether SQLite's ADD COLUMN takes c.
func addable(def *sqlast.TableDef, c *sqlast.ColumnDef) bool {
	switch {
	case inPrimaryKey(def, c.Name), c.Generated != nil && c.Stored, c.AutoInc:
		return false
	case c.Generated != nil:
		return true
	case c.Type.NotNull && c.Default == nil:
		return false
	}
	return constant(c.Default)
}

// native makes the changes by SQLite's ALTER TABLE.
func (a *alteration) native() {
	p := a.p
	keep := map[string]bool{}
	old := a.asRenamed()
	for _, x := range a.old.Indexes {
		if a.sameIndex(old, x.Name) && strings.EqualFold(a.old.Name, a.new.Name) {
			keep[strings.ToLower(x.Name)] = true
		} else if x.Kind == sqlast.IndexPlain || x.Kind == sqlast.IndexUnique {
			a.out = append(a.out, p.dropIndex(a.old.Name, x.Name, false))
		}
	}
	a.renameTable()
	for _, c := range a.new.Columns {
		if o := a.oldOf(c); o != nil && o.Name != c.Name {
			a.alterTable(func() {
				p.s("RENAME COLUMN ")
				p.ident(o.Name)
				p.s(" TO ")
				p.ident(c.Name)
			})
		}
	}
	for _, c := range a.dropped {
		a.alterTable(func() { p.s("DROP COLUMN "); p.ident(c.Name) })
	}
	for _, c := range a.new.Columns {
		if a.oldOf(c) == nil {
			a.alterTable(func() {
				p.s("ADD COLUMN ")
				p.ident(c.Name)
				p.c(' ')
				p.s(p.columnText(a.new, c))
			})
		}
	}
	for _, x := range a.new.Indexes {
		if s := p.createIndex(a.new, x, false); s != "" && !keep[strings.ToLower(x.Name)] {
			a.out = append(a.out, s)
		}
	}
}

// sameIndex says whether the index called name is the same before and after.
func (a *alteration) sameIndex(old *sqlast.TableDef, name string) bool {
	x, y := indexNamed(old, name), indexNamed(a.new, name)
	if x == nil || y == nil || x.Name != y.Name {
		return false
	}
	for _, part := range x.Parts {
		for _, d := range a.dropped {
			if strings.EqualFold(part.Column, d.Name) {
				return false
			}
		}
	}
	return a.p.createIndex(old, x, false) == a.p.createIndex(a.new, y, false)
}

func indexNamed(def *sqlast.TableDef, name string) *sqlast.IndexDef {
	for _, x := range def.Indexes {
		if strings.EqualFold(x.Name, name) {
			return x
		}
	}
	return nil
}

func (a *alteration) alterTable(f func()) {
	a.out = append(a.out, a.p.printed(func() {
		a.p.s("ALTER TABLE ")
		a.p.ident(a.new.Name)
		a.p.c(' ')
		f()
	}))
}

// renameTable comes first: it makes the child tables' references follow.
func (a *alteration) renameTable() {
	if a.old.Name == a.new.Name {
		return
	}
	a.out = append(a.out, a.p.printed(func() {
		a.p.s("ALTER TABLE ")
		a.p.ident(a.old.Name)
		a.p.s(" RENAME TO ")
		a.p.ident(a.new.Name)
	}))
}

// Rebuilt begins the name that a table has while its rows are copied into it.
const Rebuilt = "_vt_new_"

// rebuild copies the rows into a new table that takes the old one's place.
func (a *alteration) rebuild() {
	p := a.p
	a.renameTable()
	temp := Rebuilt + a.new.Name
	opt := a.opt.New
	opt.IfNotExists = false
	a.out = append(a.out, p.createTable(a.new, temp, opt))
	cols, exprs := a.numbers()
	for _, c := range a.new.Columns {
		if c.Generated != nil {
			continue
		}
		cols = append(cols, c.Name)
		exprs = append(exprs, a.copied(c))
	}
	a.out = append(a.out,
		p.printed(func() {
			p.s("INSERT INTO ")
			p.ident(temp)
			p.columnList(cols)
			p.s(" SELECT " + strings.Join(exprs, ", ") + " FROM ")
			p.ident(a.new.Name)
		}),
		p.printed(func() { p.s("DROP TABLE "); p.ident(a.new.Name) }),
		p.printed(func() {
			p.s("ALTER TABLE ")
			p.ident(temp)
			p.s(" RENAME TO ")
			p.ident(a.new.Name)
		}))
	a.out = append(a.out, p.createIndexes(a.new, false)...)
}

// numbers gives the column of row IDs, and what a row has there, where the new table has
// them beside its columns: rows keep theirs. So do all shards, whatever their engines,
// and copies of a row have one ID.
func (a *alteration) numbers() (cols, exprs []string) {
	to := rowid(&sqlast.TableRef{Name: a.new.Name, Table: a.new})
	from := rowid(&sqlast.TableRef{Name: a.old.Name, Table: a.old})
	if rowidKey(a.new) != nil {
		return nil, nil
	}
	return []string{to}, []string{from}
}

// copied prints a new column's value of an old row.
func (a *alteration) copied(c *sqlast.ColumnDef) string {
	p := a.p
	return p.printed(func() {
		o := a.oldOf(c)
		switch {
		case o != nil && !o.Type.NotNull && !c.AutoInc && rowidKey(a.new) == c:
			// SQLite would number the rows that have NULL there.
			p.s("not_null(")
			p.converted(o, c)
			p.s(", ")
			p.str(c.Name)
			p.c(')')
		case o != nil:
			p.converted(o, c)
		case c.AutoInc:
			p.s("NULL") // the row ID
		case c.Default != nil:
			p.columnDefault(c)
		case c.Type.NotNull:
			p.implicitDefault(c)
		default:
			p.s("NULL")
		}
	})
}

// implicitDefault is what MySQL gives to the rows that stand when a NOT NULL
// column without default is added.
func (p *printer) implicitDefault(c *sqlast.ColumnDef) {
	switch t := c.Type; {
	case t.Keyed():
		p.litKey(zero)
	case t.Class.Numeric():
		p.c('0')
	case t.Name == "ENUM" && len(t.Values) > 0:
		p.str(t.Values[0])
	case t.Class == sqlast.ClassJSON:
		p.s("'null'")
	case t.Class == sqlast.ClassBlob:
		p.s("X''")
	case t.Class == sqlast.ClassDate:
		p.s("'0000-00-00'")
	case t.Class == sqlast.ClassDateTime:
		p.str(padDate("0000-00-00 00:00:00", max(t.Scale, 0)))
	case t.Class == sqlast.ClassTime:
		p.s("'00:00:00'")
	default:
		p.s("''")
	}
}

// converted prints an old column as the new one's type; what affinity does by
// itself needs no words.
func (p *printer) converted(o, c *sqlast.ColumnDef) {
	x := &sqlast.Col{Name: o.Name, Def: o}
	*x.Type() = o.Type
	from, to := o.Type.Class, c.Type.Class
	wrap := func(before, after string) {
		p.s(before)
		p.ident(o.Name)
		p.s(after)
	}
	switch {
	case o.Type.Keyed() && !to.Numeric() && to != sqlast.ClassText:
		p.decimalText(x)
	case (to == sqlast.ClassText || to == sqlast.ClassJSON) && from == sqlast.ClassBlob:
		wrap("CAST(", " AS TEXT)")
	case to == sqlast.ClassBlob && (from == sqlast.ClassBlob || c.Type.Filled()):
		p.stored(c, x, 0)
	case to == sqlast.ClassBlob:
		wrap("CAST(", " AS BLOB)")
	case to == sqlast.ClassDate || to == sqlast.ClassDateTime,
		(to.Numeric() || to == sqlast.ClassText) && (from.Numeric() || from == sqlast.ClassText):
		p.stored(c, x, 0)
	default:
		p.ident(o.Name)
	}
}
