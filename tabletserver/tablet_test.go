package tabletserver

import (
	"fmt"
	"io"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

func TestAutocommit(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
		res := exec1(t, db, "INSERT INTO t(v) VALUES(?1), (?2), (NULL)", "a", []byte{})
		want(t, "RowsAffected", res.RowsAffected, 3)
		want(t, "LastInsertID", res.LastInsertID, 3)
		want(t, "rows", fmt.Sprintf("%#v", query(t, db, "SELECT * FROM t")),
			`[][]interface {}{[]interface {}{1, "a"}, []interface {}{2, []uint8{}}, []interface {}{3, interface {}(nil)}}`)
		res = exec1(t, db, "UPDATE t SET v = ?1 WHERE id > 1", 2.5)
		want(t, "UPDATE", fmt.Sprint(res), "{2 0 [] []}")
		want(t, "no insert", exec1(t, db, "INSERT OR IGNORE INTO t VALUES(1, 1)").LastInsertID, tablet.NoRowID)
		want(t, "DDL", fmt.Sprint(exec1(t, db, "CREATE TABLE u AS SELECT * FROM t")), "{0 0 [] []}")
		want(t, "ALTER", fmt.Sprint(exec1(t, db, "ALTER TABLE u ADD COLUMN w")), "{0 0 [] []}")
		want(t, "RETURNING", fmt.Sprint(query(t, db, "DELETE FROM t WHERE id < 3 RETURNING id, v")), "[[1 a] [2 2.5]]")
		want(t, "WITH", fmt.Sprint(query(t, db, "WITH x(a) AS (VALUES(9)) INSERT INTO t SELECT a, a FROM x RETURNING v")), "[[9]]")
		want(t, "count", one(t, db, "SELECT count(*) FROM t"), tablet.Value(int64(2)))
	})
}

func TestColumnsFollowTheSchema(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		db := open(t, cfg, "CREATE TABLE t(a)", "INSERT INTO t VALUES(1)")
		for i, alter := range []string{"ALTER TABLE t ADD COLUMN b", "ALTER TABLE t RENAME COLUMN a TO c", "ALTER TABLE t DROP COLUMN b"} {
			query(t, db, "SELECT * FROM t")
			exec1(t, db, alter)
			r, err := db.Query(ctx, q("SELECT * FROM t"))
			if err != nil {
				t.Fatal(err)
			}
			want(t, alter, fmt.Sprint(r.Columns()), []string{"[a b]", "[c b]", "[c]"}[i])
			if err := r.Next(make([]tablet.Value, len(r.Columns()))); err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			want(t, "second Close", r.Close(), nil)
			want(t, "Next after Close", r.Next(nil), io.EOF)
		}
	})
}
