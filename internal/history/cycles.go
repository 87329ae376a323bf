package history

import (
	"fmt"
	"strings"
)

// kind is why one transaction comes before another.
type kind uint8

const (
	ww kind = 1 << iota
	wr
	rw
	process
	realtime
)

func (k kind) String() string {
	return map[kind]string{ww: "ww", wr: "wr", rw: "rw", process: "process", realtime: "realtime"}[k]
}

type edge struct {
	to   int
	kind kind
	key  int
}

// graph has each transaction's edges to those that come after it.
type graph [][]edge

func (g graph) add(from, to int, k kind, key int) {
	for _, e := range g[from] {
		if e.to == to && e.kind == k {
			return
		}
	}
	g[from] = append(g[from], edge{to, k, key})
}

// findCycles reports the weakest cycles first: those without rw edges, with one,
// with several of which no two follow each other, with any; each of them first
// without, then with the order of the clients and of real time.
func (c *checker) findCycles() {
	for _, time := range []struct {
		suffix string
		kinds  kind
	}{{"", 0}, {"-process", process}, {"-realtime", process | realtime}} {
		c.cycle("G0"+time.suffix, ww, ww|time.kinds, false)
		c.cycle("G1c"+time.suffix, wr, ww|wr|time.kinds, false)
		c.cycle("G-single"+time.suffix, rw, ww|wr|time.kinds, false)
		c.cycle("G-nonadjacent"+time.suffix, rw, ww|wr|rw|time.kinds, true)
		c.cycle("G2-item"+time.suffix, rw, ww|wr|rw|time.kinds, false)
	}
}

// cycle looks for a cycle that begins with an edge of one kind and goes on with
// others. A cycle that was reported by a weaker name isn't again.
func (c *checker) cycle(name string, first, rest kind, apart bool) {
	base, _, _ := strings.Cut(name, "-process")
	base, _, _ = strings.Cut(base, "-realtime")
	if c.r.Has(base) || c.r.Has(base+"-process") {
		return
	}
	comp := c.g.components(first | rest)
	for a := range c.g {
		for _, e := range c.g[a] {
			if e.kind&first == 0 || comp[a] != comp[e.to] {
				continue
			}
			if path := c.g.path(e.to, a, rest, apart); path != nil {
				c.r.add(name, "%s", c.show(a, append([]edge{e}, path...)))
				return
			}
		}
	}
}

// components numbers the strongly connected components by edges of some kinds: a
// cycle stays in one. It is Tarjan's algorithm (Depth-first search and linear
// graph algorithms, 1972), with a stack of its own as histories are long.
func (g graph) components(kinds kind) []int {
	comp, low, num := make([]int, len(g)), make([]int, len(g)), make([]int, len(g))
	var stack, path []int
	next := make([]int, len(g)) // edge to look at
	count, comps := 0, 0
	for root := range g {
		if num[root] != 0 {
			continue
		}
		for path = append(path, root); len(path) > 0; {
			v := path[len(path)-1]
			if num[v] == 0 {
				count++
				num[v], low[v] = count, count
				stack = append(stack, v)
			}
			if next[v] < len(g[v]) {
				e := g[v][next[v]]
				next[v]++
				switch {
				case e.kind&kinds == 0:
				case num[e.to] == 0:
					path = append(path, e.to)
				case comp[e.to] == 0:
					low[v] = min(low[v], num[e.to])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				low[path[len(path)-1]] = min(low[path[len(path)-1]], low[v])
			}
			if low[v] != num[v] {
				continue
			}
			comps++
			for {
				w := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				comp[w] = comps
				if w == v {
					break
				}
			}
		}
	}
	return comp
}

// path finds a shortest way from a to b by edges of some kinds; nil if there is
// none. With apart, no two rw edges follow each other on it, and it neither begins
// nor ends with one.
func (g graph) path(a, b int, kinds kind, apart bool) []edge {
	type state struct {
		node int
		rw   bool // reached by an rw edge
	}
	type step struct {
		from state
		e    edge
	}
	start := state{a, apart}
	came := map[state]step{}
	queue := []state{start}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, e := range g[s.node] {
			if e.kind&kinds == 0 || apart && s.rw && e.kind == rw {
				continue
			}
			next := state{e.to, apart && e.kind == rw}
			if _, again := came[next]; again || next == start {
				continue
			}
			came[next] = step{s, e}
			if e.to != b || next.rw {
				queue = append(queue, next)
				continue
			}
			var out []edge
			for at := next; at != start; at = came[at].from {
				out = append([]edge{came[at].e}, out...)
			}
			return out
		}
	}
	return nil
}

func (c *checker) show(from int, path []edge) string {
	var b strings.Builder
	b.WriteString(c.txns[from].String())
	for _, e := range path {
		fmt.Fprintf(&b, "\n  %v", e.kind)
		if e.kind <= rw {
			fmt.Fprintf(&b, " of %d", e.key)
		}
		fmt.Fprintf(&b, " before %v", c.txns[e.to])
	}
	return b.String()
}
