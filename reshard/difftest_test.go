package reshard

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/difftest"
)

// TestWorkloads does what the differential tests' generator says to a directory and
// to a database in memory, leads the directory over other numbers of shards
// meanwhile, and sees no difference.
func TestWorkloads(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for s := range uint64(2) {
		t.Run(fmt.Sprint(seed+s), func(t *testing.T) { workload(t, seed+s) })
	}
}

// systems are the two that are compared.
type systems struct {
	t        *testing.T
	gen      *difftest.Gen
	dir      string
	ref, got difftest.System
	lost     bool // a write failed on one alone: nothing more can be learnt
}

func workload(t *testing.T, seed uint64) {
	w := &systems{t: t, gen: difftest.NewGen(seed), dir: t.TempDir()}
	var err error
	// Statements that name shards name the first one, which there always is.
	if w.ref, err = difftest.OpenCluster(1); err != nil {
		t.Fatal(err)
	}
	defer w.ref.Close()
	w.open(4)
	for _, rel := range w.gen.Schema() {
		a, b := w.ref.Run(rel.Statement), w.got.Run(rel.Statement)
		if a.Err != nil || b.Err != nil {
			kind := map[bool]string{true: "VIEW", false: "TABLE"}[rel.SQL[:11] == "CREATE VIEW"]
			drop := difftest.Statement{SQL: "DROP " + kind + " IF EXISTS " + rel.Name, Kind: difftest.Schema}
			w.ref.Run(drop)
			w.got.Run(drop)
			w.gen.Forget(rel.Name)
		}
	}
	for _, s := range w.gen.Fill() {
		w.run(s)
	}
	for _, shards := range []int{7, 1, 3} {
		for range 30 {
			w.run(w.gen.Write())
		}
		if w.lost {
			break
		}
		w.got.Close()
		if _, err := Run(t.Context(), Options{Dir: w.dir, Shards: shards, Discard: true}); err != nil {
			t.Fatalf("to %d shards: %v", shards, err)
		}
		w.open(shards)
		w.compare(fmt.Sprintf("%d shards", shards))
	}
	w.got.Close()
}

func (w *systems) open(shards int) {
	w.t.Helper()
	difftest.Open = func(int) (*sql.DB, error) {
		return sql.Open("vitessdo", fmt.Sprintf("file:%s?shards=%d&keyspace=main&parse_time=false&client_found_rows=true", w.dir, shards))
	}
	defer func() { difftest.Open = nil }()
	var err error
	if w.got, err = difftest.OpenCluster(1); err != nil {
		w.t.Fatal(err)
	}
}

// run does a statement on both, which must agree.
func (w *systems) run(s difftest.Statement) {
	w.t.Helper()
	if w.lost {
		return
	}
	want, got := w.ref.Run(s), w.got.Run(s)
	if difftest.OutOfRange(want.Err) != difftest.OutOfRange(got.Err) {
		w.lost = true
		w.t.Logf("%s %v: %v on one shard, %v on several: the workload ends", s.SQL, s.Args, want.Err, got.Err)
		return
	}
	if d := difftest.Diff(s, want, got); d != "" {
		w.t.Fatalf("%s %v: %s", s.SQL, s.Args, d)
	}
}

// compare looks at all tables, and at answers.
func (w *systems) compare(when string) {
	w.t.Helper()
	for _, table := range w.gen.Tables() {
		w.run(difftest.Statement{SQL: "SELECT * FROM " + table, Kind: difftest.Query})
	}
	for range 60 {
		for _, s := range w.gen.Query() {
			want := w.ref.Run(s)
			if want.Err != nil {
				continue // what it can't do is looked at elsewhere
			}
			got := w.got.Run(s)
			if difftest.OutOfRange(got.Err) {
				continue // of a row that the other needn't look at
			}
			if d := difftest.Diff(s, want, got); d != "" {
				w.t.Fatalf("%s: %s %v: %s", when, s.SQL, s.Args, d)
			}
		}
	}
}
