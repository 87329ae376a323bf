package vitessdo

import "testing"

// TestCharAndBinary: CHAR has no blanks at its end, and BINARY is filled with zeros,
// whichever way a value comes.
func TestCharAndBinary(t *testing.T) {
	db := memDBWith(t, mysqlFunctions, "", "CREATE TABLE t (id INT PRIMARY KEY, c CHAR(4) DEFAULT 'd ', v VARCHAR(6), b BINARY(3) DEFAULT 'x', w VARBINARY(6), UNIQUE KEY (c), UNIQUE KEY (b))",
		"CREATE TABLE k (c CHAR(4), b BINARY(3), PRIMARY KEY (c, b))")
	bytes := func(rows string) {
		t.Helper()
		want(t, db, rows, "SELECT id, HEX(c), HEX(v), HEX(b), HEX(w) FROM t ORDER BY id")
	}
	do(t, db, "INSERT INTO t VALUES (1, 'ab  ', 'ab  ', 'ab', 'ab')")
	do(t, db, "INSERT INTO t VALUES (?, ?, ?, ?, ?)", 3, "cd   ", "cd ", "c", []byte("c"))
	do(t, db, "INSERT INTO t (id) VALUES (4)")
	bytes("1|6162|61622020|616200|6162 3|6364|636420|630000|63 4|64|∅|780000|∅")
	do(t, db, "INSERT INTO t (id, c, b) SELECT id + 10, CONCAT('f', v), CONCAT(w, 'y') FROM t WHERE id = 1 UNION ALL SELECT 12, 'e  ', x'65'")
	bytes("1|6162|61622020|616200|6162 3|6364|636420|630000|63 4|64|∅|780000|∅ 11|666162|∅|616279|∅ 12|65|∅|650000|∅")
	do(t, db, "UPDATE t SET c = CONCAT(v, ' '), b = w WHERE id = 3")
	do(t, db, "UPDATE t SET c = 'g ', b = 'g' WHERE id = 1")
	do(t, db, "INSERT INTO t (id, c, b) VALUES (12, 'e', 'e') ON DUPLICATE KEY UPDATE v = c, w = b, c = CONCAT(c, VALUES(c), ' ')")
	bytes("1|67|61622020|670000|6162 3|6364|636420|630000|63 4|64|∅|780000|∅ 11|666162|∅|616279|∅ 12|6565|65|650000|650000")
	mustFail(t, db, CodeUnique, "INSERT INTO t (id, c, b) VALUES (20, 'g   ', 'z')")
	mustFail(t, db, CodeUnique, "INSERT INTO t (id, c, b) VALUES (20, 'z', ?)", []byte("g\x00"))
	mustFail(t, db, CodeTooLong, "INSERT INTO t (id, c) VALUES (20, 'abcde')")
	mustFail(t, db, CodeTooLong, "UPDATE t SET b = 'abcd' WHERE id = 1")
	want(t, db, "1", "SELECT id FROM t WHERE c = 'g'")
	want(t, db, "", "SELECT id FROM t WHERE b = 'g'")
	want(t, db, "1", "SELECT id FROM t WHERE b = ?", []byte("g\x00\x00"))

	// Where they place rows, too.
	do(t, db, "INSERT INTO k VALUES ('a ', 'a'), (?, ?)", "b ", "b")
	want(t, db, "a b", "SELECT c FROM k WHERE c IN ('a', 'b') ORDER BY c")
	mustFail(t, db, CodeUnique, "INSERT INTO k SELECT CONCAT(c, '  '), x'61' FROM k WHERE c = 'a'")
	do(t, db, "ALTER TABLE t MODIFY v CHAR(6), MODIFY w BINARY(6)")
	want(t, db, "6162|616200000000", "SELECT HEX(v), HEX(w) FROM t WHERE id = 1")
	do(t, db, "ALTER TABLE t MODIFY b BINARY(5)")
	want(t, db, "6700000000", "SELECT HEX(b) FROM t WHERE id = 1")
}
