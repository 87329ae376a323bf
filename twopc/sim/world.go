package sim

import (
	"fmt"

	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// Options says what world it is.
type Options struct {
	Shards, Gates int
	// SharedLog puts everything into one process whose shards share a log, as an
	// embedded directory does. Else the last participant's commit is the decision.
	SharedLog bool
	// Replays says of a shard that its engine can't hold a prepared transaction.
	Replays func(shard int) bool
	Flaw    Flaw
	// Trace, if not nil, gets a line per step.
	Trace func(line string)
}

// World is nodes, the network between them, and the transactions of a run.
type World struct {
	o      Options
	shards []*shard
	gates  []*gate
	log    *keeper // with SharedLog
	txs    []*tx
	net    []packet
	failed error // the first broken invariant
}

// tx is a transaction: the seed's plan for it, and what its client was told.
type tx struct {
	id     int
	dtid   string
	parts  []int // shards, in the order of their ordinals; the holder is the last
	saw    []int // what the redo holds, for each
	gate   int
	answer *protocol.Outcome
}

// gate runs coordinators, which die with it.
type gate struct {
	name   string
	up     bool
	coords map[int]*protocol.Coordinator
}

// packet is a message on its way.
type packet struct {
	tx   int
	from address
	to   address
	msg  protocol.Msg
}

// address is a shard (0 and up), a gate (-1 and down), or the log.
type address int

const theLog address = 1000

func gateAt(i int) address { return address(-1 - i) }

// New makes a world in which nothing has happened.
func New(o Options) *World {
	w := &World{o: o}
	for i := range o.Shards {
		w.shards = append(w.shards, newShard(i, o.Replays != nil && o.Replays(i)))
	}
	for i := range o.Gates {
		w.gates = append(w.gates, &gate{name: fmt.Sprintf("g%d", i), up: true, coords: map[int]*protocol.Coordinator{}})
	}
	if o.SharedLog {
		w.log = &keeper{}
	}
	return w
}

func (w *World) name(a address) string {
	switch {
	case a == theLog:
		return "log"
	case a < 0:
		return w.gates[-1-a].name
	}
	return w.shards[a].name
}

func (w *World) up(a address) bool {
	switch {
	case a == theLog:
		return w.gates[0].up
	case a < 0:
		return w.gates[-1-a].up
	}
	return w.shards[a].up
}

func (w *World) tracef(format string, args ...any) {
	if w.o.Trace != nil {
		w.o.Trace(fmt.Sprintf(format, args...))
	}
}

// fail notes the first broken invariant.
func (w *World) fail(format string, args ...any) {
	if w.failed == nil {
		w.failed = fmt.Errorf(format, args...)
		w.tracef("BROKEN: %v", w.failed)
	}
}

// holder is where t's decision is kept.
func (w *World) holder(t *tx) address {
	if w.o.SharedLog {
		return theLog
	}
	return address(t.parts[len(t.parts)-1])
}

// start begins a transaction that has written on the shards, and has it
// committed. It says no when a shard or the gate is down or a lock is taken.
func (w *World) start(gate int, shards []int) bool {
	if !w.gates[gate].up {
		return false
	}
	for _, s := range shards {
		if !w.shards[s].up || w.shards[s].lock >= 0 {
			return false
		}
	}
	t := &tx{id: len(w.txs), parts: shards, gate: gate}
	t.dtid = fmt.Sprintf("t%d", t.id)
	w.txs = append(w.txs, t)
	w.tracef("%s begins %s on %v", w.gates[gate].name, t.dtid, shards)
	for _, s := range shards {
		t.saw = append(t.saw, len(w.shards[s].list))
		w.shards[s].begin(t, !w.o.SharedLog)
	}
	c := protocol.NewCoordinator(len(shards), !w.o.SharedLog)
	w.gates[gate].coords[t.id] = &c
	w.coordinate(t, protocol.Msg{Kind: protocol.Start})
	return true
}

// coordinate gives t's coordinator an event, if it is still there.
func (w *World) coordinate(t *tx, in protocol.Msg) {
	g := w.gates[t.gate]
	c := g.coords[t.id]
	if c == nil {
		return
	}
	for _, m := range w.o.Flaw.coordinate(c, in) {
		switch m.Kind {
		case protocol.Answer:
			w.answered(t, m.Outcome)
		case protocol.Decide, protocol.Forget:
			w.send(t, gateAt(t.gate), w.holder(t), m)
		default:
			w.send(t, gateAt(t.gate), address(t.parts[m.Part]), m)
		}
	}
	if c.Ended() {
		delete(g.coords, t.id)
	}
}

func (w *World) answered(t *tx, o protocol.Outcome) {
	w.tracef("%s tells the client that %s %s", w.gates[t.gate].name, t.dtid, told[o])
	if t.answer == nil {
		t.answer = &o
	}
}

var told = [...]string{"has an unknown outcome", "is committed", "is rolled back"}

func (w *World) send(t *tx, from, to address, m protocol.Msg) {
	w.net = append(w.net, packet{t.id, from, to, m})
}

// deliver gives a packet to whom it is for; who is down doesn't get it.
func (w *World) deliver(p packet) {
	t := w.txs[p.tx]
	if !w.up(p.to) {
		w.tracef("%s → %s: %s %s, which is down", w.name(p.from), w.name(p.to), p.msg, t.dtid)
		return
	}
	w.tracef("%s → %s: %s %s", w.name(p.from), w.name(p.to), p.msg, t.dtid)
	switch {
	case p.to == theLog:
		p.msg.Open = true // its coordinators live in the same process
		if p.msg.Kind == protocol.Committed {
			p.msg.Part = ordinal(t, int(p.from))
		}
		w.keep(theLog, w.log, t, p.msg, p.from)
	case p.to < 0:
		p.msg.Part = ordinal(t, int(p.from))
		w.coordinate(t, p.msg)
	default:
		w.serve(w.shards[p.to], t, p)
	}
}

// ordinal is a shard's number among t's participants.
func ordinal(t *tx, shard int) int {
	for i, s := range t.parts {
		if s == shard {
			return i
		}
	}
	return -1
}

// crash loses what a node has in memory. Of the writes that are on their way to
// its disk, survive says which get there all the same.
func (w *World) crash(a address, survive func() bool) {
	w.tracef("%s crashes", w.name(a))
	if a < 0 {
		g := w.gates[-1-a]
		g.up = false
		clear(g.coords)
	} else {
		w.shards[a].crash(w, survive)
	}
}

// crashAll ends the process that everything is in.
func (w *World) crashAll(survive func() bool) {
	for i := range w.gates {
		w.crash(gateAt(i), survive)
	}
	for i := range w.shards {
		w.crash(address(i), survive)
	}
	w.log.crash(w, survive)
	w.net = nil
}

// restart lets a node come back with what its disk has.
func (w *World) restart(a address) {
	w.tracef("%s is back", w.name(a))
	if a < 0 {
		w.gates[-1-a].up = true
		return
	}
	s := w.shards[a]
	s.load(w)
	if !w.o.SharedLog {
		s.sweep(w, nil)
	}
}

// restartAll opens the directory again: before anybody else may write, the log
// gives every shard what was decided.
func (w *World) restartAll() {
	for i := range w.gates {
		w.restart(gateAt(i))
	}
	for i := range w.shards {
		w.restart(address(i))
	}
	w.log.load(w)
	for _, s := range w.shards {
		s.sweep(w, w.log.durable)
	}
}

// giveUp ends a coordinator whose client waits no longer. With a log in its own
// process that happens only when the log can't answer any more.
func (w *World) giveUp(t *tx) {
	if w.gates[t.gate].coords[t.id] != nil {
		w.tracef("%s gives %s up", w.gates[t.gate].name, t.dtid)
		w.coordinate(t, protocol.Msg{Kind: protocol.GiveUp})
	}
}

// tick lets time pass for one transaction at one node.
func (w *World) tick(a address, t *tx) {
	m := protocol.Msg{Kind: protocol.Timeout}
	switch {
	case a == theLog:
		w.keep(theLog, w.log, t, m, theLog)
	case a < 0:
		w.coordinate(t, m)
	default:
		s := w.shards[a]
		if s.parts[t.id] != nil && !w.o.SharedLog {
			w.participate(s, t, m)
		}
		w.keep(a, &s.keeper, t, m, a)
	}
}
