package reshard

import (
	"fmt"
	"sync/atomic"
)

// Point is a moment of a run at which a test may make the process die: there is one
// after every step that leaves something on the disk.
type Point int

// The points, in the order in which a run passes them; some are passed many times.
const (
	Settled   Point = iota // the directory was opened and closed as a database
	Begun                  // the journal is there
	Prepared               // one new shard has its empty tables
	Committed              // one new shard has taken rows
	Copied                 // a table has all its rows and indexes
	Filed                  // a database that stays as it is was copied
	Verified               // the journal says that old and new agree
	Recorded               // the new catalog is there
	Finished               // one new shard has its version
	Switched               // the new generation is the directory's
	SetAside               // the old one was put aside
	points
)

// Points lists all points.
func Points() []Point {
	out := make([]Point, points)
	for i := range out {
		out[i] = Point(i)
	}
	return out
}

func (p Point) String() string {
	return [...]string{"Settled", "Begun", "Prepared", "Committed", "Copied", "Filed", "Verified", "Recorded", "Finished", "Switched", "SetAside"}[p]
}

var fault atomic.Pointer[func(Point)]

// OnPoint makes f be called whenever a run passes a point; nil ends that. It is for
// tests.
func OnPoint(f func(Point)) {
	if f == nil {
		fault.Store(nil)
		return
	}
	fault.Store(&f)
}

func reach(p Point) {
	if f := fault.Load(); f != nil {
		(*f)(p)
	}
}

var _ fmt.Stringer = Point(0)
