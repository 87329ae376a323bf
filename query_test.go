package vitessdo

import (
	"errors"
	"strings"
	"testing"
)

// TestQueries goes through every way of running a query, end to end; the
// differential tests go deep.
func TestQueries(t *testing.T) {
	db := memDB(t, "",
		"CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50), age INT, created DATETIME DEFAULT CURRENT_TIMESTAMP)",
		"CREATE TABLE orders (id BIGINT AUTO_INCREMENT, user_id BIGINT, amount DECIMAL(10,2), PRIMARY KEY (user_id, id), KEY (id), FOREIGN KEY (user_id) REFERENCES users(id))",
		"INSERT INTO users (name, age) VALUES ('ann', 30), ('bob', 41), ('cyd', 25), ('dan', 41), ('eve', 30)",
		"INSERT INTO orders (user_id, amount) VALUES (1, 10.5), (2, 20), (3, 7.25), (1, 3)",
		"CREATE VIEW old AS SELECT id, name FROM users WHERE age > 29")
	for _, tc := range []struct{ query, rows, plan string }{
		{"SELECT name FROM users WHERE id = 3", "cyd", "single_shard"},
		{"SELECT id, name FROM users ORDER BY name DESC LIMIT 3", "5|eve 4|dan 3|cyd", "scatter"},
		{"SELECT COUNT(*), SUM(age), MIN(name) FROM users", "5|167|ann", "scatter_aggregate"},
		{"SELECT AVG(age) FROM users", "33.4000", "scatter_aggregate"},
		{"SELECT age, COUNT(*) AS n FROM users GROUP BY age HAVING n > 1 ORDER BY n DESC, age", "30|2 41|2", ""},
		{"SELECT u.name, o.amount FROM users u JOIN orders o ON o.user_id = u.id ORDER BY 1, 2", "ann|3.00 ann|10.50 bob|20.00 cyd|7.25", "scatter"},
		{"SELECT a.name, b.name FROM users a JOIN users b ON a.age = b.age AND a.id < b.id ORDER BY 1", "ann|eve bob|dan", ""},
		{"SELECT name FROM users WHERE id IN (1, 2, 5) ORDER BY id", "ann bob eve", ""},
		{"SELECT name FROM old WHERE id = 2", "bob", "single_shard"},
		{"SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND o.amount > 9) ORDER BY 1", "ann bob", ""},
		{"SELECT name, RANK() OVER (ORDER BY age DESC) AS r FROM users ORDER BY r, name", "bob|1 dan|1 ann|3 eve|3 cyd|5", ""},
		{"WITH big AS (SELECT user_id, SUM(amount) AS s FROM orders GROUP BY user_id) SELECT name, s FROM users JOIN big ON id = user_id ORDER BY s", "cyd|7.25 ann|13.50 bob|20.00", ""},
		{"SELECT age FROM users UNION SELECT age + 1 FROM users ORDER BY 1", "25 26 30 31 41 42", ""},
		{"SELECT GROUP_CONCAT(name ORDER BY name SEPARATOR '+') FROM users WHERE age = 41", "bob+dan", ""},
		{"SELECT COUNT(DISTINCT age) FROM users", "3", ""},
	} {
		got, err := rowsOf(db, tc.query)
		if s := strings.Join(got, " "); err != nil || s != tc.rows && !sameNumber(s, tc.rows) {
			t.Errorf("%s:\n got  %s, %v\n want %s", tc.query, s, err, tc.rows)
		}
		plan, err := rowsOf(db, "EXPLAIN FORMAT='vitess' "+tc.query)
		if err != nil || len(plan) == 0 || !strings.HasPrefix(plan[0], tc.plan) {
			t.Errorf("%s: plan %v, %v; want %s", tc.query, plan, err, tc.plan)
		}
		for _, explain := range []string{"EXPLAIN ", "VEXPLAIN PLAN "} {
			if _, err := rowsOf(db, explain+tc.query); err != nil {
				t.Errorf("%s%s: %v", explain, tc.query, err)
			}
		}
	}
	want(t, db, "main", "SELECT DATABASE()")
	want(t, db, "old orders users", "SHOW TABLES")
}

// sameNumber forgives zeros at a decimal's end.
func sameNumber(a, b string) bool {
	return strings.Contains(b, ".") && strings.TrimRight(a, "0") == strings.TrimRight(b, "0")
}

// TestTextAmongNumbers: text that is compared with a number is the number that it
// begins with, in whatever way the two come together, and leads to that number's
// shard.
func TestTextAmongNumbers(t *testing.T) {
	for _, dsn := range []string{":memory:", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE g (id INT PRIMARY KEY, d DOUBLE, s VARCHAR(10))")
		do(t, db, "CREATE TABLE v (s VARCHAR(10) PRIMARY KEY)")
		do(t, db, "INSERT INTO g VALUES (0, 0, 'zero'), (1, 1.5, '1abc'), (2, 2, '2')")
		do(t, db, "INSERT INTO v VALUES ('1abc'), ('2'), (' 2 '), ('x')")
		for _, tt := range []struct{ query, want string }{
			{"SELECT id FROM g WHERE id = '1abc'", "1"},
			{"SELECT id FROM g WHERE id = 'x'", "0"},
			{"SELECT id FROM g WHERE d = '1.5e'", "1"},
			{"SELECT id FROM g WHERE id IN ('1abc', 'y', 7) ORDER BY id", "0 1"},
			{"SELECT id FROM g WHERE id > '1abc'", "2"},
			{"SELECT id FROM g WHERE id BETWEEN '1x' AND '2y' ORDER BY id", "1 2"},
			{"SELECT id FROM g WHERE id = s ORDER BY id", "0 1 2"},
			{"SELECT id FROM g WHERE id = CONCAT('1', 'abc')", "1"},
			{"SELECT g.id, v.s FROM g JOIN v ON g.id = v.s ORDER BY 1, 2", "0|x 1|1abc 2| 2  2|2"},
			{"SELECT id FROM g WHERE id IN (SELECT s FROM v) ORDER BY id", "0 1 2"},
			{"SELECT COUNT(*) FROM v WHERE s IN (SELECT id FROM g)", "4"},
		} {
			want(t, db, tt.want, tt.query)
		}
		want(t, db, "1", "SELECT id FROM g WHERE id = ?", "1abc")
		want(t, db, "0", "SELECT id FROM g WHERE id = ?", "abc")
		want(t, db, "2", "SELECT id FROM g WHERE id = ?", " 2 ")
		want(t, db, "1 2", "SELECT id FROM g WHERE d >= ? ORDER BY id", "1x")
		mustAffect(t, db, 1, "UPDATE g SET d = 9 WHERE id = ?", "1zzz")
	}
}

// TestTextAmongBytes: a binary column keeps the bytes of the text that it is given,
// however it comes, and finds them by text and by bytes.
func TestTextAmongBytes(t *testing.T) {
	for _, dsn := range []string{":memory:", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, v VARBINARY(9), b BLOB, t TEXT, UNIQUE KEY (v))")
		do(t, db, "CREATE TABLE w (v VARBINARY(9) NOT NULL DEFAULT 'dflt', n INT, PRIMARY KEY (v))")
		do(t, db, "INSERT INTO u VALUES (1, 'abc', 'x', 'y'), (2, x'646566', 5, 'z')")
		do(t, db, "INSERT INTO u VALUES (3, ?, ?, 'q')", "str", []byte("bytes"))
		for _, text := range []string{"INSERT INTO u (id, v) VALUES (9, x'616263')", "INSERT INTO u (id, v) VALUES (9, 'def')", "UPDATE u SET v = 'abc' WHERE id = 2"} {
			if _, err := rowsOf(db, text); !errors.Is(err, ErrDuplicateKey) {
				t.Errorf("%s: %s: %v, want error 1062", dsn, text, err)
			}
		}
		want(t, db, "1 2", "SELECT id FROM u WHERE v = 'abc' OR v = 'def' ORDER BY id")
		want(t, db, "1 2 3", "SELECT id FROM u WHERE v IN (x'616263', ?, ?) ORDER BY id", "def", []byte("str"))
		want(t, db, "2 3", "SELECT id FROM u WHERE v > 'abc' AND b >= ? ORDER BY id", "5")
		want(t, db, "1", "SELECT id FROM u WHERE v = CONCAT('ab', 'c')")
		do(t, db, "INSERT INTO w (n) VALUES (0)")
		do(t, db, "INSERT INTO w SELECT v, id FROM u")
		do(t, db, "UPDATE u SET b = t")
		do(t, db, "INSERT INTO u SELECT 8, '', CONCAT(t, ''), '' FROM u WHERE id = 1")
		want(t, db, "1|0", "SELECT v = '', LENGTH(v) FROM u WHERE id = 8")
		mustAffect(t, db, 1, "UPDATE u SET b = SUBSTRING(t, 9) WHERE id = 8")
		want(t, db, "8", "SELECT id FROM u WHERE b = ''")
		want(t, db, "0", "SELECT n FROM w WHERE v = 'dflt'")
		want(t, db, "1 2 3", "SELECT u.id FROM u JOIN w ON w.v = u.v WHERE u.b IN ('y', 'z', 'q') ORDER BY 1")
		mustAffect(t, db, 1, "DELETE FROM u WHERE id = 1")
		mustAffect(t, db, 1, "INSERT INTO u (id, v) VALUES (4, 'abc')")
	}
}
