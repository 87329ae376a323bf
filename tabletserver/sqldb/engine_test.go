package sqldb_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/vitessdo/vitessdo/internal/enginetest"
)

// TestContract runs the contract over files that a driver of SQLite opens.
func TestContract(t *testing.T) {
	dir := t.TempDir()
	enginetest.Run(t, enginetest.Database{Open: func(t *testing.T, name string) *sql.DB {
		t.Helper()
		db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, name)+"?_pragma=busy_timeout(2000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}})
}
