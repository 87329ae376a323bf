package tabletserver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// payment is what a client knows of one: where it wrote, and what it was told.
type payment struct {
	n      int64
	shards []int
	err    error
}

// TestChaosApart moves money between tablets that are apart, while they go down
// and come back. In the end no money is lost, every transfer is on all its
// shards or on none, as its client was told, and nothing is locked.
func TestChaosApart(t *testing.T) {
	participants(t, 3, func(t *testing.T, p *party) {
		if p.cfgs[0].inMemory() {
			return // money in memory is lost with it
		}
		for _, db := range p.tabs {
			exec1(t, db, "CREATE TABLE acc(id INTEGER PRIMARY KEY, bal INT)")
			exec1(t, db, "CREATE TABLE done(n INTEGER PRIMARY KEY)")
			exec1(t, db, "INSERT INTO acc VALUES(1, 1000)")
		}
		p.connect()
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		const each = 25 // that every client has committed in the end
		var (
			work  sync.WaitGroup
			ages  atomic.Uint64
			log   [3][]payment
			ended atomic.Int32
		)
		for w := range log {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			work.Go(func() {
				defer ended.Add(1)
				for good := 0; good < each; {
					x := p.pay(rng, int64(ages.Add(1)))
					if log[w] = append(log[w], x); x.err == nil {
						good++
					} else {
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		rng := rand.New(rand.NewPCG(seed, 99))
		for downs := 0; ended.Load() < int32(len(log)); downs++ {
			i := rng.IntN(len(p.tabs))
			time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond) // the load goes on meanwhile
			p.down(i)
			time.Sleep(time.Duration(rng.IntN(5)) * time.Millisecond)
			p.up(i)
		}
		work.Wait()
		p.settled()
		p.checkPayments(append(append(log[0], log[1]...), log[2]...))
	})
}

// pay moves one unit from the first of some shards to the last, and leaves
// its number on each.
func (p *party) pay(rng *rand.Rand, n int64) (out payment) {
	out = payment{n: n}
	from := rng.IntN(len(p.tabs) - 1)
	for i := from; i < len(p.tabs) && len(out.shards) < 2+rng.IntN(2); i++ {
		out.shards = append(out.shards, i)
	}
	if len(out.shards) < 2 {
		out.shards = []int{0, 2}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var txs []tablet.Tx
	for k, i := range out.shards {
		mu.Lock()
		db := p.tabs[i]
		mu.Unlock()
		if db == nil {
			out.err = fmt.Errorf("shard %d is down", i)
			twopc.Rollback(txs)
			return out
		}
		x, err := db.Begin(ctx, tablet.TxOptions{Write: true, Age: uint64(n), Holds: func() bool { return k > 0 }})
		if err == nil {
			txs = append(txs, x)
			change := int64(0)
			switch k {
			case 0:
				change = -1
			case len(out.shards) - 1:
				change = 1
			}
			_, err = x.Exec(ctx, q("UPDATE acc SET bal = bal + ?1", change))
			if err == nil {
				_, err = x.Exec(ctx, q("INSERT INTO done VALUES(?1)", n))
			}
		}
		if err != nil {
			out.err = err
			twopc.Rollback(txs)
			return out
		}
	}
	dtid := fmt.Sprint("t", n)
	switch rng.IntN(3) {
	case 0:
		out.err = twopc.Commit(ctx, twopc.TwoPC, dtid, txs, nil)
	case 1: // the coordinator dies when it has told its client
		out.err = twopc.CommitEarly(ctx, twopc.TwoPC, dtid, txs, func(*twopc.Rest) {})
	case 2:
		out.err = twopc.CommitEarly(ctx, twopc.TwoPC, dtid, txs, func(r *twopc.Rest) { _ = r.Finish(ctx) })
	}
	return out
}

func (p *party) checkPayments(list []payment) {
	t := p.t
	t.Helper()
	total, committed, unknown := int64(0), 0, 0
	there := make([]map[int64]bool, len(p.tabs))
	for i, db := range p.tabs {
		total += one(t, db, "SELECT bal FROM acc").(int64)
		there[i] = map[int64]bool{}
		for _, r := range query(t, db, "SELECT n FROM done") {
			there[i][r[0].(int64)] = true
		}
	}
	want(t, "money", total, int64(1000*len(p.tabs)))
	for _, x := range list {
		n := 0
		for _, i := range x.shards {
			if there[i][x.n] {
				n++
			}
		}
		switch {
		case n != 0 && n != len(x.shards):
			t.Errorf("transfer %d is on %d of %d shards (%v)", x.n, n, len(x.shards), x.err)
		case x.err == nil && n == 0:
			t.Errorf("transfer %d is lost", x.n)
		case tablet.CodeOf(x.err) == tablet.CodeUnknownResult:
			unknown++
		case x.err != nil && n > 0:
			t.Errorf("transfer %d is there, its client was told %v", x.n, x.err)
		case x.err == nil:
			committed++
		}
	}
	t.Logf("%d of %d transfers are committed, %d were of unknown outcome", committed, len(list), unknown)
}
