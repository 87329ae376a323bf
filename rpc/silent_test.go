package rpc_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// A server that takes connections and never answers is found out, though nobody has said
// how long to wait.
func TestSilentServer(t *testing.T) {
	for _, scheme := range []string{"ws", "http"} {
		t.Run(scheme, func(t *testing.T) {
			await.Goroutines(t)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			defer l.Close() // connections are taken by the system
			c, err := rpc.NewClient(scheme+"://"+l.Addr().String(), &rpc.ClientOptions{AnswerTime: 50 * time.Millisecond})
			must(t, err)
			defer c.Close()
			_, err = c.Tablet(t.Context(), shard)
			wantCode(t, err, tablet.CodeIO)
			if !strings.Contains(err.Error(), l.Addr().String()+" hasn't answered for 50ms") {
				t.Errorf("got %v", err)
			}
		})
	}
}
