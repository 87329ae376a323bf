//go:build race

package vitessdo

// raceEnabled says that the race detector is on, under which allocations can't
// be counted.
const raceEnabled = true
