package mysqloracle

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/vitessdo/vitessdo/internal/conformance"
)

var (
	seed  = flag.Uint64("oracle.seed", 1, "seed of the random expressions")
	count = flag.Int("oracle.expressions", 3000, "how many random expressions")
)

// TestCorpus compares the corpus' answers with the server's.
func TestCorpus(t *testing.T) {
	chapters, err := conformance.Chapters()
	if err != nil {
		t.Fatal(err)
	}
	fixture, err := conformance.Fixture()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := OpenBoth(context.Background(), fixture)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	compared := 0
	for _, ch := range chapters {
		for _, con := range ch.Constructs {
			for _, x := range con.Cases {
				a, b := answer(context.Background(), ours, x.Statements()), answer(context.Background(), theirs, x.Statements())
				compared++
				who, known := Known[x.Text]
				listed[x.Text] = known
				switch same := conformance.Same(a, b); {
				case same && known:
					t.Errorf("%s: %s is listed as different (%s), and is the same: %s", x.Line, x.Text, who, a)
				case !same && !known:
					t.Errorf("%s: %s\n  vitessdo        %s\n  go-mysql-server %s", x.Line, x.Text, a, b)
				}
			}
		}
	}
	for text := range Known {
		if !listed[text] {
			t.Errorf("known.go lists %q, which is no case", text)
		}
	}
	t.Logf("%d cases compared, %d known differences", compared, len(Known))
}

// TestRandom compares random expressions.
func TestRandom(t *testing.T) {
	fixture, err := conformance.Fixture()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := OpenBoth(context.Background(), fixture)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	for range *count {
		e := Expression(r, 3)
		q := "SELECT " + e
		if readsColumns(e) {
			q += " FROM t ORDER BY id"
		}
		a := answer(context.Background(), ours, []string{q})
		b := answer(context.Background(), theirs, []string{q})
		if !conformance.Same(a, b) && !excused(e) {
			t.Errorf("%s\n  vitessdo        %s\n  go-mysql-server %s", q, a, b)
		}
	}
}
