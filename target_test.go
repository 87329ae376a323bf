package vitessdo

import (
	"strconv"
	"strings"
	"testing"
)

// fillTarget makes a sharded table, a reference table and a view, with rows on
// every shard.
func fillTarget(tb testing.TB, db execer) {
	tb.Helper()
	do(tb, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT)")
	do(tb, db, "CREATE TABLE r (id BIGINT PRIMARY KEY, a INT) COMMENT 'reference'")
	do(tb, db, "CREATE VIEW v AS SELECT id, a FROM t WHERE a < 1000")
	do(tb, db, "INSERT INTO t VALUES (1,1),(2,2),(3,3),(4,4),(5,5),(6,6),(7,7),(8,8)")
	do(tb, db, "INSERT INTO r VALUES (1,1),(2,2)")
}

func TestUseShardSendsStatementsThereAlone(t *testing.T) {
	db := memDB(t, "")
	fillTarget(t, db)
	total := 0
	for _, shard := range []string{"-40", "40-80", "80-c0", "c0-"} {
		for _, target := range []string{"`main/" + shard + "`", "`main:" + shard + "`", "`main/" + shard + "@primary`"} {
			c := pin(t, db)
			do(t, c, "USE "+target)
			rows := mustRows(t, c, "SELECT id FROM t ORDER BY id")
			if got := mustRows(t, c, "SELECT id FROM v ORDER BY id"); strings.Join(got, ",") != strings.Join(rows, ",") {
				t.Errorf("%s: the view has %v, the table %v", target, got, rows)
			}
			if got := mustRows(t, c, "SELECT COUNT(*) FROM t"); len(got) != 1 || got[0] != strconv.Itoa(len(rows)) {
				t.Errorf("%s: COUNT(*) is %v, there are %d rows", target, got, len(rows))
			}
			total += len(rows)
			do(t, c, "USE main")
			if got := mustRows(t, c, "SELECT COUNT(*) FROM t"); got[0] != "8" {
				t.Errorf("after USE main: %v rows", got)
			}
			_ = c.Close()
		}
	}
	if total != 3*8 {
		t.Errorf("the shards have %d rows together, want 24", total)
	}
}

func TestUseShardWrites(t *testing.T) {
	db := memDB(t, "")
	fillTarget(t, db)
	c := pin(t, db)
	do(t, c, "USE `main/-40`")
	here := len(mustRows(t, c, "SELECT id FROM t"))
	if here == 0 || here == 8 {
		t.Fatalf("shard -40 has %d of 8 rows: the test needs some, not all", here)
	}
	mustAffect(t, c, int64(here), "UPDATE t SET a = a + 100")
	mustAffect(t, c, 1, "INSERT INTO t VALUES (1000, 1)")
	mustAffect(t, c, 1, "UPDATE r SET a = 50 WHERE id = 1")
	mustAffect(t, c, 1, "DELETE FROM t WHERE id = 1000")
	if got := mustRows(t, c, "SELECT a FROM r WHERE id = 1"); got[0] != "50" {
		t.Errorf("r on -40: %v", got)
	}
	do(t, c, "USE `main/c0-`")
	if got := mustRows(t, c, "SELECT a FROM r WHERE id = 1"); got[0] != "1" {
		t.Errorf("r on c0-: %v; the update was for shard -40 alone", got)
	}
	do(t, c, "USE main")
	if got := mustRows(t, c, "SELECT COUNT(*) FROM t WHERE a > 100"); got[0] != strconv.Itoa(here) {
		t.Errorf("%v rows were changed, want %d", got, here)
	}
}

func TestUseShardInTransaction(t *testing.T) {
	db := memDB(t, "")
	fillTarget(t, db)
	c := pin(t, db)
	do(t, c, "BEGIN")
	do(t, c, "USE `main/-40`")
	do(t, c, "DELETE FROM t")
	do(t, c, "USE main")
	left := mustRows(t, c, "SELECT COUNT(*) FROM t")
	do(t, c, "ROLLBACK")
	if got := mustRows(t, c, "SELECT COUNT(*) FROM t"); got[0] != "8" || left[0] == "8" || left[0] == "0" {
		t.Errorf("in the transaction %v rows were left, after it there are %v", left, got)
	}
}

func TestUseShardRefuses(t *testing.T) {
	db := memDB(t, "")
	fillTarget(t, db)
	c := pin(t, db)
	for _, target := range []string{"`main/-80`", "`main/`", "`main/40`", "`nosuch/-40`", "`main/-40@spare`"} {
		if target == "`main/`" {
			do(t, c, "USE "+target) // no shard is all of them
			continue
		}
		e := mustFail(t, c, CodeUnknownDatabase, "USE "+target)
		if e.Number != 1049 {
			t.Errorf("USE %s: number %d", target, e.Number)
		}
	}
	do(t, c, "USE `main/-40`")
	for _, ddl := range []string{
		"CREATE TABLE u (id BIGINT PRIMARY KEY)", "DROP TABLE t", "TRUNCATE t", "ALTER TABLE t ADD COLUMN b INT",
		"CREATE INDEX i ON t (a)", "CREATE VIEW w AS SELECT 1", "RENAME TABLE t TO u", "CREATE TABLE u AS SELECT * FROM t",
	} {
		if e := mustFail(t, c, CodeUnsupported, ddl); !strings.Contains(e.Message, "main/-40") {
			t.Errorf("%s: %v doesn't name the shard", ddl, e)
		}
	}
	do(t, c, "USE main")
	do(t, c, "CREATE TABLE u (id BIGINT PRIMARY KEY)")
}

func TestShardInDSN(t *testing.T) {
	dir := t.TempDir()
	fillTarget(t, dirDB(t, dir))
	total := 0
	for _, shard := range []string{"-40", "40-80", "80-c0", "c0-"} {
		db := openDB(t, "file:"+escapePath(dir)+"?synchronous=normal&keyspace=main/"+shard)
		for range 2 { // the pool resets a connection before it is used again
			rows := mustRows(t, db, "SELECT id FROM t")
			total += len(rows)
		}
		mustFail(t, db, CodeUnsupported, "DROP TABLE t")
	}
	if total != 2*8 {
		t.Errorf("the shards have %d rows together, want 16", total)
	}
	db := openDB(t, "file:"+escapePath(dir)+"?synchronous=normal&keyspace=main/-80")
	_, err := rowsOf(db, "SELECT 1")
	wantCode(t, err, CodeUnknownDatabase, "keyspace=main/-80")
}
