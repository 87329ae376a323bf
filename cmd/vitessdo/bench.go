package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/present"
)

// bench is a small workload on a table of its own.
type bench struct {
	*console
	rows    int64
	workers int
	each    time.Duration
	format  present.Format
	db      *sql.DB
	next    atomic.Int64 // the key that the next insert takes
}

// benchTable is made for the run, and dropped behind it.
const benchTable = "vitessdo_bench"

func benchCommand(c *console) *cobra.Command {
	b := &bench{console: c}
	cmd := &cobra.Command{
		Use:   "bench [DSN]",
		Short: "Measure rates and latencies of a small workload",
		Long: `Measure rates and latencies of a small workload: point selects, inserts, transactions
over two shards, and a scatter, each for a while. It makes a table of its own, ` + benchTable + `,
and drops it in the end. How durable commits are is the data source name's to say.`,
		Example: `  vitessdo bench ':memory:?shards=4'
  vitessdo bench file:./data --workers 8 --time 5s --format json`,
		RunE: c.onDSN(0, 0, func(dsn string, _ []string) error {
			switch {
			case b.rows < 1:
				return usageError(fmt.Sprintf("--rows is %d; it must be above zero", b.rows))
			case b.workers < 1:
				return usageError(fmt.Sprintf("--workers is %d; it must be above zero", b.workers))
			case b.each <= 0:
				return usageError(fmt.Sprintf("--time is %v; it must be above zero", b.each))
			}
			return b.run(dsn)
		}),
	}
	fs := cmd.Flags()
	fs.Int64Var(&b.rows, "rows", 10_000, "number of rows to begin with")
	fs.IntVar(&b.workers, "workers", 4, "number of goroutines")
	fs.DurationVar(&b.each, "time", 2*time.Second, "how long each part runs")
	c.formatFlag(cmd, &b.format, dataFormats)
	return cmd
}

func (b *bench) run(dsn string) (err error) {
	ctx, stop := b.interruptible()
	defer stop()
	_, db, conn, err := open(ctx, dsn, false)
	if err != nil {
		return err
	}
	b.db = db
	defer func() { err = errors.Join(err, conn.Close(), db.Close()) }()
	if _, err := conn.ExecContext(ctx, "CREATE TABLE "+benchTable+" (id BIGINT PRIMARY KEY, n BIGINT NOT NULL, text VARCHAR(100) NOT NULL) COMMENT 'vindex=hash(id)'"); err != nil {
		return err
	}
	defer func() {
		_, e := conn.ExecContext(context.WithoutCancel(ctx), "DROP TABLE "+benchTable)
		err = errors.Join(err, e)
	}()
	if err := b.fill(ctx, conn); err != nil {
		return err
	}
	g := &present.Grid{Head: []string{"what", "per second", "median", "99 %", "slowest"}}
	for _, part := range []struct {
		what string
		run  func(ctx context.Context, i int64) error
	}{
		{"point select", b.pointSelect}, {"insert of a row", b.insert}, {"transaction over two rows", b.transfer}, {"COUNT and SUM of all", b.scatter},
	} {
		took, elapsed, err := b.measure(ctx, part.run)
		if err != nil {
			return fmt.Errorf("%s: %w", part.what, err)
		}
		slices.Sort(took)
		at := func(f float64) string { return present.Short(took[int(f*float64(len(took)-1))]) }
		rate := int64(float64(len(took)) / elapsed.Seconds())
		g.Add(part.what, rate, at(0.5), at(0.99), at(1))
	}
	return b.output(b.format).Grid(g)
}

// fill inserts the rows to begin with.
func (b *bench) fill(ctx context.Context, conn *sql.Conn) error {
	const batch = 500
	for from := int64(1); from <= b.rows; from += batch {
		n := min(batch, b.rows-from+1)
		args := make([]any, 0, 3*n)
		for i := range n {
			args = append(args, from+i, (from+i)%1000, "some text that a row might have")
		}
		if _, err := conn.ExecContext(ctx, "INSERT INTO "+benchTable+" (id, n, text) VALUES "+values(int(n), 3), args...); err != nil {
			return err
		}
	}
	b.next.Store(b.rows)
	return nil
}

// measure runs a part over and over, by all workers.
func (b *bench) measure(ctx context.Context, run func(ctx context.Context, i int64) error) (took []time.Duration, elapsed time.Duration, err error) {
	times, failed := make([][]time.Duration, b.workers), make([]error, b.workers)
	began := time.Now()
	end := began.Add(b.each)
	var all sync.WaitGroup
	for w := range b.workers {
		all.Go(func() {
			for i := int64(w + 1); failed[w] == nil; i += int64(b.workers) {
				start := time.Now()
				if start.After(end) && len(times[w]) > 0 {
					return
				}
				failed[w] = run(ctx, i*7919)
				times[w] = append(times[w], time.Since(start))
			}
		})
	}
	all.Wait()
	return slices.Concat(times...), time.Since(began), errors.Join(failed...)
}

func (b *bench) key(i int64) int64 { return 1 + i%b.rows }

func (b *bench) pointSelect(ctx context.Context, i int64) error {
	var text string
	return b.db.QueryRowContext(ctx, "SELECT text FROM "+benchTable+" WHERE id = ?", b.key(i)).Scan(&text)
}

func (b *bench) insert(ctx context.Context, i int64) error {
	_, err := b.db.ExecContext(ctx, "INSERT INTO "+benchTable+" (id, n, text) VALUES (?, ?, 'new')", b.next.Add(1), i%1000)
	return err
}

// transfer writes two rows, which are on different shards where there are several, or
// by chance on one.
func (b *bench) transfer(ctx context.Context, i int64) error {
	one, two := min(b.key(i), b.key(i+1)), max(b.key(i), b.key(i+1))
	return vitessdo.RunTx(ctx, b.db, nil, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE "+benchTable+" SET n = n - 1 WHERE id = ?", one); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE "+benchTable+" SET n = n + 1 WHERE id = ?", two)
		return err
	})
}

func (b *bench) scatter(ctx context.Context, _ int64) error {
	var n, sum int64
	return b.db.QueryRowContext(ctx, "SELECT COUNT(*), SUM(n) FROM "+benchTable).Scan(&n, &sum)
}
