package sim

import (
	"maps"
	"slices"

	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// keeper is a protocol.Keeper with its disk: a shard's, where a decision is
// written with the shard's own commit, or the log's.
type keeper struct {
	protocol.Keeper
	asked   map[int]address // whom to answer about a decision that is being made
	durable map[int]bool    // the decisions on disk; the log has the redo with them
	queue   []write         // the log's
	sick    bool            // its disk, or database, answers no more
}

// ending is how a write ends.
type ending uint8

const (
	works ending = iota
	fails
	nobodyKnows
)

func (k *keeper) put(tx int) {
	if k.durable == nil {
		k.durable = map[int]bool{}
	}
	k.durable[tx] = true
}

// keep gives the keeper at a an event from somebody, and does what it wants.
func (w *World) keep(a address, k *keeper, t *tx, in protocol.Msg, from address) {
	for _, m := range w.o.Flaw.keep(k, t.dtid, in) {
		switch m.Kind {
		case protocol.Record:
			if k.asked == nil {
				k.asked = map[int]address{}
			}
			k.asked[t.id] = from
			w.record(a, k, t)
		case protocol.DropDecision:
			w.dropDecision(a, k, t)
		case protocol.Commit:
			w.send(t, a, address(t.parts[m.Part]), m)
		case protocol.Decided, protocol.DecideRefused, protocol.DecideUnknown:
			to, waits := from, true
			if in.Kind != protocol.Decide {
				to, waits = k.asked[t.id]
				delete(k.asked, t.id)
			}
			if waits {
				w.send(t, a, to, m)
			}
		default:
			w.send(t, a, from, m)
		}
	}
}

// record makes a decision durable: in the log, or with the holder's own commit.
func (w *World) record(a address, k *keeper, t *tx) {
	if a == theLog {
		k.queue = append(k.queue, write{record, t.id})
		return
	}
	s := w.shards[a]
	if w.o.Flaw == DecideApart {
		k.put(t.id)
	}
	w.participate(s, t, protocol.Msg{Kind: protocol.Carry})
	if w.o.Flaw == AnswerEarly {
		w.keep(a, k, t, protocol.Msg{Kind: protocol.Recorded}, a)
	}
}

func (w *World) dropDecision(a address, k *keeper, t *tx) {
	if a == theLog {
		k.queue = append(k.queue, write{dropDecision, t.id})
		return
	}
	s := w.shards[a]
	s.queue = append(s.queue, write{dropDecision, t.id})
}

// done is a write of the log that has reached the disk.
func (k *keeper) done(w *World, o write, heard bool) {
	t := w.txs[o.tx]
	if o.kind == record {
		k.put(o.tx)
		if heard {
			w.keep(theLog, k, t, protocol.Msg{Kind: protocol.Recorded}, theLog)
		}
		return
	}
	delete(k.durable, o.tx)
	if heard {
		// Nothing can be replayed any more.
		for _, s := range t.parts {
			w.participate(w.shards[s], t, protocol.Msg{Kind: protocol.RedoGone})
		}
	}
}

// complete finishes the log's oldest write.
func (k *keeper) complete(w *World, end ending) {
	if k.sick {
		return
	}
	o := k.queue[0]
	if end == nobodyKnows && o.kind == record {
		w.tracef("log: %s t%d fails so that nobody knows what the disk has", o.kind, o.tx)
		k.sick = true // and a crash tells
		w.keep(theLog, k, w.txs[o.tx], protocol.Msg{Kind: protocol.RecordUnknown}, theLog)
		return
	}
	k.queue = k.queue[1:]
	if end == fails && o.kind == record {
		w.tracef("log: %s t%d fails", o.kind, o.tx)
		w.keep(theLog, k, w.txs[o.tx], protocol.Msg{Kind: protocol.RecordFailed}, theLog)
		return
	}
	w.tracef("log: %s t%d is durable", o.kind, o.tx)
	k.done(w, o, true)
}

func (k *keeper) crash(w *World, survive func() bool) {
	for _, o := range k.queue {
		if survive() {
			w.tracef("  log: %s t%d had reached the disk", o.kind, o.tx)
			k.done(w, o, false)
		}
	}
	*k = keeper{durable: k.durable}
}

// load reads the log and settles what is in it.
func (k *keeper) load(w *World) {
	for _, id := range slices.Sorted(maps.Keys(k.durable)) {
		t := w.txs[id]
		k.Step(t.dtid, protocol.Msg{Kind: protocol.Load, Part: len(t.parts)}, nil)
		for _, i := range t.parts {
			s := w.shards[i]
			w.participate(s, t, protocol.Msg{Kind: protocol.Load, Open: s.markers[id]})
		}
		w.keep(theLog, k, t, protocol.Msg{Kind: protocol.Timeout}, theLog)
	}
}
