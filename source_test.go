package vitessdo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sourceTables are a table of an unsharded keyspace, its copy on the shards of
// another, and what refers to it there.
var sourceTables = []string{
	"CREATE DATABASE /*vt+ UNSHARDED */ shop",
	"CREATE TABLE shop.products (id INT PRIMARY KEY AUTO_INCREMENT, sku VARCHAR(20) NOT NULL, price DECIMAL(10,2) DEFAULT 1.50, UNIQUE KEY sku (sku))",
	"INSERT INTO shop.products (sku, price) VALUES ('a', 10), ('b', 20)",
	"CREATE TABLE products (id INT PRIMARY KEY AUTO_INCREMENT, sku VARCHAR(20) NOT NULL, price DECIMAL(10,2) DEFAULT 1.50, UNIQUE KEY sku (sku)) COMMENT 'reference source=shop.products'",
	"CREATE TABLE orders (id INT PRIMARY KEY, product INT, CONSTRAINT fk_product FOREIGN KEY (product) REFERENCES products (id))",
	"INSERT INTO orders VALUES (1, 1), (2, 1), (3, 1), (4, 1)",
}

// copiesAgree checks that every shard has the source's rows.
func copiesAgree(t *testing.T, db querier, rows string) {
	t.Helper()
	want(t, db, rows, "SELECT id, sku, price FROM shop.products ORDER BY id")
	want(t, db, rows, "SELECT id, sku, price FROM products ORDER BY id")
	for _, shard := range []string{"-40", "40-80", "80-c0", "c0-"} {
		want(t, db, rows, "SELECT id, sku, price FROM `main/"+shard+"`.products ORDER BY id")
	}
}

// TestSourceOfReferenceTable: what is written to a table or to its copy is written
// to both, on every shard or on none.
func TestSourceOfReferenceTable(t *testing.T) {
	db := memDB(t, "", sourceTables...)
	copiesAgree(t, db, "1|a|10.00 2|b|20.00")
	res := do(t, db, "INSERT INTO products (sku) VALUES ('c'), ('d')")
	if id, _ := res.LastInsertId(); id != 3 {
		t.Errorf("the first new ID is %d, not 3", id)
	}
	do(t, db, "INSERT INTO shop.products (sku, price) SELECT 'e', MAX(price) + 1 FROM products")
	copiesAgree(t, db, "1|a|10.00 2|b|20.00 3|c|1.50 4|d|1.50 5|e|21.00")
	mustAffect(t, db, 3, "UPDATE products SET price = price + 1, id = id + 10 WHERE id > 2 ORDER BY id DESC")
	mustAffect(t, db, 1, "UPDATE shop.products SET sku = 'bb' WHERE sku = 'b'")
	mustAffect(t, db, 1, "DELETE FROM products WHERE sku = 'd'")
	mustAffect(t, db, 1, "DELETE p FROM products p JOIN shop.products s USING (id) WHERE s.sku = 'e'")
	copiesAgree(t, db, "1|a|10.00 2|bb|20.00 13|c|2.50")
	mustAffect(t, db, 2, "INSERT INTO products (id, sku, price) VALUES (2, 'x', 0) ON DUPLICATE KEY UPDATE price = price + 1")
	mustAffect(t, db, 2, "REPLACE INTO products VALUES (14, 'c', 3)")
	mustAffect(t, db, 1, "INSERT IGNORE INTO main.products VALUES (1, 'x', 3), (15, 'bb', 3), (16, 'f', 3)")
	do(t, db, "UPDATE main.products SET main.products.price = 4 WHERE main.products.id = 16")
	do(t, db, "CREATE VIEW cheap AS SELECT id, price FROM products WHERE price < 5")
	mustAffect(t, db, 2, "UPDATE cheap SET price = 2")
	copiesAgree(t, db, "1|a|10.00 2|bb|21.00 14|c|2.00 16|f|2.00")

	// What can't be done at a copy isn't done at the source.
	mustFail(t, db, CodeForeignKey, "DELETE FROM shop.products WHERE id = 1")
	mustFail(t, db, CodeUnique, "UPDATE products SET sku = 'a' WHERE id = 2")
	copiesAgree(t, db, "1|a|10.00 2|bb|21.00 14|c|2.00 16|f|2.00")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE products SET price = 0")
	want(t, tx, "0.00", "SELECT price FROM products JOIN orders o ON o.product = products.id WHERE o.id = 3")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	copiesAgree(t, db, "1|a|10.00 2|bb|21.00 14|c|2.00 16|f|2.00")
	// The shards join with their copies.
	for _, row := range mustRows(t, db, "EXPLAIN FORMAT='vitess' SELECT o.id, p.sku FROM orders o JOIN products p ON p.id = o.product WHERE o.id = 1") {
		if !strings.HasPrefix(row, "single_shard|pass") {
			t.Error(row)
		}
	}
}

// TestSourceSchemaChanges: the two are kept alike.
func TestSourceSchemaChanges(t *testing.T) {
	db := memDB(t, "", sourceTables...)
	for text, says := range map[string]string{
		"DROP TABLE shop.products":                                                      "main.products is a copy",
		"RENAME TABLE shop.products TO shop.p":                                          "main.products is a copy",
		"DROP DATABASE shop":                                                            "",
		"TRUNCATE TABLE products":                                                       "it is a copy of shop.products",
		"TRUNCATE TABLE shop.products":                                                  "fk_product",
		"ALTER TABLE products COMMENT 'reference'":                                      "can't be changed",
		"ALTER TABLE products ADD FOREIGN KEY (id) REFERENCES orders (id)":              "it is a copy of shop.products",
		"CREATE TABLE p2 (id INT PRIMARY KEY) COMMENT 'reference source=shop.products'": "",
	} {
		if _, err := db.Exec(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	do(t, db, "ALTER TABLE products ADD COLUMN name VARCHAR(10)")
	if e := mustFail(t, db, CodeUnsupported, "UPDATE products SET price = 3"); !strings.Contains(e.Error(), "ALTER the two alike") {
		t.Error(e)
	}
	do(t, db, "ALTER TABLE shop.products ADD COLUMN name VARCHAR(10)")
	do(t, db, "UPDATE products SET name = sku")
	want(t, db, "a b", "SELECT name FROM products ORDER BY id")
	do(t, db, "DROP TABLE orders")
	do(t, db, "TRUNCATE TABLE shop.products")
	copiesAgree(t, db, "")
	do(t, db, "INSERT INTO products (sku) VALUES ('z')")
	copiesAgree(t, db, "1|z|1.50")
	do(t, db, "DROP TABLE products")
	do(t, db, "INSERT INTO shop.products (sku) VALUES ('y')")
}

// TestWritesPlannedBeforeACopy: a write that waited while a copy was made is written
// to it as well.
func TestWritesPlannedBeforeACopy(t *testing.T) {
	db := memDB(t, "", sourceTables[:3]...)
	c := pin(t, db)
	for _, text := range []string{"UPDATE shop.products SET price = 7", "INSERT INTO shop.products (sku) VALUES ('n')", "DELETE FROM shop.products WHERE sku = 'a'"} {
		if err := while(t, db, c, text, sourceTables[3]); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		copiesAgree(t, db, strings.Join(mustRows(t, db, "SELECT id, sku, price FROM shop.products ORDER BY id"), " "))
		do(t, db, "DROP TABLE products")
	}
}

// TestSourceInVSchemaFile: as Vitess declares it.
func TestSourceInVSchemaFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vschema.json")
	text := `{"keyspaces": {
		"shop": {"tables": {"products": {}}},
		"main": {"sharded": true, "vindexes": {"hash": {"type": "hash"}}, "tables": {
			"orders": {"column_vindexes": [{"column": "id", "name": "hash"}]},
			"products": {"type": "reference", "source": "shop.products"}}}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	db := memDB(t, "vschema="+file, "CREATE TABLE shop.products (id INT PRIMARY KEY, sku VARCHAR(20), price DECIMAL(10,2))",
		"CREATE TABLE products (id INT PRIMARY KEY, sku VARCHAR(20), price DECIMAL(10,2))",
		"INSERT INTO products VALUES (1, 'a', 1)", "INSERT INTO shop.products VALUES (2, 'b', 2)")
	copiesAgree(t, db, "1|a|1.00 2|b|2.00")
}
