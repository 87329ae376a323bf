package lease_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/lease"
)

// database is what processes want to own: a row, and a clock that runs at a rate of its own.
type database struct {
	rate  float64
	start time.Time

	mu      sync.Mutex
	owner   string
	expires time.Duration
	turn    int64
}

func newDatabase(rate float64) *database { return &database{rate: rate, start: time.Now()} }

func (d *database) now() time.Duration {
	return time.Duration(float64(time.Since(d.start)) * d.rate)
}

// write is a transaction that writes, as engines fence it.
func (d *database) write(owner string) (turn int64, mine bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.owner != owner {
		return 0, false
	}
	d.turn++
	return d.turn, true
}

// link is how one process reaches the database: requests and answers take their time, or
// don't come through at all.
type link struct {
	*database
	delay func() time.Duration // of each way
	mu    sync.Mutex
	cut   bool
}

var errCut = errors.New("the network is down")

func (k *link) setCut(cut bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = cut
}

// travel is one way of a request. One that is lost is waited for until the context ends.
func (k *link) travel(ctx context.Context) error {
	k.mu.Lock()
	cut := k.cut
	k.mu.Unlock()
	if cut {
		<-ctx.Done()
		return errCut
	}
	if k.delay != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(k.delay()):
		}
	}
	return ctx.Err()
}

func (k *link) ask(ctx context.Context, do func()) error {
	if err := k.travel(ctx); err != nil {
		return err
	}
	k.database.mu.Lock()
	do()
	k.database.mu.Unlock()
	return k.travel(ctx)
}

func (k *link) Claim(ctx context.Context, owner string, until time.Duration, steal bool) (left time.Duration, err error) {
	err = k.ask(ctx, func() {
		if k.owner != "" {
			left = max(0, k.expires-k.now())
		}
		if left == 0 || steal {
			k.owner, k.expires, left = owner, k.now()+until, 0
		}
	})
	return left, err
}

func (k *link) Renew(ctx context.Context, owner string, until time.Duration) (still bool, err error) {
	err = k.ask(ctx, func() {
		if still = k.owner == owner; still {
			k.expires = k.now() + until
		}
	})
	return still, err
}

func (k *link) Release(ctx context.Context, owner string) error {
	return k.ask(ctx, func() {
		if k.owner == owner {
			k.owner = ""
		}
	})
}

func take(t *testing.T, s lease.Store, o lease.Options) *lease.Lease {
	t.Helper()
	if o.Name == "" {
		o.Name = "the shard"
	}
	l, err := lease.Take(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func wantCode(t *testing.T, err error, code tablet.Code) {
	t.Helper()
	if got := tablet.CodeOf(err); err == nil && code != "" || err != nil && got != code {
		t.Helper()
		t.Errorf("the error is %v, want code %q", err, code)
	}
}

// TestTwoOwners: the second one waits until the first has closed, or was silent for its
// lease; one that was killed doesn't write when it wakes up again.
func TestTwoOwners(t *testing.T) {
	ends := map[string]struct {
		end   func(l *lease.Lease, k *link)
		after time.Duration // from its last sign of life
	}{
		"closed":  {func(l *lease.Lease, _ *link) { l.Close() }, 0},
		"killed":  {func(_ *lease.Lease, k *link) { k.setCut(true) }, lease.Default + lease.Margin},
		"waiting": {func(_ *lease.Lease, _ *link) {}, -1},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDatabase(1)
				k := &link{database: d}
				first := take(t, k, lease.Options{})
				_, err := lease.Take(t.Context(), &link{database: d}, lease.Options{Name: "the shard"})
				wantCode(t, err, tablet.CodeLockTimeout)
				if want := "the shard is another process's, which was last there less than 15s ago; close it, or wait 16 s if it was killed"; err == nil || err.Error() != want {
					t.Errorf("the error is %q, want %q", err, want)
				}
				end.end(first, k)
				began := time.Now()
				for {
					second, err := lease.Take(t.Context(), &link{database: d}, lease.Options{})
					switch waited := time.Since(began); {
					case err == nil && waited == end.after:
						defer second.Close()
						if _, mine := d.write(second.Owner()); !mine {
							t.Error("the second owner can't write")
						}
						if _, mine := d.write(first.Owner()); mine {
							t.Error("the first owner writes still")
						}
						return
					case err == nil:
						t.Fatalf("there is a second owner after %s, want %s", waited, end.after)
					case waited > time.Hour && end.after < 0:
						wantCode(t, first.Held(), "")
						return
					case waited > time.Hour:
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}

// TestLostConnection: reads end with the lease, begin again with the connection, and end
// for ever when another one has come meanwhile.
func TestLostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(1)
		k := &link{database: d}
		l := take(t, k, lease.Options{})
		time.Sleep(time.Hour)
		wantCode(t, l.Held(), "")

		k.setCut(true)
		time.Sleep(lease.Default - lease.Default/4)
		wantCode(t, l.Held(), "") // it was moved on a quarter before at the latest
		time.Sleep(lease.Default)
		wantCode(t, l.Held(), tablet.CodeIO)

		k.setCut(false)
		time.Sleep(lease.Default) // the request that hangs, and the next one
		wantCode(t, l.Held(), "")

		k.setCut(true)
		time.Sleep(lease.Default + lease.Margin)
		other := take(t, &link{database: d}, lease.Options{})
		k.setCut(false)
		time.Sleep(lease.Default)
		wantCode(t, l.Held(), tablet.CodeClosed)
		l.Close()
		wantCode(t, other.Held(), "")
		if _, mine := d.write(other.Owner()); !mine {
			t.Error("who was closed late has taken the database from its owner")
		}
	})
}

// TestSteal: the one it is taken from writes nothing from then on, and learns of it.
func TestSteal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(1)
		first := take(t, &link{database: d}, lease.Options{})
		second := take(t, &link{database: d}, lease.Options{Steal: true})
		if _, mine := d.write(first.Owner()); mine {
			t.Error("the first owner writes still")
		}
		wantCode(t, first.Taken(), tablet.CodeClosed)
		wantCode(t, first.Held(), tablet.CodeClosed)
		wantCode(t, second.Held(), "")
	})
}

// TestCloseInterrupts: a request that hangs doesn't keep Close from coming back.
func TestCloseInterrupts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &link{database: newDatabase(1)}
		l := take(t, k, lease.Options{})
		k.setCut(true)
		time.Sleep(lease.Default / 3) // a renewal hangs
		began := time.Now()
		l.Close()
		l.Close()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("Close took %s, want what the release may take", took)
		}
	})
}

// TestModel: processes come, are cut off, come back, close and are taken over, with every
// delay that there may be, and with a database whose clock runs slower or faster. Never do two of
// them believe that they may read, and who may read is who writes. The clock that is faster
// than the margin allows shows that the model would see it.
func TestModel(t *testing.T) {
	for _, c := range []struct {
		rate   float64
		broken bool
	}{{1, false}, {0.5, false}, {1.05, false}, {1.5, true}} {
		t.Run(fmt.Sprint(c.rate), func(t *testing.T) {
			double := 0
			for seed := range uint64(40) {
				synctest.Test(t, func(t *testing.T) { double += model(t, seed, c.rate) })
			}
			if (double > 0) != c.broken {
				t.Errorf("%d times two processes were the owner", double)
			}
		})
	}
}

// model gives how often two were the owner.
func model(t *testing.T, seed uint64, rate float64) (double int) {
	type process struct {
		link  *link
		lease *lease.Lease
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := newDatabase(rate)
	delays := rand.New(rand.NewPCG(seed, 2))
	var mu sync.Mutex
	delay := func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if delays.IntN(10) == 0 {
			return time.Duration(delays.Int64N(int64(20 * time.Second)))
		}
		return time.Duration(delays.Int64N(int64(50 * time.Millisecond)))
	}
	all := make([]process, 3)
	owners := 0
	for range 200 {
		p := &all[rnd.IntN(len(all))]
		switch {
		case p.lease == nil:
			p.link = &link{database: d, delay: delay}
			if l, err := lease.Take(t.Context(), p.link, lease.Options{Name: "the shard"}); err == nil {
				p.lease = l
				owners++
			} else if code := tablet.CodeOf(err); code != tablet.CodeLockTimeout {
				t.Fatalf("seed %d: %v", seed, err)
			}
		case rnd.IntN(6) == 0:
			p.lease.Close()
			p.lease = nil
		default:
			p.link.setCut(rnd.IntN(2) == 0)
		}
		time.Sleep(time.Duration(rnd.Int64N(int64(8 * time.Second))))
		holds := 0
		for _, p := range all {
			if p.lease == nil || p.lease.Held() != nil {
				continue
			}
			holds++
			if _, mine := d.write(p.lease.Owner()); !mine && rate <= 1.05 {
				t.Errorf("seed %d: who may read isn't who writes", seed)
			}
		}
		if holds > 1 {
			double++
		}
	}
	for _, p := range all {
		if p.lease != nil {
			p.lease.Close()
		}
	}
	if owners < 3 {
		t.Errorf("seed %d: there were %d owners: the model does nothing", seed, owners)
	}
	return double
}

// TestSettle: what became of a COMMIT under which the connection broke.
func TestSettle(t *testing.T) {
	cause := errors.New("the connection broke")
	down := errors.New("connection refused")
	type answer struct {
		turn int64
		err  error
	}
	for _, c := range []struct {
		name    string
		answers []answer // the last one is given again and again
		code    tablet.Code
		took    time.Duration // at least
	}{
		{"it is there", []answer{{7, nil}}, "", 0},
		{"it isn't", []answer{{6, nil}}, tablet.CodeIO, 0},
		{"it is there, after a while", []answer{{0, down}, {0, down}, {7, nil}}, "", 30 * time.Millisecond},
		{"nobody answers", []answer{{0, down}}, tablet.CodeUnknownResult, 10 * time.Second},
		{"another owner", []answer{{0, down}, {0, &tablet.Error{Code: tablet.CodeClosed}}}, tablet.CodeUnknownResult, 10 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := take(t, &link{database: newDatabase(1)}, lease.Options{})
				began, asked := time.Now(), 0
				err := l.Settle(t.Context(), 7, cause, func(context.Context) (int64, error) {
					a := c.answers[min(asked, len(c.answers)-1)]
					asked++
					return a.turn, a.err
				})
				wantCode(t, err, c.code)
				if err != nil && !errors.Is(err, cause) {
					t.Errorf("%v doesn't say what it comes from", err)
				}
				if took := time.Since(began); took < c.took || took > c.took+time.Second {
					t.Errorf("it took %s, want %s", took, c.took)
				}
			})
		})
	}
	t.Run("closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := take(t, &link{database: newDatabase(1)}, lease.Options{})
			time.AfterFunc(time.Second, l.Close)
			began := time.Now()
			wantCode(t, l.Settle(t.Context(), 7, cause, func(context.Context) (int64, error) { return 0, down }), tablet.CodeUnknownResult)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it went on for %s after the lease was closed", took)
			}
		})
	})
}
