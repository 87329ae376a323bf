package difftest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/tablet"
)

// ShardCounts are the databases that a workload runs on, beside the plain one.
var ShardCounts = []int{1, 2, 3, 8}

// Report is what came of a workload.
type Report struct {
	Seed       uint64
	Statements int
	Failed     int // statements that all systems refused alike
	// Unsupported counts, by message, what vitessdo refuses and plain SQLite
	// answers; NoOracle what plain SQLite has no single statement for.
	Unsupported map[string]int
	NoOracle    int
	Skipped     []string // relations that no system could make
	Expired     int      // rounds that a transaction's time has ended
	Failures    []Failure
}

// Failure is a difference.
type Failure struct {
	Seed uint64
	// History are the statements that came before and may have left something.
	History   []Statement
	Statement Statement
	Shards    int
	Diff      string
	Want, Got Answer
	// Law is what Statement, with others, is held to; nil: to plain SQLite.
	Law *Law
	// entries are those that don't agree with their rows, or nil.
	entries *entries
}

// runner holds the systems of one workload.
type runner struct {
	gen      *Gen
	oracle   *oracle
	clusters []*cluster
	history  []Statement
	report   *Report
	// lost: the systems' contents differ, so that nothing more can be learnt.
	lost bool
}

// maxFailures ends a workload: what follows is mostly more of the same.
const maxFailures = 8

// Round runs a workload of about so many statements.
func Round(seed uint64, statements int) (*Report, error) {
	r := &runner{gen: NewGen(seed), report: &Report{Seed: seed, Unsupported: map[string]int{}}}
	defer r.close()
	var err error
	if r.oracle, err = openOracle(); err != nil {
		return nil, err
	}
	for _, n := range ShardCounts {
		c, err := openCluster(n)
		if err != nil {
			return nil, err
		}
		r.clusters = append(r.clusters, c)
	}
	r.schema()
	for _, s := range r.gen.Fill() {
		r.write(s)
	}
	r.compareTables()
	for r.report.Statements < statements && !r.lost && len(r.report.Failures) < maxFailures {
		r.step()
	}
	return r.report, nil
}

func (r *runner) close() {
	if r.oracle != nil {
		r.oracle.Close()
	}
	for _, c := range r.clusters {
		c.Close()
	}
}

// schema makes the relations that every system can make.
func (r *runner) schema() {
	for _, rel := range r.gen.Schema() {
		failed := ""
		if a := r.oracle.Run(rel.Statement); a.Err != nil {
			failed = "plain: " + a.Err.Error()
		}
		for _, c := range r.clusters {
			if a := c.Run(rel.Statement); a.Err != nil && failed == "" {
				failed = fmt.Sprintf("%d shards: %v", c.shards, a.Err)
			}
		}
		r.report.Statements++
		r.history = append(r.history, rel.Statement)
		if failed == "" {
			continue
		}
		r.report.Skipped = append(r.report.Skipped, rel.SQL+": "+failed)
		drop := Statement{SQL: "DROP TABLE IF EXISTS " + rel.Name, Kind: Schema}
		if strings.HasPrefix(rel.SQL, "CREATE VIEW") {
			drop.SQL = "DROP VIEW IF EXISTS " + rel.Name
		}
		r.oracle.Run(drop)
		for _, c := range r.clusters {
			c.Run(drop)
		}
		r.history = append(r.history, drop)
		r.gen.Forget(rel.Name)
	}
	if len(r.gen.stored()) == 0 {
		r.lost = true
	}
}

func (r *runner) step() {
	if s, ok := r.gen.Transaction(); ok {
		r.write(s)
		if s.Kind == Control && s.SQL != "BEGIN" {
			r.compareTables()
		}
		return
	}
	if r.gen.chance(22) {
		if !r.write(r.gen.Write()) || r.gen.chance(20) {
			r.compareTables()
		}
		return
	}
	if r.gen.chance(8) {
		r.law(r.gen.Law())
		return
	}
	for i, s := range r.gen.Query() {
		if !r.query(s, i == 0) {
			return
		}
	}
}

// Expires says that a transaction has its time, in which a busy machine may not be done
// with it: a round ends there, without a failure.
var Expires bool

func (r *runner) fail(s Statement, c *cluster, diff string, want, got Answer) {
	if Expires && tablet.CodeOf(got.Err) == tablet.CodeTxExpired {
		r.report.Expired++
		r.lost = true
		return
	}
	r.report.Failures = append(r.report.Failures, Failure{Seed: r.report.Seed, History: append([]Statement(nil), r.history...),
		Statement: s, Shards: c.shards, Diff: diff, Want: want, Got: got})
}

// query compares a query's answers; it returns false when another way of asking
// the same would tell nothing new.
func (r *runner) query(s Statement, first bool) bool {
	r.report.Statements++
	want := r.oracle.Run(s)
	if errors.Is(want.Err, ErrNoOracle) {
		r.report.NoOracle++
		want = r.clusters[0].Run(s)
	}
	if want.Err != nil && first {
		r.report.Failed++
	}
	for _, c := range r.clusters {
		got := c.Run(s)
		if r.refused(want, got) || r.unvalued(want, got) {
			return false
		}
		if d := Diff(s, want, got); d != "" {
			r.fail(s, c, d, want, got)
			return false
		}
	}
	return want.Err == nil
}

// unvalued counts a query that has a value out of range on one database alone: which
// expressions are asked for which rows, and how a sum is put together, is left
// open.
func (r *runner) unvalued(want, got Answer) bool {
	if OutOfRange(want.Err) == OutOfRange(got.Err) {
		return false
	}
	r.report.Unsupported["a value is out of range on one database alone"]++
	return true
}

// OutOfRange says whether err is about a value that numbers here can't keep. Which
// expressions are asked for which rows is left open, so that one database may have such
// an error where another has none.
func OutOfRange(err error) bool {
	return errors.Is(err, vitessdo.ErrOutOfRange) || tablet.CodeOf(err) == tablet.CodeOutOfRange
}

// refused counts a statement that vitessdo has no way to run, though plain
// SQLite has.
func (r *runner) refused(want, got Answer) bool {
	if ClassOf(want.Err) != classUnsupported && ClassOf(got.Err) == classUnsupported {
		r.report.Unsupported[got.Err.Error()]++
		return true
	}
	return false
}

// write runs a write on all systems; it returns false if it failed.
func (r *runner) write(s Statement) bool {
	r.report.Statements++
	want := r.oracle.Run(s)
	none := errors.Is(want.Err, ErrNoOracle)
	refused, undo := false, false
	for i, c := range r.clusters {
		got := c.Run(s)
		if none && i == 0 {
			r.report.NoOracle++
			want = got
		}
		if r.refused(want, got) {
			refused = true
			continue
		}
		undo = true
		// The count of a REPLACE or ON DUPLICATE KEY UPDATE is MySQL's: what one
		// shard says, the others must.
		held := s
		if i > 0 && s.NoCount && want.Err == nil {
			held.NoCount = false
		}
		if d := Diff(held, want, got); d != "" {
			r.fail(s, c, d, want, got)
			r.lost = true
			return false
		}
		if i == 0 && s.NoCount {
			want.Affected = got.Affected
		}
	}
	switch {
	case refused:
		// Some systems have done it, some not.
		r.lost = r.lost || undo || want.Err == nil
		r.history = append(r.history, s)
		return false
	case none && want.Err == nil:
		r.resync()
	}
	r.history = append(r.history, s)
	if want.Err != nil {
		r.report.Failed++
	}
	return want.Err == nil
}

func tableRows(s System, name string) Answer {
	return s.Run(Statement{SQL: "SELECT * FROM " + name, Kind: Query})
}

// resync brings the plain database to what one shard holds.
func (r *runner) resync() {
	rows := map[string][][]any{}
	for _, t := range r.gen.Tables() {
		rows[t] = tableRows(r.clusters[0], t).Rows
	}
	if err := r.oracle.restore(r.gen.Tables(), rows); err != nil {
		r.lost = true
	}
}

// compareTables compares all contents and, where nothing is under way, each
// shard's copy of what is copied.
func (r *runner) compareTables() {
	for _, t := range r.gen.stored() {
		if r.lost {
			return
		}
		want := tableRows(r.oracle, t.name)
		for _, c := range r.clusters {
			r.compareTable(c, t.name, want, tableRows(c, t.name))
			if t.copied && !r.gen.inTx {
				for _, got := range c.copies(t.name) {
					r.compareTable(c, t.name, want, got)
				}
			}
			if !r.gen.inTx && !r.lost {
				r.verify(c, t)
			}
		}
	}
}

func (r *runner) compareTable(c *cluster, table string, want, got Answer) {
	s := Statement{SQL: "SELECT * FROM " + table, Kind: Query}
	if d := Diff(s, want, got); d != "" && !r.lost {
		r.fail(s, c, d, want, got)
		r.lost = true
	}
}

// verify compares the entries of a table's lookup vindexes with its rows.
func (r *runner) verify(c *cluster, t *table) {
	for _, name := range t.lookup {
		v := &entries{t.name, name}
		if d, err := v.differ(c); err != nil || d != "" {
			r.fail(v.statement(), c, d, Answer{}, Answer{Err: err})
			r.report.Failures[len(r.report.Failures)-1].entries = v
			r.lost = true
			return
		}
	}
}
