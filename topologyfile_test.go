package vitessdo

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/internal/chaosproxy"
	"github.com/vitessdo/vitessdo/internal/remotetest"
	"github.com/vitessdo/vitessdo/tablet"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "topology.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A database whose shards are at two servers and in a folder here, and what a
// coordinator that died has left there.
func TestTopology(t *testing.T) {
	one, two := remotetest.Start(""), remotetest.Start("")
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	path := writeFile(t, fmt.Sprintf(`{"catalog": "ws://%s", "shards": {"main/-40": "http://%s", "main/40-80": "ws://%s", "main/80-c0": "file:here"}}`,
		one.Addr(), two.Addr(), two.Addr()))
	dsn := "ws://" + one.Addr() + "/?shards=4&topology=" + path
	db := openDB(t, dsn)
	do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	for i := range 40 {
		do(t, db, "INSERT INTO t VALUES (?, 0)", i)
	}
	do(t, db, "UPDATE t SET v = v + 1")
	want(t, db, "40|40", "SELECT COUNT(*), SUM(v) FROM t")
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "here", "main", "80-c0.db")); err != nil {
		t.Error(err)
	}
	wantCode(t, openDB(t, dsn).Ping(), CodeTopology, "the folder opened a second time")

	// Prepared on one host, decided on another, and nobody to go on.
	err := withCluster(db, func(c *cluster) error {
		list := c.tabletsOf("main")
		for i, holder := range []int{1, 2, 3} {
			participant, dtid := list[0], fmt.Sprint("left-", i)
			if holder == 3 {
				participant = list[2]
			}
			a, err := participant.Begin(bg, tablet.TxOptions{})
			if err != nil {
				return err
			}
			if _, err := a.Exec(bg, &tablet.Query{SQL: "UPDATE t SET v = v + 100"}); err != nil {
				return err
			}
			if _, err := a.Prepare(bg, dtid, list[holder].Target()); err != nil {
				return err
			}
			if i == 1 {
				continue // which aborts
			}
			b, err := list[holder].Begin(bg, tablet.TxOptions{})
			if err != nil {
				return err
			}
			if _, err := b.Exec(bg, &tablet.Query{SQL: "UPDATE t SET v = v + 100"}); err != nil {
				return err
			}
			if err := b.Decide(bg, dtid, []tablet.Target{participant.Target()}); err != nil {
				return err
			}
			if err := soon(t, "settling "+dtid, func() error { do(t, db, "UPDATE t SET v = v WHERE v < 0"); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, db, "0", "SELECT COUNT(*) FROM t WHERE v NOT IN (1, 101, 201)")
}

// A topology whose names fit no shard is refused: what it means would be elsewhere.
func TestTopologyNames(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	open := func(shard string) *sql.DB {
		return openDB(t, "file:"+dir+"/data?shards=2&topology="+writeFile(t, fmt.Sprintf(`{"shards": {%q: "file:%s/there"}}`, shard, dir)))
	}
	for range 2 { // before it is made, and afterwards
		for _, shard := range []string{"main/-40", "Main/-80", "main/-"} {
			err := open(shard).Ping()
			wantCode(t, err, CodeTopology, shard)
			if !strings.Contains(err.Error(), "places shard "+shard) || !strings.Contains(err.Error(), "main/-80, main/80-") {
				t.Error(err)
			}
		}
		db := open("main/-80")
		do(t, db, "CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY)")
		db.Close()
	}
	dir = filepath.ToSlash(t.TempDir())
	db := open("other/-40") // which may come to be
	do(t, db, "CREATE TABLE t (id INT PRIMARY KEY)")
	if _, err := db.Exec("CREATE DATABASE other"); CodeOf(err) != CodeTopology {
		t.Errorf("a keyspace is made whose shards the topology doesn't know: %v", err)
	}
	db.Close()
}

// The bank's transfers over shards of four kinds: in a folder here, at a server by each
// way through a bad network, and behind a database/sql driver. Nothing is lost or done by
// half, and a second gate can go on with what the first has left.
func TestBankOverTopology(t *testing.T) {
	server := remotetest.Start(t.TempDir())
	t.Cleanup(server.Close)
	proxies := map[string]*chaosproxy.Proxy{}
	for scheme, faults := range chaos {
		proxy, err := chaosproxy.New(server.Addr(), 11, faults, scheme == "ws")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Close)
		proxies[scheme] = proxy
	}
	dir := filepath.ToSlash(t.TempDir())
	open := func(ws, http string) *sql.DB {
		return openDB(t, server.DSN("ws", "shards=4&lock_wait_timeout=2s&topology="+writeFile(t, fmt.Sprintf(
			`{"shards": {"main/-40": "file:%s/here", "main/40-80": "ws://%s", "main/80-c0": "http://%s", "main/c0-": "files:%s/far.db"}}`, dir, ws, http, dir))))
	}
	db := open(server.Addr(), server.Addr())
	before := bankTables(t, db)
	_ = db.Close() // which owns the folder and the file
	db = open(proxies["ws"].Addr(), proxies["http"].Addr())
	b := &bank{t: t, db: db, moved: map[int]error{}, noted: map[int]error{}}
	b.run(11, *chaosTime)
	for _, p := range proxies {
		p.Calm()
	}
	settled(t, db)
	b.check(db, before)
	_ = db.Close()
	b.check(open(server.Addr(), server.Addr()), before)
}

func TestTopologyRefuses(t *testing.T) {
	dir := t.TempDir()
	do(t, openDB(t, "file:"+dir+"/data?shards=1"), "CREATE TABLE t (id INT PRIMARY KEY)")
	for _, tc := range []struct{ text, want string }{
		{`{"shard": {}}`, "unknown field"},
		{`{"shards": {"main": "http://h"}}`, `"main" is no shard`},
		{`{"shards": {"main/-80": "ftp://h"}}`, "no scheme that is known"},
		{`{"shards": {"main/-80": "http://h"}, "tokens": {"http://h": "secret"}}`, "env:NAME or file:PATH"},
		{`{"shards": {"main/-80": "http://h"}, "tokens": {"http://g": "env:HOME"}}`, "which no shard is at"},
		{`{"shards": {"main/-80": "http://h"}, "tokens": {"http://h": "env:NO_SUCH_VARIABLE_HERE"}}`, "no variable"},
		{`{"shards": {"main/-80": "file:` + dir + `/data"}}`, "is a data directory"},
	} {
		e := wantCode(t, openDB(t, "http://localhost:1/?topology="+writeFile(t, tc.text)).Ping(), CodeTopology, tc.text)
		if !strings.Contains(e.Message, tc.want) || strings.Contains(e.Message, "secret") {
			t.Errorf("%s: %v", tc.text, e)
		}
	}
}
