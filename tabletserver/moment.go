package tabletserver

import (
	"crypto/rand"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// clock is what all tablets of this process tell moments by.
var clock = processClock{name: rand.Text()[:12], start: time.Now()}

type processClock struct {
	name  string
	start time.Time
}

func (c *processClock) now() int64 { return int64(time.Since(c.start)) }

// moment tells since when and until when, which is now, the shard was as a snapshot
// shows it that was taken at seen.
func (t *Tablet) moment(seen int64) (m tablet.Moment, known bool) {
	// Read in this order: a commit that has changed since has changed the counter, too,
	// and a transaction that was prepared at that time still is, or has changed it.
	m = tablet.Moment{Clock: clock.name, Since: t.commits.since.Load(), Until: clock.now()}
	return m, t.newest(seen)
}

// begun is the moment at which a statement begins on a snapshot, if it is asked for
// and known.
func (t *Tablet) begun(q *tablet.Query, seen int64) *tablet.Moment {
	if !q.Moment {
		return nil
	}
	m, known := t.moment(seen)
	if !known {
		return nil
	}
	return &m
}

// Moment implements tablet.Timed.
func (s *snapshot) Moment() (m tablet.Moment, known bool) { return s.t.moment(s.seen) }

// Moment implements tablet.Timed. Where the lock is held it isn't known, and nobody
// else can commit.
func (x *Tx) Moment() (m tablet.Moment, known bool) {
	if x.locked || x.c == nil {
		return m, false
	}
	return x.t.moment(x.c.seen)
}

// Moment implements tablet.Timed: it lasts until now, or at least until the statement
// has begun.
func (r *rows) Moment() (m tablet.Moment, known bool) {
	if r.begun == nil {
		return m, false
	}
	if m, known = r.t.moment(r.seen); !known {
		m = *r.begun
	}
	return m, true
}
