package tpcc

import (
	"fmt"
	"math"
)

// orderLine is what a customer orders of one item.
type orderLine struct{ item, supply, quantity int }

// newOrder is clause 2.4: an order of 5 to 15 items, some of them supplied by
// other warehouses; one in a hundred names an item that isn't there.
func (t *terminal) newOrder() func(*work) error {
	district, customer := t.between(1, t.c.Districts), t.customer()
	lines := make([]orderLine, t.between(5, 15))
	local := 1
	for i := range lines {
		lines[i] = orderLine{t.item(), t.home, t.between(1, 10)}
		if t.percent(t.c.RemoteItems) {
			lines[i].supply = t.otherWarehouse(t.home)
		}
		if lines[i].supply != t.home {
			local = 0
		}
	}
	if t.percent(1) {
		lines[len(lines)-1].item = t.c.Items + 1
	}
	return func(w *work) error {
		t.crossed = local == 0
		// Writing first takes the shard's lock before anything is read there.
		w.one("UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = ? AND d_id = ?", t.home, district)
		var next int
		var discount, warehouseTax, districtTax float64
		w.must([]any{&next, &districtTax}, "SELECT d_next_o_id, d_tax FROM district WHERE d_w_id = ? AND d_id = ?", t.home, district)
		w.must([]any{&discount, &warehouseTax}, `SELECT c_discount, w_tax FROM customer JOIN warehouse ON w_id = c_w_id
			WHERE c_w_id = ? AND c_d_id = ? AND c_id = ?`, t.home, district, customer)
		order := next - 1
		w.one("INSERT INTO orders (o_w_id, o_d_id, o_id, o_c_id, o_entry_d, o_ol_cnt, o_all_local) VALUES (?, ?, ?, ?, NOW(), ?, ?)",
			t.home, district, order, customer, len(lines), local)
		w.one("INSERT INTO new_order VALUES (?, ?, ?)", t.home, district, order)
		for i, l := range lines {
			if err := t.orderLine(w, district, order, i+1, l); err != nil || w.err != nil {
				return err
			}
		}
		return nil
	}
}

func (t *terminal) orderLine(w *work, district, order, number int, l orderLine) error {
	var price float64
	if !w.row([]any{&price}, "SELECT i_price FROM item WHERE i_id = ?", l.item) {
		if w.err != nil {
			return nil
		}
		return errNoItem
	}
	remote := 0
	if l.supply != t.home {
		remote = 1
	}
	w.one(`UPDATE stock SET s_quantity = CASE WHEN s_quantity >= ? + 10 THEN s_quantity - ? ELSE s_quantity - ? + 91 END,
		s_ytd = s_ytd + ?, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + ? WHERE s_w_id = ? AND s_i_id = ?`,
		l.quantity, l.quantity, l.quantity, l.quantity, remote, l.supply, l.item)
	var dist string
	w.must([]any{&dist}, "SELECT s_dist FROM stock WHERE s_w_id = ? AND s_i_id = ?", l.supply, l.item)
	amount := fmt.Sprintf("%.2f", math.Round(price*100)*float64(l.quantity)/100)
	w.one("INSERT INTO order_line VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
		t.home, district, order, number, l.item, l.supply, l.quantity, amount, dist)
	return nil
}

// customerBy names a customer of a district by number or last name.
type customerBy struct {
	warehouse, district, id int
	last                    string
}

func (t *terminal) someCustomer(warehouse int) customerBy {
	by := customerBy{warehouse: warehouse, district: t.between(1, t.c.Districts), id: t.customer()}
	if t.percent(60) {
		by.id, by.last = 0, lastName(t.uneven(255, 0, t.c.lastNames()-1))
	}
	return by
}

// find gives the customer's number: of those with the name, the middle one.
func (by customerBy) find(w *work, lock string) int {
	if by.last == "" {
		return by.id
	}
	ids := w.ints("SELECT c_id FROM customer WHERE c_w_id = ? AND c_d_id = ? AND c_last = ? ORDER BY c_first, c_id"+lock,
		by.warehouse, by.district, by.last)
	if len(ids) == 0 {
		if w.err == nil {
			w.err = fmt.Errorf("nobody is called %s in district %d of warehouse %d", by.last, by.district, by.warehouse)
		}
		return 0
	}
	return ids[(len(ids)-1)/2]
}

// payment is clause 2.5: a customer, some of them another warehouse's, pays.
func (t *terminal) payment() func(*work) error {
	district, amount := t.between(1, t.c.Districts), t.money(100, 500000)
	at := t.home
	if t.percent(t.c.RemotePayments) {
		at = t.otherWarehouse(t.home)
	}
	by := t.someCustomer(at)
	return func(w *work) error {
		t.crossed = at != t.home
		w.one("UPDATE warehouse SET w_ytd = w_ytd + ? WHERE w_id = ?", amount, t.home)
		w.one("UPDATE district SET d_ytd = d_ytd + ? WHERE d_w_id = ? AND d_id = ?", amount, t.home, district)
		id := by.find(w, " FOR UPDATE")
		w.one(`UPDATE customer SET c_balance = c_balance - ?, c_ytd_payment = c_ytd_payment + ?, c_payment_cnt = c_payment_cnt + 1,
			c_data = CASE WHEN c_credit = 'BC' THEN LEFT(CONCAT_WS(' ', c_id, c_d_id, c_w_id, ?, ?, ?, c_data), 500) ELSE c_data END
			WHERE c_w_id = ? AND c_d_id = ? AND c_id = ?`,
			amount, amount, district, t.home, amount, at, by.district, id)
		w.one("INSERT INTO history VALUES (?, ?, ?, ?, ?, NOW(), ?, ?)", t.home, district, at, by.district, id, amount, "paid")
		return nil
	}
}

// delivery is clause 2.7: the oldest order of every district is delivered.
func (t *terminal) delivery() func(*work) error {
	carrier := t.between(1, 10)
	return func(w *work) error {
		for d := 1; d <= t.c.Districts && w.err == nil; d++ {
			t.deliver(w, d, carrier)
		}
		return nil
	}
}

func (t *terminal) deliver(w *work, district, carrier int) {
	var order, customer int
	if !w.row([]any{&order}, "SELECT no_o_id FROM new_order WHERE no_w_id = ? AND no_d_id = ? ORDER BY no_o_id LIMIT 1 FOR UPDATE",
		t.home, district) {
		return // nothing is open here
	}
	w.one("DELETE FROM new_order WHERE no_w_id = ? AND no_d_id = ? AND no_o_id = ?", t.home, district, order)
	w.must([]any{&customer}, "SELECT o_c_id FROM orders WHERE o_w_id = ? AND o_d_id = ? AND o_id = ?", t.home, district, order)
	w.one("UPDATE orders SET o_carrier_id = ? WHERE o_w_id = ? AND o_d_id = ? AND o_id = ?", carrier, t.home, district, order)
	w.exec("UPDATE order_line SET ol_delivery_d = NOW() WHERE ol_w_id = ? AND ol_d_id = ? AND ol_o_id = ?", t.home, district, order)
	w.one(`UPDATE customer SET c_delivery_cnt = c_delivery_cnt + 1, c_balance = c_balance +
		(SELECT SUM(ol_amount) FROM order_line WHERE ol_w_id = ? AND ol_d_id = ? AND ol_o_id = ?)
		WHERE c_w_id = ? AND c_d_id = ? AND c_id = ?`, t.home, district, order, t.home, district, customer)
}
