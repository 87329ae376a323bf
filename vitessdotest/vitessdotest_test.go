package vitessdotest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/vitessdotest"
)

const shop = `
	CREATE TABLE customer (id BIGINT PRIMARY KEY, email VARCHAR(100), UNIQUE KEY by_email (email));
	CREATE TABLE orders (customer_id BIGINT, id BIGINT, total BIGINT, PRIMARY KEY (customer_id, id)) PARTITION BY KEY(customer_id);
	INSERT INTO customer VALUES (1, 'ann@x'), (2, 'ben@x'), (3, 'cem@x'), (4, 'dora@x');
	INSERT INTO orders VALUES (1, 1, 10), (2, 1, 20), (3, 1, 30), (4, 1, 40)`

// silent is a test that keeps what it is told.
type silent struct {
	testing.TB
	mu     sync.Mutex
	failed []string
}

func (s *silent) Helper() {}
func (s *silent) Error(args ...any) {
	s.Errorf("%s", fmt.Sprint(args...))
}

func (s *silent) Errorf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, fmt.Sprintf(format, args...))
}

func TestAssertions(t *testing.T) {
	db := vitessdotest.New(t, vitessdotest.Schema(shop))
	exec := func(query string, args ...any) func() {
		return func() {
			if _, err := db.Exec(query, args...); err != nil {
				t.Error(err)
			}
		}
	}
	single := (*vitessdotest.Recorder).AssertSingleShard
	noScatter := (*vitessdotest.Recorder).AssertNoScatter
	two := func(r *vitessdotest.Recorder, t testing.TB, f func()) { r.AssertMaxShards(t, 2, f) }
	lookups := func(r *vitessdotest.Recorder, t testing.TB, f func()) {
		r.AssertPlan(t, []string{"lookup", "single_shard"}, f)
	}
	for _, c := range []struct {
		name   string
		assert func(*vitessdotest.Recorder, testing.TB, func())
		run    func()
		want   []string // of the message; nil: it holds
	}{
		{"single: a point select", single, exec("SELECT total FROM orders WHERE customer_id = ? AND id = 1", 3), nil},
		{"single: a command", single, exec("SET @a = 1"), nil},
		{"single: a scatter", single, exec("SELECT total\n FROM orders  WHERE id = 1"), []string{
			"SELECT total FROM orders WHERE id = 1\n", "it asks 4 shards, and may ask 1", "plan scatter, on main/-40, main/40-80, main/80-c0, main/c0-",
			`scatter, concat: main/-40,40-80,80-c0,c0-: SELECT "total" FROM "orders" WHERE "id" = ?1`,
		}},
		{"single: a key that is unique across shards", single, exec("INSERT INTO customer VALUES (9, 'eve@x')"), []string{
			"it asks 2 shards, and may ask 1", "beside it, main/", "exec INSERT INTO", "_vt_unique.customer.by_email",
		}},
		{"single: no statement", single, func() {}, []string{"no statement has ended here"}},
		{"no scatter: some shards", noScatter, exec("SELECT total FROM orders WHERE customer_id IN (1, 2, 3)"), nil},
		{"no scatter: a key that leads to the shard", noScatter, exec("SELECT id FROM customer WHERE email = 'ann@x'"), nil},
		{"no scatter: an allowed one", noScatter, exec("SELECT /*vt+ ALLOW_SCATTER */ COUNT(*) FROM orders"), nil},
		{"no scatter: an aggregate", noScatter, exec("SELECT COUNT(*) FROM orders"), []string{"it asks all shards:", "plan scatter_aggregate"}},
		{"no scatter: a write", noScatter, exec("DELETE FROM orders WHERE total > 1000"), []string{"it asks all shards:", "plan scatter"}},
		{"at most: holds", two, exec("SELECT id FROM customer WHERE email = 'ben@x'"), nil},
		{"at most: doesn't", two, exec("SELECT id FROM customer"), []string{"it asks 4 shards, and may ask 2"}},
		{"plan: holds", lookups, exec("SELECT id FROM customer WHERE email = 'ben@x'"), nil},
		{"plan: doesn't", lookups, exec("SELECT id FROM customer"), []string{"its plan is scatter, and may be lookup or single_shard"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			told := &silent{TB: t}
			c.assert(db.Recorder, told, c.run)
			if c.want == nil {
				if len(told.failed) > 0 {
					t.Error(told.failed)
				}
				return
			}
			if len(told.failed) != 1 {
				t.Fatalf("%d failures: %q", len(told.failed), told.failed)
			}
			for _, want := range c.want {
				if !strings.Contains(told.failed[0], want) {
					t.Errorf("%q isn't in\n%s", want, told.failed[0])
				}
			}
		})
	}
}

// A distributed commit asks its shards.
func TestCommitIsLookedAt(t *testing.T) {
	db := vitessdotest.New(t, vitessdotest.Schema(shop))
	told := &silent{TB: t}
	db.AssertSingleShard(told, func() {
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		for id := range 4 {
			if _, err := tx.Exec("UPDATE orders SET total = 0 WHERE customer_id = ?", id+1); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	})
	if len(told.failed) != 1 || !strings.HasPrefix(told.failed[0], "COMMIT\n    it asks ") {
		t.Errorf("told %q", told.failed)
	}
}

func TestForbidScatter(t *testing.T) {
	told := &silent{TB: t}
	db := vitessdotest.New(told, vitessdotest.Schema(shop+"; DELETE FROM orders"), vitessdotest.ForbidScatter())
	run := func(query string) {
		t.Helper()
		if _, err := db.Exec(query); err != nil {
			t.Error(err)
		}
	}
	run("SELECT * FROM customer WHERE id = 1")
	run("SELECT /*vt+ ALLOW_SCATTER */ * FROM customer")
	db.AllowScatter(func() { run("SELECT * FROM customer") })
	if len(told.failed) > 0 {
		t.Errorf("failed by %q", told.failed)
	}
	run("SELECT * FROM customer")
	if len(told.failed) != 1 || !strings.Contains(told.failed[0], "it asks all shards, which ForbidScatter forbids") {
		t.Errorf("told %q", told.failed)
	}
}

func TestOptions(t *testing.T) {
	db := vitessdotest.New(t, vitessdotest.Shards(2), vitessdotest.Options("parse_time=false&client_found_rows=true"),
		vitessdotest.VSchema(`{"keyspaces": {"main": {"sharded": true, "vindexes": {"xxhash": {"type": "xxhash"}},
			"tables": {"t": {"column_vindexes": [{"column": "region", "name": "xxhash"}]}}}}}`),
		vitessdotest.Schema("CREATE TABLE t (region VARCHAR(10), id BIGINT, d DATE, PRIMARY KEY (region, id))"),
		vitessdotest.Schema("INSERT INTO t VALUES ('eu', 1, '2026-01-02')"),
		vitessdotest.Config(func(c *vitessdo.Config) { c.MaxCombineRows = 1000 }))
	list := db.Watch(func() {
		var d any
		if err := db.QueryRow("SELECT d FROM t WHERE region = ?", "eu").Scan(&d); err != nil || fmt.Sprintf("%s", d) != "2026-01-02" {
			t.Errorf("%v, %v", d, err)
		}
	})
	if len(list) != 1 || list[0].PlanType != "single_shard" || list[0].Digest != "select `d` from `t` where region = ?" || list[0].Rows != 1 {
		t.Errorf("watched %+v", list)
	}
	shards := map[string]bool{}
	rows, err := db.Query("SHOW VITESS_SHARDS")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		shards[s] = true
	}
	if len(shards) != 2 || !shards["main/-80"] {
		t.Errorf("shards %v", shards)
	}
}

func Example() {
	_ = func(t *testing.T) {
		db := vitessdotest.New(t, vitessdotest.Shards(8), vitessdotest.Schema(`
			CREATE TABLE orders (customer_id BIGINT, id BIGINT, total BIGINT, PRIMARY KEY (customer_id, id))
				PARTITION BY KEY(customer_id)`))

		db.AssertSingleShard(t, func() {
			if _, err := db.Exec("INSERT INTO orders VALUES (?, ?, ?)", 42, 1, 999); err != nil {
				t.Fatal(err)
			}
		})
	}
}
