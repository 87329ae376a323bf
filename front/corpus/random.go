package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Compare tells random statements to both and complains where ours gives something else
// than the real database does. What is refused ("unsupported: ", or a number out of
// range) must say where, and may be a quarter of them at the most.
func Compare(t *testing.T, ours, real *Listener, statements int, seed uint64, make func(*rand.Rand) string) {
	t.Helper()
	refused, n := map[string]int{}, 0
	for i := range statements {
		text := make(rand.New(rand.NewPCG(seed, uint64(i))))
		want, got := real.Answer(t.Context(), text), ours.Answer(t.Context(), text)
		if Failed(got) && Failed(want) {
			continue
		}
		if Failed(got) && (strings.Contains(got[0], "unsupported: ") || strings.Contains(got[0], "out of range")) {
			refused[got[0][:min(len(got[0]), 90)]]++
			n++
			if !strings.Contains(got[0], " at line ") && !strings.Contains(got[0], "out of range") {
				t.Errorf("-seed=%d, statement %d: %s\nis refused without its place: %s", seed, i, text, got[0])
			}
			continue
		}
		if !real.Same(got, want) {
			t.Errorf("-seed=%d, statement %d: %s\ngot  %s\nwant %s", seed, i, text, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	t.Logf("%d of %d statements were refused, for %d reasons", n, statements, len(refused))
	if n > statements/4 {
		t.Errorf("%d of %d statements are refused: %s", n, statements, fmt.Sprint(refused))
	}
}
