package protocol

// Keeper is what one node knows of the decisions that it holds: of the shards
// whose own commits carry one, or of the log. Its zero value knows none.
//
// Who asks about a transaction that it doesn't know is told that it aborts, and
// from then on it must: the keeper sets a tombstone, on which a late Decide
// fails. A decision is accepted only from the transaction that carries it, which
// has held the holder's write lock since before anybody could ask. So the
// tombstone has done its work when the transaction that holds the lock at the
// time of asking has ended, and needs no disk: a crash ends that one too.
type Keeper struct {
	decisions map[string]*decision
	tombs     map[string]struct{}
}

type decision struct {
	durable   bool
	confirmed []bool
	left      int
}

// Step takes an event about a transaction and appends its effects to out; Part
// in Commit says whom to tell.
func (k *Keeper) Step(dtid string, in Msg, out []Msg) []Msg {
	d := k.decisions[dtid]
	switch in.Kind {
	case Decide:
		return k.decide(dtid, d, in, out)
	case Load:
		k.add(dtid, in.Part).durable = true
	case Recorded:
		if d != nil {
			d.durable = true
			out = say(out, Decided)
		}
	case RecordFailed:
		delete(k.decisions, dtid)
		return say(out, DecideRefused)
	case RecordUnknown:
		// Until Recorded, RecordFailed or a restart tells, there is no answer to anybody.
		return say(out, DecideUnknown)
	case Ask:
		return k.ask(dtid, d, in, out)
	case Committed:
		return k.confirm(dtid, d, in.Part, out)
	case Forget:
		return k.forget(dtid, d, out)
	case Timeout:
		return d.tell(out)
	case Unlocked:
		clear(k.tombs)
	}
	return out
}

func (k *Keeper) decide(dtid string, d *decision, in Msg, out []Msg) []Msg {
	if d != nil {
		if d.durable {
			return say(out, Decided)
		}
		return out // the answer is on its way
	}
	if !in.Open {
		return say(out, DecideLost)
	}
	if _, dead := k.tombs[dtid]; dead {
		return say(out, DecideRefused)
	}
	k.add(dtid, in.Part)
	return say(out, Record)
}

func (k *Keeper) ask(dtid string, d *decision, in Msg, out []Msg) []Msg {
	switch {
	case d == nil:
		if in.Open {
			if k.tombs == nil {
				k.tombs = map[string]struct{}{}
			}
			k.tombs[dtid] = struct{}{}
		}
		return append(out, Msg{Kind: Answer, Outcome: Aborts})
	case d.durable:
		return append(out, Msg{Kind: Answer, Outcome: Commits})
	}
	return out
}

// confirm notes that a participant has committed. When all have, nobody will
// ask for the decision any more.
func (k *Keeper) confirm(dtid string, d *decision, part int, out []Msg) []Msg {
	if d == nil || !d.durable || part < 0 || part >= len(d.confirmed) || d.confirmed[part] {
		return out
	}
	d.confirmed[part] = true
	if d.left--; d.left > 0 {
		return out
	}
	return k.forget(dtid, d, out)
}

func (k *Keeper) forget(dtid string, d *decision, out []Msg) []Msg {
	if d == nil || !d.durable {
		return out
	}
	delete(k.decisions, dtid)
	return say(out, DropDecision)
}

func (k *Keeper) add(dtid string, parts int) *decision {
	if k.decisions == nil {
		k.decisions = map[string]*decision{}
	}
	d := &decision{confirmed: make([]bool, parts), left: parts}
	k.decisions[dtid] = d
	return d
}

// tell says Commit to all that have not confirmed.
func (d *decision) tell(out []Msg) []Msg {
	if d == nil || !d.durable {
		return out
	}
	for i, done := range d.confirmed {
		if !done {
			out = append(out, Msg{Kind: Commit, Part: i})
		}
	}
	return out
}

// Pending lists the transactions whose decision is held or being made, in no
// order.
func (k *Keeper) Pending() []string {
	out := make([]string, 0, len(k.decisions))
	for dtid := range k.decisions {
		out = append(out, dtid)
	}
	return out
}

// Tombs is the number of tombstones.
func (k *Keeper) Tombs() int { return len(k.tombs) }
