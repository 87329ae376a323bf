package topo

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/vitessdo/vitessdo/tablet"
)

// ErrSequenceExhausted is wrapped by the error for values beyond 2^63-1. It is
// a tablet error with code OUT_OF_RANGE.
var ErrSequenceExhausted = errors.New("the sequence is exhausted")

// NextBlock reserves n values, first to first+n-1, durably: no later call gives
// any of them again, whatever fails. A sequence that does not exist begins at
// 1. It runs in a short transaction of its own, so it must not be called by
// someone who holds a write transaction on the catalog.
func (c *Catalog) NextBlock(ctx context.Context, keyspace, name string, n int64) (first int64, err error) {
	if n < 1 {
		return 0, fmt.Errorf("sequence %s.%s: %d values asked for; at least 1 is wanted", keyspace, name, n)
	}
	last, ok, err := c.reserve(ctx, `INSERT INTO sequences (keyspace, name, last) VALUES (?1, ?2, ?3)
ON CONFLICT (keyspace, name) DO UPDATE SET last = last + ?3 WHERE last <= ?4
RETURNING last`, keyspace, name, n, int64(math.MaxInt64)-n)
	if err != nil {
		return 0, fmt.Errorf("sequence %s.%s: can't reserve %d values: %w", keyspace, name, n, err)
	}
	if !ok {
		return 0, fmt.Errorf("sequence %s.%s: %w", keyspace, name, &tablet.Error{
			Code: tablet.CodeOutOfRange, Target: c.t.Target(), Err: ErrSequenceExhausted,
			Message: fmt.Sprintf("%d more values would go beyond %d", n, int64(math.MaxInt64))})
	}
	return last - n + 1, nil
}

// NextAfter makes the sequence go on above value, for a row that brought its own
// ID, and reserves n values there if that moved it: then ok is true and the
// values value+1 to value+got are the caller's, got being less than n only at
// the end of the integers. Otherwise the sequence was above value already.
func (c *Catalog) NextAfter(ctx context.Context, keyspace, name string, value, n int64) (got int64, ok bool, err error) {
	if value < 1 {
		return 0, false, nil
	}
	got = min(max(n, 0), math.MaxInt64-value)
	_, ok, err = c.reserve(ctx, `INSERT INTO sequences (keyspace, name, last) VALUES (?1, ?2, ?4)
ON CONFLICT (keyspace, name) DO UPDATE SET last = ?4 WHERE last < ?3
RETURNING last`, keyspace, name, value, value+got)
	if err != nil {
		return 0, false, fmt.Errorf("sequence %s.%s: can't advance to %d: %w", keyspace, name, value, err)
	}
	return got, ok, nil
}

// AdvanceSequence makes the sequence go on above atLeast; it never goes back.
func (c *Catalog) AdvanceSequence(ctx context.Context, keyspace, name string, atLeast int64) error {
	_, _, err := c.NextAfter(ctx, keyspace, name, atLeast, 0)
	return err
}

// ReturnBlock gives the values first to last back, if none was reserved after
// them; otherwise they stay unused for ever.
func (c *Catalog) ReturnBlock(ctx context.Context, keyspace, name string, first, last int64) error {
	if first < 1 || first > last {
		return nil
	}
	_, err := c.t.Exec(ctx, &tablet.Query{
		SQL:  `UPDATE sequences SET last = ?3 WHERE keyspace = ?1 AND name = ?2 AND last = ?4`,
		Args: []tablet.Value{keyspace, name, first - 1, last}})
	if err != nil {
		return fmt.Errorf("sequence %s.%s: can't return values %d to %d: %w", keyspace, name, first, last, err)
	}
	return nil
}

// reserveAttempts bounds how often an autocommit statement that lost against
// another writer is run again.
const reserveAttempts = 10

// reserve runs a statement that returns the sequence's new last value, or no
// row when it may not move.
func (c *Catalog) reserve(ctx context.Context, sql string, args ...tablet.Value) (last int64, ok bool, err error) {
	for range reserveAttempts {
		ok = false
		err = each(ctx, c.t, sql, 1, func(row []tablet.Value) error {
			last, ok = asInt(row[0]), true
			return nil
		}, args...)
		if code := tablet.CodeOf(err); code != tablet.CodeConflict && code != tablet.CodeDeadlock {
			break
		}
	}
	return last, ok, err
}

// SetSequence makes next the sequence's next value, also when that goes back,
// for CREATE TABLE … AUTO_INCREMENT=n, ALTER TABLE and TRUNCATE. After the commit
// the caller tells [Sequences.Forget], while no one else inserts.
func (c *Catalog) SetSequence(ctx context.Context, tx tablet.Tx, keyspace, name string, next int64) error {
	if next < 1 {
		return fmt.Errorf("sequence %s.%s: it can't begin at %d; 1 is the least", keyspace, name, next)
	}
	_, err := tx.Exec(ctx, &tablet.Query{SQL: `INSERT INTO sequences (keyspace, name, last) VALUES (?1, ?2, ?3)
ON CONFLICT (keyspace, name) DO UPDATE SET last = excluded.last`, Args: []tablet.Value{keyspace, name, next - 1}})
	if err != nil {
		return fmt.Errorf("sequence %s.%s: can't set it to %d: %w", keyspace, name, next, err)
	}
	return nil
}

// DropSequence forgets the sequence; one that does not exist is fine. A later
// use begins at 1 again.
func (c *Catalog) DropSequence(ctx context.Context, tx tablet.Tx, keyspace, name string) error {
	_, err := tx.Exec(ctx, &tablet.Query{SQL: `DELETE FROM sequences WHERE keyspace = ?1 AND name = ?2`, Args: []tablet.Value{keyspace, name}})
	if err != nil {
		return fmt.Errorf("sequence %s.%s: can't drop it: %w", keyspace, name, err)
	}
	return nil
}

// RenameSequence gives the sequence a new name; one that does not exist is
// fine.
func (c *Catalog) RenameSequence(ctx context.Context, tx tablet.Tx, keyspace, oldName, newName string) error {
	_, err := tx.Exec(ctx, &tablet.Query{SQL: `UPDATE sequences SET name = ?3 WHERE keyspace = ?1 AND name = ?2`, Args: []tablet.Value{keyspace, oldName, newName}})
	if err != nil {
		return fmt.Errorf("sequence %s.%s: can't rename it to %s: %w", keyspace, oldName, newName, err)
	}
	return nil
}

// PeekSequence returns the value that the next reservation would begin at,
// which is above every value handed out.
func (c *Catalog) PeekSequence(ctx context.Context, keyspace, name string) (int64, error) {
	return peekSequence(ctx, c.t, keyspace, name)
}

// PeekSequenceTx is PeekSequence as a transaction on the catalog sees it. Where readers
// wait for a transaction that writes, it is the only way to look from within one.
func (c *Catalog) PeekSequenceTx(ctx context.Context, tx tablet.Tx, keyspace, name string) (int64, error) {
	return peekSequence(ctx, tx, keyspace, name)
}

func peekSequence(ctx context.Context, on tablet.Runner, keyspace, name string) (int64, error) {
	last, err := queryInt(ctx, on, `SELECT last FROM sequences WHERE keyspace = ?1 AND name = ?2`, keyspace, name)
	if err != nil {
		return 0, fmt.Errorf("sequence %s.%s: %w", keyspace, name, err)
	}
	if last == math.MaxInt64 {
		return last, nil
	}
	return last + 1, nil
}
