package tpcc

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// batch is how many rows one INSERT takes.
const batch = 200

// Load makes the tables and fills them as the specification's clause 4.3 says.
func (c Config) Load(ctx context.Context, db *sql.DB) error {
	for _, q := range tables {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	l := &loader{ctx: ctx, db: db, s: c.source(0), c: c}
	for i := 1; i <= c.Items; i++ {
		l.add("item", i, l.s.text(14, 24), l.s.money(100, 10000), l.s.data())
	}
	l.flush()
	for w := 1; w <= c.Warehouses; w++ {
		l.warehouse(w)
	}
	return l.err
}

// loader writes rows in batches; the first error stops it.
type loader struct {
	ctx   context.Context
	db    *sql.DB
	s     *source
	c     Config
	table string
	width int
	rows  []any
	err   error
}

func (l *loader) add(table string, row ...any) {
	if table != l.table || len(l.rows) >= batch*len(row) {
		l.flush()
	}
	l.table, l.width, l.rows = table, len(row), append(l.rows, row...)
}

func (l *loader) flush() {
	if len(l.rows) == 0 || l.err != nil {
		return
	}
	row := "(" + strings.Repeat("?, ", l.width-1) + "?)"
	q := "INSERT INTO " + l.table + " VALUES " + row + strings.Repeat(", "+row, len(l.rows)/l.width-1)
	if _, err := l.db.ExecContext(l.ctx, q, l.rows...); err != nil {
		l.err = fmt.Errorf("loading %s: %w", l.table, err)
	}
	l.rows = l.rows[:0]
}

func (l *loader) warehouse(w int) {
	s, c := l.s, l.c
	// Every customer has paid 10.00 once.
	paid := 10 * c.Customers
	l.add("warehouse", w, s.text(6, 10), s.text(10, 20), "0."+fmt.Sprintf("%04d", s.between(0, 2000)), paid*c.Districts)
	for d := 1; d <= c.Districts; d++ {
		l.add("district", w, d, s.text(6, 10), "0."+fmt.Sprintf("%04d", s.between(0, 2000)), paid, c.Customers+1)
	}
	for i := 1; i <= c.Items; i++ {
		l.add("stock", w, i, s.between(10, 100), s.text(24, 24), 0, 0, 0, s.data())
	}
	for d := 1; d <= c.Districts; d++ {
		for id := 1; id <= c.Customers; id++ {
			credit := "GC"
			if s.percent(10) {
				credit = "BC"
			}
			l.add("customer", w, d, id, s.text(8, 16), lastName((id-1)%c.lastNames()), credit, "0."+fmt.Sprintf("%04d", s.between(0, 5000)),
				"-10.00", "10.00", 1, 0, s.text(30, 50))
		}
		for id := 1; id <= c.Customers; id++ {
			l.add("history", w, d, w, d, id, loadTime, "10.00", s.text(12, 24))
		}
	}
	for d := 1; d <= c.Districts; d++ {
		l.orders(w, d)
	}
	l.flush()
}

func (l *loader) orders(w, d int) {
	s, c := l.s, l.c
	counts := make([]int, c.Customers)
	for i, customer := range s.Perm(c.Customers) {
		counts[i] = s.between(5, 15)
		var carrier any
		if i < c.delivered() {
			carrier = s.between(1, 10)
		}
		l.add("orders", w, d, i+1, customer+1, loadTime, carrier, counts[i], 1)
	}
	for i := c.delivered(); i < c.Customers; i++ {
		l.add("new_order", w, d, i+1)
	}
	for i, n := range counts {
		for number := 1; number <= n; number++ {
			var at any = loadTime
			amount := "0.00"
			if i >= c.delivered() {
				at, amount = nil, s.money(1, 999999)
			}
			l.add("order_line", w, d, i+1, number, s.between(1, c.Items), w, at, 5, amount, s.text(24, 24))
		}
	}
}
