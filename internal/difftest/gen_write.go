package difftest

import (
	"strconv"
	"strings"
)

// Fill gives the statements that put the first rows into the tables.
func (g *Gen) Fill() []Statement {
	var out []Statement
	for _, t := range g.stored() {
		for range 3 {
			g.begin()
			out = append(out, g.stmt(Write, "INSERT IGNORE INTO "+t.name+" "+g.rows(t, nil, 4+g.n(6)), g.chance(30)))
		}
	}
	return out
}

// rows gives a column list and VALUES.
func (g *Gen) rows(t *table, cols []int, n int) string {
	if cols == nil {
		for i, c := range t.cols {
			if c.made == "" && (c.notNull && !c.auto || g.chance(85)) {
				cols = append(cols, i)
			}
		}
	}
	if len(cols) == 0 {
		cols = []int{0}
	}
	var names, rows []string
	for _, i := range cols {
		names = append(names, t.cols[i].name)
	}
	for range n {
		var row []string
		for _, i := range cols {
			row = append(row, g.cell(t.cols[i]))
		}
		rows = append(rows, "("+strings.Join(row, ", ")+")")
	}
	return "(" + strings.Join(names, ", ") + ") VALUES " + strings.Join(rows, ", ")
}

// cell gives a value to store in a column.
func (g *Gen) cell(c column) string {
	switch {
	case c.auto && g.chance(50):
		return "NULL"
	case c.auto:
		n := int64(1 + g.n(40))
		return g.value(strconv.FormatInt(n, 10), n)
	case !c.notNull && g.chance(15), g.chance(1):
		return "NULL"
	}
	return g.valueFor(c)
}

// valueFor gives a value that a column can hold, not NULL.
func (g *Gen) valueFor(c column) string {
	if c.positive {
		n := int64(g.n(14))
		return g.value(strconv.FormatInt(n, 10), n)
	}
	return g.literal(c.kind, true)
}

// Write makes a statement that changes rows.
func (g *Gen) Write() Statement {
	g.begin()
	t := pick(g, g.stored()...)
	params := g.chance(35)
	switch n := g.n(20); {
	case n < 3:
		return g.stmt(Write, pick(g, "INSERT INTO ", "INSERT INTO ", "INSERT IGNORE INTO ")+t.name+" "+g.rows(t, nil, 1+g.n(4)), params)
	case n < 4:
		return g.insertSet(t, params)
	case n < 6:
		return g.insertOnDup(t, params)
	case n < 7:
		s := g.stmt(Write, "REPLACE INTO "+t.name+" "+g.rows(t, nil, 1+g.n(3)), params)
		s.NoCount = true
		return s
	case n < 8:
		return g.insertSelect(t, params)
	case n < 15:
		return g.update(t, params)
	}
	return g.delete(t, params)
}

func (g *Gen) insertSet(t *table, params bool) Statement {
	var sets []string
	for _, c := range t.cols {
		if c.made == "" && (c.notNull && !c.auto || g.chance(70)) {
			sets = append(sets, c.name+" = "+g.cell(c))
		}
	}
	if len(sets) == 0 {
		sets = []string{t.cols[0].name + " = " + g.cell(t.cols[0])}
	}
	return g.stmt(Write, "INSERT INTO "+t.name+" SET "+strings.Join(sets, ", "), params)
}

// settable lists the columns that an update may set without moving the row or
// changing its key.
func (t *table) settable() []int {
	var out []int
	for i := range t.cols {
		if i >= t.pk && !containsInt(t.shard, i) && t.cols[i].made == "" {
			out = append(out, i)
		}
	}
	return out
}

func containsInt(list []int, n int) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

func (g *Gen) insertOnDup(t *table, params bool) Statement {
	text := "INSERT INTO " + t.name + " " + g.rows(t, nil, 1+g.n(3)) + " ON DUPLICATE KEY UPDATE "
	var sets []string
	for _, i := range t.settable() {
		c := t.cols[i]
		switch {
		case len(sets) > 0 && g.chance(50):
		case g.chance(40):
			sets = append(sets, c.name+" = VALUES("+c.name+")")
		case c.kind.number() && c.kind != kBool && g.chance(60):
			sets = append(sets, c.name+" = "+c.name+" + 1")
		default:
			sets = append(sets, c.name+" = "+g.literal(c.kind, true))
		}
	}
	s := g.stmt(Write, text+strings.Join(sets, ", "), params)
	s.NoCount = true
	return s
}

// insertSelect copies rows of tables into another.
func (g *Gen) insertSelect(t *table, params bool) Statement {
	src := g.sourceOf(pick(g, g.tables...))
	if t.cols[0].auto && len(src.key) == 0 {
		return g.update(t, params) // the rows' numbers would be left open
	}
	s := &scope{sources: []source{src}}
	var names, items []string
	for _, c := range t.cols {
		if c.auto || c.made != "" {
			continue
		}
		list := only(s.columns(), func(d found) bool { return d.kind == c.kind && (d.positive || !c.positive) })
		names = append(names, c.name)
		if len(list) > 0 {
			items = append(items, pick(g, list...).sql)
		} else {
			items = append(items, g.valueFor(c))
		}
	}
	verb := pick(g, "INSERT IGNORE INTO ", "REPLACE INTO ", "INSERT INTO ")
	text := verb + t.name + " (" + strings.Join(names, ", ") + ") SELECT " +
		strings.Join(items, ", ") + " FROM " + g.fromText(s)
	if other := g.sourceOf(pick(g, g.stored()...)); len(other.key) > 0 && len(src.key) > 0 && g.chance(25) {
		if on := g.on(s, other); on != "" {
			text += " JOIN " + g.fromText(&scope{sources: []source{other}}) + " ON " + on
			s.sources = append(s.sources, other)
		}
	}
	text += " WHERE " + g.boolean(s, 1)
	// Which of two rows with one key comes first must not be left open.
	if total := totalOf(s); total != nil {
		text += " ORDER BY " + strings.Join(total, ", ") + " LIMIT " + strconv.Itoa(1+g.n(6))
	} else {
		text = strings.Replace(text, "REPLACE INTO", "INSERT INTO", 1)
		text = strings.Replace(text, "INSERT IGNORE", "INSERT", 1)
	}
	st := g.stmt(Write, text, params)
	st.NoCount = strings.HasPrefix(text, "REPLACE")
	return st
}

// keyOrAny gives the condition of an UPDATE or DELETE.
func (g *Gen) keyOrAny(t *table, s *scope) string {
	if t.copied {
		s.depth = 9
	}
	if len(t.exprs) > 0 && g.chance(20) {
		return g.byExpression(t, &s.sources[0])
	}
	if g.chance(45) {
		i := 0
		if len(t.shard) > 0 && g.chance(70) {
			i = t.shard[0]
		}
		if len(t.keys) > 0 && g.chance(40) {
			i = pick(g, pick(g, t.keys...)...)
		}
		c := s.sources[0].col(i)
		if g.chance(60) {
			return c + " = " + g.literal(t.cols[i].kind, false)
		}
		return c + " IN (" + g.literals(t.cols[i].kind) + ")"
	}
	return g.boolean(s, 2)
}

func (g *Gen) update(t *table, params bool) Statement {
	src := source{alias: t.name, cols: t.cols, of: t, bare: g.chance(70)}
	if t.pk > 0 {
		src.key = keyOf(t)
	}
	s := &scope{sources: []source{src}}
	if g.chance(12) {
		return g.updateJoin(t, params)
	}
	if len(t.shard) > 0 && g.chance(15) {
		return g.move(t, s, params)
	}
	if t.copied {
		s.depth = 9 // no subqueries: every copy must change alike
	}
	var sets []string
	for _, i := range t.settable() {
		if len(sets) == 0 || g.chance(25) {
			sets = append(sets, src.cols[i].name+" = "+g.newValue(t.cols[i], s))
		}
	}
	text := "UPDATE " + t.name + " SET " + strings.Join(sets, ", ") + " WHERE " + g.keyOrAny(t, s)
	if total := totalOf(s); total != nil && !t.copied && g.chance(15) {
		text += " ORDER BY " + strings.Join(g.directed(total), ", ") + " LIMIT " + strconv.Itoa(1+g.n(4))
	}
	return g.stmt(Write, text, params)
}

func keyOf(t *table) []int {
	var out []int
	for i := range t.pk {
		out = append(out, i)
	}
	return out
}

// newValue gives what an UPDATE sets a column to.
func (g *Gen) newValue(c column, s *scope) string {
	switch {
	case !c.notNull && g.chance(10):
		return "NULL"
	case c.kind.number() && c.kind != kBool && !c.unique && g.chance(40):
		// Of a unique column, whether a value is free when a row gets it would
		// hang on the order in which the rows are changed.
		return pick(g, c.name+" + 1", c.name+" - 2", "COALESCE("+c.name+", 0) + 1")
	case (c.kind == kDec || c.kind == kLong) && s.depth < 2 && g.chance(10):
		return "(SELECT COUNT(*) FROM " + pick(g, g.stored()...).name + ")"
	}
	return g.literal(c.kind, true)
}

// move changes sharding and primary keys: of one row, or of all that a condition names.
func (g *Gen) move(t *table, s *scope, params bool) Statement {
	places := append(keyOf(t), t.shard...)
	i := pick(g, places...)
	c := t.cols[i]
	set := c.name + " = " + g.valueFor(c)
	if c.kind.number() && g.chance(50) {
		set = c.name + " = " + c.name + " + 1000"
	}
	where := s.sources[0].col(i) + " = " + g.literal(c.kind, false)
	if g.chance(30) && strings.Contains(set, "1000") && !c.unique {
		where = g.boolean(s, 1)
	}
	return g.stmt(Write, "UPDATE "+t.name+" SET "+set+" WHERE "+where, params)
}

// updateJoin sets columns to constants where another table has a fitting row.
func (g *Gen) updateJoin(t *table, params bool) Statement {
	a, b := g.sourceOf(t), g.sourceOf(pick(g, g.tables...))
	s := &scope{sources: []source{a}}
	on := g.on(s, b)
	free := t.settable()
	if on == "" || len(free) == 0 || t.copied {
		return g.delete(t, params)
	}
	i := pick(g, free...)
	text := "UPDATE " + g.fromText(s) + " JOIN " + g.fromText(&scope{sources: []source{b}}) + " ON " + on +
		" SET " + a.col(i) + " = " + g.literal(t.cols[i].kind, true)
	if g.chance(60) {
		text += " WHERE " + g.boolean(&scope{sources: []source{a, b}}, 1)
	}
	return g.stmt(Write, text, params)
}

// deleteTwo deletes from two joined tables.
func (g *Gen) deleteTwo(t *table, params bool) Statement {
	a, b := g.sourceOf(t), g.sourceOf(pick(g, g.stored()...))
	s := &scope{sources: []source{a}}
	on := g.on(s, b)
	if on == "" || b.of.copied || t.children || b.of.children || b.of == t {
		return g.update(t, params)
	}
	return g.stmt(Write, "DELETE "+a.alias+", "+b.alias+" FROM "+g.fromText(s)+" JOIN "+g.fromText(&scope{sources: []source{b}})+" ON "+on+
		" WHERE "+g.comparison(&scope{sources: []source{a, b}})+" AND "+g.comparison(s), params)
}

func (g *Gen) delete(t *table, params bool) Statement {
	if g.chance(5) && !t.copied {
		return g.deleteTwo(t, params)
	}
	if g.chance(12) && !t.copied {
		a, b := g.sourceOf(t), g.sourceOf(pick(g, g.tables...))
		s := &scope{sources: []source{a}}
		if on := g.on(s, b); on != "" {
			text := "DELETE " + a.alias + " FROM " + g.fromText(s) + " JOIN " + g.fromText(&scope{sources: []source{b}}) + " ON " + on
			return g.stmt(Write, text+" WHERE "+g.comparison(&scope{sources: []source{a, b}}), params)
		}
	}
	src := source{alias: t.name, cols: t.cols, of: t, bare: true}
	if t.pk > 0 {
		src.key = keyOf(t)
	}
	s := &scope{sources: []source{src}}
	text := "DELETE FROM " + t.name + " WHERE " + g.keyOrAny(t, s)
	if g.chance(60) {
		text += " AND " + g.comparison(s)
	}
	if total := totalOf(s); total != nil && !t.copied && g.chance(40) {
		text += " ORDER BY " + strings.Join(g.directed(total), ", ") + " LIMIT " + strconv.Itoa(1+g.n(3))
	}
	st := g.stmt(Write, text, params)
	// A row that a cascade has deleted before its turn doesn't count in SQLite.
	st.NoCount = t.self
	return st
}

// Transaction gives the next step of a transaction, if one is due.
func (g *Gen) Transaction() (Statement, bool) {
	control := func(text string) (Statement, bool) { return Statement{SQL: text, Kind: Control}, true }
	switch {
	case !g.inTx && g.chance(4):
		g.inTx, g.save = true, 0
		return control("BEGIN")
	case !g.inTx:
		return Statement{}, false
	case g.chance(12):
		g.inTx = false
		return control(pick(g, "COMMIT", "COMMIT", "ROLLBACK"))
	case g.chance(8):
		g.save++
		return control("SAVEPOINT s" + strconv.Itoa(g.save))
	case g.save > 0 && g.chance(10):
		n := 1 + g.n(g.save)
		if g.chance(50) {
			g.save = n
			return control("ROLLBACK TO SAVEPOINT s" + strconv.Itoa(n))
		}
		g.save = n - 1
		return control("RELEASE SAVEPOINT s" + strconv.Itoa(n))
	}
	return Statement{}, false
}
