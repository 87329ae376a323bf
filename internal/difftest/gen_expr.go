package difftest

import (
	"fmt"
	"strings"
)

// source is a table in a FROM clause.
type source struct {
	alias string
	cols  []column
	// key are the ordinals of columns that together are unique, nil if unknown.
	key []int
	of  *table
	// bare: its columns are named without the alias.
	bare bool
}

// scope is what a query's expressions can name.
type scope struct {
	sources []source
	outer   *scope
	depth   int
}

func (s source) col(i int) string {
	if s.bare {
		return s.cols[i].name
	}
	return s.alias + "." + s.cols[i].name
}

// found is a column of a scope.
type found struct {
	column
	sql string
}

// columns lists the scope's own columns, without opaque ones.
func (s *scope) columns() []found {
	var out []found
	for _, src := range s.sources {
		for i, c := range src.cols {
			if !c.opaque {
				out = append(out, found{c, src.col(i)})
			}
		}
	}
	return out
}

func only(list []found, keep func(found) bool) []found {
	var out []found
	for _, c := range list {
		if keep(c) {
			out = append(out, c)
		}
	}
	return out
}

func isNumber(c found) bool { return c.kind.number() }
func isText(c found) bool   { return c.kind == kText }
func isTime(c found) bool   { return c.kind.temporal() }

// some picks a column of the scope, or of the outer one, that keep allows.
func (g *Gen) some(s *scope, keep func(found) bool) (found, bool) {
	list := only(s.columns(), keep)
	if s.outer != nil && g.chance(25) {
		if more := only(s.outer.columns(), keep); len(more) > 0 {
			list = more
		}
	}
	if len(list) == 0 {
		return found{}, false
	}
	return pick(g, list...), true
}

func any1(found) bool { return true }

// number gives a numeric expression that is exact in floating point.
func (g *Gen) number(s *scope, depth int) string {
	c, ok := g.some(s, isNumber)
	if !ok {
		return g.literal(kInt, false)
	}
	if depth <= 0 || g.chance(45) {
		return c.sql
	}
	switch g.n(10) {
	case 0, 1:
		return "(" + g.number(s, depth-1) + pick(g, " + ", " - ") + g.number(s, depth-1) + ")"
	case 2:
		return "(" + c.sql + " * " + pick(g, "2", "3", "-1", "0.5") + ")"
	case 3:
		return "CASE WHEN " + g.boolean(s, depth-1) + " THEN " + g.number(s, depth-1) + " ELSE " + g.number(s, depth-1) + " END"
	case 4:
		return "COALESCE(" + c.sql + ", " + g.literal(kInt, false) + ")"
	case 5:
		return pick(g, "ABS("+c.sql+")", "-("+c.sql+")", "IFNULL(0, "+c.sql+")", "SIGN("+c.sql+")", "FLOOR("+c.sql+")", "CEIL("+c.sql+")",
			"ROUND("+c.sql+")", "GREATEST("+c.sql+", 2)", "LEAST("+c.sql+", 3)", "MOD("+c.sql+", 4)", "("+c.sql+" DIV 2)", "CAST("+c.sql+" AS SIGNED)")
	case 6:
		if t, ok := g.some(s, isText); ok {
			return pick(g, "LENGTH("+t.sql+")", "CHAR_LENGTH("+t.sql+")", "ASCII("+t.sql+")", "LOCATE('b', "+t.sql+")",
				"INSTR("+t.sql+", 'a')", "FIELD("+t.sql+", 'a', 'b')", "CAST("+t.sql+" AS SIGNED)")
		}
	case 7:
		if t, ok := g.some(s, isTime); ok {
			return pick(g, "YEAR("+t.sql+")", "MONTH("+t.sql+")", "DAY("+t.sql+")", "DAYOFWEEK("+t.sql+")",
				"DATEDIFF("+t.sql+", '2024-01-01')", "TO_DAYS("+t.sql+")", "WEEKDAY(DATE_ADD("+t.sql+", INTERVAL 1 MONTH))")
		}
	case 8:
		return "IF(" + g.boolean(s, depth-1) + ", " + c.sql + ", " + g.literal(kInt, false) + ")"
	case 9:
		return "NULLIF(" + c.sql + ", " + g.literal(c.kind, false) + ")"
	}
	return c.sql
}

// text gives a text expression.
func (g *Gen) text(s *scope, depth int) string {
	c, ok := g.some(s, isText)
	if !ok {
		return g.literal(kText, false)
	}
	if depth <= 0 || g.chance(50) {
		return c.sql
	}
	switch g.n(6) {
	case 0:
		return pick(g, "UPPER(", "LOWER(", "TRIM(", "REVERSE(", "HEX(", "QUOTE(") + c.sql + ")"
	case 5:
		if t, ok := g.some(s, isTime); ok {
			return pick(g, "DATE_FORMAT("+t.sql+", '%Y/%m')", "CAST("+t.sql+" AS CHAR)", "CONCAT_WS('-', "+t.sql+", "+c.sql+")")
		}
		if t, ok := g.some(s, isNumber); ok && t.kind != kDouble && t.kind != kDec && t.kind != kLong {
			return pick(g, "CAST("+t.sql+" AS CHAR)", "CONCAT("+t.sql+", 'x')", "LPAD("+t.sql+", 4, '0')", "LEFT("+c.sql+", "+t.sql+")")
		}
	case 1:
		return "CONCAT(" + c.sql + ", " + g.text(s, depth-1) + ")"
	case 2:
		return "COALESCE(" + c.sql + ", " + g.literal(kText, false) + ")"
	case 3:
		return "SUBSTRING(" + c.sql + ", " + pick(g, "1, 1", "2", "-1") + ")"
	case 4:
		return "CASE WHEN " + g.boolean(s, depth-1) + " THEN " + c.sql + " ELSE " + g.literal(kText, false) + " END"
	}
	return "REPLACE(" + c.sql + ", 'a', 'z')"
}

// scalar gives any expression, with its kind; opaque ones are left out.
func (g *Gen) scalar(s *scope, depth int) (string, column) {
	if g.chance(55) {
		if c, ok := g.some(s, any1); ok {
			return c.sql, column{kind: c.kind, ci: c.ci}
		}
	}
	switch g.n(7) {
	case 0, 1, 2:
		return g.number(s, depth), column{kind: kDouble}
	case 3, 4:
		return g.text(s, depth), column{kind: kText, ci: g.hasCI(s)}
	case 5:
		return "(" + g.boolean(s, depth) + ")", column{kind: kBool}
	}
	if depth > 0 && s.depth < 2 {
		return g.scalarQuery(s)
	}
	return g.literal(pick(g, kInt, kText, kDec, kLong), false), column{kind: kText, opaque: true}
}

func (g *Gen) hasCI(s *scope) bool {
	for ; s != nil; s = s.outer {
		for _, c := range s.columns() {
			if c.ci {
				return true
			}
		}
	}
	return false
}

// boolean gives a condition.
func (g *Gen) boolean(s *scope, depth int) string {
	if depth <= 0 {
		return g.comparison(s)
	}
	switch g.n(12) {
	case 0, 1:
		return "(" + g.boolean(s, depth-1) + " AND " + g.boolean(s, depth-1) + ")"
	case 2, 3:
		return "(" + g.boolean(s, depth-1) + " OR " + g.boolean(s, depth-1) + ")"
	case 4:
		return "NOT (" + g.boolean(s, depth-1) + ")"
	case 5, 6:
		if s.depth < 2 {
			return g.subCondition(s)
		}
	}
	return g.comparison(s)
}

// comparison gives a simple condition on a column.
func (g *Gen) comparison(s *scope) string {
	c, ok := g.some(s, any1)
	if !ok {
		return pick(g, "1 = 1", "1 = 0", "NULL IS NULL")
	}
	switch g.n(12) {
	case 0:
		return c.sql + pick(g, " IS NULL", " IS NOT NULL")
	case 1, 2:
		return c.sql + pick(g, " IN (", " IN (", " NOT IN (") + g.literals(c.kind) + ")"
	case 3:
		if c.kind != kBlob {
			return c.sql + pick(g, " BETWEEN ", " NOT BETWEEN ") + g.literal(c.kind, false) + " AND " + g.literal(c.kind, false)
		}
	case 4:
		if c.kind == kText {
			return c.sql + pick(g, " LIKE ", " NOT LIKE ") + g.value(quote("a%"), "a%")
		}
	case 5:
		if d, ok := g.some(s, func(d found) bool { return comparable2(c, d) }); ok {
			return c.sql + pick(g, " = ", " <> ", " < ", " >= ", " <=> ") + d.sql
		}
	case 6:
		return c.sql + " <=> " + pick(g, "NULL", g.literal(c.kind, false))
	case 8:
		if d, ok := g.some(s, any1); ok && g.chance(50) {
			return g.rows2(c, d)
		}
	case 9:
		if c.kind.number() && g.chance(40) {
			return pick(g, c.sql, c.sql+" IS NOT TRUE", c.sql+" IS FALSE", "NOT "+c.sql, "MOD("+c.sql+", 3) = 1", c.sql+" DIV 2 = 1")
		}
	case 7:
		if c.kind.number() {
			return g.number(s, 1) + pick(g, " > ", " <= ", " = ") + g.literal(c.kind, false)
		}
	}
	return c.sql + pick(g, " = ", " = ", " = ", " < ", " > ", " <= ", " >= ", " <> ") + g.literal(c.kind, false)
}

// rows2 compares pairs.
func (g *Gen) rows2(c, d found) string {
	pair := func() string { return "(" + g.literal(c.kind, false) + ", " + g.literal(d.kind, false) + ")" }
	if g.chance(40) {
		return "(" + c.sql + ", " + d.sql + ") = " + pair()
	}
	return "(" + c.sql + ", " + d.sql + ") IN (" + pair() + ", " + pair() + ")"
}

// comparable2 says whether two columns compare in a way that no one doubts.
func comparable2(a, b found) bool {
	switch {
	case a.kind.number():
		return b.kind.number()
	case a.kind == kText:
		return b.kind == kText && a.ci == b.ci
	}
	return a.kind == b.kind
}

func (g *Gen) literals(k kind) string {
	var list []string
	for range 1 + g.n(4) {
		if g.chance(4) {
			list = append(list, "NULL")
		} else {
			list = append(list, g.literal(k, false))
		}
	}
	return strings.Join(list, ", ")
}

// subCondition gives a condition with a subquery.
func (g *Gen) subCondition(s *scope) string {
	in := g.inner(s)
	where := ""
	if g.chance(80) {
		where = " WHERE " + g.boolean(in, 1)
	}
	from := g.fromText(in)
	if g.chance(15) {
		if text := g.besideKey(s, in); text != "" {
			return text
		}
	}
	if g.chance(40) {
		return pick(g, "EXISTS", "NOT EXISTS") + " (SELECT " + pick(g, "1", "*") + " FROM " + from + where + ")"
	}
	c, ok := g.some(&scope{sources: s.sources}, any1)
	if !ok {
		return "EXISTS (SELECT 1 FROM " + from + where + ")"
	}
	list := only(in.columns(), func(d found) bool { return comparable2(c, d) })
	if len(list) == 0 {
		return "EXISTS (SELECT 1 FROM " + from + where + ")"
	}
	d := pick(g, list...)
	switch {
	case g.chance(8) && c.kind != kBlob:
		return c.sql + pick(g, " > ALL (SELECT ", " = ANY (SELECT ", " <= ANY (SELECT ", " <> ALL (SELECT ") + d.sql + " FROM " + from + where + ")"
	case g.chance(10) && !c.ci && c.kind != kBlob:
		if x := g.extreme(c); x != "" {
			return c.sql + pick(g, " = ", " < ", " >= ") + x
		}
		return c.sql + " IS NULL"
	case g.chance(10) && !d.ci && c.kind != kBlob:
		return c.sql + pick(g, " = ", " < ", " >= ") + "(SELECT " + pick(g, "MIN(", "MAX(") + d.sql + ") FROM " + from + where + ")"
	case g.chance(8) && !d.ci:
		return c.sql + " IN (SELECT " + d.sql + " FROM " + from + where + " GROUP BY " + d.sql + " HAVING COUNT(*) " + pick(g, "> 1", "= 1") + ")"
	case g.chance(6):
		return c.sql + " IN (SELECT " + d.sql + " FROM " + from + where + " UNION ALL SELECT " + g.literal(c.kind, true) + ")"
	}
	return c.sql + pick(g, " IN (SELECT ", " IN (SELECT ", " NOT IN (SELECT ") + d.sql + " FROM " + from + where + ")"
}

// besideKey asks for rows that have the sharding key of one of the scope, and one of
// some values; "" if there are none to tie.
func (g *Gen) besideKey(s, in *scope) string {
	own := in.sources[0]
	for _, src := range s.sources {
		if src.of == nil || len(src.of.shard) != 1 || len(own.of.shard) != 1 {
			continue
		}
		i, k := src.of.shard[0], own.of.shard[0]
		a, b := found{column: src.cols[i], sql: src.col(i)}, found{column: own.cols[k], sql: own.col(k)}
		if !comparable2(a, b) || a.opaque || b.opaque || a.kind == kBlob {
			continue
		}
		pin := b.sql + pick(g, " = "+g.literal(b.kind, false), " IN ("+g.literals(b.kind)+")")
		from := " FROM " + g.fromText(in) + " WHERE " + pin
		if g.chance(40) {
			return a.sql + pick(g, " IN (SELECT ", " NOT IN (SELECT ") + b.sql + from + ")"
		}
		return pick(g, "EXISTS", "NOT EXISTS") + " (SELECT 1" + from + " AND " + b.sql + " = " + a.sql + ")"
	}
	return ""
}

// inner opens the scope of a subquery over one table.
func (g *Gen) inner(s *scope) *scope {
	t := pick(g, g.tables...)
	depth := 1
	if s != nil {
		depth += s.depth
	}
	return &scope{sources: []source{g.sourceOf(t)}, outer: s, depth: depth}
}

func (g *Gen) sourceOf(t *table) source {
	src := source{alias: g.name("q"), cols: t.cols, of: t}
	for i := range t.pk {
		src.key = append(src.key, i)
	}
	return src
}

func (g *Gen) fromText(s *scope) string {
	return s.sources[0].of.name + " AS " + s.sources[0].alias
}

// extreme gives a subquery that hangs on no row around it, and whose value can be
// compared with a column; "" if there is none.
func (g *Gen) extreme(c found) string {
	in := g.inner(nil)
	list := only(in.columns(), func(d found) bool { return comparable2(c, d) && !d.ci && d.kind != kBlob })
	if len(list) == 0 {
		return ""
	}
	where := ""
	if g.chance(60) {
		where = " WHERE " + g.boolean(in, 1)
	}
	x := "(SELECT " + pick(g, "MIN(", "MAX(") + pick(g, list...).sql + ") FROM " + g.fromText(in) + where + ")"
	if c.kind.number() && g.chance(25) {
		x += pick(g, " + 1", " - 1")
	}
	return x
}

// scalarQuery gives a subquery of one value.
func (g *Gen) scalarQuery(s *scope) (string, column) {
	in := g.inner(s)
	from := g.fromText(in)
	where := ""
	if g.chance(80) {
		where = " WHERE " + g.boolean(in, 1)
	}
	src := in.sources[0]
	if len(src.key) > 0 && g.chance(25) {
		i := g.n(len(src.cols))
		if !src.cols[i].opaque {
			var order []string
			for _, k := range src.key {
				order = append(order, src.col(k))
			}
			return fmt.Sprintf("(SELECT %s FROM %s%s ORDER BY %s LIMIT 1)", src.col(i), from, where, strings.Join(order, ", ")),
				column{kind: src.cols[i].kind, ci: src.cols[i].ci}
		}
	}
	agg, c := g.aggregate(in)
	return "(SELECT " + agg + " FROM " + from + where + ")", c
}

// aggregate gives an aggregate over a scope.
func (g *Gen) aggregate(s *scope) (string, column) {
	own := &scope{sources: s.sources, depth: 9}
	num, hasNum := g.some(own, isNumber)
	c, ok := g.some(own, func(f found) bool { return f.kind != kBlob })
	switch n := g.n(12); {
	case n < 2 || !ok:
		return "COUNT(*)", column{kind: kInt}
	case n == 2:
		return "COUNT(" + c.sql + ")", column{kind: kInt}
	case n == 3:
		return "COUNT(DISTINCT " + c.sql + ")", column{kind: kInt}
	case n < 6 && hasNum:
		return "SUM(" + pick(g, num.sql, num.sql, g.number(own, 1)) + ")", column{kind: kDouble}
	case n == 6 && hasNum:
		return "AVG(" + num.sql + ")", column{kind: kDouble}
	case n == 7 && hasNum:
		return "SUM(DISTINCT " + num.sql + ")", column{kind: kDouble}
	case n == 9 && c.kind == kInt && g.chance(50):
		return pick(g, "BIT_AND(", "BIT_OR(", "BIT_XOR(") + c.sql + ")", column{kind: kInt, opaque: true}
	case n == 8 && c.kind == kText && !c.ci:
		if g.chance(40) {
			return "GROUP_CONCAT(DISTINCT " + c.sql + " ORDER BY " + c.sql + pick(g, "", " DESC") + pick(g, "", " SEPARATOR '-'") + ")", column{kind: kText, opaque: true}
		}
		return "GROUP_CONCAT(" + c.sql + " ORDER BY " + c.sql + pick(g, "", " DESC") + pick(g, "", " SEPARATOR '-'") + ")", column{kind: kText, opaque: true}
	}
	if c.ci {
		g.fold = true
	}
	return pick(g, "MIN(", "MAX(") + c.sql + ")", column{kind: c.kind, ci: c.ci, opaque: c.ci}
}
