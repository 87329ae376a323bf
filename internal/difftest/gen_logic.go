package difftest

import "strings"

// Law makes a law about a condition over some tables. Its queries need no plain
// counterpart, so that the condition may use what plain SQLite has no word for.
func (g *Gen) Law() *Law {
	g.begin()
	// All of its queries say values in one way: a decimal literal is exact, a
	// float64 argument isn't.
	params := g.chance(30)
	from, s := g.from(0)
	p := g.condition(s)
	switch n := g.n(12); {
	case n < 3:
		return g.partitioned(s, from, p, params)
	case n < 5:
		return g.distinct(s, from, p, params)
	case n < 8:
		return g.sums(s, from, p, params)
	case n == 8:
		return g.having(s, from, params)
	case n == 9:
		if l := g.joined(params); l != nil {
			return l
		}
	}
	return g.counted(from, p, params)
}

// condition is boolean with more words.
func (g *Gen) condition(s *scope) string {
	if g.chance(70) {
		return g.boolean(s, 2)
	}
	var own string
	if c, ok := g.some(s, isText); ok && g.chance(60) {
		own = pick(g, c.sql+" REGEXP '^[ab]'", "CRC32("+c.sql+") % 2 = 0", "MD5("+c.sql+") < '8'", "STRCMP("+c.sql+", 'b') < 0",
			"FIND_IN_SET("+c.sql+", 'a,b,c') > 1", "JSON_LENGTH(JSON_ARRAY("+c.sql+", 1)) = 2", c.sql+" > 1", "LEFT("+c.sql+", 1) IN ('a', 'B')",
			c.sql+" COLLATE utf8mb4_general_ci = 'A'", "SUBSTRING_INDEX("+c.sql+", 'b', 1) = 'a'")
	} else if c, ok := g.some(s, isTime); ok && g.chance(50) {
		own = pick(g, "LAST_DAY("+c.sql+") = '2024-01-31'", "DATE_ADD("+c.sql+", INTERVAL 1 MONTH) > '2024-02-02'", "DATE("+c.sql+") = '2024-01-02'",
			"TIMESTAMPDIFF(DAY, '2024-01-01', "+c.sql+") BETWEEN 0 AND 40", "EXTRACT(YEAR_MONTH FROM "+c.sql+") = 202401")
	} else if c, ok := g.some(s, isNumber); ok {
		own = pick(g, c.sql+" & 1", c.sql+" IN (1, '2', 3.5)", "INTERVAL("+c.sql+", 1, 5) = 1", c.sql+" XOR TRUE", c.sql+" / 2 > 1",
			"FORMAT("+c.sql+", 1) LIKE '%.0'", "ELT("+c.sql+", 'a', 'b') = 'b'", c.sql+" BETWEEN '1' AND 5.5")
	} else {
		return g.boolean(s, 2)
	}
	if g.chance(50) {
		return "(" + own + pick(g, " AND ", " OR ") + g.boolean(s, 1) + ")"
	}
	return own
}

// three gives a query for each value that a condition may have.
func (g *Gen) three(params bool, before, p, after string) []Statement {
	var out []Statement
	for _, cond := range []string{p, "NOT (" + p + ")", "(" + p + ") IS NULL"} {
		out = append(out, g.stmt(Query, before+cond+after, params))
	}
	return out
}

func (g *Gen) partitioned(s *scope, from, p string, params bool) *Law {
	items, _ := g.items(s, 1)
	head := "SELECT " + items + " FROM " + from
	l := &Law{Name: "rows by a condition's value", Whole: g.stmt(Query, head, params), Parts: g.three(params, head+" WHERE ", p, "")}
	if g.chance(40) {
		// The same as one query.
		q := head + " WHERE " + p + " UNION ALL " + head + " WHERE NOT (" + p + ") UNION ALL " + head + " WHERE (" + p + ") IS NULL"
		l.Parts = []Statement{g.stmt(Query, q, params)}
	}
	return l
}

func (g *Gen) distinct(s *scope, from, p string, params bool) *Law {
	items, cols := g.items(s, 1)
	g.merged(cols)
	head := "SELECT DISTINCT " + items + " FROM " + from
	return &Law{Name: "distinct rows by a condition's value", kind: lawSet, Whole: g.stmt(Query, head, params), Parts: g.three(params, head+" WHERE ", p, "")}
}

func (g *Gen) sums(s *scope, from, p string, params bool) *Law {
	own := &scope{sources: s.sources, depth: 9}
	items, ops := []string{"COUNT(*)"}, []lawOp{opCount}
	for range 1 + g.n(3) {
		c, ok := g.some(own, isNumber)
		if !ok {
			break
		}
		x := pick(g, c.sql, c.sql, g.number(own, 1))
		op := pick(g, opSum, opCount, opMin, opMax)
		items = append(items, [...]string{"SUM(", "COUNT(", "MIN(", "MAX("}[op]+x+")")
		ops = append(ops, op)
	}
	head := "SELECT " + strings.Join(items, ", ") + " FROM " + from
	return &Law{Name: "aggregates by a condition's value", kind: lawSums, ops: ops, Whole: g.stmt(Query, head, params), Parts: g.three(params, head+" WHERE ", p, "")}
}

// having splits groups as the others split rows.
func (g *Gen) having(s *scope, from string, params bool) *Law {
	own := &scope{sources: s.sources, depth: s.depth}
	c, ok := g.some(own, func(f found) bool { return !f.ci })
	if !ok {
		return g.counted(from, g.condition(s), params)
	}
	x, d := g.aggregate(own)
	for d.opaque {
		x, d = g.aggregate(own)
	}
	p := x + pick(g, " > ", " < ", " <> ", " = ") + g.literal(d.kind, false)
	if g.chance(30) {
		p = "(" + p + pick(g, " OR ", " AND ") + "COUNT(*) > 1)"
	}
	head := "SELECT " + c.sql + ", COUNT(*), " + x + " FROM " + from + " GROUP BY " + c.sql
	return &Law{Name: "groups by a condition's value", Whole: g.stmt(Query, head, params), Parts: g.three(params, head+" HAVING ", p, "")}
}

// joined splits the pairs of two tables by the condition of their join.
func (g *Gen) joined(params bool) *Law {
	a, left := g.relation(1)
	b, right := g.relation(1)
	if a == "" || b == "" {
		return nil
	}
	s := &scope{sources: []source{left, right}, depth: 1}
	on := g.on(&scope{sources: []source{left}}, right)
	if on == "" || g.chance(40) {
		on = g.condition(s)
	}
	items, _ := g.items(s, 0)
	head := "SELECT " + items + " FROM " + a
	return &Law{Name: "pairs by a join's condition", Whole: g.stmt(Query, head+" CROSS JOIN "+b, params), Parts: g.three(params, head+" JOIN "+b+" ON ", on, "")}
}

// counted compares a count by a condition, which the planner may shorten, with
// the condition's values.
func (g *Gen) counted(from, p string, params bool) *Law {
	return &Law{Name: "count by a condition", kind: lawCount, Whole: g.stmt(Query, "SELECT COUNT(*) FROM "+from+" WHERE "+p, params),
		Parts: []Statement{g.stmt(Query, "SELECT ("+p+") IS TRUE FROM "+from, params)}}
}
