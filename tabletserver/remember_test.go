package tabletserver

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// remembered runs a write that is remembered under a name.
func remembered(t *testing.T, db *Tablet, name, kept string) {
	t.Helper()
	x := writing(t, db)
	exec1(t, x, "INSERT INTO t(v) VALUES(1)")
	want(t, "remember", x.Remember(ctx, name, []byte(kept)), nil)
	want(t, "commit", x.Commit(ctx), nil)
}

func writing(t *testing.T, db *Tablet) *Tx {
	t.Helper()
	x, err := db.Begin(ctx, tablet.TxOptions{Write: true})
	want(t, "begin", err, nil)
	return x.(*Tx)
}

func recalls(t *testing.T, db *Tablet, name, kept string, found bool) {
	t.Helper()
	x := writing(t, db)
	defer x.Rollback()
	got, ok, err := x.Recall(ctx, name)
	if err != nil || ok != found || string(got) != kept {
		t.Errorf("a transaction recalls %s as %q, %v, %v; want %q, %v", name, got, ok, err, kept, found)
	}
	got, ok, err = db.Recall(ctx, name)
	if err != nil || ok != found || string(got) != kept {
		t.Errorf("the tablet recalls %s as %q, %v, %v; want %q, %v", name, got, ok, err, kept, found)
	}
}

// What is remembered is so by the commit of its work, and not without; it is there
// when the tablet is opened again.
func TestRemember(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.Remember, cfg.Guard = time.Hour, true
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
		recalls(t, db, "a", "", false)
		remembered(t, db, "a", "answer")
		recalls(t, db, "a", "answer", true)
		x := writing(t, db)
		exec1(t, x, "INSERT INTO t(v) VALUES(2)")
		want(t, "remember", x.Remember(ctx, "b", nil), nil)
		want(t, "roll back", x.Rollback(), nil)
		recalls(t, db, "b", "", false)
		x = writing(t, db)
		want(t, "remember nothing written", x.Remember(ctx, "b", nil), nil)
		want(t, "commit", x.Commit(ctx), nil)
		recalls(t, db, "b", "", false)
		// The same name twice can't be: who looks first has the lock.
		x = writing(t, db)
		exec1(t, x, "INSERT INTO t(v) VALUES(2)")
		wantCode(t, x.Remember(ctx, "a", nil), tablet.CodeUnique)
		_ = x.Rollback()
		_, err := queryRows(db, "SELECT * FROM _vt_requests0")
		wantCode(t, err, tablet.CodeDenied)
		if cfg.inMemory() {
			return
		}
		want(t, "close", db.Close(), nil)
		db = open(t, cfg)
		recalls(t, db, "a", "answer", true)
		remembered(t, db, "c", "")
		recalls(t, db, "c", "", true)
	})
}

// A name stays for a period at least, and two at most; also over openings, and when
// the clock goes back.
func TestRememberedForAWhile(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.Remember = time.Hour
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
		// later lets n periods pass, by making what is there older.
		later := func(n int) {
			exec1(t, db, "CREATE TABLE IF NOT EXISTS swap(name, period, kept)")
			for range n {
				exec1(t, db, "DELETE FROM swap")
				exec1(t, db, "INSERT INTO swap SELECT * FROM _vt_requests0")
				exec1(t, db, "DELETE FROM _vt_requests0")
				exec1(t, db, "INSERT INTO _vt_requests0 SELECT name, period - 1, kept FROM _vt_requests1")
				exec1(t, db, "DELETE FROM _vt_requests1")
				exec1(t, db, "INSERT INTO _vt_requests1 SELECT name, period - 1, kept FROM swap")
			}
			db.requests = requests{}
		}
		remembered(t, db, "a", "1")
		later(1)
		remembered(t, db, "b", "2")
		recalls(t, db, "a", "1", true)
		recalls(t, db, "b", "2", true)
		later(1)
		recalls(t, db, "a", "1", true) // nobody needed its place yet
		remembered(t, db, "c", "3")
		recalls(t, db, "a", "", false)
		recalls(t, db, "b", "2", true)
		later(5)
		remembered(t, db, "d", "4")
		recalls(t, db, "d", "4", true)
		exec1(t, db, "UPDATE _vt_requests0 SET period = period + 10")
		exec1(t, db, "UPDATE _vt_requests1 SET period = period + 10")
		db.requests = requests{} // the clock is ten periods behind now
		remembered(t, db, "e", "5")
		recalls(t, db, "d", "4", true)
		recalls(t, db, "e", "5", true)
	})
}

// A clock that jumps ahead takes no names away: the process counts by one that isn't set.
// After an even number of periods it would be the same table's turn again.
func TestClockJumpsAhead(t *testing.T) {
	for _, periods := range []int64{2, 10} {
		cfg := Config{Target: tablet.Target{Keyspace: "ks", Shard: "-"}, Remember: time.Hour}
		db := open(t, cfg, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
		remembered(t, db, "before", "1")
		// What was written is as if the clock had been so far behind.
		for _, table := range []string{"_vt_requests0", "_vt_requests1"} {
			exec1(t, db, "UPDATE "+table+" SET period = period - "+fmt.Sprint(periods))
		}
		db.requests.period -= periods
		remembered(t, db, "after", "2")
		recalls(t, db, "before", "1", true)
		recalls(t, db, "after", "2", true)
		db.requests.turned = db.requests.turned.Add(-time.Hour)
		remembered(t, db, "an hour later", "3") // the other table's turn, whatever the number
		recalls(t, db, "before", "1", true)
		recalls(t, db, "after", "2", true)
	}
}

// Who has lost the answer to DECIDE and asks late hears that it commits, though all
// participants have committed since and the decision is no more.
func TestOutcomeIsRemembered(t *testing.T) {
	places(t, func(t *testing.T, cfg Config) {
		cfg.Remember = time.Hour
		db := open(t, cfg, "CREATE TABLE t(v)")
		other := tablet.Target{Keyspace: "ks", Shard: "80-"}
		for i := range 3 {
			dtid := fmt.Sprint("d", i)
			x, err := db.Begin(ctx, tablet.TxOptions{})
			want(t, "begin", err, nil)
			exec1(t, x, "INSERT INTO t VALUES(1)")
			want(t, "decide", x.Decide(ctx, dtid, []tablet.Target{other}), nil)
			want(t, "confirm", db.Confirm(ctx, dtid, other), nil)
		}
		if list, err := db.Decisions(ctx); err != nil || len(list) > 0 {
			t.Fatalf("decisions are left: %v, %v", list, err)
		}
		for dtid, outcome := range map[string]tablet.Outcome{"d0": tablet.Commits, "d2": tablet.Commits, "d9": tablet.Aborts} {
			got, err := db.Outcome(ctx, dtid)
			if err != nil || got != outcome {
				t.Errorf("%s %s, %v; want %s", dtid, got, err, outcome)
			}
		}
	})
}
