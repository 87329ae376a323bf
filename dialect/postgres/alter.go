package postgres

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// alteration is the difference of two definitions of a table.
type alteration struct {
	p        *printer
	old, new *sqlast.TableDef
	renamed  map[string]string
	out      []string
}

// Alter implements [dialect.Printer]. The order of columns is the gate's matter alone.
func (pr Printer) Alter(old, new *sqlast.TableDef, opt dialect.AlterOptions) (dialect.Plan, error) {
	a := &alteration{p: &printer{}, old: old, new: new, renamed: opt.Renamed}
	a.p.noForeignKeys(new, opt.New)
	a.dropKeys()
	a.rename()
	a.columns()
	a.addKeys()
	return dialect.Plan{Statements: a.out}, a.p.err
}

// oldOf finds the column that one continues.
func (a *alteration) oldOf(c *sqlast.ColumnDef) *sqlast.ColumnDef {
	name := c.Name
	for n, o := range a.renamed {
		if strings.EqualFold(n, c.Name) {
			return a.old.Column(o)
		}
		if strings.EqualFold(o, c.Name) {
			name = "" // another one continues that
		}
	}
	return a.old.Column(name)
}

func (a *alteration) table(def *sqlast.TableDef, what string) {
	a.out = append(a.out, "ALTER TABLE "+ident(def.Name)+" "+what)
}

// asRenamed is the old definition with the new names.
func (a *alteration) asRenamed() *sqlast.TableDef {
	names := map[string]string{}
	for n, o := range a.renamed {
		if o != "" {
			names[strings.ToLower(o)] = n
		}
	}
	def := *dialect.RenameColumns(a.old, names)
	def.Name = a.new.Name
	return &def
}

// stays says whether an index is the same before and after, and on no column whose
// type changes.
func (a *alteration) stays(x *sqlast.IndexDef) bool {
	was := a.asRenamed()
	i := slices.IndexFunc(a.old.Indexes, func(o *sqlast.IndexDef) bool { return o.Kind == x.Kind && o.Name == x.Name })
	if i < 0 {
		return false
	}
	o := was.Indexes[i]
	return a.p.index(was, o) == a.p.index(a.new, x) && slices.EqualFunc(was.Given(columnNames(o)...), a.new.Given(columnNames(x)...), func(l, r string) bool {
		lc, rc := was.Column(l), a.new.Column(r)
		if lc == nil || rc == nil {
			return false
		}
		from := a.oldOf(rc)
		return from != nil && columnType(&lc.Type) == columnType(&rc.Type)
	}) && !slices.ContainsFunc(x.Parts, func(part sqlast.IndexPart) bool {
		c := a.new.Column(part.Column)
		return c != nil && a.remade(c)
	})
}

// remade says whether a generated column is made anew: its expression is another one, or
// a column that it is of gets another type, which PostgreSQL refuses beneath it.
func (a *alteration) remade(c *sqlast.ColumnDef) bool {
	o := a.oldOf(c)
	if o == nil || o.Generated == nil || c.Generated == nil {
		return false
	}
	if a.p.generated(a.asRenamed(), a.renamedCol(c)) != a.p.generated(a.new, c) || columnType(&o.Type) != columnType(&c.Type) {
		return true
	}
	of := a.new.GivenFor(c.Generated)
	return slices.ContainsFunc(of, func(name string) bool {
		now := a.new.Column(name)
		was := a.oldOf(now)
		return was == nil || columnType(&was.Type) != columnType(&now.Type)
	})
}

func columnNames(x *sqlast.IndexDef) []string {
	var out []string
	for _, p := range x.Parts {
		if p.Column != "" {
			out = append(out, p.Column)
		}
	}
	return out
}

// index prints an index, or a primary key with its index, to compare it with another.
func (p *printer) index(def *sqlast.TableDef, x *sqlast.IndexDef) string {
	s := p.createIndex(def, x, false)
	if x.Kind == sqlast.IndexPrimary {
		s += p.primaryKey(def, x)
	}
	return s
}

// dropKeys drops the indexes and checks that don't stay.
func (a *alteration) dropKeys() {
	for _, x := range a.old.Indexes {
		now := slices.IndexFunc(a.new.Indexes, func(n *sqlast.IndexDef) bool { return n.Kind == x.Kind && n.Name == x.Name })
		if now >= 0 && a.stays(a.new.Indexes[now]) {
			continue
		}
		switch x.Kind {
		case sqlast.IndexPlain, sqlast.IndexUnique:
			a.out = append(a.out, dropIndex(a.old.Name, x.Name, false))
		case sqlast.IndexPrimary:
			a.table(a.old, "DROP CONSTRAINT "+ident(primaryName(a.old.Name)))
			if a.p.createIndex(a.old, x, false) != "" {
				a.out = append(a.out, dropIndex(a.old.Name, "PRIMARY.folded", false))
			}
		}
	}
	old, new := a.p.checks(a.asRenamed()), a.p.checks(a.new)
	for i, c := range enforcedChecks(a.old) {
		if !slices.Contains(new, old[i]) {
			a.table(a.old, "DROP CONSTRAINT "+ident(c.Name))
		}
	}
}

func enforcedChecks(def *sqlast.TableDef) []*sqlast.CheckDef {
	return slices.DeleteFunc(slices.Clone(def.Checks), func(c *sqlast.CheckDef) bool { return c.NotEnforced })
}

// rename gives the table and its columns their new names.
func (a *alteration) rename() {
	if a.old.Name != a.new.Name {
		kept := *a.old
		kept.Indexes = slices.DeleteFunc(slices.Clone(a.old.Indexes), func(x *sqlast.IndexDef) bool {
			now := slices.IndexFunc(a.new.Indexes, func(n *sqlast.IndexDef) bool { return n.Kind == x.Kind && n.Name == x.Name })
			return now < 0 || !a.stays(a.new.Indexes[now])
		})
		out := renameTable(&kept, a.new.Name)
		if (rowKey(&kept) == nil) != (rowKey(a.old) == nil) {
			out = out[:len(out)-1] // there is no column of row IDs
		}
		a.out = append(a.out, out...)
	}
	a.numberRows()
	var clash []string
	for _, c := range a.new.Columns {
		o := a.oldOf(c)
		if o == nil || o.Name == c.Name {
			continue
		}
		to := c.Name
		if other := a.old.Column(c.Name); other != nil && other != o {
			to = "_vt_new_" + c.Name
			clash = append(clash, "RENAME COLUMN "+ident(to)+" TO "+ident(c.Name))
		}
		a.table(a.new, "RENAME COLUMN "+ident(o.Name)+" TO "+ident(to))
	}
	for _, c := range a.old.Columns {
		if !slices.ContainsFunc(a.new.Columns, func(n *sqlast.ColumnDef) bool { return a.oldOf(n) == c }) {
			a.table(a.new, "DROP COLUMN "+ident(c.Name))
		}
	}
	for _, what := range clash {
		a.table(a.new, what)
	}
	if rowKey(a.old) == nil && rowKey(a.new) != nil {
		a.table(a.new, "DROP COLUMN "+RowIDColumn)
	}
}

// numberRows gives rows the numbers by which they were known, where these aren't the
// primary key any more: so do all shards, whatever their engines, and copies of a row
// have one number.
func (a *alteration) numberRows() {
	if rowKey(a.old) == nil || rowKey(a.new) != nil {
		return
	}
	a.table(a.new, "ADD COLUMN "+RowIDColumn+" bigint")
	a.out = append(a.out, "UPDATE "+ident(a.new.Name)+" SET "+RowIDColumn+" = "+ident(rowKey(a.old).Name))
	a.table(a.new, "ALTER COLUMN "+RowIDColumn+" SET NOT NULL")
	a.out = append(a.out, rowIDs(a.new.Name)...)
}

func (a *alteration) columns() {
	p := a.p
	var remade []*sqlast.ColumnDef
	for _, c := range a.new.Columns {
		if a.remade(c) {
			remade = append(remade, c)
			a.table(a.new, "DROP COLUMN "+ident(c.Name))
		}
	}
	defer func() {
		for _, c := range remade {
			a.table(a.new, "ADD COLUMN "+ident(c.Name)+" "+p.column(a.new, c))
		}
	}()
	for _, c := range a.new.Columns {
		o := a.oldOf(c)
		name := ident(c.Name)
		if o == nil {
			a.add(c)
			continue
		}
		if slices.Contains(remade, c) {
			continue
		}
		if (o.Generated == nil) != (c.Generated == nil) {
			p.unsupported("making the column "+c.Name+" generated, or no longer so", -1, "add a column, and drop the old one")
			continue
		}
		without := a.retype(o, c)
		if was, is := notNull(a.old, o), notNull(a.new, c); was != is {
			word := "DROP"
			if is {
				word = "SET"
			}
			a.table(a.new, "ALTER COLUMN "+name+" "+word+" NOT NULL")
		}
		if c.Generated != nil {
			continue
		}
		was, is := p.defaultText(o), p.defaultText(c)
		if without {
			was = ""
		}
		switch {
		case is == "" && was != "":
			a.table(a.new, "ALTER COLUMN "+name+" DROP DEFAULT")
		case is != was:
			a.table(a.new, "ALTER COLUMN "+name+" SET DEFAULT "+is)
		}
	}
}

func (a *alteration) renamedCol(c *sqlast.ColumnDef) *sqlast.ColumnDef {
	if x := a.asRenamed().Column(c.Name); x != nil {
		return x
	}
	return c
}

func (p *printer) defaultText(c *sqlast.ColumnDef) string {
	if c.Default == nil || given(c) {
		return ""
	}
	return p.stored(c, numberOf(c))
}

// retype changes a column's type, where the rows' values stay what they are, and says
// whether it has taken the column's default, which is of the old type.
func (a *alteration) retype(o, c *sqlast.ColumnDef) (without bool) {
	if a.p.columnCheck(o) != a.p.columnCheck(c) && (a.p.columnCheck(o) != "" || a.p.columnCheck(c) != "") {
		a.p.elsewhere("another list of values or type of the column " + c.Name)
		return false
	}
	from, to := &o.Type, &c.Type
	fk, _ := kindOf(from)
	tk, _ := kindOf(to)
	wider := fk == kInt && tk == kInt
	if fk != tk || from.Class != to.Class || sqlite.Narrower(to, from) && !(wider && enforced(to)) ||
		from.Class.Temporal() && max(from.Scale, 0) != max(to.Scale, 0) || from.Keyed() && from.Scale != to.Scale {
		a.p.unsupported("the change of the column "+c.Name+" to another type", -1, "add a column, fill it, and drop the old one")
		return false
	}
	if columnType(from) == columnType(to) {
		return false
	}
	if without = a.p.defaultText(o) != ""; without {
		a.table(a.new, "ALTER COLUMN "+ident(c.Name)+" DROP DEFAULT")
	}
	a.table(a.new, "ALTER COLUMN "+ident(c.Name)+" TYPE "+columnType(to))
	return without
}

// add adds a column, with MySQL's value for the rows that are there.
func (a *alteration) add(c *sqlast.ColumnDef) {
	p := a.p
	name := ident(c.Name)
	switch {
	case c.Generated != nil || p.defaultText(c) != "" || !notNull(a.new, c) && c.Default == nil:
		a.table(a.new, "ADD COLUMN "+name+" "+p.column(a.new, c))
		return
	case c.Default != nil:
		p.unsupported("a new column "+c.Name+" whose default isn't a literal", -1, "add it with another default, and change that then")
		return
	case c.AutoInc:
		p.unsupported("a new AUTO_INCREMENT column "+c.Name, -1, "make a new table, and copy the rows")
		return
	}
	with := *c
	with.Default = implicit(&c.Type)
	a.table(a.new, "ADD COLUMN "+name+" "+p.column(a.new, &with))
	a.table(a.new, "ALTER COLUMN "+name+" DROP DEFAULT")
}

// implicit is what MySQL gives to the rows that stand when a NOT NULL column without
// default is added.
func implicit(t *sqlast.Type) sqlast.Expr {
	l := &sqlast.Lit{Kind: sqlast.LitString}
	switch {
	case t.Class.Numeric():
		l.Kind, l.Text = sqlast.LitInt, "0"
	case t.Name == "ENUM" && len(t.Values) > 0:
		l.Text = t.Values[0]
	case t.Class == sqlast.ClassJSON:
		l.Text = "null"
	case t.Class == sqlast.ClassBlob:
		l.Kind = sqlast.LitBytes
	case t.Class == sqlast.ClassDate:
		l.Text = "0000-00-00"
	case t.Class == sqlast.ClassDateTime:
		l.Text = "0000-00-00 00:00:00"
	case t.Class == sqlast.ClassTime:
		l.Text = "00:00:00"
	}
	return l
}

func (a *alteration) addKeys() {
	for _, x := range a.new.Indexes {
		if a.stays(x) {
			continue
		}
		if x.Kind == sqlast.IndexPrimary {
			a.table(a.new, "ADD "+a.p.primaryKey(a.new, x))
		}
		if s := a.p.createIndex(a.new, x, false); s != "" {
			a.out = append(a.out, s)
		}
	}
	old := a.p.checks(a.asRenamed())
	for _, c := range a.p.checks(a.new) {
		if !slices.Contains(old, c) {
			a.table(a.new, "ADD "+c)
		}
	}
}
