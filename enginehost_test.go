package vitessdo

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

func init() {
	RegisterEngine("files", func(ctx context.Context, address, _ string) (tabletserver.Engine, error) {
		db, err := sql.Open("sqlite3", "file:"+strings.TrimPrefix(address, "files:")+"?_pragma=busy_timeout(2000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)")
		if err != nil {
			return nil, err
		}
		return sqldb.New(ctx, db, sqldb.Options{Name: address})
	})
}

// TestEngineHost: a topology's shard that is a database behind an engine of its own,
// beside shards in a folder.
func TestEngineHost(t *testing.T) {
	dir := t.TempDir()
	at := "files:" + filepath.ToSlash(filepath.Join(dir, "far.db"))
	dsn := "file:" + escapePath(filepath.Join(dir, "data")) + "?shards=2&topology=" + writeFile(t, `{"shards": {"main/-80": "`+at+`"}}`)
	db := openDB(t, dsn)
	do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n DECIMAL(10,2))")
	for i := range 20 {
		do(t, db, "INSERT INTO t VALUES (?, 'ä', 1.25)", i)
	}
	do(t, db, "UPDATE t SET v = UPPER(v), n = n * 2")
	want(t, db, "20|50.00|Ä", "SELECT COUNT(*), SUM(n), MIN(v) FROM t")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := openDB(t, dsn)
	want(t, again, "20", "SELECT COUNT(*) FROM t WHERE v = 'Ä'")
	do(t, again, "DROP TABLE t")
	_ = again.Close()

	// The place has one shard, and no other database's.
	other := "file:" + escapePath(filepath.Join(dir, "other")) + "?shards=2&topology=" + writeFile(t, `{"shards": {"main/80-": "`+at+`"}}`)
	wantCode(t, openDB(t, other).Ping(), CodeTopology, "another database's shard")
	twice := "file:" + escapePath(filepath.Join(dir, "twice")) + "?shards=2&topology=" + writeFile(t, `{"shards": {"main/80-": "`+at+`2", "main/-80": "`+at+`2"}}`)
	mustFail(t, openDB(t, twice), CodeWrongShard, "SELECT 1")
}
