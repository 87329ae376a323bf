package tabletserver

import (
	"path/filepath"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// A checkpoint that cuts the log back gives its index a new header, which makes
// older snapshots unfit for writing although nothing was committed since. A
// reader that was busy meanwhile must not hand such a one on.
func TestSnapshotFromBeforeATruncation(t *testing.T) {
	db := open(t, Config{Path: filepath.Join(t.TempDir(), "s.db")}, accounts, "INSERT INTO t VALUES(1, 1), (2, 2)")
	checkpoint := func() {
		t.Helper()
		if err := db.Checkpoint(ctx); err != nil {
			t.Fatal(err)
		}
	}
	checkpoint()
	r, err := db.Query(ctx, q("SELECT id FROM t")) // reads the database file alone
	if err != nil {
		t.Fatal(err)
	}
	checkpoint()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	x := begin(t, db, tablet.TxOptions{})
	one(t, x, "SELECT 1")
	exec1(t, x, "INSERT INTO t VALUES(3, 3)")
	commit(t, x)
	want(t, "rows", ids(t, db), "[[1] [2] [3]]")
}
