package vitessdo

import (
	"strings"
	"testing"
)

func TestDirectives(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "max_combine_rows=3", "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT)",
		"INSERT INTO t VALUES (1,1),(2,2),(3,3),(4,4),(5,5),(6,6)")
	c := pin(t, db)
	const join = "COUNT(*) FROM t x JOIN t y ON x.a < y.a"
	_, err := rowsOf(c, "SELECT "+join)
	if err == nil {
		t.Error("max_combine_rows=3 let 6 rows pass")
	}
	want(t, c, "15", "SELECT /*vt+ IGNORE_MAX_MEMORY_ROWS=1 */ "+join)
	if _, err := rowsOf(c, "SELECT "+join); err == nil {
		t.Error("the directive outlives its statement")
	}
	_, err = rowsOf(c, "SELECT /*vt+ QUERY_TIMEOUT_MS=1 */ COUNT(*) FROM (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT i FROM n) x")
	wantCode(t, err, CodeCanceled, "QUERY_TIMEOUT_MS")
	want(t, c, "1", "SELECT /*vt+ QUERY_TIMEOUT_MS=60000 WORKLOAD_NAME=x PRIORITY=3 PLANNER=gen4 */ a FROM t WHERE id = 1")
	mustAffect(t, c, 6, "UPDATE /*vt+ MULTI_SHARD_AUTOCOMMIT=1 SKIP_QUERY_PLAN_CACHE=1 */ t SET a = a + 1")
	want(t, c, "2", "SELECT /*vt+ NO_SUCH_ONE=1 */ a FROM t WHERE id = 1")
	if got := strings.Join(mustRows(t, c, "SHOW WARNINGS"), " "); !strings.Contains(got, "NO_SUCH_ONE") {
		t.Errorf("warnings: %s", got)
	}
	_, err = rowsOf(c, "SELECT /*vt+ QUERY_TIMEOUT_MS=soon */ 1")
	wantCode(t, err, CodePlan, "QUERY_TIMEOUT_MS=soon")
}

func TestNoScatter(t *testing.T) {
	db := memDB(t, "no_scatter=true", "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT)",
		"CREATE TABLE r (id BIGINT PRIMARY KEY, a INT) COMMENT 'reference'",
		"INSERT INTO t VALUES (1,1),(2,2),(3,3)", "INSERT INTO r VALUES (1,1)", "UPDATE r SET a = 2")
	want(t, db, "1", "SELECT a FROM t WHERE id = 1")
	want(t, db, "3", "SELECT COUNT(*) FROM t WHERE id IN (1, 2, 3)")
	for _, s := range []string{"SELECT COUNT(*) FROM t", "UPDATE t SET a = 1", "SELECT * FROM t x JOIN t y ON x.a = y.id"} {
		mustFail(t, db, CodeUnsupported, s)
	}
	want(t, db, "3", "SELECT /*vt+ ALLOW_SCATTER */ COUNT(*) FROM t")
	mustAffect(t, db, 3, "DELETE /*vt+ ALLOW_SCATTER=1 */ FROM t")
}
