package topo

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// memoryStore is a SequenceStore that counts its calls.
type memoryStore struct {
	mu     sync.Mutex
	last   map[string]int64
	writes int
	fail   error
	enter  chan struct{} // when not nil, NextBlock tells here that it was called …
	leave  chan struct{} // … and waits here
}

func newStore() *memoryStore { return &memoryStore{last: map[string]int64{}} }

func (m *memoryStore) NextBlock(_ context.Context, keyspace, name string, n int64) (int64, error) {
	if m.enter != nil {
		m.enter <- struct{}{}
		<-m.leave
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return 0, m.fail
	}
	m.writes++
	last := m.last[keyspace+"."+name]
	if last > math.MaxInt64-n {
		return 0, ErrSequenceExhausted
	}
	m.last[keyspace+"."+name] = last + n
	return last + 1, nil
}

func (m *memoryStore) NextAfter(_ context.Context, keyspace, name string, value, n int64) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	got := min(n, math.MaxInt64-value)
	if m.last[keyspace+"."+name] >= value {
		return got, false, nil
	}
	m.last[keyspace+"."+name] = value + got
	return got, true, nil
}

func (m *memoryStore) ReturnBlock(_ context.Context, keyspace, name string, first, last int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first >= 1 && first <= last && m.last[keyspace+"."+name] == last {
		m.last[keyspace+"."+name] = first - 1
	}
	return nil
}

func take(t *testing.T, s *Sequences, n, want int64) {
	t.Helper()
	got, err := s.Take(t.Context(), "main", "t", n)
	if err != nil || got != want {
		t.Fatalf("took %d: got %d, %v, want %d", n, got, err, want)
	}
}

func observe(t *testing.T, s *Sequences, value int64) {
	t.Helper()
	if err := s.Observe(t.Context(), "main", "t", value); err != nil {
		t.Fatal(err)
	}
}

func TestTake(t *testing.T) {
	store := newStore()
	s := NewSequences(store, 10)
	take(t, s, 1, 1)
	take(t, s, 3, 2)
	take(t, s, 6, 5)   // the end of the block
	take(t, s, 7, 11)  // a new one
	take(t, s, 5, 18)  // continues in the next one, which joins it
	take(t, s, 50, 23) // larger than a block
	if got, err := s.Take(t.Context(), "MAIN", "T", 1); err != nil || got != 73 {
		t.Errorf("another spelling: %d, %v", got, err)
	}
	if got, err := s.Take(t.Context(), "main", "u", 1); err != nil || got != 1 {
		t.Errorf("another sequence: %d, %v", got, err)
	}
	if _, err := s.Take(t.Context(), "main", "t", 0); err == nil {
		t.Error("no values were taken")
	}
}

func TestTwoAllocatorsNeverOverlap(t *testing.T) {
	store := newStore()
	a, b := NewSequences(store, 10), NewSequences(store, 10)
	take(t, a, 1, 1)
	take(t, b, 1, 11)
	take(t, a, 9, 2)
	take(t, a, 1, 21)
	take(t, b, 9, 12)
	take(t, b, 1, 31)
}

func TestObserve(t *testing.T) {
	store := newStore()
	s := NewSequences(store, 10)
	observe(t, s, -5)
	observe(t, s, 0)
	if store.writes != 0 {
		t.Errorf("%d writes for values below the first", store.writes)
	}
	observe(t, s, 5) // before any block: reserves 6…15
	take(t, s, 1, 6)
	observe(t, s, 3)
	take(t, s, 1, 7)
	observe(t, s, 9) // within the block
	take(t, s, 1, 10)
	if store.writes != 1 {
		t.Errorf("%d writes, want 1", store.writes)
	}
	observe(t, s, 100)
	take(t, s, 1, 101)
	observe(t, s, 50)
	take(t, s, 1, 102)

	other := NewSequences(store, 10)
	observe(t, other, 60) // the store is beyond already
	if first, err := other.Take(t.Context(), "main", "t", 1); err != nil || first <= store.last["main.t"]-10 {
		t.Errorf("another allocator got %d, %v", first, err)
	}
}

// The rows of an import bring growing IDs; each may not cost a durable write.
func TestObserveGrowingIsCheap(t *testing.T) {
	for _, step := range []int64{1, 7, 5_000_000} {
		store := newStore()
		s := NewSequences(store, 1000)
		for i := int64(1); i <= 100_000; i++ {
			observe(t, s, i*step)
		}
		if store.writes > 40 {
			t.Errorf("step %d: %d writes for 100000 values", step, store.writes)
		}
		take(t, s, 1, 100_000*step+1)
	}
}

func TestExhaustion(t *testing.T) {
	store := newStore()
	s := NewSequences(store, 10)
	store.last["main.t"] = math.MaxInt64 - 4
	take(t, s, 1, math.MaxInt64-3)
	take(t, s, 3, math.MaxInt64-2)
	if _, err := s.Take(t.Context(), "main", "t", 1); !errors.Is(err, ErrSequenceExhausted) {
		t.Errorf("beyond the end: %v", err)
	}
	observe(t, s, math.MaxInt64)
	if _, err := s.Take(t.Context(), "main", "t", math.MaxInt64); !errors.Is(err, ErrSequenceExhausted) {
		t.Errorf("beyond the end: %v", err)
	}
	s = NewSequences(newStore(), 10)
	observe(t, s, math.MaxInt64-1)
	take(t, s, 1, math.MaxInt64)
	if _, err := s.Take(t.Context(), "main", "t", 1); !errors.Is(err, ErrSequenceExhausted) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestForgetAndClose(t *testing.T) {
	store := newStore()
	s := NewSequences(store, 10)
	take(t, s, 3, 1)
	store.last["main.t"] = 99 // ALTER TABLE … AUTO_INCREMENT = 100
	s.Forget("Main", "T")
	s.Forget("main", "unknown")
	take(t, s, 1, 100)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := store.last["main.t"]; got != 100 {
		t.Errorf("after a clean close the store is at %d, want 100", got)
	}
	if _, err := s.Take(t.Context(), "main", "t", 1); err == nil {
		t.Error("a value was taken after close")
	}
	if err := s.Observe(t.Context(), "main", "u", 1); err == nil {
		t.Error("a value was observed after close")
	}
	take(t, NewSequences(store, 10), 1, 101)
}

func TestStoreErrorsPass(t *testing.T) {
	store := newStore()
	store.fail = errors.New("disk full")
	s := NewSequences(store, 10)
	if _, err := s.Take(t.Context(), "main", "t", 1); !errors.Is(err, store.fail) {
		t.Errorf("got %v", err)
	}
	store.fail = nil
	take(t, s, 1, 1)
}

// A caller behind another one's slow refill heeds its own context, and other
// sequences go on.
func TestWaitersHeedTheirContext(t *testing.T) {
	store := newStore()
	s := NewSequences(store, 10)
	if _, err := s.Take(t.Context(), "main", "u", 1); err != nil {
		t.Fatal(err)
	}
	store.enter, store.leave = make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := s.Take(context.Background(), "main", "t", 1)
		done <- err
	}()
	<-store.enter
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Take(ctx, "main", "t", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Take(t.Context(), "main", "u", 1); err != nil {
		t.Errorf("another sequence: %v", err)
	}
	store.leave <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// raceSequences takes and observes from many goroutines and returns every value
// that was handed out; no value may come twice.
func raceSequences(t *testing.T, s *Sequences, seen map[int64]bool, workers, rounds int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			for range rounds {
				n := 1 + r.Int64N(7)
				first, err := s.Take(t.Context(), "main", "t", n)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for v := first; v < first+n; v++ {
					if seen[v] {
						t.Errorf("value %d came twice", v)
					}
					seen[v] = true
				}
				mu.Unlock()
				switch r.IntN(20) {
				case 0:
					own := first + r.Int64N(60)
					if err := s.Observe(t.Context(), "main", "t", own); err != nil {
						t.Error(err)
					}
				case 1:
					s.Forget("main", "t")
				}
			}
		})
	}
	wg.Wait()
}

func TestConcurrentTakes(t *testing.T) {
	store, seen := newStore(), map[int64]bool{}
	for range 5 {
		s := NewSequences(store, 20)
		raceSequences(t, s, seen, 8, 500)
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	s := NewSequences(newStore(), 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Take(b.Context(), "main", "orders_seq", 1); err != nil {
			b.Fatal(err)
		}
	}
}
