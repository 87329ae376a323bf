package vitessdo

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// twoKeyspaces adds a sharded keyspace crm and an unsharded one, all with rows.
func twoKeyspaces(tb testing.TB, db execer) {
	tb.Helper()
	for _, s := range []string{
		"CREATE TABLE orders (id BIGINT PRIMARY KEY, customer_id BIGINT, total INT)",
		"CREATE DATABASE crm /*vt+ SHARDS=2 */",
		"CREATE DATABASE /*vt+ UNSHARDED */ lookup",
		"CREATE TABLE crm.customer (id BIGINT PRIMARY KEY, name VARCHAR(20))",
		"CREATE TABLE lookup.orders (id BIGINT PRIMARY KEY, note VARCHAR(20))",
		"INSERT INTO orders VALUES (1,1,10),(2,2,20),(3,1,30),(4,3,40)",
		"INSERT INTO crm.customer VALUES (1,'ann'),(2,'bob'),(3,'cid')",
		"INSERT INTO lookup.orders VALUES (1,'first'),(4,'fourth')",
	} {
		do(tb, db, s)
	}
}

func TestKeyspacesJoin(t *testing.T) {
	db := memDB(t, "")
	twoKeyspaces(t, db)
	for query, rows := range map[string]string{
		"SELECT o.id, c.name FROM orders o JOIN crm.customer c ON c.id = o.customer_id ORDER BY o.id":                  "1|ann 2|bob 3|ann 4|cid",
		"SELECT main.orders.total, lookup.orders.note FROM orders JOIN lookup.orders USING (id) ORDER BY 1":            "10|first 40|fourth",
		"SELECT lookup.orders.* FROM orders JOIN lookup.orders ON main.orders.id = lookup.orders.id ORDER BY 1":        "1|first 4|fourth",
		"SELECT * FROM orders NATURAL JOIN lookup.orders ORDER BY 1":                                                   "1|1|10|first 4|3|40|fourth",
		"SELECT name FROM crm.customer WHERE id IN (SELECT customer_id FROM orders WHERE total > 25) ORDER BY 1":       "ann cid",
		"SELECT name, (SELECT SUM(total) FROM orders o WHERE o.customer_id = c.id) FROM crm.customer c ORDER BY 1":     "ann|40 bob|20 cid|40",
		"SELECT id FROM orders UNION SELECT id FROM crm.customer UNION SELECT id FROM lookup.orders ORDER BY 1":        "1 2 3 4",
		"SELECT COUNT(*) FROM crm.customer, lookup.orders":                                                             "6",
		"SELECT table_a.id FROM crm.customer table_a LEFT JOIN lookup.orders USING (id) WHERE note IS NULL ORDER BY 1": "2 3",
	} {
		want(t, db, rows, query)
	}
	_, err := rowsOf(db, "SELECT orders.total FROM orders JOIN lookup.orders ON orders.id = 1")
	wantCode(t, err, CodeAmbiguousColumn, "a name of two keyspaces' tables")
}

func TestReferenceTableOfAnotherKeyspace(t *testing.T) {
	db := memDB(t, "", "CREATE DATABASE other",
		"CREATE TABLE r (id BIGINT PRIMARY KEY, a INT) COMMENT 'reference'",
		"CREATE TABLE other.r (id BIGINT PRIMARY KEY, a INT) COMMENT 'reference'",
		"CREATE TABLE other.t (id BIGINT PRIMARY KEY, a INT)",
		"INSERT INTO r VALUES (1, 10), (2, 20)", "INSERT INTO other.r VALUES (1, -1), (2, -2)",
		"INSERT INTO other.t VALUES (1, 1), (2, 2), (3, 3)")
	// The shards of other have a table r too, which isn't the one that is meant.
	want(t, db, "1|10 2|20", "SELECT t.id, r.a FROM other.t JOIN r ON r.id = t.id ORDER BY 1")
	want(t, db, "1|-1 2|-2", "SELECT t.id, r.a FROM other.t JOIN other.r ON r.id = t.id ORDER BY 1")
	want(t, db, "1|30 2|30 3|30", "SELECT t.id, (SELECT SUM(a) FROM r) FROM other.t ORDER BY 1")
	want(t, db, "1|0", "SELECT EXISTS (SELECT 1 FROM other.t WHERE id = 1), NOT EXISTS (SELECT 1 FROM r)")
	want(t, db, "1 2", "SELECT id FROM other.t WHERE id IN (SELECT id FROM r) ORDER BY 1")
	want(t, db, "9", "SELECT SUM(x.a) - SUM(y.a) - 24 FROM r x JOIN other.r y ON x.id = y.id")
}

func TestKeyspacesWrite(t *testing.T) {
	db := memDB(t, "")
	twoKeyspaces(t, db)
	mustAffect(t, db, 3, "UPDATE orders o JOIN crm.customer c ON c.id = o.customer_id SET o.total = o.total + 1, c.name = 'zoe' WHERE c.name = 'ann'")
	want(t, db, "1|11 2|20 3|31 4|40", "SELECT id, total FROM orders ORDER BY 1")
	want(t, db, "zoe bob cid", "SELECT name FROM crm.customer ORDER BY id")
	mustAffect(t, db, 4, "INSERT INTO lookup.orders SELECT id + 100, 'x' FROM orders")
	mustAffect(t, db, 4, "DELETE o, l FROM orders o JOIN lookup.orders l ON l.id = o.id")
	want(t, db, "2 3", "SELECT id FROM orders ORDER BY 1")
	want(t, db, "101 102 103 104", "SELECT id FROM lookup.orders ORDER BY 1")
	mustAffect(t, db, 1, "DELETE FROM crm.customer WHERE id NOT IN (SELECT customer_id FROM orders)")

	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "DELETE FROM orders")
	do(t, tx, "DELETE FROM crm.customer")
	do(t, tx, "DELETE FROM lookup.orders")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	want(t, db, "2 2 4", "SELECT COUNT(*) FROM orders UNION ALL SELECT COUNT(*) FROM crm.customer UNION ALL SELECT COUNT(*) FROM lookup.orders")
}

func TestKeyspaceDDL(t *testing.T) {
	db := memDB(t, "")
	twoKeyspaces(t, db)
	for _, s := range []string{
		"CREATE INDEX i ON crm.customer (name)", "ALTER TABLE crm.customer ADD COLUMN z INT DEFAULT 7",
		"CREATE TABLE crm.copy AS SELECT * FROM orders", "RENAME TABLE crm.copy TO crm.copy2",
		"ALTER TABLE crm.copy2 RENAME crm.copy3", "CREATE TABLE crm.copy4 LIKE crm.copy3",
		"CREATE VIEW crm.v AS WITH x AS (SELECT * FROM orders) SELECT c.name, x.total FROM crm.customer c, x WHERE x.customer_id = c.id",
	} {
		do(t, db, s)
	}
	want(t, db, "4", "SELECT COUNT(*) FROM crm.copy3")
	want(t, db, "ann|10 bob|20 ann|30 cid|40", "SELECT * FROM crm.v ORDER BY total")
	c := pin(t, db)
	do(t, c, "USE crm")
	want(t, c, "ann|10 bob|20 ann|30 cid|40", "SELECT * FROM v ORDER BY total")
	want(t, c, "7", "SELECT DISTINCT z FROM customer")
	for _, s := range []string{"CREATE TABLE main.x LIKE customer", "DROP TABLE main.orders, customer", "RENAME TABLE main.orders TO orders"} {
		mustFail(t, c, CodeUnsupported, s)
	}
	want(t, c, "4", "SELECT COUNT(*) FROM main.orders")
	want(t, c, "3", "SELECT COUNT(*) FROM customer")
	mustFail(t, c, CodeUnknownDatabase, "CREATE TABLE nosuch.x (id INT PRIMARY KEY)")
}

func TestDropDatabase(t *testing.T) {
	db := memDB(t, "")
	twoKeyspaces(t, db)
	do(t, db, "CREATE VIEW v AS SELECT * FROM crm.customer")
	mustFail(t, db, CodeUnsupported, "DROP DATABASE crm")
	do(t, db, "DROP VIEW v")
	if e := mustFail(t, db, CodeTableExists, "CREATE DATABASE crm"); e.Number != 1007 {
		t.Errorf("creating it twice gives %d", e.Number)
	}
	do(t, db, "CREATE DATABASE IF NOT EXISTS crm")
	c := pin(t, db)
	do(t, c, "USE crm")
	do(t, c, "DROP DATABASE crm")
	want(t, c, "∅", "SELECT DATABASE()")
	_, err := rowsOf(c, "SELECT * FROM customer")
	wantCode(t, err, CodeNoDatabase, "a table after DROP DATABASE")
	mustFail(t, c, CodeNoDatabase, "CREATE TABLE x (id INT PRIMARY KEY)")
	if e := mustFail(t, db, CodeUnknownDatabase, "DROP DATABASE crm"); e.Number != 1008 {
		t.Errorf("dropping it twice gives %d", e.Number)
	}
	do(t, db, "DROP DATABASE IF EXISTS crm")
	mustFail(t, db, CodeUnsupported, "DROP DATABASE main")
	do(t, db, "CREATE DATABASE crm /*vt+ SHARDS=3 */")
	do(t, db, "CREATE TABLE crm.customer (id BIGINT AUTO_INCREMENT PRIMARY KEY)")
	do(t, db, "INSERT INTO crm.customer VALUES (NULL)")
	want(t, db, "1", "SELECT id FROM crm.customer")
}

// A transaction that has read a keyspace which is dropped fails, and nothing of
// it stays.
func TestDropDatabaseUnderTransaction(t *testing.T) {
	db := memDB(t, "")
	twoKeyspaces(t, db)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	want(t, tx, "3", "SELECT COUNT(*) FROM crm.customer")
	do(t, tx, "UPDATE orders SET total = 0")
	do(t, db, "DROP DATABASE crm")
	if _, err := rowsOf(tx, "SELECT COUNT(*) FROM crm.customer"); err == nil {
		t.Error("a dropped database can still be read")
	}
	_ = tx.Rollback()
	want(t, db, "100", "SELECT SUM(total) FROM orders")
}

func TestKeyspacesStayInDirectory(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir)
	twoKeyspaces(t, db)
	do(t, db, "CREATE DATABASE gone")
	do(t, db, "CREATE TABLE gone.t (id BIGINT PRIMARY KEY)")
	do(t, db, "INSERT INTO gone.t VALUES (1), (2), (3), (4)") // over several shards: the redo log has it
	do(t, db, "DROP DATABASE gone")
	do(t, db, "CREATE DATABASE gone")
	do(t, db, "CREATE TABLE gone.t (id BIGINT PRIMARY KEY)")
	_ = db.Close()

	db = openDB(t, "file:"+escapePath(dir)+"?synchronous=normal")
	want(t, db, "main", "SELECT DATABASE()")
	want(t, db, "0", "SELECT COUNT(*) FROM gone.t")
	want(t, db, "1|ann 2|bob 3|ann 4|cid", "SELECT o.id, c.name FROM orders o JOIN crm.customer c ON c.id = o.customer_id ORDER BY o.id")
	do(t, db, "DROP DATABASE gone")
	if _, err := os.Stat(filepath.Join(dir, "gone")); !os.IsNotExist(err) {
		t.Errorf("the folder of a dropped database: %v", err)
	}
	crm := openDB(t, "file:"+escapePath(dir)+"?synchronous=normal&keyspace=crm&shards=2")
	want(t, crm, "crm", "SELECT DATABASE()")
	want(t, crm, "3", "SELECT COUNT(*) FROM customer")
	_ = crm.Close()
	_ = db.Close()
	crm = openDB(t, "file:"+escapePath(dir)+"?synchronous=normal&keyspace=crm")
	want(t, crm, "3", "SELECT COUNT(*) FROM customer")
	main := openDB(t, "file:"+escapePath(dir)+"?synchronous=normal")
	want(t, main, "main", "SELECT DATABASE()")
}

// What a crash between the directory's list and the catalog's entry leaves is
// removed at the next opening.
func TestHalfCreatedKeyspaceIsRemoved(t *testing.T) {
	dir := t.TempDir()
	db := dirDB(t, dir, "CREATE DATABASE half", "CREATE TABLE half.t (id BIGINT PRIMARY KEY)")
	err := pin(t, db).Raw(func(c any) error {
		cl := c.(*Conn).s.cl
		for _, sql := range []string{"UPDATE vschema SET json = NULL", "DELETE FROM keyspaces WHERE name = 'half'", "DELETE FROM shards WHERE keyspace = 'half'", "DELETE FROM relations WHERE keyspace = 'half'"} {
			if _, err := cl.catTab.Exec(bg, &tablet.Query{SQL: sql}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	db = dirDB(t, dir)
	if got := strings.Join(mustRows(t, db, "SHOW DATABASES"), " "); strings.Contains(got, "half") {
		t.Errorf("databases: %s", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "half")); !os.IsNotExist(err) {
		t.Errorf("its folder: %v", err)
	}
	do(t, db, "CREATE DATABASE half")
	do(t, db, "CREATE TABLE half.t (id BIGINT PRIMARY KEY)")
}

func TestVSchemaFileWithKeyspaces(t *testing.T) {
	const text = `{"keyspaces": {
		"commerce": {"sharded": false, "tables": {"product": {}, "ids": {"type": "sequence"}}},
		"customer": {"sharded": true, "vindexes": {"hash": {"type": "hash"}}, "tables": {
			"orders": {"column_vindexes": [{"column": "customer_id", "name": "hash"}],
				"auto_increment": {"column": "id", "sequence": "commerce.ids"}}}}}}`
	file := filepath.Join(t.TempDir(), "vschema.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ambiguous := openDB(t, ":memory:?shards=4&vschema="+escapePath(file))
	_, err := rowsOf(ambiguous, "SELECT 1")
	if e := wantCode(t, err, CodeVSchema, "a file without a first keyspace"); !strings.Contains(e.Message, "commerce, customer") {
		t.Errorf("%v doesn't name the keyspaces", e)
	}
	dir := t.TempDir()
	for range 2 { // created, then opened again
		db := openDB(t, "file:"+escapePath(dir)+"?shards=4&synchronous=normal&keyspace=customer&vschema="+escapePath(file))
		checkFileKeyspaces(t, db)
		_ = db.Close()
	}
}

func checkFileKeyspaces(t *testing.T, db *sql.DB) {
	t.Helper()
	got := strings.Join(mustRows(t, db, "SHOW VITESS_SHARDS"), " ")
	if got != "commerce/- customer/-40 customer/40-80 customer/80-c0 customer/c0-" {
		t.Errorf("shards: %s", got)
	}
	do(t, db, "CREATE TABLE IF NOT EXISTS orders (id BIGINT, customer_id BIGINT, sku VARCHAR(10), PRIMARY KEY (id, customer_id))")
	do(t, db, "CREATE TABLE IF NOT EXISTS commerce.product (sku VARCHAR(10) PRIMARY KEY, price INT)")
	do(t, db, "DELETE FROM orders")
	do(t, db, "DELETE FROM commerce.product")
	do(t, db, "INSERT INTO commerce.product VALUES ('a', 5), ('b', 7)")
	do(t, db, "INSERT INTO orders (customer_id, sku) VALUES (1, 'a'), (2, 'b'), (3, 'a')")
	want(t, db, "1|5 2|7 3|5", "SELECT o.customer_id, p.price FROM orders o JOIN commerce.product p USING (sku) ORDER BY 1")
}
