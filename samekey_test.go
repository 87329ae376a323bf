package vitessdo

import (
	"database/sql"
	"strings"
	"testing"
)

// ORMs send every column of a row, its sharding column too. A row whose key stays
// is updated in place, children or not.
func TestUpdateSendsShardingColumnUnchanged(t *testing.T) {
	schema := []string{
		"CREATE TABLE `companies` (`id` bigint AUTO_INCREMENT, `name` longtext, PRIMARY KEY (`id`))",
		"CREATE TABLE `users` (`id` bigint AUTO_INCREMENT, `company_id` bigint, `name` varchar(50), PRIMARY KEY (`id`), UNIQUE KEY `uq` (`company_id`), CONSTRAINT `fk_users_company` FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`))",
		"CREATE TABLE `cards` (`id` bigint AUTO_INCREMENT, `company_id` bigint, `user_id` bigint, PRIMARY KEY (`id`), KEY (`company_id`)," +
			" CONSTRAINT `fk_cards_company` FOREIGN KEY (`company_id`) REFERENCES `users`(`company_id`) ON DELETE SET NULL ON UPDATE CASCADE)",
	}
	for _, shards := range []string{"1", "4"} {
		db := openDB(t, ":memory:?shards="+shards)
		for _, s := range schema {
			do(t, db, s)
		}
		do(t, db, "INSERT INTO companies VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),(5,'e'),(6,'f'),(7,'g'),(8,'h')")
		do(t, db, "INSERT INTO users VALUES (1,1,'x'),(2,2,'y')")
		do(t, db, "INSERT INTO cards VALUES (10,1,1),(11,1,1)")
		// GORM's Save, Updates and, for a row that isn't there, Save's insert.
		mustAffect(t, db, 1, "UPDATE `users` SET `company_id`=?,`name`=? WHERE `id` = ?", 1, "jinzhu", 1)
		mustAffect(t, db, 1, "UPDATE `users` SET `company_id`=?,`name`=? WHERE `users`.`id` = ? AND `id` = ?", 1, "hello", 1, 1)
		mustAffect(t, db, 0, "UPDATE `users` SET `company_id`=?,`name`=? WHERE `id` = ?", 1, "hello", 1)
		mustAffect(t, db, 2, "INSERT INTO `users` (`company_id`,`name`,`id`) VALUES (?,?,?) ON DUPLICATE KEY UPDATE `company_id`=VALUES(`company_id`),`name`=VALUES(`name`)", 1, "again", 1)
		want(t, db, "1|1|again 2|2|y", "SELECT * FROM users ORDER BY id")
		want(t, db, "10|1|1 11|1|1", "SELECT * FROM cards ORDER BY id")
		// A row without children moves.
		for _, company := range []int{3, 4, 5, 6, 7, 8} {
			mustAffect(t, db, 1, "UPDATE `users` SET `company_id`=? WHERE `id` = ?", company, 2)
			want(t, db, "y", "SELECT name FROM users WHERE company_id = ?", company)
		}
	}
}

// A parent whose key forbids it to change stays on its shard, with its children.
func TestMoveOfParent(t *testing.T) {
	for _, action := range []string{"", "ON DELETE CASCADE", "ON DELETE SET NULL"} {
		db := memDB(t, "", "CREATE TABLE p (id BIGINT PRIMARY KEY, a INT)",
			"CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT, FOREIGN KEY (p_id) REFERENCES p (id) "+action+")",
			"INSERT INTO p VALUES (1,1),(2,2),(3,3)", "INSERT INTO c VALUES (10,1),(11,2)")
		for id := 100; id < 110; id++ {
			mustFail(t, db, CodeForeignKey, "UPDATE p SET id = ?, a = 5 WHERE id = 1", id)
		}
		mustFail(t, db, CodeForeignKey, "UPDATE p SET id = id + 1000")
		want(t, db, "1|1 2|2 3|3", "SELECT * FROM p ORDER BY id")
		want(t, db, "10|1 11|2", "SELECT * FROM c ORDER BY id")
		mustAffect(t, db, 1, "UPDATE p SET id = 500 WHERE id = 3")
		want(t, db, "10|1 11|2", "SELECT c.id, p.id FROM c JOIN p ON p.id = c.p_id ORDER BY c.id")
	}
}

// What refers to a row by ON UPDATE CASCADE follows it to its new shard, with all
// that refers to it in turn.
func TestMoveOfParentWithChildren(t *testing.T) {
	db := memDBWith(t, keyOrder, "", "CREATE TABLE p (id INT PRIMARY KEY, a INT)",
		"CREATE TABLE c (p INT, n INT, note VARCHAR(20), PRIMARY KEY (p, n), FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE ON DELETE CASCADE)",
		"CREATE TABLE g (p INT, n INT, m INT, PRIMARY KEY (p, n, m), CONSTRAINT fk_g FOREIGN KEY (p, n) REFERENCES c (p, n) ON UPDATE CASCADE)",
		"INSERT INTO p VALUES (1, 1), (2, 2)", "INSERT INTO c VALUES (1, 1, 'one'), (1, 2, 'two'), (2, 1, 'else')", "INSERT INTO g VALUES (1, 1, 7), (1, 1, 8), (1, 2, 9)")
	shards := map[string]bool{}
	was := 1
	for id := 100; id < 110; id++ {
		mustAffect(t, db, 1, "UPDATE p SET id = ? WHERE id = ?", id, was)
		was = id
		shards[shardOf(t, db, "SELECT a FROM p WHERE id = ?", id)] = true
		want(t, db, "1|one 2|two", "SELECT n, note FROM c WHERE p = ? ORDER BY n", id)
		want(t, db, "1|7 1|8 2|9", "SELECT n, m FROM g WHERE p = ? ORDER BY n, m", id)
		want(t, db, "3|3", "SELECT COUNT(*), COUNT(p.id) FROM g JOIN c ON c.p = g.p AND c.n = g.n JOIN p ON p.id = c.p")
	}
	if len(shards) < 2 {
		t.Error("no shard was left")
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "SAVEPOINT s")
	do(t, tx, "UPDATE p SET id = id + 1000 ORDER BY id")
	want(t, tx, "1002|1 1109|1 1109|2", "SELECT p, n FROM c ORDER BY p, n")
	do(t, tx, "ROLLBACK TO SAVEPOINT s")
	want(t, tx, "2|1 109|1 109|2", "SELECT p, n FROM c ORDER BY p, n")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	// Rows that pass by each other's keys go in the statement's order.
	do(t, db, "INSERT INTO p VALUES (3, 3), (4, 4)")
	mustFail(t, db, CodeUnique, "UPDATE p SET id = id + 1 WHERE id < 5")
	mustAffect(t, db, 3, "UPDATE p SET id = id + 1 WHERE id < 5 ORDER BY id DESC")
	want(t, db, "3|1|else", "SELECT * FROM c WHERE p < 9")
}

// Rows that get each other's keys collide in the statement's order, be they on one
// shard or on several.
func TestMovedRowsCollide(t *testing.T) {
	for _, shards := range []string{"1", "4"} {
		fresh := func() (db *sql.DB) {
			return withScript(t, openDB(t, ":memory:?shards="+shards), []string{"CREATE TABLE p (id INT PRIMARY KEY, a INT)", "INSERT INTO p VALUES (1, 1), (2, 2), (3, 3), (4, 4), (9, 9)",
				"CREATE TABLE u (id INT, name VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, n DECIMAL(30, 2), UNIQUE KEY uq (name, n)) PARTITION BY KEY(name)",
				"INSERT INTO u VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 1), (4, NULL, 1), (5, NULL, 1)"})
		}
		for _, c := range []struct {
			query string
			want  string // "" is that it fails
			table string
		}{
			{"UPDATE p SET id = id + 1", "", "p"},
			{"UPDATE p SET id = id + 1 ORDER BY id", "", "p"},
			{"UPDATE p SET id = id + 1 ORDER BY id DESC", "2|1 3|2 4|3 5|4 10|9", "p"},
			{"UPDATE p SET id = id - 1", "0|1 1|2 2|3 3|4 8|9", "p"},
			{"UPDATE p SET id = id - 1 ORDER BY id DESC", "", "p"},
			{"UPDATE p SET id = 5 - id WHERE id < 5", "", "p"},
			{"UPDATE p SET id = 77 WHERE id < 3", "", "p"},
			{"UPDATE p SET id = id + 1 ORDER BY id LIMIT 1", "", "p"},
			{"UPDATE p SET id = id + 1 WHERE id = 4", "1|1 2|2 3|3 5|4 9|9", "p"},
			{"UPDATE p SET id = id + 5 WHERE id = 4", "", "p"},
			{"UPDATE IGNORE p SET id = id + 1", "1|1 2|2 3|3 5|4 10|9", "p"},
			{"UPDATE u SET name = 'A' WHERE id IN (1, 2)", "", "u"},
			{"UPDATE u SET name = ELT(id, 'b', 'C', 'd') ORDER BY id", "", "u"}, // without a key rows come in any order
			{"UPDATE u SET name = ELT(id, 'b', 'C', 'd'), n = n + id", "1|b|2.00 2|C|3.00 3|d|4.00 4|∅|5.00 5|∅|6.00", "u"},
			{"UPDATE u SET name = ELT(id, 'z', 'A') WHERE id < 3 ORDER BY id", "1|z|1.00 2|A|1.00 3|c|1.00 4|∅|1.00 5|∅|1.00", "u"},
			{"UPDATE u SET name = ELT(id, 'z', 'A') WHERE id < 3 ORDER BY id DESC", "", "u"},
			{"UPDATE u SET name = NULL", "1|∅|1.00 2|∅|1.00 3|∅|1.00 4|∅|1.00 5|∅|1.00", "u"},
		} {
			t.Run(shards+" "+c.query, func(t *testing.T) {
				db := fresh()
				all := "SELECT * FROM " + c.table + " ORDER BY id"
				before, err := rowsOf(db, all)
				if err != nil {
					t.Fatal(err)
				}
				if c.want == "" {
					mustFail(t, db, CodeUnique, c.query)
					c.want = strings.Join(before, " ")
				} else {
					do(t, db, c.query)
				}
				want(t, db, c.want, all)
			})
		}
	}
}
