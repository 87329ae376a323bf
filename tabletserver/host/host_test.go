package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/contract"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vindex"
)

// What the tests of the contract do with tablets, these do, too.
var (
	must = contract.Must
	exec = contract.Exec
)

func wantCode(t *testing.T, err error, code tablet.Code, text string) {
	t.Helper()
	if tablet.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), text) {
		t.Fatalf("got %v (%s), want %s with %q", err, tablet.CodeOf(err), code, text)
	}
}

func open(t *testing.T, opts Options) *Host {
	t.Helper()
	if opts.Tablet.AskAfter == 0 {
		opts.Tablet.AskAfter = 10 * time.Millisecond
	}
	opts.Tablet.Synchronous = tabletserver.Off
	h, err := Open(t.Context(), opts)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	return h
}

// declare makes a keyspace as a gate does.
func declare(t *testing.T, h *Host, name string, shards ...string) {
	t.Helper()
	k := topo.Keyspace{Name: name, Sharded: true}
	for _, s := range shards {
		must(t, h.Create(t.Context(), tablet.Target{Keyspace: name, Shard: s}))
		r, err := vindex.ParseKeyRange(s)
		must(t, err)
		k.Shards = append(k.Shards, topo.Shard{Name: s, Range: r})
	}
	inCatalog(t, h, func(c *topo.Catalog, tx tablet.Tx) error { return c.PutKeyspace(t.Context(), tx, k) })
}

func inCatalog(t *testing.T, h *Host, f func(*topo.Catalog, tablet.Tx) error) {
	t.Helper()
	cat := shard(t, h, "_vt", "catalog")
	c, err := topo.NewCatalog(t.Context(), cat)
	must(t, err)
	tx, err := cat.Begin(t.Context(), tablet.TxOptions{Write: true})
	must(t, err)
	must(t, f(c, tx))
	must(t, tx.Commit(t.Context()))
}

func shard(t *testing.T, h *Host, ks, name string) *Shard {
	t.Helper()
	s, err := h.Tablet(t.Context(), tablet.Target{Keyspace: ks, Shard: name})
	must(t, err)
	return s
}

func count(t *testing.T, on tablet.Runner, sql string) int64 {
	t.Helper()
	r, err := on.Query(t.Context(), &tablet.Query{SQL: sql})
	must(t, err)
	defer r.Close()
	dest := make([]tablet.Value, 1)
	must(t, r.Next(dest))
	return dest[0].(int64)
}

func at(ks, shard string) tablet.Target { return tablet.Target{Keyspace: ks, Shard: shard} }

func wantGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}

// A directory begins without a keyspace. What is made and listed by the catalog is
// served, also after the host is opened again; nothing else is.
func TestKeyspaces(t *testing.T) {
	dir := t.TempDir()
	h := open(t, Options{Dir: dir})
	_, err := h.Tablet(t.Context(), at("shop", "-80"))
	wantCode(t, err, tablet.CodeWrongShard, "version 0")
	must(t, h.Create(t.Context(), at("shop", "-80")))
	exec(t, shard(t, h, "shop", "-80"), "CREATE TABLE t(v)") // before the catalog lists it
	declare(t, h, "shop", "-80", "80-")
	if n := count(t, shard(t, h, "shop", "-80"), "SELECT count(*) FROM sqlite_schema"); n != 0 {
		t.Error("what an interrupted creation has left was taken for the new shard")
	}
	must(t, h.Drop(t.Context(), at("nothing", "-")))
	for _, ks := range []string{"shop", "SHOP"} {
		wantCode(t, h.Drop(t.Context(), at(ks, "-80")), tablet.CodeMisuse, "deleted there")
		wantCode(t, h.Create(t.Context(), at(ks, "-")), tablet.CodeMisuse, "lists keyspace")
	}
	exec(t, shard(t, h, "shop", "-80"), "CREATE TABLE t(v)")

	must(t, h.Close())
	h = open(t, Options{Dir: dir})
	if n := count(t, shard(t, h, "shop", "-80"), "SELECT count(*) FROM t"); n != 0 {
		t.Errorf("%d rows", n)
	}
	_, err = h.Tablet(t.Context(), at("shop", "-40"))
	wantCode(t, err, tablet.CodeWrongShard, "catalog")
	must(t, h.Create(t.Context(), at("other", "-")))
	wantCode(t, h.Create(t.Context(), at("Other", "-")), tablet.CodeMisuse, "in case only")

	// Dropped in the catalog, it isn't served any more; then its files go.
	declare(t, h, "other", "-")
	old := shard(t, h, "shop", "80-")
	inCatalog(t, h, func(c *topo.Catalog, tx tablet.Tx) error { return c.DropKeyspace(t.Context(), tx, "shop") })
	_, err = h.Tablet(t.Context(), old.Target())
	wantCode(t, err, tablet.CodeWrongShard, "version")
	for _, s := range []string{"-80", "80-", "80-"} {
		must(t, h.Drop(t.Context(), at("shop", s)))
	}
	wantCode(t, old.Ping(t.Context()), tablet.CodeWrongShard, "dropped")
	wantGone(t, filepath.Join(dir, "shop"))
}

// Names can't lead out of the directory, nor to the system's own.
func TestNames(t *testing.T) {
	h := open(t, Options{Dir: t.TempDir()})
	for _, name := range []string{"", "..", "../x", "/tmp/x", `a\b`, "a/b", "a\x00b", "_vt", "_VT2", "mysql", strings.Repeat("x", 65)} {
		wantCode(t, h.Create(t.Context(), at(name, "-")), tablet.CodeMisuse, "keyspace name")
		must(t, h.Drop(t.Context(), at(name, "-")))
		_, err := h.Tablet(t.Context(), at(name, "-"))
		wantCode(t, err, tablet.CodeWrongShard, "")
	}
	for _, name := range []string{"", "../../x", "-80/", "80", "-8000x", "-ZZ", "catalog"} {
		wantCode(t, h.Create(t.Context(), at("x", name)), tablet.CodeMisuse, "no key range")
	}
	for _, name := range []string{"../catalog", "catalog.db", "", "-"} {
		_, err := h.Tablet(t.Context(), at("_vt", name))
		wantCode(t, err, tablet.CodeWrongShard, "")
	}
	wantCode(t, h.Drop(t.Context(), Catalog), "", "")
	must(t, shard(t, h, "_vt", "catalog").Ping(t.Context()))
}

// A server may have some shards of a database whose catalog is elsewhere. They are
// served after the host is opened again, and can't be taken for a whole database.
func TestPartOfADatabase(t *testing.T) {
	dir := t.TempDir()
	h := open(t, Options{Dir: dir})
	must(t, h.Create(t.Context(), at("shop", "-80")))
	exec(t, shard(t, h, "shop", "-80"), "CREATE TABLE t(v)")
	must(t, h.Close())
	if _, err := topo.OpenDir(dir, topo.DirOptions{}); !errors.Is(err, topo.ErrMismatch) || !strings.Contains(err.Error(), "vitessdo serve") {
		t.Errorf("got %v", err)
	}
	h = open(t, Options{Dir: dir})
	count(t, shard(t, h, "shop", "-80"), "SELECT count(*) FROM t")
	must(t, h.Create(t.Context(), at("shop", "-"))) // in the place of an overlapping one
	_, err := h.Tablet(t.Context(), at("shop", "-80"))
	wantCode(t, err, tablet.CodeWrongShard, "")
	wantGone(t, filepath.Join(dir, "shop", "-80.db"))
}

// A tablet is closed when nobody uses it, and opened again; while a stream or a
// transaction is open it isn't.
func TestIdle(t *testing.T) {
	h := open(t, Options{Dir: t.TempDir(), Idle: time.Millisecond})
	declare(t, h, "ks", "-")
	s := shard(t, h, "ks", "-")
	exec(t, s, "CREATE TABLE t(v)")
	exec(t, s, "INSERT INTO t VALUES(1), (2)")
	closed := func() bool { return h.Stats().Open == 1 } // the catalog's
	await.True(t, "the idle tablet is closed", closed)

	rows, err := s.Query(t.Context(), &tablet.Query{SQL: "SELECT v FROM t"})
	must(t, err)
	x, err := s.Begin(t.Context(), tablet.TxOptions{})
	must(t, err)
	exec(t, x, "DELETE FROM t")
	time.Sleep(5 * time.Millisecond) // several ticks
	for range 2 {
		must(t, rows.Next(make([]tablet.Value, 1)))
	}
	if err := rows.Next(make([]tablet.Value, 1)); err != io.EOF {
		t.Fatal(err)
	}
	must(t, rows.Close())
	must(t, rows.Close())
	must(t, x.Commit(t.Context()))
	must(t, x.Rollback())
	await.True(t, "the tablet is closed", closed)
	if n := count(t, s, "SELECT count(*) FROM t"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// No more tablets are open than the bound says, whatever is asked for at once, and
// what waits too long is told of the bound.
func TestBound(t *testing.T) {
	h := open(t, Options{Dir: t.TempDir(), MaxOpen: 3, OpenWait: time.Minute})
	var names []string
	for i := range 8 {
		name := fmt.Sprintf("%02x-%02x", i*32, (i+1)*32)
		name = strings.TrimPrefix(strings.TrimSuffix(name, "100"), "00")
		names = append(names, name)
	}
	declare(t, h, "ks", names...)
	for _, n := range names {
		exec(t, shard(t, h, "ks", n), "CREATE TABLE t(v INTEGER)")
		if open := h.Stats().Open; open > 4 {
			t.Fatalf("%d tablets are open", open)
		}
	}
	var open []tablet.Tx
	for _, n := range names[:3] {
		x, err := shard(t, h, "ks", n).Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		open = append(open, x)
	}
	h.opts.OpenWait = 20 * time.Millisecond
	wantCode(t, shard(t, h, "ks", names[3]).Ping(t.Context()), tablet.CodeOverloaded, "max-tablets")
	h.opts.OpenWait = time.Minute
	must(t, open[0].Rollback())
	must(t, shard(t, h, "ks", names[3]).Ping(t.Context()))
	must(t, open[1].Rollback())
	must(t, open[2].Rollback())

	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for i := range 16 {
				s, err := h.Tablet(t.Context(), tablet.Target{Keyspace: "ks", Shard: names[i%len(names)]})
				if err == nil {
					_, err = s.Exec(t.Context(), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	for _, n := range names {
		if got := count(t, shard(t, h, "ks", n), "SELECT count(*) FROM t"); got != 8*16/8 {
			t.Errorf("shard %s has %d rows", n, got)
		}
	}
	if got := h.Stats().Open; got > 4 {
		t.Errorf("%d tablets are open", got)
	}
}

// prepared leaves a transaction over two shards prepared on the first, and, if
// decided, decided on the second.
func prepared(t *testing.T, h *Host, decided bool) {
	t.Helper()
	a, b := shard(t, h, "ks", "-80"), shard(t, h, "ks", "80-")
	var txs []tablet.Tx
	for _, s := range []*Shard{a, b} {
		exec(t, s, "CREATE TABLE IF NOT EXISTS t(v)")
		x, err := s.Begin(t.Context(), tablet.TxOptions{})
		must(t, err)
		exec(t, x, "INSERT INTO t VALUES(1)")
		txs = append(txs, x)
	}
	_, err := txs[0].Prepare(t.Context(), "d1", b.Target())
	must(t, err)
	if decided {
		must(t, txs[1].Decide(t.Context(), "d1", []tablet.Target{a.Target()}))
	} else {
		must(t, txs[1].Rollback())
	}
}

// What is prepared and decided outlives the host, and is settled by the tablets
// alone, whether the host was closed or not, with room for hardly any tablet.
func TestSettles(t *testing.T) {
	for _, decided := range []bool{true, false} {
		t.Run(fmt.Sprintf("decided=%v", decided), func(t *testing.T) {
			dir := t.TempDir()
			h := open(t, Options{Dir: dir, Tablet: tabletserver.Config{AskAfter: time.Hour}})
			declare(t, h, "ks", "-80", "80-")
			prepared(t, h, decided)
			if s := h.Stats(); s.Unsettled == 0 {
				t.Fatalf("%+v", s)
			}
			must(t, h.Close())
			h = open(t, Options{Dir: dir, MaxOpen: 1, Idle: time.Millisecond})
			await.True(t, "it is settled", func() bool {
				s := h.Stats()
				return s.Opens >= 3 && s.Unsettled == 0 && s.Open == 1
			})
			want := int64(0)
			if decided {
				want = 1
			}
			for _, n := range []string{"-80", "80-"} {
				if got := count(t, shard(t, h, "ks", n), "SELECT count(*) FROM t"); got != want {
					t.Errorf("shard %s has %d rows, want %d", n, got, want)
				}
			}
		})
	}
}

// What a crash has left half made isn't served beside what the catalog lists.
func TestHalfMade(t *testing.T) {
	dir := t.TempDir()
	h := open(t, Options{Dir: dir})
	declare(t, h, "whole", "-")
	must(t, h.Create(t.Context(), at("half", "-")))
	exec(t, shard(t, h, "half", "-"), "CREATE TABLE t(v)")
	must(t, h.Close())
	h = open(t, Options{Dir: dir})
	_, err := h.Tablet(t.Context(), at("half", "-"))
	wantCode(t, err, tablet.CodeWrongShard, "catalog")
	declare(t, h, "half", "-")
	exec(t, shard(t, h, "half", "-"), "CREATE TABLE t(v)")
}

func TestClosed(t *testing.T) {
	h := open(t, Options{Dir: t.TempDir()})
	declare(t, h, "ks", "-")
	s := shard(t, h, "ks", "-")
	x, err := s.Begin(t.Context(), tablet.TxOptions{Write: true})
	must(t, err)
	must(t, h.Close())
	must(t, h.Close())
	wantCode(t, s.Ping(t.Context()), tablet.CodeClosed, "closed")
	_, err = x.Exec(context.Background(), &tablet.Query{SQL: "SELECT 1"})
	wantCode(t, err, tablet.CodeClosed, "")
	_ = x.Rollback()
}
