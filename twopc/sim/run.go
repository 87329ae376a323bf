package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// Error is a broken invariant, with the seed that shows it.
type Error struct {
	Seed uint64
	Flaw Flaw
	Err  error
}

// Error says what broke, and how to look at it.
func (e *Error) Error() string {
	return fmt.Sprintf("seed %d (%v): %v; for the trace: go test ./twopc/sim -run TestSeed -v -sim.seed=%d -sim.flaw=%d",
		e.Seed, e.Flaw, e.Err, e.Seed, e.Flaw)
}

// Unwrap returns what broke.
func (e *Error) Unwrap() error { return e.Err }

// chaos is how a run goes wrong: the weights of what may happen next. They
// differ from seed to seed, so that some runs are all crashes and others none.
type chaos struct {
	rng                              *rand.Rand
	deliver, disk, begin, tick       int
	crash, restart                   int
	lose, double, diskFails, survive int // in a hundred
	steps, most                      int
}

// Run lets a seed play a world and heals it; the error is an *Error.
func Run(seed uint64, flaw Flaw, trace func(string)) error {
	rng := rand.New(rand.NewPCG(seed, 0x2c))
	c := chaos{rng: rng,
		deliver: 20 + rng.IntN(60), disk: 5 + rng.IntN(40), begin: 2 + rng.IntN(10), tick: rng.IntN(20),
		crash: rng.IntN(5), restart: 1 + rng.IntN(10),
		lose: rng.IntN(20), double: rng.IntN(20), diskFails: rng.IntN(6), survive: rng.IntN(101),
		steps: 60 + rng.IntN(240), most: 1 + rng.IntN(8)}
	mixed := rng.IntN(3) // all held, all by replay, or both
	o := Options{Shards: 2 + rng.IntN(3), Gates: 1 + rng.IntN(2), SharedLog: rng.IntN(5) == 0, Flaw: flaw, Trace: trace,
		Replays: func(i int) bool { return mixed == 1 || mixed == 2 && i%2 == 0 }}
	if o.SharedLog {
		o.Gates, c.lose, c.double = 1, 0, 0 // calls in one process
	}
	w := New(o)
	for range c.steps {
		c.step(w)
		if w.failed != nil {
			return &Error{seed, flaw, w.failed}
		}
	}
	w.heal(rng)
	if w.check(); w.failed != nil {
		return &Error{seed, flaw, w.failed}
	}
	return nil
}

// step lets one thing happen.
func (c *chaos) step(w *World) {
	n := c.rng.IntN(c.deliver + c.disk + c.begin + c.tick + c.crash + c.restart)
	for _, k := range []struct {
		weight int
		do     func(*World)
	}{{c.deliver, c.doDeliver}, {c.disk, c.doDisk}, {c.begin, c.doBegin}, {c.tick, c.doTick}, {c.crash, c.doCrash}, {c.restart, c.doRestart}} {
		if n < k.weight {
			k.do(w)
			return
		}
		n -= k.weight
	}
}

func (c *chaos) chance(percent int) bool { return c.rng.IntN(100) < percent }

func (c *chaos) doDeliver(w *World) {
	if len(w.net) == 0 {
		return
	}
	i := c.rng.IntN(len(w.net))
	p := w.net[i]
	switch {
	case c.chance(c.double):
		w.tracef("(doubled)")
	default:
		w.net[i] = w.net[len(w.net)-1]
		w.net = w.net[:len(w.net)-1]
		if c.chance(c.lose) {
			w.tracef("%s → %s: %s t%d is lost", w.name(p.from), w.name(p.to), p.msg, p.tx)
			return
		}
	}
	w.deliver(p)
}

func (c *chaos) doDisk(w *World) {
	n := len(w.shards)
	if w.log != nil {
		n++
	}
	i, end := c.rng.IntN(n), works
	if c.chance(c.diskFails) {
		end = fails + ending(c.rng.IntN(2))
	}
	switch {
	case i == len(w.shards):
		if len(w.log.queue) > 0 {
			w.log.complete(w, end)
		}
	case len(w.shards[i].queue) > 0:
		if w.shards[i].keeper.sick {
			end = ending(c.rng.IntN(3))
		}
		w.complete(w.shards[i], end)
	}
}

func (c *chaos) doBegin(w *World) {
	if len(w.txs) >= c.most {
		return
	}
	all := c.rng.Perm(len(w.shards))
	w.start(c.rng.IntN(len(w.gates)), all[:2+c.rng.IntN(len(all)-1)])
}

func (c *chaos) doTick(w *World) {
	if len(w.txs) == 0 {
		return
	}
	t := w.txs[c.rng.IntN(len(w.txs))]
	at := gateAt(t.gate)
	if i := c.rng.IntN(len(t.parts) + 1); i < len(t.parts) {
		at = address(t.parts[i])
	}
	switch {
	case !w.up(at):
	case at < 0 && !w.o.SharedLog && c.chance(10):
		w.giveUp(t)
	default:
		w.tick(at, t)
	}
}

func (c *chaos) lucky() bool { return c.chance(c.survive) }

func (c *chaos) doCrash(w *World) {
	if w.o.SharedLog {
		if w.gates[0].up {
			w.crashAll(c.lucky)
		}
		return
	}
	if a := c.node(w); w.up(a) {
		w.crash(a, c.lucky)
	}
}

func (c *chaos) doRestart(w *World) {
	if w.o.SharedLog {
		if !w.gates[0].up {
			w.restartAll()
		}
		return
	}
	if a := c.node(w); !w.up(a) {
		w.restart(a)
	}
}

func (c *chaos) node(w *World) address {
	if i := c.rng.IntN(len(w.shards) + len(w.gates)); i < len(w.shards) {
		return address(i)
	} else {
		return gateAt(i - len(w.shards))
	}
}

// heal brings every node up and lets messages, disks and time work until
// nothing is left to do.
func (w *World) heal(rng *rand.Rand) {
	w.tracef("-- everything works again --")
	for _, s := range w.shards {
		if s.keeper.sick && rng != nil && rng.IntN(2) == 0 {
			w.complete(s, ending(rng.IntN(2))) // others have to be restarted
		}
	}
	w.reviveAll(func() bool { return rng != nil && rng.IntN(2) == 0 })
	for range 40 {
		for len(w.net) > 0 || w.writing() {
			w.drain(rng)
		}
		if w.failed != nil || w.rest() == "" {
			return
		}
		for _, t := range w.txs {
			w.tick(gateAt(t.gate), t)
			for _, s := range t.parts {
				w.tick(address(s), t)
			}
			if w.log != nil {
				w.tick(theLog, t)
			}
		}
	}
}

// reviveAll restarts whoever is down, or has a disk or database that answers no more.
func (w *World) reviveAll(survive func() bool) {
	if w.o.SharedLog {
		if w.gates[0].up && w.log.sick {
			w.crashAll(survive)
		}
		if !w.gates[0].up {
			w.restartAll()
		}
		return
	}
	for i, g := range w.gates {
		if !g.up {
			w.restart(gateAt(i))
		}
	}
	for i, s := range w.shards {
		if s.up && s.keeper.sick {
			w.crash(address(i), survive)
		}
		if !s.up {
			w.restart(address(i))
		}
	}
}

// drain delivers what is on its way, in any order or, with no rng, the oldest
// first, and finishes the writes.
func (w *World) drain(rng *rand.Rand) {
	for len(w.net) > 0 {
		i := 0
		if rng != nil {
			i = rng.IntN(len(w.net))
		}
		p := w.net[i]
		w.net = append(w.net[:i], w.net[i+1:]...)
		w.deliver(p)
	}
	for _, s := range w.shards {
		for len(s.queue) > 0 {
			w.complete(s, works)
		}
	}
	for w.log != nil && len(w.log.queue) > 0 {
		w.log.complete(w, works)
	}
}

func (w *World) writing() bool {
	for _, s := range w.shards {
		if len(s.queue) > 0 {
			return true
		}
	}
	return w.log != nil && len(w.log.queue) > 0
}

// rest says what is still under way; "" when nothing is, in memory or on a disk.
func (w *World) rest() string {
	for _, s := range w.shards {
		switch {
		case s.lock >= 0:
			return fmt.Sprintf("t%d holds the lock of %s", s.lock, s.name)
		case len(s.parts) > 0, len(s.redo) > 0:
			return s.name + " has a transaction that isn't settled"
		case len(s.keeper.durable) > 0, len(s.keeper.Pending()) > 0:
			return s.name + " keeps a decision"
		case s.keeper.Tombs() > 0:
			return s.name + " keeps a tombstone"
		case len(s.markers) > 0:
			return s.name + " keeps a marker"
		}
	}
	for _, g := range w.gates {
		if len(g.coords) > 0 {
			return g.name + " has a transaction that isn't settled"
		}
	}
	if w.log != nil && (len(w.log.durable) > 0 || len(w.log.Pending()) > 0) {
		return "the log keeps a decision"
	}
	return ""
}

// check looks, after heal, for what must hold: every transaction is on all its
// shards or on none, as its client was told, and nothing is left of it, no lock,
// record or tombstone. That each is applied once, and nobody came between what a
// transaction read and what it wrote, is seen when it is written.
func (w *World) check() {
	if left := w.rest(); left != "" {
		w.fail("it doesn't come to rest: %s", left)
	}
	for _, t := range w.txs {
		n := 0
		for _, i := range t.parts {
			for _, e := range w.shards[i].list {
				if e.tx == t.id {
					n++
				}
			}
		}
		switch {
		case n != 0 && n != len(t.parts):
			w.fail("%s is on %d of its %d shards", t.dtid, n, len(t.parts))
		case t.answer == nil:
		case *t.answer == protocol.Commits && n == 0:
			w.fail("%s is lost; its client was told that it is committed", t.dtid)
		case *t.answer == protocol.Aborts && n > 0:
			w.fail("%s is committed; its client was told that it isn't", t.dtid)
		}
	}
}
