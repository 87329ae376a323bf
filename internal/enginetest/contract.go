package enginetest

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/contract"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

// Database is what is tested.
type Database struct {
	// Open opens the database of a name, which is empty when it is asked for first.
	Open    func(t *testing.T, name string) *sql.DB
	Options sqldb.Options
	// Lacks says what a tablet on it can't do.
	Lacks contract.Options
}

// Run runs all tests of the contract.
func Run(t *testing.T, db Database) {
	db.Lacks.Buffered = true
	n := 0
	contract.Run(t, func(t *testing.T) tablet.Tablet {
		n++
		return open(t, db, fmt.Sprint("contract", n), shard, nil)
	}, db.Lacks)
	t.Run("values", func(t *testing.T) { values(t, db) })
	t.Run("statements", func(t *testing.T) { statements(t, db) })
	t.Run("transactions", func(t *testing.T) { transactions(t, db) })
	t.Run("owner", func(t *testing.T) { owner(t, db) })
	t.Run("prepared", func(t *testing.T) { prepared(t, db) })
	t.Run("unsure", func(t *testing.T) { unsure(t, db) })
}

func open(t *testing.T, db Database, name string, at tablet.Target, peer func(tablet.Target) (tablet.Resolver, error)) *tabletserver.Tablet {
	t.Helper()
	e, err := sqldb.New(t.Context(), db.Open(t, name), db.Options)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: at, Engine: e, LockWait: 100 * time.Millisecond, Peer: peer, AskAfter: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tab.Close() })
	return tab
}

func exec(t *testing.T, on tablet.Runner, text string, args ...tablet.Value) tablet.Result {
	t.Helper()
	res, err := on.Exec(t.Context(), &tablet.Query{SQL: text, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return res
}

func all(t *testing.T, on tablet.Runner, text string, args ...tablet.Value) string {
	t.Helper()
	rows, err := on.Query(t.Context(), &tablet.Query{SQL: text, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	out := ""
	for row := make([]tablet.Value, len(rows.Columns())); ; {
		if err := rows.Next(row); err != nil {
			return out
		}
		out += fmt.Sprint(row)
	}
}

var shard = tablet.Target{Keyspace: "ks", Shard: "-"}

// values: what is bound comes back as it was.
func values(t *testing.T, db Database) {
	tab := open(t, db, "values", shard, nil)
	for _, v := range []tablet.Value{nil, int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(1<<53 + 1), 0.0, 5.0, -5.5, 1e300,
		"", "ünï 𝄞 \u2028 '", []byte{}, []byte{0, 1, 255}} {
		rows, err := tab.Query(t.Context(), &tablet.Query{SQL: "SELECT ?1, typeof(?1), hex(?1)", Args: []tablet.Value{v}})
		if err != nil {
			t.Errorf("%#v: %v", v, err)
			continue
		}
		row := make([]tablet.Value, 3)
		if err := rows.Next(row); err != nil || !reflect.DeepEqual(row[0], v) {
			t.Errorf("%#v came back as %#v (%v, %v): %v", v, row[0], row[1], row[2], err)
		}
		_ = rows.Close()
	}
}

func statements(t *testing.T, db Database) {
	tab := open(t, db, "statements", shard, nil)
	exec(t, tab, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT UNIQUE, n INTEGER CHECK (n > 0))")
	for _, tc := range []struct {
		sql         string
		args        []tablet.Value
		changed, id int64
	}{
		{"INSERT INTO t VALUES(?1, ?3, ?5)", []tablet.Value{int64(7), nil, "a", nil, int64(1)}, 1, 7},
		{"INSERT INTO t VALUES(8, 'b', 2), (9, 'c', 3)", nil, 2, 9},
		{"INSERT INTO t VALUES(7, 'x', 1) ON CONFLICT DO NOTHING", nil, 0, tablet.NoRowID},
		{"INSERT INTO t VALUES(7, 'x', 1) ON CONFLICT DO UPDATE SET v = excluded.v", nil, 1, tablet.NoRowID},
		{"INSERT INTO t VALUES(10, 'y', 1) ON CONFLICT DO UPDATE SET v = excluded.v", nil, 1, 10},
		{"UPDATE t SET n = n + ?1", []tablet.Value{int64(1)}, 4, 0},
		{"DELETE FROM t WHERE id > ?1", []tablet.Value{int64(9)}, 1, 0},
	} {
		res := exec(t, tab, tc.sql, tc.args...)
		if res.RowsAffected != tc.changed || res.LastInsertID != tc.id {
			t.Errorf("%s: %+v, want %d rows and ID %d", tc.sql, res, tc.changed, tc.id)
		}
	}
	if got := all(t, tab, "WITH x AS (SELECT 1) SELECT id, v, n FROM t, x ORDER BY id"); got != "[7 x 2][8 b 3][9 c 4]" {
		t.Errorf("the table holds %s", got)
	}
	if got := all(t, tab, "DELETE FROM t WHERE id = 9 RETURNING v"); got != "[c]" {
		t.Errorf("RETURNING gives %s", got)
	}
	for _, tc := range []struct {
		sql  string
		code tablet.Code
	}{
		{"INSERT INTO t VALUES(7, 'q', 1)", tablet.CodeUnique},
		{"INSERT INTO t VALUES(70, 'q', 0)", tablet.CodeCheck},
		{"SELECT * FROM missing", tablet.CodeNoTable},
		{"SELECT missing FROM t", tablet.CodeNoColumn},
		{"SELECT FROM", tablet.CodeSyntax},
		{"BEGIN", tablet.CodeUnsupported},
	} {
		_, err := tab.Exec(t.Context(), &tablet.Query{SQL: tc.sql})
		if tablet.CodeOf(err) != tc.code {
			t.Errorf("%s: %v has code %s, want %s", tc.sql, err, tablet.CodeOf(err), tc.code)
		}
	}
	var e *tablet.Error
	if _, err := tab.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1, 'b', 1)"}); !errors.As(err, &e) || e.Table != "t" || len(e.Columns) != 1 || e.Columns[0] != "v" {
		t.Errorf("the duplicate is told as %+v", e)
	}
}

func transactions(t *testing.T, db Database) {
	tab := open(t, db, "transactions", shard, nil)
	exec(t, tab, "CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER)")
	exec(t, tab, "INSERT INTO t VALUES(1, 10)")
	begin := func() tablet.Tx {
		x, err := tab.Begin(t.Context(), tablet.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	reader, writer := begin(), begin()
	if got := all(t, reader, "SELECT v FROM t"); got != "[10]" {
		t.Fatalf("the reader sees %s", got)
	}
	exec(t, writer, "UPDATE t SET v = 11")
	if err := writer.Savepoint(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	exec(t, writer, "UPDATE t SET v = 12")
	if err := writer.RollbackTo(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := writer.SetSchema(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if err := writer.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := all(t, reader, "SELECT v FROM t"); got != "[10]" {
		t.Errorf("the reader sees %s after another's commit", got)
	}
	if _, err := reader.Exec(t.Context(), &tablet.Query{SQL: "UPDATE t SET v = 0"}); tablet.CodeOf(err) != tablet.CodeConflict {
		t.Errorf("a write on an old snapshot: %v", err)
	}
	_ = reader.Rollback()
	late := begin()
	if got := all(t, late, "SELECT v FROM t"); got != "[11]" {
		t.Errorf("the next one sees %s", got)
	}
	// What the engine keeps for itself is no other transaction.
	if _, err := db.Open(t, "transactions").ExecContext(t.Context(), "UPDATE _vt_meta SET expires = expires + 1"); err != nil {
		t.Fatal(err)
	}
	exec(t, late, "UPDATE t SET v = v + 1 - 1")
	if err := late.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	if got := all(t, tab, "SELECT v FROM t"); got != "[11]" {
		t.Errorf("the table holds %s", got)
	}
	if _, err := tab.Query(t.Context(), &tablet.Query{SQL: "SELECT 1", Schema: 4}); tablet.CodeOf(err) != tablet.CodeSchemaChanged {
		t.Errorf("a statement planned with an old schema: %v", err)
	}
	if _, err := tab.Exec(t.Context(), &tablet.Query{SQL: "UPDATE t SET v = 1", Schema: 4}); tablet.CodeOf(err) != tablet.CodeSchemaChanged {
		t.Errorf("a write planned with an old schema: %v", err)
	}
}

// owner: a database has one owner, which the next one may follow when it closes
// or isn't there any more; what the first one then still tries to write fails.
func owner(t *testing.T, db Database) {
	first := open(t, db, "owner", shard, nil)
	exec(t, first, "CREATE TABLE t(v INTEGER)")
	if _, err := sqldb.New(t.Context(), db.Open(t, "owner"), sqldb.Options{Name: "shard.db"}); tablet.CodeOf(err) != tablet.CodeLockTimeout {
		t.Errorf("a second owner: %v", err)
	}
	stolen, err := sqldb.New(t.Context(), db.Open(t, "owner"), sqldb.Options{Steal: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stolen.Close()
	if _, err := first.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"}); tablet.CodeOf(err) != tablet.CodeClosed {
		t.Errorf("a write of the old owner: %v", err)
	}
	if _, err := first.Query(t.Context(), &tablet.Query{SQL: "SELECT 1"}); tablet.CodeOf(err) != tablet.CodeClosed {
		t.Errorf("a read of the old owner: %v", err)
	}
	_ = first.Close()
	_ = stolen.Close()
	third := open(t, db, "owner", shard, nil)
	if got := all(t, third, "SELECT count(*) FROM t"); got != "[0]" {
		t.Errorf("the table holds %s rows", got)
	}
}

// prepared: what is prepared outlives the tablet, and is committed or rolled back
// as its holder says.
func prepared(t *testing.T, db Database) {
	for _, commit := range []bool{true, false} {
		a, b := tablet.Target{Keyspace: "ks", Shard: "a"}, tablet.Target{Keyspace: "ks", Shard: "b"}
		pathA, pathB := fmt.Sprint("a", commit), fmt.Sprint("b", commit)
		holder := open(t, db, pathB, b, nil)
		part := open(t, db, pathA, a, nil)
		exec(t, part, "CREATE TABLE t(v INTEGER)")
		exec(t, holder, "CREATE TABLE t(v INTEGER)")
		x, _ := part.Begin(t.Context(), tablet.TxOptions{})
		y, _ := holder.Begin(t.Context(), tablet.TxOptions{})
		exec(t, x, "INSERT INTO t VALUES(?1)", int64(1))
		exec(t, y, "INSERT INTO t VALUES(2)")
		if _, err := x.Prepare(t.Context(), "d1", b); err != nil {
			t.Fatal(err)
		}
		if got := all(t, part, "SELECT count(*) FROM t"); got != "[0]" {
			t.Errorf("what is prepared shows: %s", got)
		}
		if commit {
			if err := y.Decide(t.Context(), "d1", []tablet.Target{a}); err != nil {
				t.Fatal(err)
			}
		} else if err := y.Rollback(); err != nil {
			t.Fatal(err)
		}
		_ = part.Close() // as though it had died: its redo is in the database
		again := open(t, db, pathA, a, func(tablet.Target) (tablet.Resolver, error) { return holder, nil })
		want := map[bool]string{true: "[1]", false: "[0]"}[commit]
		await.True(t, "the prepared transaction is settled", func() bool {
			list, _ := again.Prepared(t.Context())
			return len(list) == 0
		})
		if got := all(t, again, "SELECT count(*) FROM t"); got != want {
			t.Errorf("commit %v: the table holds %s rows, want %s", commit, got, want)
		}
		if got := all(t, again, "SELECT count(*) FROM _vt_redo"); got != "[0]" {
			t.Errorf("commit %v: %s redos are left", commit, got)
		}
	}
}
