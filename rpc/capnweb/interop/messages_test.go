//go:build !nonode

package interop

import (
	"net/http/httptest"
	"testing"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// TestJavaScriptSpeaksToTablets runs messages.mjs against a tablet server.
func TestJavaScriptSpeaksToTablets(t *testing.T) {
	db, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: tablet.Target{Keyspace: "ks", Shard: "-80"}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	server := rpc.Serve(db)
	web := httptest.NewServer(server)
	defer web.Close()
	defer server.Close()
	out, err := node(t, "messages.mjs", web.URL).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
