package vitessdo

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
	"github.com/vitessdo/vitessdo/topo"
)

// What SHOW says of a transaction, as Vitess does.
const (
	stateCommit  = "COMMIT"  // decided
	statePrepare = "PREPARE" // not decided, or nobody can say
)

// transactions lists the distributed transactions that aren't settled.
func (c *cluster) transactions(ctx context.Context) ([]info.Transaction, error) {
	out := c.at.transactions()
	var all []tablet.Tablet
	_ = c.eachTablet(func(t tablet.Tablet) error { all = append(all, t); return nil })
	known := make([]unsettled, len(all))
	err := c.each(len(all), func(i int) (err error) { known[i], err = unsettledOn(ctx, all[i]); return err })
	for i := range known {
		known[i].addTo(&out, all[i].Target())
	}
	slices.SortStableFunc(out, func(a, b info.Transaction) int { return a.Since.Compare(b.Since) })
	return out, err
}

// unsettled is what one tablet knows, as a holder and as a participant.
type unsettled struct {
	decided  []tablet.Decision
	prepared []tablet.InDoubt
}

func unsettledOn(ctx context.Context, t tablet.Tablet) (u unsettled, err error) {
	if u.decided, err = t.Decisions(ctx); err == nil {
		u.prepared, err = t.Prepared(ctx)
	}
	return u, err
}

func (u unsettled) addTo(out *[]info.Transaction, at tablet.Target) {
	for _, d := range u.decided {
		x := transactionIn(out, d.DTID, d.Since)
		x.State, x.Participants = stateCommit, shardsOf(d.Participants)
	}
	for _, p := range u.prepared {
		x := transactionIn(out, p.DTID, p.Since)
		if me := shardsOf([]tablet.Target{at})[0]; !slices.Contains(x.Participants, me) {
			x.Participants = append(x.Participants, me)
		}
	}
}

// transactionIn finds a transaction in the list, or adds it.
func transactionIn(list *[]info.Transaction, dtid string, since time.Time) *info.Transaction {
	i := slices.IndexFunc(*list, func(x info.Transaction) bool { return x.DTID == dtid })
	if i < 0 {
		i = len(*list)
		*list = append(*list, info.Transaction{DTID: dtid, State: statePrepare, Since: since})
	}
	return &(*list)[i]
}

func shardsOf(targets []tablet.Target) []info.Shard {
	out := make([]info.Shard, len(targets))
	for i, t := range targets {
		out[i] = info.Shard{Keyspace: t.Keyspace, Name: t.Shard}
	}
	return out
}

// UnresolvedTransaction is a distributed transaction of a directory that nobody
// has open: it is decided to commit, and some shards lack its writes, which the
// next opening brings.
type UnresolvedTransaction struct {
	DTID string
	// Participants are its shards as keyspace/shard, Missing those that lack it.
	Participants, Missing []string
	// Logged is when the directory's redo log was last written.
	Logged time.Time
}

// UnresolvedTransactions looks into a data directory for what a crash has left to
// be done. It changes nothing. Opening the directory settles them all; to look
// at a directory that is open, ask its process by SHOW UNRESOLVED TRANSACTIONS.
func UnresolvedTransactions(ctx context.Context, dir string) ([]UnresolvedTransaction, error) {
	d, err := topo.OpenDir(dir, topo.DirOptions{MustExist: true})
	if err != nil {
		return nil, mapError(err)
	}
	defer d.Close()
	entries, err := redolog.Read(d.RedoFile())
	if err != nil || len(entries) == 0 {
		return nil, mapError(err)
	}
	seen := &lookers{ctx: ctx, dir: d, open: map[tablet.Target]*tabletserver.Tablet{}}
	defer seen.close()
	var logged time.Time
	if st, err := os.Stat(d.RedoFile()); err == nil {
		logged = st.ModTime()
	}
	var out []UnresolvedTransaction
	for _, e := range entries {
		u := UnresolvedTransaction{DTID: e.DTID, Logged: logged}
		for _, r := range e.Redos {
			name := r.Keyspace + "/" + r.Shard
			u.Participants = append(u.Participants, name)
			applied, err := seen.applied(e.DTID, tablet.Target{Keyspace: r.Keyspace, Shard: r.Shard})
			if err != nil {
				return nil, mapError(err)
			}
			if !applied {
				u.Missing = append(u.Missing, name)
			}
		}
		if len(u.Missing) > 0 {
			out = append(out, u)
		}
	}
	return out, nil
}

// lookers are tablets that are opened to be looked at.
type lookers struct {
	ctx  context.Context
	dir  *topo.Dir
	open map[tablet.Target]*tabletserver.Tablet
}

// applied says whether a shard has a transaction's writes. One that is gone, with
// its keyspace, lacks nothing.
func (l *lookers) applied(dtid string, at tablet.Target) (bool, error) {
	t := l.open[at]
	if t == nil {
		path := l.path(at)
		if _, err := os.Stat(path); path == "" || err != nil {
			return true, nil
		}
		var err error
		t, err = tabletserver.Open(l.ctx, tabletserver.Config{Target: at, Path: path, ReadOnly: true})
		if err != nil {
			return false, err
		}
		l.open[at] = t
	}
	return t.Applied(l.ctx, dtid)
}

func (l *lookers) path(at tablet.Target) string {
	if at == catalogTarget {
		return l.dir.CatalogFile()
	}
	for _, ks := range l.dir.State().Keyspaces {
		for _, s := range ks.Shards {
			if ks.Name == at.Keyspace && s.Name == at.Shard {
				return l.dir.File(s.File)
			}
		}
	}
	return ""
}

func (l *lookers) close() {
	for _, t := range l.open {
		_ = t.Close()
	}
}
