package twopc

import (
	"fmt"
	"sync/atomic"
)

// Point is a moment of a distributed commit at which a test may make the process
// die. There is one after every step that another process could see.
type Point int

// The points, in the order in which a commit passes them.
const (
	Preparing  Point = iota // before a participant is prepared
	Deciding                // all are prepared, the decision isn't written
	Decided                 // the decision is written, nobody has committed
	Committed               // a participant has committed
	Forgetting              // all have committed, the log doesn't know yet
	Finished                // the log has been told
	Replaying               // recovery is about to replay a participant's writes
	Replayed                // recovery has replayed them
	Recovered               // recovery is done, the log not yet emptied
	numPoints
)

var pointNames = [numPoints]string{"preparing", "deciding", "decided", "committed", "forgetting", "finished", "replaying", "replayed", "recovered"}

// String names the point.
func (p Point) String() string {
	if p < 0 || p >= numPoints {
		return fmt.Sprintf("point %d", int(p))
	}
	return pointNames[p]
}

// Points lists all points, so that a test can loop over them.
func Points() []Point {
	out := make([]Point, numPoints)
	for i := range out {
		out[i] = Point(i)
	}
	return out
}

var fault atomic.Pointer[func(p Point, participant int)]

// OnPoint lets f be called at every point, with the ordinal of the participant that it
// is about, or 0; nil ends that. It is for tests: with it, participants commit one
// after the other. It is safe for concurrent use.
func OnPoint(f func(p Point, participant int)) {
	if f == nil {
		fault.Store(nil)
		return
	}
	fault.Store(&f)
}

// Reach tells that a point is reached.
func Reach(p Point, participant int) {
	if f := fault.Load(); f != nil {
		(*f)(p, participant)
	}
}
