package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/faultfs"
	"github.com/vitessdo/vitessdo/internal/remotetest"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
)

// TestOutcomeUnknown: the disk fails while a commit is decided. The error says
// which transaction it is about, SHOW tells of it, its shards keep their locks,
// and the next opening finds it on all of them or on none.
func TestOutcomeUnknown(t *testing.T) {
	fs, dir := newFaultFS(t)
	db := openOn(t, fs, dir, "full")
	accounts(t, db, 20)
	want(t, db, "", "SHOW UNRESOLVED TRANSACTIONS")
	fs.SetRule(func(o faultfs.Op) faultfs.Fault {
		if o.Kind == faultfs.Sync && strings.HasSuffix(o.Path, "redo.log") {
			return faultfs.Fault{Err: faultfs.EIO}
		}
		return faultfs.Fault{}
	})
	_, err := db.Exec("UPDATE acc SET bal = bal + 1")
	fs.SetRule(nil)
	var e *Error
	if !errors.As(err, &e) || !e.OutcomeUnknown() || !errors.Is(err, ErrOutcomeUnknown) || e.Retryable() || errors.Is(err, driver.ErrBadConn) {
		t.Fatal(err)
	}
	if e.DTID == "" || !strings.Contains(err.Error(), e.DTID) {
		t.Errorf("the transaction's ID %q is not in the error's text: %v", e.DTID, err)
	}
	for _, q := range []string{"SHOW UNRESOLVED TRANSACTIONS", "SHOW UNRESOLVED TRANSACTIONS FOR main",
		"SHOW TRANSACTION STATUS FOR '" + e.DTID + "'", "SHOW UNRESOLVED TRANSACTIONS WHERE state = 'prepare'"} {
		got, err := rowsOf(db, q)
		if err != nil || len(got) != 1 || !strings.HasPrefix(got[0], e.DTID+"|PREPARE|") || !strings.HasSuffix(got[0], "|main:-80,main:80-") {
			t.Errorf("%s: %q, %v", q, got, err)
		}
	}
	want(t, db, "", "SHOW TRANSACTION STATUS FOR 'another'")
	_, err = rowsOf(db, "SHOW UNRESOLVED TRANSACTIONS FOR nowhere")
	wantCode(t, err, CodeUnknownDatabase, "a keyspace that isn't there")
	ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	_, err = db.ExecContext(ctx, "UPDATE acc SET bal = 0 WHERE id = 1")
	wantCode(t, err, CodeCanceled, "a write to a shard that is in doubt")
	want(t, db, "2000", "SELECT SUM(bal) FROM acc") // readers see what was before
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openOn(t, fs, dir, "full")
	defer db.Close()
	want(t, db, "", "SHOW UNRESOLVED TRANSACTIONS")
	if got, err := rowsOf(db, "SELECT SUM(bal) FROM acc"); err != nil || got[0] != "2000" && got[0] != "2020" {
		t.Errorf("half of it is there: %v, %v", got, err)
	}
	free(t, db)
}

// TestUnresolvedTransactions looks into a directory after a crash between the
// decision and the commits, and opens it.
func TestUnresolvedTransactions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := openDB(t, killDSN(dir, 0))
	accounts(t, db, 20)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		at, part, missing int
	}{{int(twopc.Deciding), 0, 0}, {int(twopc.Decided), 0, 4}, {int(twopc.Committed), 1, 2}} {
		cmd, _, _ := child(t, "fault", dir, strconv.Itoa(tc.at), strconv.Itoa(tc.part), "UPDATE acc SET bal = bal + 1")
		if err := cmd.Wait(); err == nil {
			t.Fatal("the process has not died")
		}
		list, err := UnresolvedTransactions(bg, dir)
		switch {
		case err != nil:
			t.Fatal(err)
		case tc.missing == 0 && len(list) == 0:
		case len(list) != 1 || len(list[0].Participants) != 4 || len(list[0].Missing) != tc.missing || list[0].DTID == "" || list[0].Logged.IsZero():
			t.Errorf("after a crash at %v: %+v", twopc.Point(tc.at), list)
		}
		db = openDB(t, killDSN(dir, 0))
		want(t, db, "", "SHOW UNRESOLVED TRANSACTIONS")
		if _, err := UnresolvedTransactions(bg, dir); !errors.Is(err, topo.ErrLocked) {
			t.Errorf("of a directory that is open: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if list, err := UnresolvedTransactions(bg, dir); err != nil || len(list) > 0 {
			t.Errorf("after the opening: %+v, %v", list, err)
		}
	}
	for _, none := range []string{t.TempDir(), filepath.Join(dir, "nothing")} {
		if _, err := UnresolvedTransactions(bg, none); err == nil {
			t.Errorf("%s is no data directory, and no error says so", none)
		}
	}
}

// TestUnresolvedOfSilentShard: asking ends with its context where a shard doesn't answer.
func TestUnresolvedOfSilentShard(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			s := remotetest.Start("")
			defer s.Close()
			db := openDB(t, s.DSN(scheme, "shards=4"))
			want(t, db, "", "SHOW UNRESOLVED TRANSACTIONS")
			answers := make(chan struct{})
			defer close(answers)
			s.Arrives(func(at tablet.Target) {
				if at.Shard == "80-c0" {
					<-answers
				}
			})
			for _, query := range []string{"SHOW UNRESOLVED TRANSACTIONS", "SHOW TRANSACTION STATUS FOR 'x'"} {
				ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
				defer cancel()
				err := soon(t, query, func() error {
					rows, err := db.QueryContext(ctx, query)
					if err == nil {
						err = rows.Close()
					}
					return err
				})
				wantCode(t, err, CodeCanceled, query)
			}
		})
	}
}

// TestUnknownOverBadConn: database/sql would run a statement again whose
// connection broke. One whose outcome is unknown must not be.
func TestUnknownOverBadConn(t *testing.T) {
	err := mapError(&tablet.Error{Code: tablet.CodeUnknownResult, Message: "the connection broke", Err: driver.ErrBadConn})
	if errors.Is(err, driver.ErrBadConn) || !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("%v", err)
	}
	if err := mapError(&tablet.Error{Code: tablet.CodeClosed, Err: driver.ErrBadConn}); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("%v", err)
	}
}
