package vitessdo

import "testing"

// With sql_mode NO_AUTO_VALUE_ON_ZERO, which dumps set, 0 is a value for an
// AUTO_INCREMENT column as any other; NULL and DEFAULT ask for one as ever.
func TestNoAutoValueOnZero(t *testing.T) {
	for _, shards := range []string{"1", "4"} {
		t.Run(shards, func(t *testing.T) {
			db := withScript(t, openDB(t, ":memory:?shards="+shards), []string{"CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a INT)",
				"CREATE TABLE u (id BIGINT AUTO_INCREMENT PRIMARY KEY, a INT) COMMENT 'vindex=hash(a)'"})
			conn, err := db.Conn(bg)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			do(t, conn, "INSERT INTO t VALUES (0, 1)")
			want(t, conn, "1|1", "SELECT * FROM t ORDER BY id")
			do(t, conn, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
			do(t, conn, "INSERT INTO t VALUES (0, 2), (NULL, 3), (DEFAULT, 4)")
			do(t, conn, "INSERT INTO t (a) VALUES (5)")
			want(t, conn, "0|2 1|1 2|3 3|4 4|5", "SELECT * FROM t ORDER BY id")
			do(t, conn, "INSERT INTO t VALUES (?, 6) ON DUPLICATE KEY UPDATE a = 60", 0)
			do(t, conn, "INSERT INTO u SELECT * FROM t")
			want(t, conn, "0|60 1|1 2|3 3|4 4|5", "SELECT * FROM u ORDER BY id")
			do(t, conn, "SET sql_mode = DEFAULT")
			do(t, conn, "INSERT INTO t VALUES (0, 7)")
			want(t, conn, "5|7", "SELECT * FROM t WHERE a = 7")
		})
	}
}
