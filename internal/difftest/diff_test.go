package difftest

import (
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	seedFlag   = flag.Uint64("difftest.seed", 1, "first seed of the workloads; 0 picks one")
	stmtsFlag  = flag.Int("difftest.statements", 20_000, "statements to run in all")
	showFlag   = flag.Int("difftest.show", 3, "failures to cut down and print")
	engineFlag = flag.String("difftest.engine", "sqlite", "engine of the shards")
	roundFlag  = flag.Int("difftest.round", 500, "statements of one workload")
)

func init() {
	flag.StringVar(&Tablets, "difftest.tablets", "", "where the tablets are: \"\" for in this process, http or ws for at a server")
}

// maxUnsupported is the share of statements that vitessdo may refuse.
const maxUnsupported = 0.02

// The same workload gives the same answers on a plain database and on any
// number of shards.
func TestSameAnswers(t *testing.T) { sameAnswers(t, *engineFlag, *stmtsFlag) }

// TestSameAnswersElsewhere is TestSameAnswers, in small, on engines that can do less.
func TestSameAnswersElsewhere(t *testing.T) {
	for _, engine := range []string{"plain", "durable_object"} {
		t.Run(engine, func(t *testing.T) { sameAnswers(t, engine, *stmtsFlag/10) })
	}
}

func sameAnswers(t *testing.T, engine string, statements int) {
	Engine = engine
	defer func() { Engine = "sqlite" }()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	t.Logf("-difftest.seed=%d", seed)
	sum := runAll(t, seed, statements)
	t.Logf("%d statements, %d of them failed alike, %d without a plain statement", sum.Statements, sum.Failed, sum.NoOracle)
	refused := 0
	for _, kind := range slices.Sorted(maps.Keys(sum.Unsupported)) {
		t.Logf("refused %d times: %s", sum.Unsupported[kind], kind)
		refused += sum.Unsupported[kind]
	}
	if float64(refused) > maxUnsupported*float64(sum.Statements) {
		t.Errorf("%d of %d statements are refused", refused, sum.Statements)
	}
	if float64(sum.Failed) > 0.15*float64(sum.Statements) {
		t.Errorf("%d of %d statements fail: the generator makes too many that can't be run", sum.Failed, sum.Statements)
	}
	if sum.Expired > 1+sum.Statements/50 {
		t.Errorf("%d rounds ended by the time of a transaction, in %d statements", sum.Expired, sum.Statements)
	}
	for _, s := range sum.Skipped {
		t.Logf("not made: %s", s)
	}
	for i, f := range sum.Failures {
		if i < *showFlag {
			t.Errorf("%s", Script(Shrink(f, 20*time.Second)))
		} else {
			t.Errorf("seed %d, %d shards: %s\n%s", f.Seed, f.Shards, f.Diff, f.Statement.SQL)
		}
	}
}

// runAll runs workloads of consecutive seeds, two at a time.
func runAll(t *testing.T, seed uint64, statements int) *Report {
	t.Helper()
	sum := &Report{Unsupported: map[string]int{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				mu.Lock()
				if sum.Statements >= statements || len(sum.Failures) >= 40 {
					mu.Unlock()
					return
				}
				own := seed
				seed++
				mu.Unlock()
				r, err := Round(own, *roundFlag)
				mu.Lock()
				if err != nil {
					t.Errorf("seed %d: %v", own, err)
					sum.Statements = statements
				} else {
					sum.add(r)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return sum
}

func (r *Report) add(o *Report) {
	r.Statements += o.Statements
	r.Failed += o.Failed
	r.NoOracle += o.NoOracle
	r.Expired += o.Expired
	for k, n := range o.Unsupported {
		r.Unsupported[k] += n
	}
	r.Skipped = append(r.Skipped, o.Skipped...)
	r.Failures = append(r.Failures, o.Failures...)
}
