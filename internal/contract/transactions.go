package contract

import (
	"context"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

func testTransactions(t *testing.T, db tablet.Tablet, _ Options) {
	ctx := t.Context()
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)")
	a := Begin(t, db, tablet.TxOptions{})
	if a.Target() != db.Target() || a.Wrote() {
		t.Errorf("a new transaction: %v, %v", a.Target(), a.Wrote())
	}
	Query(t, a, "SELECT * FROM t")
	Exec(t, a, "UPDATE t SET v = 'x'")
	if a.Wrote() {
		t.Error("what changes nothing has written")
	}
	Exec(t, a, "INSERT INTO t VALUES(1, 'a')")
	if !a.Wrote() {
		t.Error("a write hasn't written")
	}
	_, err := a.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(1, 'b')"})
	WantCode(t, err, tablet.CodeUnique)
	if got := Count(t, a, "SELECT count(*) FROM t"); got != 1 {
		t.Errorf("after a statement that has failed the transaction sees %v rows", got)
	}
	// A batch that fails leaves nothing behind, and the transaction open.
	_, err = a.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t(id) VALUES(?1)", Args: []tablet.Value{int64(8), int64(1)}, Batch: 2})
	WantCode(t, err, tablet.CodeUnique)
	Must(t, a.Commit(ctx))
	Must(t, a.Rollback())
	if err := a.Commit(ctx); err == nil {
		t.Error("a second commit succeeds")
	}
	if got := Query(t, db, "SELECT * FROM t"); !reflect.DeepEqual(got, [][]tablet.Value{{int64(1), "a"}}) {
		t.Errorf("committed: %v", got)
	}
	// Schema changes are part of it.
	b := Begin(t, db, tablet.TxOptions{})
	Exec(t, b, "CREATE TABLE u(v)")
	Exec(t, b, "INSERT INTO u SELECT id FROM t")
	Must(t, b.Rollback())
	_, err = db.Exec(ctx, &tablet.Query{SQL: "INSERT INTO u VALUES(1)"})
	WantCode(t, err, tablet.CodeNoTable)
	c := Begin(t, db, tablet.TxOptions{ReadOnly: true})
	_, err = c.Exec(ctx, &tablet.Query{SQL: "DELETE FROM t"})
	WantCode(t, err, tablet.CodeTxReadOnly)
	Must(t, c.Rollback())
	// Nothing at all.
	d := Begin(t, db, tablet.TxOptions{})
	Must(t, d.Commit(ctx))
	Must(t, d.Rollback())
}

func testIsolation(t *testing.T, db tablet.Tablet, _ Options) {
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)")
	a := Begin(t, db, tablet.TxOptions{})
	Exec(t, a, "INSERT INTO t VALUES(1, 'a')")
	// Others see the state before, or nothing at all as long as it is open.
	if db.Capabilities().ConcurrentReads {
		if got := Count(t, db, "SELECT count(*) FROM t"); got != 0 {
			t.Errorf("others see %v rows", got)
		}
	} else {
		_, err := db.Query(t.Context(), &tablet.Query{SQL: "SELECT count(*) FROM t"})
		WantCode(t, err, tablet.CodeLockTimeout)
	}
	_, err := db.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(3, 'c')"})
	if e := WantCode(t, err, tablet.CodeLockTimeout); !e.Retryable() {
		t.Error("a lock's timeout can't be retried")
	}
	Must(t, a.Rollback())
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 0 {
		t.Errorf("rolled back, it leaves %v rows", got)
	}
	// Who has only taken the lock keeps nobody from reading.
	b := Begin(t, db, tablet.TxOptions{Write: true})
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 0 {
		t.Errorf("others see %v rows", got)
	}
	Must(t, b.Commit(t.Context()))
}

func testConflict(t *testing.T, db tablet.Tablet, _ Options) {
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)")
	for name, write := range map[string]func(tablet.Tx) error{
		"write": func(x tablet.Tx) error {
			_, err := x.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t(v) VALUES('e')"})
			return err
		},
		"lock": func(x tablet.Tx) error { return x.Lock(t.Context()) },
	} {
		// The snapshot is older than another's commit.
		x := Begin(t, db, tablet.TxOptions{})
		Query(t, x, "SELECT * FROM t")
		Exec(t, db, "INSERT INTO t(v) VALUES('d')")
		if e := WantCode(t, write(x), tablet.CodeConflict); !e.Retryable() {
			t.Errorf("%s: a conflict can't be retried", name)
		}
		Must(t, x.Rollback())
	}
}

func testSavepoints(t *testing.T, db tablet.Tablet, _ Options) {
	ctx := t.Context()
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
	ids := func(on tablet.Runner) (out []int64) {
		for _, r := range Query(t, on, "SELECT id FROM t ORDER BY id") {
			out = append(out, r[0].(int64))
		}
		return out
	}
	// Set before anything was done, and between writes.
	x := Begin(t, db, tablet.TxOptions{})
	Must(t, x.Savepoint(ctx, "a"))
	Must(t, x.Savepoint(ctx, "b"))
	Exec(t, x, "INSERT INTO t VALUES(1)")
	Must(t, x.Savepoint(ctx, "C"))
	Exec(t, x, "INSERT INTO t VALUES(2)")
	Must(t, x.RollbackTo(ctx, "c"))
	Exec(t, x, "INSERT INTO t VALUES(3)")
	Must(t, x.RollbackTo(ctx, "C"))
	Exec(t, x, "INSERT INTO t VALUES(4)")
	Must(t, x.Release(ctx, "b"))
	WantCode(t, x.RollbackTo(ctx, "c"), tablet.CodeMisuse)
	if got := ids(x); !reflect.DeepEqual(got, []int64{1, 4}) {
		t.Errorf("got %v", got)
	}
	Must(t, x.RollbackTo(ctx, "a"))
	if got := ids(x); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	Exec(t, x, "INSERT INTO t VALUES(5)")
	Must(t, x.Savepoint(ctx, "a")) // shadows the older one
	Exec(t, x, "INSERT INTO t VALUES(6)")
	Must(t, x.RollbackTo(ctx, "a"))
	Must(t, x.Release(ctx, "a"))
	Exec(t, x, "INSERT INTO t VALUES(7)")
	Must(t, x.Savepoint(ctx, "open"))
	Exec(t, x, "INSERT INTO t VALUES(8)")
	Must(t, x.Commit(ctx))
	if got := ids(db); !reflect.DeepEqual(got, []int64{5, 7, 8}) {
		t.Errorf("committed: %v", got)
	}
	y := Begin(t, db, tablet.TxOptions{})
	Exec(t, y, "INSERT INTO t VALUES(9)")
	Must(t, y.Savepoint(ctx, "a"))
	Exec(t, y, "INSERT INTO t VALUES(10)")
	Must(t, y.Rollback())
	if got := ids(db); !reflect.DeepEqual(got, []int64{5, 7, 8}) {
		t.Errorf("rolled back: %v", got)
	}
}

func testLocks(t *testing.T, db tablet.Tablet, _ Options) {
	ctx := t.Context()
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
	// Of two that would wait for each other the younger gives up.
	d := Begin(t, db, tablet.TxOptions{Write: true, Age: 1})
	e := Begin(t, db, tablet.TxOptions{Age: math.MaxUint64, Holds: func() bool { return true }})
	WantCode(t, e.Lock(ctx), tablet.CodeDeadlock)
	Must(t, e.Rollback())
	Must(t, d.Lock(ctx))
	// An older one waits, and gets the lock when it is free.
	g := Begin(t, db, tablet.TxOptions{Age: 0, LockWait: time.Minute, Holds: func() bool { return true }})
	got := make(chan error, 1)
	go func() { got <- g.Lock(ctx) }()
	select {
	case err := <-got:
		t.Errorf("the lock was had twice: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	Must(t, d.Commit(ctx))
	Must(t, <-got)
	Must(t, g.Rollback())
	Exec(t, db, "INSERT INTO t VALUES(1)")
}

func testStreamInTransaction(t *testing.T, db tablet.Tablet, _ Options) {
	ctx := t.Context()
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	f := Begin(t, db, tablet.TxOptions{})
	rows, err := f.Query(ctx, &tablet.Query{SQL: series + "SELECT i FROM s", Args: []tablet.Value{int64(5000)}})
	Must(t, err)
	row, n := make([]tablet.Value, 1), 0
	for {
		err := rows.Next(row)
		if err == io.EOF {
			break
		}
		Must(t, err)
		if n++; n%1000 == 0 {
			Exec(t, f, "INSERT INTO t(v) VALUES(?1)", row[0])
		}
	}
	if n != 5000 {
		t.Errorf("%d rows came", n)
	}
	Must(t, f.Commit(ctx))
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 5 {
		t.Errorf("committed: %v", got)
	}
}

func testInterruption(t *testing.T, db tablet.Tablet, o Options) {
	Exec(t, db, "CREATE TABLE t(i INTEGER)")
	// A wait for the lock.
	holder := Begin(t, db, tablet.TxOptions{Write: true})
	ctx, cancel := context.WithTimeout(tablet.WithLockWait(t.Context(), time.Minute), 50*time.Millisecond)
	defer cancel()
	_, err := db.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
	WantCode(t, err, tablet.CodeCanceled)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v doesn't wrap the context's error", err)
	}
	// One that nobody has told the tablet the end of.
	ctx, cancel = context.WithCancel(tablet.WithLockWait(t.Context(), time.Minute))
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = db.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
	WantCode(t, err, tablet.CodeCanceled)
	Must(t, holder.Commit(t.Context()))
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 0 {
		t.Errorf("%v rows are there", got)
	}
	if o.Buffered || o.Uninterrupted {
		return
	}
	endless := &tablet.Query{SQL: series + "SELECT count(*) FROM s", Args: []tablet.Value{int64(1) << 40}}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = db.Query(ctx, endless)
	WantCode(t, err, tablet.CodeCanceled)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v doesn't wrap the context's error", err)
	}
	// A write that was interrupted hasn't been done, and the answer is sure.
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = db.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t " + series + "SELECT i FROM s", Args: endless.Args})
	WantCode(t, err, tablet.CodeCanceled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v doesn't wrap the context's error", err)
	}
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 0 {
		t.Errorf("%v rows are there", got)
	}
	// In the middle of a stream.
	ctx, cancel = context.WithCancel(t.Context())
	rows, err := db.Query(ctx, &tablet.Query{SQL: series + "SELECT i FROM s", Args: endless.Args})
	Must(t, err)
	row := make([]tablet.Value, 1)
	Must(t, rows.Next(row))
	cancel()
	for err == nil {
		err = rows.Next(row)
	}
	WantCode(t, err, tablet.CodeCanceled)
	Must(t, rows.Close())
	// The transaction lives on after an interrupted statement, and one that comes too late.
	tx := Begin(t, db, tablet.TxOptions{})
	ended, end := context.WithCancel(t.Context())
	end()
	for range 2 {
		_, err := tx.Exec(ended, &tablet.Query{SQL: "INSERT INTO t VALUES(2)"})
		WantCode(t, err, tablet.CodeCanceled)
		Exec(t, tx, "INSERT INTO t VALUES(1)")
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = tx.Query(ctx, endless)
	WantCode(t, err, tablet.CodeCanceled)
	Must(t, tx.Commit(t.Context()))
	if got := Count(t, db, "SELECT sum(i) FROM t"); got != 2 {
		t.Errorf("%v rows are there", got)
	}
}

func testSchemaVersion(t *testing.T, db tablet.Tablet, _ Options) {
	// One that is rolled back leaves the version alone.
	for _, commit := range []bool{false, true} {
		a := Begin(t, db, tablet.TxOptions{Write: true})
		Exec(t, a, "CREATE TABLE t(v)")
		Must(t, a.SetSchema(t.Context(), 7))
		if commit {
			Must(t, a.Commit(t.Context()))
		} else {
			Must(t, a.Rollback())
			rows, err := db.Query(t.Context(), &tablet.Query{SQL: "SELECT 1", Schema: 1})
			Must(t, err)
			Must(t, rows.Close())
		}
	}
	x := Begin(t, db, tablet.TxOptions{})
	defer func() { Must(t, x.Rollback()) }()
	for _, run := range []func(*tablet.Query) error{
		func(q *tablet.Query) error { _, err := db.Exec(t.Context(), q); return err },
		func(q *tablet.Query) error {
			rows, err := db.Query(t.Context(), q)
			if err == nil {
				err = rows.Close()
			}
			return err
		},
		func(q *tablet.Query) error { _, err := x.Exec(t.Context(), q); return err },
	} {
		Must(t, run(&tablet.Query{SQL: "DELETE FROM t RETURNING v", Schema: 7}))
		e := WantCode(t, run(&tablet.Query{SQL: "DELETE FROM t RETURNING v", Schema: 6}), tablet.CodeSchemaChanged)
		if e.Schema != 7 || !e.Retryable() {
			t.Errorf("got %+v", e)
		}
	}
}

func testPrepared(t *testing.T, db tablet.Tablet, o Options) {
	text := "\xff"
	if !o.travels(text) {
		text = "é"
	}
	values := []tablet.Value{int64(math.MaxInt64), 2.0, text, []byte{0}}
	if o.Spell != nil { // a column has one type
		values = []tablet.Value{int64(math.MaxInt64), int64(math.MinInt64), int64(0), int64(1)}
	}
	ctx := t.Context()
	holder := tablet.Target{Keyspace: "elsewhere", Shard: "80-"}
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
	prepare := func(dtid string) tablet.Tx {
		x := Begin(t, db, tablet.TxOptions{})
		Exec(t, x, "INSERT INTO t(v) VALUES(?1), (?2), (?3), (?4)", values...)
		Must(t, x.Savepoint(ctx, "s"))
		Exec(t, x, "DELETE FROM t")
		Must(t, x.RollbackTo(ctx, "s"))
		_, err := x.Prepare(ctx, dtid, holder)
		Must(t, err)
		_, err = x.Exec(ctx, &tablet.Query{SQL: "DELETE FROM t"})
		WantCode(t, err, tablet.CodeMisuse)
		return x
	}
	x := prepare("d1")
	list, err := db.Prepared(ctx)
	if err != nil || len(list) != 1 || list[0].DTID != "d1" || list[0].Holder != holder || list[0].Since.IsZero() || list[0].Decided {
		t.Fatalf("got %+v, %v", list, err)
	}
	_, err = db.Exec(ctx, &tablet.Query{SQL: "DELETE FROM t"})
	WantCode(t, err, tablet.CodeLockTimeout)
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 0 {
		t.Errorf("others see %v rows of what is prepared", got)
	}
	Must(t, x.CommitPrepared(ctx))
	prepare("d2")
	Must(t, db.CommitPrepared(ctx, "d2"))
	Must(t, db.CommitPrepared(ctx, "d2"))
	Must(t, db.RollbackPrepared(ctx, "d2"))
	prepare("d3")
	Must(t, db.RollbackPrepared(ctx, "d3"))
	Must(t, db.CommitPrepared(ctx, "d3"))
	Must(t, prepare("d4").Rollback())
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 8 {
		t.Errorf("%v rows are there", got)
	}
	for i, want := range values {
		if got := Query(t, db, "SELECT v FROM t WHERE id = ?1", int64(i+1))[0][0]; !same(got, want) {
			t.Errorf("%#v was committed as %#v", want, got)
		}
	}
	// As the holder.
	if out, err := db.Outcome(ctx, "unheard of"); err != nil || out != tablet.Aborts {
		t.Errorf("got %v, %v", out, err)
	}
	others := []tablet.Target{{Keyspace: "elsewhere", Shard: "1"}, {Keyspace: "elsewhere", Shard: "2"}}
	y := Begin(t, db, tablet.TxOptions{})
	Exec(t, y, "DELETE FROM t")
	Must(t, y.Decide(ctx, "d5", others))
	Must(t, y.Decide(ctx, "d5", others))
	if out, err := db.Outcome(ctx, "d5"); err != nil || out != tablet.Commits {
		t.Errorf("got %v, %v", out, err)
	}
	decisions, err := db.Decisions(ctx)
	if err != nil || len(decisions) != 1 || decisions[0].DTID != "d5" || !reflect.DeepEqual(decisions[0].Participants, others) {
		t.Errorf("got %+v, %v", decisions, err)
	}
	for _, p := range others {
		Must(t, db.Confirm(ctx, "d5", p))
	}
	if decisions, err = db.Decisions(ctx); err != nil || len(decisions) != 0 {
		t.Errorf("got %+v, %v", decisions, err)
	}
	// Asked for while its transaction is open, it can't be decided any more.
	z := Begin(t, db, tablet.TxOptions{})
	Exec(t, z, "INSERT INTO t(v) VALUES(1)")
	if out, err := db.Outcome(ctx, "d6"); err != nil || out != tablet.Aborts {
		t.Errorf("got %v, %v", out, err)
	}
	WantCode(t, z.Decide(ctx, "d6", others), tablet.CodeTxExpired)
	Must(t, z.Rollback())
	w := Begin(t, db, tablet.TxOptions{})
	Exec(t, w, "INSERT INTO t(v) VALUES(1)")
	Must(t, w.Decide(ctx, "d7", others))
	Must(t, w.Conclude(ctx, "d7"))
	if got := Count(t, db, "SELECT count(*) FROM t"); got != 1 {
		t.Errorf("%v rows are there", got)
	}
}

// A snapshot is the newest until something is committed, and not while something is
// prepared, whatever has become of the context that it was taken with. What it shows is
// what there was, or nothing any more.
func testMoments(t *testing.T, db tablet.Tablet, _ Options) {
	ctx := t.Context()
	s, ok := db.(tablet.Snapshotter)
	if !ok || !db.Capabilities().Snapshots {
		t.Fatal("it can't be part of a look at several shards")
	}
	Exec(t, db, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
	read := &tablet.Query{SQL: "SELECT count(*) FROM t"}
	for _, writer := range []struct {
		name  string
		write func() error
		moves bool // what is read, at once
		old   bool // the snapshot is no longer the newest
	}{
		{"nothing", func() error { return nil }, false, false},
		{"a read", func() error { Count(t, db, read.SQL); return nil }, false, false},
		{"a write", func() error { Exec(t, db, "INSERT INTO t DEFAULT VALUES"); return nil }, true, true},
		{"a commit", func() error {
			x := Begin(t, db, tablet.TxOptions{})
			Exec(t, x, "INSERT INTO t DEFAULT VALUES")
			return x.Commit(ctx)
		}, true, true},
		{"what is prepared", func() error {
			x := Begin(t, db, tablet.TxOptions{})
			Exec(t, x, "INSERT INTO t DEFAULT VALUES")
			_, err := x.Prepare(ctx, "d", tablet.Target{Keyspace: "elsewhere", Shard: "-"})
			return err
		}, false, true},
		{"its commit", func() error { return db.CommitPrepared(ctx, "d") }, true, true},
	} {
		taking, end := context.WithCancel(ctx)
		snap, err := s.Snapshot(taking)
		Must(t, err)
		x := Begin(t, db, tablet.TxOptions{ReadOnly: true})
		Must(t, x.(tablet.SnapshotTx).TakeSnapshot(taking))
		end()
		before := Count(t, db, read.SQL)
		Must(t, writer.write())
		for what, newest := range map[string]bool{"the snapshot": snap.Newest(ctx), "the transaction": x.(tablet.SnapshotTx).Newest(ctx)} {
			if newest == writer.old {
				t.Errorf("behind %s, %s is the newest: %v", writer.name, what, newest)
			}
		}
		for what, query := range map[string]func(context.Context, *tablet.Query) (tablet.Rows, error){"the snapshot": snap.Query, "the transaction": x.Query} {
			rows, err := query(ctx, read)
			if writer.moves && db.Capabilities().LosesSnapshots {
				WantCode(t, err, tablet.CodeConflict)
				continue
			}
			Must(t, err)
			row := make([]tablet.Value, 1)
			Must(t, rows.Next(row))
			Must(t, rows.Close())
			if row[0] != before {
				t.Errorf("behind %s, %s shows %v, and it was taken at %v", writer.name, what, row[0], before)
			}
		}
		Must(t, snap.Close())
		Must(t, x.Rollback())
	}
}
