package rpc_test

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// By HTTP a CANCEL may overtake the write that it is to end. That ends all the same, long
// before the time that its client would wait.
func TestCancelOvertakes(t *testing.T) {
	db := remembering(t)
	holder, err := db.Begin(t.Context(), tablet.TxOptions{Write: true})
	must(t, err)
	server := rpc.Serve(db)
	t.Cleanup(func() { _ = server.Close() })
	canceled := make(chan struct{})
	cancels := sync.OnceFunc(func() { close(canceled) })
	sent := make(chan struct{})
	there := meddled(t, &rpc.ClientOptions{Grace: time.Minute}, func(w http.ResponseWriter, r *http.Request, body []byte) {
		switch {
		case bytes.Contains(body, []byte("INSERT")):
			close(sent)
			<-canceled
		case bytes.Contains(body, []byte(`"type":36`)):
			defer cancels()
		}
		server.ServeHTTP(w, r)
	})
	ctx, cancel := context.WithCancel(tablet.WithLockWait(t.Context(), 30*time.Second))
	go func() {
		<-sent
		cancel()
	}()
	_, err = there.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
	wantCode(t, err, tablet.CodeCanceled)
	must(t, holder.Rollback())
}
