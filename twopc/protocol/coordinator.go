package protocol

// Coordinator commits one transaction over two or more writers. It is volatile:
// one that is lost is not replaced, since every participant can find out from
// the holder. Participants that only read, and a transaction with one writer,
// never come here.
type Coordinator struct {
	phase phase
	// Preparers are asked to prepare, the ordinals 0 to preparers-1; with a last
	// participant as the holder, that one has the ordinal after.
	preparers int
	last      bool
	done      []bool // who has prepared, later who has committed
	left      int
	answered  bool
}

type phase uint8

const (
	idle phase = iota
	preparing
	deciding   // from here on the coordinator may not abort
	committing // decided
	ended
)

// NewCoordinator makes one for a number of writers. last says that the last of
// them holds the decision: its own commit carries it. Else a log does, and all
// writers prepare.
func NewCoordinator(writers int, last bool) Coordinator {
	n := writers
	if last {
		n--
	}
	return Coordinator{preparers: n, last: last, done: make([]bool, n), left: n}
}

// Preparers is the number of writers that prepare.
func (c *Coordinator) Preparers() int { return c.preparers }

// Ended says that nothing is left to do or to answer.
func (c *Coordinator) Ended() bool { return c.phase == ended }

// Deciding says that the outcome is the holder's matter.
func (c *Coordinator) Deciding() bool { return c.phase == deciding }

// Left is the number of participants that have yet to prepare or, after the
// decision, to commit.
func (c *Coordinator) Left() int { return c.left }

// Step takes an event and appends its effects to out: Prepare, Decide, Commit,
// Abort, Forget, and one Answer to the client.
func (c *Coordinator) Step(in Msg, out []Msg) []Msg {
	switch c.phase {
	case idle:
		if in.Kind == Start {
			c.phase = preparing
			return c.all(Prepare, out)
		}
	case preparing:
		return c.prepare(in, out)
	case deciding:
		return c.decide(in, out)
	case committing:
		return c.commit(in, out)
	}
	return out
}

func (c *Coordinator) prepare(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Prepared:
		if c.tick(in.Part) {
			c.phase = deciding
			return append(out, Msg{Kind: Decide, Part: c.preparers})
		}
	case Refused, Timeout, GiveUp:
		// Nothing was sent to the holder: no decision can come about.
		return c.abort(Aborts, out)
	}
	return out
}

func (c *Coordinator) decide(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Decided:
		c.phase, c.left = committing, c.preparers
		clear(c.done)
		return c.all(Commit, c.answer(Commits, out))
	case DecideRefused:
		return c.abort(Aborts, out)
	case DecideLost:
		// Nothing will be decided any more. But it may have been, and its answer
		// lost, and then every participant has committed, so that Abort can do no
		// harm; which of the two, nobody knows.
		return c.abort(Unknown, out)
	case DecideUnknown:
		return c.answer(Unknown, out)
	case Timeout:
		// Not to a log: it lives in the coordinator's process and answers every
		// Decide. With one that it has refused it would take a second for news.
		if c.last {
			return append(out, Msg{Kind: Decide, Part: c.preparers})
		}
	case GiveUp:
		c.phase = ended // the participants will ask
		return c.answer(Unknown, out)
	}
	return out
}

func (c *Coordinator) commit(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Committed:
		if c.tick(in.Part) {
			c.phase = ended
			return append(out, Msg{Kind: Forget})
		}
	case Timeout:
		return c.all(Commit, out)
	case GiveUp:
		c.phase = ended // the holder goes on
	}
	return out
}

// tick notes a participant's reply; it says whether it was the last one.
func (c *Coordinator) tick(part int) bool {
	if part < 0 || part >= c.preparers || c.done[part] {
		return false
	}
	c.done[part] = true
	c.left--
	return c.left == 0
}

// all says kind to every participant that has not replied.
func (c *Coordinator) all(kind Kind, out []Msg) []Msg {
	for i, done := range c.done {
		if !done {
			out = append(out, Msg{Kind: kind, Part: i})
		}
	}
	return out
}

// abort ends the transaction on all writers, the holder's own among them.
func (c *Coordinator) abort(o Outcome, out []Msg) []Msg {
	c.phase = ended
	n := c.preparers
	if c.last {
		n++
	}
	for i := range n {
		out = append(out, Msg{Kind: Abort, Part: i})
	}
	return c.answer(o, out)
}

// answer tells the client, once.
func (c *Coordinator) answer(o Outcome, out []Msg) []Msg {
	if c.answered {
		return out
	}
	c.answered = true
	return append(out, Msg{Kind: Answer, Outcome: o})
}
