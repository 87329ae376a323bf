package reshard

import (
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// shardAt opens a shard's database alone.
func shardAt(t *testing.T, dir, shard string) *tabletserver.Tablet {
	t.Helper()
	at, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: tablet.Target{Keyspace: "main", Shard: shard}, Path: dir + "/main/" + shard + ".db"})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// onShard runs a statement on a shard's database, as nobody should.
func onShard(t *testing.T, dir, shard, statement string) {
	t.Helper()
	at := shardAt(t, dir, shard)
	defer at.Close()
	if _, err := at.Exec(t.Context(), &tablet.Query{SQL: statement}); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsInTheWay names rows that can't be put together, and leaves the directory
// as it was.
func TestWhatIsInTheWay(t *testing.T) {
	for _, c := range []struct {
		name    string
		setup   []string
		shard   string // on which raw is run
		raw     string
		to      Options
		want    string
		strays  int64
		remains string // a query whose answer stays
	}{
		{"a key within each shard", []string{
			"CREATE TABLE t (id BIGINT PRIMARY KEY, code INT, UNIQUE KEY once (code)) COMMENT 'unique=shard; vindex=hash(id)'",
			"INSERT INTO t VALUES (1, 7), (2, 8), (3, 9), (4, 10)", "USE `main/-80`", "INSERT INTO t VALUES (100, 50)", "USE `main/80-`", "INSERT INTO t VALUES (101, 50)"},
			"", "", Options{Shards: 1}, "same unique key", 0, "SELECT COUNT(*) FROM t"},
		{"copies that differ", []string{"CREATE TABLE r (id BIGINT PRIMARY KEY, v INT) COMMENT 'reference'", "INSERT INTO r VALUES (1, 1), (2, 2)"},
			"80-", "UPDATE r SET v = 9 WHERE id = 2", Options{Shards: 3}, "copies of table r", 0, "SELECT COUNT(*) FROM r"},
		{"rows where nobody looks", []string{"CREATE TABLE u (id BIGINT PRIMARY KEY) COMMENT 'unsharded'"},
			"80-", "INSERT INTO u VALUES (5)", Options{Shards: 3}, "nobody looks for them", 0, "SELECT COUNT(*) FROM u"},
		{"a range beyond the shards", []string{"CREATE TABLE g (id BIGINT PRIMARY KEY) COMMENT 'vindex=range(id) boundaries=100'", "INSERT INTO g VALUES (5), (500)"},
			"", "", Options{Shards: 1}, "range 1 goes to shard 1, but the keyspace has 1 shards, numbered from 0; say which shard each range goes to, such as shards=0,0; the option --vindex", 0, "SELECT COUNT(*) FROM g"},
		{"a table that the catalog has", []string{"CREATE TABLE l (id BIGINT PRIMARY KEY)"},
			"80-", "DROP TABLE l", Options{Shards: 3}, "lacks table l", 0, "SHOW TABLES"},
		{"a stray", []string{"CREATE TABLE s (id BIGINT PRIMARY KEY) COMMENT 'vindex=hash(id)'", "USE `main/-80`", "INSERT INTO s VALUES (1), (2), (3), (4), (5)"},
			"", "", Options{Shards: 3}, "", 1, "SELECT * FROM s ORDER BY id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			db := openDB(t, "file:"+dir+"?shards=2")
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range c.setup {
				if _, err := conn.ExecContext(t.Context(), q); err != nil {
					t.Fatalf("%s: %v", q, err)
				}
			}
			conn.Close()
			db.Close()
			if c.raw != "" {
				onShard(t, dir, c.shard, c.raw)
			}
			looked := openDB(t, "file:"+dir)
			before, err := rowsOf(looked, c.remains)
			if err != nil {
				t.Fatal(err)
			}
			looked.Close()
			c.to.Dir = dir
			res, err := Run(t.Context(), c.to)
			if c.want == "" && (err != nil || res.Keyspaces[0].Strays < c.strays) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%+v %v, want %q", res, err, c.want)
			}
			if after, err := rowsOf(openDB(t, "file:"+dir), c.remains); err != nil || after != before {
				t.Errorf("afterwards: %s %v, before %s", after, err, before)
			}
		})
	}
}
