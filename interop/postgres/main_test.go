//go:build linux && !nopostgres

package postgres_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/interop/postgres/internal/cluster"
)

var bg = context.Background()

// server is the server of all tests, once one needs it.
var server = sync.OnceValues(func() (*cluster.Cluster, error) {
	s, err := cluster.New()
	running = s
	return s, err
})

var running *cluster.Cluster

func TestMain(m *testing.M) {
	if beChild() {
		return
	}
	code := m.Run()
	if running != nil {
		running.Stop()
	}
	os.Exit(code)
}

// database gives the addresses of new shards, each of which is a schema: the same one
// for the same name.
func database(t testing.TB) func(name string) string {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return s.Databases()
}
