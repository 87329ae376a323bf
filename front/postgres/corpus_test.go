package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/front/corpus"
)

// written writes a value.
func written(v any, typ string) string {
	switch v := v.(type) {
	case []byte:
		if strings.HasPrefix(typ, "JSON") {
			return string(v)
		}
		return fmt.Sprintf(`\x%x`, v)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999")
	case float64:
		return fmt.Sprintf("%.15g", v)
	}
	return fmt.Sprint(v)
}

// answer gives a statement's rows as the corpus has them.
func answer(ctx context.Context, conn *sql.Conn, query string, args ...any) []string {
	return (&corpus.Listener{Conn: conn, Write: written}).Answer(ctx, query, args...)
}

// TestCorpus: every statement gives what it says, on one shard and on several.
func TestCorpus(t *testing.T) {
	for name, story := range corpus.Read(t) {
		for _, shards := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, shards), func(t *testing.T) {
				conn := corpus.Connect(t, "vitessdo", fmt.Sprintf(":memory:?shards=%d&dialect=postgres", shards))
				(&corpus.Listener{Conn: conn, Write: written}).Tell(t, story)
			})
		}
	}
}

func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
