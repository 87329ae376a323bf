package rpc_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// By HTTP a CANCEL may overtake the write that it is to end. That ends all the same, long
// before the time that its client would wait.
func TestCancelOvertakes(t *testing.T) {
	db, err := tabletserver.Open(t.Context(), tabletserver.Config{Path: filepath.Join(t.TempDir(), "s.db"), Synchronous: tabletserver.Off, Target: shard})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	exec(t, db, "CREATE TABLE t(v INTEGER)")
	holder, err := db.Begin(t.Context(), tablet.TxOptions{Write: true})
	must(t, err)
	server := rpc.Serve(db)
	t.Cleanup(func() { _ = server.Close() })
	canceled := make(chan struct{})
	cancels := sync.OnceFunc(func() { close(canceled) })
	sent := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch {
		case bytes.Contains(body, []byte("INSERT")):
			close(sent)
			<-canceled
		case bytes.Contains(body, []byte(`"type":36`)):
			defer cancels()
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	c, err := rpc.NewClient(web.URL, &rpc.ClientOptions{Grace: time.Minute})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	there, err := c.Tablet(t.Context(), shard)
	must(t, err)
	ctx, cancel := context.WithCancel(tablet.WithLockWait(t.Context(), 30*time.Second))
	go func() {
		<-sent
		cancel()
	}()
	_, err = there.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
	wantCode(t, err, tablet.CodeCanceled)
	must(t, holder.Rollback())
}
