package ddl

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

func (p *planner) createTable(stmt *sqlast.CreateTable) error {
	if err := p.here(stmt.Schema, stmt.Def.Name); err != nil {
		return err
	}
	if stmt.Def.Temporary {
		return fail(errNotSupported, "CREATE TEMPORARY TABLE %q isn't supported: shards share no session; use an ordinary table, or a CTE", stmt.Def.Name)
	}
	if p.table(stmt.Def.Name) != nil || p.view(stmt.Def.Name) != nil {
		if stmt.IfNotExists {
			p.warn("table %q already exists", stmt.Def.Name)
			return nil
		}
		return fail(errTableExists, "table %q already exists in keyspace %q", stmt.Def.Name, p.o.Keyspace)
	}
	p.parentsLater = stmt.ParentsLater
	def, like, err := p.newDef(stmt)
	if err != nil {
		return err
	}
	if stmt.Query != nil {
		if def, err = p.selectColumns(def, stmt); err != nil {
			return err
		}
	}
	defaultCollation(def, p.o.DefaultCollation)
	canonical(def)
	if err := p.numberColumn(def); err != nil {
		return err
	}
	if err := p.newTable(def, like); err != nil {
		return err
	}
	p.sequenceOfNew(def)
	return nil
}

// newDef is the planner's own copy of the definition, and what the VSchema says
// of the table that it is a copy of.
func (p *planner) newDef(stmt *sqlast.CreateTable) (*sqlast.TableDef, *vschema.Table, error) {
	if stmt.Like == nil {
		def := copyDef(stmt.Def)
		for _, fk := range def.ForeignKeys {
			if err := p.resolveParent(fk, def.Name); err != nil {
				return nil, nil, err
			}
		}
		return def, nil, nil
	}
	if err := p.here(stmt.Like.Schema, stmt.Like.Name); err != nil {
		return nil, nil, err
	}
	src := p.table(stmt.Like.Name)
	if src == nil {
		if p.view(stmt.Like.Name) != nil {
			return nil, nil, fail(errWrongObject, "%q is not a base table", stmt.Like.Name)
		}
		return nil, nil, p.noTable(stmt.Like.Name)
	}
	def := copyDef(src)
	def.Name, def.AutoInc, def.ForeignKeys = stmt.Def.Name, 0, nil
	for _, c := range def.Columns {
		c.Type.Numbers = false // only the old table's own are kept so
	}
	for _, c := range def.Checks {
		c.Name = ""
	}
	return def, p.vtable(src.Name), nil
}

// newTable checks a complete definition and makes the table.
func (p *planner) newTable(def *sqlast.TableDef, like *vschema.Table) error {
	if err := check(def); err != nil {
		return err
	}
	for _, c := range def.Columns {
		if err := settleDefault(def, c); err != nil {
			return err
		}
	}
	if err := p.checkNames(def, def.Name); err != nil {
		return err
	}
	p.put("", def)
	if err := p.home(def, like); err != nil {
		return err
	}
	t := p.vtable(def.Name)
	if err := p.checkForeign(def, false, func(*sqlast.ForeignKeyDef) bool { return true }); err != nil {
		return err
	}
	if err := p.checkWaiting(def); err != nil {
		return err
	}
	if err := p.checkUnique(def, t, func(*sqlast.IndexDef) bool { return true }); err != nil {
		return err
	}
	for _, x := range def.Indexes {
		if x.Kind == sqlast.IndexFulltext || x.Kind == sqlast.IndexSpatial {
			p.warn("key %q of table %q is recorded but not built: shards have neither FULLTEXT nor SPATIAL indexes", x.Name, def.Name)
		}
	}
	// Who keeps a foreign key hangs on the lookups, which come behind the table.
	at := len(p.out.Shards)
	if err := p.addLookups(def, t); err != nil {
		return err
	}
	if err := p.newCopy(def); err != nil {
		return err
	}
	stmts, err := p.created(def, p.shardOptions(def))
	if err != nil {
		return p.dialectError(err, def.Name)
	}
	p.out.Shards = slices.Insert(p.out.Shards, at, stmts...)
	return nil
}

// sequenceOfNew starts a new table's sequence where AUTO_INCREMENT=n says. The
// values of a table that was dropped under the same name are forgotten.
func (p *planner) sequenceOfNew(def *sqlast.TableDef) {
	if name, own := p.sequence(def); own {
		p.out.Sequences = append(p.out.Sequences, SequenceChange{Name: name, Next: max(def.AutoInc, 1), AtLeast: autoColumn(def) == nil})
	} else if name != "" && def.AutoInc > 0 {
		p.out.Sequences = append(p.out.Sequences, SequenceChange{Name: name, Next: def.AutoInc, AtLeast: true})
	}
}

// sequence names where a table's AUTO_INCREMENT values come from; own says that
// it is the table's own, which lives and dies with it. "": no such column, or a
// sequence of another keyspace.
func (p *planner) sequence(def *sqlast.TableDef) (name string, own bool) {
	t := p.vtable(def.Name)
	if t != nil && t.Type == vschema.TableSequence {
		return def.Name, true
	}
	if autoColumn(def) == nil {
		return "", false
	}
	if t == nil || t.AutoIncrement == nil || t.AutoIncrement.Sequence == "" {
		return def.Name, true
	}
	name = t.AutoIncrement.Sequence
	if ks, seq, qualified := strings.Cut(name, "."); qualified {
		if ks != p.o.Keyspace {
			return "", false
		}
		name = seq
	}
	return name, strings.EqualFold(name, def.Name)
}

// numberColumn makes the column AUTO_INCREMENT that the VSchema says a sequence
// fills. def is the planner's own copy.
func (p *planner) numberColumn(def *sqlast.TableDef) error {
	t := p.vtable(def.Name)
	if t == nil || t.AutoIncrement == nil || autoColumn(def) != nil {
		return nil
	}
	c := def.Column(t.AutoIncrement.Column)
	if c == nil {
		return fail(errKeyColumnMissing, "auto_increment column %q of the VSchema doesn't exist in table %q", t.AutoIncrement.Column, def.Name)
	}
	c.AutoInc, c.Default, c.DefaultText = true, nil, ""
	return nil
}

func (p *planner) createView(stmt *sqlast.CreateView) error {
	if err := p.here(stmt.View.Schema, stmt.View.Name); err != nil {
		return err
	}
	name := stmt.View.Name
	if err := checkName(name); err != nil {
		return err
	}
	if p.table(name) != nil {
		if stmt.OrReplace {
			return fail(errWrongObject, "%q is a table, not a view", name)
		}
		return fail(errTableExists, "table %q already exists in keyspace %q", name, p.o.Keyspace)
	}
	old := p.view(name)
	if old != nil && !stmt.OrReplace {
		return fail(errTableExists, "view %q already exists in keyspace %q; CREATE OR REPLACE VIEW replaces it", name, p.o.Keyspace)
	}
	if old == nil && stmt.Alter {
		return p.noTable(name)
	}
	if err := p.checkView(stmt); err != nil {
		return err
	}
	c := schema.Change{Keyspace: p.o.Keyspace, View: &schema.View{
		Name: name, Columns: stmt.Columns, Query: stmt.Query, Text: strings.TrimSpace(stmt.QueryText), Check: stmt.Check}}
	if old != nil {
		c.Drop = old.Name
	}
	p.apply(c)
	return nil
}

// checkView looks at what can be told without binding the query.
func (p *planner) checkView(stmt *sqlast.CreateView) error {
	if p.selects(stmt.Query, stmt.View.Name) {
		return fail(errViewRecursive, "view %q is made of itself", stmt.View.Name)
	}
	seen := map[string]bool{}
	for _, c := range stmt.Columns {
		if seen[strings.ToLower(c)] {
			return fail(errDuplicateColumn, "duplicate column name %q in view %q", c, stmt.View.Name)
		}
		seen[strings.ToLower(c)] = true
	}
	sel := firstSelect(stmt.Query)
	if sel == nil || len(stmt.Columns) == 0 {
		return nil
	}
	for _, item := range sel.Items {
		if item.Star {
			return nil
		}
	}
	if n := len(sel.Items); n > 0 && n != len(stmt.Columns) {
		return fail(errViewColumns, "view %q names %d columns, its query has %d", stmt.View.Name, len(stmt.Columns), n)
	}
	return nil
}

// selects says whether a query names a relation of the keyspace.
func (p *planner) selects(q sqlast.Query, name string) bool {
	for _, t := range sqlast.BareRefs(q) {
		if strings.EqualFold(t.Name, name) {
			return true
		}
	}
	found := false
	sqlast.EachRef(q, func(t *sqlast.TableRef) {
		found = found || t.Schema == p.o.Keyspace && strings.EqualFold(t.Name, name)
	})
	return found
}

func firstSelect(q sqlast.Query) *sqlast.Select {
	for {
		switch x := q.(type) {
		case *sqlast.Select:
			return x
		case *sqlast.SetOp:
			q = x.L
		default:
			return nil
		}
	}
}

// ViewDDL writes a view as MySQL's CREATE VIEW, as the catalog keeps it.
func ViewDDL(v *schema.View) string {
	var b strings.Builder
	b.WriteString("CREATE VIEW " + quote(v.Name))
	if len(v.Columns) > 0 {
		b.WriteString(" (")
		for i, c := range v.Columns {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(quote(c))
		}
		b.WriteString(")")
	}
	b.WriteString(" AS " + v.Text)
	if v.Check != "" {
		b.WriteString(" WITH " + v.Check + " CHECK OPTION")
	}
	return b.String()
}

// quote writes a name as MySQL quotes it.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
