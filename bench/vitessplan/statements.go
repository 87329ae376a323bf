package main

// tables is the schema for vitessdo; vitessVSchema is the same for Vitess.
const tables = `
CREATE TABLE customer (id BIGINT PRIMARY KEY, name VARCHAR(50), country CHAR(2), credit BIGINT) COMMENT 'vindex=xxhash(id)';
CREATE TABLE orders (id BIGINT, customer_id BIGINT NOT NULL, total BIGINT, status VARCHAR(10), PRIMARY KEY (customer_id, id)) COMMENT 'vindex=xxhash(customer_id)';
CREATE TABLE item (order_id BIGINT NOT NULL, customer_id BIGINT NOT NULL, sku BIGINT NOT NULL, qty BIGINT, PRIMARY KEY (customer_id, order_id, sku)) COMMENT 'vindex=xxhash(customer_id)';
CREATE TABLE product (sku BIGINT PRIMARY KEY, title VARCHAR(50), price BIGINT) COMMENT 'vindex=xxhash(sku)';
`

const vitessVSchema = `{"keyspaces": {"main": {"sharded": true,
  "vindexes": {"xxhash": {"type": "xxhash"}},
  "tables": {
    "customer": {"column_vindexes": [{"column": "id", "name": "xxhash"}], "column_list_authoritative": true, "columns": [
      {"name": "id", "type": "INT64"}, {"name": "name", "type": "VARCHAR"}, {"name": "country", "type": "CHAR"}, {"name": "credit", "type": "INT64"}]},
    "orders": {"column_vindexes": [{"column": "customer_id", "name": "xxhash"}], "column_list_authoritative": true, "columns": [
      {"name": "id", "type": "INT64"}, {"name": "customer_id", "type": "INT64"}, {"name": "total", "type": "INT64"}, {"name": "status", "type": "VARCHAR"}]},
    "item": {"column_vindexes": [{"column": "customer_id", "name": "xxhash"}], "column_list_authoritative": true, "columns": [
      {"name": "order_id", "type": "INT64"}, {"name": "customer_id", "type": "INT64"}, {"name": "sku", "type": "INT64"}, {"name": "qty", "type": "INT64"}]},
    "product": {"column_vindexes": [{"column": "sku", "name": "xxhash"}], "column_list_authoritative": true, "columns": [
      {"name": "sku", "type": "INT64"}, {"name": "title", "type": "VARCHAR"}, {"name": "price", "type": "INT64"}]}
  }}}}`

// statements are the shapes that applications send, from a point select to a
// join across shards.
var statements = []struct{ name, text string }{
	{"point select", "SELECT id, name, country FROM customer WHERE id = ?"},
	{"IN list", "SELECT id, name FROM customer WHERE id IN (?, ?, ?, ?)"},
	{"all columns by key and more", "SELECT * FROM orders WHERE customer_id = ? AND status = ? AND total > ? ORDER BY id DESC LIMIT 10"},
	{"scatter with ORDER BY and LIMIT", "SELECT id, name FROM customer WHERE credit > ? ORDER BY name, id LIMIT 20"},
	{"scatter aggregate", "SELECT COUNT(*), SUM(total), MAX(total) FROM orders WHERE status = ?"},
	{"GROUP BY with HAVING", "SELECT status, COUNT(*) AS n, AVG(total) FROM orders GROUP BY status HAVING COUNT(*) > ? ORDER BY n DESC"},
	{"co-located join", "SELECT c.name, o.id, o.total FROM customer c JOIN orders o ON o.customer_id = c.id WHERE c.id = ?"},
	{"join of three, two co-located", "SELECT o.id, i.sku, p.title FROM orders o JOIN item i ON i.customer_id = o.customer_id AND i.order_id = o.id JOIN product p ON p.sku = i.sku WHERE o.customer_id = ?"},
	{"join across shards", "SELECT i.customer_id, p.title FROM item i JOIN product p ON p.sku = i.sku WHERE i.qty > ?"},
	{"subquery on the sharding key", "SELECT name FROM customer c WHERE c.id = ? AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.total > ?)"},
	{"insert", "INSERT INTO orders (id, customer_id, total, status) VALUES (?, ?, ?, ?)"},
	{"update by key", "UPDATE customer SET credit = credit + ? WHERE id = ?"},
	{"delete by key", "DELETE FROM orders WHERE customer_id = ? AND id = ?"},
	{"scatter update", "UPDATE orders SET status = ? WHERE total < ?"},
}
