package sqlite

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/front/corpus"
)

var (
	seed       = flag.Uint64("seed", 1, "where TestRandom begins")
	statements = flag.Int("statements", 600, "how many TestRandom makes")
)

// maker makes random queries.
type maker struct{ *rand.Rand }

func (m maker) pick(list ...string) string { return list[m.IntN(len(list))] }

// whole, text and real make expressions of a kind; deep bounds how far they nest.
func (m maker) whole(deep int) string {
	if deep <= 0 {
		return m.pick("a", "b", "1", "0", "-3", "7", "NULL", "length(s)")
	}
	x, y := m.whole(deep-1), m.whole(deep-1)
	switch m.IntN(12) {
	case 0, 1:
		return "(" + x + m.pick(" + ", " - ", " * ", " / ", " % ", " & ", " | ") + y + ")"
	case 2:
		return "(" + m.truth(deep-1) + ")"
	case 3:
		return "coalesce(" + x + ", " + y + ")"
	case 4:
		return "abs(" + x + ")"
	case 5:
		return "CASE WHEN " + m.truth(deep-1) + " THEN " + x + " ELSE " + y + " END"
	case 6:
		return "instr(" + m.text(deep-1) + ", " + m.text(0) + ")"
	case 7:
		return "CAST(" + m.real(deep-1) + " AS INTEGER)"
	case 8:
		return m.pick("min", "max") + "(" + x + ", " + y + ")"
	case 9:
		return "-" + m.whole(0)
	case 10:
		return "~" + m.whole(0)
	}
	return m.whole(0)
}

func (m maker) real(deep int) string {
	if deep <= 0 {
		return m.pick("r", "0.5", "2.0", "-1.25", "NULL")
	}
	switch m.IntN(4) {
	case 0:
		return "(" + m.real(deep-1) + m.pick(" + ", " - ", " * ", " / ") + m.real(deep-1) + ")"
	case 1:
		return "(" + m.whole(deep-1) + m.pick(" + ", " * ", " / ") + m.real(deep-1) + ")"
	case 2:
		return "coalesce(" + m.real(deep-1) + ", " + m.real(0) + ")"
	}
	return m.real(0)
}

func (m maker) text(deep int) string {
	if deep <= 0 {
		return m.pick("s", "t", "'ab'", "'B'", "''", "'a%'", "NULL")
	}
	x, y := m.text(deep-1), m.text(deep-1)
	switch m.IntN(8) {
	case 0, 1:
		return "(" + x + " || " + y + ")"
	case 2:
		return "substr(" + x + ", " + m.pick("1", "2", "-2", "0") + ", " + m.pick("1", "2", "-1") + ")"
	case 3:
		return m.pick("upper", "lower", "trim") + "(" + x + ")"
	case 4:
		return "replace(" + x + ", 'a', 'xy')"
	case 5:
		return "iif(" + m.truth(deep-1) + ", " + x + ", " + y + ")"
	case 6:
		return "(" + x + " || " + m.whole(0) + ")"
	}
	return m.text(0)
}

func (m maker) truth(deep int) string {
	if deep <= 0 {
		return m.pick("a > 1", "b IS NULL", "s LIKE '%b'", "a = b", "t = 'B'", "r < 1")
	}
	switch m.IntN(11) {
	case 0:
		return m.truth(deep-1) + m.pick(" AND ", " OR ") + "(" + m.truth(deep-1) + ")"
	case 1:
		return "NOT (" + m.truth(deep-1) + ")"
	case 2:
		return m.whole(deep-1) + m.pick(" = ", " < ", " >= ", " <> ", " == ", " IS ", " IS NOT ") + m.whole(deep-1)
	case 3:
		return m.text(deep-1) + m.pick(" = ", " < ", " >= ", " != ", " IS ", " IS NOT ") + m.text(deep-1)
	case 4:
		return m.text(deep-1) + m.pick(" LIKE ", " NOT LIKE ") + m.pick("'%b'", "'A_'", "'%'", "'a\\%'")
	case 5:
		return m.whole(deep-1) + m.pick(" IN ", " NOT IN ") + "(" + m.whole(0) + ", " + m.whole(0) + ")"
	case 6:
		return m.whole(deep-1) + " BETWEEN " + m.whole(0) + " AND " + m.whole(0)
	case 7:
		return m.text(deep-1) + " GLOB " + m.pick("'a*'", "'[ab]?'", "'*B'", "'[^a]*'")
	case 8:
		return m.real(deep-1) + m.pick(" < ", " >= ", " = ") + m.real(deep-1)
	case 9:
		return m.text(deep-1) + m.pick(" ISNULL", " NOTNULL", " IS NULL")
	}
	return m.truth(0)
}

func (m maker) query() string {
	switch m.IntN(6) {
	case 0:
		return "SELECT " + m.pick("a", "b", "s") + " AS k, count(*), sum(" + m.whole(1) + "), total(" + m.real(1) + "), max(" + m.text(1) + ") FROM x WHERE " +
			m.truth(2) + " GROUP BY k ORDER BY k" + m.pick("", " DESC", " NULLS LAST")
	case 1:
		return "SELECT x.id, y.id, " + m.whole(1) + " FROM x " + m.pick("JOIN", "LEFT JOIN") + " y USING (a) WHERE " + strings.NewReplacer("a ", "x.a ").Replace(m.pick("x.b > 0", "y.u = 'B'", "1")) +
			" ORDER BY 1, 2"
	case 2:
		return "SELECT id FROM x WHERE " + m.truth(2) + m.pick(" UNION ", " EXCEPT ", " INTERSECT ", " UNION ALL ") + "SELECT id FROM y WHERE u > 'A' ORDER BY 1 LIMIT 5"
	case 3:
		return "SELECT DISTINCT " + m.whole(1) + " AS k FROM x ORDER BY k" + m.pick("", " DESC NULLS LAST", " NULLS FIRST")
	}
	return "SELECT id, " + m.whole(2) + ", " + m.text(2) + ", " + m.real(2) + " FROM x WHERE " + m.truth(2) + " ORDER BY id"
}

// TestRandom: random queries give what SQLite gives, but for those that are refused.
func TestRandom(t *testing.T) {
	script := []string{
		"CREATE TABLE x (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, s TEXT, t TEXT COLLATE NOCASE, r REAL)",
		"CREATE TABLE y (id INTEGER PRIMARY KEY, a INTEGER, u TEXT)",
		"INSERT INTO x (a, b, s, t, r) VALUES (1, 2, 'ab', 'b', 0.5), (2, NULL, 'a%', 'B', -1.25), (NULL, 0, '', NULL, 2), (7, -3, NULL, 'Ab', NULL), (1, 1, 'B', 'ab', 1e3), (0, 5, 'bb', '', 0.25)",
		"INSERT INTO y (a, u) VALUES (1, 'B'), (1, 'a'), (7, NULL), (NULL, 'B'), (9, 'zz')",
	}
	real, ours := listener(t, "sqlite3", "file:random?mode=memory"), listener(t, "vitessdo", ":memory:?shards=4&dialect=sqlite")
	for _, s := range script {
		for _, l := range []*corpus.Listener{real, ours} {
			if _, err := l.Conn.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	corpus.Compare(t, ours, real, *statements, *seed, func(r *rand.Rand) string { return maker{r}.query() })
}
