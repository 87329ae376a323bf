package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// shard is a tablet: a list to which transactions append, and whatever the
// protocol needs beside it.
type shard struct {
	name    string
	id      int
	replays bool

	// On disk; the keeper's decisions too.
	list    []entry
	markers map[int]bool
	redo    map[int]bool

	// In memory.
	up     bool
	lock   int // the transaction that may write, or -1
	parts  map[int]*part
	keeper keeper
	queue  []write // on their way to the disk
}

// entry says who appended, and at which position it should stand: a transaction
// reads the list's length and writes after it, so that anybody who comes between
// its reading and its writing shows.
type entry struct{ tx, saw int }

// part is a transaction on the shard.
type part struct {
	protocol.Participant
	saw     int
	open    bool    // in the engine
	carries bool    // its commit has the decision in it
	from    address // who gets the reply
}

// write is one that is on its way to the disk.
type write struct {
	kind writeKind
	tx   int
}

type writeKind uint8

const (
	persist writeKind = iota
	apply
	dropRedo
	dropMarker
	record
	dropDecision
)

var writeNames = [...]string{"redo of", "commit of", "end of the redo of", "end of the marker of", "decision on", "end of the decision on"}

func (k writeKind) String() string { return writeNames[k] }

func newShard(id int, replays bool) *shard {
	return &shard{name: fmt.Sprintf("s%d", id), id: id, replays: replays, up: true, lock: -1,
		markers: map[int]bool{}, redo: map[int]bool{}, parts: map[int]*part{}}
}

// begin is a transaction's first write.
func (s *shard) begin(t *tx, keeps bool) {
	s.lock = t.id
	p := &part{saw: len(s.list), open: true, from: gateAt(t.gate)}
	p.Keeps, p.Replays = keeps, s.replays
	p.Step(protocol.Msg{Kind: protocol.Begin}, nil)
	s.parts[t.id] = p
}

// serve gives a message to the shard's participant or keeper.
func (w *World) serve(s *shard, t *tx, p packet) {
	switch p.msg.Kind {
	case protocol.Decide:
		own := s.parts[t.id]
		p.msg.Open = own != nil && own.Active()
		w.keep(address(s.id), &s.keeper, t, p.msg, p.from)
		if own != nil && own.Active() {
			// The decision was refused: the transaction ends, and with it its lock.
			w.participate(s, t, protocol.Msg{Kind: protocol.Abort})
		}
	case protocol.Ask, protocol.Forget:
		p.msg.Open = s.lock >= 0
		w.keep(address(s.id), &s.keeper, t, p.msg, p.from)
	case protocol.Committed:
		p.msg.Part = ordinal(t, int(p.from))
		w.keep(address(s.id), &s.keeper, t, p.msg, p.from)
	default:
		if own := s.parts[t.id]; own != nil {
			own.from = p.from
		}
		w.participateFor(s, t, p.msg, p.from)
	}
}

// participate gives s's part of t an event of its own.
func (w *World) participate(s *shard, t *tx, in protocol.Msg) {
	to := gateAt(t.gate)
	if p := s.parts[t.id]; p != nil {
		to = p.from
	}
	w.participateFor(s, t, in, to)
}

func (w *World) participateFor(s *shard, t *tx, in protocol.Msg, from address) {
	p := s.parts[t.id]
	if p == nil {
		p = &part{from: from}
		p.Keeps, p.Replays = !w.o.SharedLog, s.replays
		s.parts[t.id] = p
		if i := ordinal(t, s.id); i >= 0 {
			p.saw = t.saw[i] // for Load: it stands in the redo
		}
	}
	if in.Kind == protocol.Carry {
		p.carries = true
	}
	for _, m := range w.o.Flaw.participate(&p.Participant, in) {
		w.do(s, t, p, m)
	}
	if !p.Known() && s.parts[t.id] == p {
		delete(s.parts, t.id)
	}
}

// do carries out one effect of a participant.
func (w *World) do(s *shard, t *tx, p *part, m protocol.Msg) {
	switch m.Kind {
	case protocol.Persist:
		s.queue = append(s.queue, write{persist, t.id})
	case protocol.Apply:
		s.queue = append(s.queue, write{apply, t.id})
	case protocol.DropRedo:
		s.queue = append(s.queue, write{dropRedo, t.id})
	case protocol.DropMarker:
		s.queue = append(s.queue, write{dropMarker, t.id})
	case protocol.Undo:
		p.open = false
	case protocol.Lock:
		if s.lock >= 0 {
			w.fail("%s: %s is found prepared while t%d holds the lock", s.name, t.dtid, s.lock)
		}
		s.lock = t.id
	case protocol.Unlock:
		if s.lock == t.id {
			s.lock = -1
			w.keep(address(s.id), &s.keeper, t, protocol.Msg{Kind: protocol.Unlocked}, address(s.id))
		}
	case protocol.Ask:
		w.send(t, address(s.id), w.holder(t), m)
	default:
		w.send(t, address(s.id), p.from, m)
	}
}

// complete finishes the oldest write of a shard; one that must not fail works
// whatever end says. Of one that nobody knows the end of, the database tells it when it
// answers again.
func (w *World) complete(s *shard, end ending) {
	o := s.queue[0]
	t, p := w.txs[o.tx], s.parts[o.tx]
	carries := o.kind == apply && p != nil && p.carries
	if s.keeper.sick {
		if end == nobodyKnows {
			return
		}
		w.tracef("%s: its database answers again", s.name)
		s.keeper.sick = false
		if w.o.Flaw == LookEarly && end == fails {
			s.persistent(w, o) // after the look
		}
	}
	switch {
	case end == nobodyKnows && carries:
		w.tracef("%s: %s %s fails so that nobody knows what the disk has", s.name, o.kind, t.dtid)
		s.keeper.sick = true
		w.keep(address(s.id), &s.keeper, t, protocol.Msg{Kind: protocol.RecordUnknown}, address(s.id))
		return
	case end == fails && o.kind <= apply:
		s.queue = s.queue[1:]
		w.fails(s, t, o, carries)
		return
	}
	s.queue = s.queue[1:]
	w.tracef("%s: %s %s is durable", s.name, o.kind, t.dtid)
	s.persistent(w, o)
	switch o.kind {
	case persist:
		w.participate(s, t, protocol.Msg{Kind: protocol.Persisted})
	case apply:
		w.participate(s, t, protocol.Msg{Kind: protocol.Applied})
		if carries {
			w.keep(address(s.id), &s.keeper, t, protocol.Msg{Kind: protocol.Recorded}, address(s.id))
		}
	case dropRedo:
		w.participate(s, t, protocol.Msg{Kind: protocol.RedoGone})
	}
}

func (w *World) fails(s *shard, t *tx, o write, carries bool) {
	w.tracef("%s: %s %s fails", s.name, o.kind, t.dtid)
	if o.kind == persist {
		w.participate(s, t, protocol.Msg{Kind: protocol.PersistFailed})
		return
	}
	w.participate(s, t, protocol.Msg{Kind: protocol.ApplyFailed})
	if carries {
		w.keep(address(s.id), &s.keeper, t, protocol.Msg{Kind: protocol.RecordFailed}, address(s.id))
	}
}

// persistent is what a write leaves on the disk.
func (s *shard) persistent(w *World, o write) {
	if o.kind <= apply && s.parts[o.tx] == nil {
		return // only a flaw lets that happen
	}
	switch o.kind {
	case persist:
		// The lock has passed on to this one, so that all others have ended.
		clear(s.redo)
		s.redo[o.tx] = true
	case apply:
		p := s.parts[o.tx]
		if s.markers[o.tx] {
			return // replay finds it and does nothing
		}
		s.append(w, entry{o.tx, p.saw})
		switch {
		case p.carries:
			s.keeper.put(o.tx)
		case w.o.Flaw != NoMarker:
			s.markers[o.tx] = true
		}
	case dropRedo:
		delete(s.redo, o.tx)
	case dropMarker:
		delete(s.markers, o.tx)
	case dropDecision:
		delete(s.keeper.durable, o.tx)
	}
}

func (s *shard) append(w *World, e entry) {
	for _, o := range s.list {
		if o.tx == e.tx {
			w.fail("%s: t%d is applied twice", s.name, e.tx)
			return
		}
	}
	if e.saw != len(s.list) {
		w.fail("%s: t%d wrote what it computed from position %d at position %d: another transaction came between", s.name, e.tx, e.saw, len(s.list))
	}
	s.list = append(s.list, e)
}

func (s *shard) crash(w *World, survive func() bool) {
	for _, o := range s.queue {
		if survive() {
			w.tracef("  %s: %s t%d had reached the disk", s.name, o.kind, o.tx)
			s.persistent(w, o)
		}
	}
	s.up, s.lock, s.queue = false, -1, nil
	s.parts = map[int]*part{}
	s.keeper = keeper{durable: s.keeper.durable}
}

// load reads the disk: what is in doubt takes its lock before anybody may
// write.
func (s *shard) load(w *World) {
	s.up = true
	for _, id := range slices.Sorted(maps.Keys(s.redo)) {
		t := w.txs[id]
		if w.o.Flaw == NoReload {
			continue
		}
		w.participate(s, t, protocol.Msg{Kind: protocol.Load, Open: s.markers[id]})
		if w.o.Flaw == WritersFirst {
			s.lock = -1
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.keeper.durable)) {
		t := w.txs[id]
		s.keeper.Step(t.dtid, protocol.Msg{Kind: protocol.Load, Part: len(t.parts) - 1}, nil)
	}
}

// sweep drops the markers whose redo is gone: a crash came before it could be
// done. logged are the transactions whose redo a log still has.
func (s *shard) sweep(w *World, logged map[int]bool) {
	for _, id := range slices.Sorted(maps.Keys(s.markers)) {
		if !s.redo[id] && !logged[id] {
			w.participate(s, w.txs[id], protocol.Msg{Kind: protocol.RedoGone})
		}
	}
}
