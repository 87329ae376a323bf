package topo_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/topo"
)

var catalogTarget = tablet.Target{Keyspace: "vitessdo", Shard: "catalog"}

// openCatalog opens a catalog on a real tablet; path "" is in memory. Tests that
// open a file again call closeIt themselves.
func openCatalog(t *testing.T, path string) (c *topo.Catalog, closeIt func()) {
	t.Helper()
	tb, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: catalogTarget, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	once := sync.OnceFunc(func() {
		if err := tb.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(once)
	c, err = topo.NewCatalog(t.Context(), tb)
	if err != nil {
		t.Fatal(err)
	}
	return c, once
}

func memoryState(t *testing.T, shards int) *topo.State {
	t.Helper()
	st, err := topo.Memory(shards, "")
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func load(t *testing.T, c *topo.Catalog) *topo.State {
	t.Helper()
	st, err := c.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.Version(t.Context()); err != nil || v != st.Version {
		t.Fatalf("version %d, %v, but the state has %d", v, err, st.Version)
	}
	return st
}

// change runs f in a transaction on the catalog and commits it if f gives no
// error.
func change(t *testing.T, c *topo.Catalog, f func(context.Context, tablet.Tx) error) error {
	t.Helper()
	tx, err := c.Tablet().Begin(t.Context(), tablet.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := f(t.Context(), tx); err != nil {
		return err
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestInitAndReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c, closeIt := openCatalog(t, path)
	if st := load(t, c); len(st.Keyspaces) != 0 || !st.Auto || st.VSchema != nil || st.Version != 0 {
		t.Fatalf("a new catalog holds %+v", st)
	}
	want := memoryState(t, 4)
	want.Keyspaces[0].Shards[0].File = "main/-40.db"
	want.Relations = []topo.Relation{{Keyspace: "main", Name: "t", DDL: "CREATE TABLE t (a INT)"}, {Keyspace: "main", Name: "a", View: true, DDL: "CREATE VIEW"}}
	want.VSchema, want.Auto = []byte(`{"keyspaces":{}}`), false
	must(t, c.Init(t.Context(), want))
	got := load(t, c)
	if got.Version == 0 {
		t.Error("the version is still 0")
	}
	want.Version = got.Version
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if err := c.Init(t.Context(), want); err == nil || !strings.Contains(err.Error(), "initialised already") {
		t.Errorf("second Init: %v", err)
	}
	closeIt()
	c, _ = openCatalog(t, path)
	if got := load(t, c); !reflect.DeepEqual(got, want) {
		t.Errorf("re-opened: got %+v, want %+v", got, want)
	}
}

func TestNewerCatalog(t *testing.T) {
	c, _ := openCatalog(t, "")
	_, err := c.Tablet().Exec(t.Context(), &tablet.Query{SQL: `UPDATE meta SET value = 2 WHERE name = 'format'`})
	must(t, err)
	if _, err := topo.NewCatalog(t.Context(), c.Tablet()); !errors.Is(err, topo.ErrNewerFormat) || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("got %v", err)
	}
}

// Every mutation raises the version; one that is rolled back or fails does not.
func TestMutations(t *testing.T) {
	c, _ := openCatalog(t, "")
	must(t, c.Init(t.Context(), memoryState(t, 2)))
	table := func(name, ddl string) topo.Relation { return topo.Relation{Keyspace: "main", Name: name, DDL: ddl} }
	second := topo.Keyspace{Name: "second", Shards: memoryState(t, 1).Keyspaces[0].Shards}
	for _, step := range []struct {
		name string
		do   func(context.Context, tablet.Tx) error
		code tablet.Code // of the error
		want []topo.Relation
	}{
		{"create t", func(ctx context.Context, tx tablet.Tx) error { return c.PutRelation(ctx, tx, table("t", "1")) },
			"", []topo.Relation{table("t", "1")}},
		{"create u", func(ctx context.Context, tx tablet.Tx) error { return c.PutRelation(ctx, tx, table("u", "2")) },
			"", []topo.Relation{table("t", "1"), table("u", "2")}},
		{"alter T", func(ctx context.Context, tx tablet.Tx) error { return c.PutRelation(ctx, tx, table("T", "3")) },
			"", []topo.Relation{table("T", "3"), table("u", "2")}},
		{"rename t to u", func(ctx context.Context, tx tablet.Tx) error { return c.RenameRelation(ctx, tx, "main", "t", "U", "x") },
			tablet.CodeTableExists, nil},
		{"rename v", func(ctx context.Context, tx tablet.Tx) error { return c.RenameRelation(ctx, tx, "main", "v", "w", "x") },
			tablet.CodeNoTable, nil},
		{"rename t", func(ctx context.Context, tx tablet.Tx) error { return c.RenameRelation(ctx, tx, "main", "t", "v", "4") },
			"", []topo.Relation{table("v", "4"), table("u", "2")}},
		{"rename v to V", func(ctx context.Context, tx tablet.Tx) error { return c.RenameRelation(ctx, tx, "main", "v", "V", "4") },
			"", []topo.Relation{table("V", "4"), table("u", "2")}},
		{"drop w", func(ctx context.Context, tx tablet.Tx) error { return c.DropRelation(ctx, tx, "main", "w") },
			tablet.CodeNoTable, nil},
		{"drop v", func(ctx context.Context, tx tablet.Tx) error { return c.DropRelation(ctx, tx, "MAIN", "v") },
			"", []topo.Relation{table("u", "2")}},
		{"vschema", func(ctx context.Context, tx tablet.Tx) error { return c.PutVSchema(ctx, tx, []byte("{}"), true) },
			"", []topo.Relation{table("u", "2")}},
		{"create keyspace", func(ctx context.Context, tx tablet.Tx) error { return c.PutKeyspace(ctx, tx, second) },
			"", []topo.Relation{table("u", "2")}},
		{"same name elsewhere", func(ctx context.Context, tx tablet.Tx) error {
			return c.PutRelation(ctx, tx, topo.Relation{Keyspace: "second", Name: "u", DDL: "5"})
		}, "", []topo.Relation{table("u", "2"), {Keyspace: "second", Name: "u", DDL: "5"}}},
		{"drop keyspace", func(ctx context.Context, tx tablet.Tx) error { return c.DropKeyspace(ctx, tx, "second") },
			"", []topo.Relation{table("u", "2")}},
		{"drop it again", func(ctx context.Context, tx tablet.Tx) error { return c.DropKeyspace(ctx, tx, "second") },
			tablet.CodeNoTable, nil},
		{"reshard", func(ctx context.Context, tx tablet.Tx) error {
			return c.PutKeyspace(ctx, tx, memoryState(t, 3).Keyspaces[0])
		}, "", []topo.Relation{table("u", "2")}},
	} {
		before := load(t, c)
		err := change(t, c, step.do)
		if tablet.CodeOf(err) != step.code || (err != nil) != (step.code != "") {
			t.Fatalf("%s: got %v, want %q", step.name, err, step.code)
		}
		after := load(t, c)
		if err != nil {
			if !reflect.DeepEqual(before, after) {
				t.Errorf("%s: failed, but %+v became %+v", step.name, before, after)
			}
			continue
		}
		if after.Version <= before.Version {
			t.Errorf("%s: version %d after %d", step.name, after.Version, before.Version)
		}
		if !reflect.DeepEqual(after.Relations, step.want) {
			t.Errorf("%s: got %+v, want %+v", step.name, after.Relations, step.want)
		}
	}
	st := load(t, c)
	if st.Relation("MAIN", "U") == nil || st.Relation("main", "v") != nil || st.Keyspace("second") != nil || len(st.Keyspaces[0].Shards) != 3 || string(st.VSchema) != "{}" {
		t.Errorf("got %+v", st)
	}
}

func TestMutationsRollBack(t *testing.T) {
	c, _ := openCatalog(t, "")
	must(t, c.Init(t.Context(), memoryState(t, 2)))
	before := load(t, c)
	ctx := t.Context()
	tx, err := c.Tablet().Begin(ctx, tablet.TxOptions{})
	must(t, err)
	must(t, c.PutRelation(ctx, tx, topo.Relation{Keyspace: "main", Name: "t"}))
	must(t, c.PutVSchema(ctx, tx, []byte("{}"), false))
	must(t, c.SetSequence(ctx, tx, "main", "t", 500))
	inside, err := c.LoadTx(ctx, tx)
	must(t, err)
	if inside.Relation("main", "t") == nil || inside.Version <= before.Version {
		t.Errorf("the transaction sees %+v", inside)
	}
	if got := load(t, c); !reflect.DeepEqual(got, before) {
		t.Errorf("uncommitted changes are seen: %+v", got)
	}
	must(t, tx.Rollback())
	if got := load(t, c); !reflect.DeepEqual(got, before) {
		t.Errorf("got %+v, want %+v", got, before)
	}
	first, err := c.NextBlock(ctx, "main", "t", 1)
	if err != nil || first != 1 {
		t.Errorf("the sequence is at %d, %v", first, err)
	}
}

func TestBadKeyspaces(t *testing.T) {
	c, _ := openCatalog(t, "")
	ks := memoryState(t, 2).Keyspaces[0]
	for _, k := range []topo.Keyspace{{Name: "x"}, {Name: "a b", Shards: ks.Shards}, {Name: "x", Shards: ks.Shards[:1]}} {
		if err := change(t, c, func(ctx context.Context, tx tablet.Tx) error { return c.PutKeyspace(ctx, tx, k) }); err == nil {
			t.Errorf("%+v was taken", k)
		}
	}
}

func TestCatalogSequences(t *testing.T) {
	c, _ := openCatalog(t, "")
	ctx := t.Context()
	next := func(n, want int64) {
		t.Helper()
		if got, err := c.NextBlock(ctx, "main", "s", n); err != nil || got != want {
			t.Fatalf("block of %d: got %d, %v, want %d", n, got, err, want)
		}
	}
	next(10, 1)
	next(1, 11)
	if got, err := c.NextBlock(ctx, "MAIN", "S", 1); err != nil || got != 12 {
		t.Errorf("another spelling: %d, %v", got, err)
	}
	must(t, c.AdvanceSequence(ctx, "main", "s", 100))
	must(t, c.AdvanceSequence(ctx, "main", "s", 50))
	must(t, c.AdvanceSequence(ctx, "main", "s", -1))
	next(1, 101)
	must(t, c.AdvanceSequence(ctx, "main", "new", 7))
	if got, err := c.PeekSequence(ctx, "main", "new"); err != nil || got != 8 {
		t.Errorf("peek: %d, %v", got, err)
	}
	must(t, c.ReturnBlock(ctx, "main", "s", 95, 100)) // 101 was reserved since
	next(1, 102)
	must(t, c.ReturnBlock(ctx, "main", "s", 102, 102))
	next(1, 102)
	set := func(n int64) error {
		return change(t, c, func(ctx context.Context, tx tablet.Tx) error { return c.SetSequence(ctx, tx, "main", "s", n) })
	}
	must(t, set(5))
	next(1, 5)
	if set(0) == nil {
		t.Error("a sequence began at 0")
	}
	must(t, change(t, c, func(ctx context.Context, tx tablet.Tx) error { return c.RenameSequence(ctx, tx, "main", "s", "r") }))
	if got, err := c.NextBlock(ctx, "main", "r", 1); err != nil || got != 6 {
		t.Errorf("renamed: %d, %v", got, err)
	}
	must(t, change(t, c, func(ctx context.Context, tx tablet.Tx) error { return c.DropSequence(ctx, tx, "main", "r") }))
	if got, err := c.NextBlock(ctx, "main", "r", 1); err != nil || got != 1 {
		t.Errorf("dropped: %d, %v", got, err)
	}
	must(t, set(math.MaxInt64-1))
	next(2, math.MaxInt64-1)
	if _, err := c.NextBlock(ctx, "main", "s", 1); !errors.Is(err, topo.ErrSequenceExhausted) || tablet.CodeOf(err) != tablet.CodeOutOfRange {
		t.Errorf("beyond the end: %v", err)
	}
	if _, err := c.NextBlock(ctx, "main", "s", 0); err == nil {
		t.Error("an empty block was given")
	}
	got, ok, err := c.NextAfter(ctx, "main", "near the end", math.MaxInt64-3, 10)
	if got != 3 || !ok || err != nil {
		t.Errorf("near the end: %d, %v, %v", got, ok, err)
	}
}

// Values never repeat: under concurrency, across allocators on one catalog, and
// when the process ends without giving its blocks back.
func TestSequencesNeverRepeat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	seen := map[int64]bool{}
	for round := range 4 {
		c, closeIt := openCatalog(t, path)
		a, b := topo.NewSequences(c, 50), topo.NewSequences(c, 30)
		var wg sync.WaitGroup
		var mu sync.Mutex
		for w := range 6 {
			s := a
			if w%2 == 1 {
				s = b
			}
			wg.Go(func() {
				for i := range 200 {
					n := int64(1 + (w+i)%5)
					first, err := s.Take(t.Context(), "main", "t", n)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for v := first; v < first+n; v++ {
						if seen[v] {
							t.Errorf("value %d came twice", v)
						}
						seen[v] = true
					}
					mu.Unlock()
					if i%50 == 0 {
						if err := s.Observe(t.Context(), "main", "t", first+100); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		if round%2 == 0 {
			must(t, a.Close(t.Context()))
		}
		closeIt()
	}
}

// The whole way of a first open, a crash before it ended, and later opens.
func TestDirectoryWithTablets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	// openAll does what the driver does, up to Ready.
	openAll := func(want topo.DirOptions) (*topo.Dir, *topo.Catalog, func()) {
		t.Helper()
		d, err := topo.OpenDir(path, want)
		must(t, err)
		c, closeCatalog := openCatalog(t, d.CatalogFile())
		closers := []func(){closeCatalog}
		for _, k := range d.State().Keyspaces {
			for _, s := range k.Shards {
				tb, err := tabletserver.Open(t.Context(), tabletserver.Config{
					Target: tablet.Target{Keyspace: k.Name, Shard: s.Name}, Path: d.File(s.File)})
				must(t, err)
				closers = append(closers, func() { must(t, tb.Close()) })
			}
		}
		if st := load(t, c); len(st.Keyspaces) == 0 {
			must(t, c.Init(t.Context(), d.State()))
		}
		return d, c, func() {
			for _, f := range closers {
				f()
			}
			must(t, d.Close())
		}
	}
	d, _, closeAll := openAll(topo.DirOptions{Shards: 3})
	if !d.Fresh() {
		t.Error("not fresh")
	}
	closeAll() // without Ready: as a crash

	d, c, closeAll := openAll(topo.DirOptions{Shards: 2})
	if st := load(t, c); !d.Fresh() || len(st.Keyspaces[0].Shards) != 2 {
		t.Errorf("fresh %v, %+v", d.Fresh(), st)
	}
	must(t, d.Ready())
	want := load(t, c)
	closeAll()

	d, c, closeAll = openAll(topo.DirOptions{})
	if st := load(t, c); d.Fresh() || !reflect.DeepEqual(st, want) || !reflect.DeepEqual(st.Keyspaces, d.State().Keyspaces) {
		t.Errorf("fresh %v, %+v, want %+v", d.Fresh(), st, want)
	}
	closeAll()
	must(t, os.Remove(filepath.Join(path, "main", "80-.db")))
	if _, err := topo.OpenDir(path, topo.DirOptions{}); !errors.Is(err, topo.ErrDamaged) {
		t.Errorf("a shard is gone: %v", err)
	}
}
