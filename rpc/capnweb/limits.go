package capnweb

// Limits bound what a peer can make a session hold. A zero field means its
// default, which is the protocol's own where it has one. A peer that goes
// beyond a limit ends the session.
type Limits struct {
	// MessageBytes bounds one incoming message; default 32 MiB. Over HTTP it
	// also bounds the whole body.
	MessageBytes int
	// Depth bounds how deep values nest, in both directions; default 256.
	Depth int
	// BigIntDigits bounds the length of a bigint; default 16384.
	BigIntDigits int
	// Exports bounds the entries that the peer may hold here: its calls that it
	// hasn't released, and what was sent to it by reference; default 65536.
	Exports int
	// Imports bounds the references of the peer's that may be held here;
	// default 65536.
	Imports int
	// QueuedBytes bounds what waits to be sent, such as all answers to a batch, and
	// what waits in a stream to be read; default 64 MiB. A call waits while an eighth
	// of it is queued.
	QueuedBytes int
	// StreamWindow is how many bytes a stream sends ahead of the peer's
	// acknowledgements; default 1 MiB.
	StreamWindow int
	// MapSteps bounds the instructions that one map may run over all elements;
	// default 65536.
	MapSteps int
}

// MessageBytes is how large a message may be with these options, which may be nil.
func (o *Options) MessageBytes() int {
	var l Limits
	if o != nil {
		l = o.Limits
	}
	return l.complete().MessageBytes
}

func (l Limits) complete() Limits {
	for _, f := range []struct {
		v *int
		d int
	}{
		{&l.MessageBytes, 32 << 20}, {&l.Depth, 256}, {&l.BigIntDigits, 16384}, {&l.Exports, 1 << 16}, {&l.Imports, 1 << 16},
		{&l.QueuedBytes, 64 << 20}, {&l.StreamWindow, 1 << 20}, {&l.MapSteps, 1 << 16},
	} {
		if *f.v <= 0 {
			*f.v = f.d
		}
	}
	return l
}
