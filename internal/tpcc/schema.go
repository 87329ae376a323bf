package tpcc

// tables are the CREATE TABLE statements. Everything lives with its warehouse;
// the items, which never change, are copied to every shard.
var tables = []string{
	`CREATE TABLE warehouse (w_id INT NOT NULL, w_name VARCHAR(10) NOT NULL, w_city VARCHAR(20) NOT NULL,
		w_tax DECIMAL(4,4) NOT NULL, w_ytd DECIMAL(12,2) NOT NULL, PRIMARY KEY (w_id)) PARTITION BY KEY(w_id)`,
	`CREATE TABLE district (d_w_id INT NOT NULL, d_id INT NOT NULL, d_name VARCHAR(10) NOT NULL, d_tax DECIMAL(4,4) NOT NULL,
		d_ytd DECIMAL(12,2) NOT NULL, d_next_o_id INT NOT NULL, PRIMARY KEY (d_w_id, d_id),
		FOREIGN KEY (d_w_id) REFERENCES warehouse (w_id)) PARTITION BY KEY(d_w_id)`,
	`CREATE TABLE customer (c_w_id INT NOT NULL, c_d_id INT NOT NULL, c_id INT NOT NULL, c_first VARCHAR(16) NOT NULL,
		c_last VARCHAR(16) NOT NULL, c_credit CHAR(2) NOT NULL, c_discount DECIMAL(4,4) NOT NULL,
		c_balance DECIMAL(12,2) NOT NULL, c_ytd_payment DECIMAL(12,2) NOT NULL, c_payment_cnt INT NOT NULL,
		c_delivery_cnt INT NOT NULL, c_data VARCHAR(500) NOT NULL, PRIMARY KEY (c_w_id, c_d_id, c_id),
		KEY (c_w_id, c_d_id, c_last, c_first), FOREIGN KEY (c_w_id, c_d_id) REFERENCES district (d_w_id, d_id)) PARTITION BY KEY(c_w_id)`,
	`CREATE TABLE history (h_w_id INT NOT NULL, h_d_id INT NOT NULL, h_c_w_id INT NOT NULL, h_c_d_id INT NOT NULL, h_c_id INT NOT NULL,
		h_date DATETIME NOT NULL, h_amount DECIMAL(6,2) NOT NULL, h_data VARCHAR(24) NOT NULL, KEY (h_w_id, h_d_id)) PARTITION BY KEY(h_w_id)`,
	`CREATE TABLE orders (o_w_id INT NOT NULL, o_d_id INT NOT NULL, o_id INT NOT NULL, o_c_id INT NOT NULL, o_entry_d DATETIME NOT NULL,
		o_carrier_id INT, o_ol_cnt INT NOT NULL, o_all_local INT NOT NULL, PRIMARY KEY (o_w_id, o_d_id, o_id),
		KEY (o_w_id, o_d_id, o_c_id, o_id), FOREIGN KEY (o_w_id, o_d_id, o_c_id) REFERENCES customer (c_w_id, c_d_id, c_id)) PARTITION BY KEY(o_w_id)`,
	`CREATE TABLE new_order (no_w_id INT NOT NULL, no_d_id INT NOT NULL, no_o_id INT NOT NULL, PRIMARY KEY (no_w_id, no_d_id, no_o_id),
		FOREIGN KEY (no_w_id, no_d_id, no_o_id) REFERENCES orders (o_w_id, o_d_id, o_id)) PARTITION BY KEY(no_w_id)`,
	`CREATE TABLE item (i_id INT NOT NULL, i_name VARCHAR(24) NOT NULL, i_price DECIMAL(5,2) NOT NULL, i_data VARCHAR(50) NOT NULL,
		PRIMARY KEY (i_id)) COMMENT 'reference'`,
	`CREATE TABLE stock (s_w_id INT NOT NULL, s_i_id INT NOT NULL, s_quantity INT NOT NULL, s_dist VARCHAR(24) NOT NULL,
		s_ytd INT NOT NULL, s_order_cnt INT NOT NULL, s_remote_cnt INT NOT NULL, s_data VARCHAR(50) NOT NULL,
		PRIMARY KEY (s_w_id, s_i_id), FOREIGN KEY (s_i_id) REFERENCES item (i_id)) PARTITION BY KEY(s_w_id)`,
	`CREATE TABLE order_line (ol_w_id INT NOT NULL, ol_d_id INT NOT NULL, ol_o_id INT NOT NULL, ol_number INT NOT NULL, ol_i_id INT NOT NULL,
		ol_supply_w_id INT NOT NULL, ol_delivery_d DATETIME, ol_quantity INT NOT NULL, ol_amount DECIMAL(6,2) NOT NULL,
		ol_dist_info VARCHAR(24) NOT NULL, PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number),
		FOREIGN KEY (ol_w_id, ol_d_id, ol_o_id) REFERENCES orders (o_w_id, o_d_id, o_id)) PARTITION BY KEY(ol_w_id)`,
}
