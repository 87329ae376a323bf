package tabletserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// A tablet with a guard refuses what reaches beyond its tables, however it comes:
// as a read, a write, in a transaction, by a trigger, or by a text that the tablet
// itself has prepared before. It does its own work all the same.
func TestGuard(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Config{Path: filepath.Join(dir, "s.db"), Synchronous: Off, Guard: true, Target: tablet.Target{Keyspace: "ks", Shard: "-"}},
		"CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	holder := tablet.Target{Keyspace: "ks", Shard: "other"}
	x, err := db.Begin(ctx, tablet.TxOptions{})
	want(t, "begin", err, nil)
	exec1(t, x, "INSERT INTO t VALUES(1, 'x')")
	want(t, "set the schema's version", x.SetSchema(ctx, 7), nil)
	_, err = x.Prepare(ctx, "d1", holder)
	want(t, "prepare", err, nil)
	want(t, "commit", x.CommitPrepared(ctx), nil)
	if there, err := db.Applied(ctx, "d1"); err != nil || !there {
		t.Fatalf("the marker: %v, %v", there, err)
	}
	x, err = db.Begin(ctx, tablet.TxOptions{})
	want(t, "begin", err, nil)
	exec1(t, x, "INSERT INTO t VALUES(2, 'y')")
	want(t, "decide", x.Decide(ctx, "d2", []tablet.Target{holder}), nil)

	file := filepath.Join(dir, "out.db")
	exec1(t, db, "CREATE TABLE u(dtid TEXT NOT NULL PRIMARY KEY, participants TEXT NOT NULL) WITHOUT ROWID")
	for _, sql := range []string{
		"ATTACH '" + file + "' AS o", "/* */ attach '" + file + "' as o", "DETACH main", "VACUUM INTO '" + file + "'",
		"PRAGMA journal_mode=DELETE", "PRAGMA writable_schema=ON", "PRAGMA foreign_keys=OFF", "EXPLAIN PRAGMA foreign_keys=OFF", "PRAGMA user_version=3",
		"PRAGMA synchronous=OFF", "PRAGMA temp_store_directory='/'", "PRAGMA query_only=1", "PRAGMA mmap_size=1", "PRAGMA key='x'",
		"SELECT * FROM pragma_journal_mode", "SELECT load_extension('x')", "CREATE VIRTUAL TABLE f USING csv(filename='x')",
		"CREATE TEMP TABLE x(v)", "CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END", "SELECT * FROM sqlite_dbpage", "SELECT * FROM dbstat",
		findMarker, insertMarker, deleteMarker, createMarkers, listDecisions, deleteDecision, "SELECT * FROM main._VT_decided", "DROP TABLE _vt_applied",
		"ALTER TABLE _vt_applied RENAME TO a", "CREATE INDEX i ON _vt_decided(participants)", "UPDATE _vt_decided SET participants = ''",
		"CREATE TRIGGER r AFTER INSERT ON _vt_applied BEGIN SELECT 1; END", "WITH d AS (SELECT * FROM _vt_decided) SELECT * FROM d",
		"INSERT INTO t(v) SELECT dtid FROM _vt_decided", "BEGIN", "COMMIT",
		// Nor has anything the name of a table that the tablet is still to make.
		"CREATE TABLE _vt_requests0(v)", "CREATE VIEW _VT_requests0 AS SELECT 1", "CREATE INDEX _vt_requests0 ON t(v)", "CREATE VIRTUAL TABLE _vt_requests0 USING rtree(a, b, c)",
		"ALTER TABLE u RENAME TO _vt_requests0", "ALTER TABLE u RENAME TO\n[_Vt_Requests0]",
	} {
		for _, in := range []bool{false, true} {
			var on tablet.Runner = db
			if in {
				x, err := db.Begin(ctx, tablet.TxOptions{})
				want(t, "begin", err, nil)
				defer x.Rollback()
				on = x
			}
			_, err := queryRows(on, sql, "d9")
			_, err2 := on.Exec(ctx, q(sql, "d9"))
			for _, err := range []error{err, err2} {
				switch tablet.CodeOf(err) {
				case tablet.CodeDenied, tablet.CodeUnsupported:
				case tablet.CodeNoTable, tablet.CodeInternal:
					if strings.Contains(err.Error(), "no such module") || strings.Contains(err.Error(), "no such table: sqlite_dbpage") || strings.Contains(err.Error(), "no such table: dbstat") ||
						strings.Contains(err.Error(), "no such function") || strings.Contains(err.Error(), "no such table: pragma_") || strings.Contains(err.Error(), "cannot VACUUM") {
						continue // the engine hasn't got it at all
					}
					t.Errorf("%s: %v", sql, err)
				case tablet.CodeSyntax:
					if !strings.Contains(err.Error(), "no such") {
						t.Errorf("%s: %v", sql, err)
					}
				default:
					t.Errorf("%s: got %v (%s)", sql, err, tablet.CodeOf(err))
				}
			}
			if in {
				_ = on.(tablet.Tx).Rollback()
			}
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written")
	}
	// A view that changes under a prepared statement doesn't let it through.
	exec1(t, db, "CREATE VIEW w AS SELECT v FROM t")
	query(t, db, "SELECT * FROM w")
	exec1(t, db, "DROP VIEW w")
	exec1(t, db, "CREATE VIEW w AS SELECT dtid FROM _vt_decided")
	_, err = queryRows(db, "SELECT * FROM w")
	wantCode(t, err, tablet.CodeDenied)
	exec1(t, db, "DROP VIEW w")
	exec1(t, db, "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM _vt_decided; END")
	_, err = db.Exec(ctx, q("INSERT INTO t(v) VALUES(1)"))
	wantCode(t, err, tablet.CodeDenied)
	exec1(t, db, "DROP TRIGGER r")
	// An error that has nothing to do with the guard keeps its code.
	_, err = queryRows(db, "SELECT 1; ATTACH 'x' AS y")
	wantCode(t, err, tablet.CodeSyntax)
	_, err = queryRows(db, "SELECT 1 FROM nowhere")
	wantCode(t, err, tablet.CodeNoTable)

	// What clients need passes.
	for _, sql := range []string{"PRAGMA table_info(t)", "PRAGMA foreign_key_check", "PRAGMA optimize", "PRAGMA user_version", "SELECT name FROM pragma_table_xinfo('t')",
		"SELECT * FROM sqlite_schema", "EXPLAIN QUERY PLAN SELECT * FROM t", "ANALYZE"} {
		query(t, db, sql)
	}
	exec1(t, db, "CREATE TABLE `_vt_unique.t.v`(v PRIMARY KEY)")
	exec1(t, db, "ALTER TABLE t ADD COLUMN w")
	if v := one(t, db, "PRAGMA user_version"); v != int64(7) {
		t.Errorf("the schema's version is %v", v)
	}
}
