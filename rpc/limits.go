package rpc

import (
	"fmt"
	"net/http"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// Limits bound what the clients of a server take. A zero field means its default.
// The errors name the limits by the flags of vitessdo serve. How large a message
// may be is one of the session's limits.
type Limits struct {
	Sessions       int   // WebSockets that are open; default 10000
	Running        int   // requests that run at once; default 10000
	Transactions   int   // open on one shard; default 1000
	StatementBytes int   // the text of one; default 1 MiB
	Statements     int   // statements or executions in one request; default 100000
	ResultRows     int64 // of one statement; default 100 million
	ResultBytes    int64 // the same, as they travel; default 16 GiB
}

func (l *Limits) complete() {
	for _, f := range []struct {
		v *int
		d int
	}{{&l.Sessions, 10_000}, {&l.Running, 10_000}, {&l.Transactions, 1000}, {&l.StatementBytes, 1 << 20}, {&l.Statements, 100_000}} {
		if *f.v <= 0 {
			*f.v = f.d
		}
	}
	if l.ResultRows <= 0 {
		l.ResultRows = 100_000_000
	}
	if l.ResultBytes <= 0 {
		l.ResultBytes = 16 << 30
	}
}

func tooBig(format string, args ...any) error {
	return &tablet.Error{Code: tablet.CodeTooBig, Message: fmt.Sprintf(format, args...)}
}

// admit refuses a request that is larger than it may be.
func (l *Limits) admit(r *Request) error {
	if n := len(r.SQL); n > l.StatementBytes {
		return tooBig("the statement has %d bytes; --max-statement-bytes allows %d", n, l.StatementBytes)
	}
	if n := max(len(r.Batch), r.Count); n > l.Statements {
		return tooBig("the request has %d statements or executions; --max-batch allows %d", n, l.Statements)
	}
	for i := range r.Batch {
		if n := len(r.Batch[i].SQL); n > l.StatementBytes {
			return tooBig("statement %d has %d bytes; --max-statement-bytes allows %d", i+1, n, l.StatementBytes)
		}
	}
	return nil
}

// result refuses a result that has grown beyond what it may have.
func (l *Limits) result(rows, bytes int64) error {
	switch {
	case rows > l.ResultRows:
		return tooBig("the result has more than %d rows, as many as --max-result-rows allows", l.ResultRows)
	case bytes > l.ResultBytes:
		return tooBig("the result has more than %d bytes, as many as --max-result-bytes allows", l.ResultBytes)
	}
	return nil
}

// admitSocket counts one more WebSocket.
func (s *Server) admitSocket() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		return &capnweb.StatusError{Status: http.StatusServiceUnavailable, Text: "the server is closing"}
	case s.sockets >= s.opts.Limits.Sessions:
		return &capnweb.StatusError{Status: http.StatusServiceUnavailable, Text: fmt.Sprintf("%d sessions are open, as many as --max-sessions allows", s.sockets)}
	}
	s.sockets++
	return nil
}

func (s *Server) releaseSocket() {
	s.mu.Lock()
	s.sockets--
	s.mu.Unlock()
}

// admitTx counts one more transaction of a shard. The caller has the lock.
func (s *Server) admitTx(at tablet.Target) error {
	if n := s.open[at]; n >= s.opts.Limits.Transactions {
		return &tablet.Error{Code: tablet.CodeOverloaded, Target: at, Message: fmt.Sprintf("%d transactions are open on this shard, as many as --max-transactions allows", n)}
	}
	s.open[at]++
	s.busy++
	return nil
}

// releaseTx takes one off the count.
func (s *Server) releaseTx(at tablet.Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[at]--; s.open[at] == 0 {
		delete(s.open, at)
	}
	s.left()
}

// Done tells of a request that was carried out.
type Done struct {
	*Request
	Client string // the grant's name
	Took   time.Duration
	Err    error // a *tablet.Error, most often; nil when all went well
}
