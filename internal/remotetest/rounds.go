package remotetest

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Rounds finds out in how many rounds of messages servers are asked: the requests of a
// round are held until all of it are there, so that none of them can have waited for
// the answer to another. It is safe for concurrent use.
type Rounds struct {
	mu    sync.Mutex
	want  []int // what each round that isn't over is to have
	here  int   // requests of the first of these
	full  chan struct{}
	on    bool
	wrong []string
}

// Begin expects rounds of so many requests.
func (r *Rounds) Begin(want ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.want, r.here, r.full, r.on, r.wrong = want, 0, make(chan struct{}), true, nil
}

// End says what was not as expected.
func (r *Rounds) End() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	if len(r.want) > 0 {
		r.wrong = append(r.wrong, fmt.Sprintf("rounds of %v requests never came, but %d", r.want, r.here))
	}
	slices.Sort(r.wrong)
	return slices.Compact(r.wrong)
}

// patience is how long a request is held for others that ought to be there.
const patience = 20 * time.Second

// Arrive holds a request of a round until that is full: it is for [Server.Arrives].
func (r *Rounds) Arrive() {
	r.mu.Lock()
	if !r.on {
		r.mu.Unlock()
		return
	}
	if len(r.want) == 0 {
		r.wrong = append(r.wrong, "more rounds came than were expected")
		r.mu.Unlock()
		return
	}
	full, want := r.full, r.want[0]
	if r.here++; r.here == want {
		close(full)
		r.want, r.here, r.full = r.want[1:], 0, make(chan struct{})
	}
	r.mu.Unlock()
	select {
	case <-full:
	case <-time.After(patience):
		r.mu.Lock()
		r.wrong = append(r.wrong, fmt.Sprintf("a round of %d requests never got full", want))
		r.mu.Unlock()
	}
}
