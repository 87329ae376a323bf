package reshard

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
)

func openDB(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func do(tb testing.TB, db *sql.DB, query string, args ...any) {
	tb.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// rowsOf gives a query's rows as text.
func rowsOf(db *sql.DB, query string) (string, error) {
	rows, err := db.Query(query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var out []string
	vals, ptrs := make([]any, len(cols)), make([]any, len(cols))
	for i := range vals {
		ptrs[i] = &vals[i]
	}
	for rows.Next() {
		if err := rows.Scan(ptrs...); err != nil {
			return "", err
		}
		line := make([]string, len(vals))
		for i, v := range vals {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			line[i] = fmt.Sprintf("%T:%v", v, v)
		}
		out = append(out, strings.Join(line, "|"))
	}
	return strings.Join(out, "\n"), rows.Err()
}

// house is a schema with everything that is kept in a place of its own.
var house = []string{
	"CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(80) UNIQUE, name VARCHAR(40) COLLATE utf8mb4_general_ci, score DECIMAL(30,6), born DATE, raw BLOB, upper_name VARCHAR(40) AS (UPPER(name)), KEY by_name (name), CHECK (score >= 0))",
	"CREATE TABLE orders (tenant BIGINT, id BIGINT, user_id BIGINT, total DOUBLE, made DATETIME(6), note TEXT, PRIMARY KEY (tenant, id), FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE) PARTITION BY KEY(tenant)",
	"CREATE TABLE parts (tenant BIGINT, order_id BIGINT, no INT, sku VARCHAR(20), PRIMARY KEY (tenant, order_id, no), UNIQUE KEY sku_once (sku), FOREIGN KEY (tenant, order_id) REFERENCES orders (tenant, id) ON DELETE CASCADE) PARTITION BY KEY(tenant)",
	"CREATE TABLE currencies (code CHAR(3) PRIMARY KEY, rate DECIMAL(10,4)) COMMENT 'reference'",
	"CREATE TABLE settings (k VARCHAR(20) PRIMARY KEY, v TEXT) COMMENT 'unsharded'",
	"CREATE TABLE pinned (k BIGINT PRIMARY KEY, v TEXT) COMMENT 'pinned=c0'",
	"CREATE TABLE log (line TEXT)",
	"CREATE TABLE ring (id BIGINT PRIMARY KEY, tag VARCHAR(20) UNIQUE, city VARCHAR(20)) COMMENT 'vindex=consistent_hash(id)'",
	"CREATE TABLE city_lookup (city VARCHAR(20), keyspace_id VARBINARY(64), PRIMARY KEY (city, keyspace_id)) PARTITION BY KEY(city)",
	"ALTER VSCHEMA ON ring ADD VINDEX by_city(city) USING lookup WITH owner=ring, table=city_lookup, `from`=city, `to`=keyspace_id",
	"CREATE VIEW big_orders AS SELECT o.tenant, o.id, u.email FROM orders o JOIN users u ON u.id = o.user_id WHERE o.total > 50",
	"CREATE DATABASE /*vt+ SHARDS=2 */ crm",
	"CREATE TABLE crm.notes (id BIGINT PRIMARY KEY, user_id BIGINT, txt TEXT, FOREIGN KEY (user_id) REFERENCES main.users (id) ON DELETE SET NULL)",
}

// asked are questions to which there is one answer, whatever the shards.
var asked = []string{
	"SELECT * FROM users ORDER BY id",
	"SELECT * FROM orders ORDER BY tenant, id",
	"SELECT * FROM parts ORDER BY tenant, order_id, no",
	"SELECT * FROM currencies ORDER BY code",
	"SELECT * FROM settings ORDER BY k",
	"SELECT * FROM pinned ORDER BY k",
	"SELECT * FROM log",
	"SELECT * FROM ring ORDER BY id",
	"SELECT id FROM ring WHERE city = 'c3' ORDER BY id",
	"SELECT city, COUNT(*) FROM city_lookup GROUP BY city ORDER BY city",
	"SELECT * FROM big_orders ORDER BY tenant, id",
	"SELECT * FROM crm.notes ORDER BY id",
	"SELECT id FROM users WHERE email = 'u17@x'",
	"SELECT id, city FROM ring WHERE tag = 't23'",
	"SELECT o.tenant, COUNT(*), SUM(c.rate) FROM orders o JOIN currencies c ON c.code = 'EUR' GROUP BY o.tenant ORDER BY 1",
	"SELECT tenant, order_id FROM parts WHERE sku = 's5-1'",
	"SHOW TABLES", "SHOW CREATE TABLE users", "SHOW CREATE VIEW big_orders",
}

func build(tb testing.TB, dir string, shards int) {
	tb.Helper()
	db := openDB(tb, fmt.Sprintf("file:%s?shards=%d", dir, shards))
	for _, q := range house {
		do(tb, db, q)
	}
	for i := 1; i <= 60; i++ {
		do(tb, db, "INSERT INTO users (email, name, score, born, raw) VALUES (?, ?, ?, ?, ?)", fmt.Sprintf("u%d@x", i), fmt.Sprintf("Näme'%d\n", i), fmt.Sprintf("%d.123456", int64(i)*98765432109876), "2001-02-03", []byte{0, byte(i), 255})
	}
	for i := 1; i <= 40; i++ {
		do(tb, db, "INSERT INTO orders VALUES (?, ?, ?, ?, '2026-01-02 03:04:05.678901', NULL)", i%9, i, 1+i%60, float64(i)*1.5)
		do(tb, db, "INSERT INTO parts VALUES (?, ?, 1, ?), (?, ?, 2, NULL)", i%9, i, fmt.Sprintf("s%d-1", i), i%9, i)
		do(tb, db, "INSERT INTO ring VALUES (?, ?, ?)", i, fmt.Sprintf("t%d", i), fmt.Sprintf("c%d", i%5))
		do(tb, db, "INSERT INTO crm.notes VALUES (?, ?, ?)", i, 1+i%60, strings.Repeat("n", i))
	}
	do(tb, db, "INSERT INTO currencies VALUES ('EUR', 1), ('USD', 1.0825), ('JPY', 163.1)")
	do(tb, db, "INSERT INTO settings VALUES ('a', 'x'), ('b', NULL)")
	do(tb, db, "INSERT INTO pinned VALUES (1, 'p'), (2, 'q')")
	do(tb, db, "INSERT INTO log VALUES ('first'), ('second'), ('third')")
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}

func answers(tb testing.TB, dsn string) []string {
	tb.Helper()
	db := openDB(tb, dsn)
	defer db.Close()
	out := make([]string, len(asked))
	for i, q := range asked {
		var err error
		if out[i], err = rowsOf(db, q); err != nil {
			tb.Fatalf("%s: %v", q, err)
		}
	}
	return out
}

func same(tb testing.TB, what string, want, got []string) {
	tb.Helper()
	for i := range want {
		if want[i] != got[i] {
			tb.Errorf("%s: %s:\n%s\nwant:\n%s", what, asked[i], got[i], want[i])
		}
	}
}

// usable sees that writes work on the new shards: counters go on, keys are kept
// across shards, actions of foreign keys reach their rows.
func usable(tb testing.TB, dsn string) {
	tb.Helper()
	db := openDB(tb, dsn)
	defer db.Close()
	res, err := db.Exec("INSERT INTO users (email, name, score) VALUES ('new@x', 'N', 1)")
	if err != nil {
		tb.Fatal(err)
	}
	if id, _ := res.LastInsertId(); id <= 60 {
		tb.Errorf("the counter gives %d again", id)
	}
	for _, q := range []string{
		"INSERT INTO users (email, name, score) VALUES ('u17@x', 'N', 1)",
		"INSERT INTO users (email, name, score) VALUES ('other@x', 'N', -1)",
		"INSERT INTO ring VALUES (1000, 't7', 'c1')",
		"INSERT INTO parts VALUES (3, 3, 9, 's5-1')",
		"INSERT INTO orders VALUES (1, 1000, 99999, 1, NULL, NULL)",
		"INSERT INTO parts VALUES (3, 999, 9, 'none')",
		"INSERT INTO currencies VALUES ('EUR', 2)",
	} {
		if _, err := db.Exec(q); err == nil {
			tb.Errorf("%s went through", q)
		}
	}
	for _, q := range []string{
		"DELETE FROM users WHERE email = 'new@x'",
		"UPDATE ring SET city = 'moved' WHERE tag = 't23'",
		"UPDATE ring SET city = 'c3' WHERE city = 'moved'",
		"INSERT INTO currencies VALUES ('CHF', 1)", "DELETE FROM currencies WHERE code = 'CHF'",
		"ALTER TABLE users ADD COLUMN extra INT", "ALTER TABLE users DROP COLUMN extra",
	} {
		do(tb, db, q)
	}
	verified(tb, db, "ring", "by_city")
}

// verified sees that a lookup vindex has entries, and those of the rows.
func verified(tb testing.TB, db *sql.DB, table, vindex string) {
	tb.Helper()
	conn, err := db.Conn(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	r, err := vitessdo.VerifyVindex(tb.Context(), conn, table, vindex, false, nil)
	if err != nil || !r.Clean() || r.Entries == 0 {
		tb.Errorf("vindex %s: %+v %v", vindex, r, err)
	}
}

// TestReshard leads a database with everything in it over other numbers of shards and
// back: the same answers, and writes that work, after each step.
func TestReshard(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, 4)
	want := answers(t, "file:"+dir)
	for i, step := range []Options{{Shards: 7}, {Shards: 1}, {Shards: 3}, {Ranges: []string{"80-", "-20", "20-80"}}, {Shards: 2, Keyspaces: []string{"main"}}, {Shards: 5, Discard: true}} {
		step.Dir = dir
		res, err := Run(t.Context(), step)
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if res.Already || res.Resumed || (res.Aside == "") != step.Discard {
			t.Errorf("step %d: %+v", i, res)
		}
		same(t, fmt.Sprintf("step %d", i), want, answers(t, "file:"+dir))
		if res.Aside != "" {
			same(t, fmt.Sprintf("step %d, aside", i), want, answers(t, "file:"+res.Aside))
		}
		usable(t, "file:"+dir)
		same(t, fmt.Sprintf("step %d, after writes", i), want, answers(t, "file:"+dir))
		if again, err := Run(t.Context(), step); err != nil || !again.Already {
			t.Errorf("step %d, again: %+v %v", i, again, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		gens := slices.DeleteFunc(entries, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), "gen~") })
		if len(gens) != 1 {
			t.Errorf("step %d: generations %v", i, gens)
		}
	}
}

// TestRanges gives the ranges of a range vindex to other shards, and cuts them
// elsewhere, with fewer shards and with more: lookups lead to the rows, keys stay
// unique, and a second run finds nothing to do.
func TestRanges(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, "file:"+dir+"?shards=4")
	for _, q := range []string{
		"CREATE TABLE bills (id BIGINT PRIMARY KEY, tag VARCHAR(20) UNIQUE, city VARCHAR(20)) COMMENT 'vindex=range(id) boundaries=100,200,300'",
		"CREATE TABLE city_bills (city VARCHAR(20), keyspace_id VARBINARY(64), PRIMARY KEY (city, keyspace_id)) PARTITION BY KEY(city)",
		"ALTER VSCHEMA ON bills ADD VINDEX by_city(city) USING lookup WITH owner=bills, table=city_bills, `from`=city, `to`=keyspace_id",
		"CREATE TABLE words (w VARCHAR(40) PRIMARY KEY, n INT UNIQUE) COMMENT 'vindex=range(w) type=text boundaries=abcdefghij,n,t'",
	} {
		do(t, db, q)
	}
	for i := range 40 {
		do(t, db, "INSERT INTO bills VALUES (?, ?, ?)", i*10, fmt.Sprint("t", i), fmt.Sprint("c", i%5))
		do(t, db, "INSERT INTO words VALUES (?, ?)", fmt.Sprintf("%c%d", 'a'+i%26, i), i)
	}
	db.Close()
	questions := []string{"SELECT * FROM bills ORDER BY id", "SELECT * FROM words ORDER BY w", "SELECT id FROM bills WHERE tag = 't31'", "SELECT id FROM bills WHERE city = 'c3' ORDER BY id",
		"SELECT w FROM words WHERE n = 7", "SELECT COUNT(*) FROM bills WHERE id BETWEEN 95 AND 205"}
	ask := func() (out []string) {
		db := openDB(t, "file:"+dir)
		defer db.Close()
		for _, q := range questions {
			got, err := rowsOf(db, q)
			if err != nil {
				t.Fatalf("%s: %v", q, err)
			}
			out = append(out, got)
		}
		return out
	}
	want := ask()
	const words = "words_w_range"
	for _, c := range []struct {
		shards   int
		vindexes map[string]map[string]string
		shows    string // in SHOW CREATE TABLE bills
		on       string // SELECT COUNT(*) on shard 0
	}{
		{2, map[string]map[string]string{"range": {"shards": "0,0,1,1"}, words: {"shards": "0,1,1,0"}}, "boundaries=100,200,300 shards=0,0,1,1", "int64:20"},
		{5, map[string]map[string]string{"main.range": {"shards": "0,1,2,3,4", "boundaries": "50,100,200,350"}}, "boundaries=50,100,200,350 shards=0,1,2,3,4", "int64:5"},
		{5, map[string]map[string]string{"range": {"shards": "4,3,2,1,0"}}, "shards=4,3,2,1,0", "int64:5"},
		{1, map[string]map[string]string{"range": {"shards": "0,0,0,0,0"}, words: {"shards": "0,0,0,0"}}, "shards=0,0,0,0,0", "int64:40"},
	} {
		o := Options{Dir: dir, Shards: c.shards, Vindexes: c.vindexes, Discard: true}
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatalf("%d shards, %v: %v", c.shards, c.vindexes, err)
		}
		if got := ask(); !slices.Equal(got, want) {
			t.Errorf("%d shards, %v: %q, want %q", c.shards, c.vindexes, got, want)
		}
		db := openDB(t, "file:"+dir)
		if got, err := rowsOf(db, "SHOW CREATE TABLE bills"); err != nil || !strings.Contains(got, c.shows) {
			t.Errorf("%s %v, want %s", got, err, c.shows)
		}
		if _, err := db.Exec("INSERT INTO bills VALUES (5, 't31', 'c')"); err == nil {
			t.Error("a key comes twice")
		}
		verified(t, db, "bills", "by_city")
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first := map[int]string{1: "-", 2: "-80", 5: "-33"}[c.shards]
		if _, err := conn.ExecContext(t.Context(), "USE `main/"+first+"`"); err != nil {
			t.Fatal(err)
		}
		var n int64
		if err := conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM bills").Scan(&n); err != nil || fmt.Sprintf("int64:%d", n) != c.on {
			t.Errorf("%d shards: the first has %d bills, %v, want %s", c.shards, n, err, c.on)
		}
		conn.Close()
		db.Close()
		if res, err := Run(t.Context(), o); err != nil || !res.Already {
			t.Errorf("again: %+v %v", res, err)
		}
	}
	for _, c := range []struct {
		vindexes map[string]map[string]string
		want     string
	}{
		{map[string]map[string]string{"rnage": {"shards": "0"}}, `no vindex "rnage"`},
		{map[string]map[string]string{"range": {"type": "text"}}, `parameter "type" stays`},
		{map[string]map[string]string{"hash": {"shards": "0"}}, "only range vindexes"},
		{map[string]map[string]string{"range": {"shards": "0,1"}}, "2 shards for 5 ranges"},
		{map[string]map[string]string{words: {"boundaries": "abcdefghik,n,t", "shards": "0,1,2,1"}}, `begin with "abcdefgh"`},
	} {
		if _, err := Run(t.Context(), Options{Dir: dir, Shards: 3, Vindexes: c.vindexes}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.vindexes, err, c.want)
		}
	}
}

// What can't be done is refused before anything is.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	build(t, dir, 1)
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "number of shards"},
		{Options{Shards: 300}, "1 to 256"},
		{Options{Shards: 2, Ranges: []string{"-"}}, "not both"},
		{Options{Ranges: []string{"-40", "80-"}}, "80-"},
		{Options{Ranges: []string{"nothing"}}, "nothing"},
		{Options{Shards: 2, Keyspaces: []string{"other"}}, "no keyspace other"},
	} {
		c.o.Dir = dir
		if _, err := Run(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
	db := openDB(t, "file:"+dir)
	do(t, db, "CREATE TABLE bad (id BIGINT, v VARCHAR(20), PRIMARY KEY (v(3))) COMMENT 'vindex=hash(id)'")
	_, err := Run(t.Context(), Options{Dir: dir, Shards: 2})
	if err == nil || !strings.Contains(err.Error(), "in use by") {
		t.Errorf("an open directory: %v", err)
	}
	db.Close()
	if _, err = Run(t.Context(), Options{Dir: dir, Shards: 2}); err == nil || !strings.Contains(err.Error(), `unique key "PRIMARY" of table "bad"`) {
		t.Errorf("a key that shards can't keep: %v", err)
	}
	if _, err := Run(t.Context(), Options{Dir: dir + "/none", Shards: 2}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
}
