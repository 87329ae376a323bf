package route_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/sqlparse"
)

// generator makes random statements over the schema of shop_test.go whose
// answer is determined: no LIMIT without a total order, no column outside of a
// group.
type generator struct {
	*rand.Rand
	n int // aliases given
}

// genTable is a table with its columns by kind.
type genTable struct {
	name string
	num  []string // integers
	text []string
	key  string // the sharding key, or what is joined on
}

var genTables = []genTable{
	{"customer", []string{"id", "score", "credit", "active"}, []string{"name", "country"}, "id"},
	{"orders", []string{"id", "customer_id", "total"}, []string{"status"}, "customer_id"},
	{"item", []string{"order_id", "customer_id", "qty"}, []string{"sku"}, "customer_id"},
	{"product", []string{"price"}, []string{"sku", "title"}, "sku"},
	{"country", []string{"area"}, []string{"code", "name"}, "code"},
	{"lang", nil, []string{"code", "lang"}, "code"},
	{"audit", []string{"id", "customer_id"}, []string{"note"}, "customer_id"},
	{"setting", []string{"val"}, []string{"name"}, "val"},
	{"loose", []string{"k", "v"}, nil, "k"},
	{"metric", []string{"k", "v"}, nil, "k"},
	{"pair", []string{"a", "b", "v"}, nil, "a"},
	{"rich", []string{"id", "credit"}, []string{"name"}, "id"},
	{"spent", []string{"customer", "total"}, nil, "customer"},
}

// scope is what a block's expressions can name.
type genScope struct {
	tables []genTable // name is the alias
	outer  *genScope
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) alias() string { g.n++; return "t" + strconv.Itoa(g.n) }

func (g *generator) table() (genTable, string) {
	t := genTables[g.IntN(len(genTables))]
	if g.IntN(3) > 0 {
		t = genTables[g.IntN(3)] // the co-located ones
	}
	a := g.alias()
	text := t.name + " AS " + a
	if g.IntN(8) == 0 {
		text = fmt.Sprintf("(SELECT * FROM %s%s) AS %s", t.name, pick(g, "", " WHERE "+t.key+" IS NOT NULL"), a)
	} else if g.IntN(10) == 0 && t.name != "lang" {
		n := append(slices.Clone(t.num), t.text...)[0]
		text = fmt.Sprintf("(SELECT %s, COUNT(*) AS n FROM %s GROUP BY %s) AS %s", n, t.name, n, a)
		t = genTable{num: []string{"n"}, text: []string{n}, key: n}
	}
	t.name = a
	return t, text
}

func (g *generator) from(outer *genScope, max int) (*genScope, string) {
	s := &genScope{outer: outer}
	t, text := g.table()
	s.tables = append(s.tables, t)
	for range g.IntN(max) {
		t, more := g.table()
		kind := pick(g, " JOIN ", " LEFT JOIN ", " LEFT JOIN ", " JOIN ")
		near := s.tables[g.IntN(len(s.tables))]
		on := near.name + "." + near.key + " = " + t.name + "." + t.key
		s.tables = append(s.tables, t)
		if g.IntN(4) == 0 {
			on += " AND " + g.simple(s)
		}
		if g.IntN(10) == 0 {
			on = g.simple(s)
		}
		text += kind + more + " ON " + on
	}
	return s, text
}

func (g *generator) col(s *genScope, num bool) string {
	if s.outer != nil && g.IntN(4) == 0 {
		s = s.outer
	}
	for range 20 {
		t := s.tables[g.IntN(len(s.tables))]
		list := t.text
		if num {
			list = t.num
		}
		if g.IntN(3) == 0 {
			return t.name + "." + t.key
		}
		if len(list) > 0 {
			return t.name + "." + list[g.IntN(len(list))]
		}
	}
	t := s.tables[0]
	return t.name + "." + t.key
}

func (g *generator) literal() string {
	return pick(g, "1", "2", "3", "4", "5", "8", "NULL", "'a'", "'de'", "'new'", "'paid'", "10.5", "99")
}

// simple is a condition without subqueries.
func (g *generator) simple(s *genScope) string {
	c := g.col(s, g.IntN(3) > 0)
	switch g.IntN(12) {
	case 0:
		return c + " IN (" + g.literal() + ", " + g.literal() + ", " + g.literal() + ")"
	case 1:
		return c + " NOT IN (" + g.literal() + ", " + g.literal() + ")"
	case 2:
		return c + pick(g, " IS NULL", " IS NOT NULL")
	case 3:
		return c + " BETWEEN " + g.literal() + " AND " + g.literal()
	case 4:
		return "(" + g.simple(s) + " OR " + g.simple(s) + ")"
	case 5:
		return "NOT (" + g.simple(s) + ")"
	case 6, 7:
		return c + pick(g, " = ", " <> ", " < ", " <=> ") + g.col(s, true)
	case 8, 9:
		t := s.tables[g.IntN(len(s.tables))]
		return t.name + "." + t.key + " = " + g.literal()
	}
	return c + pick(g, " = ", " = ", " <> ", " < ", " >= ", " <=> ") + g.literal()
}

func (g *generator) condition(s *genScope, depth int) string {
	if depth <= 0 || g.IntN(3) > 0 {
		return g.simple(s)
	}
	in, from := g.from(s, 2)
	near, far := s.tables[0], in.tables[0]
	tie := far.name + "." + far.key + " = " + near.name + "." + near.key
	where := pick(g, tie, tie+" AND "+g.condition(in, depth-1), g.condition(in, depth-1))
	switch g.IntN(6) {
	case 0, 1:
		return pick(g, "", "NOT ") + "EXISTS (SELECT 1 FROM " + from + " WHERE " + where + ")"
	case 2, 3:
		not := pick(g, "", "", "NOT ")
		return fmt.Sprintf("%s.%s %sIN (SELECT %s.%s FROM %s WHERE %s)", near.name, near.key, not, far.name, far.key, from, g.condition(in, depth-1))
	case 4:
		return fmt.Sprintf("(SELECT %s FROM %s WHERE %s) %s 2", pick(g, "COUNT(*)", "MAX("+g.col(&genScope{tables: in.tables}, true)+")", "COUNT("+far.name+"."+far.key+")"), from, where, pick(g, ">", "<", "="))
	}
	return "(" + g.condition(s, depth-1) + " OR " + g.condition(s, depth-1) + ")"
}

func (g *generator) agg(s *genScope) string {
	return pick(g, "COUNT(*)", "COUNT("+g.col(s, false)+")", "SUM("+g.col(s, true)+")", "MIN("+g.col(s, true)+")",
		"MAX("+g.col(s, false)+")", "AVG("+g.col(s, true)+")", "COUNT(DISTINCT "+g.col(s, false)+")")
}

// block is a SELECT without ORDER BY that gives n columns.
func (g *generator) block(n, depth int) string {
	s, from := g.from(nil, 3)
	var items []string
	tail := ""
	if g.IntN(2) == 0 {
		tail = " WHERE " + g.condition(s, depth)
		if g.IntN(2) == 0 {
			tail += " AND " + g.condition(s, depth)
		}
	}
	distinct := ""
	switch g.IntN(4) {
	case 0:
		var groups []string
		for i := range n {
			if i%2 == 0 {
				e := g.col(s, g.IntN(2) == 0)
				groups = append(groups, e)
				items = append(items, e+" AS c"+strconv.Itoa(i))
			} else {
				items = append(items, g.agg(s)+" AS c"+strconv.Itoa(i))
			}
		}
		tail += " GROUP BY " + strings.Join(groups, ", ")
		if g.IntN(3) == 0 {
			tail += " HAVING " + g.agg(s) + " > 1"
		}
	case 1:
		for i := range n {
			items = append(items, g.agg(s)+" AS c"+strconv.Itoa(i))
		}
	default:
		distinct = pick(g, "", "", "DISTINCT ")
		for i := range n {
			items = append(items, g.col(s, g.IntN(2) == 0)+" AS c"+strconv.Itoa(i))
		}
	}
	return "SELECT " + distinct + strings.Join(items, ", ") + " FROM " + from + tail
}

func (g *generator) query() (text string, ordered bool) {
	g.n = 0
	n := 1 + g.IntN(3)
	text = g.block(n, 2)
	if g.IntN(8) == 0 {
		text += pick(g, " UNION ", " UNION ALL ") + g.block(n, 1)
	}
	if g.IntN(8) == 0 {
		text = "WITH w AS (" + text + ") SELECT * FROM w" + pick(g, "", " WHERE c0 = "+g.literal(), " JOIN w AS x ON x.c0 = w.c0")
		return text, false
	}
	if g.IntN(3) == 0 {
		// All columns make the order total, up to rows that are alike.
		var keys []string
		for i := range n {
			keys = append(keys, "c"+strconv.Itoa(i)+pick(g, "", " DESC"))
		}
		text += " ORDER BY " + strings.Join(keys, ", ")
		if g.IntN(2) == 0 {
			text += fmt.Sprintf(" LIMIT %d OFFSET %d", g.IntN(6), g.IntN(3))
		}
		return text, true
	}
	return text, false
}

func (g *generator) write() string {
	s, from := g.from(nil, 1+g.IntN(2))
	t := s.tables[0]
	where := ""
	if g.IntN(5) > 0 {
		where = " WHERE " + g.condition(s, 2)
	}
	if g.IntN(2) == 0 {
		return "DELETE " + t.name + " FROM " + from + where
	}
	if len(t.num) == 0 {
		return "UPDATE " + from + " SET " + t.name + "." + t.text[0] + " = 'zz'" + where
	}
	c := t.num[len(t.num)-1]
	return "UPDATE " + from + " SET " + t.name + "." + c + " = " + pick(g, "7", t.name+"."+c+" + 100", "NULL") + where
}

// Whatever the planner makes of a statement, the answer is that of one shard.
func TestRandomStatements(t *testing.T) {
	seed, rounds := uint64(time.Now().UnixNano()), 150
	if s := os.Getenv("ROUTE_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	if s := os.Getenv("ROUTE_ROUNDS"); s != "" {
		rounds, _ = strconv.Atoi(s)
	}
	t.Logf("ROUTE_SEED=%d", seed) // to run it again
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	w := newWorld()
	shards := 2 + g.IntN(6)
	w.keyspace(t, "shop", shards, true, "", shopTables)
	w.data(t, "shop", shopRows)
	for range rounds {
		text, ordered := g.query()
		if out := w.check(t, "shop", text, nil, ordered); out != "" && !strings.Contains(out, "integer overflow") {
			t.Errorf("%s\n%s", text, out)
		}
	}
	for range rounds / 4 {
		text := g.write()
		if _, err := sqlparse.Parse(text, sqlparse.Options{}); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, _, err := plan(w.many.env("shop"), text, nil); err != nil {
			continue // a view, a reference table by other tables' rows
		}
		if out := w.checkWrite(t, "shop", text, nil); out != "" && !strings.Contains(out, "ONE SHARD FAILS") {
			t.Errorf("%s\n%s", text, out)
		}
	}
}
