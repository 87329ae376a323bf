package process

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/servicetest"
)

// logs keeps what a server logs.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The trace of a statement goes along to the shards that it asks.
func TestTrace(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, scheme := range []string{"http", "ws"} {
		t.Run(scheme, func(t *testing.T) {
			var told logs
			address, end := servicetest.Start(t, func(ctx context.Context, out io.Writer) error {
				return Run(ctx, []string{"-listen", "127.0.0.1:0", "-synchronous", "off", "-log-level", "debug", t.TempDir()}, out, &told)
			})
			db, err := sql.Open("vitessdo", scheme+"://"+address+"/main?shards=2")
			must(t, err)
			defer db.Close()
			_, err = db.Exec("CREATE TABLE t (id BIGINT PRIMARY KEY)")
			must(t, err)
			if strings.Contains(told.String(), "trace=") {
				t.Error("a trace that nobody has begun")
			}
			_, err = db.ExecContext(vitessdo.WithTrace(t.Context(), trace), "INSERT INTO t VALUES (1)")
			must(t, err)
			await.True(t, "the trace is in the log", func() bool {
				return strings.Contains(told.String(), "type=SHARD_EXECUTE") && strings.Contains(told.String(), "trace="+trace)
			})
			must(t, db.Close())
			must(t, end())
		})
	}
}
