package vitessdo

import "testing"

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

// A parent that would leave its shard stays, with its children, and is told of.
func TestMoveOfParent(t *testing.T) {
	for _, tt := range []struct {
		action string
		code   Code
	}{{"", CodeForeignKey}, {"ON DELETE CASCADE", CodeForeignKey}, {"ON DELETE SET NULL", CodeForeignKey}, {"ON UPDATE CASCADE", CodeUnsupported}} {
		db := memDB(t, "", "CREATE TABLE p (id BIGINT PRIMARY KEY, a INT)",
			"CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT, FOREIGN KEY (p_id) REFERENCES p (id) "+tt.action+")",
			"INSERT INTO p VALUES (1,1),(2,2),(3,3)", "INSERT INTO c VALUES (10,1),(11,2)")
		moved := 0
		for id := 100; id < 110; id++ {
			_, err := db.Exec("UPDATE p SET id = ?, a = 5 WHERE id = 1", id)
			if err != nil {
				wantCode(t, err, tt.code, tt.action)
				continue
			}
			// On the same shard the engine does as the key says.
			if moved++; tt.code == CodeForeignKey {
				t.Errorf("%s: the parent's key became %d", tt.action, id)
			}
			want(t, db, "10", "SELECT id FROM c WHERE p_id = ?", id)
			mustAffect(t, db, 1, "UPDATE p SET id = 1, a = 1 WHERE id = ?", id)
		}
		if moved == 10 {
			t.Errorf("%s: no shard was left", tt.action)
		}
		want(t, db, "1|1 2|2 3|3", "SELECT * FROM p ORDER BY id")
		want(t, db, "10|1 11|2", "SELECT * FROM c ORDER BY id")
		_, err := db.Exec("UPDATE p SET id = id + 1000")
		if err == nil && tt.code == CodeForeignKey {
			t.Errorf("%s: parents moved away from their children", tt.action)
		}
		mustAffect(t, db, 1, "UPDATE p SET id = 500 WHERE id = 3")
		want(t, db, "10|1 11|2", "SELECT c.id, p.id FROM c JOIN p ON p.id = c.p_id ORDER BY c.id")
	}
}
