package tpcc

import "fmt"

// orderStatus is clause 2.6: a customer asks for the last order.
func (t *terminal) orderStatus() func(*work) error {
	by := t.someCustomer(t.home)
	return func(w *work) error {
		id := by.find(w, "")
		var order, want int
		if !w.row([]any{&order, &want}, "SELECT o_id, o_ol_cnt FROM orders WHERE o_w_id = ? AND o_d_id = ? AND o_c_id = ? ORDER BY o_id DESC LIMIT 1",
			by.warehouse, by.district, id) {
			return nil
		}
		lines := w.ints("SELECT ol_i_id FROM order_line WHERE ol_w_id = ? AND ol_d_id = ? AND ol_o_id = ?", by.warehouse, by.district, order)
		if len(lines) != want && w.err == nil {
			return fmt.Errorf("order %d of district %d of warehouse %d has %d lines, not %d", order, by.district, by.warehouse, len(lines), want)
		}
		return nil
	}
}

// stockLevel is clause 2.8: how many of the items that were ordered lately are
// few in stock.
func (t *terminal) stockLevel() func(*work) error {
	district, threshold := t.between(1, t.c.Districts), t.between(10, 20)
	return func(w *work) error {
		var next, low int
		w.must([]any{&next}, "SELECT d_next_o_id FROM district WHERE d_w_id = ? AND d_id = ?", t.home, district)
		w.must([]any{&low}, `SELECT COUNT(DISTINCT s_i_id) FROM order_line JOIN stock ON s_w_id = ol_w_id AND s_i_id = ol_i_id
			WHERE ol_w_id = ? AND ol_d_id = ? AND ol_o_id >= ? AND ol_o_id < ? AND s_quantity < ?`, t.home, district, next-20, next, threshold)
		return nil
	}
}
