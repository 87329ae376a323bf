package vitessdo

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/schema"
)

// TestUniquePrefixes takes every way in which a prefix may be taken: characters
// count, not bytes, except in a binary column, and they compare as the column does.
func TestUniquePrefixes(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			db := openDBWith(t, sqliteText, fmt.Sprintf(":memory:?shards=%d", shards))
			do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, name VARCHAR(50) COLLATE utf8mb4_general_ci, bin VARBINARY(20), n INT,"+
				" UNIQUE KEY nm (name(3)), UNIQUE KEY bn (bin(2), n))")
			writesUnique(t, db, []uniqueWrite{
				{"INSERT INTO u VALUES (1,'äöüx','abc',1),(2,'b','abd',2),(3,NULL,NULL,3),(4,NULL,NULL,3)", 4, ""},
				{"INSERT INTO u VALUES (5,'äöüy','x',1)", 0, "u.nm"},
				{"INSERT INTO u VALUES (5,'äöx','x',1)", 1, ""},
				{"INSERT INTO u VALUES (6,'y','abz',2)", 0, "u.bn"},
				{"INSERT INTO u VALUES (6,'y',x'6162ff',2)", 0, "u.bn"},
				{"INSERT INTO u VALUES (6,'é1','é1',2),(7,'é2','é2',3)", 2, ""},
				{"INSERT INTO u VALUES (8,'z','éé',3)", 0, "u.bn"},
				{"INSERT INTO u VALUES (8,1234,'p',1),(9,'1235','q',1)", 0, "u.nm"},
				{"INSERT INTO u VALUES (8,'ABCD','p',1),(9,'abce','q',1)", 0, "u.nm"},
				{"INSERT IGNORE INTO u VALUES (8,'ABCD','p',1),(9,'abce','q',1),(10,'v','ab',1)", 1, ""},
				{"INSERT INTO u VALUES (9,'abcz','r',1) ON DUPLICATE KEY UPDATE n = n + 10", 2, ""},
				{"INSERT INTO u VALUES (9,'w','ab!',2) ON DUPLICATE KEY UPDATE name = VALUES(name)", 2, ""},
				{"INSERT INTO u VALUES (2,'w','ab',2) ON DUPLICATE KEY UPDATE name = 'abcd'", 0, "u.nm"},
				{"INSERT INTO u VALUES (9,'AbC','ab?',2) ON DUPLICATE KEY UPDATE n = 7", 2, ""},
				{"REPLACE INTO u VALUES (11,'ABC','ab',2)", 3, ""},
				{"UPDATE u SET name = CONCAT(name, '-') WHERE name IS NOT NULL", 5, ""},
				{"UPDATE u SET name = 'ABC' WHERE id = 1", 0, "u.nm"},
				{"UPDATE u SET name = 'same' WHERE id > 1", 0, "u.nm"},
				{"UPDATE u SET name = LOWER(name) WHERE id = 11", 1, ""},
				{"UPDATE u SET id = id + 100 WHERE id < 8", 6, ""},
				{"INSERT INTO u VALUES (1,'äöü','c',1)", 0, "u.nm"},
				{"DELETE FROM u WHERE name LIKE 'ä%'", 2, ""},
				{"INSERT INTO u VALUES (1,'äöü','c',1)", 1, ""},
				{"INSERT INTO u SELECT id + 20, name, NULL, n FROM u", 0, "u.nm"},
			})
			want(t, db, "1|äöü|1 11|abc-|2 103|∅|3 104|∅|3 106|é1-|2 107|é2-|3", "SELECT id, name, n FROM u ORDER BY id")
			// The whole value isn't the key.
			want(t, db, "", "SELECT id FROM u WHERE name = 'ab'")
			want(t, db, "11", "SELECT id FROM u WHERE name = 'abc-'")
		})
	}
}

// TestUniquePrefixOrder: of several rows in the way the one is updated that has the
// first of the keys, also where a prefix stands beside the primary key.
func TestUniquePrefixOrder(t *testing.T) {
	for _, dsn := range []string{":memory:", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9), n INT, UNIQUE KEY ia (id, a(2)), UNIQUE KEY ka (a(2)), UNIQUE KEY kb (b))")
		do(t, db, "INSERT INTO u VALUES (1, 'aax', 'x', 0), (2, 'bbx', 'y', 0), (3, 'ccx', 'z', 0)")
		do(t, db, "INSERT INTO u VALUES (9, 'bby', 'x', 0) ON DUPLICATE KEY UPDATE n = n + 1")
		do(t, db, "INSERT INTO u VALUES (3, 'bby', 'x', 0) ON DUPLICATE KEY UPDATE n = n + 5")
		want(t, db, "1|0 2|1 3|5", "SELECT id, n FROM u ORDER BY id")
	}
}

// TestUniquePrefixSchemaChanges lets hidden tables of prefixes follow their keys.
func TestUniquePrefixSchemaChanges(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "", "CREATE TABLE u (id INT PRIMARY KEY, a TEXT, b BLOB)")
	for i := range 40 {
		do(t, db, "INSERT INTO u VALUES (?, ?, ?)", i, fmt.Sprintf("%02dü%d", i, i), []byte(fmt.Sprintf("%d-%d", i%2, i)))
	}
	mustFail(t, db, CodeUnique, "CREATE UNIQUE INDEX ua ON u (a(1))")
	mustFail(t, db, CodeUnique, "CREATE UNIQUE INDEX ub ON u (b(3))")
	do(t, db, "CREATE UNIQUE INDEX ua ON u (a(3))")
	do(t, db, "ALTER TABLE u ADD UNIQUE KEY ub (b(4), a(2))")
	taken := func() {
		t.Helper()
		checkHidden(t, db)
		e := mustFail(t, db, CodeUnique, "UPDATE u SET a = '07ü' WHERE id = 8")
		if e.Message != "Duplicate entry '07ü' for key 'u.ua'" {
			t.Error(e)
		}
	}
	taken()
	want(t, db, "u|CREATE TABLE `u` (\n  `id` int NOT NULL,\n  `a` text,\n  `b` blob,\n  PRIMARY KEY (`id`),\n"+
		"  UNIQUE KEY `ua` (`a`(3)),\n  UNIQUE KEY `ub` (`b`(4),`a`(2))\n) ENGINE=InnoDB", "SHOW CREATE TABLE u")
	do(t, db, "ALTER TABLE u MODIFY a VARCHAR(30)")
	taken()
	do(t, db, "ALTER TABLE u MODIFY a VARCHAR(30) COLLATE utf8mb4_general_ci")
	taken()
	mustFail(t, db, CodeUnique, "UPDATE u SET a = '07Ü' WHERE id = 7 OR id = 8")
	do(t, db, "ALTER TABLE u DROP INDEX ua")
	do(t, db, "UPDATE u SET a = '07ü' WHERE id = 8")
	checkHidden(t, db)
	do(t, db, "DROP TABLE u")
	if snap := clusterOf(t, db).state.Load(); len(snap.schema.HiddenTables(snap.keyspaces()[0])) != 0 {
		t.Error("hidden tables are left")
	}
	mustFail(t, db, CodeNoTable, "SELECT * FROM `"+schema.UniqueTable("u", "ub")+"`")
}

// TestUniquePrefixRaces lets several connections want the same prefixes by INSERT
// and by ON DUPLICATE KEY UPDATE: each ends up with one row.
func TestUniquePrefixRaces(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, a VARCHAR(20), n INT, UNIQUE KEY ua (a(2)))")
	const workers, keys = 4, 10
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for k := range keys {
				id, a := w*100+k, fmt.Sprintf("%02d-%d", k, w)
				if w == 0 {
					if _, err := db.Exec("INSERT INTO u VALUES (?, ?, 0)", id, a); err != nil && !errors.Is(err, ErrDuplicateKey) {
						t.Error(err)
					}
				} else if _, err := db.Exec("INSERT INTO u VALUES (?, ?, 0) ON DUPLICATE KEY UPDATE n = n + 1", id, a); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want(t, db, fmt.Sprintf("%d|%d", keys, keys), "SELECT COUNT(*), COUNT(DISTINCT LEFT(a, 2)) FROM u")
	checkHidden(t, db)
}
