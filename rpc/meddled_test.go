package rpc_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// remembering opens a tablet that knows what it has answered, with a table t.
func remembering(t *testing.T) *tabletserver.Tablet {
	t.Helper()
	db, err := tabletserver.Open(t.Context(), tabletserver.Config{Path: filepath.Join(t.TempDir(), "s.db"), Synchronous: tabletserver.Off, Target: shard, Remember: time.Hour})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	exec(t, db, "CREATE TABLE t(v INTEGER)")
	return db
}

// meddled gives the shard by HTTP, through a handler that sees what each request says.
func meddled(t *testing.T, opts *rpc.ClientOptions, h func(w http.ResponseWriter, r *http.Request, body []byte)) *rpc.Tablet {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r, body)
	}))
	t.Cleanup(web.Close)
	c, err := rpc.NewClient(web.URL, opts)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	there, err := c.Tablet(t.Context(), shard)
	must(t, err)
	return there
}
