package postgres

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestPatience: a text that the parser doesn't come back from is an error, the next one
// is read, and after several nothing is.
func TestPatience(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	m := &machine{patience: time.Millisecond, parse: func(text string) (string, error) {
		if strings.HasPrefix(text, "never") {
			<-never
		}
		if text == "panics" {
			panic("out of stack")
		}
		return "read " + text, nil
	}}
	must := func(text, out string, want error) {
		t.Helper()
		if got, err := m.read(text); got != out || !errors.Is(err, want) {
			t.Fatalf("%s: %q, %v; want %q, %v", text, got, err, out, want)
		}
	}
	patient := func(f func()) {
		m.patience = time.Hour
		f()
		m.patience = time.Millisecond
	}
	for range mostStuck {
		patient(func() {
			must("a", "read a", nil)
			must("panics", "", errFailed)
		})
		must("never", "", errStuck)
	}
	must("a", "", errLost)
}

// BenchmarkParse reads a text as often as asked.
func BenchmarkParse(b *testing.B) {
	const text = "SELECT id, name FROM users WHERE id = $1 AND active ORDER BY name LIMIT 10"
	for _, c := range []struct {
		name string
		read func(string) (string, error)
	}{{"bare", theMachine.parse}, {"patient", theMachine.read}} {
		if _, err := c.read(text); err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.read(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
