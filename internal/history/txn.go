package history

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Op is what a transaction did with a list: it appended a value, or read it.
type Op struct {
	Key    int
	Append bool
	Value  int   // what was appended; a value is appended to a key once
	List   []int // what was read
}

// Status says how a transaction ended.
type Status int

// The ways to end. An unknown one counts as committed if anybody has seen it.
const (
	Unknown Status = iota
	Committed
	Aborted
)

// Txn is a transaction as its client has seen it.
type Txn struct {
	Process    int // the client; its transactions follow each other
	Start, End int64
	Ops        []Op
	Status     Status

	journal *Journal
	id      int64
}

// String shows the transaction in one line.
func (t *Txn) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "p%d@%d-%d %s[", t.Process, t.Start, t.End, [...]string{"unknown", "", "aborted"}[t.Status])
	for i, op := range t.Ops {
		if i > 0 {
			b.WriteByte(' ')
		}
		if op.Append {
			fmt.Fprintf(&b, "a%d+%d", op.Key, op.Value)
		} else {
			fmt.Fprintf(&b, "r%d=%v", op.Key, op.List)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Recorder collects transactions. It is safe for concurrent use; its clock counts
// calls, which is enough for an order in real time.
type Recorder struct {
	// Journal, if not nil, is told everything at once.
	Journal *Journal

	clock atomic.Int64
	mu    sync.Mutex
	txns  []*Txn
}

// Begin notes that a client begins a transaction, before it does.
func (r *Recorder) Begin(process int) *Txn {
	now := r.clock.Add(1)
	t := &Txn{Process: process, Start: now, journal: r.Journal, id: now}
	t.journal.note("begin %d %d", t.id, process)
	return t
}

// End notes that a transaction has ended, after its client was told.
func (r *Recorder) End(t *Txn, s Status) {
	t.Status = s
	t.End = r.clock.Add(1)
	t.journal.note("end %d %d %d", t.id, t.End, s)
	r.mu.Lock()
	r.txns = append(r.txns, t)
	r.mu.Unlock()
}

// Txns gives what was recorded.
func (r *Recorder) Txns() []*Txn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Txn(nil), r.txns...)
}

// Read notes a read.
func (t *Txn) Read(key int, list []int) {
	t.journal.note("read %d %d %s", t.id, key, formatList(list))
	t.Ops = append(t.Ops, Op{Key: key, List: append([]int(nil), list...)})
}

// Append notes an append.
func (t *Txn) Append(key, value int) {
	t.journal.note("append %d %d %d", t.id, key, value)
	t.Ops = append(t.Ops, Op{Key: key, Append: true, Value: value})
}

// Restrict gives the transactions with only the operations on some keys, as
// those of one shard. Transactions without any are left out.
func Restrict(txns []*Txn, keep func(key int) bool) []*Txn {
	var out []*Txn
	for _, t := range txns {
		c := *t
		c.Ops = nil
		for _, op := range t.Ops {
			if keep(op.Key) {
				c.Ops = append(c.Ops, op)
			}
		}
		if len(c.Ops) > 0 {
			out = append(out, &c)
		}
	}
	return out
}
