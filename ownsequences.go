package vitessdo

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
)

// ownSequence is a sequence that a transaction has made, set or renamed. Its values
// are drawn here, as nobody else can use the table, and the catalog is told when the
// transaction commits.
type ownSequence struct{ next int64 }

// take gives the first of n values.
func (q *ownSequence) take(name string, n int64) (int64, error) {
	if q.next > math.MaxInt64-n {
		return 0, &tablet.Error{Code: tablet.CodeOutOfRange, Err: topo.ErrSequenceExhausted,
			Message: fmt.Sprintf("sequence %s: %d more values would go beyond %d", name, n, int64(math.MaxInt64))}
	}
	first := q.next
	q.next += n
	return first, nil
}

// observe makes later values be above v.
func (q *ownSequence) observe(v int64) {
	if v >= q.next && v < math.MaxInt64 {
		q.next = v + 1
	}
}

// folded is the name as a key: names have no case.
func (q sequenceName) folded() sequenceName {
	return sequenceName{strings.ToLower(q.keyspace), strings.ToLower(q.name)}
}

// peek is the next value; 0 for none.
func (q *ownSequence) peek() int64 {
	if q == nil {
		return 0
	}
	return q.next
}

// ownSequence gives a sequence that the session's transaction has changed, else nil.
func (s *session) ownSequence(ctx context.Context, keyspace, name string) (*ownSequence, error) {
	if s.tx == nil || !s.tx.changed() {
		return nil, nil
	}
	c, at := s.tx.changes, sequenceName{keyspace, name}.folded()
	own := c.sequences[at]
	shard, query := c.snap.sequenceRow(keyspace, name)
	if query == "" || own == nil && c.base.schema.Table(keyspace, name) != nil {
		return own, nil
	}
	// Nobody else sees the sequence's table yet, or what it says now.
	tx, err := s.Tx(ctx, keyspace, shard, exec.Reading)
	if err != nil {
		return nil, err
	}
	v, err := oneValue(ctx, tx, query)
	if err != nil {
		return nil, err
	}
	if own == nil {
		own = &ownSequence{1}
		if c.sequences == nil {
			c.sequences = map[sequenceName]*ownSequence{}
		}
		c.sequences[at] = own
	}
	if n, ok := v.(int64); ok {
		own.observe(n - 1)
	}
	return own, nil
}

// renumber follows what a change does to sequences.
func (c *changes) renumber(ctx context.Context, cl *cluster, ch *schemaChange) error {
	if len(ch.Sequences) > 0 && c.sequences == nil {
		c.sequences = map[sequenceName]*ownSequence{}
	}
	// now is where a sequence stands that goes on.
	now := func(at sequenceName) (*ownSequence, error) {
		if own := c.sequences[at.folded()]; own != nil {
			return &ownSequence{own.next}, nil
		}
		next, err := cl.catalog.PeekSequence(ctx, at.keyspace, at.name)
		return &ownSequence{next}, err
	}
	for _, q := range ch.Sequences {
		at, err := sequenceOf(ch.keyspace, q), error(nil)
		own := &ownSequence{max(q.Next, ch.highest[at]+1, 1)}
		switch {
		case q.From != "":
			from := sequenceName{at.keyspace, q.From}
			if own, err = now(from); err == nil {
				delete(c.sequences, from.folded())
			}
		case q.Drop:
			delete(c.sequences, at.folded())
			continue
		case q.AtLeast:
			var old *ownSequence
			if old, err = now(at); err == nil {
				own.next = max(own.next, old.next)
			}
		}
		if err != nil {
			return err
		}
		c.sequences[at.folded()] = own
	}
	return nil
}

// recordDrawn has the sequences in the catalog go on above what was drawn of them. They
// are there by then as the changes have left them.
func (c *changes) recordDrawn(ctx context.Context, catalog *topo.Catalog, cat tablet.Tx) error {
	for at, q := range c.sequences {
		now, err := catalog.PeekSequenceTx(ctx, cat, at.keyspace, at.name)
		if err == nil && q.next > now {
			err = catalog.SetSequence(ctx, cat, at.keyspace, at.name, q.next)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
