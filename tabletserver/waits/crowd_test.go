package waits

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// Many transactions over two of a few locks each: more locks bear more of them, and few
// die. Were everybody served in the order of coming, more than a quarter of the attempts
// would die, and 4 locks bear a fifth less.
func TestCrowd(t *testing.T) {
	for _, c := range []struct {
		locks int
		least int // transactions in a second of a time that no machine takes
	}{{4, 550}, {16, 1600}} {
		synctest.Test(t, func(t *testing.T) {
			w := crowd{t: t, g: New(), until: time.Now().Add(5 * time.Second)}
			for range c.locks {
				w.locks = append(w.locks, w.g.Queue())
			}
			for i := range 100 {
				go w.session(rand.New(rand.NewPCG(uint64(i), 1)))
			}
			time.Sleep(time.Until(w.until) + time.Second)
			done, died := w.done.Load(), w.died.Load()
			t.Logf("over %d locks: %d transactions a second, %d have died of %d; the longest took %v", c.locks, done/5, died, done+died, time.Duration(w.longest.Load()))
			if done/5 < int64(c.least) {
				t.Errorf("over %d locks, %d transactions a second", c.locks, done/5)
			}
			if died > done/6 {
				t.Errorf("over %d locks, %d of %d died", c.locks, died, done+died)
			}
			if most := time.Second; w.longest.Load() > int64(most) {
				t.Errorf("over %d locks, one took %v", c.locks, time.Duration(w.longest.Load()))
			}
		})
	}
}

type crowd struct {
	t                        *testing.T
	g                        *Graph
	locks                    []*Queue
	until                    time.Time
	ids, done, died, longest atomic.Int64
}

// session runs transactions one after the other.
func (w *crowd) session(dice *rand.Rand) {
	for time.Now().Before(w.until) {
		time.Sleep(time.Duration(dice.IntN(4000)) * time.Microsecond)
		began, age := time.Now(), uint64(w.ids.Add(1))+tablet.Eldest
		a := dice.IntN(len(w.locks))
		wants := []int{a, (a + 1 + dice.IntN(len(w.locks)-1)) % len(w.locks)}
		for !w.attempt(wants, age) {
			// As RunTx does: the next attempt begins with all locks, in one order.
			slices.Sort(wants)
			age = tablet.Eldest
			w.died.Add(1)
		}
		w.done.Add(1)
		w.longest.Store(max(w.longest.Load(), int64(time.Since(began))))
	}
}

// attempt takes the locks, works for half a millisecond under each, and for longer
// under both, to commit.
func (w *crowd) attempt(wants []int, age uint64) bool {
	id, held := uint64(w.ids.Add(1)), 0
	defer func() {
		for _, i := range wants[:held] {
			w.locks[i].Release()
		}
	}()
	for _, i := range wants {
		err := w.locks[i].Acquire(w.t.Context(), Claim{ID: id, Age: age, Holds: func() bool { return held > 0 }}, time.Minute)
		if err != nil {
			wantCode(w.t, err, tablet.CodeDeadlock)
			return false
		}
		held++
		time.Sleep(500 * time.Microsecond)
	}
	time.Sleep(1500 * time.Microsecond)
	return true
}
