package rpc_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// What a server refuses that is about to end wasn't done, and is sent to its successor;
// but if an answer was lost before that, nobody knows.
func TestClosing(t *testing.T) {
	db := remembering(t)
	ends, lives := rpc.Serve(db), rpc.Serve(db)
	t.Cleanup(func() { _ = ends.Close(); _ = lives.Close() })
	var loses atomic.Bool // the first answer
	var current atomic.Pointer[rpc.Server]
	var ending atomic.Pointer[context.CancelFunc] // what ends who writes, once it was refused
	current.Store(lives)
	refused := make(chan struct{}, 100)
	there := meddled(t, nil, func(w http.ResponseWriter, r *http.Request, body []byte) {
		writes := bytes.Contains(body, []byte("INSERT"))
		if writes && loses.Swap(false) {
			lives.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		s := current.Load()
		s.ServeHTTP(w, r)
		if s != ends || !writes {
			return
		}
		refused <- struct{}{}
		if cancel := ending.Load(); cancel != nil {
			(*cancel)()
		}
	})

	ended := make(chan struct{})
	go func() { ends.Shutdown(t.Context()); close(ended) }()
	await.True(t, "it begins nothing new", ends.Draining)
	write := func(ctx context.Context) error {
		_, err := there.Exec(ctx, &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
		return err
	}
	writeUntilRefused := func() error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ending.Store(&cancel)
		defer ending.Store(nil)
		return write(ctx)
	}
	current.Store(ends)
	wantCode(t, writeUntilRefused(), tablet.CodeClosing)
	want := int64(0)
	count := func() {
		t.Helper()
		if got := query(t, db, "SELECT count(*) FROM t")[0][0]; got != want {
			t.Errorf("%v rows are there, want %d", got, want)
		}
	}
	count()

	loses.Store(true)
	err := writeUntilRefused()
	wantCode(t, err, tablet.CodeUnknownResult)
	if !strings.Contains(err.Error(), "closing") {
		t.Errorf("got %v", err)
	}
	want++
	count()

	for len(refused) > 0 {
		<-refused
	}
	go func() {
		<-refused
		current.Store(lives)
	}()
	must(t, write(t.Context()))
	want++
	count()
	<-ended
}
