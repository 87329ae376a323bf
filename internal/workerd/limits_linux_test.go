//go:build !nonode

package workerd

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

func list(n int, sep string, f func(int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = f(i + 1)
	}
	return strings.Join(parts, sep)
}

// What is within the limits works, what is beyond is refused with a code, in
// autocommit and in a transaction, which stays usable.
func TestLimits(t *testing.T) {
	w := Start(t, nil)
	at := tablet.Target{Keyspace: "ks", Shard: "-"}
	create(t, w, at)
	db := open(t, connect(t, w, "ws"), at)
	if got, want := db.Capabilities().MaxParameters, 100; got != want {
		t.Errorf("it takes %d parameters, want %d", got, want)
	}
	exec := func(on tablet.Runner, q tablet.Query) error {
		_, err := on.Exec(t.Context(), &q)
		return err
	}
	must(t, exec(db, tablet.Query{SQL: "CREATE TABLE t(id INTEGER PRIMARY KEY, v)"}))
	must(t, exec(db, tablet.Query{SQL: "CREATE TABLE wide(" + list(99, ",", func(i int) string { return fmt.Sprint("c", i) }) + ")"}))
	params := func(n int) tablet.Query {
		q := tablet.Query{SQL: "SELECT 1 WHERE 1 IN (" + list(n, ",", func(i int) string { return fmt.Sprint("?", i) }) + ")"}
		for i := range n {
			q.Args = append(q.Args, int64(i))
		}
		return q
	}
	columns := func(n int) tablet.Query {
		return tablet.Query{SQL: "SELECT " + list(n, ",", func(i int) string { return fmt.Sprint(i) })}
	}
	for _, c := range []struct {
		name string
		q    tablet.Query
		code tablet.Code // "" is that it works
	}{
		{"100 parameters", params(100), ""},
		{"101 parameters", params(101), tablet.CodeTooBig},
		{"99 columns", columns(99), ""},
		{"100 columns", columns(100), tablet.CodeTooBig},
		{"101 columns", columns(101), tablet.CodeTooBig},
		{"99 columns of a table", tablet.Query{SQL: "SELECT * FROM wide"}, ""},
		{"99 columns returned", tablet.Query{SQL: "DELETE FROM wide RETURNING *"}, ""},
		{"100 columns returned", tablet.Query{SQL: "DELETE FROM wide RETURNING *, c1"}, tablet.CodeTooBig},
		{"a table of 101 columns", tablet.Query{SQL: "CREATE TABLE wider(" + list(101, ",", func(i int) string { return fmt.Sprint("c", i) }) + ")"}, tablet.CodeTooBig},
		{"5 terms", tablet.Query{SQL: list(5, " UNION ALL ", func(int) string { return "SELECT 1" })}, ""},
		{"6 terms", tablet.Query{SQL: list(6, " UNION ALL ", func(int) string { return "SELECT 1" })}, tablet.CodeTooBig},
		{"a list of 1000 rows", tablet.Query{SQL: "VALUES " + list(1000, ",", func(i int) string { return fmt.Sprintf("(%d)", i) })}, ""},
		{"85 levels", tablet.Query{SQL: "SELECT " + list(84, "+", func(int) string { return "1" })}, ""},
		{"200 levels", tablet.Query{SQL: "SELECT " + list(200, "+", func(int) string { return "1" })}, tablet.CodeTooBig},
		{"a text of 75,000 bytes", tablet.Query{SQL: "SELECT '" + strings.Repeat("x", 75000-9) + "'"}, ""},
		{"a longer one", tablet.Query{SQL: "SELECT '" + strings.Repeat("x", 75000-8) + "'"}, tablet.CodeTooBig},
		{"a value of 2 MB", tablet.Query{SQL: "SELECT length(?1)", Args: []tablet.Value{strings.Repeat("x", 2_000_000)}}, ""},
		{"a larger one", tablet.Query{SQL: "SELECT length(?1)", Args: []tablet.Value{make([]byte, 2_000_001)}}, tablet.CodeTooBig},
		{"several statements", tablet.Query{SQL: "SELECT 1; DELETE FROM t"}, tablet.CodeMisuse},
		{"a parameter without a value", tablet.Query{SQL: "SELECT ?2", Args: []tablet.Value{int64(1)}}, tablet.CodeMisuse},
		{"user_version", tablet.Query{SQL: "PRAGMA user_version"}, tablet.CodeUnsupported},
		{"a temporary table", tablet.Query{SQL: "CREATE TEMP TABLE x(a)"}, tablet.CodeUnsupported},
		{"another file", tablet.Query{SQL: "ATTACH 'x.db' AS x"}, tablet.CodeUnsupported},
		{"the object's own names", tablet.Query{SQL: "CREATE TABLE _cf_x(a)"}, tablet.CodeUnsupported},
		{"a transaction's end", tablet.Query{SQL: "COMMIT"}, tablet.CodeUnsupported},
		{"what is prepared", tablet.Query{SQL: "SELECT * FROM _vt_redo"}, "ACCESS_DENIED"},
		{"what is decided", tablet.Query{SQL: "DELETE FROM main.'_vt_decided' RETURNING *"}, "ACCESS_DENIED"},
		{"the schema's version", tablet.Query{SQL: "WITH x AS (SELECT 1) UPDATE \"_VT_META\" SET value = 9"}, "ACCESS_DENIED"},
	} {
		run := func(on tablet.Runner) error {
			rows, err := on.Query(t.Context(), &c.q)
			if err == nil {
				err = rows.Close()
			}
			return err
		}
		x, err := db.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		must(t, exec(x, tablet.Query{SQL: "INSERT INTO t(v) VALUES(1)"}))
		if err := run(x); tablet.CodeOf(err) != c.code {
			t.Errorf("%s in a transaction: got %v (%s), want %q", c.name, err, tablet.CodeOf(err), c.code)
		}
		must(t, exec(x, tablet.Query{SQL: "INSERT INTO t(v) VALUES(2)"}))
		must(t, x.Rollback())
		if err := run(db); tablet.CodeOf(err) != c.code {
			t.Errorf("%s: got %v (%s), want %q", c.name, err, tablet.CodeOf(err), c.code)
		}
	}
	if got, err := ints(t.Context(), db, "SELECT count(*) FROM t"); err != nil || got[0] != 0 {
		t.Errorf("%v rows are left, %v", got, err)
	}
}

// A foreign key that is put off and violated at commit would reset the object; it
// is refused before.
func TestDeferredForeignKeys(t *testing.T) {
	w := Start(t, nil)
	at := tablet.Target{Keyspace: "ks", Shard: "-"}
	create(t, w, at)
	db := open(t, connect(t, w, "ws"), at)
	exec := func(on tablet.Runner, sql string) error {
		_, err := on.Exec(t.Context(), &tablet.Query{SQL: sql})
		return err
	}
	must(t, exec(db, "CREATE TABLE p(id INTEGER PRIMARY KEY)"))
	must(t, exec(db, "CREATE TABLE c(p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)"))
	if err := exec(db, "INSERT INTO c VALUES(1)"); tablet.CodeOf(err) != tablet.CodeForeignKey {
		t.Errorf("got %v", err)
	}
	for _, mended := range []bool{false, true} {
		x, err := db.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		must(t, exec(x, "INSERT INTO c VALUES(1)"))
		if mended {
			must(t, exec(x, "INSERT INTO p VALUES(1)"))
			must(t, x.Commit(t.Context()))
		} else if err := x.Commit(t.Context()); tablet.CodeOf(err) != tablet.CodeForeignKey {
			t.Errorf("got %v", err)
		}
	}
	x, err := db.Begin(t.Context(), tablet.TxOptions{})
	must(t, err)
	must(t, exec(x, "INSERT INTO c VALUES(2)"))
	if _, err := x.Prepare(t.Context(), "d", tablet.Target{Keyspace: "k", Shard: "s"}); tablet.CodeOf(err) != tablet.CodeForeignKey {
		t.Errorf("got %v", err)
	}
	must(t, x.Rollback())
	if got, err := ints(t.Context(), db, "SELECT count(*) FROM c"); err != nil || got[0] != 1 {
		t.Errorf("%v rows are left, %v", got, err)
	}
	_, err = db.Begin(t.Context(), tablet.TxOptions{Write: true, NoForeignKeys: true})
	if err == nil {
		t.Error("foreign keys are left unchecked")
	}
}

// Tokens decide who may do what; names that are none reach nothing.
func TestTokens(t *testing.T) {
	w := Start(t, Vars{"TOKENS": Token + "\nreader read-only\nother another\n"})
	at := tablet.Target{Keyspace: "ks", Shard: "-"}
	create(t, w, at)
	for _, scheme := range []string{"ws", "http"} {
		as := func(token string) (*rpc.Tablet, error) {
			c, err := rpc.NewClient(w.URL(scheme), &rpc.ClientOptions{Header: http.Header{"Authorization": {"Bearer " + token}}})
			must(t, err)
			t.Cleanup(func() { _ = c.Close() })
			return c.Tablet(t.Context(), at)
		}
		for _, bad := range []string{"", "wrong", Token + "x", "reader read-only", "read-only"} {
			_, err := as(bad)
			var status *capnweb.StatusError
			if !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
				t.Errorf("%s: with token %q: %v", scheme, bad, err)
			}
		}
		if _, err := as("other"); tablet.CodeOf(err) != "ACCESS_DENIED" {
			t.Errorf("%s: another keyspace's token: %v", scheme, err)
		}
		reader, err := as("reader")
		must(t, err)
		if _, err := ints(t.Context(), reader, "SELECT 1"); err != nil {
			t.Error(err)
		}
		_, err = reader.Exec(t.Context(), &tablet.Query{SQL: "CREATE TABLE t(v)"})
		_, sly := reader.Query(t.Context(), &tablet.Query{SQL: "WITH x AS (SELECT 1) DELETE FROM t RETURNING *"})
		writer, err2 := as(Token)
		must(t, err2)
		// What is prepared isn't a reader's to end; the lock it has for a short while.
		write(t, writer, "CREATE TABLE IF NOT EXISTS t(v)")
		locking := begin(t, reader, tablet.TxOptions{Write: true})
		_, inLock := locking.Exec(t.Context(), &tablet.Query{SQL: "DELETE FROM t"})
		_, slyInLock := locking.Query(t.Context(), &tablet.Query{SQL: "DELETE FROM t RETURNING *"})
		if _, err := ints(t.Context(), locking, "SELECT count(*) FROM t"); err != nil {
			t.Error(err)
		}
		write(t, writer, "DELETE FROM t") // waits for it
		if _, err := ints(t.Context(), locking, "SELECT count(*) FROM t"); tablet.CodeOf(err) != tablet.CodeTxExpired {
			t.Errorf("%s: the lock is a reader's still: %v", scheme, err)
		}
		must(t, locking.Rollback())
		x := begin(t, writer, tablet.TxOptions{})
		write(t, x, "INSERT INTO t VALUES(1)")
		_, prepared := x.Prepare(t.Context(), "d", tablet.Target{Keyspace: "k", Shard: "elsewhere"})
		must(t, prepared)
		s, dialed := capnweb.Dial(t.Context(), w.URL("ws"), nil, http.Header{"Authorization": {"Bearer reader"}}, nil, nil)
		must(t, dialed)
		_, ended := s.Main().Do(t.Context(), "call", to(fields{"type": 0x42, "txId": "none", "dtid": "d"}))
		if ended == nil || !strings.Contains(ended.Error(), "for reading only") {
			t.Errorf("a reader ends what is prepared: %v", ended)
		}
		_ = s.Close()
		must(t, writer.CommitPrepared(t.Context(), "d"))
		for _, err := range []error{err, sly, inLock, slyInLock, reader.RollbackPrepared(t.Context(), "d")} {
			if tablet.CodeOf(err) != tablet.CodeTxReadOnly {
				t.Errorf("%s: a reader's write: %v", scheme, err)
			}
		}
		for _, name := range []tablet.Target{{}, {Keyspace: "ks"}, {Keyspace: "ks", Shard: "absent"}, {Keyspace: "../ks", Shard: "-"}, {Keyspace: "ks", Shard: "a/b/c"}, {Keyspace: "_vt", Shard: "x"}} {
			c, err := rpc.NewClient(w.URL(scheme), &rpc.ClientOptions{Header: Header()})
			must(t, err)
			if _, err := c.Tablet(t.Context(), name); tablet.CodeOf(err) != tablet.CodeWrongShard {
				t.Errorf("%s: %v is reached: %v", scheme, name, err)
			}
			must(t, c.Close())
		}
		must(t, writer.Ping(t.Context()))
	}
}

// A row has as many bytes as an object takes that is deployed, or is refused with its
// table's name and leaves nothing, however it is made. workerd takes four times as many.
func TestRowSize(t *testing.T) {
	_, _, db, _ := one(t, nil)
	write(t, db, "CREATE TABLE wide(id INTEGER PRIMARY KEY, a, b TEXT, c, d, e, n INTEGER)")
	write(t, db, "CREATE TABLE stored(id INTEGER PRIMARY KEY, a, twice GENERATED ALWAYS AS (a || a) STORED)")
	text := func(n int) tablet.Value { return strings.Repeat("é", n/2) }
	const insert = "INSERT INTO wide(id, a, b) VALUES(?1, ?2, ?3)"
	x := begin(t, db, tablet.TxOptions{})
	for i, on := range []tablet.Runner{db, x} {
		write(t, on, insert, int64(10*i), text(1_000_000), text(999_900))
		write(t, on, insert, int64(10*i+1), text(1_000_000), "b")
		write(t, on, "UPDATE wide SET n = id + 1, e = ?1", "short")
		for name, q := range map[string]tablet.Query{
			"a row":                {SQL: insert, Args: []tablet.Value{int64(9), text(1_000_000), text(1_000_000)}},
			"the last row":         {SQL: insert, Args: []tablet.Value{int64(7), "x", "y", int64(8), text(1_500_000), make([]byte, 600_000)}, Batch: 2},
			"the last of VALUES":   {SQL: "INSERT INTO wide(a, b) VALUES(1, 2), (?1, ?1)", Args: []tablet.Value{text(1_100_000)}},
			"a value":              {SQL: "UPDATE wide SET a = ?1", Args: []tablet.Value{text(2_000_002)}},
			"parameters":           {SQL: "UPDATE wide SET n = 1, c = ?1, d = ?1 WHERE b = 'b'", Args: []tablet.Value{text(600_000)}},
			"a column":             {SQL: "UPDATE wide SET c = a"},
			"an expression":        {SQL: "UPDATE wide SET b = b || ?1", Args: []tablet.Value{text(2_000)}},
			"a function":           {SQL: "INSERT INTO wide(a) VALUES(zeroblob(2000001))"},
			"a query":              {SQL: "INSERT INTO wide(a, b, c) SELECT 1, 2, 3 UNION ALL SELECT a, b, b FROM wide WHERE length(b) > 1"},
			"an upsert":            {SQL: "INSERT INTO wide(id, c) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET c = a", Args: []tablet.Value{int64(10 * i), "x"}},
			"a column of its own":  {SQL: "INSERT INTO stored(a) VALUES(?1)", Args: []tablet.Value{text(700_000)}},
			"one that is returned": {SQL: "UPDATE wide SET c = a RETURNING id"},
			"a larger row":         {SQL: "UPDATE wide SET a = ?1, b = ?1, c = ?1, d = ?1, e = ?1", Args: []tablet.Value{text(1_900_000)}},
		} {
			_, err := on.Exec(t.Context(), &q)
			var e *tablet.Error
			if !errors.As(err, &e) || e.Code != tablet.CodeTooBig || e.Table != "wide" && e.Table != "stored" || !strings.Contains(e.Message, "2000000 bytes") {
				t.Errorf("%s is refused with %v", name, err)
			}
		}
	}
	_, err := x.Prepare(t.Context(), "d", tablet.Target{Keyspace: "k", Shard: "elsewhere"})
	must(t, err)
	must(t, db.CommitPrepared(t.Context(), "d"))
	got, err := ints(t.Context(), db, "SELECT count(*), sum(octet_length(a)), max(id), sum(n), count(c), (SELECT count(*) FROM stored) FROM wide")
	if err != nil || !slices.Equal(got, []int64{4, 4_000_000, 11, 26, 0, 0}) {
		t.Errorf("%v is there, %v", got, err)
	}
	_, err = ints(t.Context(), db, "SELECT length(group_concat(a)) FROM wide")
	must(t, err)
	rows, err := db.Query(t.Context(), &tablet.Query{SQL: "SELECT group_concat(a) FROM wide"})
	if err == nil {
		_, err = rest(rows)
	}
	wantCode(t, err, tablet.CodeTooBig)
}
