package mysqloracle

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

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

// theirs is the one server of the process: the tables of a second one come out
// empty.
var theirs = sync.OnceValues(func() (*sql.DB, error) { return sql.Open("go-mysql-server", "server") })

// OpenBoth opens a connection to each side, on which the statements have been
// run. A later call finds the other server's tables as the first one has left
// them.
func OpenBoth(ctx context.Context, script []string) (ours, other *sql.Conn, err error) {
	db, err := sql.Open("vitessdo", ":memory:?shards=4&parse_time=false")
	if err != nil {
		return nil, nil, err
	}
	if ours, err = db.Conn(ctx); err != nil {
		return nil, nil, err
	}
	for _, s := range script {
		if _, err := ours.ExecContext(ctx, s); err != nil {
			return nil, nil, fmt.Errorf("vitessdo: %s: %w", s, err)
		}
	}
	if db, err = theirs(); err != nil {
		return nil, nil, err
	}
	if other, err = db.Conn(ctx); err != nil {
		return nil, nil, err
	}
	for _, s := range []string{"USE main", "SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin"} {
		if _, err := other.ExecContext(ctx, s); err != nil {
			return nil, nil, fmt.Errorf("go-mysql-server: %s: %w", s, err)
		}
	}
	if other.QueryRowContext(ctx, "SELECT 1 FROM t LIMIT 1").Scan(new(int)) == nil {
		return ours, other, nil
	}
	for _, s := range script {
		if _, err := other.ExecContext(ctx, s); err != nil {
			return nil, nil, fmt.Errorf("go-mysql-server: %s: %w", s, err)
		}
	}
	return ours, other, nil
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
