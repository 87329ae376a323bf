package difftest

import (
	"fmt"
	"strings"
)

// Relation is a table or view to be made.
type Relation struct {
	Name string
	Statement
}

// Schema gives the statements that make the tables and views.
func (g *Gen) Schema() []Relation {
	var out []Relation
	for range 2 + g.n(4) {
		out = append(out, g.makeTable()...)
	}
	if g.chance(70) {
		out = append(out, g.makeView())
	}
	return out
}

var typeNames = map[kind]string{kInt: "INT", kBig: "BIGINT", kBool: "TINYINT(1)", kDec: "DECIMAL(12,2)", kLong: "DECIMAL(30,10)", kDouble: "DOUBLE",
	kDate: "DATE", kDateTime: "DATETIME", kBlob: "BLOB"}

func (c column) def() string {
	t := typeNames[c.kind]
	if c.kind == kText {
		t = "VARCHAR(40) COLLATE utf8mb4_bin"
		if c.ci {
			t = "VARCHAR(40) COLLATE utf8mb4_general_ci"
		}
	}
	if c.made != "" {
		return c.name + " " + t + " AS (" + c.made + ")"
	}
	if c.notNull {
		t += " NOT NULL"
	}
	if c.auto {
		t += " AUTO_INCREMENT"
	}
	return c.name + " " + t
}

func (g *Gen) makeTable() []Relation {
	t := &table{name: g.name("t")}
	var extra []string
	p := g.parentFor()
	if p != nil && p.apart() || p == nil && g.foreignKeys && g.chance(25) {
		t.name = apart + t.name
	}
	if p != nil {
		extra = g.child(t, p)
	} else {
		g.keyed(t)
	}
	for range 2 + g.n(4) {
		t.cols = append(t.cols, g.payload(t))
	}
	extra = append(extra, g.foreign(t)...)
	if t.parent == nil {
		g.elsewhere(t)
		g.place(t)
	}
	if g.chance(25) {
		g.generated(t)
	}
	for i, c := range t.cols {
		if i >= t.pk && c.kind != kBlob && g.chance(15) {
			extra = append(extra, "KEY ("+c.name+")")
		}
	}
	for range pick(g, 0, 0, 1, 1, 2) {
		extra = append(extra, g.unique(t)...)
	}
	if g.chance(20) {
		extra = append(extra, g.uniqueExpression(t)...)
	}
	entries := g.lookups(t)
	g.tables = append(g.tables, t)
	return append(entries, Relation{t.name, Statement{Kind: Schema, SQL: t.ddl(extra)}})
}

// apart is how the names begin of tables that are in another keyspace. The plain
// database has one only, and the names without it.
const apart = "apart."

func (t *table) apart() bool { return strings.HasPrefix(t.name, apart) }

// from gives the table's name as tables of the other one's keyspace know it.
func (t *table) from(other *table) string {
	if other.apart() && !t.apart() {
		return oracleKeyspace + "." + t.name
	}
	return t.name
}

// inOne gives a text that has names of several keyspaces the names of one.
func inOne(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, apart, ""), oracleKeyspace+".", "")
}

func (t *table) ddl(extra []string) string {
	var defs []string
	for _, c := range t.cols {
		defs = append(defs, c.def())
	}
	if t.pk > 0 {
		defs = append(defs, "PRIMARY KEY ("+strings.Join(t.names(0, t.pk), ", ")+")")
	}
	return "CREATE TABLE " + t.name + " (" + strings.Join(append(defs, extra...), ", ") + ")" + t.declaration()
}

func (t *table) names(from, to int) []string {
	var out []string
	for _, c := range t.cols[from:to] {
		out = append(out, c.name)
	}
	return out
}

func (g *Gen) payload(t *table) column {
	k := pick(g, kInt, kInt, kBig, kBool, kDec, kLong, kDouble, kText, kText, kText, kDate, kDateTime, kBlob)
	return column{name: fmt.Sprintf("%s%d", pick(g, "a", "b", "c"), len(t.cols)), kind: k, ci: k == kText && g.chance(50), notNull: g.chance(15)}
}

func (g *Gen) keyColumn(name string) column {
	k := pick(g, kInt, kInt, kBig, kBig, kText, kText, kDec, kLong, kDate, kDateTime)
	return column{name: name, kind: k, ci: k == kText && g.chance(50), notNull: true}
}

// keyed gives the table its key columns.
func (g *Gen) keyed(t *table) {
	switch {
	case g.chance(15): // no primary key, a sharding key that may be NULL
		c := g.keyColumn("k")
		c.notNull = false
		t.cols, t.shard = []column{c}, []int{0}
	case g.chance(35):
		t.cols, t.pk = []column{g.keyColumn("k"), g.keyColumn("l")}, 2
		t.shard = pick(g, []int{0}, []int{0}, []int{1}, []int{0, 1})
	case g.chance(40):
		t.cols, t.pk, t.shard = []column{{name: "id", kind: kBig, notNull: true, auto: true}}, 1, []int{0}
	default:
		t.cols, t.pk, t.shard = []column{g.keyColumn("id")}, 1, []int{0}
	}
}

// parentFor picks a table that the next one may be a child of.
func (g *Gen) parentFor() *table {
	if len(g.tables) == 0 || !g.chance(45) {
		return nil
	}
	p := pick(g, g.tables...)
	if p.pk != 1 || p.copied || len(p.shard) != 1 || p.shard[0] != 0 || p.view {
		return nil
	}
	return p
}

func (g *Gen) child(t, p *table) []string {
	key := p.cols[0]
	key.name, key.auto = "pk", false
	own := g.keyColumn("n")
	t.cols, t.pk, t.shard, t.parent = []column{key, own}, 2, []int{0}, p
	p.children = true
	t.sharding = strings.ReplaceAll(p.sharding, "("+p.cols[0].name+")", "(pk)")
	if g.chance(35) {
		return nil // co-located without a foreign key
	}
	action := pick(g, "", "", " ON DELETE CASCADE", " ON DELETE RESTRICT", " ON DELETE CASCADE ON UPDATE CASCADE")
	return []string{"FOREIGN KEY (pk) REFERENCES " + p.from(t) + "(" + p.cols[0].name + ")" + action}
}

func (g *Gen) makeView() Relation {
	g.begin()
	t := pick(g, g.stored()...)
	s := &scope{sources: []source{{alias: "x", cols: t.cols}}}
	v := &table{name: g.name("v"), view: true}
	var items []string
	for _, c := range t.cols {
		if g.chance(75) {
			items = append(items, "x."+c.name)
			c.auto = false
			v.cols = append(v.cols, c)
		}
	}
	if len(items) == 0 {
		items, v.cols = []string{"x." + t.cols[0].name}, t.cols[:1:1]
	}
	text := "CREATE VIEW " + v.name + " AS SELECT " + strings.Join(items, ", ") + " FROM " + t.name + " x"
	if g.chance(60) {
		text += " WHERE " + g.comparison(s)
	}
	g.tables = append(g.tables, v)
	return Relation{v.name, g.stmt(Schema, text, false)}
}
