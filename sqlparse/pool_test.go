package sqlparse

import (
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/sqlast"
)

// TestParsersAtRest parses at many places at once: a parser that is used again
// writes positions into the tree that it made before, so that it must not be
// lent out while that one is read. The race detector sees it too.
func TestParsersAtRest(t *testing.T) {
	texts := []string{"UPDATE t SET a = b + 1", "UPDATE tablename SET aaaaaaaa = bbbbbbbbb + ccccccc"}
	var want []int
	for _, text := range texts {
		want = append(want, position1(t, text))
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 300 {
				n := (i + k) % len(texts)
				if got := position1(t, texts[n]); got != want[n] {
					t.Errorf("%s: the assignment is at %d, want %d", texts[n], got, want[n])
					return
				}
			}
		})
	}
	wg.Wait()
}

func position1(t *testing.T, text string) int {
	st, err := Parse(text, Options{})
	if err != nil {
		t.Error(err)
		return -1
	}
	return st.Stmt.(*sqlast.Update).Set[0].Col.Pos
}
