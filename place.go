package vitessdo

import (
	"context"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/twopc"
)

// place is where a database's tablets are. The cluster knows them by their
// contract alone; what depends on whether they are in this process or elsewhere is
// behind this.
type place interface {
	// open gives the catalog's tablet. Whatever must come before anybody reads or
	// writes, such as settling what a crash has left, is done when it returns.
	open(ctx context.Context) (catalog tablet.Tablet, err error)
	// first is the state that a catalog without keyspaces begins with. Its shards
	// are there when it returns. The caller has the catalog's write lock, as also
	// for create and drop: nobody else makes or removes shards meanwhile.
	first(ctx context.Context) (*topo.State, error)
	// begun is called when the catalog has a state for the first time.
	begun() error
	// reach gives the tablets of a keyspace that the catalog has, in key order.
	reach(ctx context.Context, k *topo.Keyspace) ([]tablet.Tablet, error)
	// create makes the empty shards of a keyspace that is to be recorded in the
	// catalog next, which decides. undo takes them back.
	create(ctx context.Context, k *topo.Keyspace) (list []tablet.Tablet, undo func() error, err error)
	// drop removes the shards of a keyspace that the catalog doesn't have any more.
	// An error says that some of them is still there.
	drop(ctx context.Context, k *topo.Keyspace) error
	// prune removes what a crash has left of keyspaces that the catalog doesn't
	// have.
	prune(has func(ks string) bool) error
	// check says whether one more pool with that configuration can share it.
	check(cfg *Config) error
	// String names it in errors.
	String() string

	// log holds the decisions of all distributed transactions; nil where the last
	// participant of each is its holder.
	log() twopc.Log
	// makeRoom frees space on a full disk that decided transactions need; it says
	// whether there was any.
	makeRoom() bool
	// transactions lists the distributed transactions that are known beside the
	// tablets.
	transactions() []info.Transaction
	// nextAge gives ages of transactions, in the order of their beginning.
	nextAge() uint64

	// scattered says that several processes keep the tablets. These can't reach each
	// other then, so that gates must settle what coordinators have left; and nobody sees
	// all who wait for their locks.
	scattered() bool

	close() error
}
