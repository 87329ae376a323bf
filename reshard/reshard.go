package reshard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
)

// Options says what is wanted. Dir is needed, and one of Shards and Ranges.
type Options struct {
	// Dir is the data directory. Nobody may have it open.
	Dir string
	// Shards is the number of shards of equal size that the keyspaces are to have;
	// Ranges names them instead, such as "-20", "20-80", "80-".
	Shards int
	Ranges []string
	// Keyspaces names those that are resharded; none: all that are sharded.
	Keyspaces []string
	// UniqueKeys is what becomes of unique keys without the sharding columns of a
	// keyspace that has had one shard: "global" or "" keeps them unique across shards,
	// "shard" within each shard.
	UniqueKeys string
	// Vindexes gives range vindexes, by "name" or "keyspace.name", other parameters
	// beside those they have: "shards", the new shard of each range, and "boundaries",
	// where ranges begin.
	Vindexes map[string]map[string]string
	// Discard removes the old databases at the end, instead of putting them aside.
	Discard bool
	// Restart throws away what an interrupted run has copied.
	Restart bool
	// Progress, if not nil, is told how far the run has come, now and then.
	Progress func(Progress)

	disk disk.FS // nil is the operating system's
}

// Progress says how far a run has come. Steps are "copy" and "verify".
type Progress struct {
	Step            string
	Keyspace, Table string
	Rows, Total     int64 // of all tables in this step
}

// Result tells what was done.
type Result struct {
	// Already: the directory had the shards that were wanted, and nothing was done but
	// what an earlier run had left to do.
	Already bool
	// Resumed: an interrupted run was gone on with.
	Resumed   bool
	Keyspaces []Keyspace // in the order of the catalog; those that were resharded
	// Aside is the directory that holds the old databases; "" when there is none.
	Aside   string
	Elapsed time.Duration
}

// Keyspace tells what became of a keyspace.
type Keyspace struct {
	Name     string
	From, To []string // shards
	Tables   []Table
	// Strays is the number of rows that weren't on the shard that their columns say,
	// such as a session puts there that is bound to a shard, and are now.
	Strays int64
}

// Table tells of a table how many rows it has, and the sum of their hashes, which old
// and new shards agreed upon.
type Table struct {
	Name string
	Rows int64
	Sum  string
}

// Run spreads the directory's rows as the options say. Until the last moment the
// directory is as it was, whatever happens. A run that was interrupted, by the end of
// ctx or of the process, is gone on with by another one with the same options.
//
// While it runs, others get an error that names it. A full disk ends it with an error
// whose code is DISK_FULL, and what it had written is removed.
func Run(ctx context.Context, o Options) (*Result, error) {
	began := time.Now()
	m := &mover{o: o, disk: disk.Or(o.disk)}
	res, err := m.run(ctx)
	if m.dir != nil {
		if err = diskError(err); tablet.CodeOf(err) == tablet.CodeFull && !m.switching {
			// The database in use needs the space more than the copy does.
			err = errors.Join(err, m.dir.RemoveNext())
		}
		err = errors.Join(err, m.dir.Close())
	}
	if err != nil {
		return nil, err
	}
	res.Elapsed = time.Since(began)
	return res, nil
}

// mover is a run.
type mover struct {
	o       Options
	disk    disk.FS
	dir     *topo.Dir
	journal *journal
	plan    *plan
	seen    progress
	// switching: from here on the next generation may be the directory's.
	switching bool
}

func (m *mover) run(ctx context.Context) (*Result, error) {
	if err := m.o.check(); err != nil {
		return nil, err
	}
	resumed, aside, err := m.open(ctx)
	if err != nil {
		return nil, err
	}
	if m.plan, err = m.planAll(ctx); err != nil {
		return nil, err
	}
	if m.plan.nothing() {
		err := m.dir.RemoveNext()
		return &Result{Already: true, Aside: aside}, err
	}
	res := &Result{Resumed: resumed}
	if !resumed {
		if err := m.begin(); err != nil {
			return nil, err
		}
	}
	if err := m.make(ctx); err != nil {
		return nil, err
	}
	m.switching = true
	if err := m.dir.Switch(m.plan.now.Keyspaces, m.o.Discard); err != nil {
		return nil, err
	}
	reach(Switched)
	if err := m.disk.Remove(m.finalJournal()); err != nil {
		return nil, err
	}
	if res.Aside, err = m.dir.SetAside(); err != nil {
		return nil, err
	}
	reach(SetAside)
	res.Keyspaces = m.journal.Verified
	return res, nil
}

// make makes the next generation, whole.
func (m *mover) make(ctx context.Context) error {
	for _, k := range m.plan.keyspaces {
		if k.whole {
			if err := m.copyFiles(ctx, k); err != nil {
				return err
			}
		}
	}
	moved, err := m.openShards(ctx)
	defer moved.close()
	if err != nil {
		return err
	}
	if err := m.copyAll(ctx, moved); err != nil {
		return err
	}
	if err := m.verify(ctx, moved); err != nil {
		return err
	}
	if err := m.record(ctx); err != nil {
		return err
	}
	reach(Recorded)
	for _, k := range moved {
		if err := k.finish(ctx); err != nil {
			return err
		}
	}
	return moved.close()
}

func (m *mover) copyAll(ctx context.Context, list moving) error {
	if m.journal.Verified != nil {
		return nil
	}
	total := int64(0)
	for _, k := range list {
		for _, j := range k.jobs {
			total += j.total
		}
	}
	m.step("copy", total)
	for _, k := range list {
		for _, j := range k.jobs {
			if err := m.copyTable(ctx, k, j); err != nil {
				return err
			}
			reach(Copied)
		}
	}
	return nil
}

func (o *Options) check() error {
	switch {
	case o.Dir == "":
		return errors.New("no directory was given")
	case o.Shards == 0 && len(o.Ranges) == 0:
		return errors.New("the number of shards wasn't given, nor their key ranges")
	case o.Shards != 0 && len(o.Ranges) > 0:
		return errors.New("give a number of shards or key ranges, not both")
	case o.Shards < 0 || o.Shards > topo.MaxShards || len(o.Ranges) > topo.MaxShards:
		return fmt.Errorf("a keyspace has 1 to %d shards", topo.MaxShards)
	case o.UniqueKeys != "" && o.UniqueKeys != "global" && o.UniqueKeys != "shard":
		return fmt.Errorf("unique keys are %q; they are global or shard", o.UniqueKeys)
	}
	return nil
}

// progress counts rows for Options.Progress.
type progress struct {
	now  Progress
	told time.Time
}

const tellEvery = 50 * time.Millisecond

func (m *mover) step(name string, total int64) {
	m.seen = progress{now: Progress{Step: name, Total: total}}
}

// tell counts n more rows.
func (m *mover) tell(ks, table string, n int64) {
	p := &m.seen
	p.now.Rows += n
	p.now.Keyspace, p.now.Table = ks, table
	if m.o.Progress == nil || time.Since(p.told) < tellEvery && p.now.Rows < p.now.Total {
		return
	}
	p.told = time.Now()
	m.o.Progress(p.now)
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
