package vitessdo

import (
	"strings"
	"testing"
)

// keysApart are tables of three keyspaces, sharded in two ways and unsharded, that
// refer to each other.
var keysApart = []string{
	"CREATE DATABASE crm /*vt+ SHARDS=3 */",
	"CREATE DATABASE /*vt+ UNSHARDED */ geo",
	"CREATE TABLE geo.country (code CHAR(2) PRIMARY KEY, name VARCHAR(20))",
	"CREATE TABLE crm.customer (id INT PRIMARY KEY, country CHAR(2), CONSTRAINT fk_country FOREIGN KEY (country) REFERENCES geo.country (code) ON DELETE SET NULL ON UPDATE CASCADE)",
	"CREATE TABLE orders (id INT PRIMARY KEY, customer INT, CONSTRAINT fk_customer FOREIGN KEY (customer) REFERENCES crm.customer (id) ON DELETE CASCADE ON UPDATE CASCADE)",
	"CREATE TABLE geo.visit (id INT PRIMARY KEY, orders INT, CONSTRAINT fk_orders FOREIGN KEY (orders) REFERENCES main.orders (id))",
	"INSERT INTO geo.country VALUES ('de', 'Germany'), ('fr', 'France')",
	"INSERT INTO crm.customer VALUES (1, 'de'), (2, 'fr'), (3, NULL)",
	"INSERT INTO orders VALUES (10, 1), (11, 1), (12, 2)",
	"INSERT INTO geo.visit VALUES (100, 12)",
}

// TestForeignKeysOfKeyspaces: a key between tables of different keyspaces is the
// gate's, with all its actions and MySQL's errors.
func TestForeignKeysOfKeyspaces(t *testing.T) {
	for _, shards := range []string{"1", "4"} {
		t.Run(shards, func(t *testing.T) {
			db := openDB(t, ":memory:?shards="+shards)
			for _, text := range keysApart {
				do(t, db, text)
			}
			for _, c := range []struct {
				query, key, message string
				number              uint16
			}{
				{"INSERT INTO orders VALUES (13, 9)", "fk_customer", "Cannot add or update a child row: a foreign key constraint fails (`main`.`orders`, " +
					"CONSTRAINT `fk_customer` FOREIGN KEY (`customer`) REFERENCES `crm`.`customer` (`id`) ON DELETE CASCADE ON UPDATE CASCADE)", 1452},
				{"UPDATE crm.customer SET country = 'xx' WHERE id = 1", "fk_country", "Cannot add or update a child row: a foreign key constraint fails (`crm`.`customer`, " +
					"CONSTRAINT `fk_country` FOREIGN KEY (`country`) REFERENCES `geo`.`country` (`code`) ON DELETE SET NULL ON UPDATE CASCADE)", 1452},
				{"DELETE FROM orders WHERE id = 12", "fk_orders", "Cannot delete or update a parent row: a foreign key constraint fails (`geo`.`visit`, " +
					"CONSTRAINT `fk_orders` FOREIGN KEY (`orders`) REFERENCES `main`.`orders` (`id`))", 1451},
				// By way of a cascade.
				{"DELETE FROM crm.customer WHERE id = 2", "fk_orders", "Cannot delete or update a parent row: a foreign key constraint fails (`geo`.`visit`, " +
					"CONSTRAINT `fk_orders` FOREIGN KEY (`orders`) REFERENCES `main`.`orders` (`id`))", 1451},
			} {
				if e := mustFail(t, db, CodeForeignKey, c.query); e.Message != c.message || e.Number != c.number || e.Constraint != c.key {
					t.Errorf("%s:\n got  %d %s (%s)\n want %d %s", c.query, e.Number, e.Message, e.Constraint, c.number, c.message)
				}
			}
			do(t, db, "UPDATE geo.country SET code = 'fx' WHERE code = 'fr'")
			do(t, db, "UPDATE crm.customer SET id = 7 WHERE id = 1")
			want(t, db, "2|fx 3|∅ 7|de", "SELECT * FROM crm.customer ORDER BY id")
			want(t, db, "10|7 11|7 12|2", "SELECT * FROM orders ORDER BY id")
			do(t, db, "DELETE FROM geo.country")
			do(t, db, "DELETE FROM crm.customer WHERE id = 7")
			want(t, db, "2|∅ 3|∅", "SELECT * FROM crm.customer ORDER BY id")
			want(t, db, "12|2", "SELECT * FROM orders ORDER BY id")

			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			do(t, tx, "DELETE FROM geo.visit")
			do(t, tx, "DELETE FROM crm.customer WHERE id = 2")
			want(t, tx, "", "SELECT * FROM orders")
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			want(t, db, "12|2", "SELECT * FROM orders ORDER BY id")
		})
	}
}

// TestForeignKeysOfKeyspacesInTheCatalog: what tools read back.
func TestForeignKeysOfKeyspacesInTheCatalog(t *testing.T) {
	db := memDB(t, "", keysApart...)
	show := mustRows(t, db, "SHOW CREATE TABLE crm.customer")[0]
	if !strings.Contains(show, "CONSTRAINT `fk_country` FOREIGN KEY (`country`) REFERENCES `geo`.`country` (`code`) ON DELETE SET NULL ON UPDATE CASCADE") {
		t.Error(show)
	}
	want(t, db, "fk_country|crm|geo|country|code fk_customer|main|crm|customer|id fk_orders|geo|main|orders|id",
		"SELECT constraint_name, table_schema, referenced_table_schema, referenced_table_name, referenced_column_name FROM information_schema.key_column_usage WHERE referenced_table_name IS NOT NULL ORDER BY 1")
	want(t, db, "fk_country|crm|geo|PRIMARY|customer|country fk_customer|main|crm|PRIMARY|orders|customer fk_orders|geo|main|PRIMARY|visit|orders",
		"SELECT constraint_name, constraint_schema, unique_constraint_schema, unique_constraint_name, table_name, referenced_table_name FROM information_schema.referential_constraints ORDER BY 1")
}

// TestForeignKeysOfKeyspacesDDL: a change of one keyspace's tables minds the keys
// that other keyspaces have to them.
func TestForeignKeysOfKeyspacesDDL(t *testing.T) {
	db := memDB(t, "", keysApart...)
	for text, number := range map[string]uint16{
		"CREATE TABLE x (a INT, FOREIGN KEY (a) REFERENCES nowhere.t (id))":         1824,
		"CREATE TABLE x (a INT, FOREIGN KEY (a) REFERENCES crm.t (id))":             1824,
		"CREATE TABLE x (a INT, FOREIGN KEY (a) REFERENCES crm.customer (country))": 3780,
		"CREATE TABLE x (a CHAR(2), FOREIGN KEY (a) REFERENCES geo.country (name))": 1822,
		"DROP TABLE crm.customer":                   3730,
		"DROP DATABASE crm":                         3730,
		"DROP DATABASE geo":                         3730,
		"TRUNCATE TABLE crm.customer":               1701,
		"ALTER TABLE crm.customer DROP PRIMARY KEY": 1553,
		"ALTER TABLE geo.country MODIFY code INT":   1833,
		"ALTER TABLE geo.country DROP COLUMN code":  1829,
	} {
		if e := mustFail(t, db, CodePlan, text); e.Number != number {
			t.Errorf("%s: %d %v", text, e.Number, e)
		}
	}
	// Names follow.
	do(t, db, "RENAME TABLE crm.customer TO crm.client")
	do(t, db, "ALTER TABLE crm.client RENAME COLUMN id TO client_id")
	if show := mustRows(t, db, "SHOW CREATE TABLE orders")[0]; !strings.Contains(show, "REFERENCES `crm`.`client` (`client_id`)") {
		t.Error(show)
	}
	mustFail(t, db, CodeForeignKey, "INSERT INTO orders VALUES (13, 9)")
	do(t, db, "INSERT INTO orders VALUES (13, 3)")
	// A key that the rows don't keep isn't added.
	do(t, db, "CREATE TABLE crm.note (id INT PRIMARY KEY, country CHAR(2))")
	do(t, db, "INSERT INTO crm.note VALUES (1, 'de'), (2, 'xx'), (3, NULL)")
	add := "ALTER TABLE crm.note ADD CONSTRAINT fk_note FOREIGN KEY (country) REFERENCES geo.country (code)"
	if e := mustFail(t, db, CodeForeignKey, add); e.Number != 1452 || e.Constraint != "fk_note" {
		t.Error(e)
	}
	do(t, db, "DELETE FROM crm.note WHERE id = 2")
	do(t, db, add)
	mustFail(t, db, CodeForeignKey, "INSERT INTO crm.note VALUES (2, 'xx')")
	mustFail(t, db, CodeForeignKey, "DELETE FROM geo.country WHERE code = 'de'")
	do(t, db, "ALTER TABLE crm.note DROP FOREIGN KEY fk_note")
	do(t, db, "DELETE FROM geo.country WHERE code = 'de'")

	// With checks off, databases come in any order, and go in any.
	c := pin(t, db)
	do(t, c, "SET foreign_key_checks=0")
	do(t, c, "CREATE TABLE early (id INT PRIMARY KEY, l INT, FOREIGN KEY (l) REFERENCES later.p (id))")
	mustFail(t, db, CodeForeignKey, "INSERT INTO early VALUES (1, 1)")
	do(t, c, "CREATE DATABASE later")
	mustFail(t, db, CodeForeignKey, "INSERT INTO early VALUES (1, 1)")
	do(t, c, "CREATE TABLE later.p (id INT PRIMARY KEY)")
	do(t, db, "INSERT INTO later.p VALUES (1)")
	do(t, db, "INSERT INTO early VALUES (1, 1)")
	mustFail(t, db, CodeForeignKey, "DELETE FROM later.p")
	do(t, c, "DROP DATABASE later")
	mustFail(t, db, CodeForeignKey, "INSERT INTO early VALUES (2, 1)")
	do(t, c, "CREATE DATABASE later")
	do(t, c, "CREATE TABLE later.p (id INT PRIMARY KEY)")
	do(t, db, "INSERT INTO later.p VALUES (1), (5)")
	mustFail(t, db, CodeForeignKey, "DELETE FROM later.p")

	// A child's database takes its keys along.
	do(t, db, "DROP TABLE geo.visit")
	do(t, db, "DROP TABLE early")
	do(t, db, "DROP TABLE orders")
	do(t, db, "DROP DATABASE crm")
	do(t, db, "DELETE FROM geo.country")
}

// TestForeignKeysOfKeyspacesColocated: with foreign_keys=colocated they are on
// record, with a warning.
func TestForeignKeysOfKeyspacesColocated(t *testing.T) {
	db := memDB(t, "foreign_keys=colocated", keysApart...)
	do(t, db, "INSERT INTO orders VALUES (13, 9)")
	do(t, db, "DELETE FROM crm.customer")
	want(t, db, "10 11 12 13", "SELECT id FROM orders ORDER BY 1")
}

// TestForeignKeyHandsOverInAnotherKeyspace: a key that the shards have kept becomes
// the gate's when another keyspace's rows hang on what its action does, and goes back.
func TestForeignKeyHandsOverInAnotherKeyspace(t *testing.T) {
	db := memHere(t, "", "CREATE DATABASE crm", "CREATE TABLE p (id INT PRIMARY KEY)",
		"CREATE TABLE c (p INT, n INT, PRIMARY KEY (p, n), CONSTRAINT fk_c FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) PARTITION BY KEY (p)",
		"INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES (1, 1), (2, 1)")
	effects := func() int {
		return len(mustRows(t, db, "EXPLAIN FORMAT='vitess' DELETE FROM p WHERE id = 1"))
	}
	alone := effects()
	do(t, db, "CREATE TABLE crm.x (id INT PRIMARY KEY, p INT, n INT, CONSTRAINT fk_x FOREIGN KEY (p, n) REFERENCES main.c (p, n))")
	if effects() == alone {
		t.Error("the cascade is still the shard's, which doesn't see the rows that hang on it")
	}
	do(t, db, "INSERT INTO crm.x VALUES (7, 1, 1)")
	if e := mustFail(t, db, CodeForeignKey, "DELETE FROM p WHERE id = 1"); e.Constraint != "fk_x" {
		t.Error(e)
	}
	do(t, db, "DELETE FROM p WHERE id = 2")
	want(t, db, "1|1", "SELECT * FROM c")
	do(t, db, "DROP DATABASE IF EXISTS nowhere")
	do(t, db, "DROP DATABASE crm")
	if effects() != alone {
		t.Error("the key hasn't gone back to the shards")
	}
	do(t, db, "DELETE FROM p")
	want(t, db, "", "SELECT * FROM c")
}

// TestWritesPlannedBeforeAKeyOfAnotherKeyspace: a change of one keyspace moves the
// other's shards as well, where its statements are to mind a new key, or one less.
func TestWritesPlannedBeforeAKeyOfAnotherKeyspace(t *testing.T) {
	db := memHere(t, "", "CREATE DATABASE crm", "CREATE TABLE p (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)",
		"CREATE TABLE crm.x (id INT PRIMARY KEY, p INT)", "INSERT INTO p VALUES (1), (2)", "INSERT INTO crm.x VALUES (7, 1)")
	c := pin(t, db)
	add := "ALTER TABLE crm.x ADD CONSTRAINT fk_x FOREIGN KEY (p) REFERENCES main.p (id)"
	wantCode(t, while(t, db, c, "DELETE FROM p WHERE id = 1", add), CodeForeignKey, "a parent deleted by an old plan")
	wantCode(t, while(t, db, c, "UPDATE crm.x SET p = 9", "RENAME TABLE p TO parent"), CodeForeignKey, "a child changed by an old plan")
	if err := while(t, db, c, "DELETE FROM parent WHERE id = 1", "ALTER TABLE crm.x DROP FOREIGN KEY fk_x"); err != nil {
		t.Error(err)
	}
}
