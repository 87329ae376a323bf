package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// withBounds makes joins take another way than their defaults would.
func withBounds(t *testing.T, b joinBounds) {
	old := defaultBounds
	defaultBounds = b
	t.Cleanup(func() { defaultBounds = old })
}

// waysToJoin are bounds that lead small tables through every way that joins go.
var waysToJoin = map[string]joinBounds{
	"defaults":         defaultBounds,
	"never narrowed":   {memory: 1 << 20, few: 1 << 20, tiny: 0, growth: 4, slack: 1000},
	"one side ends":    {memory: 1 << 20, few: 1, tiny: 0, growth: 4, slack: 1000},
	"few keys narrow":  {memory: 1 << 20, few: 5, tiny: 0, growth: 4, slack: 1000},
	"second side tiny": {memory: 1 << 20, few: 3, tiny: 30, growth: 4, slack: 1000},
	"by SQL":           {memory: 0, few: 100, tiny: 10},
	"by SQL, too late": {memory: 1 << 20, few: 100, tiny: 10},
}

var joinDDL = []string{
	"CREATE TABLE l (id BIGINT PRIMARY KEY, i INT, f DOUBLE, d DECIMAL(8,2), s VARCHAR(20), c VARCHAR(20) COLLATE utf8mb4_general_ci, b BLOB, t DATE)",
	"CREATE TABLE r (id BIGINT PRIMARY KEY, i INT, f DOUBLE, d DECIMAL(8,2), s VARCHAR(20), c VARCHAR(20) COLLATE utf8mb4_general_ci, b BLOB, t DATE)",
	"CREATE TABLE m (id VARCHAR(20) PRIMARY KEY, i INT, f DOUBLE, s VARCHAR(20), c VARCHAR(20) COLLATE utf8mb4_general_ci)",
}

// fillJoin puts the same values in every database: with repetitions, NULLs, and
// what equals without being the same.
func fillJoin(t *testing.T, dbs ...*database) {
	t.Helper()
	r := random(t)
	pick := func(list ...any) any { return list[r.IntN(len(list))] }
	row := func(id any) []any {
		return []any{id, pick(nil, 0, 1, 2, 3, 7, "2", -1), pick(nil, 0.0, 1.0, 2.5, 3.0, -1.0, "3", 1e300), pick(nil, 1, 1.5, "2.50", 3),
			pick(nil, "", "a", "A", "1", "1.0", "a ", "ä", "b\x00c"), pick(nil, "", "a", "A", "ab", "AB", "Ä", "ä"),
			pick(nil, []byte{}, []byte("a"), []byte{0}, []byte("A")), pick(nil, "2024-01-02", "2024-1-2", "1999-12-31")}
	}
	for i := range 40 {
		for _, table := range []string{"l", "r"} {
			v := row(i)
			for _, db := range dbs {
				if _, err := db.run("INSERT INTO "+table+" VALUES (?, ?, ?, ?, ?, ?, ?, ?)", v...); err != nil {
					t.Fatal(err)
				}
			}
		}
		v := row(fmt.Sprint(pick("a", "A", "1", "2", "x"), i/3))
		for _, db := range dbs {
			_, err := db.run("INSERT IGNORE INTO m VALUES (?, ?, ?, ?, ?)", v[0], v[1], v[2], v[4], v[5])
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func joinQueries() []string {
	var out []string
	for _, on := range []string{"l.i = r.i", "l.i = r.f", "r.f = l.f", "l.d = r.d", "l.s = r.s", "r.c = l.c", "l.b = r.b", "l.t = r.t", "l.id = r.i",
		"l.i = r.id", "l.i = r.i AND l.s = r.s", "l.c = r.c AND r.f = l.f", "l.i = r.i AND l.f < r.f", "l.c = r.s", "l.i = r.s", "l.d = r.i", "l.t = r.s"} {
		for _, kind := range []string{"JOIN", "LEFT JOIN", "RIGHT JOIN"} {
			out = append(out, "SELECT l.id, r.id, l.i, r.c, r.b FROM l "+kind+" r ON "+on)
		}
	}
	return append(out,
		"SELECT l.s, COUNT(*), COUNT(r.f), SUM(r.i), AVG(r.f), MIN(l.c), MAX(r.s) FROM l JOIN r ON l.i = r.i GROUP BY l.s ORDER BY l.s",
		"SELECT COUNT(*), SUM(l.f), MIN(r.b) FROM l JOIN r ON l.c = r.c",
		"SELECT COUNT(*), SUM(l.i) FROM l JOIN r ON l.c = r.c WHERE l.id > 1000",
		"SELECT r.s, COUNT(*) FROM l JOIN r ON l.c = r.c WHERE l.id > 1000 GROUP BY r.s",
		"SELECT l.id, r.id FROM l JOIN r ON l.i = r.i ORDER BY l.id DESC, r.id LIMIT 7 OFFSET 3",
		"SELECT l.id, r.id, r.s FROM l LEFT JOIN r ON l.s = r.s ORDER BY r.s, l.id, r.id",
		"SELECT DISTINCT l.s, r.i FROM l JOIN r ON l.i = r.i ORDER BY l.s, r.i",
		"SELECT DISTINCT l.s FROM l JOIN r ON l.i = r.i",
		"SELECT l.id FROM l JOIN r ON l.i = r.i LIMIT 0",
		"SELECT UPPER(l.s), l.i + r.id FROM l JOIN r ON l.i = r.i WHERE l.id < 9",
		"SELECT l.id, m.id FROM l JOIN m ON m.s = l.s WHERE l.id IN (1, 2, 3, 30)",
		"SELECT l.id, m.id FROM m JOIN l ON m.i = l.id WHERE m.c = 'A'",
		"SELECT l.id, m.i FROM l LEFT JOIN m ON m.id = l.s AND m.i > 1 WHERE l.id < 20",
		"SELECT l.id, r.id, m.id FROM l JOIN m ON m.s = l.s JOIN r ON r.id = l.id",
		"SELECT l.id, r.id, m.id FROM l JOIN m ON m.s = l.s LEFT JOIN r ON r.i = m.i WHERE l.i = 2",
		"SELECT l.id, r.id, m.id FROM l LEFT JOIN (m JOIN r ON m.i = r.i) ON m.s = l.s",
		"SELECT l.id FROM l, r, m WHERE l.i = r.i AND r.f = m.f AND l.id + r.id > 10",
		"SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r JOIN m ON r.s = m.s WHERE r.i = l.i)",
		"SELECT d.x, COUNT(*) FROM (SELECT l.id AS x, r.f, l.s FROM l JOIN r ON l.i = r.i) d GROUP BY d.x",
		"SELECT d.id, d.s FROM (SELECT l.id, r.s FROM l JOIN r ON l.i = r.i) d WHERE d.id > 10",
		"WITH w AS (SELECT l.id, r.s FROM l JOIN r ON l.i = r.i) SELECT COUNT(*) FROM w a JOIN w b ON a.s = b.s",
		"SELECT id, s FROM l WHERE i IN (SELECT i FROM r WHERE id > 3)",
		"SELECT id, s FROM l WHERE id NOT IN (SELECT id FROM r WHERE i = 2)",
		"SELECT id FROM l WHERE i NOT IN (SELECT i FROM r WHERE i IS NOT NULL)",
		"SELECT id FROM l WHERE (i, c) IN (SELECT i, c FROM r)",
		"SELECT id FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.s = l.s AND r.id > 5)",
		"SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.c = l.c AND r.i = l.i)",
		"SELECT id FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.c = l.c AND r.i = l.i)",
		"SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r LEFT JOIN m ON m.s = r.s WHERE r.i = l.i) AND id IN (SELECT i FROM m)",
		"SELECT l.id, r.id FROM l LEFT JOIN r ON r.i = l.i WHERE r.s IN (SELECT s FROM m) AND l.c IN (SELECT c FROM m)",
		"SELECT l.id, r.id FROM l JOIN r ON r.i = l.i WHERE EXISTS (SELECT 1 FROM m WHERE m.i = l.i AND m.s = r.s)",
		"SELECT id FROM l WHERE i IN (SELECT i FROM r WHERE s IN (SELECT s FROM m WHERE c = 'a')) ORDER BY id LIMIT 3",
		"SELECT SUM(d), AVG(d), COUNT(*) FROM l WHERE i IN (SELECT i FROM r)",
		"SELECT l.s, SUM(r.d), AVG(l.i), AVG(r.d) FROM l JOIN r ON l.i = r.i GROUP BY l.s",
		"SELECT l.id FROM l JOIN m ON l.s = m.s UNION SELECT r.id FROM r JOIN m ON r.c = m.c",
		"SELECT l.id, ROW_NUMBER() OVER (PARTITION BY l.s ORDER BY l.id, r.id) FROM l JOIN r ON l.i = r.i",
		"SELECT l.id, (SELECT COUNT(*) FROM r JOIN m ON r.i = m.i WHERE r.s = l.s) FROM l",
	)
}

// A join gives the same by every way, on one shard and on several, inside a
// transaction and outside.
func TestJoinsByEveryWay(t *testing.T) {
	one, many, tx := openDatabase(t, 1, joinDDL...), openDatabase(t, 4, joinDDL...), openDatabase(t, 3, joinDDL...)
	tx.begin()
	fillJoin(t, one, many, tx)
	for _, sql := range joinQueries() {
		want, err := one.run(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		check := func(way string, db *database, sql string) {
			t.Helper()
			got, err := db.run(sql)
			if strings.Contains(sql, "MIN(l.c)") { // any of equal texts
				got, want = strings.ToLower(got), strings.ToLower(want)
			}
			if err != nil || got != want {
				t.Errorf("%s\n%s: %s, %v\none shard: %s", sql, way, got, err, want)
			}
		}
		check("forced", many, "/*vt+ COMBINE=query */ "+sql)
		for way, b := range waysToJoin {
			withBounds(t, b)
			check(way, many, sql)
			check(way+", in a transaction", tx, sql)
		}
		withBounds(t, waysToJoin["defaults"])
	}
	if err := tx.end(t.Context(), true); err != nil {
		t.Error(err)
	}
	CloseIdle()
}

// Writes find their rows by joins, too.
func TestWriteByJoin(t *testing.T) {
	one, many := openDatabase(t, 1, joinDDL...), openDatabase(t, 4, joinDDL...)
	fillJoin(t, one, many)
	for _, sql := range []string{
		"INSERT INTO m (id, i, s) SELECT CONCAT('n', l.id, '-', r.id), l.i, r.s FROM l JOIN r ON l.i = r.i WHERE l.id < 7",
		"INSERT INTO m (id, i) SELECT id + 1000, i FROM l WHERE i IN (SELECT i FROM r WHERE id < 5)",
		"UPDATE l SET s = 'in' WHERE i IN (SELECT f FROM r)",
		"UPDATE l JOIN r ON l.i = r.i SET l.c = 'joined' WHERE r.id < 9",
		"DELETE FROM r WHERE NOT EXISTS (SELECT 1 FROM m WHERE m.i = r.i)",
		"DELETE l FROM l JOIN m ON l.s = m.s WHERE m.i = 2",
	} {
		want, err := one.run(sql)
		got, err2 := many.run(sql)
		if err != nil || err2 != nil || got != want {
			t.Errorf("%s\n%s, %v\none shard: %s, %v", sql, got, err2, want, err)
		}
		for _, q := range []string{"SELECT * FROM l ORDER BY id", "SELECT * FROM r ORDER BY id", "SELECT * FROM m ORDER BY id"} {
			want, err := one.run(q)
			if got, err2 := many.run(q); err != nil || err2 != nil || got != want {
				t.Errorf("%s leaves %s (%v), want %s (%v)", sql, got, err2, want, err)
			}
		}
	}
	CloseIdle()
}

// A join that multiplies what it has in memory can be stopped.
func TestJoinIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := newHashTable([]route.SortKey{{Col: 0}})
	for range 5000 {
		h.add([]any{int64(1)})
	}
	h.index()
	probe := make([][]any, 5000)
	for i := range probe {
		probe[i] = []any{int64(1)}
	}
	j := &hashJoin{ctx: ctx, build: h, probe: &kept{rows: probe}, keys: h.keys, out: []any{}}
	cancel()
	rows := 0
	for ; ; rows++ {
		if _, err := j.next(); err != nil {
			var te *tablet.Error
			if !errors.As(err, &te) || te.Code != tablet.CodeCanceled {
				t.Errorf("the join ends with %v", err)
			}
			break
		}
	}
	if rows >= checkEvery {
		t.Errorf("%d rows after the end of the context", rows)
	}
}

// What is sorted on disk comes as what is sorted in memory.
func TestSortOnDisk(t *testing.T) {
	r := random(t)
	var rows [][]any
	for i := range 500 {
		rows = append(rows, []any{anyValue(r), int64(i), anyValue(r)})
	}
	keys := []route.SortKey{{Col: 2, NoCase: true, Desc: true}, {Col: 0}}
	for _, top := range []int64{-1, 0, 1, 10, 499, 5000} {
		want := slices.Clone(rows)
		sortRows(want, keys)
		for _, memory := range []int64{0, 5000, 1 << 30} {
			src, err := sortedWithin(t.Context(), &kept{rows: slices.Clone(rows)}, keys, top, &meter{}, memory)
			if err != nil {
				t.Fatal(err)
			}
			got, err := keepAll(src, &meter{}, "")
			if err != nil {
				t.Fatal(err)
			}
			n := len(rows)
			if top >= 0 {
				n = min(n, int(top))
			}
			if len(got) < n {
				t.Fatalf("top %d: %d rows", top, len(got))
			}
			if text(got[:n]) != text(want[:n]) {
				t.Errorf("top %d, memory %d: another order", top, memory)
			}
		}
	}
	CloseIdle()
}

// A join's own rows count against the limits, which name what they are of.
func TestJoinLimits(t *testing.T) {
	db := openDatabase(t, 2, "CREATE TABLE a (id BIGINT PRIMARY KEY, n INT)", "CREATE TABLE b (id BIGINT PRIMARY KEY, n INT)")
	for i := range 50 {
		for _, table := range []string{"a", "b"} {
			if _, err := db.run("INSERT INTO "+table+" VALUES (?, ?)", i, i%3); err != nil {
				t.Fatal(err)
			}
		}
	}
	db.limits = Limits{MaxCombineRows: 30}
	_, err := db.run("SELECT a.id, b.id FROM a JOIN b ON a.n = b.n")
	var le *LimitError
	if !errors.As(err, &le) || le.Option != optionRows || !strings.Contains(le.Fragment, `FROM "`) {
		t.Errorf("a hash table above the limit: %v", err)
	}
	db.limits = Limits{MaxCombineRows: 300}
	if got, err := db.run("SELECT COUNT(*) FROM a JOIN b ON a.n = b.n"); err != nil || !strings.Contains(got, "834") {
		t.Errorf("rows that aren't kept count: %s, %v", got, err)
	}
	_, err = db.run("SELECT a.id + b.id FROM a JOIN b ON a.n = b.n")
	if !errors.As(err, &le) || !strings.Contains(le.Fragment, "JOIN") {
		t.Errorf("joined rows above the limit: %v", err)
	}
}
