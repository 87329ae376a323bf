package tabletserver

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/internal/faultfs"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// TestDurableRounds counts what a commit over three tablets that are apart makes
// durable: the redo of two, the third one's commit, which is the decision, and
// the commits of the two. One writer's commit is one, or none where it needn't be
// durable; then a redo that follows on it makes it so first.
func TestDurableRounds(t *testing.T) {
	for _, c := range []struct {
		level      Synchronous
		replays    bool
		one, after string
	}{
		{Full, false, "0-wal", "0-redo 0-wal 1-wal"},
		{Full, true, "0-wal", "0-redo 0-wal 1-wal"},
		{Normal, false, "", "0-redo 0-wal 0-wal 1-wal"},
		{Normal, true, "", "0-redo 0-wal 0-wal 1-wal"},
	} {
		t.Run(fmt.Sprintf("synchronous=%v replays=%v", c.level, c.replays), func(t *testing.T) {
			dir := t.TempDir()
			fs, err := faultfs.New(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { fs.Close() })
			var tabs []*Tablet
			for i := range 3 {
				name := fmt.Sprint(i)
				tabs = append(tabs, open(t, Config{Path: filepath.Join(dir, name), Disk: fs, Replays: c.replays, Synchronous: c.level,
					Target: tablet.Target{Keyspace: "ks", Shard: name}}, accounts))
			}
			n := int64(0)
			commit := func(shards int) {
				n++
				var txs []tablet.Tx
				for _, db := range tabs[:shards] {
					x := begin(t, db, tablet.TxOptions{})
					exec1(t, x, "INSERT INTO t VALUES(?1, 1)", n)
					txs = append(txs, x)
				}
				if err := twopc.Commit(ctx, twopc.TwoPC, fmt.Sprint("tx", n), txs, nil); err != nil {
					t.Fatal(err)
				}
			}
			commit(3) // makes files and tables
			for _, tc := range []struct {
				shards int
				want   string
			}{{3, "0-redo 0-wal 1-redo 1-wal 2-wal"}, {2, "0-redo 0-wal 1-wal"}, {1, c.one}, {2, c.after}, {2, "0-redo 0-wal 1-wal"}} {
				var mu sync.Mutex
				var synced []string
				fs.SetRule(func(o faultfs.Op) faultfs.Fault {
					if o.Kind == faultfs.Sync {
						mu.Lock()
						synced = append(synced, o.Path)
						mu.Unlock()
					}
					return faultfs.Fault{}
				})
				commit(tc.shards)
				fs.SetRule(nil)
				slices.Sort(synced)
				if got := strings.Join(synced, " "); got != tc.want {
					t.Errorf("a commit over %d tablets syncs %s; want %s", tc.shards, got, tc.want)
				}
			}
		})
	}
}
