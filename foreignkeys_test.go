package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// twoTables are a parent and a child that live apart, and a child that lives
// with its parent.
var twoTables = []string{
	"CREATE TABLE p (id INT PRIMARY KEY, v INT)",
	"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk_p FOREIGN KEY (p) REFERENCES p (id)) COMMENT 'vindex=hash(id)'",
	"CREATE TABLE near (p INT, n INT, PRIMARY KEY (p, n), CONSTRAINT fk_near FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) PARTITION BY KEY (p)",
	"INSERT INTO p VALUES (1, 1), (2, 2), (3, 3)",
}

// TestForeignKeyErrors: as in MySQL, with the constraint's name, whoever keeps
// the key.
func TestForeignKeyErrors(t *testing.T) {
	db := memDB(t, "", twoTables...)
	do(t, db, "INSERT INTO c VALUES (1, 1)")
	do(t, db, "CREATE TABLE below (p INT, n INT, x INT, PRIMARY KEY (p, n, x), CONSTRAINT fk_below FOREIGN KEY (p, n) REFERENCES near (p, n)) PARTITION BY KEY (p)")
	do(t, db, "INSERT INTO near VALUES (2, 1)")
	do(t, db, "INSERT INTO below VALUES (2, 1, 1)")
	for _, c := range []struct {
		query, table, key, message string
		number                     uint16
	}{
		{"INSERT INTO c VALUES (2, 9)", "c", "fk_p", "Cannot add or update a child row: a foreign key constraint fails " +
			"(`main`.`c`, CONSTRAINT `fk_p` FOREIGN KEY (`p`) REFERENCES `p` (`id`))", 1452},
		{"UPDATE c SET p = 9", "c", "fk_p", "Cannot add or update a child row: a foreign key constraint fails " +
			"(`main`.`c`, CONSTRAINT `fk_p` FOREIGN KEY (`p`) REFERENCES `p` (`id`))", 1452},
		{"DELETE FROM p WHERE id = 1", "c", "fk_p", "Cannot delete or update a parent row: a foreign key constraint fails " +
			"(`main`.`c`, CONSTRAINT `fk_p` FOREIGN KEY (`p`) REFERENCES `p` (`id`))", 1451},
		{"INSERT INTO near VALUES (9, 1)", "near", "fk_near", "Cannot add or update a child row: a foreign key constraint fails " +
			"(`main`.`near`, CONSTRAINT `fk_near` FOREIGN KEY (`p`) REFERENCES `p` (`id`) ON DELETE CASCADE)", 1452},
		{"DELETE FROM near WHERE n = 1", "below", "fk_below", "Cannot delete or update a parent row: a foreign key constraint fails " +
			"(`main`.`below`, CONSTRAINT `fk_below` FOREIGN KEY (`p`, `n`) REFERENCES `near` (`p`, `n`))", 1451},
		// The engine's own cascade meets a key further down.
		{"DELETE FROM p WHERE id = 2", "below", "fk_below", "Cannot delete or update a parent row: a foreign key constraint fails " +
			"(`main`.`below`, CONSTRAINT `fk_below` FOREIGN KEY (`p`, `n`) REFERENCES `near` (`p`, `n`))", 1451},
	} {
		e := mustFail(t, db, CodeForeignKey, c.query)
		if e.Message != c.message || e.Number != c.number || e.SQLState != "23000" || e.Table != c.table || e.Constraint != c.key || !errors.Is(e, ErrForeignKey) {
			t.Errorf("%s:\n got  %d %s (table %q, constraint %q)\n want %d %s", c.query, e.Number, e.Message, e.Table, e.Constraint, c.number, c.message)
		}
	}
	want(t, db, "1|1", "SELECT * FROM c")
	want(t, db, "1|1 2|2 3|3", "SELECT * FROM p ORDER BY id")
}

// TestForeignKeyChecks: SET foreign_key_checks=0 is the session's, for rows and
// for tables.
func TestForeignKeyChecks(t *testing.T) {
	db := memDB(t, "")
	c := pin(t, db)
	mustFail(t, c, CodePlan, "CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk_p FOREIGN KEY (p) REFERENCES p (id)) COMMENT 'vindex=hash(id)'")
	do(t, c, "/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */")
	want(t, c, "0", "SELECT @@foreign_key_checks")
	do(t, c, "CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk_p FOREIGN KEY (p) REFERENCES p (id)) COMMENT 'vindex=hash(id)'")
	do(t, c, "CREATE TABLE near (p INT, n INT, PRIMARY KEY (p, n), CONSTRAINT fk_near FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) PARTITION BY KEY (p)")
	do(t, c, "INSERT INTO c VALUES (1, 1), (2, 7)")
	do(t, c, "INSERT INTO near VALUES (1, 1), (7, 1)")
	// Another session sees the keys, and no parent anywhere.
	mustFail(t, db, CodeForeignKey, "INSERT INTO c VALUES (3, 1)")
	mustFail(t, db, CodeForeignKey, "INSERT INTO near VALUES (1, 2)")
	do(t, db, "INSERT INTO c VALUES (3, NULL)")
	do(t, c, "CREATE TABLE p (id INT PRIMARY KEY)")
	do(t, c, "INSERT INTO p VALUES (1), (2)")
	do(t, c, "DELETE FROM p WHERE id = 1") // no cascade, no refusal
	want(t, c, "1|1 7|1", "SELECT p, n FROM near ORDER BY p")
	do(t, c, "TRUNCATE TABLE p")
	do(t, c, "BEGIN")
	do(t, c, "INSERT INTO near VALUES (8, 8)")
	do(t, c, "INSERT INTO c VALUES (8, 8)")
	mustFail(t, c, CodeUnsupported, "SET foreign_key_checks=1")
	do(t, c, "COMMIT")
	do(t, c, "SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS")
	want(t, c, "1", "SELECT @@foreign_key_checks")
	for _, text := range []string{"INSERT INTO c VALUES (9, 9)", "INSERT INTO near VALUES (9, 9)", "UPDATE c SET p = 9 WHERE id = 1"} {
		mustFail(t, c, CodeForeignKey, text)
	}
	if e := mustFail(t, c, CodePlan, "DROP TABLE p"); e.Number != 3730 {
		t.Errorf("dropping a parent: %v", e)
	}
	do(t, c, "SET foreign_key_checks=0")
	do(t, c, "DROP TABLE p")
	do(t, c, "SET foreign_key_checks=1")
	mustFail(t, c, CodeForeignKey, "INSERT INTO near VALUES (1, 9)")
	want(t, c, "1|1 2|7 3|∅ 8|8", "SELECT id, p FROM c ORDER BY id")
}

// TestForeignKeyModes: foreign_keys=colocated keeps what shards keep, off
// nothing.
func TestForeignKeyModes(t *testing.T) {
	for _, c := range []struct {
		mode       string
		far, near  bool // are kept
		afterwards string
	}{
		{"enforce", true, true, "2"}, {"colocated", false, true, "2"}, {"off", false, false, "1 2"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			db := memDB(t, "foreign_keys="+c.mode, twoTables...)
			for text, kept := range map[string]bool{"INSERT INTO c VALUES (1, 9)": c.far, "INSERT INTO near VALUES (9, 1)": c.near} {
				_, err := db.ExecContext(bg, text)
				if kept != errors.Is(err, ErrForeignKey) || !kept && err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
			do(t, db, "DELETE FROM near")
			do(t, db, "INSERT INTO near VALUES (1, 1), (2, 1)")
			do(t, db, "DELETE FROM p WHERE id = 1")
			want(t, db, c.afterwards, "SELECT p FROM near ORDER BY p")
			conn := pin(t, db)
			do(t, conn, "SET foreign_key_checks=0")
			do(t, conn, "INSERT INTO near VALUES (77, 1)")
			if c.mode == "off" {
				mustFail(t, conn, CodeUnsupported, "SET foreign_key_checks=1")
			}
		})
	}
}

// TestForeignKeyOffIsEveryones: pools that share a directory agree on it.
func TestForeignKeyOffIsEveryones(t *testing.T) {
	dir := t.TempDir()
	dirDB(t, dir, "CREATE TABLE t (id INT PRIMARY KEY)")
	other := openDB(t, "file:"+escapePath(dir)+"?synchronous=normal&foreign_keys=off")
	if err := other.PingContext(bg); err == nil || !strings.Contains(err.Error(), "foreign_keys=enforce") {
		t.Errorf("opening with another mode: %v", err)
	}
}

// TestAddForeignKeyVerifies: a key that the rows don't keep is not added, on
// whichever side it would be kept.
func TestAddForeignKeyVerifies(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id INT PRIMARY KEY)", "CREATE TABLE far (id INT PRIMARY KEY, p INT)",
		"CREATE TABLE near (p INT, n INT, PRIMARY KEY (p, n)) PARTITION BY KEY (p)",
		"INSERT INTO p VALUES (1), (2), (3)", "INSERT INTO far VALUES (10, 1), (11, NULL), (12, 9)", "INSERT INTO near VALUES (1, 1), (9, 1)")
	for _, table := range []string{"far", "near"} {
		text := "ALTER TABLE " + table + " ADD CONSTRAINT fk_" + table + " FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE"
		if e := mustFail(t, db, CodeForeignKey, text); e.Number != 1452 || e.Constraint != "fk_"+table || !strings.Contains(e.Message, "`main`.`"+table+"`, CONSTRAINT `fk_"+table+"`") {
			t.Errorf("%s: %v", text, e)
		}
		do(t, db, "INSERT INTO "+table+" VALUES (88, 77)") // there is no key
		do(t, db, "DELETE FROM "+table+" WHERE p IN (9, 77, 88)")
		do(t, db, text)
		mustFail(t, db, CodeForeignKey, "INSERT INTO "+table+" VALUES (88, 77)")
	}
	conn := pin(t, db)
	do(t, conn, "SET foreign_key_checks=0")
	do(t, conn, "INSERT INTO far VALUES (50, 50)")
	do(t, conn, "ALTER TABLE far DROP FOREIGN KEY fk_far, ADD CONSTRAINT fk_far FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL")
	do(t, db, "DELETE FROM p")
	want(t, db, "10|∅ 11|∅ 50|50", "SELECT * FROM far ORDER BY id")
	want(t, db, "", "SELECT * FROM near")
}

// TestForeignKeyRace lets children come while their parents go: whoever is
// second waits and then sees what the first has done.
func TestForeignKeyRace(t *testing.T) {
	for _, action := range []string{"", "ON DELETE CASCADE", "ON DELETE SET NULL"} {
		t.Run(action, func(t *testing.T) {
			db := memDB(t, "", "CREATE TABLE p (id INT PRIMARY KEY)",
				"CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) "+action+") COMMENT 'vindex=hash(id)'")
			const parents, rounds = 4, 12
			var wg sync.WaitGroup
			race := func(work func(i int, tx *sql.Tx) error) {
				wg.Go(func() {
					for i := range rounds {
						if err := untilDone(db, func(tx *sql.Tx) error { return work(i, tx) }); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for k := range parents {
				race(func(i int, tx *sql.Tx) error {
					_, err := tx.Exec("INSERT INTO p VALUES (?)", k)
					return err
				})
				race(func(i int, tx *sql.Tx) error {
					_, err := tx.Exec("INSERT INTO c VALUES (?, ?)", 1000*k+i, (k+i)%parents)
					return err
				})
				race(func(i int, tx *sql.Tx) error {
					_, err := tx.Exec("DELETE FROM p WHERE id = ?", (k*3+i)%parents)
					return err
				})
			}
			wg.Wait()
			want(t, db, "0", "SELECT COUNT(*) FROM c LEFT JOIN p ON c.p = p.id WHERE c.p IS NOT NULL AND p.id IS NULL")
		})
	}
}

// untilDone runs a transaction again until it isn't told to. That it violates a
// key is an answer, too.
func untilDone(db *sql.DB, work func(*sql.Tx) error) error {
	for {
		tx, err := db.BeginTx(bg, nil)
		if err == nil {
			if err = work(tx); err == nil {
				err = tx.Commit()
			} else {
				_ = tx.Rollback()
			}
		}
		var e *Error
		switch {
		case err == nil, errors.Is(err, ErrForeignKey), errors.As(err, &e) && e.Code == CodeUnique:
			return nil
		case errors.As(err, &e) && e.Retryable():
			continue
		}
		return err
	}
}

// TestForeignKeyOfManyRows: effects go in batches, and by what rows differ in.
func TestForeignKeyOfManyRows(t *testing.T) {
	db := memDB(t, "", twoTables...)
	do(t, db, "DROP TABLE near")
	var parents, children []string
	for i := range 700 {
		parents = append(parents, fmt.Sprintf("(%d, 0)", 1000+i))
		children = append(children, fmt.Sprintf("(%d, %d)", i, 1000+i/2))
	}
	do(t, db, "INSERT INTO p VALUES "+strings.Join(parents, ", "))
	mustFail(t, db, CodeForeignKey, "INSERT INTO c VALUES "+strings.Join(children, ", ")+", (5000, 99)")
	mustAffect(t, db, 700, "INSERT INTO c VALUES "+strings.Join(children, ", "))
	mustFail(t, db, CodeForeignKey, "DELETE FROM p WHERE id >= 1349")
	mustAffect(t, db, 350, "DELETE FROM p WHERE id >= 1350")
	do(t, db, "ALTER TABLE c DROP FOREIGN KEY fk_p, ADD CONSTRAINT fk_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE")
	do(t, db, "UPDATE p SET id = id + 10000 WHERE id BETWEEN 1000 AND 1099")
	want(t, db, "200|500", "SELECT SUM(p >= 11000), SUM(p < 11000) FROM c")
	mustAffect(t, db, 100, "DELETE FROM p WHERE id >= 11000")
	want(t, db, "500", "SELECT COUNT(*) FROM c")
}

// TestForeignKeyPlans: what the gate does for a key shows in EXPLAIN, and a write
// that no key is about stays the one statement that it is.
func TestForeignKeyPlans(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id INT PRIMARY KEY, v INT)",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, CONSTRAINT fk_p FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE) COMMENT 'vindex=hash(id)'",
		"CREATE TABLE d (id INT PRIMARY KEY, c INT, CONSTRAINT fk_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE ON UPDATE SET NULL) COMMENT 'vindex=hash(id)'")
	const parent, children = "effect of fk_p: SELECT 1 FROM `main`.`p` WHERE `id` IN (?) FOR UPDATE", "effect of fk_p: SELECT 1 FROM `main`.`c` WHERE `p` IN (?) LIMIT 1 FOR UPDATE"
	for query, effects := range map[string]string{
		"INSERT INTO p VALUES (1, 2)":             "",
		"INSERT INTO c VALUES (1, 2, 3)":          parent,
		"UPDATE c SET p = 3 WHERE id = 2":         parent,
		"UPDATE c SET v = 3 WHERE id = 2":         "",
		"UPDATE p SET v = 3 WHERE id = 2":         "",
		"DELETE FROM p WHERE id = 2":              children,
		"UPDATE p SET id = 5 WHERE id = 2":        "effect of fk_p: UPDATE `main`.`c` SET `p` = ? WHERE `p` = ?",
		"DELETE FROM c WHERE id = 2":              "effect of fk_c: DELETE FROM `main`.`d` WHERE `c` IN (?)",
		"UPDATE c SET id = 5, p = 2 WHERE id = 2": "effect of fk_c: UPDATE `main`.`d` SET `c` = NULL WHERE `c` IN (?); " + parent,
		"DELETE FROM d WHERE id = 2":              "",
	} {
		rows, err := rowsOf(db, "EXPLAIN FORMAT='vitess' "+query)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			if f := strings.Split(r, "|"); strings.HasPrefix(f[1], "effect of ") {
				got = append(got, f[1]+": "+f[4])
			}
		}
		if s := strings.Join(got, "; "); s != effects {
			t.Errorf("%s:\n got  %s\n want %s", query, s, effects)
		}
		if effects == "" && len(rows) != 1 {
			t.Errorf("%s: %d statements, want 1", query, len(rows))
		}
	}
}

// TestReplaceOfParents: REPLACE takes the old row away before the new one comes,
// even where the key stays: children forbid it, go, or lose their parent, wherever
// they live and whoever keeps the key.
func TestReplaceOfParents(t *testing.T) {
	const key = "CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE "
	for _, place := range []struct{ name, parent, child string }{
		{"across", "", "CREATE TABLE c (n INT PRIMARY KEY, p INT, " + key + "ACTION) COMMENT 'vindex=hash(n)'"},
		{"co-located", "", "CREATE TABLE c (n INT, p INT, PRIMARY KEY (n, p), " + key + "ACTION) PARTITION BY KEY (p)"},
		{"reference", " COMMENT 'reference'", "CREATE TABLE c (n INT PRIMARY KEY, p INT, " + key + "ACTION) COMMENT 'vindex=hash(n)'"},
		{"unsharded", " COMMENT 'unsharded'", "CREATE TABLE c (n INT PRIMARY KEY, p INT, " + key + "ACTION) COMMENT 'unsharded'"},
	} {
		for action, children := range map[string]string{"RESTRICT": "", "NO ACTION": "", "CASCADE": "2|2 4|4", "SET NULL": "1|∅ 2|2 3|∅ 4|4"} {
			if action == "SET NULL" && place.name == "co-located" {
				continue // the sharding key
			}
			for _, shards := range []string{"1", "4"} {
				t.Run(place.name+"/"+action+"/"+shards, func(t *testing.T) {
					db := openDB(t, ":memory:?shards="+shards)
					do(t, db, "CREATE TABLE p (id INT PRIMARY KEY, u INT, v INT DEFAULT 0, UNIQUE KEY by_u (id, u))"+place.parent)
					do(t, db, strings.Replace(place.child, "ACTION", action, 1))
					do(t, db, "INSERT INTO p VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5)")
					do(t, db, "INSERT INTO c (n, p) VALUES (1, 1), (2, 2), (3, 3), (4, 4)")
					mustAffect(t, db, 3, "REPLACE INTO p VALUES (5, 6, 6), (6, 6, 6)") // without children
					for _, text := range []string{"REPLACE INTO p VALUES (5, 5, 7), (3, 3, 7), (1, 9, 7)",
						"REPLACE INTO p SELECT id, u, 7 FROM p WHERE id IN (1, 3, 5) ORDER BY id"} {
						if children != "" {
							mustAffect(t, db, 6, text)
							want(t, db, children, "SELECT n, p FROM c ORDER BY n")
							want(t, db, "1 3 5", "SELECT id FROM p WHERE v = 7 ORDER BY id")
							continue
						}
						if e := mustFail(t, db, CodeForeignKey, text); e.Number != 1451 || e.Constraint != "fk" || e.Table != "c" {
							t.Errorf("%s: %v", text, e)
						}
						want(t, db, "0", "SELECT COUNT(*) FROM p WHERE v = 7")
						want(t, db, "1|1 2|2 3|3 4|4", "SELECT n, p FROM c ORDER BY n")
					}
				})
			}
		}
	}
}

// TestReplaceReturningParents: the shards remove and return where they keep the key.
func TestReplaceReturningParents(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id INT PRIMARY KEY, v INT)",
		"CREATE TABLE c (p INT, n INT, PRIMARY KEY (p, n), CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) PARTITION BY KEY (p)",
		"INSERT INTO p VALUES (1, 1), (2, 2)", "INSERT INTO c VALUES (1, 1), (2, 2)")
	want(t, db, "1|7 3|7", "REPLACE INTO p VALUES (1, 7), (3, 7) RETURNING id, v")
	want(t, db, "2|2", "SELECT * FROM c")
}

// TestReplaceOfParentsByComputedKeys: the rows in the way are found by what the new
// row makes of its values.
func TestReplaceOfParentsByComputedKeys(t *testing.T) {
	for name, child := range map[string]string{
		"the shards": "CREATE TABLE c (p INT, n INT, PRIMARY KEY (p, n), CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id)) PARTITION BY KEY (p)",
		"the gate":   "CREATE TABLE c (p INT, n INT PRIMARY KEY, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id)) COMMENT 'vindex=hash(n)'",
	} {
		t.Run(name, func(t *testing.T) {
			db := memDB(t, "", "CREATE TABLE p (id INT PRIMARY KEY, v INT, twice INT AS (v * 2) STORED, UNIQUE KEY by_twice (id, twice), UNIQUE KEY half ((v + 1)))",
				"REPLACE INTO p (id, v) VALUES (1, 1), (2, 2)", child, "INSERT INTO c VALUES (1, 1)")
			failsAs(t, db, 1451, "REPLACE INTO p (id, v) VALUES (1, 1)")
			failsAs(t, db, 1451, "REPLACE INTO p (id, v) VALUES (3, 1)")
			mustAffect(t, db, 2, "REPLACE INTO p (id, v) VALUES (3, 2)")
			want(t, db, "1|1|2 3|2|4", "SELECT * FROM p ORDER BY id")
		})
	}
}

// TestIgnoreByComputedKeys does so for INSERT IGNORE and ON DUPLICATE KEY UPDATE.
func TestIgnoreByComputedKeys(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id INT PRIMARY KEY)", "INSERT INTO p VALUES (1)",
		"CREATE TABLE c (id INT, s VARCHAR(9), p INT, twice INT AS (p * 2) STORED, PRIMARY KEY (id, s), UNIQUE KEY by_start (id, (LEFT(s, 2))), "+
			"CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id)) PARTITION BY KEY (id)")
	mustAffect(t, db, 2, "INSERT IGNORE INTO c (id, s, p) VALUES (1, 'abc', 1), (1, 'abd', 1), (2, 'abc', 9), (3, 'abc', 1)")
	want(t, db, "1|abc|2 3|abc|2", "SELECT id, s, twice FROM c ORDER BY id")
	do(t, db, "INSERT INTO p VALUES (7)")
	mustAffect(t, db, 2, "INSERT INTO c (id, s, p) VALUES (1, 'abd', 1) ON DUPLICATE KEY UPDATE p = 7")
	want(t, db, "1|abc|14 3|abc|2", "SELECT id, s, twice FROM c ORDER BY id")
}
