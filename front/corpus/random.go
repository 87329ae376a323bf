package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// mostWrong ends a comparison.
const mostWrong = 12

// Compare tells random statements to both, one after the other, and complains where ours
// gives something else than the real database does. What ours refuses ("unsupported: ",
// or a number out of range) isn't asked of the other; it must say where, and may be a
// quarter of them at the most.
func Compare(t *testing.T, ours, real *Listener, statements int, seed uint64, make func(*rand.Rand) string) {
	t.Helper()
	refused, n, wrong := map[string]int{}, 0, 0
	for i := range statements {
		text := make(rand.New(rand.NewPCG(seed, uint64(i))))
		got := ours.Answer(t.Context(), text)
		if Failed(got) && (strings.Contains(got[0], "unsupported: ") || strings.Contains(got[0], "out of range")) {
			refused[got[0][:min(len(got[0]), 90)]]++
			n++
			if !strings.Contains(got[0], " at line ") && !strings.Contains(got[0], "out of range") {
				t.Errorf("-seed=%d, statement %d: %s\nis refused without its place: %s", seed, i, text, got[0])
			}
			continue
		}
		if want := real.Answer(t.Context(), text); !real.Same(got, want) {
			t.Errorf("-seed=%d, statement %d: %s\ngot  %s\nwant %s", seed, i, text, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			if wrong++; wrong == mostWrong {
				t.Fatal("these are enough: a write that went wrong makes all that follows differ")
			}
		}
	}
	t.Logf("%d of %d statements were refused, for %d reasons", n, statements, len(refused))
	if n > statements/4 {
		t.Errorf("%d of %d statements are refused: %s", n, statements, fmt.Sprint(refused))
	}
}
