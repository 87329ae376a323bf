package remotetest

import (
	"context"
	"crypto/rand"
	"sync/atomic"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/host"
)

// clock is a server's own, as one has that is a process of its own.
type clock struct {
	name  string
	ahead int64
}

var clocks atomic.Int64

func newClock() clock { return clock{rand.Text()[:12], clocks.Add(1) * 1e12} }

func (c clock) tell(m tablet.Moment, known bool) (tablet.Moment, bool) {
	return tablet.Moment{Clock: c.name, Since: m.Since + c.ahead, Until: m.Until + c.ahead}, known
}

// timed is a shard that tells moments by its server's clock.
type timed struct {
	*host.Shard
	c clock
}

func (t *timed) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return t.c.rows(t.Shard.Query(ctx, q))
}

func (c clock) rows(r tablet.Rows, err error) (tablet.Rows, error) {
	if err != nil {
		return nil, err
	}
	return &timedRows{r, c}, nil
}

func (t *timed) Begin(ctx context.Context, opts tablet.TxOptions) (tablet.Tx, error) {
	x, err := t.Shard.Begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &timedTx{x.(hostTx), t.c}, nil
}

type timedRows struct {
	tablet.Rows
	c clock
}

func (r *timedRows) Moment() (tablet.Moment, bool) { return r.c.tell(tablet.MomentOf(r.Rows)) }

// hostTx is what a transaction of the host is.
type hostTx interface {
	tablet.Tx
	tablet.MemoryTx
	tablet.SnapshotTx
	tablet.Timed
}

type timedTx struct {
	hostTx
	c clock
}

func (x *timedTx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return x.c.rows(x.hostTx.Query(ctx, q))
}

func (x *timedTx) Moment() (tablet.Moment, bool) { return x.c.tell(x.hostTx.Moment()) }
