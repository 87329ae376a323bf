package tabletserver

import "sync"

// forgetMany is the number of markers to be forgotten that are worth a
// transaction of their own; forgetSome is how many another one takes along.
const (
	forgetMany = 4096
	forgetSome = 4
)

// forgetList holds the markers that may be deleted. One that a crash takes off
// the list stays in the table: it does no harm there.
type forgetList struct {
	mu    sync.Mutex
	dtids []string
}

// add says whether the list has grown long.
func (f *forgetList) add(dtids []string) (many bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dtids = append(f.dtids, dtids...)
	return len(f.dtids) >= forgetMany
}

// some takes a few off the list.
func (f *forgetList) some() []string { return f.take(forgetSome) }

// all empties the list.
func (f *forgetList) all() []string { return f.take(-1) }

func (f *forgetList) take(n int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < 0 || n > len(f.dtids) {
		n = len(f.dtids)
	}
	taken := f.dtids[:n:n]
	f.dtids = f.dtids[n:]
	return taken
}
