package topo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// DefaultBlock is how many values of a sequence are reserved at a time.
const DefaultBlock = 1000

// SequenceStore reserves values durably; [Catalog] is one, and says what its
// methods promise.
type SequenceStore interface {
	NextBlock(ctx context.Context, keyspace, name string, n int64) (first int64, err error)
	NextAfter(ctx context.Context, keyspace, name string, value, n int64) (got int64, ok bool, err error)
	ReturnBlock(ctx context.Context, keyspace, name string, first, last int64) error
}

// Sequences hands out values of sequences from blocks reserved in a store. A
// value is never handed out twice, not by another Sequences on the same store
// nor after a crash; what was reserved but not used then is a gap. It is safe
// for concurrent use, and callers wait for each other only within one sequence.
type Sequences struct {
	store SequenceStore
	block int64

	mu     sync.RWMutex
	m      map[sequenceKey]*sequence
	closed bool
}

type sequenceKey struct{ keyspace, name string }

// sequence is one reserved block.
type sequence struct {
	keyspace, name string
	refill         chan struct{} // held by whoever asks the store; its waiters heed their contexts

	mu        sync.Mutex
	next, end int64 // unused values: next … end; none when next > end
	known     int64 // the store will never reserve a value up to this one again; end when the block holds values
	observed  int64 // the value that NextAfter was last asked about
	dead      bool  // forgotten or closed: look it up again
}

// NewSequences returns an allocator over store that reserves blocks of the
// given size, [DefaultBlock] when 0 or less.
func NewSequences(store SequenceStore, block int64) *Sequences {
	if block <= 0 {
		block = DefaultBlock
	}
	return &Sequences{store: store, block: block, m: map[sequenceKey]*sequence{}}
}

var errSequencesClosed = errors.New("the database is closed")

// get finds or makes the sequence's block. The key folds case as names do.
func (s *Sequences) get(keyspace, name string) (*sequence, error) {
	k := sequenceKey{strings.ToLower(keyspace), strings.ToLower(name)}
	s.mu.RLock()
	q, closed := s.m[k], s.closed
	s.mu.RUnlock()
	if closed {
		return nil, fmt.Errorf("sequence %s.%s: %w", keyspace, name, errSequencesClosed)
	}
	if q != nil {
		return q, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("sequence %s.%s: %w", keyspace, name, errSequencesClosed)
	}
	if q = s.m[k]; q == nil {
		q = &sequence{keyspace: keyspace, name: name, refill: make(chan struct{}, 1), next: 1}
		s.m[k] = q
	}
	return q, nil
}

// Take returns the first of n consecutive values that are now the caller's.
func (s *Sequences) Take(ctx context.Context, keyspace, name string, n int64) (first int64, err error) {
	if n < 1 {
		return 0, fmt.Errorf("sequence %s.%s: %d values asked for; at least 1 is wanted", keyspace, name, n)
	}
	for {
		q, err := s.get(keyspace, name)
		if err != nil {
			return 0, err
		}
		if first, ok := q.take(n); ok {
			return first, nil
		}
		if err := q.lockRefill(ctx); err != nil {
			return 0, err
		}
		first, ok, err := q.reserve(ctx, s.store, s.block, n)
		q.unlockRefill()
		if ok || err != nil {
			return first, err
		}
	}
}

// Observe makes later values be above value, which a row brought itself. It is
// cheap while value lies below or within the reserved block; beyond that it
// reserves a new block durably.
func (s *Sequences) Observe(ctx context.Context, keyspace, name string, value int64) error {
	for {
		q, err := s.get(keyspace, name)
		if err != nil {
			return err
		}
		if q.observe(value) {
			return nil
		}
		if err := q.lockRefill(ctx); err != nil {
			return err
		}
		ok, err := q.reserveAfter(ctx, s.store, s.block, value)
		q.unlockRefill()
		if ok || err != nil {
			return err
		}
	}
}

// Peek tells which value Take gives next, while one is reserved: ok. Another caller
// may have taken it by then.
func (s *Sequences) Peek(keyspace, name string) (next int64, ok bool) {
	q, err := s.get(keyspace, name)
	if err != nil {
		return 0, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next, !q.dead && q.next <= q.end
}

// Forget drops the reserved block without using it, after the sequence itself
// was set, renamed or dropped.
func (s *Sequences) Forget(keyspace, name string) {
	k := sequenceKey{strings.ToLower(keyspace), strings.ToLower(name)}
	s.mu.Lock()
	q := s.m[k]
	delete(s.m, k)
	s.mu.Unlock()
	if q != nil {
		q.kill()
	}
}

// Close gives unused values back, so that a clean restart leaves no gaps, and
// refuses further calls. Its error says only that gaps stay.
func (s *Sequences) Close(ctx context.Context) error {
	s.mu.Lock()
	all := s.m
	s.m, s.closed = nil, true
	s.mu.Unlock()
	var errs []error
	for _, q := range all {
		if err := q.lockRefill(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		first, last := q.kill()
		errs = append(errs, s.store.ReturnBlock(ctx, q.keyspace, q.name, first, last))
		q.unlockRefill()
	}
	return errors.Join(errs...)
}

// lockRefill waits for the right to change the block through the store.
func (q *sequence) lockRefill(ctx context.Context) error {
	select {
	case q.refill <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sequence %s.%s: %w", q.keyspace, q.name, context.Cause(ctx))
	}
}

func (q *sequence) unlockRefill() { <-q.refill }

func (q *sequence) isDead() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dead
}

func (q *sequence) take(n int64) (first int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dead || q.next > q.end || q.end-q.next < n-1 {
		return 0, false
	}
	first = q.next
	q.use(first + (n - 1))
	return first, true
}

// use marks the block's values up to value as used; the caller holds mu.
func (q *sequence) use(value int64) {
	if value >= q.end {
		q.setBlock(1, 0)
		return
	}
	q.next = value + 1
}

// setBlock replaces the block; the caller holds mu.
func (q *sequence) setBlock(next, end int64) {
	q.next, q.end = next, end
	q.known = max(q.known, end)
}

// reserve gets a block that n values fit in and takes them. The caller holds
// refill; ok is false when the sequence has to be looked up again.
func (q *sequence) reserve(ctx context.Context, store SequenceStore, block, n int64) (first int64, ok bool, err error) {
	if first, ok := q.take(n); ok || q.isDead() {
		return first, ok, nil
	}
	size := max(block, n)
	first, err = store.NextBlock(ctx, q.keyspace, q.name, size)
	if errors.Is(err, ErrSequenceExhausted) && size > n {
		size = n
		first, err = store.NextBlock(ctx, q.keyspace, q.name, size)
	}
	if err != nil {
		return 0, false, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dead {
		return 0, false, nil
	}
	end := first + (size - 1)
	if q.next <= q.end && q.end == first-1 {
		first = q.next // the new block continues the old one: nothing is lost
	}
	q.setBlock(first, end)
	q.use(first + (n - 1))
	return first, true, nil
}

// observe says whether value needs no word to the store.
func (q *sequence) observe(value int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dead || value > q.known {
		return false
	}
	if q.next <= value {
		q.use(value)
	}
	return true
}

// maxJump bounds how far reserveAfter reserves ahead.
const maxJump = 1 << 40

// reserveAfter moves the sequence beyond value. The caller holds refill; ok is
// false when the sequence has to be looked up again.
//
// It reserves twice the distance from the last time, so that a caller whose own
// IDs grow, be it by one or by leaps as those made from clocks do, causes ever
// fewer durable writes. In this process the next value is value+1 all the same.
func (q *sequence) reserveAfter(ctx context.Context, store SequenceStore, block, value int64) (ok bool, err error) {
	if q.observe(value) {
		return true, nil
	}
	q.mu.Lock()
	size, dead := block, q.dead
	if q.observed > 0 && value > q.observed {
		size = max(block, min(value-q.observed, maxJump/2)*2)
	}
	q.mu.Unlock()
	if dead {
		return false, nil
	}
	got, moved, err := store.NextAfter(ctx, q.keyspace, q.name, value, size)
	if err != nil {
		return false, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dead {
		return false, nil
	}
	q.observed, q.known = value, max(q.known, value)
	if moved && got > 0 {
		q.setBlock(value+1, value+got)
	} else {
		q.setBlock(1, 0)
	}
	return true, nil
}

func (q *sequence) kill() (first, last int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dead = true
	return q.next, q.end
}
