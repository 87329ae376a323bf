package tabletserver

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/faultfs"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// trio is three tablets that are apart, but for their disk, which fails.
type trio struct {
	mu   sync.Mutex
	tabs [3]*Tablet
}

// trioMode is how they keep things: replays says that none can hold a prepared
// transaction.
type trioMode struct {
	level   Synchronous
	replays bool
}

var trioModes = []trioMode{{Full, false}, {Full, true}, {Normal, false}, {Normal, true}}

// openTrio opens them in a directory.
func openTrio(fs *faultfs.FS, dir string, mode trioMode) (*trio, error) {
	p := &trio{}
	for i := range p.tabs {
		db, err := Open(ctx, Config{Target: tablet.Target{Keyspace: "ks", Shard: strconv.Itoa(i)}, Path: filepath.Join(dir, strconv.Itoa(i)+".db"),
			Disk: fs, Synchronous: mode.level, Replays: mode.replays, AskAfter: 10 * time.Millisecond, LockWait: time.Second, Peer: p.peer})
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.mu.Lock()
		p.tabs[i] = db
		p.mu.Unlock()
	}
	return p, nil
}

func (p *trio) peer(at tablet.Target) (tablet.Resolver, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := strconv.Atoi(at.Shard)
	if err != nil || p.tabs[i] == nil {
		return nil, fmt.Errorf("%v can't be reached", at)
	}
	return p.tabs[i], nil
}

func (p *trio) close() error {
	var errs []error
	for _, db := range p.tabs {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// ready is what is added to a row's number to say that it may come.
const ready = 100

const trioTables = "CREATE TABLE t(id INTEGER PRIMARY KEY)"

// pay commits a row to all; every other time the coordinator is gone when it has
// told its client. One that is too slow, so that the tablets take it for dead, begins
// anew. It is worth nothing without what each tablet has committed for it before, which
// needn't be durable by then.
func (p *trio) pay(id int64) error {
	if id%3 > 0 {
		for _, db := range p.tabs {
			if _, err := db.Exec(ctx, q("INSERT OR IGNORE INTO t VALUES(?1)", id+ready)); err != nil {
				return err
			}
		}
	}
	for try := 0; ; try++ {
		if err := p.payOnce(id, fmt.Sprintf("tx%d.%d", id, try)); tablet.CodeOf(err) != tablet.CodeTxExpired {
			return err
		}
	}
}

func (p *trio) payOnce(id int64, dtid string) error {
	var txs []tablet.Tx
	for _, db := range p.tabs {
		x, err := db.Begin(ctx, tablet.TxOptions{Write: true})
		if err == nil {
			txs = append(txs, x)
			_, err = x.Exec(ctx, q("INSERT INTO t SELECT ?1 WHERE ?1 % 3 = 0 OR EXISTS(SELECT 1 FROM t WHERE id = ?1 + ?2)", id, int64(ready)))
		}
		if err != nil {
			twopc.Rollback(txs)
			return err
		}
	}
	if id%2 == 0 {
		return twopc.Commit(ctx, twopc.TwoPC, dtid, txs, nil)
	}
	return twopc.CommitEarly(ctx, twopc.TwoPC, dtid, txs, func(*twopc.Rest) {})
}

// settled waits until nothing is in doubt, and no lock held.
func (p *trio) settled() (err error) {
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
		err = nil
		for _, db := range p.tabs {
			prepared, perr := db.Prepared(ctx)
			decided, derr := db.Decisions(ctx)
			if perr != nil || derr != nil || len(prepared)+len(decided) > 0 || db.queue.Taken() {
				err = fmt.Errorf("%v isn't settled: prepared %v, decided %v, %v", db.Target(), prepared, decided, errors.Join(perr, derr))
			}
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// holds compares with what the client was told: nil for a commit.
func (p *trio) holds(id int64, may, must bool) error {
	n := 0
	for _, db := range p.tabs {
		rows, err := queryRows(db, "SELECT 1 FROM t WHERE id = ?1", id)
		if err != nil {
			return err
		}
		n += len(rows)
	}
	if n != 0 && n != len(p.tabs) || must && n == 0 || !may && n > 0 {
		return fmt.Errorf("transaction %d is on %d shards; may it be there: %v, must it: %v", id, n, may, must)
	}
	return nil
}

const trioPays = 6

// TestDiskFailsApart lets each operation on the disk fail once, beneath tablets that
// keep their own redo and decide for each other: nothing is there by half, all that
// was acknowledged and nothing that was refused, and no lock is left.
func TestDiskFailsApart(t *testing.T) {
	for _, mode := range trioModes {
		t.Run(fmt.Sprintf("synchronous=%s replays=%v", mode.level, mode.replays), func(t *testing.T) {
			t.Parallel()
			every := apartStride(23)
			total, _, err := diskFailsApart(t.TempDir(), math.MaxInt32, faultfs.Fault{Err: faultfs.EIO}, mode)
			if err != nil {
				t.Fatal(err)
			}
			for k := 0; k < total; k += every {
				for _, f := range []faultfs.Fault{{Err: faultfs.EIO}, {Err: faultfs.ENOSPC, Keep: 100}} {
					_, hit, err := diskFailsApart(t.TempDir(), k, f, mode)
					if err != nil {
						t.Errorf("operation %d of %d fails with %v (%v): %v", k, total, f, hit, err)
					}
				}
			}
			t.Logf("%d operations", total)
		})
	}
}

// TestClosedApart has many at once, so that the machine is busy, and they are closed while
// a commit that was told goes on.
func TestClosedApart(t *testing.T) {
	for i := range 16 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			for _, mode := range trioModes {
				if _, _, err := diskFailsApart(t.TempDir(), math.MaxInt32, faultfs.Fault{}, mode); err != nil {
					t.Errorf("%+v: %v", mode, err)
				}
			}
		})
	}
}

func apartStride(sample int) int {
	if n, err := strconv.Atoi(os.Getenv("VITESSDO_FAULT_STRIDE")); err == nil && n > 0 {
		return n
	}
	return sample
}

func diskFailsApart(dir string, k int, f faultfs.Fault, mode trioMode) (total int, hit []faultfs.Op, err error) {
	fs, err := faultfs.New(dir)
	if err != nil {
		return 0, nil, err
	}
	defer fs.Close()
	p, err := openTrio(fs, dir, mode)
	if err != nil {
		return 0, nil, err
	}
	for _, db := range p.tabs {
		if _, err := db.Exec(ctx, q(trioTables)); err != nil {
			return 0, nil, err
		}
	}
	before := fs.Ops()
	fs.SetRule(faultfs.FailNth(before+k, f))
	var told [trioPays]error
	for i := range told {
		told[i] = p.pay(int64(i))
	}
	hit = fs.Hit()
	total = fs.Ops() - before
	fs.SetRule(nil)
	_ = p.close() // it may be what can't be written
	if p, err = openTrio(fs, dir, mode); err != nil {
		return total, hit, fmt.Errorf("opened again: %w", err)
	}
	defer p.close()
	if err := p.settled(); err != nil {
		return total, hit, err
	}
	for i, err := range told {
		if herr := p.holds(int64(i), err == nil || tablet.CodeOf(err) == tablet.CodeUnknownResult, err == nil); herr != nil {
			return total, hit, fmt.Errorf("%w; its client was told %v", herr, err)
		}
	}
	return total, hit, p.pay(trioPays)
}

// TestPowerLossApart lets the power go after each change of any file.
func TestPowerLossApart(t *testing.T) {
	for _, mode := range trioModes {
		t.Run(fmt.Sprintf("synchronous=%s replays=%v", mode.level, mode.replays), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fs, err := faultfs.New(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer fs.Close()
			p, err := openTrio(fs, dir, mode)
			if err != nil {
				t.Fatal(err)
			}
			for _, db := range p.tabs {
				exec1(t, db, trioTables)
				if err := db.SyncLog(); err != nil {
					t.Fatal(err)
				}
			}
			first := fs.Changes()
			var begun, acked [trioPays]int
			for i := range begun {
				begun[i] = fs.Changes()
				if err := p.pay(int64(i)); err != nil {
					t.Fatal(err)
				}
				acked[i] = fs.Changes()
			}
			total := fs.Changes()
			if err := p.settled(); err != nil {
				t.Fatal(err)
			}
			if err := p.close(); err != nil {
				t.Fatal(err)
			}
			losses := []faultfs.Loss{{Keep: 1}, {Keep: 0}, {Keep: 0.5}, {Keep: 0.9, Rubbish: true}, {Keep: 0.7, Ordered: true}}
			cases := 0
			for i := first * len(losses); i <= total*len(losses); i += apartStride(11) {
				k, loss := i/len(losses), losses[i%len(losses)]
				loss.Seed = uint64(i)
				cases++
				if err := powerLostApart(fs, t.TempDir(), k, loss, mode, begun, acked); err != nil {
					t.Errorf("power lost after change %d of %d, %+v: %v", k, total, loss, err)
				}
			}
			t.Logf("%d losses of power", cases)
		})
	}
}

func powerLostApart(fs *faultfs.FS, root string, k int, loss faultfs.Loss, mode trioMode, begun, acked [trioPays]int) error {
	if err := fs.Crash(k, loss, root); err != nil {
		return err
	}
	again, err := faultfs.New(root)
	if err != nil {
		return err
	}
	defer again.Close()
	p, err := openTrio(again, root, mode)
	if err != nil {
		return fmt.Errorf("opened again: %w", err)
	}
	defer p.close()
	if err := p.settled(); err != nil {
		return err
	}
	for i := range begun {
		if err := p.holds(int64(i), begun[i] <= k, acked[i] <= k); err != nil {
			return err
		}
	}
	return p.pay(trioPays)
}
