package dialect_test

import (
	"testing"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// TestSource: what is written reads as the same again.
func TestSource(t *testing.T) {
	for _, text := range []string{
		"SELECT a, `b c`.*, COUNT(*) AS n, 'it''s', 1.50, 1e3, x'00ff', NULL, TRUE, DATE '2026-01-02' FROM t AS `b c` WHERE NOT a = 1 AND b IN (1, 2) OR c IS NOT NULL",
		"SELECT DISTINCT a + b * c - (d - e), -(-a), a DIV b, a % b, a <=> b, CONCAT(a, b) FROM ks.t JOIN u ON t.a = u.a LEFT JOIN v USING (a, b) NATURAL JOIN w",
		"SELECT a, SUM(b) FROM t GROUP BY a WITH ROLLUP HAVING SUM(b) > 1 ORDER BY a DESC, 2 LIMIT 3 OFFSET 4",
		"WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT * FROM c",
		"SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), SUM(a) OVER w FROM t WINDOW w AS (ORDER BY a)",
		"SELECT CASE a WHEN 1 THEN 'x' ELSE b END, CASE WHEN a > 1 THEN 2 END, CAST(a AS SIGNED), CAST(b AS DECIMAL(10, 2)), CAST(c AS CHAR(3)), CAST(d AS DATETIME(6)) FROM t",
		"SELECT a LIKE 'x%' ESCAPE '|', a NOT LIKE b, a BETWEEN 1 AND 2, a NOT BETWEEN b AND c, a REGEXP 'x', a COLLATE utf8mb4_bin, (a, b) = (1, 2) FROM t",
		"SELECT EXTRACT(YEAR FROM a), TRIM(LEADING 'x' FROM b), DATE_ADD(a, INTERVAL 1 DAY), CHAR(65 USING UTF8MB4), JSON_EXTRACT(a, '$.x'), GROUP_CONCAT(DISTINCT a ORDER BY b SEPARATOR '-') FROM t",
		"SELECT (SELECT 1), EXISTS (SELECT 1 FROM u), a > ANY (SELECT b FROM u), a IN (SELECT b FROM u) FROM (SELECT 1 AS x) AS d",
		"(SELECT 1 AS a) EXCEPT (SELECT 2 AS a) ORDER BY a",
		"VALUES ROW(1, 'a'), ROW(2, 'b')",
	} {
		first := source(t, text)
		if again := source(t, first); again != first {
			t.Errorf("%s\nis written as %s\nand that as   %s", text, first, again)
		}
	}
}

func source(t *testing.T, text string) string {
	t.Helper()
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := dialect.QuerySource(st.Stmt.(sqlast.Query))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

// TestSourceRefuses what has no text: arguments, and what hangs on types.
func TestSourceRefuses(t *testing.T) {
	for _, x := range []sqlast.Expr{&sqlast.Param{}, &sqlast.Late{}, &sqlast.UserVar{Name: "a"}} {
		if text, err := dialect.ExprSource(x); err == nil {
			t.Errorf("%T is written as %s", x, text)
		}
	}
}
