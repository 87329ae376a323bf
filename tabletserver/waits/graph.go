package waits

import (
	"slices"
	"sync"

	"github.com/vitessdo/vitessdo/tablet"
)

// Graph sees who waits for whom at the locks of the tablets that live together. It is
// safe for concurrent use.
type Graph struct {
	shared bool // else it has one queue, and knows nobody

	// mu orders the beginnings of waits: one that begins sees all before it. It is
	// taken before a queue's own.
	mu sync.Mutex
	// known are the waits of known transactions, by ID, those of one linked.
	known map[uint64]*waiter
	// several counts the waits of known transactions beyond the first of each.
	several int
	// strangers are the waits of those that may be waited for elsewhere.
	strangers []*waiter
	round     uint64 // of searching
	found     []*waiter
	before    []party
}

// New makes the graph of some tablets. Their queues are to know all that a transaction
// with an ID waits for and holds.
func New() *Graph { return &Graph{shared: true, known: map[uint64]*waiter{}} }

// Queue makes one more lock. That of a nil Graph is by itself, and whoever asks for it
// a stranger.
func (g *Graph) Queue() *Queue {
	if g == nil {
		g = &Graph{}
	}
	return &Queue{g: g}
}

// watch makes a wait known. The caller has mu, also below.
func (g *Graph) watch(w *waiter) {
	w.watched = true
	if w.id == 0 {
		g.strangers = append(g.strangers, w)
		return
	}
	if w.next = g.known[w.id]; w.next != nil {
		g.several++
	}
	g.known[w.id] = w
}

// forget takes a wait out that has ended.
func (g *Graph) forget(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.id == 0 {
		i := slices.Index(g.strangers, w)
		g.strangers = slices.Delete(g.strangers, i, i+1)
		return
	}
	first := g.known[w.id]
	switch {
	case first == w && w.next == nil:
		delete(g.known, w.id)
		return
	case first == w:
		g.known[w.id] = w.next
	default:
		for first.next != w {
			first = first.next
		}
		first.next = w.next
	}
	g.several--
}

// settle has those refused that may not wait since w does, be it w or others.
func (g *Graph) settle(w *waiter) {
	if w.id == 0 {
		g.obey(w, w)
		return
	}
	circle := func(_ *waiter, p party) bool { return p.id == w.id }
	for path := g.path(w, circle); path != nil; path = g.path(w, circle) {
		g.refuse(path, w, len(path))
	}
	for _, p := range g.strangers {
		g.obey(p, w)
	}
}

// obey sees that stranger p waits for no older one, by any way. w is the wait that has
// just begun.
func (g *Graph) obey(p, w *waiter) {
	older := func(at *waiter, r party) bool {
		if at == p && r.age == tablet.Eldest && p.age == tablet.Eldest {
			return false // these are in order
		}
		return r.id == 0 && r.age <= p.age
	}
	for path := g.path(p, older); path != nil; path = g.path(p, older) {
		g.refuse(path, w, 0)
	}
}

// path gives the waits, from the last one back to from, that lead over known
// transactions to a party that wanted says is looked for: a shortest such path; nil if
// there is none.
func (g *Graph) path(from *waiter, wanted func(at *waiter, p party) bool) []*waiter {
	g.round++
	from.round, from.by = g.round, nil
	g.found = append(g.found[:0], from)
	for i := 0; i < len(g.found); i++ {
		w := g.found[i]
		for _, p := range g.ahead(w) {
			if wanted(w, p) {
				var path []*waiter
				for ; w != nil; w = w.by {
					path = append(path, w)
				}
				return path
			}
			if p.id == 0 {
				continue
			}
			for n := g.known[p.id]; n != nil; n = n.next {
				if n.round != g.round {
					n.round, n.by = g.round, w
					g.found = append(g.found, n)
				}
			}
		}
	}
	return nil
}

// ahead gives those who w waits for. While everybody waits at one lock only and there
// are no strangers, the holder is enough: those before w in the queue wait for nobody
// else.
func (g *Graph) ahead(w *waiter) []party {
	q := w.q
	q.mu.Lock()
	defer q.mu.Unlock()
	g.before = g.before[:0]
	if w.now != waits {
		return nil
	}
	g.before = append(g.before, q.holder)
	if g.several == 0 && len(g.strangers) == 0 {
		return g.before
	}
	for _, o := range q.waiting {
		if o == w {
			break
		}
		g.before = append(g.before, o.party)
	}
	return g.before
}

// refuse ends the waits of the youngest on a path, of equals that of w.
func (g *Graph) refuse(path []*waiter, w *waiter, circle int) {
	dies := path[0]
	for _, o := range path[1:] {
		if o.age > dies.age || o.age == dies.age && o == w {
			dies = o
		}
	}
	if dies.id == 0 {
		dies.q.refuse(dies, circle)
		return
	}
	for o := g.known[dies.id]; o != nil; o = o.next {
		o.q.refuse(o, circle)
	}
}
