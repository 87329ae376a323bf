package tpcc

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Condition is something that always holds between transactions.
type Condition struct {
	Name string // the number in clause 3.3.2 of the specification, and what it says
	// Violations is a query for what breaks it: no row, if nothing does.
	Violations string
}

// Conditions are the specification's consistency conditions, but for number 11,
// which holds only before the first transaction, and those of the stock, which
// it has none for: what was ordered since loading has left the stock of the
// warehouse that supplies it.
func (c Config) Conditions() []Condition {
	return []Condition{
		{"1: a warehouse's year to date is its districts'",
			`SELECT w_id, w_ytd, SUM(d_ytd) FROM warehouse JOIN district ON d_w_id = w_id GROUP BY w_id, w_ytd
			HAVING ABS(w_ytd - SUM(d_ytd)) > 0.005`},
		{"2: a district's next order follows its last",
			`SELECT d_w_id, d_id, d_next_o_id, MAX(o_id) FROM district LEFT JOIN orders ON o_w_id = d_w_id AND o_d_id = d_id
			GROUP BY d_w_id, d_id, d_next_o_id HAVING COALESCE(MAX(o_id), 0) <> d_next_o_id - 1`},
		{"2: a district's last new order is its last order",
			`SELECT d_w_id, d_id, d_next_o_id, MAX(no_o_id) FROM district JOIN new_order ON no_w_id = d_w_id AND no_d_id = d_id
			GROUP BY d_w_id, d_id, d_next_o_id HAVING MAX(no_o_id) <> d_next_o_id - 1`},
		{"3: a district's new orders have no gaps",
			`SELECT no_w_id, no_d_id, MIN(no_o_id), MAX(no_o_id), COUNT(*) FROM new_order GROUP BY no_w_id, no_d_id
			HAVING MAX(no_o_id) - MIN(no_o_id) + 1 <> COUNT(*)`},
		{"4: a district's orders have as many lines as they say together",
			`SELECT o_w_id, o_d_id, n, present FROM (SELECT o_w_id, o_d_id, SUM(o_ol_cnt) AS n FROM orders GROUP BY o_w_id, o_d_id) AS o
			LEFT JOIN (SELECT ol_w_id, ol_d_id, COUNT(*) AS present FROM order_line GROUP BY ol_w_id, ol_d_id) AS l
			ON ol_w_id = o_w_id AND ol_d_id = o_d_id WHERE COALESCE(present, 0) <> n`},
		{"5: an order has no carrier if and only if it is new",
			`SELECT o_w_id, o_d_id, o_id, o_carrier_id, no_o_id FROM orders
			LEFT JOIN new_order ON no_w_id = o_w_id AND no_d_id = o_d_id AND no_o_id = o_id
			WHERE (o_carrier_id IS NULL) <> (no_o_id IS NOT NULL)`},
		{"5: a new order is an order",
			`SELECT no_w_id, no_d_id, no_o_id FROM new_order
			WHERE NOT EXISTS (SELECT * FROM orders WHERE o_w_id = no_w_id AND o_d_id = no_d_id AND o_id = no_o_id)`},
		{"6: each order has as many lines as it says",
			`SELECT o_w_id, o_d_id, o_id, o_ol_cnt FROM orders
			WHERE o_ol_cnt <> (SELECT COUNT(*) FROM order_line WHERE ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id)`},
		{"6: each line has its order",
			`SELECT ol_w_id, ol_d_id, ol_o_id FROM order_line
			LEFT JOIN orders ON o_w_id = ol_w_id AND o_d_id = ol_d_id AND o_id = ol_o_id WHERE o_id IS NULL`},
		{"7: a line is delivered if and only if its order has a carrier",
			`SELECT ol_w_id, ol_d_id, ol_o_id, ol_number FROM order_line
			JOIN orders ON o_w_id = ol_w_id AND o_d_id = ol_d_id AND o_id = ol_o_id
			WHERE (ol_delivery_d IS NULL) <> (o_carrier_id IS NULL)`},
		{"8: a warehouse's year to date is its payments'",
			`SELECT w_id, w_ytd FROM warehouse
			WHERE ABS(w_ytd - (SELECT COALESCE(SUM(h_amount), 0) FROM history WHERE h_w_id = w_id)) > 0.005`},
		{"9: a district's year to date is its payments'",
			`SELECT d_w_id, d_id, d_ytd FROM district
			WHERE ABS(d_ytd - (SELECT COALESCE(SUM(h_amount), 0) FROM history WHERE h_w_id = d_w_id AND h_d_id = d_id)) > 0.005`},
		{"10: a customer's balance is what was delivered, less what was paid, wherever it was",
			`SELECT c_w_id, c_d_id, c_id, c_balance, bought, paid FROM customer
			LEFT JOIN (SELECT o_w_id, o_d_id, o_c_id, SUM(ol_amount) AS bought FROM orders
				JOIN order_line ON ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id
				WHERE ol_delivery_d IS NOT NULL GROUP BY o_w_id, o_d_id, o_c_id) AS b
			ON o_w_id = c_w_id AND o_d_id = c_d_id AND o_c_id = c_id
			LEFT JOIN (SELECT h_c_w_id, h_c_d_id, h_c_id, SUM(h_amount) AS paid FROM history GROUP BY h_c_w_id, h_c_d_id, h_c_id) AS p
			ON h_c_w_id = c_w_id AND h_c_d_id = c_d_id AND h_c_id = c_id
			WHERE ABS(c_balance - COALESCE(bought, 0) + COALESCE(paid, 0)) > 0.005`},
		{"12: a customer's balance and payments are what was delivered",
			`SELECT c_w_id, c_d_id, c_id, c_balance, c_ytd_payment FROM customer
			WHERE ABS(c_balance + c_ytd_payment - (SELECT COALESCE(SUM(ol_amount), 0) FROM orders
				JOIN order_line ON ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id
				WHERE ol_delivery_d IS NOT NULL AND o_w_id = c_w_id AND o_d_id = c_d_id AND o_c_id = c_id)) > 0.005`},
		{"stock: what left it was ordered, here or by another warehouse",
			fmt.Sprintf(`SELECT s_w_id, s_i_id, s_ytd, s_order_cnt, s_remote_cnt, quantity, n, away FROM stock
			LEFT JOIN (SELECT ol_supply_w_id, ol_i_id, SUM(ol_quantity) AS quantity, COUNT(*) AS n,
				SUM(ol_supply_w_id <> ol_w_id) AS away FROM order_line WHERE ol_o_id > %d GROUP BY ol_supply_w_id, ol_i_id) AS l
			ON ol_supply_w_id = s_w_id AND ol_i_id = s_i_id
			WHERE s_ytd <> COALESCE(quantity, 0) OR s_order_cnt <> COALESCE(n, 0) OR s_remote_cnt <> COALESCE(away, 0)`, c.Customers)},
	}
}

// Fresh is condition 11, which holds as long as no transaction was run.
func (c Config) Fresh() Condition {
	return Condition{"11: a district's orders that aren't new",
		fmt.Sprintf(`SELECT o_w_id, o_d_id, COUNT(o_id), COUNT(no_o_id) FROM orders
			LEFT JOIN new_order ON no_w_id = o_w_id AND no_d_id = o_d_id AND no_o_id = o_id
			GROUP BY o_w_id, o_d_id HAVING COUNT(o_id) - COUNT(no_o_id) <> %d`, c.delivered())}
}

// querier is a database or one connection to it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Check gives a line for each row that violates a condition.
func Check(ctx context.Context, db *sql.DB, conditions ...Condition) ([]string, error) {
	var out []string
	for _, c := range conditions {
		found, err := violations(ctx, db, c.Violations)
		if err != nil {
			return out, fmt.Errorf("condition %s: %w", c.Name, err)
		}
		for _, f := range found {
			out = append(out, c.Name+": "+f)
		}
	}
	return out, nil
}

func violations(ctx context.Context, db querier, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, dest := make([]sql.NullString, len(cols)), make([]any, len(cols))
	for i := range dest {
		dest[i] = &values[i]
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		var line []string
		for i, v := range values {
			if v.Valid {
				line = append(line, cols[i]+"="+v.String)
			} else {
				line = append(line, cols[i]+"=NULL")
			}
		}
		out = append(out, strings.Join(line, " "))
	}
	return out, rows.Err()
}

// Count gives the numbers of orders and payments that transactions have made
// since loading.
func (c Config) Count(ctx context.Context, db *sql.DB) (orders, payments int, err error) {
	err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM orders").Scan(&orders)
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM history").Scan(&payments)
	}
	first := c.Warehouses * c.Districts * c.Customers
	return orders - first, payments - first, err
}
