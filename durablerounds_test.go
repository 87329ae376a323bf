package vitessdo

import (
	"testing"

	"github.com/vitessdo/vitessdo/internal/faultfs"
)

// TestDurableRounds: a commit waits for the disk once, over however many shards,
// and with synchronous=normal not at all.
func TestDurableRounds(t *testing.T) {
	for mode, want := range map[string]int{"full": 1, "normal": 0} {
		fs, dir := newFaultFS(t)
		db := openOn(t, fs, dir, mode)
		defer db.Close()
		for _, s := range faultSteps()[:8] { // the logs have begun by then
			if err := s.run(db); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range []string{"UPDATE acc SET bal = bal + 1 WHERE id = 1", "UPDATE acc SET bal = bal + 1"} {
			syncs := 0
			fs.SetRule(func(o faultfs.Op) faultfs.Fault {
				if o.Kind == faultfs.Sync || o.Kind == faultfs.SyncDir {
					syncs++
				}
				return faultfs.Fault{}
			})
			do(t, db, q)
			if syncs != want {
				t.Errorf("synchronous=%s, %s: %d syncs, want %d", mode, q, syncs, want)
			}
		}
	}
}
