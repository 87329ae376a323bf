package vitessdo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMaintenance: the rows that MySQL's tools expect.
func TestMaintenance(t *testing.T) {
	db := memDBWith(t, looksOver, "", "CREATE TABLE a (id INT PRIMARY KEY, v INT, KEY (v))", "CREATE VIEW w AS SELECT id FROM a", "INSERT INTO a VALUES (1, 1), (2, 2), (3, 3)",
		"CREATE DATABASE other")
	for query, rows := range map[string]string{
		"ANALYZE TABLE a":          "main.a|analyze|status|OK",
		"ANALYZE LOCAL TABLE a, w": "main.a|analyze|status|OK main.w|analyze|Error|'main.w' is not BASE TABLE main.w|analyze|status|Operation failed",
		"OPTIMIZE TABLE main.a":    "main.a|optimize|note|Table does not support optimize, doing recreate + analyze instead main.a|optimize|status|OK",
		"CHECK TABLE a, w":         "main.a|check|status|OK main.w|check|status|OK",
		"CHECK TABLE nosuch":       "main.nosuch|check|Error|Table 'main.nosuch' doesn't exist main.nosuch|check|status|Operation failed",
		"REPAIR TABLE a":           "main.a|repair|note|The storage engine for the table doesn't support repair",
		"FLUSH TABLES":             "",
	} {
		want(t, db, rows, query)
	}
	mustFail(t, db, CodeUnknownDatabase, "CHECK TABLE nowhere.a")
	do(t, db, "ANALYZE TABLE a")
	do(t, db, "DROP TABLE a")
	if rows := mustRows(t, db, "CHECK TABLE w"); len(rows) != 2 || !strings.HasSuffix(rows[1], "|error|Corrupt") {
		t.Error(rows)
	}
}

// TestCheckTableFindsDamage: CHECK TABLE reads what the shards hold.
func TestCheckTableFindsDamage(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir, "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(200), KEY (v))")
	for i := range 200 {
		do(t, db, "INSERT INTO a VALUES (?, ?)", i, strings.Repeat("x", 150))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "main", "40-80*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) - 3000; i < len(data)-2000; i++ {
		data[i] ^= 0x5a
	}
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	rows := mustRows(t, dirDB(t, dir), "CHECK TABLE a")
	if len(rows) != 2 || !strings.HasPrefix(rows[0], "main.a|check|error|shard 40-80: ") || rows[1] != "main.a|check|error|Corrupt" {
		t.Error(rows)
	}
}
