package vitessdo

import (
	"context"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

// sequenceStore reserves values in the catalog, above what a sequence's table
// says. Vitess keeps sequences in tables (id, next_id, cache), one row with id 0,
// and sets them by writing to these. Here the table only sets the sequence: were
// the values taken from it, taking one would need the write lock of its shard,
// which the very transaction that wants the value may hold.
type sequenceStore struct {
	*topo.Catalog
	c *cluster
}

// NextBlock implements topo.SequenceStore.
func (s *sequenceStore) NextBlock(ctx context.Context, keyspace, name string, n int64) (int64, error) {
	next, err := s.c.nextID(ctx, keyspace, name)
	if err != nil {
		return 0, err
	}
	if err := s.AdvanceSequence(ctx, keyspace, name, next-1); err != nil {
		return 0, err
	}
	return s.Catalog.NextBlock(ctx, keyspace, name, n)
}

// nextID reads what a sequence's table says; 0 when there is none, or no row.
func (c *cluster) nextID(ctx context.Context, ks, name string) (int64, error) {
	shard, query := c.state.Load().sequenceRow(ks, name)
	list := c.tabletsOf(ks)
	if query == "" || shard >= len(list) {
		return 0, nil
	}
	v, err := oneValue(ctx, list[shard], query)
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return 0, nil // it is being dropped
	}
	n, _ := v.(int64)
	return n, err
}

// sequenceRow says where a sequence's table is, and what asks it for the next value; ""
// when there is none.
func (s *snapshot) sequenceRow(ks, name string) (shard int, query string) {
	k := s.vschema.Keyspaces[ks]
	if k == nil {
		return 0, ""
	}
	vt, def := k.Table(name), s.schema.Table(ks, name)
	if vt == nil || vt.Type != vschema.TableSequence || def == nil || def.Column("next_id") == nil || def.Column("id") == nil {
		return 0, ""
	}
	if vt.Pinned != nil {
		shard = max(0, vindex.Locate(s.shards[ks].Ranges, vt.Pinned))
	}
	return shard, `SELECT "next_id" FROM ` + quoteName(def.Name) + ` WHERE "id" = 0`
}

type sequenceName struct{ keyspace, name string }

// writtenSequence says which sequence's table a plan writes, if any.
func (s *snapshot) writtenSequence(p *route.Plan) *sequenceName {
	if p.Write == nil || p.Write.Table == nil {
		return nil
	}
	k := s.vschema.Keyspaces[p.Write.Schema]
	if k == nil {
		return nil
	}
	if vt := k.Table(p.Write.Table.Name); vt != nil && vt.Type == vschema.TableSequence {
		return &sequenceName{p.Write.Schema, vt.Name}
	}
	return nil
}

// sequenceWritten lets a sequence look at its table again: now, and when the
// transaction that wrote it has committed.
func (s *session) sequenceWritten(q sequenceName) {
	s.cl.seqs.Forget(q.keyspace, q.name)
	if s.tx != nil {
		s.tx.sequences = append(s.tx.sequences, q)
	}
}

// nextValue tells the value that a sequence gives next: that of the block which this
// process has reserved, or the one that the next block begins with.
func (s *session) nextValue(ctx context.Context, keyspace, name string) (int64, error) {
	if own, err := s.ownSequence(ctx, keyspace, name); own != nil || err != nil {
		return own.peek(), err
	}
	if next, ok := s.cl.seqs.Peek(keyspace, name); ok {
		return next, nil
	}
	set, err := s.cl.nextID(ctx, keyspace, name)
	if err != nil {
		return 0, err
	}
	next, err := s.cl.catalog.PeekSequence(ctx, keyspace, name)
	return max(next, set), err
}
