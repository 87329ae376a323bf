package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/faultfs"
)

// faultRun does the workload on a disk that fails.
type faultRun struct {
	t    *testing.T
	fs   *faultfs.FS
	dir  string
	db   *sql.DB
	full bool // the disk stays full until something has failed
	log  strings.Builder
}

// steps does all steps. What fails must say why, must leave nothing by half, and
// must succeed when it is done again, if need be after the database was opened
// anew.
func (r *faultRun) steps(list []*faultStep) error {
	r.reopen()
	for _, s := range list {
		if s == nil {
			if err := r.db.Close(); err != nil {
				if err := r.typed(err); err != nil {
					return fmt.Errorf("close: %w", err)
				}
			}
			r.reopen()
			continue
		}
		if err := r.step(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for _, s := range list {
		if s == nil || s.state == nil || s.undo != nil {
			continue
		}
		if err := r.is(s, "all"); err != nil {
			return fmt.Errorf("in the end %s: %w", s.name, err)
		}
	}
	return nil
}

// step does one step until it is done.
func (r *faultRun) step(s *faultStep) error {
	for try := 0; ; try++ {
		err := s.run(r.db)
		if err == nil {
			return r.is(s, "all")
		}
		if err := r.typed(err); err != nil {
			return err
		}
		fmt.Fprintf(&r.log, "%s: %v\n", s.name, err)
		if r.full {
			if err := r.stillFull(s, err); err != nil {
				return fmt.Errorf("while the disk is full: %w", err)
			}
		}
		if try == 3 {
			return fmt.Errorf("the disk is well again, and still: %w", err)
		}
		if try > 0 || isCode(err, CodeUnknownResult) {
			// What is decided is done at the next opening at the latest.
			if err := r.db.Close(); err != nil {
				if err := r.typed(err); err != nil {
					return fmt.Errorf("close: %w", err)
				}
			}
			r.reopen()
			if err := r.is(s, "all"); err == nil {
				return nil
			}
		}
		if err := r.is(s, "none"); err != nil {
			return fmt.Errorf("after it failed: %w", err)
		}
	}
}

// stillFull looks at what can be done while the disk is full, and then makes space:
// reading goes on, also after the database is opened anew, if it was made already.
func (r *faultRun) stillFull(s *faultStep, err error) error {
	r.full = false
	defer r.fs.SetRule(nil)
	if isCode(err, CodeIO) {
		return fmt.Errorf("not told as that: %w", err)
	}
	if _, serr := os.Stat(r.dir + "/main/-80.db"); serr != nil || isCode(err, CodeUnknownResult) || s.name == faultSteps()[0].name {
		return nil
	}
	if err := r.is(s, "none"); err != nil {
		return err
	}
	if err := r.db.Close(); err != nil {
		if err := r.typed(err); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	r.reopen()
	return r.is(s, "none")
}

// is compares a step's state.
func (r *faultRun) is(s *faultStep, want string) error {
	if s.state == nil {
		return nil
	}
	got, err := s.state(r.db)
	if err != nil { // the fault may meet the question itself
		if terr := r.typed(err); terr != nil {
			return terr
		}
		if got, err = s.state(r.db); err != nil {
			return err
		}
	}
	if got != want {
		return fmt.Errorf("%s is there, want %s", got, want)
	}
	return nil
}

// typed says that an error is one that a failing disk may give.
func (r *faultRun) typed(err error) error {
	if isCode(err, CodeFull) || isCode(err, CodeIO) || isCode(err, CodeUnknownResult) {
		return nil
	}
	// What concerns the directory as a whole wraps the system's error.
	if isCode(err, CodeTopology) && (errors.Is(err, faultfs.EIO) || errors.Is(err, faultfs.ENOSPC)) {
		return nil
	}
	return fmt.Errorf("an error of another kind: %w", err)
}

func (r *faultRun) reopen() {
	r.db = openOn(r.t, r.fs, r.dir, "full")
}

// TestEveryOperationFails lets each operation on the disk fail once, by an error
// or with a full disk and a torn write, in the course of the whole workload.
func TestEveryOperationFails(t *testing.T) {
	fs, dir := newFaultFS(t)
	r := &faultRun{t: t, fs: fs, dir: dir}
	if err := r.steps(faultSteps()); err != nil {
		t.Fatal(err)
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	total := fs.Ops()
	every := stride(97)
	first := 0
	if s := os.Getenv("VITESSDO_FAULT_AT"); s != "" { // to see one again
		fmt.Sscan(s, &first)
		every, allFaults = total, true
	}
	faults := []faultfs.Fault{{Err: faultfs.EIO}, {Err: faultfs.ENOSPC, Keep: 100}}
	side((total-first+every-1)/every*len(faults), func(i int) {
		k, f := first+i/len(faults)*every, faults[i%len(faults)]
		failAt(t, faultfs.FailNth(k, f), false, fmt.Sprintf("operation %d of %d fails with %v", k, total, f))
	})
	t.Logf("%d operations", total)
}

// failAt does the workload under a rule, bounded in time, and looks at what is
// left.
func failAt(t *testing.T, rule faultfs.Rule, full bool, what string) {
	t.Helper()
	root, err := os.MkdirTemp("", "diskfault")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	fs, err := faultfs.New(root)
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	fs.SetRule(rule)
	r := &faultRun{t: t, fs: fs, dir: root + "/a/data", full: full}
	done := make(chan error, 1)
	go func() { done <- r.steps(faultSteps()) }()
	select {
	case err = <-done:
	case <-time.After(time.Minute):
		t.Errorf("%s (%v): it hangs\n%s", what, fs.Hit(), r.log.String())
		return
	}
	hit := fs.Hit()
	fs.SetRule(nil)
	if err == nil {
		err = sound(r.db)
	}
	if cerr := r.db.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close: %w", cerr)
	}
	if left := under(openFiles(), root); err == nil && len(left) > 0 {
		err = fmt.Errorf("files are left open: %v", left)
	}
	if err != nil {
		t.Errorf("%s (%v): %v\n%s", what, hit, err, r.log.String())
	}
}

// TestSchemaCannotBeRead: a disk that fails to give a new schema doesn't make a
// table missing.
func TestSchemaCannotBeRead(t *testing.T) {
	fs, dir := newFaultFS(t)
	db := openOn(t, fs, dir, "full")
	defer db.Close()
	create := faultSteps()[0]
	if err := create.run(db); err != nil {
		t.Fatal(err)
	}
	fs.SetRule(func(o faultfs.Op) faultfs.Fault {
		if o.Kind == faultfs.Read {
			return faultfs.Fault{Err: faultfs.EIO}
		}
		return faultfs.Fault{}
	})
	_, err := rowsOf(db, "SELECT SUM(bal) FROM acc")
	wantCode(t, err, CodeIO, "a schema that can't be read")
	fs.SetRule(nil)
	want(t, db, "∅", "SELECT SUM(bal) FROM acc")
}

// TestDiskFills lets the disk be full from some operation on: what needs space
// fails by that name and leaves nothing by half, what doesn't goes on, and all works
// again when there is space.
func TestDiskFills(t *testing.T) {
	fs, dir := newFaultFS(t)
	r := &faultRun{t: t, fs: fs, dir: dir}
	if err := r.steps(faultSteps()); err != nil {
		t.Fatal(err)
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	total := fs.Ops()
	every := stride(47)
	side(total/every, func(i int) {
		k := i * every
		failAt(t, faultfs.FailFrom(k, math.MaxInt), true, fmt.Sprintf("the disk is full from operation %d of %d on", k, total))
	})
}

// TestFailedCommitStaysFailed: what a commit has written whose sync failed isn't
// found after a crash, as if it had succeeded.
func TestFailedCommitStaysFailed(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(db *sql.DB) error
	}{
		{"autocommit", func(db *sql.DB) error {
			_, err := db.Exec("INSERT INTO acc (id, bal) VALUES (77, 0)")
			return err
		}},
		{"transaction", func(db *sql.DB) error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.Exec("INSERT INTO acc (id, bal) VALUES (77, 0)"); err != nil {
				return err
			}
			return tx.Commit()
		}},
	} {
		fs, dir := newFaultFS(t)
		db := openOn(t, fs, dir, "full")
		defer db.Close()
		for _, s := range faultSteps()[:2] {
			if err := s.run(db); err != nil {
				t.Fatal(err)
			}
		}
		if err := checkpoints().run(db); err != nil {
			t.Fatal(err)
		}
		do(t, db, "UPDATE acc SET bal = bal + 1") // the logs have begun anew
		do(t, db, "UPDATE acc SET bal = bal - 1")
		if err := emptied().run(db); err != nil { // which makes these durable
			t.Fatal(err)
		}
		failed := false
		fs.SetRule(func(o faultfs.Op) faultfs.Fault {
			if o.Kind != faultfs.Sync || failed {
				return faultfs.Fault{}
			}
			failed = true
			return faultfs.Fault{Err: faultfs.EIO}
		})
		wantCode(t, tc.run(db), CodeIO, tc.name)
		root := t.TempDir()
		if err := fs.Crash(fs.Changes(), faultfs.Loss{Keep: 1}, root); err != nil {
			t.Fatal(err)
		}
		again := openOn(t, nil, root+"/a/data", "full")
		defer again.Close()
		want(t, again, "0", "SELECT COUNT(*) FROM acc WHERE id = 77")
	}
}

// TestDoubtfulLog: when commits are in a log that aren't durable there yet, and the
// disk fails to make it so, the shard takes no more writes until it is opened anew;
// then all is there.
func TestDoubtfulLog(t *testing.T) {
	fs, dir := newFaultFS(t)
	db := openOn(t, fs, dir, "full")
	for _, s := range faultSteps()[:2] {
		if err := s.run(db); err != nil {
			t.Fatal(err)
		}
	}
	do(t, db, "UPDATE acc SET bal = bal + 1")
	fs.SetRule(faultfs.FailNth(firstSync(t, fs, db), faultfs.Fault{Err: faultfs.EIO}))
	_, err := db.Exec("UPDATE acc SET bal = bal + 1 WHERE id = 1")
	wantCode(t, err, CodeUnknownResult, "a commit whose sync failed")
	fs.SetRule(nil)
	mustFail(t, db, CodeIO, "UPDATE acc SET bal = bal + 1 WHERE id = 1")
	want(t, db, fmt.Sprint(faultBalance+1+1), "SELECT MAX(bal) FROM acc")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openOn(t, fs, dir, "full")
	defer db.Close()
	do(t, db, "UPDATE acc SET bal = bal - 1")
	want(t, db, fmt.Sprint(faultBalance+1), "SELECT MAX(bal) FROM acc")
}

// firstSync tells the number of the first sync that the commit to be failed does,
// by doing its like.
func firstSync(t *testing.T, fs *faultfs.FS, db *sql.DB) int {
	t.Helper()
	at := -1
	fs.SetRule(func(o faultfs.Op) faultfs.Fault {
		if o.Kind == faultfs.Sync && at < 0 {
			at = o.N
		}
		return faultfs.Fault{}
	})
	do(t, db, "UPDATE acc SET bal = bal + 1 WHERE id = 1")
	return at
}
