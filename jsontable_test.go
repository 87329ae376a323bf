package vitessdo

import (
	"errors"
	"strings"
	"testing"
)

// TestJSONTable reads documents as tables: those of the statement, of arguments and
// of the rows beside them, on one shard and on four.
func TestJSONTable(t *testing.T) {
	for _, options := range []string{"shards=1", "shards=4"} {
		db := openDB(t, ":memory:?"+options)
		for _, s := range []string{
			"CREATE TABLE o (id BIGINT PRIMARY KEY, doc JSON, n INT)",
			"CREATE TABLE p (sku VARCHAR(10) PRIMARY KEY, price DECIMAL(8,2))",
			`INSERT INTO o VALUES (1, '[{"sku": "a", "n": 2}, {"sku": "b", "n": 1}]', 0), (2, '[]', 0), (3, NULL, 0),
				(4, '[{"sku": "a", "n": 5, "tags": ["x", "y"]}]', 0), (5, '[{"sku": "zz"}]', 0)`,
			"INSERT INTO p VALUES ('a', 1.50), ('b', 20), ('c', 300)",
			`CREATE VIEW items AS SELECT o.id, j.pos, j.sku, j.n FROM o, JSON_TABLE(o.doc, '$[*]' COLUMNS (
				pos FOR ORDINALITY, sku VARCHAR(10) PATH '$.sku', n INT PATH '$.n')) AS j`,
			"CREATE TABLE got (id BIGINT PRIMARY KEY AUTO_INCREMENT, o BIGINT, sku VARCHAR(10), n INT)",
		} {
			do(t, db, s)
		}
		for _, tc := range []struct {
			rows, query string
			args        []any
		}{
			{"1 2 3", "SELECT x FROM JSON_TABLE('[1, 2, 3]', '$[*]' COLUMNS (x INT PATH '$')) AS j", nil},
			{"2|b 1|a", "SELECT * FROM JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY, s VARCHAR(5) PATH '$')) j ORDER BY i DESC", []any{`["a", "b"]`}},
			{"2|b 1|a", "SELECT * FROM JSON_TABLE(:doc, '$[*]' COLUMNS (i FOR ORDINALITY, s VARCHAR(5) PATH '$')) j WHERE i < :max ORDER BY i DESC LIMIT 2",
				[]any{[]byte(`["a", "b", "c"]`), 3}},
			{"1|1|a|2 1|2|b|1 4|1|a|5 5|1|zz|∅", "SELECT * FROM items ORDER BY id, pos", nil},
			{"1|b", "SELECT id, sku FROM items WHERE id = 1 AND sku = 'b'", nil},
			{"a|2|7 b|1|1 zz|1|∅", "SELECT sku, COUNT(*), SUM(n) FROM items GROUP BY sku ORDER BY sku", nil},
			{"4", "SELECT COUNT(*) FROM o, JSON_TABLE(o.doc, '$[*]' COLUMNS (n INT PATH '$.n')) j", nil},
			{"1|a 1|b 2|∅ 3|∅ 4|a 5|zz", "SELECT o.id, j.sku FROM o LEFT JOIN JSON_TABLE(o.doc, '$[*]' COLUMNS (sku VARCHAR(9) PATH '$.sku')) j ON TRUE ORDER BY 1, 2", nil},
			{"1|∅ 2|∅ 3|∅ 4|a 5|∅", "SELECT o.id, j.sku FROM o LEFT JOIN JSON_TABLE(o.doc, '$[*]' COLUMNS (sku VARCHAR(9) PATH '$.sku', n INT PATH '$.n')) j ON j.n > 2 ORDER BY 1, 2", nil},
			{"1|a|3.00 1|b|20.00 4|a|7.50", `SELECT o.id, p.sku, p.price * j.n FROM o JOIN JSON_TABLE(o.doc, '$[*]' COLUMNS (sku VARCHAR(9) PATH '$.sku', n INT PATH '$.n')) j
				JOIN p ON p.sku = j.sku ORDER BY 1, 2`, nil},
			{"a|1.50 c|300.00", "SELECT p.sku, p.price FROM p JOIN JSON_TABLE('[\"c\", \"a\", \"q\"]', '$[*]' COLUMNS (s VARCHAR(9) PATH '$')) j ON j.s = p.sku ORDER BY 1", nil},
			{"c|c a|a q|∅", "SELECT j.s, p.sku FROM JSON_TABLE('[\"c\", \"a\", \"q\"]', '$[*]' COLUMNS (i FOR ORDINALITY, s VARCHAR(9) PATH '$')) j LEFT JOIN p ON j.s = p.sku ORDER BY i", nil},
			{"c|c a|a q|∅", "SELECT j.s, p.sku FROM p RIGHT JOIN JSON_TABLE('[\"c\", \"a\", \"q\"]', '$[*]' COLUMNS (i FOR ORDINALITY, s VARCHAR(9) PATH '$')) j ON j.s = p.sku ORDER BY i", nil},
			{"a|1.50 c|300.00", "SELECT sku, price FROM p WHERE sku IN (SELECT s FROM JSON_TABLE(?, '$[*]' COLUMNS (s VARCHAR(9) PATH '$')) j) ORDER BY 1", []any{`["c", "a"]`}},
			{"1|2 2|0 3|0 4|1 5|1", "SELECT id, (SELECT COUNT(*) FROM JSON_TABLE(o.doc, '$[*]' COLUMNS (n INT PATH '$.n')) j) FROM o ORDER BY id", nil},
			{"1 4", "SELECT id FROM o WHERE EXISTS (SELECT 1 FROM JSON_TABLE(o.doc, '$[*]' COLUMNS (s TEXT PATH '$.sku')) j WHERE j.s = 'a') ORDER BY id", nil},
			{"x y", "SELECT k.tag FROM o, JSON_TABLE(o.doc, '$[*]' COLUMNS (tags JSON PATH '$.tags')) j, JSON_TABLE(j.tags, '$[*]' COLUMNS (tag TEXT PATH '$')) k ORDER BY 1", nil},
			{"a|2 b|1", "WITH d AS (SELECT doc FROM o WHERE id = 1) SELECT j.sku, j.n FROM d, JSON_TABLE(d.doc, '$[*]' COLUMNS (sku CHAR(3) PATH '$.sku', n INT PATH '$.n')) j ORDER BY 1", nil},
			{"a b", "SELECT sku FROM JSON_TABLE((SELECT doc FROM o WHERE id = 1), '$[*]' COLUMNS (sku CHAR(3) PATH '$.sku')) j ORDER BY 1", nil},
			{"a|1 a|4 b|1 zz|5", "SELECT DISTINCT j.sku, o.id FROM o, JSON_TABLE(o.doc, '$[*]' COLUMNS (sku CHAR(3) PATH '$.sku')) j ORDER BY 1, 2", nil},
			{"4|2 1|1", "SELECT o.id, ROW_NUMBER() OVER (PARTITION BY j.sku ORDER BY o.id) r FROM o, JSON_TABLE(o.doc, '$[*]' COLUMNS (sku CHAR(3) PATH '$.sku')) j WHERE j.sku = 'a' ORDER BY r DESC", nil},
			{"1|1 1|2 2|∅", "SELECT j.x, j.y FROM JSON_TABLE('[[1, 2], []]', '$[*]' COLUMNS (x FOR ORDINALITY, NESTED PATH '$[*]' COLUMNS (y INT PATH '$'))) j ORDER BY 1, 2", nil},
			{"1 2", "SELECT a FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) j UNION SELECT 2 ORDER BY 1", nil},
		} {
			want(t, db, tc.rows, tc.query, tc.args...)
		}
		for _, w := range []struct {
			write    string
			affected int64
		}{
			{`INSERT INTO got (o, sku, n) SELECT o.id, j.sku, j.n FROM o, JSON_TABLE(o.doc, '$[*]' COLUMNS (sku VARCHAR(10) PATH '$.sku', n INT PATH '$.n')) j`, 4},
			{`INSERT INTO got (o, sku) SELECT 9, s FROM JSON_TABLE('["q", "r"]', '$[*]' COLUMNS (s VARCHAR(10) PATH '$')) j`, 2},
			{`UPDATE o JOIN JSON_TABLE('[{"i": 1, "v": 7}, {"i": 5, "v": 8}]', '$[*]' COLUMNS (i BIGINT PATH '$.i', v INT PATH '$.v')) j ON j.i = o.id SET o.n = j.v`, 2},
			{`UPDATE o, JSON_TABLE(o.doc, '$[0]' COLUMNS (v INT PATH '$.n')) j SET o.n = j.v WHERE o.id = 4`, 1},
			{`DELETE got FROM got JOIN JSON_TABLE('["q", "zz"]', '$[*]' COLUMNS (s VARCHAR(10) PATH '$')) j ON j.s = got.sku`, 2},
			{`DELETE FROM got WHERE sku IN (SELECT s FROM JSON_TABLE('["b"]', '$[*]' COLUMNS (s VARCHAR(10) PATH '$')) j)`, 1},
		} {
			mustAffect(t, db, w.affected, w.write)
		}
		do(t, db, `CREATE TABLE made AS SELECT j.* FROM JSON_TABLE('[{"a": 1, "b": "x"}]', '$[*]' COLUMNS (a SMALLINT PATH '$.a', b VARCHAR(3) PATH '$.b')) j`)
		want(t, db, "1|x", "SELECT a, b FROM made")
		want(t, db, "1|a|2 4|a|5 9|r|∅", "SELECT o, sku, n FROM got ORDER BY o, sku")
		want(t, db, "1|7 2|0 3|0 4|5 5|8", "SELECT id, n FROM o ORDER BY id")
		want(t, db, "a|smallint b|varchar(3)", "SELECT column_name, column_type FROM information_schema.columns WHERE table_name = 'made' ORDER BY 1")
	}
}

// JSON_TABLEs and other lateral tables in all places give on four shards what they give
// on one, and what the gate finds by itself.
func TestLateralSameAnswers(t *testing.T) {
	script := []string{
		"CREATE TABLE o (id BIGINT PRIMARY KEY, doc JSON)", "CREATE TABLE b (id BIGINT PRIMARY KEY, s VARCHAR(9))",
		"CREATE TABLE r (k VARCHAR(3) PRIMARY KEY, n INT) COMMENT 'reference'",
		"INSERT INTO r VALUES ('x', 1), ('y', 2), ('z', 3)",
		`INSERT INTO o WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
			 SELECT i, JSON_OBJECT('d', JSON_ARRAY(i % 4, i / 2, '12345678901234567.25'), 's', JSON_ARRAY(ELT(1 + i % 3, 'x', 'X', 'y')), 't', CONCAT('2024-01-', LPAD(i, 2, '0'), ' 10:00:00.25')) FROM n`,
		`INSERT INTO b WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i, ELT(1 + i % 3, 'x', 'X', 'B') FROM n`,
	}
	one, four := openDB(t, ":memory:?shards=1"), openDB(t, ":memory:?shards=4")
	for _, s := range script {
		do(t, one, s)
		do(t, four, s)
	}
	for _, q := range []string{
		"SELECT j.d FROM o, JSON_TABLE(o.doc, '$.d[*]' COLUMNS (d DECIMAL(20,2) PATH '$')) j ORDER BY j.d, o.id",
		"SELECT j.d, COUNT(*) FROM o, JSON_TABLE(o.doc, '$.d[*]' COLUMNS (d DECIMAL(20,2) PATH '$')) j GROUP BY j.d ORDER BY 1",
		"SELECT SUM(j.d), AVG(j.d), MIN(j.d), MAX(j.d), COUNT(DISTINCT j.d) FROM o, JSON_TABLE(o.doc, '$.d[*]' COLUMNS (d DECIMAL(20,2) PATH '$')) j",
		"SELECT SUM(j.d), MAX(j.d) FROM o, JSON_TABLE(o.doc, '$.d[*]' COLUMNS (d DECIMAL(8,2) PATH '$')) j",
		"SELECT UPPER(j.s), COUNT(*) FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) COLLATE utf8mb4_general_ci PATH '$')) j GROUP BY j.s ORDER BY UPPER(j.s)",
		"SELECT COUNT(DISTINCT j.s) FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) COLLATE utf8mb4_general_ci PATH '$')) j",
		"SELECT o.id FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) COLLATE utf8mb4_general_ci PATH '$')) j WHERE j.s = 'X' ORDER BY o.id",
		"SELECT DISTINCT UPPER(j.s) FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) PATH '$')) j ORDER BY 1 LIMIT 2",
		"SELECT j.t FROM o, JSON_TABLE(o.doc, '$.t' COLUMNS (t DATETIME(3) PATH '$')) j ORDER BY j.t DESC, o.id LIMIT 3",
		"SELECT j.t FROM o, JSON_TABLE(o.doc, '$.t' COLUMNS (t DATETIME PATH '$')) j WHERE j.t > '2024-01-05' ORDER BY j.t, o.id",
		"SELECT o.id, b.id FROM o JOIN JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) PATH '$')) j JOIN b ON b.s = j.s ORDER BY 1, 2",
		"SELECT o.id, b.id FROM o JOIN b ON b.id = o.id, JSON_TABLE(CONCAT('[', b.id, ']'), '$[*]' COLUMNS (s INT PATH '$')) j ORDER BY 1, 2",
		"SELECT o.id, j.s FROM o JOIN b ON b.id = o.id + 1, JSON_TABLE(CONCAT('[', b.id, ',', o.id, ']'), '$[*]' COLUMNS (s INT PATH '$')) j WHERE j.s > 2 ORDER BY 1, 2",
		"SELECT x.id, x.n FROM (SELECT o.id, COUNT(j.s) n FROM o LEFT JOIN JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) PATH '$')) j ON TRUE GROUP BY o.id) x ORDER BY n, id",
		"SELECT id FROM o WHERE (SELECT MAX(d) FROM JSON_TABLE(o.doc, '$.d[*]' COLUMNS (d DECIMAL(20,2) PATH '$')) j) > 5 ORDER BY id",
		"SELECT id FROM o WHERE 'X' IN (SELECT s FROM JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) PATH '$')) j) ORDER BY id",
		"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT r.n + j.k FROM r, JSON_TABLE('[1, 2]', '$[*]' COLUMNS (k INT PATH '$')) j WHERE r.n < 4) SELECT n, COUNT(*) FROM r GROUP BY n ORDER BY n",
		"SELECT j.s FROM JSON_TABLE('[\"a\", \"b\"]', '$[*]' COLUMNS (s VARCHAR(9) PATH '$')) j WHERE EXISTS (SELECT 1 FROM b WHERE b.s = UPPER(j.s)) ORDER BY 1",
		"SELECT j.s, (SELECT COUNT(*) FROM b WHERE b.s = j.s) FROM JSON_TABLE('[\"X\", \"b\"]', '$[*]' COLUMNS (s VARCHAR(9) PATH '$')) j ORDER BY 1",
		"SELECT o.id, x.m FROM o, LATERAL (SELECT MAX(s) m FROM JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) PATH '$')) j) x ORDER BY 1",
		"SELECT o.id, j.i, ROW_NUMBER() OVER (ORDER BY o.id, j.i) FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (i FOR ORDINALITY)) j ORDER BY 3",
		"SELECT j.s FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (s VARCHAR(9) PATH '$')) j UNION ALL SELECT k FROM JSON_TABLE('[1]', '$[*]' COLUMNS (k VARCHAR(3) PATH '$')) k ORDER BY 1",
		"SELECT * FROM o NATURAL JOIN JSON_TABLE('[1, 2]', '$[*]' COLUMNS (id BIGINT PATH '$')) j ORDER BY 1",
		"SELECT id FROM o JOIN JSON_TABLE('[1, 2]', '$[*]' COLUMNS (id BIGINT PATH '$')) j USING (id) ORDER BY 1",
		"SELECT j.* FROM JSON_TABLE('[1, 2]', '$[*]' COLUMNS (id BIGINT PATH '$')) j, o WHERE o.id = j.id ORDER BY 1",
		"SELECT o.id FROM o LEFT JOIN (b JOIN JSON_TABLE('[1, 2]', '$[*]' COLUMNS (k BIGINT PATH '$')) j ON j.k = b.id) ON b.id = o.id ORDER BY 1",
		"SELECT o.id, j.k FROM o STRAIGHT_JOIN JSON_TABLE(JSON_ARRAY(o.id, NULL, 'x'), '$[*]' COLUMNS (k JSON PATH '$')) j ORDER BY 1, 2",
		"SELECT o.id, j.k FROM o, JSON_TABLE(o.doc -> '$.s', '$[*]' COLUMNS (k VARCHAR(3) PATH '$')) j WHERE o.id IN (1, 2, 3) AND j.k LIKE 'x' ORDER BY 1, 2",
		"SELECT GROUP_CONCAT(j.k ORDER BY j.k, o.id) FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (k VARCHAR(3) PATH '$')) j",
		"SELECT o.id FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (k VARCHAR(3) PATH '$')) j WHERE o.id = 1 FOR UPDATE",
		"SELECT o.id, r.n FROM o, JSON_TABLE(o.doc, '$.s[*]' COLUMNS (k VARCHAR(3) PATH '$')) j LEFT JOIN r ON r.k = j.k ORDER BY 1, 2",
		"SELECT o.id, x.n FROM o, LATERAL (SELECT COUNT(*) n FROM r WHERE r.n > o.id) x ORDER BY 1",
		"SELECT o.id, x.n FROM r, LATERAL (SELECT r.n + 1 AS n) x LEFT JOIN o ON o.id = x.n ORDER BY 1, 2",
		"SELECT x.n, COUNT(o.id) FROM LATERAL (SELECT 1 AS q) q, LATERAL (SELECT q.q + 1 AS n) x LEFT JOIN o ON o.id > x.n GROUP BY x.n ORDER BY 1, 2",
	} {
		rows := strings.Join(mustRows(t, one, q), " ")
		if rows == "" {
			t.Errorf("%s: no rows", q)
		}
		want(t, four, rows, q)
		want(t, four, rows, "/*vt+ COMBINE=query */ "+q)
	}
}

// What a document lacks, or has of another type, is an error where the column says so.
func TestJSONTableErrors(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, doc JSON)", `INSERT INTO t VALUES (1, '{"a": [1]}'), (2, '{"a": 1}')`)
	for _, tc := range []struct {
		columns string
		number  uint16
	}{
		{"x INT PATH '$.b' ERROR ON EMPTY", 3665},
		{"x INT PATH '$.a' ERROR ON ERROR", 3666},
		{"x INT PATH '$.b' NULL ON EMPTY ERROR ON ERROR", 0},
		{"x INT PATH '$.a' ERROR ON EMPTY DEFAULT '5' ON ERROR", 0},
		{"x INT PATH '$.a' DEFAULT 'five' ON ERROR", 1064},
		{"x INT PATH '$.a' ON ERROR", 1064},
		{"x INT NOT NULL PATH '$.a'", 1064},
		{"x POINT PATH '$.a'", 1064},
		{"x INT PATH ?", 1064},
		{"x INT PATH '$.a', X INT PATH '$.b'", 1066},
		{"x INT", 1064},
	} {
		_, err := rowsOf(db, "SELECT j.x FROM t, JSON_TABLE(t.doc, '$' COLUMNS ("+tc.columns+")) j ORDER BY t.id")
		var e *Error
		switch {
		case tc.number == 0 && err != nil, tc.number != 0 && (!errors.As(err, &e) || e.Number != tc.number):
			t.Errorf("%s: %v, want error %d", tc.columns, err, tc.number)
		}
	}
}
