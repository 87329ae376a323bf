package sqldb_test

import (
	"database/sql/driver"
	"regexp"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

// script is what a database is expected to be asked, in its order.
type script struct{ sqlmock.Sqlmock }

// owner stands for the name that an engine gives itself.
const owner = "OWNER"

var anyOwner = regexp.MustCompile(owner)

func (s script) exec(text string, args ...driver.Value) {
	s.ExpectExec(pattern(text)).WithArgs(args...).WillReturnResult(sqlmock.NewResult(1, 1))
}

// query is answered by one row of one value, or with nil by none.
func (s script) query(text string, answer driver.Value, args ...driver.Value) {
	rows := sqlmock.NewRows([]string{"v"})
	if answer != nil {
		rows.AddRow(answer)
	}
	s.ExpectQuery(pattern(text)).WithArgs(args...).WillReturnRows(rows)
}

func pattern(text string) string {
	return "^" + anyOwner.ReplaceAllString(regexp.QuoteMeta(text), "[0-9a-f]{24}") + "$"
}

// write is what surrounds a write: the lock, and the look whether the database is ours.
func (s script) write(turn int64, inside func()) {
	s.exec("BEGIN IMMEDIATE")
	s.query("UPDATE _vt_meta SET turn = turn + 1 WHERE owner = 'OWNER' RETURNING turn", turn)
	inside()
	s.exec("COMMIT")
}

// TestStatements plays a shard's life on a mock: these are the statements that a database
// behind an engine gets, and no others.
func TestStatements(t *testing.T) {
	db, mock, err := sqlmock.New()
	must(t, err)
	s := script{mock}
	open, err := db.Conn(t.Context()) // a mock is gone with its last connection
	must(t, err)

	s.exec("BEGIN IMMEDIATE")
	s.exec("CREATE TABLE IF NOT EXISTS _vt_meta(id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL, turn INTEGER NOT NULL, owner TEXT, expires INTEGER)")
	s.exec("INSERT INTO _vt_meta(id, schema, turn) VALUES(1, 0, 0) ON CONFLICT DO NOTHING")
	s.exec("CREATE TABLE IF NOT EXISTS _vt_mark(id INTEGER PRIMARY KEY)")
	s.query("SELECT coalesce(expires - unixepoch(), 0) FROM _vt_meta WHERE owner IS NOT NULL", nil)
	s.exec("UPDATE _vt_meta SET owner = 'OWNER', expires = unixepoch() + 3602")
	s.exec("COMMIT")
	e, err := sqldb.New(t.Context(), db, sqldb.Options{Name: "the mock", Lease: time.Hour})
	must(t, err)

	// What an earlier process has left to be settled.
	s.query("SELECT dtid, participants FROM _vt_decided ORDER BY dtid", nil)
	s.query("SELECT dtid, redo FROM _vt_redo ORDER BY id", nil)
	shard, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: tablet.Target{Keyspace: "ks", Shard: "-"}, Engine: e})
	must(t, err)

	s.write(1, func() { s.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)") })
	exec(t, shard, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)")

	s.write(2, func() { s.exec("UPDATE t SET v = ?1 WHERE id = ?2", "x", int64(1)) })
	exec(t, shard, "UPDATE t SET v = ?1 WHERE id = ?2", "x", int64(1))

	// Parameters without gaps, as not every driver takes others.
	s.query("SELECT v FROM t WHERE id = ?1", "x", int64(1))
	rows, err := shard.Query(t.Context(), &tablet.Query{SQL: "SELECT v FROM t WHERE id = ?2", Args: []tablet.Value{"unused", int64(1)}})
	must(t, err)
	row := make([]tablet.Value, 1)
	must(t, rows.Next(row))
	if row[0] != "x" {
		t.Errorf("the row is %v", row)
	}
	must(t, rows.Close())

	// A transaction that is prepared is rolled back, and kept as what replays it.
	s.query("SELECT schema FROM _vt_meta", int64(0))
	s.exec("BEGIN IMMEDIATE")
	s.query("UPDATE _vt_meta SET turn = turn + 1 WHERE owner = 'OWNER' RETURNING turn", int64(3))
	s.exec("UPDATE t SET v = ?1 WHERE id = ?2", "y", int64(1))
	x, err := shard.Begin(t.Context(), tablet.TxOptions{})
	must(t, err)
	exec(t, x, "UPDATE t SET v = ?1 WHERE id = ?2", "y", int64(1))

	const markers = "CREATE TABLE IF NOT EXISTS _vt_applied(dtid TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID"
	s.exec("SAVEPOINT _vt_seal") // would it commit?
	s.exec(markers)
	s.exec("INSERT INTO _vt_applied(dtid) VALUES(?1)", "d1")
	s.exec("RELEASE _vt_seal")
	s.exec("ROLLBACK")
	s.write(4, func() {
		s.exec("CREATE TABLE IF NOT EXISTS _vt_redo(id INTEGER PRIMARY KEY AUTOINCREMENT, dtid TEXT NOT NULL, redo BLOB NOT NULL)")
		s.exec("INSERT INTO _vt_redo(dtid, redo) VALUES(?1, ?2)", "d1", sqlmock.AnyArg())
	})
	_, err = x.Prepare(t.Context(), "d1", tablet.Target{Keyspace: "ks", Shard: "elsewhere"})
	must(t, err)

	s.write(5, func() {
		s.exec(markers)
		s.query("SELECT 1 FROM _vt_applied WHERE dtid = ?1", nil, "d1")
		s.exec("UPDATE t SET v = ?1 WHERE id = ?2", "y", int64(1))
		s.exec(markers)
		s.exec("INSERT INTO _vt_applied(dtid) VALUES(?1)", "d1")
		s.exec("DELETE FROM _vt_redo WHERE dtid = ?1", "d1")
	})
	must(t, x.CommitPrepared(t.Context()))

	s.exec("UPDATE _vt_meta SET owner = NULL WHERE owner = 'OWNER'")
	s.ExpectClose()
	must(t, shard.Close())
	must(t, open.Close())
	must(t, s.ExpectationsWereMet())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, on tablet.Runner, text string, args ...tablet.Value) {
	t.Helper()
	_, err := on.Exec(t.Context(), &tablet.Query{SQL: text, Args: args})
	must(t, err)
}
