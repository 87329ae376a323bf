package rpc_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// A write whose connection was lost may wait for its lock still, when it is sent again
// and refused: nobody knows what becomes of it.
func TestRefusedWhenSentAgain(t *testing.T) {
	db := remembering(t)
	holder, err := db.Begin(t.Context(), tablet.TxOptions{Write: true})
	must(t, err)
	server := rpc.Serve(db)
	t.Cleanup(func() { _ = server.Close() })
	var inserts atomic.Int32
	first := make(chan struct{})
	there := meddled(t, nil, func(w http.ResponseWriter, r *http.Request, body []byte) {
		if bytes.Contains(body, []byte("INSERT")) && inserts.Add(1) == 1 {
			// The network loses the connection, and the server hears of that later.
			late, err := http.NewRequest(r.Method, r.URL.String(), bytes.NewReader(bytes.ReplaceAll(body, []byte(`"lockWait":50`), []byte(`"lockWait":60000`))))
			if err != nil {
				t.Error(err)
			}
			late.Header = r.Header
			go func() {
				server.ServeHTTP(httptest.NewRecorder(), late)
				close(first)
			}()
			panic(http.ErrAbortHandler)
		}
		server.ServeHTTP(w, r)
	})
	_, err = there.Exec(tablet.WithLockWait(t.Context(), 50*time.Millisecond), &tablet.Query{SQL: "INSERT INTO t VALUES(1)"})
	wantCode(t, err, tablet.CodeUnknownResult)
	must(t, holder.Rollback())
	<-first
	if got := query(t, db, "SELECT count(*) FROM t"); got[0][0] != int64(1) {
		t.Errorf("%v rows are there: the first request wasn't carried out, and the test shows nothing", got[0][0])
	}
}
