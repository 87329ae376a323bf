package vitessdo

import (
	"errors"
	"fmt"
	"testing"
)

// TestFirstSubqueries: subqueries that hang on no row are evaluated before their
// statement, in its transaction, and their values lead it to its shards.
func TestFirstSubqueries(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			db := openDB(t, fmt.Sprintf(":memory:?shards=%d", shards))
			for _, text := range []string{
				"CREATE TABLE a (id BIGINT PRIMARY KEY, v INT, p DECIMAL(10,2))", "CREATE TABLE b (id BIGINT PRIMARY KEY, a BIGINT)",
				"INSERT INTO a VALUES (1, 10, 1.10), (2, 20, 2.20), (3, 30, 3.35), (4, 40, NULL)", "INSERT INTO b VALUES (1, 2), (2, 2), (3, 4)",
			} {
				do(t, db, text)
			}
			for _, x := range []struct{ query, want string }{
				{"SELECT v FROM a WHERE id = (SELECT MAX(a) FROM b)", "40"},
				{"SELECT v FROM a WHERE id = (SELECT MAX(a) - 1 FROM b) - (SELECT COUNT(*) FROM b WHERE a = 2)", "10"},
				{"SELECT COUNT(*) FROM a WHERE id = (SELECT a FROM b WHERE id = 9)", "0"},
				{"SELECT id FROM a WHERE p > (SELECT AVG(p) FROM a)", "3"},
				{"SELECT COUNT(*) FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE a = 3)", "4"},
				{"SELECT SUM(v) FROM a HAVING SUM(v) > (SELECT COUNT(*) FROM b)", "100"},
			} {
				if got, err := rowsOf(db, x.query); err != nil || len(got) != 1 || got[0] != x.want {
					t.Errorf("%s: %v, %v; want %s", x.query, got, err, x.want)
				}
			}
			tx, err := db.BeginTx(bg, nil)
			if err != nil {
				t.Fatal(err)
			}
			do(t, tx, "INSERT INTO b VALUES (4, 3)")
			do(t, tx, "UPDATE a SET v = (SELECT COUNT(*) FROM b) WHERE id = (SELECT a FROM b WHERE id = 4)")
			if got, err := rowsOf(tx, "SELECT v FROM a WHERE id = (SELECT a FROM b WHERE id = 4)"); err != nil || len(got) != 1 || got[0] != "4" {
				t.Errorf("in the transaction that wrote what the subqueries read: %v, %v; want 4", got, err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			do(t, db, "DELETE FROM a WHERE v = (SELECT MAX(v) FROM a)")
			do(t, db, "INSERT INTO a SELECT id + 100, (SELECT MAX(v) FROM a), NULL FROM b")
			if got, err := rowsOf(db, "SELECT id, v FROM a ORDER BY id"); err != nil || fmt.Sprint(got) != "[1|10 2|20 3|30 101|30 102|30 103|30]" {
				t.Errorf("after the writes: %v, %v", got, err)
			}
		})
	}
}

// TestSubqueryRows: a subquery that is a value has one row at most, wherever it
// runs, and as many columns as it is compared with.
func TestSubqueryRows(t *testing.T) {
	for _, dsn := range []string{":memory:", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE a (id BIGINT PRIMARY KEY, v INT, w INT)")
		do(t, db, "INSERT INTO a VALUES (1, 10, 1), (2, 20, 1), (3, 30, 2)")
		for text, number := range map[string]uint16{
			"SELECT v FROM a WHERE id = (SELECT id FROM a)":                                  1242,
			"UPDATE a SET v = (SELECT v FROM a) WHERE id = 1":                                1242,
			"UPDATE a SET v = (SELECT b.v FROM a b WHERE b.w = a.w)":                         1242,
			"SELECT (SELECT b.v FROM a b WHERE b.w = a.w) FROM a ORDER BY id":                1242,
			"SELECT id FROM a WHERE id = 1 AND v < (SELECT b.v FROM a b WHERE b.id <> a.id)": 1242,
			"SELECT id FROM a WHERE (id, v) = (SELECT id, v FROM a)":                         1242,
			"SELECT (SELECT 1 UNION SELECT 2)":                                               1242,
			"SELECT (1, 2) = (SELECT 1)":                                                     1241,
			"SELECT (SELECT id, v FROM a LIMIT 1)":                                           1241,
		} {
			if _, err := rowsOf(db, text); !hasNumber(err, number) {
				t.Errorf("%s: %s: %v, want error %d", dsn, text, err, number)
			}
		}
		want(t, db, "1|∅ 2|∅ 3|30", "SELECT id, (SELECT b.v FROM a b WHERE b.w = a.w AND a.w = 2) FROM a ORDER BY id")
		want(t, db, "1|10|1 2|20|1 3|30|2", "SELECT * FROM a ORDER BY id")
	}
}

func hasNumber(err error, number uint16) bool {
	var e *Error
	return errors.As(err, &e) && e.Number == number
}
