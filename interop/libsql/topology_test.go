//go:build linux && amd64 && !nonode

package libsql_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

// TestTopology: a topology file places a shard at a libSQL server, beside one in a
// folder here.
func TestTopology(t *testing.T) {
	s, dir := serve(t), t.TempDir()
	file := filepath.Join(dir, "topology.json")
	if err := os.WriteFile(file, []byte(`{"shards": {"main/-80": "libsql+ws://`+s.addr+`"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		db, err := sql.Open("vitessdo", "file:"+filepath.Join(dir, "data")+"?shards=2&topology="+file)
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if _, err := db.Exec("CREATE TABLE t (id INT PRIMARY KEY, n DECIMAL(10,2))"); err != nil {
				t.Fatal(err)
			}
			for id := range 10 {
				if _, err := db.Exec("INSERT INTO t VALUES (?, 1.25)", id); err != nil {
					t.Fatal(err)
				}
			}
		}
		var sum string
		if err := db.QueryRow("SELECT SUM(n) FROM t").Scan(&sum); err != nil || sum != "12.50" {
			t.Errorf("the sum is %s: %v", sum, err)
		}
		_ = db.Close()
	}
}
