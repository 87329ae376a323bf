//go:build !nonode

package typescript

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo"
	_ "github.com/vitessdo/vitessdo/front/sqlite"
	"github.com/vitessdo/vitessdo/gate"
	"github.com/vitessdo/vitessdo/internal/npm"
	"github.com/vitessdo/vitessdo/internal/service"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestClient compiles the client and runs its tests against a real gate.
func TestClient(t *testing.T) {
	modules, err := npm.Modules(".")
	must(t, err)
	dir := t.TempDir()
	files := []string{"package.json", "tsconfig.json", "tsconfig.test.json", "README.md"}
	for _, pattern := range []string{"src/*.ts", "test/*.ts"} {
		list, err := filepath.Glob(pattern)
		must(t, err)
		files = append(files, list...)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		must(t, err)
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), b, 0o644))
	}
	must(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	run(t, dir, nil, filepath.Join(dir, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.test.json")

	const writer, reader = "writer-writer-writer", "reader-reader-reader"
	tokens := writer + " app\n" + reader + " reports read-only\n"
	url, impatient := serve(t, tokens, gate.Options{}), serve(t, tokens, gate.Options{Idle: 2 * time.Second})
	tests, err := filepath.Glob(filepath.Join(dir, "build", "test", "*.test.js"))
	must(t, err)
	run(t, dir, []string{"GATE=" + url, "GATE_IMPATIENT=" + impatient, "GATE_TOKEN=" + writer, "GATE_READER=" + reader}, append([]string{"--test", "--test-concurrency=1", "--test-timeout=60000"}, tests...)...)
}

// run runs node.
func run(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	t.Logf("%s", out)
}

// serve gives the address of a gate to a shop.
func serve(t *testing.T, tokens string, opts gate.Options) string {
	t.Helper()
	known, err := service.ReadTokens(strings.NewReader(tokens))
	must(t, err)
	cfg, err := vitessdo.ParseDSN(":memory:?shards=2&keyspace=shop")
	must(t, err)
	db, err := vitessdo.NewConnector(cfg)
	must(t, err)
	c, err := db.Connect(t.Context())
	must(t, err)
	for _, sql := range []string{"CREATE TABLE item (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) UNIQUE, price DECIMAL(8,2))", "INSERT INTO item VALUES (1, 'pen', 1.5), (2, 'ink', 3)"} {
		_, err = c.(*vitessdo.Conn).Run(t.Context(), sql, nil)
		must(t, err)
	}
	must(t, c.Close())
	opts.Admit = func(r *http.Request) (gate.Grant, error) {
		x, err := known.Check(r)
		return gate.Grant{Name: x.Name, ReadOnly: x.ReadOnly}, err
	}
	g := gate.New(db, opts)
	h := httptest.NewServer(g)
	t.Cleanup(func() { _ = g.Close(); h.Close(); _ = db.Close() })
	return h.URL
}
