package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/vitessdo/vitessdo/front/corpus"
)

// written writes a value; of booleans and times as SQLite keeps them.
func written(v any, _ string) string {
	switch v := v.(type) {
	case []byte:
		return fmt.Sprintf(`x'%x'`, v)
	case bool:
		return map[bool]string{false: "0", true: "1"}[v]
	case time.Time:
		return strings.TrimSuffix(v.UTC().Format("2006-01-02 15:04:05.999999"), " 00:00:00")
	case float64:
		return fmt.Sprintf("%.15g", v)
	}
	return fmt.Sprint(v)
}

func listener(t testing.TB, driver, dsn string) *corpus.Listener {
	return &corpus.Listener{Conn: corpus.Connect(t, driver, dsn), Write: written, Real: driver == "sqlite3"}
}

// TestCorpus: every statement gives what it says, on one shard and on several.
func TestCorpus(t *testing.T) {
	for name, story := range corpus.Read(t) {
		for _, shards := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, shards), func(t *testing.T) {
				listener(t, "vitessdo", fmt.Sprintf(":memory:?shards=%d&dialect=sqlite", shards)).Tell(t, story)
			})
		}
	}
}

// TestCorpusOfSQLite: the corpus is right: SQLite itself gives the same rows.
func TestCorpusOfSQLite(t *testing.T) {
	for name, story := range corpus.Read(t) {
		t.Run(name, func(t *testing.T) {
			listener(t, "sqlite3", "file:"+name+"?mode=memory&_pragma=foreign_keys(1)").Tell(t, story)
		})
	}
}
