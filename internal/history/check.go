package history

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Anomaly is something that no serial execution shows.
type Anomaly struct {
	Name string // "G1a", "G-single", "G2-item-realtime" …
	Text string
}

// Report is what Check has found, one anomaly of each kind at the most.
type Report struct {
	Anomalies []Anomaly
	// Seen counts committed transactions and edges, so that a test can tell
	// that there was something to check.
	Txns, Edges int
}

// Level is an isolation level to check against.
type Level int

// The levels, each stronger than the one before.
const (
	ReadCommitted      Level = iota // Adya's PL-2
	SnapshotIsolation               // no cycle but with two rw edges in a row
	StrongSnapshot                  // and none with the order of real time added
	Serializable                    // no cycle
	StrictSerializable              // and none with the order of real time added
)

// String names the level.
func (l Level) String() string {
	return [...]string{"read committed", "snapshot isolation", "strong snapshot isolation", "serializable", "strict serializable"}[l]
}

// forbidden says which anomalies a level rules out.
func (l Level) forbidden(name string) bool {
	base, timed := name, false
	for _, suffix := range []string{"-process", "-realtime"} {
		if b, ok := strings.CutSuffix(name, suffix); ok {
			base, timed = b, true
		}
	}
	if timed && l != StrongSnapshot && l != StrictSerializable {
		return false
	}
	switch base {
	case "incompatible-order", "G-single", "G-nonadjacent":
		return l >= SnapshotIsolation
	case "G2-item":
		return l >= Serializable
	}
	return true
}

// Against gives the anomalies that a level rules out.
func (r *Report) Against(l Level) []Anomaly {
	var out []Anomaly
	for _, a := range r.Anomalies {
		if l.forbidden(a.Name) {
			out = append(out, a)
		}
	}
	return out
}

// Has says whether an anomaly was found.
func (r *Report) Has(name string) bool {
	return slices.ContainsFunc(r.Anomalies, func(a Anomaly) bool { return a.Name == name })
}

func (r *Report) add(name, format string, args ...any) {
	if !r.Has(name) {
		r.Anomalies = append(r.Anomalies, Anomaly{name, fmt.Sprintf(format, args...)})
	}
}

// element is a value in a list.
type element struct{ key, value int }

// checker works out who depends on whom.
type checker struct {
	all     []*Txn
	txns    []*Txn // those that count as committed
	index   map[*Txn]int
	writers map[element]*Txn
	orders  map[int][]int // key → the longest list that was read
	g       graph
	r       Report
}

// Check looks for anomalies. Lists are empty at first.
func Check(txns []*Txn) *Report {
	c := &checker{all: txns, writers: map[element]*Txn{}, index: map[*Txn]int{}, orders: map[int][]int{}}
	c.findWriters()
	c.settleUnknown()
	for _, t := range c.txns {
		c.checkReads(t)
	}
	c.findOrders()
	c.g = make(graph, len(c.txns))
	for i, t := range c.txns {
		c.index[t] = i
	}
	c.dataEdges()
	c.timeEdges()
	for _, out := range c.g {
		c.r.Edges += len(out)
	}
	c.r.Txns = len(c.txns)
	c.findCycles()
	return &c.r
}

func (c *checker) findWriters() {
	for _, t := range c.all {
		for _, op := range t.Ops {
			if op.Append {
				if w := c.writers[element{op.Key, op.Value}]; w != nil {
					panic(fmt.Sprintf("history: %d is appended to %d twice, by %v and %v", op.Value, op.Key, w, t))
				}
				c.writers[element{op.Key, op.Value}] = t
			}
		}
	}
}

// settleUnknown counts transactions of unknown end as committed if a committed one
// has seen them.
func (c *checker) settleUnknown() {
	took := map[*Txn]bool{}
	var take func(t *Txn)
	take = func(t *Txn) {
		if t == nil || took[t] || t.Status == Aborted {
			return
		}
		took[t] = true
		for _, op := range t.Ops {
			for _, v := range op.List {
				take(c.writers[element{op.Key, v}])
			}
		}
	}
	for _, t := range c.all {
		if t.Status == Committed {
			take(t)
		}
	}
	for _, t := range c.all {
		if took[t] {
			c.txns = append(c.txns, t)
		}
	}
}

// checkReads finds what a single transaction's reads show to be wrong.
func (c *checker) checkReads(t *Txn) {
	last := map[int][]int{} // what the transaction knows of a key
	own := map[int][]int{}  // what it has appended
	for _, op := range t.Ops {
		if op.Append {
			own[op.Key] = append(own[op.Key], op.Value)
			if l, ok := last[op.Key]; ok {
				last[op.Key] = append(slices.Clone(l), op.Value)
			}
			continue
		}
		c.checkList(t, op)
		// What a level may do between two reads is found by edges; here, a read
		// must end with the transaction's own appends.
		mine := own[op.Key]
		if n := len(op.List) - len(mine); n < 0 || !slices.Equal(op.List[n:], mine) {
			c.r.add("internal", "%v doesn't see its own appends to %d", t, op.Key)
		}
		last[op.Key] = op.List
	}
}

func (c *checker) checkList(t *Txn, op Op) {
	seen := map[int]bool{}
	for i, v := range op.List {
		w := c.writers[element{op.Key, v}]
		switch {
		case seen[v]:
			c.r.add("duplicate", "%v sees %d twice in %d", t, v, op.Key)
		case w == nil:
			c.r.add("garbage", "%v sees %d in %d, which nobody appended", t, v, op.Key)
		case w.Status == Aborted && w != t:
			c.r.add("G1a", "%v sees %d of the aborted %v", t, v, w)
		case w != t && i == len(op.List)-1 && v != lastAppend(w, op.Key):
			c.r.add("G1b", "%v sees %d, which isn't the last append of %v", t, v, w)
		}
		seen[v] = true
	}
}

func lastAppend(t *Txn, key int) (v int) {
	for _, op := range t.Ops {
		if op.Append && op.Key == key {
			v = op.Value
		}
	}
	return v
}

// findOrders takes the longest list of each key for the order of its appends.
func (c *checker) findOrders() {
	for _, t := range c.txns {
		for _, op := range t.Ops {
			if !op.Append && len(op.List) > len(c.orders[op.Key]) {
				c.orders[op.Key] = op.List
			}
		}
	}
	for _, t := range c.txns {
		for _, op := range t.Ops {
			if l := c.orders[op.Key]; !op.Append && !slices.Equal(op.List, l[:len(op.List)]) {
				c.r.add("incompatible-order", "key %d was read as %v by %v, and as %v: an append is lost", op.Key, op.List, t, l)
			}
		}
	}
}

// dataEdges adds the edges of what was read and written.
func (c *checker) dataEdges() {
	unseen := map[int][]*Txn{} // key → writers whose appends nobody has read
	for e, w := range c.writers {
		if _, ok := c.index[w]; ok && !slices.Contains(c.orders[e.key], e.value) {
			unseen[e.key] = append(unseen[e.key], w)
		}
	}
	for key, list := range c.orders {
		for i, v := range list {
			w := c.writers[element{key, v}]
			if i > 0 {
				c.edge(c.writers[element{key, list[i-1]}], w, ww, key)
			}
			if i == len(list)-1 {
				for _, later := range unseen[key] {
					c.edge(w, later, ww, key)
				}
			}
		}
	}
	for _, t := range c.txns {
		for _, op := range t.Ops {
			if op.Append {
				continue
			}
			list := c.orders[op.Key]
			n := len(op.List)
			if n > len(list) || !slices.Equal(op.List, list[:n]) {
				continue // said already
			}
			for k := n - 1; k >= 0; k-- { // what others wrote
				if w := c.writers[element{op.Key, list[k]}]; w != t {
					c.edge(w, t, wr, op.Key)
					break
				}
			}
			if n < len(list) {
				c.edge(t, c.writers[element{op.Key, list[n]}], rw, op.Key)
			} else {
				for _, later := range unseen[op.Key] {
					c.edge(t, later, rw, op.Key)
				}
			}
		}
	}
}

func (c *checker) edge(from, to *Txn, k kind, key int) {
	a, ok := c.index[from]
	b, ok2 := c.index[to]
	if ok && ok2 && a != b {
		c.g.add(a, b, k, key)
	}
}

// timeEdges adds the order of each client, and that of real time: from each
// transaction to those that began after its end, but not where others between
// them say so already. An unknown one may take effect at any time after it.
func (c *checker) timeEdges() {
	byStart := slices.Clone(c.txns)
	sort.Slice(byStart, func(i, k int) bool { return byStart[i].Start < byStart[k].Start })
	byEnd := slices.DeleteFunc(slices.Clone(c.txns), func(t *Txn) bool { return t.Status == Unknown })
	sort.Slice(byEnd, func(i, k int) bool { return byEnd[i].End < byEnd[k].End })
	before := map[int]*Txn{}
	var front []*Txn // ended, and before none that has ended
	ended := 0
	for _, t := range byStart {
		if p := before[t.Process]; p != nil && p.Status != Unknown {
			c.edge(p, t, process, 0)
		}
		before[t.Process] = t
		for ; ended < len(byEnd) && byEnd[ended].End < t.Start; ended++ {
			e := byEnd[ended]
			front = append(slices.DeleteFunc(front, func(f *Txn) bool { return f.End < e.Start }), e)
		}
		for _, f := range front {
			c.edge(f, t, realtime, 0)
		}
	}
}
