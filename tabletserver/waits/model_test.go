package waits

import (
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

var modelSeeds = flag.Int("waits.seeds", 600, "how many random schedules the model of the queues is held against")

// world is some places, each with a graph and locks, and the transactions that want
// them, as a model knows them that sees all places at once.
type world struct {
	t       *testing.T
	dice    *rand.Rand
	locks   []*lock
	clients []*client
	age     uint64
	pure    bool // no stranger is there
	died    int
}

// lock is a queue, and what the model says of it.
type lock struct {
	q       *Queue
	place   int
	order   int
	holder  *client
	waiting []*client
}

// client runs one transaction after the other, and each until it is done.
type client struct {
	known bool
	place int // where all is that a known one locks
	many  bool
	left  int // transactions that are to come

	id, age uint64
	ahead   bool // it takes its locks in order, and nobody else's before
	wants   []*lock
	holds   []*lock
	waits   map[*lock]*waiter
}

// TestModel holds queues against the model: after every step nobody waits in a circle,
// over whichever places; nobody has died without need; and all come to their end.
func TestModel(t *testing.T) {
	died := 0
	for seed := range uint64(*modelSeeds) {
		w := newWorld(t, seed)
		for w.step() {
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		for _, l := range w.locks {
			if l.q.Taken() || l.q.Len() > 0 || len(l.q.g.known) > 0 || len(l.q.g.strangers) > 0 || l.q.g.several != 0 {
				t.Fatalf("seed %d: a lock is left", seed)
			}
		}
		died += w.died
	}
	if died == 0 {
		t.Error("nobody had to die in all schedules")
	}
	t.Logf("%d have died", died)
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, dice: rand.New(rand.NewPCG(seed, 1)), age: tablet.Eldest, pure: seed%3 == 0}
	places := 1 + w.dice.IntN(3)
	for p := range places {
		g := New()
		if !w.pure && w.dice.IntN(4) == 0 {
			g = nil
		}
		for range 1 + w.dice.IntN(3) {
			w.locks = append(w.locks, &lock{q: g.Queue(), place: p, order: len(w.locks)})
		}
	}
	for range 2 + w.dice.IntN(7) {
		c := &client{known: w.pure || w.dice.IntN(2) == 0, place: w.dice.IntN(places), left: 2 + w.dice.IntN(6)}
		c.many = c.known && w.dice.IntN(3) == 0
		w.clients = append(w.clients, c)
		w.next(c)
	}
	return w
}

// next gives a client another transaction.
func (w *world) next(c *client) {
	c.left--
	w.age++
	c.ahead = false
	c.age = w.age
	var all []*lock
	for _, l := range w.locks {
		if !c.known || l.place == c.place {
			all = append(all, l)
		}
	}
	w.dice.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	c.wants = all[:1+w.dice.IntN(len(all))]
	w.again(c)
}

// again begins the client's transaction anew, under its old age.
func (w *world) again(c *client) {
	c.id, c.holds, c.waits = 0, nil, map[*lock]*waiter{}
	if c.known {
		c.id = w.dice.Uint64() | 1
	}
	if c.ahead {
		slices.SortFunc(c.wants, func(a, b *lock) int { return a.order - b.order })
	}
}

// step does one thing that can be done. It says whether anything is left to do.
func (w *world) step() bool {
	var can []func()
	left := false
	for _, c := range w.clients {
		if c.left < 0 {
			continue
		}
		left = true
		if len(c.waits) == 0 || c.many && !c.ahead && w.dice.IntN(2) == 0 {
			can = append(can, func() { w.goOn(c) })
		} else if w.dice.IntN(20) == 0 {
			can = append(can, func() { w.giveUp(c) })
		}
	}
	if len(can) > 0 {
		can[w.dice.IntN(len(can))]()
		return true
	}
	for _, c := range w.clients {
		if c.left >= 0 && len(c.waits) == 0 {
			return true
		}
	}
	if left {
		w.t.Error("all wait, and for ever")
	}
	return false
}

// goOn takes the client's next lock, or ends its transaction.
func (w *world) goOn(c *client) {
	for _, l := range c.wants {
		if !slices.Contains(c.holds, l) && c.waits[l] == nil {
			w.ask(c, l)
			return
		}
	}
	if len(c.waits) > 0 {
		return
	}
	w.letGo(c)
	w.next(c)
}

// letGo ends a transaction, however.
func (w *world) letGo(c *client) {
	for l, at := range c.waits {
		_ = l.q.leave(at, errors.New("it ends"))
		l.waiting = slices.DeleteFunc(l.waiting, func(o *client) bool { return o == c })
	}
	c.waits = map[*lock]*waiter{}
	for _, l := range c.holds {
		l.q.Release()
		l.holder = nil
		if len(l.waiting) > 0 {
			next := l.waiting[0]
			l.holder, l.waiting = next, l.waiting[1:]
			at := next.waits[l]
			if at.now != served || l.q.leave(at, nil) != nil {
				w.t.Errorf("the lock wasn't passed on: %+v", at)
			}
			delete(next.waits, l)
			next.holds = append(next.holds, l)
		}
	}
	c.holds = nil
}

func (w *world) giveUp(c *client) {
	for l, at := range c.waits {
		why := &tablet.Error{Code: tablet.CodeLockTimeout}
		if err := l.q.leave(at, why); err != why {
			w.t.Errorf("giving up gives %v", err)
		}
		l.waiting = slices.DeleteFunc(l.waiting, func(o *client) bool { return o == c })
		delete(c.waits, l)
		return
	}
}

func (w *world) ask(c *client, l *lock) {
	p := party{c.id, c.ranks()}
	if !l.q.g.shared {
		p.id = 0
	}
	holds := !c.ahead && (len(c.holds) > 0 || c.many)
	at, err := l.q.enter(p, holds)
	switch {
	case err != nil:
		w.t.Error(err)
		return
	case (at == nil) != (l.holder == nil):
		w.t.Errorf("a lock is given to two, or to nobody")
		return
	case at == nil:
		l.holder = c
		c.holds = append(c.holds, l)
		return
	}
	l.waiting = append(l.waiting, c)
	c.waits[l] = at
	var dead []*client
	for _, o := range w.clients {
		for _, at := range o.waits {
			if at.now == refused && !slices.Contains(dead, o) {
				dead = append(dead, o)
			}
		}
	}
	for _, o := range dead {
		w.needed(o)
	}
	for _, o := range dead {
		w.died++
		for l, at := range o.waits {
			if err := l.q.leave(at, nil); tablet.CodeOf(err) != tablet.CodeDeadlock && !o.strange() {
				w.t.Errorf("who dies is told %v", err)
			}
			l.waiting = slices.DeleteFunc(l.waiting, func(c *client) bool { return c == o })
			delete(o.waits, l)
		}
	}
	for _, o := range dead {
		w.letGo(o)
		o.ahead = w.dice.IntN(2) == 0
		w.again(o)
	}
	for _, o := range w.clients {
		if w.reaches(o, o) {
			w.t.Error("a circle was let be")
		}
	}
}

// waitsFor gives those whom a client waits for, wherever.
func (w *world) waitsFor(c *client) (out []*client) {
	for l := range c.waits {
		if l.holder != nil {
			out = append(out, l.holder)
		}
		for _, o := range l.waiting {
			if o == c {
				break
			}
			out = append(out, o)
		}
	}
	return out
}

// reaches says whether one client waits for another, over any others.
func (w *world) reaches(from, to *client) bool {
	seen := map[*client]bool{}
	todo := w.waitsFor(from)
	for len(todo) > 0 {
		c := todo[0]
		todo = todo[1:]
		if c == to {
			return true
		}
		if !seen[c] {
			seen[c] = true
			todo = append(todo, w.waitsFor(c)...)
		}
	}
	return false
}

// needed sees that somebody had to die: for a circle, in which it isn't the eldest, or
// so that a stranger doesn't wait for one that isn't younger.
func (w *world) needed(c *client) {
	for _, o := range w.clients {
		if o != c && o.ranks() <= c.ranks() && w.reaches(c, o) && w.reaches(o, c) {
			return
		}
	}
	if w.pure {
		w.t.Error("somebody has died without a circle, or as the eldest of one")
		return
	}
	for _, p := range w.clients {
		for _, r := range w.clients {
			if p.strange() && r.strange() && r.ranks() <= p.ranks() && (p == c || w.reaches(p, c)) && w.reaches(c, r) {
				return
			}
		}
	}
	w.t.Error("somebody has died for no stranger's sake")
}

// ranks is the age that counts at locks.
func (c *client) ranks() uint64 {
	if c.ahead {
		return tablet.Eldest
	}
	return c.age
}

// strange says whether nobody knows the client where it locks.
func (c *client) strange() bool { return !c.known || !c.wants[0].q.g.shared }

// TestNobodyStarves: those that have died keep their age, so that each is the eldest
// at last; whatever the others do, it dies no more than they were before it.
func TestNobodyStarves(t *testing.T) {
	g := New()
	a, b := g.Queue(), g.Queue()
	const others = 40
	old := Claim{ID: 1, Age: 10}
	hold(t, a, old)
	for i := range uint64(others) {
		// Each of the younger ones is there first, and waits first.
		young := Claim{ID: 2 + i, Age: 20 + i}
		hold(t, b, young)
		dies := begin(t, a, young)
		goesOn := begin(t, b, old)
		wantCode(t, <-dies, tablet.CodeDeadlock)
		b.Release()
		if err := <-goesOn; err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	a.Release()
}

func BenchmarkAcquire(b *testing.B) {
	q := New().Queue()
	ctx := b.Context()
	b.ReportAllocs()
	for range b.N {
		if err := q.Acquire(ctx, Claim{ID: 1, Age: 1}, time.Minute); err != nil {
			b.Fatal(err)
		}
		q.Release()
	}
}

// A wait at the end of a chain of waits, beside a queue of many.
func BenchmarkWait(b *testing.B) {
	g := New()
	var last *Queue
	id := uint64(0)
	for range 8 {
		q := g.Queue()
		id++
		_, _ = q.enter(party{id, id}, false)
		if last != nil {
			_, _ = last.enter(party{id, id}, false)
		}
		last = q
	}
	q := g.Queue()
	_, _ = q.enter(party{1, 1}, false)
	for range 200 {
		id++
		_, _ = q.enter(party{id, id}, false)
	}
	b.ReportAllocs()
	for range b.N {
		w, _ := q.enter(party{1 << 40, 1 << 40}, false)
		_ = q.leave(w, errGivenUp)
	}
}

var errGivenUp = errors.New("given up")
