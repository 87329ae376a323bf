//go:build linux && !nopostgres && !nonode

package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/npm"
	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// pglite starts databases in PGlite and gives their addresses.
func pglite(t *testing.T, n int) []string {
	t.Helper()
	modules, err := npm.Modules(".")
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	args := []string{"testdata/pglite.mjs", modules}
	var urls []string
	for i := range n {
		dir := filepath.Join(base, fmt.Sprint(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		args = append(args, filepath.Join(dir, ".s.PGSQL.5432"))
		urls = append(urls, "postgres://postgres@/postgres?sslmode=disable&host="+dir)
	}
	cmd := exec.Command("node", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for range n {
		if !lines.Scan() {
			t.Fatal("PGlite has ended")
		}
	}
	go func() {
		for lines.Scan() {
		}
	}()
	return urls
}

// TestPGlite: the first steps, on databases that have one session, which all of their
// connections share and take in turns.
func TestPGlite(t *testing.T) {
	urls := pglite(t, 2)
	cfg := vitessdo.NewConfig()
	cfg.Memory, cfg.Shards = true, 2
	cfg.Storage = func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		at := map[string]string{"main/-80": urls[0], "main/80-": urls[1]}
		return postgres.Open(ctx, at[keyspace+"/"+shard], postgres.Options{})
	}
	db := openDB(t, cfg)
	db.SetMaxOpenConns(1)
	firstSteps(t, db)
}
