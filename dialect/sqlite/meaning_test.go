package sqlite_test

import (
	"strings"
	"testing"
)

// TestMeaning runs MySQL statements over the fixture and compares with MySQL's
// answers as its manual gives them; rows are separated by blanks.
func TestMeaning(t *testing.T) {
	c, defs := openFixture(t), fixtureDefs(t)
	for _, tc := range []struct{ mysql, want string }{
		{"SELECT t.id AS x FROM t HAVING x > 3 ORDER BY x DESC LIMIT 1", "5"},
		{"VALUES ROW(1,'a'), ROW(2,'b') ORDER BY column_0 DESC", "2|b 1|a"},
		{"SELECT u.id, w.v FROM w RIGHT JOIN u ON w.uid = u.id AND w.v > 15 ORDER BY 1", "1|20 2|30 3|NULL"},
		{"SELECT COUNT(*) FROM u JOIN w USING (id)", "3"},
		{"SELECT COUNT(*) FROM t, u, w", "60"},
		{"SELECT * FROM (SELECT id, a FROM u) AS z(p, q) WHERE p = 2", "2|a2"},
		{"SELECT GROUP_CONCAT(DISTINCT s SEPARATOR '/') FROM t WHERE id < 3", "alpha"},
		{"SELECT COUNT(DISTINCT s) FROM t", "3"},
		{"SELECT COUNT(*) FROM t WHERE s IN ('ALPHA', 'Beta')", "3"},
		{"SELECT COUNT(*) FROM t WHERE sb IN ('ALPHA', 'Beta')", "0"},
		{"SELECT COUNT(*) FROM t WHERE s BETWEEN 'ALPHA' AND 'BETA'", "3"},
		{"SELECT COUNT(*) FROM t WHERE s LIKE BINARY 'A%'", "1"},
		{"SELECT COUNT(*) FROM t WHERE (g, v) NOT IN ((1, 2), (2, 4))", "2"},
		{"SELECT COUNT(*) FROM t WHERE d = '2024-02-01'", "1"},
		{"SELECT COUNT(*) FROM t WHERE d IN ('2024-02-01', '2024-02-29 00:00')", "2"},
		{"SELECT DATE_SUB('2024-03-31', INTERVAL 1 MONTH), DATE_ADD(d, INTERVAL 1 YEAR) FROM t WHERE id = 4", "2024-02-29|2025-02-28 00:00:00"},
		{"SELECT EXTRACT(YEAR_MONTH FROM d), EXTRACT(DAY FROM d), WEEK(d, 3) FROM t WHERE id = 4", "202402|29|9"},
		{"SELECT LAST_DAY(d), TO_DAYS(d), DATEDIFF(d, '2024-01-01') FROM t WHERE id = 4", "2024-02-29|739310|59"},
		{"SELECT j->'$.c[last]', j->>'$.b', JSON_LENGTH(j, '$.c'), JSON_CONTAINS(j, '2', '$.c') FROM t WHERE id = 1", "2|x|2|1"},
		{"SELECT COUNT(*) FROM t WHERE j->'$.a' = 1", "1"},
		{"SELECT JSON_OBJECT('t', TRUE, 'j', j) FROM t WHERE id = 4", `{"t":true,"j":[1]}`},
		{"SELECT 2 MEMBER OF ('[1,2]'), JSON_CONTAINS_PATH(j, 'all', '$.a', '$.zz') FROM t WHERE id = 1", "1|0"},
		{"SELECT RIGHT('abc', 0), LEFT('abc', 2), SUBSTRING('abc', 0), SUBSTRING('abc', -2, 1), REPEAT('x', 0)", "|ab||b|"},
		{"SELECT ROUND(1.005, 2), ROUND(15, -1), TRUNCATE(-1.999, 1), MOD(-7, 3), 7 DIV 2, 5 % 2.5", "1.01|20|-1.9|-1|3|0"},
		{"SELECT STRCMP('a', 'b'), FIELD('b', 'a', 'b'), ELT(2, 'x', 'y'), INSERT('abc', 2, 1, 'ZZ')", "-1|2|y|aZZc"},
		{"SELECT CAST('12abc' AS SIGNED), CAST(2.5 AS DECIMAL(4,0)), CAST(1.005 AS DECIMAL(5,2)), CAST(7 AS CHAR(1))", "12|3|1.01|7"},
		{"SELECT CASE s WHEN 'ALPHA' THEN 1 ELSE 0 END FROM t WHERE id = 1", "1"},
		{"SELECT MAX(s), MIN(sb) FROM t WHERE id < 4", "beta|Alpha"},
		{"SELECT id FROM t ORDER BY CONCAT(sb, '') LIMIT 2", "5 4"},
		{"(SELECT id FROM t WHERE id < 3) UNION SELECT 9 ORDER BY id + 0 DESC LIMIT 2", "9 2"},
		{"SELECT 3 > ALL (SELECT v FROM t), 3 > ANY (SELECT v FROM t), 10 > ALL (SELECT id FROM t)", "0|1|1"},
		{"SELECT SUM(v) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t WHERE g = 2 ORDER BY id", "4 6"},
		{"SELECT STDDEV_POP(id), BIT_OR(id), VAR_SAMP(id) FROM t WHERE id IN (1, 3)", "1|3|2"},
		{"SELECT IF(v > 3, 'hi', 'lo'), IFNULL(v, 0), GREATEST(id, 2), CONCAT_WS('-', s, id) FROM t WHERE id = 3", "hi|4|3|beta-3"},
		{"SELECT HEX('a'), HEX(255), CHAR(77, 121), ASCII(''), CONV('ff', 16, 2), FORMAT(1234.5, 2)", "61|FF|My|0|11111111|1,234.50"},
		{"SELECT TRIM(LEADING 'ab' FROM 'ababc'), TRIM('  x '), LPAD('x', 3, '-'), FIND_IN_SET('b', 'a,b')", "c|x|--x|2"},
		{"SELECT UNIX_TIMESTAMP('2024-01-01'), FROM_UNIXTIME(0), STR_TO_DATE('1.2.2024', '%d.%m.%Y'), TIMESTAMPDIFF(MONTH, '2024-01-31', '2024-03-30')", "1704067200|1970-01-01 00:00:00|2024-02-01|1"},
	} {
		sql, err := printed(t, tc.mysql, defs)
		if err != nil {
			t.Errorf("%s: %v", tc.mysql, err)
			continue
		}
		got, err := query(c, sql)
		if err != nil {
			t.Errorf("%s\nprinted: %s\n%v", tc.mysql, sql, err)
			continue
		}
		if all := strings.Join(got, "\n"); !sameRows(got, rowsOf(tc.want)) && all != tc.want {
			t.Errorf("%s\nprinted: %s\ngot  %q\nwant %q", tc.mysql, sql, got, tc.want)
		}
	}
}

// rowsOf splits at blanks between rows, but not at those within a datetime.
func rowsOf(s string) []string {
	if s == "" {
		return nil
	}
	if strings.Contains(s, ":") {
		return []string{s}
	}
	return strings.Split(s, " ")
}
