package vitessdo

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// Tx is a transaction over every shard that it touches.
type Tx struct {
	s    *session
	ctx  context.Context // for observers; nil without
	done bool
}

var _ driver.Tx = (*Tx)(nil)

// Commit commits on all shards or on none. After an error with OutcomeUnknown
// the transaction may turn out to be committed; after any other it is not.
func (t *Tx) Commit() error { return t.end("COMMIT", t.s.commit) }

// Rollback undoes the transaction on all shards.
func (t *Tx) Rollback() error {
	return t.end("ROLLBACK", func(context.Context) error { t.s.rollback(); return nil })
}

func (t *Tx) end(text string, f func(context.Context) error) error {
	if t.done {
		return sql.ErrTxDone
	}
	defer t.s.enter()()
	t.done = true
	return t.s.told(mapError(t.observed(text, f)))
}

// commit ends the session's transaction, if there is one.
func (s *session) commit(ctx context.Context) error {
	tx := s.tx
	if tx == nil {
		return nil
	}
	s.settle()
	s.tx = nil
	if tx.broken != nil {
		return tx.brokenError()
	}
	return tx.commit(ctx)
}

func (s *session) rollback() {
	if s.open != nil && s.tx != nil {
		_ = s.open.Close()
	}
	if s.tx != nil {
		s.tx.rollback()
		s.tx = nil
	}
}
