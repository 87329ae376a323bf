package difftest

import (
	"strconv"
	"strings"
)

// block is a query under construction: its text but for ORDER BY and LIMIT.
type block struct {
	with, head, items, rest string
	cols                    []column
	// total lists expressions by which the rows have one order, nil if there
	// are none but the columns.
	total []string
	// plain: ORDER BY may name any expression of the scope.
	scope *scope
	set   bool // a set operation
}

func (b *block) text() string { return b.with + b.head + b.items + b.rest }

// Query makes a query. It gives the same one several times: with its literals,
// with parameters, and with the universal combine forced.
func (g *Gen) Query() []Statement {
	g.begin()
	b := g.query(0, nil)
	var s Statement
	tail := g.tail(b, &s)
	ways := []Statement{g.stmt(Query, b.text()+tail, false)}
	if len(g.lits) > 0 && g.chance(60) {
		ways = append(ways, g.stmt(Query, b.text()+tail, true))
	}
	ways = append(ways, g.stmt(Query, "/*vt+ COMBINE=query */ "+b.text()+tail, false))
	for i := range ways {
		ways[i].Exact, ways[i].Keys = s.Exact, s.Keys
	}
	return ways
}

// query gives a query block.
func (g *Gen) query(depth int, outer *scope) *block {
	switch n := g.n(20); {
	case n < 2 && depth == 0:
		return g.point()
	case n < 4 && depth < 2:
		return g.union(depth)
	case n == 4 && depth == 0:
		return g.common()
	case n == 11 && depth == 0:
		return g.bare()
	case n < 10:
		return g.grouped(depth)
	case n == 10 && depth == 0:
		return g.windowed()
	}
	return g.plainBlock(depth)
}

// point reads by the sharding key, the primary key, or another key.
func (g *Gen) point() *block {
	t := pick(g, g.stored()...)
	src := source{alias: t.name, cols: t.cols, of: t, bare: g.chance(60)}
	s := &scope{sources: []source{src}}
	keys := t.shard
	if len(keys) == 0 || g.chance(30) {
		keys = nil
		for i := range max(t.pk, 1) {
			keys = append(keys, i)
		}
	}
	if len(t.keys) > 0 && g.chance(45) {
		keys = pick(g, t.keys...)
	}
	var conds []string
	for _, i := range keys {
		c := t.cols[i]
		first := ""
		if g.chance(12) {
			first = g.extreme(found{column: c, sql: src.col(i)})
		}
		switch {
		case first != "":
			conds = append(conds, src.col(i)+pick(g, " = ", " = ", " <= ")+first)
		case g.chance(60):
			conds = append(conds, src.col(i)+" = "+g.literal(c.kind, false))
		case g.chance(60):
			conds = append(conds, src.col(i)+" IN ("+g.literals(c.kind)+")")
		default:
			conds = append(conds, src.col(i)+pick(g, " >= ", " < ", " > ", " <= ")+g.literal(c.kind, false))
		}
	}
	if len(t.exprs) > 0 && g.chance(50) {
		conds = []string{g.byExpression(t, &src)}
	}
	if g.chance(15) {
		i := pick(g, keys...)
		conds = append(conds, src.col(i)+" IN ("+g.literals(t.cols[i].kind)+")")
	}
	if g.chance(40) {
		conds = append(conds, g.boolean(s, 1))
	}
	if g.chance(4) {
		conds = append(conds, g.constant())
	}
	b := &block{head: "SELECT ", scope: s, total: totalOf(s)}
	if g.chance(50) {
		b.items, b.cols = "*", t.cols
	} else {
		b.items, b.cols = g.items(s, 1)
	}
	b.rest = " FROM " + t.name + " WHERE " + strings.Join(conds, " AND ")
	return b
}

// totalOf gives the keys of all sources, if each has one.
func totalOf(s *scope) []string {
	var out []string
	for _, src := range s.sources {
		if len(src.key) == 0 {
			return nil
		}
		for _, k := range src.key {
			out = append(out, src.col(k))
		}
	}
	return out
}

// items gives a select list.
func (g *Gen) items(s *scope, depth int) (string, []column) {
	var list []string
	var cols []column
	for i := range 1 + g.n(4) {
		x, c := g.scalar(s, depth)
		c.name = "c" + strconv.Itoa(i)
		list = append(list, x+" AS "+c.name)
		cols = append(cols, c)
	}
	return strings.Join(list, ", "), cols
}

// plainBlock is a query without groups.
func (g *Gen) plainBlock(depth int) *block {
	from, s := g.from(depth)
	b := &block{head: "SELECT ", rest: " FROM " + from, scope: s, total: totalOf(s)}
	if depth == 0 && g.chance(12) {
		b.items = "*"
		for _, src := range s.sources {
			b.cols = append(b.cols, src.cols...)
		}
		if strings.Contains(from, " USING ") || strings.Contains(from, " NATURAL ") {
			b.items, b.cols = g.items(s, 1)
		}
	} else {
		b.items, b.cols = g.items(s, 2-depth)
	}
	if g.chance(65) {
		b.rest += " WHERE " + g.boolean(s, 2-depth)
		if g.chance(4) {
			b.rest += " AND " + g.constant()
		}
	}
	if g.chance(15) {
		b.head, b.total, b.scope = "SELECT DISTINCT ", nil, nil
		g.merged(b.cols)
	}
	return b
}

// merged notes that equal values of these columns became one.
func (g *Gen) merged(cols []column) {
	for i := range cols {
		if cols[i].ci {
			g.fold = true
			cols[i].opaque = true
		}
	}
}

// grouped is a query with aggregates.
func (g *Gen) grouped(depth int) *block {
	from, s := g.from(depth)
	own := &scope{sources: s.sources, depth: s.depth}
	b := &block{head: "SELECT "}
	var keys, list []string
	for range pick(g, 0, 0, 1, 1, 1, 2) {
		c, ok := g.some(own, any1)
		if !ok {
			break
		}
		x := c.sql
		if c.kind.number() && g.chance(20) {
			x, c.kind = c.sql+" + 1", kDouble
		}
		keys = append(keys, x)
		if g.chance(85) {
			list = append(list, x)
			b.cols = append(b.cols, column{kind: c.kind, ci: c.ci})
		}
	}
	g.merged(b.cols)
	aggs := 1 + g.n(3)
	for range aggs {
		x, c := g.aggregate(own)
		if c.kind.number() && g.chance(12) {
			x = x + " + 1"
		}
		if c.kind.number() && g.chance(10) {
			if y, d := g.aggregate(own); d.kind.number() {
				x, c.kind = x+pick(g, " - ", " + ")+y, kDouble
			}
		}
		list = append(list, x)
		b.cols = append(b.cols, c)
	}
	window := len(keys) > 0 && depth == 0 && g.chance(10)
	if window {
		// Of groups with equal counts none comes before the other.
		list = append(list, pick(g, "RANK() OVER (ORDER BY COUNT(*) DESC)", "SUM(COUNT(*)) OVER (ORDER BY COUNT(*))",
			"COUNT(*) OVER ()", "DENSE_RANK() OVER (PARTITION BY COUNT(*) % 2 ORDER BY COUNT(*))"))
		b.cols = append(b.cols, column{kind: kInt})
		aggs++
	}
	for i := range list {
		b.cols[i].name = "c" + strconv.Itoa(i)
		list[i] += " AS " + b.cols[i].name
	}
	b.items = strings.Join(list, ", ")
	b.rest = " FROM " + from
	if g.chance(50) {
		b.rest += " WHERE " + g.boolean(s, 1)
	}
	if len(keys) > 0 {
		by := strings.Join(keys, ", ")
		if len(keys) == len(list)-aggs && g.chance(20) {
			by = strings.Join([]string{"1", "2"}[:len(keys)], ", ")
		}
		b.rest += " GROUP BY " + by
		if g.chance(8) {
			b.rest += " WITH ROLLUP"
		}
	}
	if g.chance(25) {
		x, c := g.aggregate(own)
		switch {
		case g.chance(20) && last(b.cols).kind == kInt && !window:
			b.rest += " HAVING " + last(b.cols).name + " >= 1"
		case c.opaque:
			b.rest += " HAVING COUNT(*) > 1"
		case g.chance(30):
			b.rest += " HAVING " + x + " >= (SELECT COUNT(*) FROM " + pick(g, g.tables...).name + ") / 4"
		case g.chance(15) && len(keys) > 0 && !strings.Contains(keys[0], "+"):
			b.rest += " HAVING " + g.memberOfAny(own, keys[0]) + " OR COUNT(*) > 1"
		default:
			b.rest += " HAVING " + x + pick(g, " > ", " < ", " <> ") + g.literal(c.kind, false)
		}
	}
	if g.chance(5) && !window {
		b.head = "SELECT DISTINCT "
	}
	return b
}

// memberOfAny asks whether a grouped column is among another table's values.
func (g *Gen) memberOfAny(s *scope, key string) string {
	in := g.inner(nil)
	for _, c := range s.columns() {
		if c.sql != key || c.ci || c.kind == kBlob {
			continue
		}
		for _, d := range in.columns() {
			if comparable2(c, d) && !d.ci {
				return key + pick(g, " IN (SELECT ", " NOT IN (SELECT ") + d.sql + " FROM " + g.fromText(in) + ")"
			}
		}
	}
	return "1 = 0"
}

func last(cols []column) column { return cols[len(cols)-1] }

// bare is a query without FROM.
func (g *Gen) bare() *block {
	b := &block{head: "SELECT "}
	var items []string
	for i := range 1 + g.n(3) {
		x, c := g.scalarQuery(&scope{})
		if g.chance(40) {
			x, c = g.subCondition(&scope{}), column{kind: kBool}
		}
		c.name = "c" + strconv.Itoa(i)
		items, b.cols = append(items, x+" AS "+c.name), append(b.cols, c)
	}
	b.items = strings.Join(items, ", ")
	return b
}

// windowed is a query with window functions over one keyed table.
func (g *Gen) windowed() *block {
	var keyed []*table
	for _, t := range g.stored() {
		if t.pk > 0 {
			keyed = append(keyed, t)
		}
	}
	if len(keyed) == 0 {
		return g.plainBlock(0)
	}
	src := g.sourceOf(pick(g, keyed...))
	s := &scope{sources: []source{src}}
	total := totalOf(s)
	over := "ORDER BY " + strings.Join(total, ", ")
	if g.chance(60) {
		c, _ := g.some(s, any1)
		over = "PARTITION BY " + c.sql + " " + over
	}
	c, _ := g.some(s, any1)
	fn, kindOf := pick(g, "ROW_NUMBER()", "COUNT(*)", "RANK()", "DENSE_RANK()", "NTILE(3)"), column{kind: kInt}
	switch {
	case c.kind.number() && g.chance(40):
		fn, kindOf = "SUM("+c.sql+")", column{kind: kDouble}
	case g.chance(30):
		fn, kindOf = pick(g, "LAG(", "LEAD(", "FIRST_VALUE(")+c.sql+")", c.column
	}
	items, cols := g.items(s, 0)
	kindOf.name = "w"
	b := &block{head: "SELECT ", items: items + ", " + fn + " OVER (" + over + ") AS w", cols: append(cols, kindOf),
		rest: " FROM " + g.fromText(s), total: total, scope: s}
	if g.chance(50) {
		b.rest += " WHERE " + g.boolean(s, 1)
	}
	return b
}

// constant gives a condition that no row decides over.
func (g *Gen) constant() string {
	return pick(g, "1 = 1", "1 = 0", "TRUE", "NULL", "2 > "+g.literal(kInt, false), "NOT "+g.literal(kInt, false)+" < 3")
}

// keySets is a set operation of the sharding keys of two tables; nil if they have
// nothing in common.
func (g *Gen) keySets() *block {
	var keyed []*table
	for _, t := range g.stored() {
		if len(t.shard) == 1 && !t.cols[t.shard[0]].ci && t.cols[t.shard[0]].kind != kBlob {
			keyed = append(keyed, t)
		}
	}
	if len(keyed) == 0 {
		return nil
	}
	first := pick(g, keyed...)
	b := &block{set: true, cols: []column{{name: "c0", kind: first.cols[first.shard[0]].kind}}}
	for i := range 2 + g.n(2) {
		t := pick(g, keyed...)
		if i == 0 || t.cols[t.shard[0]].kind != b.cols[0].kind {
			t = first
		}
		src := g.sourceOf(t)
		s := &scope{sources: []source{src}, depth: 1}
		text := "SELECT " + pick(g, "", "", "DISTINCT ") + src.col(t.shard[0]) + " AS c0 FROM " + g.fromText(s)
		if g.chance(60) {
			text += " WHERE " + g.boolean(s, 1)
		}
		if i == 0 {
			b.head = text
			continue
		}
		b.rest += pick(g, " EXCEPT ", " INTERSECT ", " EXCEPT ", " INTERSECT ", " UNION ") + text
	}
	return b
}

// union joins two or three queries of the same shape.
func (g *Gen) union(depth int) *block {
	if g.chance(25) {
		if b := g.keySets(); b != nil {
			return b
		}
	}
	shape := []kind{pick(g, kInt, kText, kDec, kDate)}
	if g.chance(60) {
		shape = append(shape, pick(g, kInt, kText, kBig))
	}
	member := func() string {
		from, s := g.from(1)
		var items []string
		for i, k := range shape {
			list := only((&scope{sources: s.sources}).columns(), func(c found) bool { return c.kind == k && !c.ci })
			x := g.literal(k, true)
			if k == kDate {
				x = "DATE '2024-01-02'"
			}
			if len(list) > 0 {
				x = pick(g, list...).sql
			}
			items = append(items, x+" AS c"+strconv.Itoa(i))
		}
		where := ""
		if g.chance(70) {
			where = " WHERE " + g.boolean(s, 1)
		}
		return "SELECT " + strings.Join(items, ", ") + " FROM " + from + where
	}
	b := &block{set: true, head: member()}
	for range 1 + g.n(2) {
		b.rest += pick(g, " UNION ALL ", " UNION ALL ", " UNION ", " UNION ", " EXCEPT ", " INTERSECT ") + member()
	}
	for i, k := range shape {
		b.cols = append(b.cols, column{name: "c" + strconv.Itoa(i), kind: k})
	}
	return b
}

// common is a query over a CTE, which it may name twice.
func (g *Gen) common() *block {
	in := g.query(1, nil)
	name := g.name("w")
	b := &block{with: "WITH " + name + " AS (" + in.text() + ") ", head: "SELECT "}
	src := source{alias: g.name("q"), cols: in.cols}
	s := &scope{sources: []source{src}}
	b.rest = " FROM " + name + " AS " + src.alias
	if g.chance(40) {
		other := source{alias: g.name("q"), cols: in.cols}
		if on := g.on(s, other); on != "" {
			b.rest += pick(g, " JOIN ", " LEFT JOIN ") + name + " AS " + other.alias + " ON " + on
			s.sources = append(s.sources, other)
		}
	}
	b.items, b.cols = g.itemsOrStar(s)
	b.scope = s
	if g.chance(40) {
		b.rest += " WHERE " + g.boolean(s, 1)
	}
	return b
}

func (g *Gen) itemsOrStar(s *scope) (string, []column) {
	if len(s.columns()) == 0 {
		return s.sources[0].alias + ".*", s.sources[0].cols
	}
	return g.items(s, 1)
}

// tail gives ORDER BY and LIMIT, and says in s what order the rows have.
func (g *Gen) tail(b *block, s *Statement) string {
	if g.chance(35) {
		return ""
	}
	limit := ""
	if g.chance(45) {
		limit = " LIMIT " + strconv.Itoa(g.n(8))
		if g.chance(40) {
			limit += " OFFSET " + strconv.Itoa(g.n(5))
		}
	}
	if len(b.total) > 0 && g.chance(40) {
		keys := b.total
		if c, ok := g.some(&scope{sources: b.scope.sources}, any1); ok && g.chance(50) {
			keys = append([]string{c.sql}, keys...)
		}
		s.Exact = true
		return " ORDER BY " + strings.Join(g.directed(keys), ", ") + limit
	}
	order := g.r.Perm(len(b.cols))
	if limit == "" {
		order = order[:1+g.n(len(order))]
	} else {
		// Only equal rows may tie; rows that differ in case must not be cut.
		for _, c := range b.cols {
			if c.ci {
				limit = ""
			}
		}
	}
	var keys []string
	for _, i := range order {
		k := strconv.Itoa(i + 1)
		if b.cols[i].name != "" && b.items != "*" && g.chance(50) && unique(b.cols, b.cols[i].name) {
			k = b.cols[i].name
		}
		keys = append(keys, k)
	}
	if strings.Contains(b.rest, " GROUP BY ") && !b.set && b.with == "" && limit == "" && g.chance(15) && b.head == "SELECT " && b.scope == nil {
		// By what isn't shown: the order can't be checked.
		return " ORDER BY COUNT(*) DESC, " + strings.Join(g.directed(keys), ", ")
	}
	s.Keys = order
	return " ORDER BY " + strings.Join(g.directed(keys), ", ") + limit
}

func unique(cols []column, name string) bool {
	n := 0
	for _, c := range cols {
		if c.name == name {
			n++
		}
	}
	return n == 1
}

func (g *Gen) directed(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k + pick(g, "", "", " ASC", " DESC")
	}
	return out
}
