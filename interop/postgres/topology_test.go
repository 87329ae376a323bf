//go:build linux && !nopostgres

package postgres_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/vitessdo/vitessdo"
)

// topology opens a directory with the shards that a topology file places.
func topology(t *testing.T, dir, shards string) *sql.DB {
	t.Helper()
	file := filepath.Join(dir, "topology.json")
	if err := os.WriteFile(file, []byte(`{"shards": {`+shards+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("vitessdo", "file:"+filepath.Join(dir, "data")+"?shards=2&topology="+file)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestTopology: a topology file places both shards in PostgreSQL, where they are found
// again.
func TestTopology(t *testing.T) {
	at, dir := database(t), t.TempDir()
	shards := fmt.Sprintf("%q: %q, %q: %q", "main/-80", at("a"), "main/80-", at("b"))
	for round := range 2 {
		db := topology(t, dir, shards)
		if round == 0 {
			if _, err := db.Exec("CREATE TABLE t (id INT PRIMARY KEY, n DECIMAL(10,2), long_one DECIMAL(40,10))"); err != nil {
				t.Fatal(err)
			}
			for id := range 10 {
				if _, err := db.Exec("INSERT INTO t VALUES (?, 1.25, '123456789012345678901234.5')", id); err != nil {
					t.Fatal(err)
				}
			}
		}
		var sum, long string
		if err := db.QueryRow("SELECT SUM(n), MAX(long_one) FROM t").Scan(&sum, &long); err != nil || sum != "12.50" || long != "123456789012345678901234.5000000000" {
			t.Errorf("the sum is %s, the longest %s: %v", sum, long, err)
		}
		_ = db.Close()
	}
}
