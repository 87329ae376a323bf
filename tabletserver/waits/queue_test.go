package waits

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/tablet"
)

var autocommit = Claim{Age: Youngest}

// hold takes a lock that is free.
func hold(t *testing.T, q *Queue, c Claim) {
	t.Helper()
	if err := q.Acquire(t.Context(), c, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// begin begins to wait; what comes of it, the channel gives.
func begin(t *testing.T, q *Queue, c Claim) <-chan error {
	t.Helper()
	n := q.Len()
	got := make(chan error, 1)
	go func() { got <- q.Acquire(context.WithoutCancel(t.Context()), c, time.Minute) }()
	await.True(t, "it waits, or has an answer", func() bool { return q.Len() > n || len(got) > 0 })
	return got
}

func wantCode(t *testing.T, err error, code tablet.Code) {
	t.Helper()
	if tablet.CodeOf(err) != code {
		t.Errorf("the error is %v, not one of %q", err, code)
	}
}

func yes() bool { return true }

// The lock goes to who asked first.
func TestQueueIsFair(t *testing.T) {
	lock := New().Queue()
	hold(t, lock, autocommit)
	const n = 50
	order := make(chan int, n)
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			if err := lock.Acquire(t.Context(), Claim{ID: uint64(i + 1), Age: uint64(n - i)}, time.Minute); err != nil {
				t.Error(err)
			}
			order <- i
			lock.Release()
		})
		await.True(t, "the next one waits", func() bool { return lock.Len() == i+1 })
	}
	lock.Release()
	for i := range n {
		if got := <-order; got != i {
			t.Fatalf("number %d has the lock, not %d", got, i)
		}
	}
	work.Wait()
	hold(t, lock, autocommit)
}

// Two transactions want two locks in opposite order: whoever closes the circle, the
// younger one dies, and the other one goes on.
func TestCircle(t *testing.T) {
	for _, first := range []uint64{1, 2} { // who begins to wait first
		g := New()
		a, b := g.Queue(), g.Queue()
		old, young := Claim{ID: 11, Age: 1, Holds: yes}, Claim{ID: 12, Age: 2, Holds: yes}
		hold(t, a, old)
		hold(t, b, young)
		var waits [2]<-chan error
		if first == 1 {
			waits[0] = begin(t, b, old)
			waits[1] = begin(t, a, young)
		} else {
			waits[1] = begin(t, a, young)
			waits[0] = begin(t, b, old)
		}
		wantCode(t, <-waits[1], tablet.CodeDeadlock)
		b.Release()
		if err := <-waits[0]; err != nil {
			t.Fatal(err)
		}
		a.Release()
		b.Release()
	}
}

// Nobody dies for waiting alone, however old the others are.
func TestNoCircle(t *testing.T) {
	g := New()
	a, b := g.Queue(), g.Queue()
	hold(t, a, Claim{ID: 1, Age: 1})
	second := begin(t, a, Claim{ID: 2, Age: 2})
	hold(t, b, Claim{ID: 3, Age: 3})
	third := begin(t, a, Claim{ID: 3, Age: 3, Holds: yes})
	a.Release()
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	a.Release()
	if err := <-third; err != nil {
		t.Fatal(err)
	}
}

// A transaction that waits at several locks at once dies at all of them.
func TestDiesEverywhere(t *testing.T) {
	g := New()
	a, b, c := g.Queue(), g.Queue(), g.Queue()
	old, young := Claim{ID: 1, Age: 1}, Claim{ID: 2, Age: 2}
	hold(t, a, old)
	hold(t, b, young)
	hold(t, c, autocommit)
	there := begin(t, c, young)
	here := begin(t, a, young)
	up := begin(t, b, old)
	wantCode(t, <-there, tablet.CodeDeadlock)
	wantCode(t, <-here, tablet.CodeDeadlock)
	b.Release()
	if err := <-up; err != nil {
		t.Fatal(err)
	}
	// A circle by the queue's order alone: 3 is ahead of 4 here, whom it waits for there.
	hold(t, g.Queue(), Claim{ID: 4, Age: 4})
	d := g.Queue()
	hold(t, d, Claim{ID: 4, Age: 4})
	first := begin(t, c, Claim{ID: 3, Age: 3})
	second := begin(t, c, Claim{ID: 4, Age: 4})
	third := begin(t, d, Claim{ID: 3, Age: 3})
	wantCode(t, <-second, tablet.CodeDeadlock)
	d.Release()
	c.Release()
	for _, got := range []<-chan error{first, third} {
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	}
}

// Strangers may wait elsewhere, so that their ages decide.
func TestStrangers(t *testing.T) {
	for _, c := range []struct {
		name    string
		holder  uint64
		waiters []uint64
		age     uint64
		holds   func() bool
		dies    bool
	}{
		{"older holder", 3, nil, 4, yes, true},
		{"same age", 3, nil, 3, yes, true},
		{"younger holder", 5, nil, 4, yes, false},
		{"holds nothing", 3, nil, 4, func() bool { return false }, false},
		{"older waiter", 5, []uint64{7, 3}, 4, yes, true},
		{"younger waiters", 5, []uint64{7, 6}, 4, yes, false},
		{"autocommit", Youngest, []uint64{Youngest}, math.MaxUint64 - 1, yes, false},
		{"in order", tablet.Eldest, []uint64{tablet.Eldest}, tablet.Eldest, nil, false},
	} {
		for place, g := range map[string]*Graph{"a tablet by itself": nil, "tablets together": New()} {
			t.Run(c.name+" at "+place, func(t *testing.T) {
				lock := g.Queue()
				hold(t, lock, Claim{Age: c.holder})
				var got []<-chan error
				for _, age := range c.waiters {
					got = append(got, begin(t, lock, Claim{Age: age}))
				}
				err := lock.Acquire(t.Context(), Claim{Age: c.age, Holds: c.holds}, time.Millisecond)
				wantCode(t, err, map[bool]tablet.Code{true: tablet.CodeDeadlock, false: tablet.CodeLockTimeout}[c.dies])
				lock.Release()
				for _, g := range got {
					if err := <-g; err != nil {
						t.Fatal(err)
					}
					lock.Release()
				}
			})
		}
	}
}

// A known transaction that comes between two strangers makes the one wait for the
// other: the youngest of those who wait then dies.
func TestBetweenStrangers(t *testing.T) {
	for _, c := range []struct {
		name               string
		first, known, last uint64 // ages: first waits for known, which waits for last
		dies               string
	}{
		{"in order", 3, 9, 4, ""},
		{"the known one is younger", 4, 9, 3, "known"},
		{"the stranger is younger", 8, 5, 3, "first"},
		{"locks in order", tablet.Eldest, 5, tablet.Eldest, "known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := New()
			a, b := g.Queue(), g.Queue()
			known := Claim{ID: 7, Age: c.known}
			hold(t, a, known)
			hold(t, b, Claim{Age: c.last})
			first := begin(t, a, Claim{Age: c.first, Holds: yes})
			middle := begin(t, b, known)
			switch c.dies {
			case "first":
				wantCode(t, <-first, tablet.CodeDeadlock)
			case "known":
				wantCode(t, <-middle, tablet.CodeDeadlock)
			}
			if c.dies != "known" {
				b.Release()
				if err := <-middle; err != nil {
					t.Fatal(err)
				}
			}
			a.Release()
			if c.dies != "first" {
				if err := <-first; err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Whoever gives up, by time or by context, is waited for no longer.
func TestGiveUp(t *testing.T) {
	g := New()
	a, b := g.Queue(), g.Queue()
	one, two := Claim{ID: 1, Age: 1}, Claim{ID: 2, Age: 2}
	hold(t, a, one)
	hold(t, b, two)
	wantCode(t, b.Acquire(t.Context(), one, time.Millisecond), tablet.CodeLockTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantCode(t, b.Acquire(ctx, one, time.Minute), tablet.CodeCanceled)
	wantCode(t, b.Acquire(tablet.WithLockWait(t.Context(), -1), one, time.Minute), tablet.CodeLockNoWait)
	got := begin(t, a, two)
	a.Close()
	wantCode(t, <-got, tablet.CodeClosed)
	wantCode(t, a.Acquire(t.Context(), one, time.Minute), tablet.CodeClosed)
	if len(g.known) > 0 || len(g.strangers) > 0 || g.several != 0 {
		t.Errorf("the graph keeps waits that have ended: %v, %v, %d", g.known, g.strangers, g.several)
	}
	var e *tablet.Error
	if err := deadlock(2); !errors.As(err, &e) || !e.Retryable() {
		t.Errorf("%v can't be retried", err)
	}
}
