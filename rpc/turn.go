package rpc

import "context"

// Turn lets one at a time do with a transaction as it likes, until that has ended.
type Turn struct {
	token chan struct{}
	ended bool
	gone  error
}

// NewTurn gives a turn that the caller has. gone is what Take answers once it has ended.
func NewTurn(gone error) *Turn { return &Turn{token: make(chan struct{}, 1), gone: gone} }

// Take waits for the turn.
func (t *Turn) Take(ctx context.Context) error {
	select {
	case <-t.token:
	default:
		select {
		case <-t.token:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if t.ended {
		t.Pass()
		return t.gone
	}
	return nil
}

// Pass gives it to the next one.
func (t *Turn) Pass() { t.token <- struct{}{} }

// End lets nobody have it any more. The caller has it, and passes it all the same.
func (t *Turn) End() { t.ended = true }
