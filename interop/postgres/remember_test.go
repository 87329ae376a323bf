//go:build linux && !nopostgres

package postgres_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// TestRemembers: the names of requests that were carried out are kept with their work,
// also by the next tablet.
func TestRemembers(t *testing.T) {
	url := database(t)("remembers")
	for round := range 2 {
		e, err := postgres.Open(t.Context(), url, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		tab, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: shard, Engine: e, Remember: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			write(t, tab, `CREATE TABLE "t" ("v" bigint)`)
		}
		for _, name := range [][]string{{"a", "b"}, {"c"}}[round] {
			x, err := tab.Begin(t.Context(), tablet.TxOptions{Write: true})
			if err != nil {
				t.Fatal(err)
			}
			write(t, x, `INSERT INTO "t" VALUES (1)`)
			if err := x.(tablet.MemoryTx).Remember(t.Context(), name, []byte("kept of "+name)); err != nil {
				t.Fatal(err)
			}
			if err := x.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"a", "b", "c"} {
			kept, found, err := tab.Recall(t.Context(), name)
			if want := round == 1 || name != "c"; err != nil || found != want || found && !bytes.Equal(kept, []byte("kept of "+name)) {
				t.Errorf("round %d: of %s is kept %q, %v: %v", round, name, kept, found, err)
			}
		}
		if err := tab.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
