package vitessdo

import (
	"context"
	"errors"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
)

// Every request to a shard carries the version of the schema that it was planned
// with, and a shard that is at another one refuses it, having done nothing. A
// change of the schema moves the version under the write locks of all shards of its
// keyspace. So a write is done before a change or planned with it, and what a query
// gathers from several shards it has read under one schema.

// maxReplans bounds how often a statement is planned anew.
const maxReplans = 20

// planAnew says whether a statement that has failed, after n earlier attempts, is
// to be planned and run once more, as the schema changed between the two. When it
// can't be, that is the end of its transaction.
func (s *session) planAnew(ctx context.Context, err error, n int) bool {
	older := s.asOf != nil
	s.asOf, s.calling = nil, 0
	if n == 0 && s.knownElsewhere(ctx, err) {
		return true
	}
	var refused *tablet.Error
	var undo *exec.UndoError
	if tablet.CodeOf(err) == tablet.CodeWrongShard && !errors.As(err, &undo) {
		// Another gate has changed the topology; nothing was done.
		return n < maxReplans && s.snap != nil && s.cl.refresh(ctx) == nil && s.newest() != s.snap
	}
	if tablet.CodeOf(err) != tablet.CodeSchemaChanged || errors.As(err, &undo) || !errors.As(err, &refused) {
		return false
	}
	if n < maxReplans && !older && s.otherSnapshot(ctx, refused) {
		return true
	}
	if s.tx != nil {
		s.tx.end()
		s.tx.broken = err
	}
	return false
}

// attempted ends the attempts at a statement.
func (s *session) attempted() {
	s.asOf, s.called, s.calling = nil, s.called[:0], 0
}

// otherSnapshot says whether there is another snapshot to plan with than the one
// whose plan a shard has refused: the newest or, in a transaction, the one that the
// shard's snapshot belongs to, which the transaction can read by but not write.
func (s *session) otherSnapshot(ctx context.Context, refused *tablet.Error) bool {
	if s.newest() != s.snap {
		return true
	}
	if s.tx != nil && s.tx.changed() {
		return false // what it has changed was made of this one
	}
	if s.tx != nil {
		for _, old := range s.tx.snaps {
			if m := old.shards[refused.Target.Keyspace]; old != s.snap && m != nil && m.Schema == refused.Schema {
				s.asOf = old
				return true
			}
		}
	}
	// A shard has the change before it is published.
	return s.cl.catchUp(ctx, s.cl.state.Load()) == nil && s.newest() != s.snap
}

// catchUp waits until a change that is being committed is published, if the newest
// snapshot is still old.
func (c *cluster) catchUp(ctx context.Context, old *snapshot) error {
	// Whoever changes the schema holds the catalog when it commits, and waits for
	// nobody then.
	tx, err := c.catTab.Begin(ctx, tablet.TxOptions{Write: true, Age: c.at.nextAge()})
	if err != nil {
		return err
	}
	if err := tx.Rollback(); err != nil || c.state.Load() != old {
		return err
	}
	v, err := c.catalog.Version(ctx)
	if err != nil || v == old.version {
		return err
	}
	return c.reload(ctx)
}
