package clients

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"testing"

	_ "github.com/vitessdo/vitessdo"
)

var bg = context.Background()

// each runs a test on databases of one shard and of four. The data source name opens
// the same database again.
func each(t *testing.T, run func(t *testing.T, db *sql.DB, dsn string)) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) {
			t.Parallel()
			dsn := fmt.Sprintf("file:%s/data?shards=%d&synchronous=off&multi_statements=true", t.TempDir(), shards)
			run(t, open(t, dsn), dsn)
		})
	}
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("vitessdo", dsn)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() }) // some tools have closed it
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// texts is a query's first column.
func texts(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(bg, query, args...)
	must(t, err)
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		out = append(out, s)
	}
	must(t, rows.Err())
	return out
}
