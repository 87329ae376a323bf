package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/vschema"
)

// clusterOf gives the database behind a pool.
func clusterOf(tb testing.TB, db *sql.DB) *cluster {
	tb.Helper()
	c, err := db.Conn(bg)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	var out *cluster
	if err := c.Raw(func(dc any) error { out = dc.(*Conn).s.cl; return nil }); err != nil {
		tb.Fatal(err)
	}
	return out
}

// uniqueWrite is a write to a table with unique keys: how many rows it affects, or which
// key it finds a duplicate entry for.
type uniqueWrite struct {
	query    string
	affected int64
	key      string
}

// writesUnique runs writes in turn, and looks at the hidden tables after each.
func writesUnique(t *testing.T, db *sql.DB, list []uniqueWrite) {
	t.Helper()
	for _, w := range list {
		r, err := db.ExecContext(bg, w.query)
		if w.key != "" {
			e := wantCode(t, err, CodeUnique, w.query)
			if e.Number != 1062 || !strings.Contains(e.Message, "for key '"+w.key+"'") {
				t.Errorf("%s: %v", w.query, e)
			}
		} else if n, _ := result2(t, must(t, r, err, w.query)); n != w.affected {
			t.Errorf("%s: %d rows affected, want %d", w.query, n, w.affected)
		}
		checkHidden(t, db)
	}
}

// checkHidden compares every hidden table with what the rows say: for each key
// without NULL one entry with the keyspace ID of its row, on the shard that the
// key itself names, and no other.
func checkHidden(tb testing.TB, db *sql.DB) {
	tb.Helper()
	c := clusterOf(tb, db)
	snap := c.state.Load()
	for ks, m := range snap.shards {
		for _, def := range snap.schema.Tables(ks) {
			for _, x := range def.Indexes {
				h := snap.schema.Unique(ks, def.Name, x)
				if h == nil {
					continue
				}
				pv := snap.vschema.Keyspaces[ks].Table(def.Name).Primary()
				row := &route.RowDest{Vindex: pv.Vindex}
				for i, name := range pv.Columns {
					row.Ordinal, row.Columns = append(row.Ordinal, len(x.Parts)+i), append(row.Columns, route.ColumnOf(def.Column(name).Type))
				}
				entry := &route.RowDest{}
				if kv := vschema.KeyTable(h.Name, h.PartitionKey).Primary(); kv != nil {
					entry.Vindex = kv.Vindex
					for _, name := range kv.Columns {
						c := h.Column(name)
						entry.Ordinal, entry.Columns = append(entry.Ordinal, c.Pos), append(entry.Columns, route.ColumnOf(c.Type))
					}
				}
				var values []string
				for i := range x.Parts {
					value, err := gatePrinter.KeyPart(def, x, i)
					if err != nil {
						tb.Fatal(err)
					}
					values = append(values, value)
				}
				for _, name := range pv.Columns {
					values = append(values, `"`+name+`"`)
				}
				var want, got []string
				var buf route.Scratch
				for i, t := range (*c.tablets.Load())[ks] {
					rows, err := allOf(bg, t, "SELECT "+strings.Join(values, ", ")+" FROM \""+def.Name+"\"")
					if err != nil {
						tb.Fatal(err)
					}
					for _, r := range rows {
						if slices.Contains(r[:len(x.Parts)], nil) {
							continue
						}
						for i := range x.Parts {
							var err error
							if r[i], err = exec.Stored(r[i], h.Columns[i]); err != nil {
								tb.Fatal(err)
							}
						}
						id, err := row.KeyspaceID(r, &buf)
						if err != nil {
							tb.Fatal(err)
						}
						to := 0
						if entry.Vindex != nil {
							if to, err = entry.ShardOf(m, r, &buf); err != nil {
								tb.Fatal(err)
							}
						}
						want = append(want, fmt.Sprintf("%d: %q %x", to, r[:len(x.Parts)], id))
					}
					if rows, err = allOf(bg, t, "SELECT * FROM \""+h.Name+"\""); err != nil {
						tb.Fatal(err)
					}
					for _, r := range rows {
						got = append(got, fmt.Sprintf("%d: %q %x", i, r[:len(x.Parts)], r[len(x.Parts)]))
					}
				}
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(want, got) {
					tb.Errorf("%s holds\n%s\nthe rows say\n%s", h.Name, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		}
	}
}

// TestUniqueAcrossShards takes every way in which a key may be taken.
func TestUniqueAcrossShards(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			db := openDB(t, fmt.Sprintf(":memory:?shards=%d", shards))
			do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, email VARCHAR(50) COLLATE utf8mb4_general_ci UNIQUE, n INT)")
			for _, tc := range []struct {
				query    string
				affected int64 // -1: duplicate entry
			}{
				{"INSERT INTO u VALUES (1,'a',1),(2,'b',2),(3,NULL,3),(4,NULL,4)", 4},
				{"INSERT INTO u VALUES (5,'A',5)", -1},
				{"INSERT INTO u VALUES (5,'x',5),(6,'X',6)", -1},
				{"INSERT IGNORE INTO u VALUES (5,'a',5),(6,'c',6),(7,'C',7)", 1},
				{"INSERT INTO u VALUES (9,'a',5) ON DUPLICATE KEY UPDATE n = n + VALUES(n)*10", 2},
				{"INSERT INTO u VALUES (9,'d',9) ON DUPLICATE KEY UPDATE n = n + VALUES(n)*10", 1},
				{"INSERT INTO u VALUES (9,'a',9) ON DUPLICATE KEY UPDATE email = 'e'", 2},
				{"INSERT INTO u VALUES (6,'z',9) ON DUPLICATE KEY UPDATE email = 'a'", -1},
				{"REPLACE INTO u VALUES (10,'b',10)", 2},
				{"REPLACE INTO u VALUES (10,'a',11)", 3},
				{"UPDATE u SET email = 'C' WHERE id = 10", -1},
				{"UPDATE u SET email = CASE WHEN email = 'a' THEN 'c' ELSE 'a' END WHERE email IN ('a','c')", -1},
				{"UPDATE u SET email = CONCAT(email, 'z') WHERE email IS NOT NULL", 3},
				{"UPDATE u SET email = UPPER(email) WHERE email IS NOT NULL", 3},
				{"INSERT INTO u SELECT id + 20, email, n FROM u", -1},
				{"INSERT INTO u SELECT id + 20, CONCAT(email, id), n FROM u", 5},
				{"UPDATE u SET id = id + 100 WHERE id < 20", 5},
				{"INSERT INTO u VALUES (1,'az',1)", -1},
				{"DELETE FROM u WHERE email = 'AZ'", 1},
				{"INSERT INTO u VALUES (1,'az',1)", 1},
				{"UPDATE IGNORE u SET email = 'new' WHERE id IN (1, 106)", 1},
			} {
				r, err := db.ExecContext(bg, tc.query)
				if tc.affected < 0 {
					e := wantCode(t, err, CodeUnique, tc.query)
					if e.Number != 1062 || !strings.Contains(e.Message, "Duplicate entry") {
						t.Errorf("%s: %v", tc.query, e)
					}
				} else if n, _ := result2(t, must(t, r, err, tc.query)); n != tc.affected {
					t.Errorf("%s: %d rows affected, want %d", tc.query, n, tc.affected)
				}
				checkHidden(t, db)
			}
			want(t, db, "23|∅ 24|∅ 26|CZ6 29|EZ9 30|AZ10 103|∅ 104|∅ 106|CZ 109|EZ", "SELECT id, email FROM u WHERE id > 1 ORDER BY id")
		})
	}
}

func must(t *testing.T, r sql.Result, err error, what string) sql.Result {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return r
}

// TestUniqueNames sees that the error names value and key.
func TestUniqueNames(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, a INT, b VARCHAR(9), UNIQUE KEY ab (a, b))",
		"INSERT INTO u VALUES (1, 7, 'x')")
	for id := 2; id < 12; id++ {
		e := mustFail(t, db, CodeUnique, "INSERT INTO u VALUES (?, 7, 'x')", id)
		if e.Message != "Duplicate entry '7-x' for key 'u.ab'" || e.Table != "u" || e.Constraint != "ab" || !slices.Equal(e.Columns, []string{"a", "b"}) {
			t.Errorf("%v, table %q, constraint %q, columns %q", e, e.Table, e.Constraint, e.Columns)
		}
	}
}

// TestUniqueSchemaChanges lets hidden tables follow their keys.
func TestUniqueSchemaChanges(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, a INT, b VARCHAR(9))")
	for i := range 50 {
		do(t, db, "INSERT INTO u VALUES (?, ?, ?)", i, i/2, fmt.Sprint("v", i))
	}
	e := mustFail(t, db, CodeUnique, "CREATE UNIQUE INDEX ua ON u (a)")
	if e.Number != 1062 {
		t.Error(e)
	}
	duplicate := func(table, column string) {
		t.Helper()
		checkHidden(t, db)
		mustFail(t, db, CodeUnique, "UPDATE "+table+" SET "+column+" = 'v7' WHERE id = 8")
	}
	do(t, db, "CREATE UNIQUE INDEX ub ON u (b)")
	duplicate("u", "b")
	do(t, db, "ALTER TABLE u RENAME INDEX ub TO bu")
	duplicate("u", "b")
	do(t, db, "ALTER TABLE u RENAME COLUMN b TO c")
	duplicate("u", "c")
	do(t, db, "RENAME TABLE u TO w")
	duplicate("w", "c")
	do(t, db, "ALTER TABLE w MODIFY c VARCHAR(9) COLLATE utf8mb4_general_ci")
	duplicate("w", "c")
	mustFail(t, db, CodeUnique, "UPDATE w SET c = 'V7' WHERE id = 8")
	do(t, db, "ALTER TABLE w ADD UNIQUE KEY ac (a, c), RENAME TO u")
	duplicate("u", "c")
	do(t, db, "ALTER TABLE u DROP INDEX bu")
	checkHidden(t, db)
	do(t, db, "UPDATE u SET c = 'v7' WHERE id = 8")
	mustFail(t, db, CodeUnique, "UPDATE u SET c = 'v7', a = 3 WHERE id = 9")
	do(t, db, "TRUNCATE TABLE u")
	checkHidden(t, db)
	do(t, db, "INSERT INTO u VALUES (1, 1, 'v7')")
	do(t, db, "DROP TABLE u")
	do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, a INT UNIQUE) COMMENT 'unique=shard'")
	want(t, db, "u", "SHOW TABLES")
	if snap := clusterOf(t, db).state.Load(); len(snap.schema.HiddenTables(snap.keyspaces()[0])) != 0 {
		t.Error("hidden tables are left")
	}
	do(t, db, "INSERT INTO u VALUES (1, 1)")
	do(t, db, "ALTER TABLE u COMMENT ''")
	mustFail(t, db, CodeUnique, "INSERT INTO u VALUES (2, 1)")
	mustFail(t, db, CodeNoTable, "DROP TABLE `"+schema.UniqueTable("u", "a")+"`")
	mustFail(t, db, CodeNoTable, "DELETE FROM `"+schema.UniqueTable("u", "a")+"`")
}

// TestUniqueSavepoints sees that entries go and stay with their rows.
func TestUniqueSavepoints(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, a INT UNIQUE)")
	c := pin(t, db)
	for _, q := range []string{"BEGIN", "INSERT INTO u VALUES (1,1)", "SAVEPOINT s", "INSERT INTO u VALUES (2,2)", "UPDATE u SET a = 5 WHERE id = 1"} {
		do(t, c, q)
	}
	mustFail(t, c, CodeUnique, "INSERT INTO u VALUES (6,6),(7,7),(3,5)")
	do(t, c, "ROLLBACK TO s")
	do(t, c, "INSERT INTO u VALUES (3,2)")
	mustFail(t, c, CodeUnique, "INSERT INTO u VALUES (4,4),(5,1)")
	do(t, c, "COMMIT")
	checkHidden(t, db)
	want(t, db, "1|1 3|2", "SELECT * FROM u ORDER BY id")
	do(t, c, "BEGIN")
	do(t, c, "DELETE FROM u")
	do(t, c, "ROLLBACK")
	checkHidden(t, db)
}

// TestUniqueRaces lets several connections want the same keys: each key ends up
// with one row.
func TestUniqueRaces(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, a INT UNIQUE)")
	const workers, keys = 4, 20
	var mu sync.Mutex
	won := map[int]int{}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for k := range keys {
				_, err := db.Exec("INSERT INTO u VALUES (?, ?)", w*keys+k, k)
				switch {
				case err == nil:
					mu.Lock()
					won[k]++
					mu.Unlock()
				case !errors.Is(err, ErrDuplicateKey):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for k := range keys {
		if won[k] != 1 {
			t.Errorf("key %d was given %d times", k, won[k])
		}
	}
	checkHidden(t, db)
}

// TestUniqueModel runs random writes on one shard and on four, and holds contents,
// counts and errors of the one against the other's.
func TestUniqueModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	dbs := []*sql.DB{openDB(t, ":memory:?shards=1"), openDB(t, ":memory:?shards=4")}
	for _, db := range dbs {
		do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, a INT, b VARCHAR(9) COLLATE utf8mb4_general_ci, d DATE, n INT, UNIQUE KEY ua (a), UNIQUE KEY bd (b, d))")
	}
	value := func() string {
		return []string{"NULL", "1", "2", "3", "'4'", "5.0", "6", "7", "8", "9"}[r.IntN(10)]
	}
	text := func() string { return []string{"NULL", "'a'", "'A'", "'b'", "'c'", "'D'", "1", "'1'"}[r.IntN(8)] }
	day := func() string {
		return []string{"NULL", "'2024-01-01'", "'2024-1-1'", "20240102", "'2024-01-02 00:00:00'"}[r.IntN(5)]
	}
	row := func() string {
		return fmt.Sprintf("(%d, %s, %s, %s, %d)", 1+r.IntN(12), value(), text(), day(), r.IntN(5))
	}
	for range 400 {
		var q string
		switch r.IntN(9) {
		case 0, 1:
			q = "INSERT INTO u VALUES " + row()
		case 2:
			q = "INSERT INTO u VALUES " + row() + ", " + row()
		case 3:
			q = "INSERT IGNORE INTO u VALUES " + row() + ", " + row()
		case 4:
			q = "REPLACE INTO u VALUES " + row()
		case 5:
			q = "INSERT INTO u VALUES " + row() + " ON DUPLICATE KEY UPDATE n = u.n + VALUES(n), b = " + text()
		case 6:
			q = fmt.Sprintf("UPDATE u SET a = %s WHERE id = %d", value(), r.IntN(12))
		case 7:
			q = fmt.Sprintf("UPDATE u SET b = %s, d = %s WHERE id = %d", text(), day(), r.IntN(12))
		case 8:
			q = fmt.Sprintf("DELETE FROM u WHERE id IN (%d, %d)", r.IntN(12), r.IntN(12))
		}
		var was [2]string
		for i, db := range dbs {
			res, err := db.ExecContext(bg, q)
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatal(err)
				}
				was[i] = string(e.Code)
				if e.Code != CodeUnique {
					was[i] = err.Error()
				}
				continue
			}
			n, _ := res.RowsAffected()
			rows, err := rowsOf(db, "SELECT * FROM u ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			was[i] = fmt.Sprint(n, rows)
		}
		if was[0] != was[1] {
			t.Fatalf("seed %d: %s:\n1 shard:  %s\n4 shards: %s", seed, q, was[0], was[1])
		}
		checkHidden(t, dbs[1])
		for _, where := range []string{"a = " + value(), "a IN (" + value() + ", 3)", "b = " + text() + " AND d = " + day()} {
			q := "SELECT * FROM u WHERE " + where + " ORDER BY id"
			one, err := rowsOf(dbs[0], q)
			if err != nil {
				t.Fatal(err)
			}
			want(t, dbs[1], strings.Join(one, " "), q)
			q = "UPDATE u SET n = n + 1 WHERE " + where
			r, err := dbs[0].Exec(q)
			n, _ := result2(t, must(t, r, err, q))
			mustAffect(t, dbs[1], n, q)
		}
		if t.Failed() {
			t.Fatalf("seed %d, after %s", seed, q)
		}
	}
}

// TestUniqueRoutes sees that a key's values lead to one shard.
func TestUniqueRoutes(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, email VARCHAR(50) COLLATE utf8mb4_general_ci UNIQUE, n INT)")
	for i := range 20 {
		do(t, db, "INSERT INTO u VALUES (?, ?, 0)", i, fmt.Sprint("e", i))
	}
	for i := range 20 {
		home := shardOf(t, db, "SELECT * FROM u WHERE id = ?", i)
		if at := shardOf(t, db, "SELECT * FROM u WHERE email = ?", fmt.Sprint("E", i)); at != home {
			t.Errorf("row %d is on %s, its key leads to %s", i, home, at)
		}
		want(t, db, fmt.Sprint(i), "SELECT id FROM u WHERE email = ?", fmt.Sprint("E", i))
		mustAffect(t, db, 1, "UPDATE u SET n = 1 WHERE email = ?", fmt.Sprint("E", i))
	}
	c := pin(t, db)
	do(t, c, "BEGIN")
	want(t, c, "7", "SELECT id FROM u WHERE email = 'e7' FOR UPDATE")
	do(t, c, "UPDATE u SET id = 107 WHERE email = 'e7'")
	want(t, c, "107", "SELECT id FROM u WHERE email = 'E7'")
	do(t, c, "ROLLBACK")
	want(t, db, "7", "SELECT id FROM u WHERE email = 'E7'")
}

// TestUniqueMoves lets rows move between shards while writes look for them by
// their key: none may miss its row.
func TestUniqueMoves(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, k INT UNIQUE, n INT)", "INSERT INTO u VALUES (0, 1, 0)")
	const rounds = 100
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range rounds {
			if _, err := db.Exec("UPDATE u SET id = ? WHERE id = ?", i+1, i); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for range rounds {
				r, err := db.Exec("UPDATE u SET n = n + 1 WHERE k = 1")
				if err != nil {
					t.Error(err)
				} else if n, _ := r.RowsAffected(); n != 1 {
					t.Error("the row was not found by its key")
				}
			}
		})
	}
	wg.Wait()
	want(t, db, fmt.Sprintf("%d|1|%d", rounds, 2*rounds), "SELECT * FROM u")
	checkHidden(t, db)
}

// TestDuplicateEntryOfAShard: the error of a key that the shard keeps itself tells
// the key's value too, of whichever row of an INSERT it is.
func TestDuplicateEntryOfAShard(t *testing.T) {
	for _, dsn := range []string{":memory:", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE u (id INT, d DECIMAL(30,2), b VARCHAR(9), PRIMARY KEY (id), UNIQUE KEY idd (d, id))")
		do(t, db, "INSERT INTO u VALUES (1, 1.5, 'x'), (2, 2.5, 'y')")
		for text, entry := range map[string]string{
			"INSERT INTO u VALUES (1, 9, 'z')":                           "'1' for key 'u.PRIMARY'",
			"INSERT INTO u VALUES (3, 9, 'z'), (4, 9, 'z'), (3, 9, 'z')": "'3' for key 'u.PRIMARY'",
			"INSERT INTO u (b, id) VALUES ('z', 2) RETURNING id":         "'2' for key 'u.PRIMARY'",
		} {
			if _, err := rowsOf(db, text); err == nil || !strings.Contains(err.Error(), "Duplicate entry "+entry) {
				t.Errorf("%s: %s: %v, want an error about %s", dsn, text, err, entry)
			}
		}
	}
}
