package info

import (
	"strconv"
	"strings"
	"time"
)

// Statistics are what was counted of statements.
type Statistics struct {
	Statements []StatementStats
	Shards     []ShardStats
	Slow       []SlowStatement
}

// Timing is how often something was done, and how long it took. P99 is exact to a
// factor of two. Rows below 0 weren't counted.
type Timing struct {
	Count, Errors, Rows   int64
	Total, Mean, P99, Max time.Duration
}

// StatementStats are about all statements with one digest in a keyspace. PlanType is
// the last one's.
type StatementStats struct {
	Timing
	Digest, Keyspace, Text, PlanType string
	Shards                           int64 // asked, in all
	Scatters                         int64 // how often all shards were asked
	Last                             time.Time
}

// ShardStats are about the questions to a shard.
type ShardStats struct {
	Timing
	Shard
}

// SlowStatement is one that took long. Text is without literals.
type SlowStatement struct {
	Start                            time.Time
	Duration                         time.Duration
	Digest, Text, Keyspace, PlanType string
	Shards                           string // joined by commas
	Rows                             int64
	Code, Labels                     string
}

// kept gives the statistics, or says how they come about.
func (r *request) kept() (*Statistics, error) {
	var s *Statistics
	if r.Statistics != nil {
		s = r.Statistics()
	}
	if s == nil {
		return nil, fail(errNotSupported, "no statistics are kept of statements: open the database with statement_stats=1000, the number of statements to tell apart")
	}
	return s, nil
}

func (r *request) statements() (*answer, error) {
	s, err := r.kept()
	if err != nil {
		return nil, err
	}
	a := &answer{like: 2, columns: []string{"Digest", "Keyspace", "Statement", "Plan_type", "Count", "Errors", "Rows", "Shards", "Scatter_ratio",
		"Total_us", "Mean_us", "P99_us", "Max_us", "Last"}}
	for i := range s.Statements {
		x := &s.Statements[i]
		a.add(x.Digest, x.Keyspace, x.Text, x.PlanType, x.Count, x.Errors, counted(x.Rows), ratio(x.Shards, x.Count), ratio(x.Scatters, x.Count),
			x.Total.Microseconds(), x.Mean.Microseconds(), x.P99.Microseconds(), x.Max.Microseconds(), stamp(x.Last))
	}
	return a, nil
}

func (r *request) shardStats() (*answer, error) {
	s, err := r.kept()
	if err != nil {
		return nil, err
	}
	a := &answer{like: 1, columns: []string{"Keyspace", "Shard", "Calls", "Errors", "Rows", "Total_us", "Mean_us", "P99_us", "Max_us"}}
	for i := range s.Shards {
		x := &s.Shards[i]
		a.add(x.Keyspace, x.Name, x.Count, x.Errors, counted(x.Rows), x.Total.Microseconds(), x.Mean.Microseconds(), x.P99.Microseconds(), x.Max.Microseconds())
	}
	return a, nil
}

func (r *request) slow() (*answer, error) {
	s, err := r.kept()
	if err != nil {
		return nil, err
	}
	a := &answer{like: 4, columns: []string{"Start", "Duration_us", "Digest", "Keyspace", "Statement", "Plan_type", "Shards", "Rows", "Code", "Labels"}}
	for i := range s.Slow {
		x := &s.Slow[i]
		a.add(stamp(x.Start), x.Duration.Microseconds(), x.Digest, x.Keyspace, x.Text, x.PlanType, x.Shards, counted(x.Rows), x.Code, x.Labels)
	}
	return a, nil
}

// ownStatus is what SHOW STATUS tells of this database alone.
func (r *request) ownStatus() (*answer, error) {
	a := &answer{columns: []string{"Variable_name", "Value"}}
	for _, v := range r.Status {
		if strings.HasPrefix(v.Name, "Vitess_") {
			a.add(v.Name, v.Value)
		}
	}
	return a, nil
}

// counted is NULL for what wasn't.
func counted(rows int64) any {
	if rows < 0 {
		return nil
	}
	return rows
}

func ratio(n, of int64) string {
	return strconv.FormatFloat(float64(n)/float64(max(1, of)), 'f', 2, 64)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }
