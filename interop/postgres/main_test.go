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
	if s != nil {
		atEnd(s.Stop)
	}
	return s, err
})

// atEnd has something done when all tests have ended.
func atEnd(do func()) {
	ending.Lock()
	defer ending.Unlock()
	ending.list = append(ending.list, do)
}

var ending struct {
	sync.Mutex
	list []func()
}

func TestMain(m *testing.M) {
	if beChild() {
		return
	}
	code := m.Run()
	for _, do := range ending.list {
		do()
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
