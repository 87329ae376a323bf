package exec

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// generator makes random statements over tables a and b, which are sharded by
// id and b.a_id respectively.
type generator struct {
	*rand.Rand
	moves int
}

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) number(t string) string {
	switch g.IntN(6) {
	case 0:
		return t + ".id"
	case 1:
		return t + ".n"
	case 2:
		return t + ".f"
	case 3:
		return fmt.Sprint(g.IntN(20))
	case 4:
		return "(" + g.number(t) + g.pick(" + ", " - ", " * ") + g.number(t) + ")"
	}
	return "COALESCE(" + t + ".n, 7)"
}

func (g *generator) text(t string) string {
	return g.pick(t+".s", t+".c", "UPPER("+t+".s)", "CONCAT("+t+".s, 'x')")
}

func (g *generator) cond(t string) string {
	switch g.IntN(9) {
	case 0:
		return fmt.Sprintf("%s.id = %d", t, g.IntN(40))
	case 1:
		return fmt.Sprintf("%s.id IN (%d, %d, %d)", t, g.IntN(40), g.IntN(40), g.IntN(40))
	case 2:
		return g.number(t) + g.pick(" < ", " >= ", " <> ") + g.number(t)
	case 3:
		return g.text(t) + g.pick(" = ", " < ", " > ") + g.pick("'a'", "'B'", "'bx'")
	case 4:
		return t + "." + g.pick("n", "s", "c", "f") + g.pick(" IS NULL", " IS NOT NULL")
	case 5:
		return "(" + g.cond(t) + g.pick(" OR ", " AND ") + g.cond(t) + ")"
	case 6:
		return fmt.Sprintf("%s.n BETWEEN %d AND %d", t, g.IntN(5), 3+g.IntN(8))
	case 7:
		return fmt.Sprintf("%s.id IN (SELECT %s FROM b WHERE %s)", t, g.pick("a_id", "id", "n"), g.cond("b"))
	}
	return "NOT " + g.cond(t)
}

func (g *generator) where(t string) string {
	if g.IntN(3) == 0 {
		return ""
	}
	return " WHERE " + g.cond(t)
}

func (g *generator) query() string {
	switch g.IntN(8) {
	case 0:
		return "SELECT a.id, " + g.number("a") + ", " + g.text("a") + " FROM a" + g.where("a") +
			" ORDER BY " + g.pick("a.n", "a.s", "a.c DESC", "a.f DESC", "COALESCE("+g.number("a")+", 5)", "UPPER(a.s)") + ", a.id" + g.limit()
	case 1:
		return "SELECT DISTINCT " + g.pick("a.n", "a.s", "a.c", "a.f", g.number("a")) + " AS x FROM a" + g.where("a") + " ORDER BY x" + g.limit()
	case 2:
		return "SELECT " + g.aggs("a") + " FROM a" + g.where("a")
	case 3:
		k := g.pick("a.n", "a.s", "a.f", "a.id", "a.n % 3")
		return "SELECT " + k + " AS k, " + g.aggs("a") + " FROM a" + g.where("a") + " GROUP BY " + k + " ORDER BY k" + g.limit()
	case 4:
		k := g.pick("a.n", "a.s", "a.f")
		return "SELECT " + k + " AS k, COUNT(*) AS cnt FROM a" + g.where("a") + " GROUP BY " + k + " HAVING " +
			g.pick("COUNT(*) > 1", "SUM(a.n) > 5", "MAX(a.id) < 30", "cnt <> 2") + " ORDER BY " + g.pick("k", "cnt DESC, k") + g.limit()
	case 5:
		on := g.pick("b.a_id = a.id", "b.id = a.id", "b.n = a.n", "b.a_id = a.id AND b.n > 3")
		return "SELECT a.id, b.id, " + g.text("b") + " FROM a " + g.pick("JOIN", "LEFT JOIN") + " b ON " + on + g.where("a") + " ORDER BY a.id, b.id" + g.limit()
	case 6:
		return "SELECT a.id, COUNT(b.id), SUM(b.n) FROM a LEFT JOIN b ON " + g.pick("b.a_id = a.id", "b.n = a.n") + g.where("a") + " GROUP BY a.id ORDER BY a.id"
	}
	return "SELECT " + g.pick("n", "s", "id") + " FROM a" + g.where("a") + g.pick(" UNION ", " UNION ALL ") + "SELECT " + g.pick("n", "s", "a_id") + " FROM b" + g.where("b")
}

func (g *generator) aggs(t string) string {
	var out []string
	for range 1 + g.IntN(3) {
		out = append(out, g.pick("COUNT(*)", "COUNT("+t+".n)", "SUM("+t+".n)", "SUM("+g.number(t)+")", "AVG("+t+".n)", "MIN("+g.number(t)+")",
			"MAX("+t+".c)", "MIN("+t+".f)", "COUNT(DISTINCT "+t+".n)", "SUM("+t+".n) + COUNT(*)"))
	}
	return strings.Join(out, ", ")
}

func (g *generator) limit() string {
	return g.pick("", "", fmt.Sprintf(" LIMIT %d", g.IntN(10)), fmt.Sprintf(" LIMIT %d OFFSET %d", g.IntN(10), g.IntN(10)))
}

func (g *generator) write() string {
	switch g.IntN(6) {
	case 0:
		return fmt.Sprintf("UPDATE a SET n = COALESCE(n, 3) + %d WHERE %s", g.IntN(9), g.cond("a"))
	case 1:
		return fmt.Sprintf("DELETE FROM b WHERE %s", g.cond("b"))
	case 2:
		return fmt.Sprintf("UPDATE b SET n = n + 1 WHERE %s ORDER BY id LIMIT %d", g.cond("b"), g.IntN(5))
	case 3:
		return fmt.Sprintf("INSERT INTO a (id, n, s) VALUES (%d, %d, 'w') ON DUPLICATE KEY UPDATE n = n + VALUES(n), s = CONCAT(s, 'u')", g.IntN(60), g.IntN(9))
	case 4:
		// No two rows may meet, as engines differ in when they look.
		g.moves++
		return fmt.Sprintf("UPDATE a SET id = id + %d WHERE %s", 1000<<g.moves, g.cond("a"))
	}
	return fmt.Sprintf("INSERT INTO b (a_id, n, s) SELECT id, n, s FROM a WHERE %s ORDER BY id LIMIT 3", g.cond("a"))
}

var randomDDL = []string{
	"CREATE TABLE a (id BIGINT PRIMARY KEY, n INT, f DOUBLE, s VARCHAR(20), c VARCHAR(20) COLLATE utf8mb4_general_ci)",
	"CREATE TABLE b (id BIGINT AUTO_INCREMENT, a_id BIGINT, n INT, f DOUBLE, s VARCHAR(20), c VARCHAR(20) COLLATE utf8mb4_general_ci, PRIMARY KEY (a_id, id))",
}

func (g *generator) value(kind int) any {
	switch {
	case g.IntN(6) == 0:
		return nil
	case kind == 0:
		return g.IntN(10)
	case kind == 1:
		return float64(g.IntN(16)) / 4
	case kind == 2:
		return g.pick("a", "b", "B", "ab", "")
	}
	return g.pick("a", "A", "b", "c")
}

// Random statements give the same on one shard and on several, inside a
// transaction and outside, and so does forcing the universal combine.
func TestRandomStatements(t *testing.T) {
	g := &generator{Rand: random(t)}
	one, many, tx := openDatabase(t, 1, randomDDL...), openDatabase(t, 4, randomDDL...), openDatabase(t, 3, randomDDL...)
	tx.begin()
	both := func(sql string, args ...any) {
		t.Helper()
		want, werr := one.run(sql, args...)
		for _, db := range []*database{many, tx} {
			got, err := db.run(sql, args...)
			// Which of equal texts stands for them all is nobody's promise.
			if (err == nil) != (werr == nil) || !strings.EqualFold(got, want) {
				t.Errorf("%s %v\none shard: %s, %v\n%d shards:  %s, %v", sql, args, want, werr, len(db.tablets), got, err)
			}
		}
		if werr != nil && !strings.Contains(werr.Error(), "UNIQUE") {
			t.Errorf("%s: %v", sql, werr)
		}
		if strings.HasPrefix(sql, "SELECT") {
			forced := strings.Replace(sql, "SELECT", "SELECT /*vt+ COMBINE=query */", 1)
			if got, err := many.run(forced, args...); err != nil || !strings.EqualFold(got, want) {
				t.Errorf("%s\none shard:        %s\nby query combine: %s, %v", forced, want, got, err)
			}
		}
	}
	for i := range 40 {
		both("INSERT INTO a VALUES (?, ?, ?, ?, ?)", i, g.value(0), g.value(1), g.value(2), g.value(3))
		both("INSERT INTO b (a_id, n, f, s, c) VALUES (?, ?, ?, ?, ?)", g.IntN(50), g.value(0), g.value(1), g.value(2), g.value(3))
	}
	for range 600 {
		if t.Failed() {
			break
		}
		both(g.query())
		if g.IntN(10) == 0 {
			both(g.write())
		}
	}
	both("SELECT id, n, s FROM a ORDER BY id")
	both("SELECT id, a_id, n, s FROM b ORDER BY id, a_id")
	if err := tx.end(t.Context(), true); err != nil {
		t.Error(err)
	}
	CloseIdle()
}
