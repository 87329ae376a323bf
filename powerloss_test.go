package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/vitessdo/vitessdo/internal/faultfs"
)

// TestPowerLoss lets the power go after each change of any file, with various
// losses of what wasn't synced. With synchronous=full what was acknowledged is
// there, and nothing by halves. With normal that is so for the schema; each shard
// may have lost its last commits. Where nothing is lost, as after the death of the
// process alone, all is there in any mode.
func TestPowerLoss(t *testing.T) {
	for _, mode := range []string{"full", "normal", "off"} {
		t.Run(mode, func(t *testing.T) { powerLoss(t, mode) })
	}
}

func powerLoss(t *testing.T, mode string) {
	fs, dir := newFaultFS(t)
	steps := faultSteps()
	begun, acked := make([]int, len(steps)), make([]int, len(steps))
	open := func() *sql.DB {
		db := openOn(t, fs, dir, mode)
		// The log is emptied often, and by the way.
		if err := withCluster(db, func(c *cluster) error { c.at.(*embedded).redo.SetKeep(3000); return nil }); err != nil {
			t.Fatal(err)
		}
		return db
	}
	db := open()
	opened := -1
	for i, s := range steps {
		begun[i] = fs.Changes()
		if s == nil {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open()
			continue
		}
		if err := s.run(db); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		acked[i] = fs.Changes()
		if opened < 0 {
			opened = acked[i]
		}
	}
	whole := map[string][]string{}
	for _, shard := range []string{"-80", "80-"} {
		list, err := stepsOn(db, shard)
		if err != nil || len(list) < 10 {
			t.Fatalf("steps on shard %s: %v, %v", shard, list, err)
		}
		whole[shard] = list
	}
	if mode == "full" {
		more := crowd(len(steps))
		steps, begun, acked = append(steps, more...), append(begun, make([]int, len(more))...), append(acked, make([]int, len(more))...)
		side(len(more), func(i int) {
			at := len(steps) - len(more) + i
			begun[at] = fs.Changes()
			if err := stubborn(func() error { return more[i].run(db) }); err != nil {
				t.Errorf("%s: %v", more[i].name, err)
			}
			acked[at] = fs.Changes()
		})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	total := fs.Changes()
	t.Logf("%d changes of files, the first step is done after %d", total, opened)
	nothing := faultfs.Loss{Keep: 1}
	losses := []faultfs.Loss{nothing, {Keep: 0}, {Keep: 0.5}, {Keep: 0.9, Rubbish: true}, {Keep: 1, Ordered: true}, {Keep: 0.1}, {Keep: 0.7, Ordered: true}}
	if mode == "off" {
		losses = losses[:1]
	}
	every := stride(47)
	cases := (total + 1) * len(losses) / every
	side(cases, func(i int) {
		k, loss := i*every/len(losses), losses[i*every%len(losses)]
		loss.Seed = uint64(i)
		if err := afterPowerLoss(t, fs, mode, k, loss, steps, begun, acked, whole); err != nil {
			t.Errorf("power lost after change %d of %d, %+v: %v", k, total, loss, err)
		}
	})
	t.Logf("%d losses of power", cases)
}

// crowd is steps to be done side by side.
func crowd(first int) (list []*faultStep) {
	for i := range 40 {
		if i%3 == 0 {
			list = append(list, oneRow(first+i))
		} else {
			list = append(list, moveMoney(first+i))
		}
	}
	return list
}

// stubborn begins anew what loses against another transaction.
func stubborn(f func() error) error {
	for {
		err := f()
		var e *Error
		if !errors.As(err, &e) || !e.Retryable() {
			return err
		}
	}
}

// afterPowerLoss opens what a loss of power left, and compares.
func afterPowerLoss(t *testing.T, fs *faultfs.FS, mode string, k int, loss faultfs.Loss, steps []*faultStep, begun, acked []int, whole map[string][]string) error {
	root, err := os.MkdirTemp("", "powerloss")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := fs.Crash(k, loss, root); err != nil {
		return err
	}
	again, err := faultfs.New(root) // which spares the disk
	if err != nil {
		return err
	}
	defer again.Close()
	db := openOn(t, again, root+"/a/data", mode)
	defer db.Close()
	if err := db.Ping(); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	safe := mode == "full" || loss.Keep == 1 && !loss.Ordered
	for i, s := range steps {
		if s == nil || s.state == nil {
			continue
		}
		may, must := begun[i] <= k, acked[i] <= k
		if j := slices.Index(steps, s.undo); s.undo != nil {
			may, must = may && k < acked[j], must && k < begun[j]
		}
		got, err := s.state(db)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", s.name, err)
		case !safe && !s.schema:
		case must && got != "all", !may && got != "none", got != "all" && got != "none":
			return fmt.Errorf("%s: may be there %v, must %v, and there is %s", s.name, may, must, got)
		}
	}
	if safe {
		return sound(db)
	}
	// The last commits may be lost, of each shard others, but none before them.
	for shard, all := range whole {
		list, err := stepsOn(db, shard)
		if err != nil {
			return err
		}
		if len(list) > len(all) || !slices.Equal(list, all[:len(list)]) {
			return fmt.Errorf("shard %s has the steps %v of %v", shard, list, all)
		}
	}
	if err := newID(db); err != nil {
		return err
	}
	return withCluster(db, intact)
}
