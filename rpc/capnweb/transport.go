package capnweb

import (
	"context"
	"io"
	"sync"
)

// Transport carries messages, each of them whole and in order. Send and Receive
// are each called by one goroutine at a time; Close may come beside them, more
// than once, and makes both return.
type Transport interface {
	Send(ctx context.Context, message []byte) error
	// Receive gives the next message, or io.EOF when the peer has ended the
	// session in order. The message is the caller's.
	Receive(ctx context.Context) ([]byte, error)
	// Close ends the connection. The reason is nil when this side ends the
	// session in order.
	Close(reason error) error
}

// Pipe gives two transports that are connected to each other in memory.
func Pipe() (a, b Transport) {
	ab, ba := newLane(), newLane()
	return &lanes{in: ba, out: ab}, &lanes{in: ab, out: ba}
}

// lane is one direction of a Pipe.
type lane struct {
	messages chan []byte
	closed   chan struct{}
	once     sync.Once
}

func newLane() *lane { return &lane{messages: make(chan []byte, 16), closed: make(chan struct{})} }

func (l *lane) close() { l.once.Do(func() { close(l.closed) }) }

type lanes struct{ in, out *lane }

func (p *lanes) Send(ctx context.Context, message []byte) error {
	select {
	case <-p.out.closed:
		return io.ErrClosedPipe
	default:
	}
	select {
	case p.out.messages <- append([]byte(nil), message...):
		return nil
	case <-p.out.closed:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *lanes) Receive(ctx context.Context) ([]byte, error) {
	// What was sent before the end is delivered.
	select {
	case m := <-p.in.messages:
		return m, nil
	default:
	}
	select {
	case m := <-p.in.messages:
		return m, nil
	case <-p.in.closed:
		select {
		case m := <-p.in.messages:
			return m, nil
		default:
			return nil, io.EOF
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *lanes) Close(error) error {
	p.in.close()
	p.out.close()
	return nil
}
