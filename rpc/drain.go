package rpc

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
)

var errServerClosed = &tablet.Error{Code: tablet.CodeClosing, Message: "the server is closing; it begins nothing new"}

// begins says whether a request is the first of something, and not one that brings
// what is open to its end.
func (r *Request) begins() bool {
	switch r.Type {
	case TypeShardFetch, TypeShardClose, TypeCommitPrepared, TypeRollbackPrepare, TypeConfirm, TypeOutcome, TypeStatus, TypeHealth, TypeLetGo:
		return false
	}
	return r.TxID == "" || r.Begin != nil || r.Type == TypeShardBegin
}

// goesOn says whether a request is the first of a transaction on its shard, and others
// are open that belong to it: it can't end before it has all that it needs. The caller
// has the lock.
func (s *Server) goesOn(client string, r *Request) bool {
	if r.Begin == nil || r.Begin.Age == 0 {
		return false
	}
	for _, x := range s.txs {
		if x.age == r.Begin.Age && x.client == client {
			return true
		}
	}
	return false
}

// letsGo says whether a request ends what keeps others waiting, and nothing else: once it
// is here it is carried out, whoever waits for its answer still.
func (r *Request) letsGo() bool {
	switch r.Type {
	case TypeShardClose, TypeShardRollback, TypeRollbackPrepare, TypeLetGo:
		return true
	}
	return false
}

// left notes that one of what is busy has ended. The caller has the lock.
func (s *Server) left() {
	s.busy--
	s.settled()
}

// settled notes the end of draining. The caller has the lock.
func (s *Server) settled() {
	if !s.draining || s.busy > 0 {
		return
	}
	select {
	case <-s.quiet:
	default:
		close(s.quiet)
	}
}

// Shutdown begins nothing new, waits for what runs and for open transactions and
// cursors until ctx ends, and closes the server.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	s.settled()
	s.mu.Unlock()
	select {
	case <-s.quiet:
	case <-ctx.Done():
	}
	s.http.Drain(ctx) // the answers leave before the sessions do
	_ = s.Close()
}

// Draining says whether Shutdown was called: nothing new is begun.
func (s *Server) Draining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// Stats counts what a server holds.
type Stats struct {
	Sessions     int // WebSockets
	Running      int // requests
	Transactions int // that clients can go on with
	Cursors      int
}

// Stats counts what the server holds now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{s.http.Sessions(), s.runs, len(s.txs), len(s.cursors)}
}
