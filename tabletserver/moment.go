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

// Moment implements tablet.Timed.
func (r *rows) Moment() (m tablet.Moment, known bool) {
	if !r.timed {
		return tablet.Moment{}, false
	}
	return r.t.moment(r.seen)
}
