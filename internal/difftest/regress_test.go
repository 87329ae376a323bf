package difftest

import (
	"strings"
	"testing"
)

// What the generator once found, each as small as it could be made: the
// statements before, and the one whose answer differed. Answers are held against
// the plain database's; where that was wrong too, want has the rows.
var regressions = []struct {
	name   string
	before []string
	sql    string
	args   []any
	want   string
}{
	{
		name: "an empty blob crosses the gate as an empty blob",
		before: []string{
			"CREATE TABLE t (id INT NOT NULL, c BLOB, PRIMARY KEY (id))",
			"INSERT INTO t VALUES (1, x''), (2, x'00'), (3, NULL), (4, x''), (5, NULL), (6, x'61')",
		},
		sql: "SELECT a.c, COUNT(DISTINCT a.id) FROM t a RIGHT JOIN t b ON a.id + 1 = b.id GROUP BY a.c",
	},
	{
		name: "COUNT(DISTINCT) of the group's own key is not the sum of the shards'",
		before: []string{
			"CREATE TABLE t (k INT, c DOUBLE NOT NULL) COMMENT 'vindex=hash(k)'",
			"INSERT INTO t VALUES (NULL, 6), (6, 7.25), (3, 6), (11, 3), (1, 6), (2, 6), (4, 6)",
		},
		sql: "SELECT c, COUNT(DISTINCT c) FROM t GROUP BY c",
	},
	{
		name: "an expression's value gets no affinity on its way",
		before: []string{
			"CREATE TABLE t (id DECIMAL(12,2) NOT NULL, a DOUBLE, b VARCHAR(9), PRIMARY KEY (id))",
			"INSERT INTO t VALUES (1, NULL, 'x'), (2, 1.5, 'y'), (3, NULL, 'x'), (4, 2, 'z')",
		},
		sql: "SELECT CONCAT(COALESCE(a, 3), ''), COUNT(DISTINCT b) FROM t GROUP BY COALESCE(a, 3)",
	},
	{
		name: "a text literal that is compared with a number stays one in a shared plan",
		before: []string{
			"CREATE TABLE t (id INT NOT NULL, b INT, PRIMARY KEY (id))",
			"INSERT INTO t VALUES (1, 4), (2, 10), (3, 4), (4, NULL), (5, 7)",
		},
		sql: "SELECT id FROM t WHERE NULLIF(b, 10) = '4'",
	},
	{
		name: "a number that a text column is compared with stays one in a shared plan",
		before: []string{
			"CREATE TABLE t (k INT, a VARCHAR(9)) PARTITION BY KEY(k)",
			"INSERT INTO t VALUES (1, 'B'), (2, '9'), (3, '11'), (4, 'a'), (5, NULL)",
		},
		sql: "SELECT k FROM t WHERE a > 10",
	},
	{
		name: "a text in a COALESCE is no number in a shared plan",
		before: []string{
			"CREATE TABLE t (k INT NOT NULL, b DECIMAL(12,2), PRIMARY KEY (k))",
			"INSERT INTO t VALUES (-1, NULL), (0, 3.75), (8, 14.5), (9, 4)",
		},
		sql: "SELECT k FROM t WHERE COALESCE(b, '6') > 11",
	},
	{
		name: "an argument that is text meets an expression that is a number",
		before: []string{
			"CREATE TABLE t (id INT NOT NULL, b INT, PRIMARY KEY (id))",
			"INSERT INTO t VALUES (1, 4), (2, 10), (3, 4), (4, NULL), (5, 7)",
		},
		sql:  "SELECT id FROM t WHERE b + 1 = ? ORDER BY id",
		args: []any{"5"},
		want: "1|,3|",
	},
	{
		name: "ORDER BY an alias of MAX of a column without case",
		before: []string{
			"CREATE TABLE t (k INT NOT NULL, c VARCHAR(9) COLLATE utf8mb4_general_ci, g INT, PRIMARY KEY (k))",
			"INSERT INTO t VALUES (1, 'a', 1), (2, 'B', 2), (3, 'C', 3), (4, 'd', 4), (5, 'E', 5)",
		},
		sql:  "SELECT MAX(c) AS m FROM t GROUP BY g ORDER BY m",
		want: `"a"|,"B"|,"C"|,"d"|,"E"|`,
	},
	{
		name: "ORDER BY the number of an expression without case",
		before: []string{
			"CREATE TABLE t (k INT NOT NULL, c VARCHAR(9) COLLATE utf8mb4_general_ci, g INT, PRIMARY KEY (k))",
			"INSERT INTO t VALUES (1, 'a', 1), (2, 'B', 2), (3, 'C', 3), (4, 'd', 4), (5, 'E', 5)",
		},
		sql:  "SELECT g, MIN(c) FROM t GROUP BY g ORDER BY 2 DESC",
		want: `5|"E"|,4|"d"|,3|"C"|,2|"B"|,1|"a"|`,
	},
	{
		name: "a fragment's column is not taken for an alias of the same name",
		before: []string{
			"CREATE TABLE t (id BIGINT NOT NULL, c1 INT, PRIMARY KEY (id))",
			"INSERT INTO t VALUES (11, 9), (12, 1), (13, 10), (14, 0), (15, 3)",
		},
		sql: "SELECT (SELECT q.c1 FROM t q ORDER BY q.id LIMIT 1) AS c0, EXISTS (SELECT 1 FROM t WHERE c1 = 3) AS c1",
	},
	{
		name: "ROLLUP finds its rows before it rolls them up",
		before: []string{
			"CREATE TABLE t (k INT NOT NULL, l INT, PRIMARY KEY (k))",
			"INSERT INTO t VALUES (1, 4), (2, 4), (3, 5), (4, 6)",
		},
		sql:  "SELECT l, SUM(l) FROM t WHERE l < 6 GROUP BY l WITH ROLLUP ORDER BY 2",
		want: "5|5|,4|8|,NULL|13|",
	},
	{
		name: "ROLLUP over an item's number",
		before: []string{
			"CREATE TABLE t (k INT NOT NULL, l INT, PRIMARY KEY (k))",
			"INSERT INTO t VALUES (1, 4), (2, 4), (3, 5), (4, 6)",
		},
		sql:  "SELECT l, COUNT(*) FROM t GROUP BY 1 WITH ROLLUP ORDER BY 2 DESC, 1",
		want: "NULL|4|,4|2|,5|1|,6|1|",
	},
	{
		name: "a collation spelt inside an expression isn't the expression's own",
		before: []string{
			"CREATE TABLE t (id INT NOT NULL, l VARCHAR(9), b VARCHAR(9) COLLATE utf8mb4_general_ci, PRIMARY KEY (id))",
			"INSERT INTO t VALUES (1, 'x', 'A'), (2, 'a', 'b'), (3, 'x', 'A'), (4, 'É', 'c'), (5, 'b', 'C')",
		},
		sql: "SELECT CASE WHEN b >= 'B' THEN l ELSE 'B' END AS c FROM t ORDER BY c",
	},
	{
		name: "a comparison isn't made by a collation from within one of its sides",
		before: []string{
			"CREATE TABLE t (id INT NOT NULL, l VARCHAR(9), b VARCHAR(9) COLLATE utf8mb4_general_ci, PRIMARY KEY (id))",
			"INSERT INTO t VALUES (1, 'X', 'A'), (2, 'a', 'b'), (3, 'x', 'c')",
		},
		sql:  "SELECT id FROM t WHERE CASE WHEN b >= 'B' THEN l ELSE 'X' END = 'x'",
		want: "3|",
	},
	{
		name: "an outer join keeps the row for which a prefix matches nothing",
		before: []string{
			"CREATE TABLE t (pk INT NOT NULL, c VARCHAR(9) COLLATE utf8mb4_general_ci, d VARCHAR(9), UNIQUE (pk, c), UNIQUE (pk, d)) PARTITION BY KEY(pk)",
			"INSERT INTO t VALUES (1, 'B', 'B'), (2, 'ab', 'ab')",
			"CREATE VIEW v AS SELECT pk, c FROM t WHERE c LIKE 'a%'",
		},
		sql: "SELECT a.pk, b.c, e.d, v.pk FROM t a LEFT JOIN t b ON a.pk = b.pk AND b.c LIKE 'a%' " +
			"LEFT JOIN t e ON a.pk = e.pk AND e.d LIKE 'a%' LEFT JOIN v ON a.pk = v.pk ORDER BY 1",
		want: `1|NULL|NULL|NULL|,2|"ab"|"ab"|2|`,
	},
	{
		name: "a NOT EXISTS in brackets is one operand",
		before: []string{
			"CREATE TABLE t (k INT NOT NULL, a INT, PRIMARY KEY (k))",
			"INSERT INTO t VALUES (1, 4), (2, 0), (3, NULL)",
		},
		sql:  "SELECT k FROM t WHERE (NOT EXISTS (SELECT * FROM t q WHERE q.a >= 1)) IS NULL OR k = 2",
		want: "2|",
	},
	{
		name: "ON DUPLICATE KEY UPDATE of a table that has a unique key with its row ID in it",
		before: []string{
			"CREATE TABLE t (id BIGINT NOT NULL, c VARCHAR(9), a INT, PRIMARY KEY (id), UNIQUE KEY (id, c), UNIQUE KEY (c)) COMMENT 'unsharded'",
			"INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)",
			"INSERT INTO t VALUES (1, 'x', 1), (3, 'b', 3), (2, 'b', 7), (4, 'd', 4) ON DUPLICATE KEY UPDATE a = a + 10",
		},
		sql:  "SELECT * FROM t",
		want: `1|"a"|11|,2|"b"|22|,4|"d"|4|`,
	},
	{
		name: "a column of a unique key that the gate keeps is set to a subquery",
		before: []string{
			"CREATE TABLE t (k INT NOT NULL, a INT, PRIMARY KEY (k), UNIQUE KEY (a))",
			"INSERT INTO t VALUES (1, 4), (2, 5)",
			"CREATE TABLE o (k INT NOT NULL, PRIMARY KEY (k))",
			"INSERT INTO o VALUES (1), (2), (3)",
			"UPDATE t SET a = (SELECT COUNT(*) FROM o) WHERE k = 1",
			"UPDATE t SET a = a + 3 WHERE a IN (SELECT o.k + 2 FROM o)",
		},
		sql:  "SELECT * FROM t",
		want: `1|6|,2|8|`,
	},
	{
		name: "a NULL among what a unique key may be has no entry to be looked up",
		before: []string{
			"CREATE TABLE t (id INT NOT NULL, k INT, PRIMARY KEY (id), UNIQUE KEY (k))",
			"INSERT INTO t VALUES (1, NULL), (2, 5), (3, NULL), (4, 6), (5, NULL)",
		},
		sql:  "SELECT id FROM t WHERE k IS NULL OR k = 5 ORDER BY id",
		want: "1|,2|,3|,5|",
	},
	{
		name: "keys are sent to shards by the column that places rows, not by one of its name",
		before: []string{
			"CREATE TABLE c (id INT NOT NULL, PRIMARY KEY (id)) COMMENT 'reference'",
			"CREATE TABLE t (id INT NOT NULL, PRIMARY KEY (id))",
			"CREATE TABLE u (k INT NOT NULL, c INT, PRIMARY KEY (k))",
			"INSERT INTO c VALUES (1), (2)",
			"INSERT INTO t VALUES (3), (4), (5), (6), (7), (8), (9)",
			"INSERT INTO u VALUES (1, 1)",
		},
		sql:  "SELECT t.id FROM c JOIN t ON c.id < t.id JOIN u ON u.c = c.id WHERE u.k = 1 ORDER BY t.id",
		want: "3|,4|,5|,6|,7|,8|,9|",
	},
	{
		name: "text that a derived column meets isn't put before its stored column",
		before: []string{
			"CREATE TABLE t (id INT NOT NULL, v INT, PRIMARY KEY (id))",
			"INSERT INTO t VALUES (1, 1), (2, -1), (3, 2)",
		},
		sql:  "SELECT id FROM (SELECT id, v FROM t UNION ALL SELECT v, id FROM t) d WHERE v >= 'new' ORDER BY id, v",
		want: "-1|,1|,1|,2|,3|",
	},
}

func TestRegressions(t *testing.T) {
	for _, tt := range regressions {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{1, 2, 3, 8} {
				one(t, n, tt.before, Statement{SQL: tt.sql, Args: tt.args, Kind: Query, Fold: true}, tt.want)
			}
		})
	}
}

func one(t *testing.T, shards int, before []string, s Statement, want string) {
	t.Helper()
	var history []Statement
	for _, text := range before {
		k := Write
		if strings.HasPrefix(text, "CREATE") {
			k = Schema
		}
		history = append(history, Statement{SQL: text, Kind: k})
	}
	f, differs := replay(history, s, shards)
	switch {
	case f.Got.Err != nil || f.Want.Err != nil || len(f.Want.Rows) == 0 || differs:
		t.Errorf("%s", Script(f))
	case want != "":
		if got := strings.Join(texts(f.Got.Rows, nil, false), ","); got != want {
			t.Errorf("%d shards: %s, want %s", shards, got, want)
		}
	}
}

// A NULL is refused for a key that is SQLite's row ID too, which SQLite would
// number; and the text of the error is MySQL's.
func TestNullKeyIsRefused(t *testing.T) {
	for _, n := range []int{1, 3} {
		c, err := openCluster(n)
		if err != nil {
			t.Fatal(err)
		}
		c.Run(Statement{SQL: "CREATE TABLE t (id INT NOT NULL, b INT, PRIMARY KEY (id))", Kind: Schema})
		for _, sql := range []string{"INSERT INTO t VALUES (NULL, 1)", "INSERT INTO t (id, b) VALUES (1, 2), (NULL, 3)", "REPLACE INTO t SET id = NULL"} {
			a := c.Run(Statement{SQL: sql, Kind: Write})
			if ClassOf(a.Err) != "NOT_NULL_VIOLATION" || !strings.Contains(a.Err.Error(), "Error 1048 (23000): Column 'id' cannot be null") {
				t.Errorf("%d shards: %s: %v", n, sql, a.Err)
			}
		}
		if a := tableRows(c, "t"); a.Err != nil || len(a.Rows) > 0 {
			t.Errorf("%d shards: %s is left", n, Show(a))
		}
		c.Close()
	}
}
