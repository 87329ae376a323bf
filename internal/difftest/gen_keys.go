package difftest

import (
	"slices"
	"strconv"
	"strings"
)

// unique gives a unique key of one or two columns; half of them lack the
// sharding columns. Some texts' beginnings have to be unique too.
func (g *Gen) unique(t *table) []string {
	var key []int
	if g.chance(50) {
		key = append(key, t.shard...)
	}
	for range pick(g, 1, 1, 2) {
		if len(t.cols) == t.pk {
			break
		}
		at := t.pk + g.n(len(t.cols)-t.pk)
		if t.cols[at].kind != kBlob && !slices.Contains(key, at) {
			key = append(key, at)
		}
	}
	if len(key) == 0 {
		return nil
	}
	g.r.Shuffle(len(key), func(i, j int) { key[i], key[j] = key[j], key[i] })
	var names, parts []string
	made := false
	for _, i := range key {
		made = made || t.cols[i].made != ""
		t.cols[i].unique = true
		names, parts = append(names, t.cols[i].name), append(parts, t.cols[i].name)
		if t.cols[i].kind == kText && i%2 == 1 {
			parts[len(parts)-1] += "(2)"
		}
	}
	t.keys = append(t.keys, key)
	if !made {
		t.unique = append(t.unique, key)
	}
	out := []string{"UNIQUE KEY (" + strings.Join(names, ", ") + ")"}
	if !slices.Equal(names, parts) {
		out = append(out, "UNIQUE KEY ("+strings.Join(parts, ", ")+")")
	}
	return out
}

// expression is what a key may be on: pattern with the column in the place of c.
type expression struct {
	pattern string
	col     int
	kind    kind
}

func (e expression) of(col string) string { return strings.ReplaceAll(e.pattern, "@", col) }

// expression makes one of a column that rows are given.
func (g *Gen) expression(t *table) (expression, bool) {
	if len(t.cols) == t.pk {
		return expression{}, false
	}
	e := expression{col: t.pk + g.n(len(t.cols)-t.pk)}
	c := t.cols[e.col]
	if c.made != "" && g.chance(50) {
		return e, false
	}
	switch c.kind {
	case kInt, kBig:
		e.pattern, e.kind = pick(g, "@ + 1", "@ * 2", "ABS(@)", "-@", "COALESCE(@, 77)"), kBig
	case kText:
		e.pattern, e.kind = pick(g, "LOWER(@)", "CONCAT(@, '!')", "TRIM(@)", "UPPER(LEFT(@, 3))"), kText
		if g.chance(30) {
			e.pattern, e.kind = pick(g, "CHAR_LENGTH(@)", "@ = 'b'"), kBig
		}
	case kDate, kDateTime:
		e.pattern, e.kind = pick(g, "TO_DAYS(@)", "YEAR(@) * 100 + MONTH(@)"), kBig
	case kDec:
		e.pattern, e.kind = pick(g, "@ * 2", "@ + 0.5"), kDec
	default:
		return e, false
	}
	return e, true
}

// byExpression gives a condition that spells a key's expression.
func (g *Gen) byExpression(t *table, src *source) string {
	e := pick(g, t.exprs...)
	x := e.of(src.col(e.col))
	if g.chance(60) {
		return x + " = " + g.literal(e.kind, false)
	}
	return x + " IN (" + g.literals(e.kind) + ")"
}

// generated adds a column that is made of another.
func (g *Gen) generated(t *table) {
	if e, ok := g.expression(t); ok {
		c := column{name: "m" + strconv.Itoa(len(t.cols)), kind: e.kind, made: e.of(t.cols[e.col].name), unique: true}
		c.ci = c.kind == kText && t.cols[e.col].ci
		t.cols[e.col].unique = true
		t.cols = append(t.cols, c)
	}
}

// uniqueExpression gives a unique key on an expression, at times beside a column.
func (g *Gen) uniqueExpression(t *table) []string {
	e, ok := g.expression(t)
	if !ok {
		return nil
	}
	parts := "(" + e.of(t.cols[e.col].name) + ")"
	if i := g.n(len(t.cols)); g.chance(40) && t.cols[i].kind != kBlob {
		t.cols[i].unique = true
		parts += ", " + t.cols[i].name
	} else {
		t.exprs = append(t.exprs, e)
	}
	t.cols[e.col].unique = true
	return []string{"UNIQUE KEY " + g.name("x") + " (" + parts + ")"}
}

// lookups gives some tables lookup vindexes of their own, and the tables that
// hold their entries. Unique ones stand beside a unique key, so that the plain
// database holds to the same.
func (g *Gen) lookups(t *table) []Relation {
	if len(t.shard) == 0 || t.apart() || !g.chance(30) {
		return nil
	}
	var entries []Relation
	own := func(key []int, kinds ...string) {
		name, typ := g.name("e"), pick(g, kinds...)
		var names, defs []string
		for _, i := range key {
			c := t.cols[i]
			names = append(names, c.name)
			c.auto, c.notNull = false, true
			defs = append(defs, c.def())
		}
		list := strings.Join(names, ", ")
		pk := list
		if !strings.Contains(typ, "unique") {
			pk += ", ksid"
		}
		entries = append(entries, Relation{name, Statement{Kind: Schema, SQL: "CREATE TABLE " + name + " (" + strings.Join(defs, ", ") +
			", ksid VARBINARY(255) NOT NULL, PRIMARY KEY (" + pk + "))" + pick(g, "", "", " COMMENT 'unsharded'")}})
		t.also = append(t.also, typ+"("+list+") owner="+t.name+" table="+name+` from="`+strings.Join(names, ",")+`" to=ksid`)
		t.lookup = append(t.lookup, t.name+"_"+strings.Join(names, "_")+"_"+typ)
		t.keys = append(t.keys, key)
	}
	for _, key := range t.unique[:min(len(t.unique), g.n(2))] {
		own(key, "lookup_unique", "consistent_lookup_unique")
	}
	for i := t.pk; i < len(t.cols) && len(entries) < 3; i++ {
		if t.cols[i].kind != kBlob && t.cols[i].made == "" && !slices.Contains(t.shard, i) && g.chance(30) {
			own([]int{i}, "lookup", "consistent_lookup")
		}
	}
	return entries
}

// foreign gives some tables a column that references another table's key, or
// their own: rows and parents then live wherever each is sharded to.
func (g *Gen) foreign(t *table) []string {
	if !g.foreignKeys || !g.chance(35) {
		return nil
	}
	self := len(t.cols) > 0 && t.pk == 1 && g.chance(15)
	p := t
	var at []int
	if !self {
		if len(g.tables) == 0 {
			return nil
		}
		if p = pick(g, g.tables...); p == t.parent || p.view {
			return nil
		}
	}
	if p.pk > 0 {
		at = keyOf(p)
	}
	if len(p.unique) > 0 && (at == nil || g.chance(40)) {
		at = pick(g, p.unique...)
	}
	if at == nil {
		return nil
	}
	var own, theirs []string
	nullable := true
	for _, i := range at {
		c := p.cols[i]
		theirs = append(theirs, c.name)
		c.name, c.auto, c.positive, c.unique, c.notNull = "f"+strconv.Itoa(len(t.cols)), false, false, false, g.chance(25)
		nullable = nullable && !c.notNull
		own = append(own, c.name)
		t.cols = append(t.cols, c)
	}
	actions := []string{"", " RESTRICT", " NO ACTION", " CASCADE", " CASCADE"}
	if self {
		// Whether a row goes before the one that it references is left open.
		actions = []string{" CASCADE"}
		t.self = true
	}
	if nullable {
		actions = append(actions, " SET NULL", " SET NULL")
	}
	p.children = true
	text := "CONSTRAINT " + g.name("fk") + " FOREIGN KEY (" + strings.Join(own, ", ") + ") REFERENCES " + p.from(t) + "(" + strings.Join(theirs, ", ") + ")"
	if a := pick(g, actions...); a != "" {
		text += " ON DELETE" + a
	}
	if a := pick(g, actions...); a != "" && !self {
		text += " ON UPDATE" + a
	}
	return []string{text}
}
