package mysqloracle

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/dolthub/go-mysql-server/driver"
	"github.com/dolthub/go-mysql-server/memory"
	gms "github.com/dolthub/go-mysql-server/sql"

	_ "github.com/vitessdo/vitessdo" // the driver that is compared
	"github.com/vitessdo/vitessdo/internal/conformance"
)

type provider struct{}

func (provider) Resolve(name string, _ *driver.Options) (string, gms.DatabaseProvider, error) {
	return name, memory.NewDBProvider(memory.NewDatabase("main")), nil
}

func init() { sql.Register("go-mysql-server", driver.New(provider{}, nil)) }

var servers atomic.Int64

// OpenBoth opens a database of each side and runs the statements on both.
func OpenBoth(ctx context.Context, script []string) (ours, theirs *sql.Conn, err error) {
	if ours, err = open(ctx, "vitessdo", ":memory:?shards=4&parse_time=false"); err != nil {
		return nil, nil, err
	}
	if theirs, err = open(ctx, "go-mysql-server", fmt.Sprintf("server%d", servers.Add(1))); err != nil {
		return nil, nil, err
	}
	if _, err := theirs.ExecContext(ctx, "USE main"); err != nil {
		return nil, nil, err
	}
	for _, s := range append([]string{"SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin"}, script...) {
		if _, err := theirs.ExecContext(ctx, s); err != nil {
			return nil, nil, fmt.Errorf("go-mysql-server: %s: %w", s, err)
		}
	}
	for _, s := range script {
		if _, err := ours.ExecContext(ctx, s); err != nil {
			return nil, nil, fmt.Errorf("vitessdo: %s: %w", s, err)
		}
	}
	return ours, theirs, nil
}

func open(ctx context.Context, driver, dsn string) (*sql.Conn, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	return db.Conn(ctx)
}

// answer gives what a connection answers, an error as "error".
func answer(ctx context.Context, c *sql.Conn, statements []string) (out string) {
	defer func() {
		if r := recover(); r != nil {
			out = "error"
		}
	}()
	s, err := conformance.Answer(ctx, c, statements)
	if err != nil {
		return "error"
	}
	return s
}
