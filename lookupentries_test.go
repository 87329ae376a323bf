package vitessdo

import "testing"

// An entry goes with the last row that is placed alike, and with no row before.
func TestLookupEntriesGoWithTheirRows(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE e (name VARCHAR(20), ksid VARBINARY(255), PRIMARY KEY (name, ksid))",
		"CREATE TABLE u (tenant INT, id INT PRIMARY KEY, name VARCHAR(20)) COMMENT 'vindex=hash(tenant); vindex=lookup(name) owner=u table=e from=name to=ksid'",
		"CREATE TABLE f (name VARCHAR(20), ksid VARBINARY(255), PRIMARY KEY (name, ksid))",
		"CREATE TABLE g (name VARCHAR(20), ksid VARBINARY(255), PRIMARY KEY (name, ksid))",
		"CREATE TABLE v (id VARCHAR(20), name VARCHAR(20)) COMMENT 'vindex=binary(id); vindex=lookup(name) owner=v table=g from=name to=ksid'",
		"CREATE TABLE h (name VARCHAR(20), ksid VARBINARY(255), PRIMARY KEY (name, ksid))",
		"CREATE TABLE x (id VARCHAR(20), name VARCHAR(20)) COMMENT 'vindex=binary_md5(id); vindex=lookup(name) owner=x table=h from=name to=ksid'",
		"CREATE TABLE i (name VARCHAR(20), ksid VARBINARY(255), PRIMARY KEY (name, ksid))",
		"CREATE TABLE y (id INT, name VARCHAR(20)) COMMENT 'vindex=numeric(id); vindex=lookup(name) owner=y table=i from=name to=ksid'",
		"CREATE TABLE w (id VARCHAR(20) PRIMARY KEY, name VARCHAR(20)) COMMENT 'vindex=unicode_loose_xxhash(id); vindex=lookup(name) owner=w table=f from=name to=ksid'")
	do(t, db, "INSERT INTO u VALUES (NULL, 1, 'a'), (NULL, 2, 'a'), (3, 3, 'b')")
	do(t, db, "DELETE FROM u WHERE id = 1")
	want(t, db, "2", "SELECT id FROM u WHERE name = 'a'")
	do(t, db, "DELETE FROM u WHERE id = 2")
	want(t, db, "b", "SELECT name FROM e")
	do(t, db, "INSERT INTO v VALUES (NULL, 'y'), ('', 'y')")
	do(t, db, "DELETE FROM v WHERE id IS NULL")
	want(t, db, "y", "SELECT name FROM g")
	do(t, db, "INSERT INTO x VALUES (NULL, 'y'), ('', 'y')")
	do(t, db, "DELETE FROM x WHERE id IS NULL")
	want(t, db, "1", "SELECT COUNT(*) FROM x WHERE name = 'y'")
	do(t, db, "INSERT INTO y VALUES (NULL, 'y'), (0, 'y')")
	do(t, db, "DELETE FROM y WHERE id IS NULL")
	want(t, db, "1", "SELECT COUNT(*) FROM y WHERE name = 'y'")
	do(t, db, "INSERT INTO w VALUES ('ab', 'x'), ('Ab', 'x')")
	do(t, db, "DELETE FROM w WHERE id = 'Ab'")
	want(t, db, "ab", "SELECT id FROM w WHERE name = 'x'")
}

// A lookup vindex of another table's leads nowhere, and nothing is written for it:
// rows are found on all shards, also those whose entry is another's or has gone.
func TestUnownedLookupMeansNothing(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE e (order_id BIGINT PRIMARY KEY, ksid VARBINARY(255))",
		"CREATE TABLE orders (customer BIGINT, id BIGINT, PRIMARY KEY (customer, id)) COMMENT 'vindex=hash(customer); vindex=lookup_unique(id) owner=orders table=e from=order_id to=ksid'",
		"CREATE TABLE item (customer BIGINT, order_id BIGINT, sku INT, PRIMARY KEY (customer, order_id, sku)) COMMENT 'vindex=hash(customer); vindex=lookup_unique(order_id) owner=orders table=e from=order_id to=ksid'",
		"INSERT INTO orders VALUES (1, 10), (2, 20)", "INSERT INTO item VALUES (1, 10, 1), (2, 20, 2), (3, 10, 3), (4, 40, 4)")
	want(t, db, "1 3", "SELECT sku FROM item WHERE order_id = 10 ORDER BY sku")
	do(t, db, "DELETE FROM orders WHERE id = 10")
	want(t, db, "1 3", "SELECT sku FROM item WHERE order_id = 10 ORDER BY sku")
	do(t, db, "DELETE FROM item")
	want(t, db, "20", "SELECT order_id FROM e")
}
