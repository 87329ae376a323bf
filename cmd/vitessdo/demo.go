package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo/internal/plantree"
	"github.com/vitessdo/vitessdo/internal/present"
)

// demo is the tour: a shop with many tenants on an embedded cluster.
type demo struct {
	*console
	dir    string
	shards int
	rows   int64
	keep   bool
	db     *sql.DB
	conn   *sql.Conn
}

func demoCommand(c *console) *cobra.Command {
	d := &demo{console: c}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the tour: a tenant-sharded shop, with every kind of plan",
		Long: `Run the tour: a shop with many tenants on an embedded cluster is made, filled,
asked with every kind of plan, and measured.`,
		Example: `  vitessdo demo
  vitessdo demo --shards 8 --rows 1000000 --keep
  vitessdo demo --dir ./shop`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error { return d.tour() },
	}
	fs := cmd.Flags()
	fs.IntVar(&d.shards, "shards", 4, "number of shards")
	fs.Int64Var(&d.rows, "rows", 100_000, "number of rows")
	fs.StringVar(&d.dir, "dir", "", "make it in this directory, which stays (default a temporary one)")
	fs.BoolVar(&d.keep, "keep", false, "keep the temporary directory")
	return cmd
}

func (d *demo) tour() error {
	switch {
	case d.shards < 1 || d.shards > 256:
		return usageError(fmt.Sprintf("--shards is %d; it must be from 1 to 256", d.shards))
	case d.rows < 1000 || d.rows > 100_000_000:
		return usageError(fmt.Sprintf("--rows is %d; it must be from 1000 to 100000000", d.rows))
	}
	if err := d.place(); err != nil {
		return err
	}
	ctx, stop := d.interruptible()
	err := d.run(ctx)
	if stop() && err != nil {
		err = errInterrupted
	}
	if d.db != nil {
		err = errors.Join(err, d.conn.Close(), d.db.Close())
	}
	if d.keep {
		fmt.Fprintf(d.out, "The data stays in %s; look at it with\n  vitessdo shell '%s'\n", d.dir, d.dsn())
		return err
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

// place settles the directory: a new one, which goes away afterwards, or the one
// given, which must not hold anything yet and stays.
func (d *demo) place() error {
	if d.dir == "" {
		var err error
		d.dir, err = os.MkdirTemp("", "vitessdo-demo-")
		return err
	}
	d.keep = true
	if entries, err := os.ReadDir(d.dir); err == nil && len(entries) > 0 {
		return usageError(fmt.Sprintf("--dir: the directory %s is not empty", d.dir))
	}
	return os.MkdirAll(d.dir, 0o755)
}

func (d *demo) dsn() string {
	return fmt.Sprintf("%s?shards=%d", fileSource(d.dir), d.shards)
}

func (d *demo) run(ctx context.Context) error {
	began := time.Now()
	d.title("A shop with many tenants, on %s", present.Count(int64(d.shards), "shard"))
	d.say("sql.Open(\"vitessdo\", %q)", d.dsn())
	var err error
	if _, d.db, d.conn, err = open(ctx, d.dsn(), false); err != nil {
		d.db = nil
		return err
	}
	steps := []func(context.Context) error{d.schema, d.load, d.queries, d.transaction, d.speed}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.title("Done in %s", present.Short(time.Since(began)))
	return nil
}

func (d *demo) title(f string, args ...any) { fmt.Fprintf(d.out, "\n== "+f+"\n", args...) }

func (d *demo) say(f string, args ...any) { fmt.Fprintf(d.out, f+"\n", args...) }

func (d *demo) exec(ctx context.Context, query string, args ...any) error {
	if _, err := d.conn.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

// shopSchema: what belongs to a tenant lives on the tenant's shard.
var shopSchema = []string{
	`CREATE TABLE plans (
  code VARCHAR(10) PRIMARY KEY,
  fee DECIMAL(8,2) NOT NULL
) COMMENT 'unsharded'`,
	`CREATE TABLE currencies (
  code CHAR(3) PRIMARY KEY,
  name VARCHAR(30) NOT NULL
) COMMENT 'reference'`,
	`CREATE TABLE tenants (
  id BIGINT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(50) NOT NULL,
  city VARCHAR(30) NOT NULL,
  currency CHAR(3) NOT NULL,
  credit DECIMAL(12,2) NOT NULL
)`,
	`CREATE TABLE products (
  tenant_id BIGINT NOT NULL,
  id INT NOT NULL,
  name VARCHAR(50) NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  PRIMARY KEY (tenant_id, id)
) PARTITION BY KEY(tenant_id)`,
	`CREATE TABLE orders (
  tenant_id BIGINT NOT NULL,
  id BIGINT NOT NULL,
  product_id INT NOT NULL,
  quantity INT NOT NULL,
  amount DECIMAL(10,2) NOT NULL,
  ordered_at DATETIME NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, product_id) REFERENCES products (tenant_id, id)
) PARTITION BY KEY(tenant_id)`,
}

func (d *demo) schema(ctx context.Context) error {
	d.title("Tables")
	for _, text := range shopSchema {
		d.say("%s;", text)
		if err := d.exec(ctx, text); err != nil {
			return err
		}
	}
	d.say("Tenants are sharded by their key, products and orders by tenant_id, so that a tenant's")
	d.say("rows are together; every shard has a copy of currencies; plans lives on one shard.")
	return nil
}

// tour is one query of every kind.
var tour = []struct {
	about, query string
	args         []any
}{
	{"the sharding key is known: one shard joins and sorts by itself",
		`SELECT o.id, p.name, o.quantity, o.amount, o.ordered_at FROM orders o
  JOIN products p ON p.tenant_id = o.tenant_id AND p.id = o.product_id
 WHERE o.tenant_id = ? ORDER BY o.ordered_at DESC, o.id LIMIT 3`, []any{7}},
	{"all shards sort, the gate merges",
		`SELECT tenant_id, id, amount FROM orders ORDER BY amount DESC, tenant_id, id LIMIT 3`, nil},
	{"an IN list goes only to the shards of its values",
		`SELECT id, name, city FROM tenants WHERE id IN (3, 5, 8) ORDER BY id`, nil},
	{"all shards count and add, the gate combines",
		`SELECT COUNT(*) AS orders, SUM(amount) AS turnover, AVG(quantity) AS quantity FROM orders`, nil},
	{"groups, over a join that every shard makes by itself",
		`SELECT c.name AS currency, COUNT(*) AS orders, MAX(o.amount) AS largest FROM tenants t
  JOIN orders o ON o.tenant_id = t.id JOIN currencies c ON c.code = t.currency
 GROUP BY c.name ORDER BY orders DESC, currency LIMIT 3`, nil},
	{"a table that is not sharded",
		`SELECT code, fee FROM plans ORDER BY fee`, nil},
	{"anything else, such as a join across shards: the gate gathers the rows and runs the rest as SQL",
		`SELECT a.name, b.name AS neighbour, a.city FROM tenants a
  JOIN tenants b ON a.city = b.city AND a.id < b.id ORDER BY a.id, b.id LIMIT 3`, nil},
}

func (d *demo) queries(ctx context.Context) error {
	d.title("One query of every kind: the plan, the shards and the result")
	if d.shards == 1 {
		d.say("(with one shard every plan is unsharded; --shards 4 shows the others)")
	}
	for _, q := range tour {
		d.say("\n-- %s", q.about)
		d.say("%s;", q.query)
		if len(q.args) > 0 {
			d.say("-- with %v", q.args)
		}
		if err := d.plan(ctx, q.query, q.args...); err != nil {
			return err
		}
		began := time.Now()
		rows, err := d.conn.QueryContext(ctx, q.query, q.args...)
		if err != nil {
			return err
		}
		n, err := present.Output{W: d.out, Indent: "  "}.Rows(rows)
		if err = errors.Join(err, rows.Close()); err != nil {
			return err
		}
		d.say("  %s in %s", present.Count(n, "row"), present.Short(time.Since(began)))
	}
	return nil
}

// plan draws how a query is routed.
func (d *demo) plan(ctx context.Context, query string, args ...any) error {
	p, err := plantree.Read(ctx, d.conn, query, args...)
	if err != nil {
		return err
	}
	return p.Text(d.out, "  ")
}
