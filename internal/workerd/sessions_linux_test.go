//go:build !nonode

package workerd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

const series = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < ?1) SELECT i FROM s"

// one makes a shard with an empty table t(v), and gives it over each transport.
func one(t *testing.T, vars Vars) (w *Worker, at tablet.Target, ws, web *rpc.Tablet) {
	t.Helper()
	w = Start(t, vars)
	at = tablet.Target{Keyspace: "ks", Shard: "-"}
	create(t, w, at)
	ws, web = open(t, connect(t, w, "ws"), at), open(t, connect(t, w, "http"), at)
	write(t, ws, "CREATE TABLE t(v)")
	return w, at, ws, web
}

func write(t *testing.T, on tablet.Runner, sql string, args ...tablet.Value) {
	t.Helper()
	if _, err := on.Exec(t.Context(), &tablet.Query{SQL: sql, Args: args}); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func begin(t *testing.T, db *rpc.Tablet, opts tablet.TxOptions) tablet.Tx {
	t.Helper()
	x, err := db.Begin(t.Context(), opts)
	must(t, err)
	return x
}

func wantCode(t *testing.T, err error, code tablet.Code) {
	t.Helper()
	if tablet.CodeOf(err) != code {
		t.Errorf("got %v (%s), want %s", err, tablet.CodeOf(err), code)
	}
}

func wantRows(t *testing.T, db tablet.Runner, want int64) {
	t.Helper()
	if got, err := ints(t.Context(), db, "SELECT count(*) FROM t"); err != nil || got[0] != want {
		t.Errorf("%v rows are there, want %d; %v", got, want, err)
	}
}

// A session that ends takes its transactions along, but not what is prepared.
func TestLostClient(t *testing.T) {
	w, at, db, _ := one(t, nil)
	for _, prepared := range []bool{false, true} {
		c, err := rpc.NewClient(w.URL("ws"), &rpc.ClientOptions{Header: Header()})
		must(t, err)
		x := begin(t, open(t, c, at), tablet.TxOptions{})
		write(t, x, "INSERT INTO t VALUES(1)")
		if prepared {
			_, err = x.Prepare(t.Context(), "d", tablet.Target{Keyspace: "k", Shard: "elsewhere"})
			must(t, err)
		}
		must(t, c.Close())
		if !prepared {
			write(t, db, "DELETE FROM t") // waits for the lock, which comes free
		}
	}
	list, err := db.Prepared(t.Context())
	if err != nil || len(list) != 1 || list[0].DTID != "d" {
		t.Errorf("prepared: %v, %v", list, err)
	}
	must(t, db.CommitPrepared(t.Context(), "d"))
	wantRows(t, db, 1)
}

// A transaction that writes has its time; who waits for it goes on then.
func TestTransactionTime(t *testing.T) {
	_, _, db, _ := one(t, Vars{"TRANSACTION_TIME": "300"})
	x := begin(t, db, tablet.TxOptions{})
	write(t, x, "INSERT INTO t VALUES(1)")
	wantRows(t, db, 0)
	write(t, db, "INSERT INTO t VALUES(2)")
	_, err := x.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(3)"})
	wantCode(t, err, tablet.CodeTxExpired)
	must(t, x.Rollback())
	wantRows(t, db, 1)
}

// Where no session ends what was begun, patience does, when nobody says any more that
// it is wanted.
func TestIdle(t *testing.T) {
	w, _, db, web := one(t, Vars{"IDLE": "2000", "CHUNK_ROWS": "10"})
	x := begin(t, web, tablet.TxOptions{})
	write(t, x, "INSERT INTO t VALUES(1)")
	<-time.After(4500 * time.Millisecond) // its client says so
	write(t, x, "INSERT INTO t VALUES(2)")
	must(t, x.Commit(t.Context()))
	lost := func(message string) string {
		answer := ask(t, w, http.MethodPost, `["push",["pipeline",0,["call"],[{"keyspace":"ks","shard":"-",`+message+`}]]]`+"\n"+`["pull",1]`)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		return string(body)
	}
	if got := lost(`"txId":"lost","type":49,"id":"a","begin":{},"sql":"INSERT INTO t VALUES(3)"`); !strings.Contains(got, `"wrote":true`) {
		t.Error(got)
	}
	write(t, db, "INSERT INTO t VALUES(4)") // waits for the lock, which comes free
	for _, message := range []string{`"txId":"lost","type":33,"id":"b"`, `"txId":"lost","type":65,"id":"c"`} {
		if got := lost(message); !strings.Contains(got, "TRANSACTION_EXPIRED") {
			t.Error(got)
		}
	}
	wantRows(t, db, 3)
	got := lost(`"type":48,"id":"d","sql":"SELECT a.v FROM t a, t b, t c, t d"`)
	cursor := regexp.MustCompile(`"cursor":"([^"]+)"`).FindStringSubmatch(got)
	if cursor == nil {
		t.Fatal(got)
	}
	<-time.After(4500 * time.Millisecond)
	if got := lost(`"type":51,"id":"e","cursor":"` + cursor[1] + `"`); !strings.Contains(got, "CLOSED") {
		t.Error(got)
	}
}

// Results in chunks, by streams and by cursors.
func TestChunks(t *testing.T) {
	_, _, ws, web := one(t, Vars{"CHUNK_ROWS": "7"})
	for _, db := range []*rpc.Tablet{ws, web} {
		for _, n := range []int64{1, 6, 7, 8, 14, 500} {
			rows, err := db.Query(t.Context(), &tablet.Query{SQL: series, Args: []tablet.Value{n}})
			must(t, err)
			row, last := make([]tablet.Value, 1), int64(0)
			for err = rows.Next(row); err == nil; err = rows.Next(row) {
				if last++; row[0] != last {
					t.Fatalf("row %d of %d is %v", last, n, row)
				}
			}
			if err != io.EOF || last != n {
				t.Errorf("%d rows of %d came, then %v", last, n, err)
			}
			must(t, rows.Close())
		}
	}
}

// Shards are made and removed by requests, but not while the catalog lists them.
func TestShardsComeAndGo(t *testing.T) {
	w, at, db, _ := one(t, nil)
	write(t, db, "INSERT INTO t VALUES(1)")
	create(t, w, at)
	_, err := ints(t.Context(), db, "SELECT count(*) FROM t")
	wantCode(t, err, tablet.CodeNoTable)
	c := connect(t, w, "ws")
	catalog := open(t, c, tablet.Target{Keyspace: "_vt", Shard: "catalog"})
	write(t, catalog, "CREATE TABLE keyspaces(name TEXT COLLATE NOCASE UNIQUE)")
	write(t, catalog, "INSERT INTO keyspaces VALUES('KS')")
	wantCode(t, c.CreateShard(t.Context(), at), tablet.CodeMisuse)
	wantCode(t, c.DropShard(t.Context(), at), tablet.CodeMisuse)
	wantCode(t, c.DropShard(t.Context(), catalog.Target()), tablet.CodeMisuse)
	write(t, catalog, "DELETE FROM keyspaces")
	must(t, c.DropShard(t.Context(), at))
	must(t, c.DropShard(t.Context(), at))
	_, err = c.Tablet(t.Context(), at)
	wantCode(t, err, tablet.CodeWrongShard)
	w.Restart(t)
	_, err = connect(t, w, "ws").Tablet(t.Context(), at)
	wantCode(t, err, tablet.CodeWrongShard)
}

// Many sessions at once: nothing is lost, and none sees another's half.
func TestManyWriters(t *testing.T) {
	w, at, db, _ := one(t, nil)
	const sessions, each = 8, 25
	errs := make(chan error, sessions)
	for i := range sessions {
		mine := open(t, connect(t, w, []string{"ws", "http"}[i%2]), at)
		go func() {
			var err error
			for n := 0; n < each && err == nil; n++ {
				if n%5 == 0 {
					err = readAndWrite(t, mine)
				} else {
					_, err = mine.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
				}
			}
			errs <- err
		}()
	}
	for range sessions {
		must(t, <-errs)
	}
	wantRows(t, db, sessions*each)
}

// readAndWrite is a transaction that nobody else may disturb.
func readAndWrite(t *testing.T, db *rpc.Tablet) error {
	x, err := db.Begin(t.Context(), tablet.TxOptions{Write: true})
	if err != nil {
		return err
	}
	before, err := ints(t.Context(), x, "SELECT count(*) FROM t")
	if err == nil {
		_, err = x.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
	}
	if err != nil {
		return err
	}
	after, err := ints(t.Context(), x, "SELECT count(*) FROM t")
	if err == nil && after[0] != before[0]+1 {
		err = fmt.Errorf("%v rows, then %v", before, after)
	}
	if err != nil {
		return err
	}
	return x.Commit(t.Context())
}

// A transaction that has only read, and is idle for longer than the runtime keeps an
// object in memory that nobody asks, goes on with the state that it has seen.
func TestQuietTransaction(t *testing.T) {
	_, _, ws, web := one(t, nil)
	write(t, ws, "INSERT INTO t VALUES(1)")
	var open []tablet.Tx
	for _, db := range []*rpc.Tablet{ws, web} {
		open = append(open, begin(t, db, tablet.TxOptions{}))
		wantRows(t, open[len(open)-1], 1)
	}
	<-time.After(14 * time.Second)
	for _, x := range open {
		wantRows(t, x, 1)
		must(t, x.Commit(t.Context()))
	}
}

// A cursor lives as long as its session, if that reads it as a stream, and no longer.
func TestCursorOfSession(t *testing.T) {
	w, _, ws, _ := one(t, Vars{"CHUNK_ROWS": "10", "IDLE": "600000"})
	const sql = "SELECT v FROM t"
	write(t, ws, "INSERT INTO t "+series, int64(100_000))
	for _, stream := range []bool{false, true} {
		s, err := capnweb.Dial(t.Context(), w.URL("ws"), nil, Header(), nil, nil)
		must(t, err)
		v, err := s.Main().Do(t.Context(), "call", to(fields{"type": 0x30, "id": "q", "sql": sql, "stream": stream}))
		must(t, err)
		fetch := to(fields{"type": 0x33, "cursor": v.(fields)["cursor"]})
		other, err := capnweb.Dial(t.Context(), w.URL("ws"), nil, Header(), nil, nil)
		must(t, err)
		if _, err := other.Main().Do(t.Context(), "call", fetch); err != nil {
			t.Errorf("stream %v: %v", stream, err)
		}
		must(t, s.Close())
		<-s.Done()
		for n := 0; err == nil; n++ { // until the tablet has heard of it
			if _, err = other.Main().Do(t.Context(), "call", fetch); n > 9000 {
				t.Fatalf("stream %v: the cursor is there still", stream)
			}
		}
		var e *capnweb.Error
		if !errors.As(err, &e) || e.Props["code"] != string(tablet.CodeClosed) {
			t.Errorf("stream %v: %v", stream, err)
		}
		must(t, other.Close())
	}
}

// A stream waits for its reader, and a cursor for one who says that it is wanted.
func TestPatientRows(t *testing.T) {
	_, _, ws, web := one(t, Vars{"CHUNK_ROWS": "10", "IDLE": "3000"})
	var open []tablet.Rows
	for _, db := range []*rpc.Tablet{ws, web} {
		open = append(open, query(t, db, series, int64(100)))
	}
	<-time.After(7 * time.Second)
	for _, rows := range open {
		if got, err := rest(rows); err != nil || len(got) != 100 {
			t.Errorf("%d rows of 100, %v", len(got), err)
		}
	}
}
