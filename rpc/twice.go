package rpc

import (
	"slices"
	"time"
)

// An HTTP request may arrive twice: what is between client and server may repeat it.
// In a transaction, where requests come one after the other, the second one gets the
// answer of the first.

// keptIDs is how many requests back a transaction knows.
const keptIDs = 32

// replies is what a transaction's requests were answered, guarded by its turn.
type replies struct {
	ids  [keptIDs]string // a ring
	next int
	last any // the newest one's answer
	err  error
}

// of gives the answer of a request that was carried out before. That of an older one
// is gone: its client has had it, since it has sent others.
func (k *replies) of(r *Request) (v any, err error, twice bool) {
	if r.ID == "" || !slices.Contains(k.ids[:], r.ID) {
		return nil, nil, false
	}
	if k.ids[(k.next+keptIDs-1)%keptIDs] == r.ID {
		return k.last, k.err, true
	}
	return nil, errTxGone, true
}

func (k *replies) keep(r *Request, v any, err error) {
	k.ids[k.next] = r.ID
	k.next = (k.next + 1) % keptIDs
	k.last, k.err = v, err
}

// recent are the IDs of what has ended a short time ago: a request that comes late
// must not begin a transaction again, nor make a shard again.
type recent struct {
	now, before map[string]struct{}
	turned      time.Time
}

// endedFor is how long they are known, at the least.
const endedFor = 10 * time.Second

func (e *recent) add(id string) {
	if t := time.Now(); t.Sub(e.turned) > endedFor {
		e.before, e.now, e.turned = e.now, nil, t
	}
	if e.now == nil {
		e.now = map[string]struct{}{}
	}
	e.now[id] = struct{}{}
}

func (e *recent) has(id string) bool {
	_, now := e.now[id]
	_, before := e.before[id]
	return now || before
}
