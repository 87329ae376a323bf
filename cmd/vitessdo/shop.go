package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/internal/status"
)

const (
	productsPerTenant = 20
	ordersPerTenant   = 480 // with the tenant itself, about 500 rows
	loadRows          = 100 // rows of one INSERT
)

var (
	cities     = []string{"Amsterdam", "Berlin", "Cairo", "Delhi", "Esbjerg", "Fukuoka", "Geneva", "Hanoi"}
	goods      = []string{"tea", "bread", "soap", "lamp", "chair", "paper", "honey", "rope", "bowl", "scarf"}
	currencies = [][2]string{{"EUR", "euro"}, {"INR", "Indian rupee"}, {"JPY", "Japanese yen"}, {"USD", "US dollar"}}
)

// load fills the shop: tenants, their products and orders, at least d.rows rows
// in all. One transaction holds all of a tenant, and stays on its shard.
func (d *demo) load(ctx context.Context) error {
	d.title("Loading")
	var list []any
	for _, c := range currencies {
		list = append(list, c[0], c[1])
	}
	if err := d.exec(ctx, "INSERT INTO currencies (code, name) VALUES "+values(len(currencies), 2), list...); err != nil {
		return err
	}
	if err := d.exec(ctx, "INSERT INTO plans (code, fee) VALUES ('free', 0), ('team', 19.5), ('large', 240)"); err != nil {
		return err
	}
	l, err := d.newLoader(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	const perTenant = 1 + productsPerTenant + ordersPerTenant
	tenants := max((d.rows+perTenant-1)/perTenant, 10)
	p := newProgress(d.console, "rows", tenants*perTenant)
	done := int64(0)
	for i := range tenants {
		if err := l.tenant(ctx, i); err != nil {
			return err
		}
		done += perTenant
		p.at(done)
	}
	took := p.end()
	d.say("%s tenants, %s rows in %s: %s rows a second, on disk when COMMIT returns", present.Thousands(tenants), present.Thousands(done), present.Short(took),
		present.Thousands(int64(float64(done)/took.Seconds())))
	return d.spread(ctx)
}

// spread shows how the rows lie.
func (d *demo) spread(ctx context.Context) error {
	s, err := status.Read(ctx, d.conn, d.dsn(), d.dir)
	if err != nil {
		return err
	}
	return s.Text(d.out)
}

// loader holds the statements that fill the shop.
type loader struct {
	d                         *demo
	tenants, products, orders *sql.Stmt
}

func values(rows, columns int) string {
	one := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(one+", ", rows-1) + one
}

func (d *demo) newLoader(ctx context.Context) (*loader, error) {
	l := &loader{d: d}
	for _, s := range []struct {
		at   **sql.Stmt
		text string
	}{
		{&l.tenants, "INSERT INTO tenants (name, city, currency, credit) VALUES (?, ?, ?, 1000)"},
		{&l.products, "INSERT INTO products (tenant_id, id, name, price) VALUES " + values(productsPerTenant, 4)},
		{&l.orders, "INSERT INTO orders (tenant_id, id, product_id, quantity, amount, ordered_at) VALUES " + values(loadRows, 6)},
	} {
		st, err := d.conn.PrepareContext(ctx, s.text)
		if err != nil {
			l.close()
			return nil, err
		}
		*s.at = st
	}
	return l, nil
}

func (l *loader) close() {
	for _, st := range []*sql.Stmt{l.tenants, l.products, l.orders} {
		if st != nil {
			st.Close()
		}
	}
}

// tenant loads the i-th tenant in one transaction.
func (l *loader) tenant(ctx context.Context, i int64) (err error) {
	tx, err := l.d.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	res, err := tx.StmtContext(ctx, l.tenants).ExecContext(ctx, fmt.Sprintf("shop %d", i+1),
		cities[i%int64(len(cities))], currencies[i%int64(len(currencies))][0])
	if err != nil {
		return err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return err
	}
	args := make([]any, 0, loadRows*6)
	for p := range int64(productsPerTenant) {
		args = append(args, id, p+1, goods[p%int64(len(goods))]+fmt.Sprint(" no. ", p+1), price(id, p+1))
	}
	if _, err := tx.StmtContext(ctx, l.products).ExecContext(ctx, args...); err != nil {
		return err
	}
	if err := l.load(ctx, tx, id); err != nil {
		return err
	}
	return tx.Commit()
}

// load adds a tenant's orders; the last INSERT may be a shorter one.
func (l *loader) load(ctx context.Context, tx *sql.Tx, id int64) error {
	orders := tx.StmtContext(ctx, l.orders)
	day := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	args := make([]any, 0, loadRows*6)
	for o := int64(1); o <= ordersPerTenant; o++ {
		p, n := (o*7+id)%productsPerTenant+1, o%5+1
		args = append(args, id, o, p, n, float64(n)*price(id, p), day.Add(time.Duration(o)*41*time.Minute))
		var err error
		switch {
		case o%loadRows == 0:
			_, err = orders.ExecContext(ctx, args...)
			args = args[:0]
		case o == ordersPerTenant:
			_, err = tx.ExecContext(ctx, "INSERT INTO orders (tenant_id, id, product_id, quantity, amount, ordered_at) VALUES "+
				values(len(args)/6, 6), args...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// price is in quarters, which binary fractions hold exactly.
func price(tenant, product int64) float64 { return float64((tenant*13+product*29)%400+4) / 4 }

// transaction moves credit between two tenants, on two shards if there are two.
func (d *demo) transaction(ctx context.Context) error {
	from, to, err := d.pair(ctx)
	if err != nil {
		return err
	}
	d.title("A transaction: tenant %d on shard %s pays tenant %d on shard %s", from.id, from.shard, to.id, to.shard)
	if from.shard == to.shard {
		d.say("(with one shard there is no other to pay to; -shards 4 shows more)")
	}
	if err := d.credits(ctx, from, to); err != nil {
		return err
	}
	began := time.Now()
	if err := d.pay(ctx, from, to, 25, true); err != nil {
		return err
	}
	d.say("BEGIN; UPDATE … - 25; UPDATE … + 25; COMMIT  in %s: all shards or none, also through a crash", present.Short(time.Since(began)))
	if err := d.credits(ctx, from, to); err != nil {
		return err
	}
	if err := d.pay(ctx, from, to, 500, false); err != nil {
		return err
	}
	d.say("BEGIN; UPDATE … - 500; UPDATE … + 500; ROLLBACK  leaves no trace on any shard")
	return d.credits(ctx, from, to)
}

// tenantAt is a tenant and its shard.
type tenantAt struct {
	id    int64
	shard string
}

// pair finds two tenants on different shards, where there are several.
func (d *demo) pair(ctx context.Context) (from, to tenantAt, err error) {
	for id := int64(1); id <= 10; id++ {
		var typ, combine, keyspace, shard, text string
		err := d.conn.QueryRowContext(ctx, "EXPLAIN FORMAT='vitess' SELECT credit FROM tenants WHERE id = ?", id).
			Scan(&typ, &combine, &keyspace, &shard, &text)
		if err != nil {
			return from, to, err
		}
		if id == 1 {
			from = tenantAt{id, shard}
		}
		to = tenantAt{id, shard}
		if to.shard != from.shard {
			break
		}
	}
	return from, to, nil
}

func (d *demo) pay(ctx context.Context, from, to tenantAt, amount float64, commit bool) error {
	tx, err := d.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE tenants SET credit = credit - ? WHERE id = ?", amount, from.id)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE tenants SET credit = credit + ? WHERE id = ?", amount, to.id)
	}
	if err != nil || !commit {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (d *demo) credits(ctx context.Context, from, to tenantAt) error {
	rows, err := d.conn.QueryContext(ctx, "SELECT id, name, credit FROM tenants WHERE id IN (?, ?) ORDER BY id", from.id, to.id)
	if err != nil {
		return err
	}
	_, err = present.Output{W: d.out, Indent: "  "}.Rows(rows)
	return errors.Join(err, rows.Close())
}

// speed measures what an application does most, by one goroutine.
func (d *demo) speed(ctx context.Context) error {
	d.title("How fast, one goroutine, synchronous=full")
	lookup, err := d.conn.PrepareContext(ctx, "SELECT amount FROM orders WHERE tenant_id = ? AND id = ?")
	if err != nil {
		return err
	}
	defer lookup.Close()
	err = d.measure("point select, prepared", 5000, func(i int64) error {
		var amount float64
		return lookup.QueryRowContext(ctx, i%10+1, i%ordersPerTenant+1).Scan(&amount)
	})
	if err != nil {
		return err
	}
	err = d.measure("insert of one row, durable", 200, func(i int64) error {
		return d.exec(ctx, "INSERT INTO orders (tenant_id, id, product_id, quantity, amount, ordered_at) VALUES (?, ?, 1, 1, 1, '2026-11-01 12:00:00')",
			i%10+1, 1_000_000+i)
	})
	if err != nil {
		return err
	}
	from, to, err := d.pair(ctx)
	if err != nil {
		return err
	}
	err = d.measure("transaction over two shards, durable", 200, func(int64) error { return d.pay(ctx, from, to, 0.25, true) })
	if err != nil {
		return err
	}
	return d.measure("COUNT(*) and SUM over all shards", 20, func(int64) error {
		var n int64
		var sum float64
		return d.conn.QueryRowContext(ctx, "SELECT COUNT(*), SUM(amount) FROM orders").Scan(&n, &sum)
	})
}

func (d *demo) measure(what string, times int64, fn func(i int64) error) error {
	began := time.Now()
	for i := range times {
		if err := fn(i); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	each := time.Since(began) / time.Duration(times)
	d.say("  %-38s %10s", what, present.Short(each))
	return nil
}
