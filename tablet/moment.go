package tablet

// Moment is a span of time in which a shard was as the rows of a query show it: no
// commit has shown between Since and Until. Results of several shards, by the same
// clock, are of one moment if their spans have one in common.
type Moment struct {
	// Clock names the clock: that of one process, since its start.
	Clock string
	// Since is when the newest commit that the rows show had shown, and tells the states
	// of a shard apart; Until is a moment after the query has begun at which no other
	// had. Both are in nanoseconds.
	Since, Until int64
}

// Timed are Rows that can tell their moment, if they were asked for it, and a Snapshot
// or a SnapshotTx that has its snapshot. It isn't known when a commit was about to
// show, or a transaction was prepared on the shard, which others may show already.
type Timed interface {
	Moment() (m Moment, known bool)
}

// MomentOf gives the moment of what may be Timed.
func MomentOf(x any) (m Moment, known bool) {
	if t, ok := x.(Timed); ok {
		return t.Moment()
	}
	return Moment{}, false
}
