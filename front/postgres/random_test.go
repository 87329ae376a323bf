//go:build linux && !nopostgres

package postgres

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vitessdo/vitessdo/front/corpus"
)

var (
	seed       = flag.Uint64("seed", 1, "where TestRandom begins")
	statements = flag.Int("statements", 500, "how many TestRandom makes, for one shard and for several")
)

// maker makes random statements over the tables of randomSchema. Whatever is compared,
// added or put together has one type, as PostgreSQL wants it.
type maker struct{ *rand.Rand }

var randomSchema = []string{
	"CREATE TABLE x (id int PRIMARY KEY, a int, b bigint, s text, t varchar(20), r double precision, n numeric(10,2), ok boolean, at timestamp, d date, j jsonb)",
	"CREATE TABLE y (id int PRIMARY KEY, x_id int, a int, u text UNIQUE, ok boolean NOT NULL DEFAULT false)",
	`INSERT INTO x VALUES
		(1, 1, 2, 'ab', 'b', 0.5, 1.25, true, '2026-01-31 10:20:30', '2026-01-31', '{"k": 1, "l": [1, "x"]}'),
		(2, 2, NULL, 'a%', 'B', -1.25, -2.50, false, '2025-12-31 23:59:59.5', '2024-02-29', '{"k": "v"}'),
		(3, NULL, 0, '', NULL, 2, NULL, NULL, NULL, NULL, NULL),
		(4, 7, -3, NULL, 'Ab', NULL, 100, true, '2026-03-01', '2000-01-01', '[1, 2]'),
		(5, 1, 1, 'B', 'ab', 1000, 0.01, false, '2026-01-31 00:00:00', '2026-12-31', '{"k": null}'),
		(6, 0, 5, 'bb_c', '', 0.25, -0.99, NULL, '1999-06-15 12:00:00', NULL, '{"m": {"n": true}}')`,
	"INSERT INTO y VALUES (1, 1, 1, 'B', true), (2, 1, 1, 'a', false), (3, 4, 7, NULL, true), (4, NULL, NULL, 'ab', false), (5, 9, 9, 'zz', true)",
}

func (m maker) pick(list ...string) string { return list[m.IntN(len(list))] }

// whole, real, exact, text, truth, moment and day make expressions of a type; deep
// bounds how far they nest.
func (m maker) whole(deep int) string {
	if deep <= 0 {
		return m.pick("a", "b", "id", "1", "0", "-3", "7", "length(s)")
	}
	x, y := m.whole(deep-1), m.whole(deep-1)
	switch m.IntN(15) {
	case 0, 1:
		return "(" + x + m.pick(" + ", " - ", " * ") + y + ")"
	case 2:
		return "(" + x + m.pick(" / ", " % ") + m.pick("2", "-3", "(abs("+y+") + 1)") + ")"
	case 3:
		return "coalesce(" + x + ", " + y + ")"
	case 4:
		return m.pick("abs("+x+")", "sign("+x+")::int")
	case 5:
		return "CASE WHEN " + m.truth(deep-1) + " THEN " + x + " ELSE " + y + " END"
	case 6:
		return m.pick("strpos("+m.text(deep-1)+", "+m.text(0)+")", "position('b' IN "+m.text(deep-1)+")", "char_length("+m.text(deep-1)+")", "ascii("+m.text(0)+")")
	case 7:
		return "(" + m.pick(m.real(deep-1), m.exact(deep-1), m.truth(deep-1)) + ")::int"
	case 8:
		return m.pick("greatest", "least") + "(" + x + ", " + y + ")"
	case 9:
		return "(- " + x + ")"
	case 10:
		return "(" + x + m.pick(" & ", " | ", " # ") + y + ")"
	case 11:
		return "extract(" + m.pick("year", "month", "day", "dow", "doy", "week", "quarter", "isodow", "hour", "minute") + " FROM at)::int"
	case 12:
		return "nullif(" + x + ", " + m.whole(0) + ")"
	case 13:
		return m.pick("(d - date '2020-01-01')", "(j->>'k' IS NULL)::int", "jsonb_array_length(CASE WHEN jsonb_typeof(j) = 'array' THEN j END)", "(SELECT count(*) FROM y WHERE y.x_id = x.id)", "(SELECT max(y.a) FROM y)")
	}
	return m.whole(0)
}

func (m maker) real(deep int) string {
	if deep <= 0 {
		return m.pick("r", "0.5::float8", "2::float8", "(-1.25)::float8")
	}
	switch m.IntN(5) {
	case 0:
		return "(" + m.real(deep-1) + m.pick(" + ", " - ", " * ") + m.real(deep-1) + ")"
	case 1:
		return "(" + m.whole(deep-1) + m.pick(" + ", " * ") + m.real(deep-1) + ")"
	case 2:
		return "(" + m.real(deep-1) + " / " + m.pick("4", "0.5", "(abs(r) + 1)") + ")"
	case 3:
		return m.pick("floor", "ceil", "abs", "trunc") + "(" + m.real(deep-1) + ")"
	}
	return m.real(0)
}

func (m maker) exact(deep int) string {
	if deep <= 0 {
		return m.pick("n", "1.50", "-0.25", "100.0")
	}
	switch m.IntN(5) {
	case 0:
		return "(" + m.exact(deep-1) + m.pick(" + ", " - ") + m.exact(deep-1) + ")"
	case 1:
		return "(" + m.exact(0) + " * " + m.exact(0) + ")"
	case 2:
		return "round(" + m.exact(deep-1) + ", " + m.pick("0", "1") + ")"
	case 3:
		return "(" + m.whole(0) + m.pick(" + ", " * ") + m.exact(0) + ")"
	}
	return m.exact(0)
}

func (m maker) text(deep int) string {
	if deep <= 0 {
		return m.pick("s", "t", "'ab'", "'B'", "''", "'a%'", "'it''s'")
	}
	x, y := m.text(deep-1), m.text(deep-1)
	switch m.IntN(13) {
	case 0, 1:
		return "(" + x + " || " + y + ")"
	case 2:
		return m.pick("substr(", "substring(") + x + ", " + m.pick("1", "2", "0", "-1", "3") + ", " + m.pick("1", "2", "4") + ")"
	case 3:
		return m.pick("upper", "lower", "trim", "reverse", "md5") + "(" + x + ")"
	case 4:
		return "replace(" + x + ", 'a', 'xy')"
	case 5:
		return "CASE WHEN " + m.truth(deep-1) + " THEN " + x + " ELSE " + y + " END"
	case 6:
		return "(" + x + " || (" + m.pick(m.whole(0), m.exact(0), "ok", "d") + ")::text)"
	case 7:
		return m.pick("left", "right") + "(" + x + ", " + m.pick("1", "2") + ")"
	case 8:
		return m.pick("lpad", "rpad") + "(" + x + ", 4, '*')"
	case 9:
		return "concat(" + x + ", " + m.pick(m.whole(0), "ok", "NULL", y) + ")"
	case 10:
		return m.pick("to_char(at, 'YYYY-MM-DD HH24:MI:SS')", "to_char(d, 'Mon DD')", "j->>'k'", "j#>>'{l,1}'", "jsonb_typeof(j)", "split_part("+x+", 'b', 1)")
	case 11:
		return "coalesce(" + x + ", " + y + ")" + m.pick("", "::varchar(3)")
	}
	return m.text(0)
}

func (m maker) moment(deep int) string {
	if deep <= 0 {
		return m.pick("at", "timestamp '2026-01-31 00:00:00'", "d::timestamp")
	}
	switch m.IntN(4) {
	case 0:
		return "(" + m.moment(deep-1) + m.pick(" + ", " - ") + "interval '" + m.pick("1 day", "1 month", "90 minutes", "1 year 2 days", "36 hours") + "')"
	case 1:
		return "date_trunc('" + m.pick("day", "month", "year", "hour", "week", "quarter") + "', " + m.moment(deep-1) + ")"
	case 2:
		return "coalesce(" + m.moment(deep-1) + ", " + m.moment(0) + ")"
	}
	return m.moment(0)
}

func (m maker) truth(deep int) string {
	if deep <= 0 {
		return m.pick("a > 1", "b IS NULL", "s LIKE '%b'", "a = b", "t = 'B'", "r < 1", "ok", "NOT ok", "n >= 0")
	}
	compare := m.pick(" = ", " < ", " >= ", " <> ", " IS DISTINCT FROM ", " IS NOT DISTINCT FROM ")
	switch m.IntN(15) {
	case 0, 1:
		return "(" + m.truth(deep-1) + m.pick(" AND ", " OR ") + m.truth(deep-1) + ")"
	case 2:
		return "(NOT " + m.truth(deep-1) + ")"
	case 3:
		return "(" + m.whole(deep-1) + compare + m.whole(deep-1) + ")"
	case 4:
		return "(" + m.text(deep-1) + compare + m.text(deep-1) + ")"
	case 5:
		return "(" + m.text(deep-1) + m.pick(" LIKE ", " NOT LIKE ", " ILIKE ", " NOT ILIKE ") + m.pick("'%b'", "'A_'", "'%'", `'a\%'`, "'%b\\_%'") + ")"
	case 6:
		return "(" + m.whole(deep-1) + m.pick(" IN ", " NOT IN ") + "(" + m.whole(0) + ", " + m.whole(0) + "))"
	case 7:
		return "(" + m.whole(deep-1) + m.pick(" BETWEEN ", " NOT BETWEEN ", " BETWEEN SYMMETRIC ") + m.whole(0) + " AND " + m.whole(0) + ")"
	case 8:
		return "(" + m.text(deep-1) + m.pick(" ~ ", " !~ ", " ~* ") + m.pick("'^a'", "'b$'", "'[ab].'", "'a|B'") + ")"
	case 9:
		return "(" + m.pick(m.real(deep-1)+" < "+m.real(deep-1), m.exact(deep-1)+compare+m.exact(deep-1)) + ")"
	case 10:
		return "(" + m.pick(m.text(deep-1), m.whole(deep-1), m.moment(0)) + m.pick(" IS NULL", " IS NOT NULL") + ")"
	case 11:
		return "((" + m.truth(deep-1) + ") IS " + m.pick("", "NOT ") + m.pick("TRUE", "FALSE", "UNKNOWN") + ")"
	case 12:
		return m.pick("(a = ANY ('{1,7}'))", "(id <> ALL (ARRAY[1, 2]))", "(s = ANY ('{ab,B}'::text[]))", "(s LIKE ANY (ARRAY['a%', '%B']))", `(j @> '{"k": 1}')`, "(j ? 'k')",
			"(s SIMILAR TO '(a|b)%')", "(a IN (SELECT y.a FROM y WHERE y.ok))", "EXISTS (SELECT 1 FROM y WHERE y.x_id = x.id AND y.a > 0)", "(id, a) IN ((1, 1), (2, 3))")
	case 13:
		return "(" + m.moment(deep-1) + m.pick(" < ", " >= ", " = ") + m.moment(deep-1) + ")"
	}
	return m.truth(0)
}

func (m maker) any(deep int) string {
	switch m.IntN(6) {
	case 0:
		return m.text(deep)
	case 1:
		return m.real(deep)
	case 2:
		return m.exact(deep)
	case 3:
		return m.truth(deep)
	case 4:
		return m.moment(deep)
	}
	return m.whole(deep)
}

func (m maker) query() string {
	order := m.pick("", " DESC", " NULLS FIRST", " DESC NULLS LAST")
	switch m.IntN(17) {
	case 9, 10:
		return m.everyday()
	case 11:
		return "SELECT x.id, y.id, " + m.pick("x.s", "y.u", "coalesce(x.a, y.a)", "x.ok AND y.ok") + " FROM x FULL JOIN y ON " +
			m.pick("y.x_id = x.id", "y.a = x.a", "y.a = x.a AND y.ok", "y.id = x.id AND x.a > 0") + m.pick("", " WHERE x.id IS NULL", " WHERE y.a > 1", " WHERE x.id > 2 OR y.id < 3") + " ORDER BY 1, 2"
	case 12:
		return "SELECT " + m.pick("ok", "a", "s") + " AS k, " + m.pick("array_agg("+m.pick("a", "s", "t", "r", "n", "ok", "at", "d", "(s || 'x')", "at::text")+" ORDER BY id)", "jsonb_agg("+m.pick(m.whole(1), "(s || "+m.text(0)+")", m.truth(1))+" ORDER BY "+m.pick("s", "n DESC", "a NULLS FIRST")+", id)",
			"string_agg("+m.text(1)+", '-' ORDER BY "+m.pick("r", "t DESC")+", id)") + m.pick("", " FILTER (WHERE "+m.truth(1)+")") + " FROM x GROUP BY 1 ORDER BY 1"
	case 0, 1:
		return "SELECT " + m.pick("a", "ok", "s", "b / 2") + " AS k, count(*), count(" + m.any(1) + "), sum(" + m.whole(1) + "), avg(" + m.whole(0) + "), max(" + m.text(1) + "), min(" + m.moment(0) +
			"), bool_or(" + m.truth(1) + "), count(DISTINCT " + m.whole(0) + "), sum(" + m.exact(1) + ") FILTER (WHERE " + m.truth(1) + ") FROM x WHERE " + m.truth(1) +
			" GROUP BY 1" + m.pick("", " HAVING count(*) > 1", " HAVING sum(a) IS NOT NULL") + " ORDER BY k" + order
	case 2:
		return "SELECT x.id, y.id, u, x.a + y.a, " + m.pick("x.ok AND y.ok", "coalesce(u, s)", "x.n * y.a") + " FROM x " + m.pick("JOIN", "LEFT JOIN", "RIGHT JOIN") + " y ON " +
			m.pick("y.x_id = x.id", "y.a = x.a", "y.a = x.a AND y.ok", "y.x_id = x.id OR y.u = x.s") + m.pick("", " WHERE y.id > 1", " WHERE x.id IS NULL OR x.a > 0") + " ORDER BY 1, 2"
	case 3:
		return "SELECT a FROM x WHERE " + m.truth(2) + m.pick(" UNION ", " EXCEPT ", " INTERSECT ", " UNION ALL ") + "SELECT a FROM y ORDER BY 1" + order + m.pick("", " LIMIT 3", " LIMIT 2 OFFSET 1")
	case 4:
		return "SELECT DISTINCT " + m.any(1) + " AS k FROM x ORDER BY k" + order
	case 5:
		return "SELECT DISTINCT ON (a) a, id, s FROM x ORDER BY a" + order + ", " + m.pick("id", "s DESC, id", "r NULLS FIRST, id")
	case 6:
		return "SELECT id, " + m.pick("row_number() OVER w", "rank() OVER w", "sum(a) OVER w", "lag(id) OVER w", "count(*) OVER (PARTITION BY ok)", "first_value(s) OVER w", "avg(n) OVER w") +
			" FROM x WINDOW w AS (" + m.pick("", "PARTITION BY ok ") + "ORDER BY " + m.pick("a", "s", "n DESC") + m.pick("", " NULLS FIRST") + ", id) ORDER BY id"
	case 7:
		return "WITH c AS (SELECT id, " + m.whole(1) + " AS v FROM x WHERE " + m.truth(1) + ") SELECT c.id, c.v, y.u FROM c LEFT JOIN y ON y.x_id = c.id ORDER BY c.id, y.u LIMIT 6"
	case 8:
		return "SELECT x.id, l.u FROM x " + m.pick("JOIN", "LEFT JOIN") + " LATERAL (SELECT u, id FROM y WHERE y.a = x.a ORDER BY y.id LIMIT 1) l ON true ORDER BY x.id"
	}
	return "SELECT id, " + m.any(2) + ", " + m.any(2) + ", " + m.any(2) + " FROM x WHERE " + m.truth(2) + " ORDER BY x.id" // not id, which a CASE may be named
}

// everyday are shapes that applications write.
func (m maker) everyday() string {
	switch m.IntN(8) {
	case 0:
		on := m.pick("a", "ok", "s", "b % 2")
		return "SELECT DISTINCT ON (" + on + ") * FROM x WHERE " + m.truth(1) + " ORDER BY " + on + ", id"
	case 1:
		columns := m.pick("a, a + 1", "a, ok")
		return "SELECT " + columns + " FROM x WHERE " + m.truth(1) + m.pick(" EXCEPT ALL ", " INTERSECT ALL ") + "SELECT " + columns + " FROM y ORDER BY 1, 2" + m.pick("", " LIMIT 2")
	case 2:
		return "SELECT x.id, e.value FROM x, jsonb_array_elements" + m.pick("", "_text") + "(CASE WHEN jsonb_typeof(j) = 'array' THEN j ELSE j->'l' END) e WHERE " + m.truth(1) + " ORDER BY x.id, e.value::text"
	case 3:
		return "SELECT id, " + m.moment(1) + "::timestamp AT TIME ZONE '" + m.pick("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata") + "' AS m FROM x WHERE at IS NOT NULL ORDER BY id"
	case 4:
		return "SELECT id, ARRAY(SELECT " + m.pick("y.a", "y.u", "y.ok") + " FROM y WHERE " + m.pick("y.x_id = x.id", "y.a > x.a") + " ORDER BY y.id) FROM x ORDER BY id"
	case 5:
		return "SELECT id, to_char(" + m.pick(m.exact(1), m.whole(1)) + ", '" + m.pick("999.99", "FM990.00", "0000", "9,999.9", "99", "FM9,990.00") + "') FROM x ORDER BY id"
	case 6:
		return "SELECT g, count(x.id) FROM generate_series(" + m.pick("0, 3", "1, 7, 3", "2, -2, -1") + ") AS g LEFT JOIN x ON x.a = g" + m.pick("", " AND "+m.truth(1)) + " GROUP BY g ORDER BY g"
	}
	return "SELECT jsonb_build_object('i', id, 't', " + m.text(1) + ", 'ok', ok, 'y', (SELECT jsonb_agg(jsonb_build_object('u', u) ORDER BY y.id) FROM y WHERE y.x_id = x.id)) FROM x ORDER BY id"
}

func (m maker) write() string {
	id := fmt.Sprint(1 + m.IntN(12))
	switch m.IntN(12) {
	case 8:
		return "UPDATE x SET a = b, b = a, s = t, t = left(s, 20) WHERE " + m.pick(m.truth(1), "id = "+id+" RETURNING id, a, b, s, t")
	case 9:
		return "UPDATE x SET (a, s) = (SELECT " + m.pick("max(y.a), min(y.u)", "count(*), max(u)") + " FROM y WHERE y.x_id = x.id) WHERE " + m.truth(1)
	case 10:
		return "WITH gone AS (DELETE FROM y WHERE " + m.pick("a > 1", "ok", "id = "+id) + " RETURNING *) " +
			m.pick("INSERT INTO x (id, a, s) SELECT id + 20, a, u FROM gone ON CONFLICT DO NOTHING", "SELECT count(*), sum(a) FROM gone", "UPDATE x SET a = x.a + 1 FROM gone WHERE gone.x_id = x.id", "SELECT x.id, gone.u FROM x JOIN gone ON gone.x_id = x.id ORDER BY 1, 2")
	case 11:
		return "WITH n AS (INSERT INTO y (id, a, u) VALUES (" + id + ", 5, " + m.pick("'B'", "'n'", "NULL") + ") ON CONFLICT DO NOTHING RETURNING id, u) SELECT id, u FROM n UNION ALL SELECT id, u FROM y WHERE u = 'B' ORDER BY 1"
	case 0:
		return "UPDATE x SET a = " + m.whole(1) + ", s = " + m.text(0) + " WHERE " + m.truth(2)
	case 1:
		return "UPDATE x SET n = round(" + m.exact(1) + ", 2), ok = " + m.truth(1) + " WHERE id = " + id + " RETURNING id, n, ok"
	case 2:
		return "INSERT INTO x (id, a, s, ok) VALUES (" + id + ", " + m.pick("1", "2", "NULL") + ", 'new', " + m.pick("true", "NULL") + ") ON CONFLICT (id) DO " +
			m.pick("NOTHING", "UPDATE SET a = excluded.a, s = x.s || excluded.s", "UPDATE SET a = coalesce(x.a, 0) + 1 WHERE x.ok", "UPDATE SET s = excluded.s RETURNING id, s")
	case 3:
		return "INSERT INTO y (id, x_id, a, u) VALUES (" + id + ", " + m.pick("1", "2", "NULL") + ", 3, " + m.pick("'B'", "'q'", "NULL", "'r'") + ")" +
			m.pick("", " ON CONFLICT DO NOTHING", " ON CONFLICT (u) DO UPDATE SET a = y.a + excluded.a")
	case 4:
		return "DELETE FROM " + m.pick("y WHERE id = "+id, "x WHERE id = "+id+" RETURNING a, s", "y USING x WHERE x.id = y.x_id AND x.a > 1", "x WHERE id > 8 AND "+m.truth(1))
	case 5:
		return "UPDATE y SET a = x.a, ok = x.id > 2 FROM x WHERE x.id = y.x_id AND " + m.pick("x.a > 0", "x.ok", "y.id < 4")
	case 6:
		return "INSERT INTO x (id, a, b, s) SELECT id + 6, a, id, u FROM y WHERE " + m.pick("y.ok", "y.a > 1", "u LIKE '%b'") + " ON CONFLICT DO NOTHING"
	}
	return "UPDATE x SET a = b, b = " + m.whole(1) + ", at = " + m.moment(1) + " WHERE " + m.truth(1)
}

// TestRandom: random statements give what PostgreSQL gives, but for those that are
// refused; after each write the tables are the same.
func TestRandom(t *testing.T) {
	admin := startPostgres(t)
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			real := real(t, admin)
			ours := &corpus.Listener{Conn: corpus.Connect(t, "vitessdo", fmt.Sprintf(":memory:?shards=%d&dialect=postgres", shards)), Write: written}
			for _, s := range randomSchema {
				for _, l := range []*corpus.Listener{real, ours} {
					if _, err := l.Conn.ExecContext(t.Context(), s); err != nil {
						t.Fatal(err)
					}
				}
			}
			var next []string // what shows the tables after a write
			corpus.Compare(t, ours, real, *statements, *seed+uint64(shards)<<32, func(r *rand.Rand) string {
				if len(next) > 0 {
					q := next[0]
					next = next[1:]
					return q
				}
				if m := (maker{r}); m.IntN(6) > 0 {
					return m.query()
				}
				next = []string{"SELECT * FROM x ORDER BY id", "SELECT * FROM y ORDER BY id"}
				return maker{r}.write()
			})
		})
	}
}
