package tablet

// Moment is a span of time in which a shard was as the rows of a query show it: no
// commit has shown between Since and Until. Results of several shards, by the same
// clock, are of one moment if their spans have one in common.
type Moment struct {
	// Clock names the clock: that of one process, since its start.
	Clock string
	// Since is when the newest commit that the rows show had shown, Until a moment
	// after the query has begun at which no other had; both in nanoseconds.
	Since, Until int64
}

// Timed are Rows that can tell their moment, if they were asked for it. It isn't known
// when a commit has shown meanwhile, or when a transaction was prepared on the shard,
// which others may show already.
type Timed interface {
	Rows
	Moment() (m Moment, known bool)
}

// MomentOf gives the moment of rows of any kind.
func MomentOf(r Rows) (m Moment, known bool) {
	if t, ok := r.(Timed); ok {
		return t.Moment()
	}
	return Moment{}, false
}
