package info

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
)

const defaultCollation = "utf8mb4_bin"

// relation is a table or a view.
type relation struct {
	name  string
	table *sqlast.TableDef
	view  *schema.View
	// system: a table of information_schema.
	system bool
}

func (r *request) relations(ks string) []relation {
	var out []relation
	if ks == catalogName {
		for _, t := range catalog {
			out = append(out, relation{name: t.def.Name, table: t.def, system: true})
		}
	}
	for _, t := range r.Schema.Tables(ks) {
		out = append(out, relation{name: t.Name, table: t})
	}
	for _, v := range r.Schema.Views(ks) {
		out = append(out, relation{name: v.Name, view: v})
	}
	sort.SliceStable(out, func(i, j int) bool { return strings.ToLower(out[i].name) < strings.ToLower(out[j].name) })
	return out
}

// relation finds the table or view that the statement names.
func (r *request) relation() (relation, error) {
	ks, err := r.keyspace()
	if err != nil {
		return relation{}, err
	}
	if r.show.Table == nil {
		return relation{}, fail(errNoSuchTable, "SHOW %s needs a table", r.show.What)
	}
	name := r.show.Table.Name
	if t := CatalogTable(name); ks == catalogName && t != nil {
		return relation{name: t.Name, table: t, system: true}, nil
	}
	if t := r.Schema.Table(ks, name); t != nil && !schema.Hidden(name) {
		return relation{name: t.Name, table: t}, nil
	}
	if v := r.Schema.View(ks, name); v != nil {
		return relation{name: v.Name, view: v}, nil
	}
	return relation{}, fail(errNoSuchTable, "table %q doesn't exist in keyspace %q", name, ks)
}

func (r *request) tables() (*answer, error) {
	ks, err := r.keyspace()
	if err != nil {
		return nil, err
	}
	full := r.show.What == "FULL TABLES"
	a := &answer{columns: []string{"Tables_in_" + ks}, likeName: true}
	if full {
		a.columns = append(a.columns, "Table_type")
	}
	for _, rel := range r.relations(ks) {
		kind := "BASE TABLE"
		switch {
		case rel.view != nil:
			kind = "VIEW"
		case rel.system:
			kind = "SYSTEM VIEW"
		}
		if full {
			a.add(rel.name, kind)
		} else {
			a.add(rel.name)
		}
	}
	return a, nil
}

func (r *request) tableStatus() (*answer, error) {
	ks, err := r.keyspace()
	if err != nil {
		return nil, err
	}
	a := &answer{columns: []string{"Name", "Engine", "Version", "Row_format", "Rows", "Avg_row_length", "Data_length", "Max_data_length",
		"Index_length", "Data_free", "Auto_increment", "Create_time", "Update_time", "Check_time", "Collation", "Checksum",
		"Create_options", "Comment"}}
	r.numbered = true
	for _, rel := range r.relations(ks) {
		if rel.view != nil {
			a.add(rel.name, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, "VIEW")
			continue
		}
		a.rows = append(a.rows, append([]any{rel.name}, r.statusOf(ks, rel.table)...))
	}
	return a, r.failed
}

// statusOf is a table's row of TABLE STATUS from Engine on. Sizes only the
// shards could tell, and times nobody keeps.
func (r *request) statusOf(ks string, t *sqlast.TableDef) []any {
	auto := r.nextID(ks, t)
	options := ""
	if len(t.PartitionKey) > 0 {
		options = "partitioned"
	}
	return []any{engineOf(t), int64(10), "Dynamic", nil, nil, nil, nil, nil, nil, auto, nil, nil, nil, collationOf(t), nil, options, t.Comment}
}

// nextID is the next value of a table's AUTO_INCREMENT column, nil when it has none.
func (r *request) nextID(ks string, t *sqlast.TableDef) any {
	if !r.numbered || !slices.ContainsFunc(t.Columns, func(c *sqlast.ColumnDef) bool { return c.AutoInc }) {
		return nil
	}
	from, name := ks, t.Name
	if vt := r.VSchema.Keyspace(ks).Table(t.Name); vt != nil && vt.AutoIncrement != nil && vt.AutoIncrement.Sequence != "" {
		name = vt.AutoIncrement.Sequence
		if other, sequence, qualified := strings.Cut(name, "."); qualified {
			from, name = other, sequence
		}
	}
	if r.Next == nil {
		return max(t.AutoInc, 1)
	}
	next, err := r.Next(from, name)
	if err != nil {
		r.failed = err
	}
	return next
}

func engineOf(t *sqlast.TableDef) string {
	if t.Engine != "" {
		return t.Engine
	}
	return "InnoDB"
}

func collationOf(t *sqlast.TableDef) string {
	if t.Collation != "" {
		return t.Collation
	}
	return defaultCollation
}

func (r *request) columns() (*answer, error) {
	rel, err := r.relation()
	if err != nil {
		return nil, err
	}
	full := r.show.What == "FULL COLUMNS"
	a := &answer{columns: []string{"Field", "Type", "Null", "Key", "Default", "Extra"}}
	if full {
		a.columns = []string{"Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges", "Comment"}
	}
	cols, err := r.columnsOf(rel)
	if err != nil {
		return nil, err
	}
	for _, c := range cols {
		key := ""
		if rel.table != nil {
			key = keyOf(rel.table, c)
		}
		typ, null, def, extra := TypeText(c.Type), yesNo(!c.Type.NotNull), DefaultOf(c), ExtraOf(c)
		if full {
			a.add(c.Name, typ, columnCollation(c), null, key, def, extra, "select,insert,update,references", c.Comment)
		} else {
			a.add(c.Name, typ, null, key, def, extra)
		}
	}
	return a, nil
}

// columnsOf gives a view's columns the types that CREATE TABLE … AS SELECT
// would give them.
func (r *request) columnsOf(rel relation) ([]*sqlast.ColumnDef, error) {
	ks, err := r.keyspace()
	if err != nil {
		return nil, err
	}
	return r.columnsIn(ks, rel)
}

func (r *request) columnsIn(ks string, rel relation) ([]*sqlast.ColumnDef, error) {
	if rel.table != nil {
		return rel.table.Columns, nil
	}
	cols, err := ddl.ResultColumns(rel.view.Query, rel.view.Columns, r.Schema, ks)
	if err != nil {
		return nil, fail(errNotSupported, "view %q: %s", rel.name, err)
	}
	return cols, nil
}

func columnCollation(c *sqlast.ColumnDef) any {
	switch {
	case c.Type.Class != sqlast.ClassText:
		return nil
	case c.Type.Collation != "":
		return c.Type.Collation
	}
	return defaultCollation
}

// keyOf says PRI, UNI, MUL or nothing.
func keyOf(t *sqlast.TableDef, c *sqlast.ColumnDef) string {
	best := ""
	for _, x := range t.Indexes {
		for i, p := range x.Parts {
			if !strings.EqualFold(p.Column, c.Name) {
				continue
			}
			switch {
			case x.Kind == sqlast.IndexPrimary:
				return "PRI"
			case i == 0 && x.Kind == sqlast.IndexUnique && len(x.Parts) == 1:
				best = "UNI"
			case i == 0 && best == "":
				best = "MUL"
			}
		}
	}
	if best == "UNI" && c.Type.NotNull && t.PrimaryKey() == nil && firstUnique(t, c) {
		return "PRI" // MySQL shows the key that stands in for a primary one so
	}
	return best
}

// firstUnique says whether the table's first unique key without NULLs is on c
// alone.
func firstUnique(t *sqlast.TableDef, c *sqlast.ColumnDef) bool {
	for _, x := range t.Indexes {
		if x.Kind != sqlast.IndexUnique {
			continue
		}
		notNull := true
		for _, p := range x.Parts {
			col := t.Column(p.Column)
			notNull = notNull && col != nil && col.Type.NotNull
		}
		if notNull {
			return len(x.Parts) == 1 && strings.EqualFold(x.Parts[0].Column, c.Name)
		}
	}
	return false
}

func (r *request) index() (*answer, error) {
	rel, err := r.relation()
	if err != nil {
		return nil, err
	}
	a := &answer{like: 2, columns: []string{"Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name", "Collation", "Cardinality",
		"Sub_part", "Packed", "Null", "Index_type", "Comment", "Index_comment", "Visible", "Expression"}}
	if rel.table == nil {
		return a, nil
	}
	for _, x := range rel.table.Indexes {
		for i, p := range x.Parts {
			a.rows = append(a.rows, indexRow(rel.table, x, i, p))
		}
	}
	return a, nil
}

func indexRow(t *sqlast.TableDef, x *sqlast.IndexDef, i int, p sqlast.IndexPart) []any {
	nonUnique, order, typ := int64(1), any("A"), "BTREE"
	if x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique {
		nonUnique = 0
	}
	if p.Desc {
		order = "D"
	}
	if x.Kind == sqlast.IndexFulltext {
		order, typ = nil, "FULLTEXT"
	}
	var column, length, expr any
	null := ""
	if p.Column != "" {
		column = p.Column
	} else {
		expr, null = p.ExprText, "YES"
	}
	if p.Length > 0 {
		length = int64(p.Length)
	}
	if c := t.Column(p.Column); c != nil && !c.Type.NotNull {
		null = "YES"
	}
	return []any{t.Name, nonUnique, x.Name, int64(i + 1), column, order, nil, length, nil, null, typ, "", x.Comment, "YES", expr}
}

func (r *request) createTable() (*answer, error) {
	rel, err := r.relation()
	if err != nil {
		return nil, err
	}
	if rel.view != nil {
		return viewAnswer(rel.view), nil // as MySQL does
	}
	a := &answer{columns: []string{"Table", "Create Table"}}
	a.add(rel.name, dialect.ShowCreate(rel.table))
	return a, nil
}

func (r *request) createView() (*answer, error) {
	rel, err := r.relation()
	if err != nil {
		return nil, err
	}
	if rel.view == nil {
		return nil, fail(errWrongObject, "%q is a table, not a view", rel.name)
	}
	return viewAnswer(rel.view), nil
}

func viewAnswer(v *schema.View) *answer {
	a := &answer{columns: []string{"View", "Create View", "character_set_client", "collation_connection"}}
	a.add(v.Name, ddl.ViewDDL(v), "utf8mb4", defaultCollation)
	return a
}

// DefaultOf is a column's default as SHOW COLUMNS and information_schema print
// it: nil for none and for NULL, a literal without its quotes, an expression
// as text.
func DefaultOf(c *sqlast.ColumnDef) any {
	switch d := c.Default.(type) {
	case nil:
		return emptyToNil(c.DefaultText)
	case *sqlast.Lit:
		switch {
		case d.Kind == sqlast.LitNull:
			return nil
		case d.Kind == sqlast.LitTrue:
			return "1"
		case d.Kind == sqlast.LitFalse:
			return "0"
		case d.Kind == sqlast.LitBytes:
			return c.DefaultText
		}
		return d.Text
	case *sqlast.Unary:
		if lit, ok := d.X.(*sqlast.Lit); ok && d.Op == sqlast.OpNeg {
			return "-" + lit.Text
		}
	case *sqlast.Func:
		if now := dialect.NowText(d); now != "" {
			return now
		}
	}
	s := c.DefaultText
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		s = s[1 : len(s)-1]
	}
	return s
}

// ExtraOf is SHOW COLUMNS' Extra.
func ExtraOf(c *sqlast.ColumnDef) string {
	var parts []string
	switch {
	case c.AutoInc:
		parts = append(parts, "auto_increment")
	case (c.Generated != nil || c.GeneratedText != "") && c.Stored:
		parts = append(parts, "STORED GENERATED")
	case c.Generated != nil || c.GeneratedText != "":
		parts = append(parts, "VIRTUAL GENERATED")
	case computedDefault(c):
		parts = append(parts, "DEFAULT_GENERATED")
	}
	if c.OnUpdateNow {
		now := "on update CURRENT_TIMESTAMP"
		if c.Type.Scale > 0 {
			now += "(" + strconv.Itoa(c.Type.Scale) + ")"
		}
		parts = append(parts, now)
	}
	return strings.Join(parts, " ")
}

func computedDefault(c *sqlast.ColumnDef) bool {
	switch d := c.Default.(type) {
	case nil, *sqlast.Lit:
		return false
	case *sqlast.Unary:
		_, lit := d.X.(*sqlast.Lit)
		return !lit
	}
	return true
}
