package vitessdo

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
)

// apart is a database whose tablets are elsewhere: at one server, or each where a
// topology file says. Other gates may use them at the same time, so that nothing
// about the database is only known here: the catalog is a tablet as well, a
// transaction's last participant keeps its decision, and the tablets settle by
// themselves what a gate has left.
type apart struct {
	cfg   *Config
	hosts *hosts
	ages  ageClock
}

var _ place = (*apart)(nil)

// openApart opens the database of tablet servers that cfg names.
func openApart(ctx context.Context, cfg *Config) (*cluster, error) {
	if err := ofTheServer(cfg); err != nil {
		return nil, err
	}
	h, err := newHosts(cfg)
	if err != nil {
		return nil, err
	}
	c, err := newCluster(ctx, cfg, &apart{cfg: cfg.Clone(), hosts: h, ages: ageClock{gate: rand.Uint64N(1 << gateBits)}})
	if err != nil {
		return nil, err
	}
	if err := c.checkKeyspace(cfg); err != nil {
		return nil, errors.Join(err, c.release())
	}
	return c, nil
}

// ofTheServer refuses options about the shards' files, which somebody may rely on,
// where the server has its own.
func ofTheServer(cfg *Config) error {
	if cfg.Topology != "" {
		return nil // there may be folders
	}
	def := NewConfig()
	for i := range dsnOptions {
		o := &dsnOptions[i]
		switch o.name {
		case "synchronous", "cache_size", "max_memory", "max_readers", "max_transaction_bytes", "engine":
			if o.get(cfg) != o.get(def) {
				return newError(CodeDSN, "option %q is about shards in this process; those of %s have it from their server: leave it out", o.name, cfg.Remote)
			}
		}
	}
	return nil
}

// String implements place.
func (a *apart) String() string { return "at " + a.hosts.String() }

// check implements place.
func (a *apart) check(*Config) error { return nil }

// open implements place.
func (a *apart) open(ctx context.Context) (tablet.Tablet, error) {
	return a.hosts.tablet(ctx, catalogTarget)
}

// first implements place. Whoever gets the catalog's lock first makes the shards;
// see cluster.initCatalog.
func (a *apart) first(ctx context.Context) (*topo.State, error) {
	name := a.cfg.Keyspace
	if name == "" {
		var err error
		if name, err = firstKeyspace(a.cfg); err != nil {
			return nil, err
		}
	}
	st, err := topo.Memory(a.cfg.Shards, name)
	if err != nil {
		return nil, errorFrom(CodeDSN, err, "%v", err)
	}
	_, _, err = a.create(ctx, &st.Keyspaces[0])
	return st, err
}

// begun implements place.
func (a *apart) begun() error { return nil }

// reach implements place.
func (a *apart) reach(ctx context.Context, k *topo.Keyspace) ([]tablet.Tablet, error) {
	if err := a.hosts.fit(k); err != nil {
		return nil, err
	}
	return inParallel(len(k.Shards), func(i int) (tablet.Tablet, error) {
		return a.hosts.tablet(ctx, tablet.Target{Keyspace: k.Name, Shard: k.Shards[i].Name})
	})
}

// create implements place.
func (a *apart) create(ctx context.Context, k *topo.Keyspace) (_ []tablet.Tablet, undo func() error, err error) {
	if err := a.hosts.fit(k); err != nil {
		return nil, nil, err
	}
	undo = func() error { return a.remove(context.WithoutCancel(ctx), k) }
	list, err := inParallel(len(k.Shards), func(i int) (tablet.Tablet, error) {
		return a.hosts.create(ctx, tablet.Target{Keyspace: k.Name, Shard: k.Shards[i].Name})
	})
	if err != nil {
		return nil, nil, errors.Join(err, undo())
	}
	return list, undo, nil
}

// drop implements place.
func (a *apart) drop(ctx context.Context, k *topo.Keyspace) error { return a.remove(ctx, k) }

func (a *apart) remove(ctx context.Context, k *topo.Keyspace) error {
	_, err := inParallel(len(k.Shards), func(i int) (tablet.Tablet, error) {
		return nil, a.hosts.drop(ctx, tablet.Target{Keyspace: k.Name, Shard: k.Shards[i].Name})
	})
	return err
}

// prune implements place. What an interrupted creation has left is removed when a
// keyspace of that name is created again.
func (a *apart) prune(func(string) bool) error { return nil }

// log implements place.
func (a *apart) log() twopc.Log { return nil }

// makeRoom implements place.
func (a *apart) makeRoom() bool { return false }

// transactions implements place.
func (a *apart) transactions() []info.Transaction { return nil }

// nextAge implements place.
func (a *apart) nextAge() uint64 { return a.ages.next(time.Now()) }

// scattered implements place.
func (a *apart) scattered() bool { return len(a.hosts.all) > 1 }

// close implements place.
func (a *apart) close() error { return a.hosts.close() }

// gateBits is how much of an age tells gates apart.
const gateBits = 12

// ageClock gives ages that compare with those of other gates, as far as their
// clocks agree: microseconds, then the gate's number. Whichever way clocks differ,
// ages are in one order, which is all that keeps transactions from waiting for each
// other in a circle; a gate that is behind is taken for older.
type ageClock struct {
	gate uint64
	last atomic.Uint64
}

func (a *ageClock) next(now time.Time) uint64 {
	for {
		last := a.last.Load()
		next := max(uint64(now.UnixMicro()), last+1)
		if a.last.CompareAndSwap(last, next) {
			return next<<gateBits | a.gate
		}
	}
}

// inParallel calls f for 0 to n-1 side by side, and gives what it gives, in order.
func inParallel[T any](n int, f func(int) (T, error)) ([]T, error) {
	out, errs := make([]T, n), make([]error, n)
	done := make(chan struct{})
	for i := range n {
		go func() {
			out[i], errs[i] = f(i)
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
	return out, errors.Join(errs...)
}
