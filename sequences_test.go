package vitessdo

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
)

const sequenceTable = "CREATE TABLE seq (id INT, next_id BIGINT, cache BIGINT, PRIMARY KEY (id)) COMMENT 'vitess_sequence'"

func TestNextValue(t *testing.T) {
	db := memDB(t, "", sequenceTable, "ALTER VSCHEMA ADD SEQUENCE bare",
		"CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a INT)")
	want(t, db, "1", "SELECT NEXT VALUE FOR seq")
	want(t, db, "2", "SELECT NEXT VALUE FROM seq")
	want(t, db, "3", "SELECT NEXT 5 VALUES FROM seq")
	want(t, db, "8", "SELECT NEXT ? VALUES FROM seq", 2)
	want(t, db, "10", "SELECT NEXT :n VALUES FROM main.seq", sql.Named("n", 1))
	want(t, db, "11|12", "SELECT NEXT VALUE FOR seq, NEXT VALUE FOR seq")
	want(t, db, "1", "SELECT NEXT VALUE FROM bare")
	do(t, db, "INSERT INTO t (a) VALUES (1), (2)")
	want(t, db, "3", "SELECT NEXT VALUE FOR t")
	do(t, db, "INSERT INTO t VALUES (NEXT VALUE FOR seq, NEXT VALUE FOR bare), (NEXT VALUE FOR seq, NEXT VALUE FOR bare)")
	want(t, db, "13|2 14|3", "SELECT id, a FROM t WHERE id > 10 ORDER BY id")
	for query, code := range map[string]Code{
		"SELECT NEXT VALUE FROM nosuch":             CodeNoTable,
		"SELECT NEXT VALUE FOR nosuch.seq":          CodeUnknownDatabase,
		"SELECT NEXT 0 VALUES FROM seq":             CodeOutOfRange,
		"SELECT NEXT VALUE FOR seq FROM t":          CodeUnsupported,
		"SELECT (SELECT NEXT VALUE FOR seq) FROM t": CodeUnsupported,
	} {
		_, err := rowsOf(db, query)
		wantCode(t, err, code, query)
	}
}

// Writing a sequence's table raises the sequence, in a transaction when that has
// committed; nothing makes it give a value twice.
func TestSequenceTable(t *testing.T) {
	db := memDBWith(t, readersBesideWriters, "", sequenceTable, "INSERT INTO seq VALUES (0, 100, 10)")
	want(t, db, "100", "SELECT NEXT VALUE FOR seq")
	do(t, db, "UPDATE seq SET next_id = 5000 WHERE id = 0")
	want(t, db, "5000", "SELECT NEXT VALUE FOR seq")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE seq SET next_id = 90000 WHERE id = 0")
	want(t, tx, "6000", "SELECT NEXT VALUE FOR seq") // the block that 5000 began is forgotten
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, db, "90000", "SELECT NEXT VALUE FOR seq")
	do(t, db, "UPDATE seq SET next_id = 1 WHERE id = 0")
	want(t, db, "91000", "SELECT NEXT VALUE FOR seq")
	do(t, db, "DROP TABLE seq")
	do(t, db, sequenceTable)
	want(t, db, "1", "SELECT NEXT VALUE FOR seq")
}

func TestSequenceOfAnotherKeyspace(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir, "CREATE DATABASE /*vt+ UNSHARDED */ commerce",
		strings.Replace(sequenceTable, "seq", "commerce.seq", 1),
		"CREATE TABLE a (id BIGINT PRIMARY KEY, x INT)", "CREATE TABLE b (id BIGINT PRIMARY KEY, x INT)",
		"ALTER VSCHEMA ON a ADD AUTO_INCREMENT id USING commerce.seq", "ALTER VSCHEMA ON b ADD AUTO_INCREMENT id USING commerce.seq",
		"CREATE TABLE commerce.other (id BIGINT PRIMARY KEY)")
	do(t, db, "INSERT INTO a (x) VALUES (1), (2)")
	do(t, db, "INSERT INTO b (x) VALUES (3)")
	// A transaction that holds the sequence's shard takes values all the same.
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "INSERT INTO commerce.other VALUES (1)")
	if id, err := do(t, tx, "INSERT INTO a (x) VALUES (4)").LastInsertId(); id != 4 || err != nil {
		t.Errorf("insert id %d, %v", id, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, db, "1 2 3 4", "SELECT id FROM a UNION SELECT id FROM b ORDER BY 1")
	for _, s := range []string{"DROP TABLE commerce.seq", "DROP DATABASE commerce"} {
		if e := mustFail(t, db, CodeVSchema, s); !strings.Contains(e.Message, "commerce.seq") {
			t.Errorf("%s: %v", s, e)
		}
	}
	_ = db.Close()
	db = dirDB(t, dir)
	if id, _ := do(t, db, "INSERT INTO a (x) VALUES (5)").LastInsertId(); id != 5 {
		t.Errorf("after opening again the next value is %d", id)
	}
}

// A table that has rows lifts the sequence of another keyspace that it takes its
// values from hereafter, and never lowers it.
func TestSequenceOfAnotherKeyspaceIsAboveRows(t *testing.T) {
	db := memDB(t, "", "CREATE DATABASE /*vt+ UNSHARDED */ commerce",
		strings.Replace(sequenceTable, "seq", "commerce.seq", 1),
		"CREATE TABLE a (id BIGINT PRIMARY KEY, x INT)", "CREATE TABLE b (id BIGINT PRIMARY KEY, x INT)",
		"CREATE TABLE seq (id BIGINT AUTO_INCREMENT PRIMARY KEY)", // of the same name, and apart
		"INSERT INTO a VALUES (7, 1), (3, 1)", "INSERT INTO b VALUES (5, 1)")
	want(t, db, "1", "SELECT NEXT VALUE FOR commerce.seq")
	do(t, db, "ALTER VSCHEMA ON a ADD AUTO_INCREMENT id USING commerce.seq")
	next := func(table string, above int64) int64 {
		id, err := do(t, db, "INSERT INTO "+table+" (x) VALUES (2)").LastInsertId()
		if err != nil || id <= above {
			t.Errorf("%s got %d, %v; want more than %d", table, id, err, above)
		}
		return id
	}
	last := next("a", 7)
	do(t, db, "ALTER VSCHEMA ON b ADD AUTO_INCREMENT id USING commerce.seq")
	next("a", next("b", last))
	if id, err := do(t, db, "INSERT INTO seq VALUES (NULL)").LastInsertId(); id != 1 || err != nil {
		t.Errorf("the sequence of main.seq gave %d, %v", id, err)
	}
	want(t, db, "2 1", "SELECT COUNT(*) FROM a WHERE id < 8 UNION ALL SELECT COUNT(*) FROM b WHERE id < 8")
}

func TestNextValueIsGivenOnce(t *testing.T) {
	db := memDB(t, "", sequenceTable)
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				rows, err := rowsOf(db, "SELECT NEXT VALUE FOR seq")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[rows[0]] {
					t.Errorf("%s was given twice", rows[0])
				}
				seen[rows[0]] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestNextAutoIncrement: what tools ask for before and after they insert.
func TestNextAutoIncrement(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir, "CREATE TABLE a (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)", "CREATE TABLE b (id INT PRIMARY KEY AUTO_INCREMENT) AUTO_INCREMENT=100",
		"CREATE TABLE c (id INT PRIMARY KEY)")
	next := func(db querier, rows string) {
		t.Helper()
		want(t, db, rows, "SELECT table_name, auto_increment FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1")
	}
	next(db, "a|1 b|100 c|∅")
	do(t, db, "INSERT INTO a (v) VALUES (1), (2), (3)")
	do(t, db, "INSERT INTO b VALUES (NULL)")
	do(t, db, "INSERT INTO b VALUES (200)")
	next(db, "a|4 b|201 c|∅")
	do(t, db, "TRUNCATE TABLE b")
	do(t, db, "ALTER TABLE b AUTO_INCREMENT = 50")
	next(db, "a|4 b|50 c|∅")
	for _, row := range mustRows(t, db, "SHOW TABLE STATUS LIKE 'a'") {
		if status := strings.Split(row, "|"); status[10] != "4" {
			t.Error(row)
		}
	}
	do(t, db, "INSERT INTO a (v) VALUES (4)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	next(dirDB(t, dir), "a|5 b|50 c|∅")
}
