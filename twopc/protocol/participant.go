package protocol

// Participant is one transaction on one shard. From its first write it holds
// the shard's write lock, and gives it up when it is committed or rolled back,
// not before: what it has promised must still be true then. The zero value is a
// transaction that the shard knows nothing of, which is also what every other
// one becomes in the end.
type Participant struct {
	phase partPhase
	// Keeps says that this shard keeps the redo itself and must make it durable
	// before it promises. Without it a log that shares the shard's fate does.
	Keeps bool
	// Replays says that the engine can't hold a prepared transaction open: it is
	// rolled back when its redo is safe, and replayed at commit. The lock
	// stays, so that nothing comes between.
	Replays bool
	applied applyState
}

type partPhase uint8

const (
	none      partPhase = iota
	active              // it has written
	promising           // its redo is on its way to the disk
	giving              // the same, but it is to be rolled back
	prepared            // only the holder may say what becomes of it
	applying            // decided to commit
	carrying            // its commit is the decision
)

type applyState uint8

const (
	atWork applyState = iota
	failed            // to be tried again
)

// Known says whether the shard knows the transaction.
func (p *Participant) Known() bool { return p.phase != none }

// Active says whether it has promised nothing yet, so that its own commit can
// carry a decision.
func (p *Participant) Active() bool { return p.phase == active }

// InDoubt says whether it waits for the holder's word.
func (p *Participant) InDoubt() bool { return p.phase == prepared }

// Decided says whether it is to commit.
func (p *Participant) Decided() bool { return p.phase == applying }

// Step takes an event and appends its effects to out.
func (p *Participant) Step(in Msg, out []Msg) []Msg {
	switch p.phase {
	case none:
		return p.unknown(in, out)
	case active:
		return p.open(in, out)
	case promising:
		return p.promise(in, out)
	case giving:
		if in.Kind == Persisted || in.Kind == PersistFailed {
			return p.rollback(out, Aborted)
		}
	case prepared:
		return p.doubt(in, out)
	case applying:
		return p.apply(in, out)
	case carrying:
		return p.carry(in, out)
	}
	return out
}

func (p *Participant) unknown(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Begin:
		p.phase = active
	case Prepare:
		return say(out, Refused)
	case Commit:
		// It has promised, or nobody could have decided, and it breaks a promise
		// only by an Abort, which nobody says of what is decided. So it has
		// committed, and forgotten.
		return say(out, Committed)
	case Abort:
		return say(out, Aborted)
	case Load:
		switch {
		case !in.Open:
		case p.Keeps:
			return say(out, DropRedo)
		default:
			return out // the log goes on until everybody has it
		}
		p.phase = prepared
		return say(out, Lock)
	case RedoGone:
		return say(out, DropMarker)
	}
	return out
}

func (p *Participant) open(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Prepare:
		if p.Keeps {
			p.phase = promising
			return say(out, Persist)
		}
		p.phase = prepared
		if p.Replays {
			out = say(out, Undo)
		}
		return say(out, Prepared)
	case Carry:
		p.phase = carrying
		return say(out, Apply)
	case Abort:
		p.phase = none
		return say(out, Undo, Unlock, Aborted)
	case Timeout:
		p.phase = none
		return say(out, Undo, Unlock)
	}
	return out
}

func (p *Participant) promise(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Persisted:
		p.phase = prepared
		if p.Replays {
			out = say(out, Undo)
		}
		return say(out, Prepared)
	case PersistFailed:
		return p.rollback(out, Refused)
	case Abort:
		p.phase = giving
	}
	return out
}

func (p *Participant) doubt(in Msg, out []Msg) []Msg {
	switch {
	case in.Kind == Prepare:
		return say(out, Prepared)
	case in.Kind == Commit, in.Kind == Answer && in.Outcome == Commits:
		p.phase, p.applied = applying, atWork
		return say(out, Apply)
	case in.Kind == Abort, in.Kind == Answer && in.Outcome == Aborts:
		return p.rollback(out, Aborted)
	case in.Kind == Timeout:
		return say(out, Ask)
	}
	return out
}

func (p *Participant) apply(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Applied:
		p.phase = none
		if p.Keeps {
			out = say(out, DropRedo)
		}
		return say(out, Unlock, Committed)
	case ApplyFailed:
		// The lock stays: nothing may come between it and the next attempt.
		p.applied = failed
	case Commit, Timeout:
		if p.applied == failed {
			p.applied = atWork
			return say(out, Apply)
		}
	}
	return out
}

func (p *Participant) carry(in Msg, out []Msg) []Msg {
	switch in.Kind {
	case Applied:
		p.phase = none
		return say(out, Unlock)
	case ApplyFailed:
		p.phase = none
		return say(out, Undo, Unlock)
	}
	return out
}

func (p *Participant) rollback(out []Msg, reply Kind) []Msg {
	p.phase = none
	out = say(out, Undo)
	if p.Keeps {
		out = say(out, DropRedo)
	}
	return say(out, Unlock, reply)
}

func say(out []Msg, kinds ...Kind) []Msg {
	for _, k := range kinds {
		out = append(out, Msg{Kind: k})
	}
	return out
}
