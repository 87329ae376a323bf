package vitessdo

import (
	"slices"
	"strings"
	"testing"
)

// TestClientStatements holds what tools for MySQL send, word for word from their
// sources, and what they need to see.
func TestClientStatements(t *testing.T) {
	db := memDB(t, "",
		"CREATE TABLE users (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT 'x' COMMENT 'the name', score DECIMAL(10,2), made DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), KEY idx_name (name DESC), CONSTRAINT chk_score CHECK (score > 0)) COMMENT='people'",
		"CREATE TABLE orders (id BIGINT UNSIGNED, user_id BIGINT UNSIGNED, PRIMARY KEY (user_id, id), CONSTRAINT fk_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)")
	for _, tool := range []struct {
		name  string
		talks []talk
	}{
		{"gorm.io/driver/mysql v1.6.0", gormTalk},
		{"golang-migrate v4.20.1", migrateTalk},
		{"goose v3.29.0", gooseTalk},
		{"ariga.io/atlas v0.32.1", atlasTalk},
		{"clients of several kinds", otherTalk},
	} {
		t.Run(strings.Fields(tool.name)[0], func(t *testing.T) {
			c := pin(t, db)
			for _, x := range tool.talks {
				if x.rows == anything {
					if _, err := rowsOf(c, x.query); err != nil {
						t.Errorf("%s: %v", x.query, err)
					}
					continue
				}
				x.run(t, c)
			}
		})
	}
}

// anything stands for rows that are tested elsewhere.
const anything = "…"

var gormTalk = []talk{
	{"SELECT VERSION()", serverVersion},
	{"SELECT DATABASE()", "main"},
	{"SELECT SCHEMA_NAME from Information_schema.SCHEMATA where SCHEMA_NAME LIKE 'main%' ORDER BY SCHEMA_NAME='main' DESC,SCHEMA_NAME limit 1", "main"},
	{"SELECT count(*) FROM information_schema.tables WHERE table_schema = 'main' AND table_name = 'users' AND table_type = 'BASE TABLE'", "1"},
	{"SELECT count(*) FROM INFORMATION_SCHEMA.columns WHERE table_schema = 'main' AND table_name = 'users' AND column_name = 'Name'", "1"},
	{"SELECT count(*) FROM information_schema.statistics WHERE table_schema = 'main' AND table_name = 'users' AND index_name = 'idx_name'", "1"},
	{"SELECT count(*) FROM INFORMATION_SCHEMA.table_constraints WHERE constraint_schema = 'main' AND table_name = 'orders' AND constraint_name = 'fk_user'", "1"},
	{"SELECT column_name, column_default, is_nullable = 'YES', data_type, character_maximum_length, column_type, column_key, extra, column_comment, numeric_precision, numeric_scale , datetime_precision FROM information_schema.columns WHERE table_schema = 'main' AND table_name = 'users' ORDER BY ORDINAL_POSITION",
		"id|∅|0|bigint|∅|bigint unsigned|PRI|auto_increment||20|0|∅ " +
			"name|x|0|varchar|50|varchar(50)|MUL||the name|∅|∅|∅ " +
			"score|∅|1|decimal|∅|decimal(10,2)||||10|2|∅ " +
			"made|CURRENT_TIMESTAMP(3)|1|datetime|∅|datetime(3)||DEFAULT_GENERATED||∅|∅|3"},
	{"SELECT TABLE_NAME, COLUMN_NAME, INDEX_NAME, NON_UNIQUE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'main' AND TABLE_NAME = 'users' ORDER BY INDEX_NAME, SEQ_IN_INDEX",
		"users|name|idx_name|1 users|id|PRIMARY|0"},
	{"SELECT TABLE_NAME FROM information_schema.tables where TABLE_SCHEMA='main'", "orders users"},
	{"SELECT table_schema, table_name, table_type, table_comment FROM information_schema.tables WHERE table_schema = 'main' AND table_name = 'users'", "main|users|BASE TABLE|people"},
	{"SELECT * FROM `users` LIMIT 1", ""},
	{"ALTER TABLE `users` RENAME INDEX `idx_name` TO `idx_2`", ""},
	{"ALTER TABLE `users` RENAME INDEX `idx_2` TO `idx_name`", ""},
	{"ALTER TABLE `users` MODIFY COLUMN `name` varchar(60) NOT NULL DEFAULT 'x'", ""},
	{"ALTER TABLE `orders` DROP FOREIGN KEY `fk_user`", ""},
	{"ALTER TABLE `orders` ADD CONSTRAINT `fk_user` FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON DELETE CASCADE", ""},
	{"ALTER TABLE `users` DROP CHECK `chk_score`", ""},
	{"ALTER TABLE `users` ADD CONSTRAINT `chk_score` CHECK (score > 0)", ""},
}

var migrateTalk = []talk{
	{"SELECT DATABASE()", "main"},
	{"SELECT GET_LOCK('1530637843', 10)", "1"},
	{"SHOW TABLES LIKE 'schema_migrations'", ""},
	{"CREATE TABLE `schema_migrations` (version bigint not null primary key, dirty boolean not null)", ""},
	{"SELECT RELEASE_LOCK('1530637843')", "1"},
	{"SELECT version, dirty FROM `schema_migrations` LIMIT 1", ""},
	{"DELETE FROM `schema_migrations` LIMIT 1", ""},
	{"INSERT INTO `schema_migrations` (version, dirty) VALUES (1, true)", ""},
	{"SELECT version, dirty FROM `schema_migrations` LIMIT 1", "1|1"},
	{"SHOW TABLES LIKE '%'", "orders schema_migrations users"},
	{"DROP TABLE IF EXISTS `schema_migrations`", ""},
}

var gooseTalk = []talk{
	{"SELECT EXISTS ( SELECT 1 FROM information_schema.tables WHERE (database() IS NULL OR table_schema = database()) AND table_name = 'goose_db_version' )", "0"},
	{"CREATE TABLE goose_db_version ( id bigint(20) unsigned NOT NULL AUTO_INCREMENT, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp datetime NULL default CURRENT_TIMESTAMP, PRIMARY KEY(id) )", ""},
	{"SELECT EXISTS ( SELECT 1 FROM information_schema.tables WHERE table_schema = 'main' AND table_name = 'goose_db_version' )", "1"},
	{"INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true)", ""},
	{"SELECT is_applied FROM goose_db_version WHERE version_id=0 ORDER BY tstamp DESC LIMIT 1", "1"},
	{"SELECT version_id, is_applied from goose_db_version ORDER BY id DESC", "0|1"},
	{"SELECT MAX(version_id) FROM goose_db_version", "0"},
	{"DELETE FROM goose_db_version WHERE version_id=0", ""},
	{"DROP TABLE goose_db_version", ""},
}

var atlasTalk = []talk{
	{"SELECT @@version, @@collation_server, @@character_set_server, @@lower_case_table_names", serverVersion + "|utf8mb4_bin|utf8mb4|2"},
	{"SELECT `SCHEMA_NAME`, `DEFAULT_CHARACTER_SET_NAME`, `DEFAULT_COLLATION_NAME` from `INFORMATION_SCHEMA`.`SCHEMATA` WHERE `SCHEMA_NAME` NOT IN ('information_schema','innodb','mysql','performance_schema','sys') ORDER BY `SCHEMA_NAME`", "main|utf8mb4|utf8mb4_bin"},
	{"SELECT `SCHEMA_NAME`, `DEFAULT_CHARACTER_SET_NAME`, `DEFAULT_COLLATION_NAME` from `INFORMATION_SCHEMA`.`SCHEMATA` WHERE `SCHEMA_NAME` = SCHEMA() ORDER BY `SCHEMA_NAME`", "main|utf8mb4|utf8mb4_bin"},
	{"SELECT t1.TABLE_SCHEMA, t1.TABLE_NAME, t2.CHARACTER_SET_NAME, t1.TABLE_COLLATION, t1.AUTO_INCREMENT, t1.TABLE_COMMENT, t1.CREATE_OPTIONS, t1.ENGINE, t3.SUPPORT = 'DEFAULT' AS DEFAULT_ENGINE, t1.TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES AS t1 LEFT JOIN INFORMATION_SCHEMA.COLLATIONS AS t2 ON t1.TABLE_COLLATION = t2.COLLATION_NAME LEFT JOIN INFORMATION_SCHEMA.ENGINES AS t3 ON t1.ENGINE = t3.ENGINE WHERE TABLE_SCHEMA IN ('main') AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_SCHEMA, TABLE_NAME",
		"main|orders|utf8mb4|utf8mb4_bin|∅|||InnoDB|1|BASE TABLE main|users|utf8mb4|utf8mb4_bin|1|people||InnoDB|1|BASE TABLE"},
	{"SELECT `TABLE_NAME`, `COLUMN_NAME`, `COLUMN_TYPE`, `COLUMN_COMMENT`, `IS_NULLABLE`, `COLUMN_KEY`, `COLUMN_DEFAULT`, `EXTRA`, `CHARACTER_SET_NAME`, `COLLATION_NAME`, `GENERATION_EXPRESSION` FROM `INFORMATION_SCHEMA`.`COLUMNS` WHERE `TABLE_SCHEMA` = 'main' AND `TABLE_NAME` IN ('orders') ORDER BY `ORDINAL_POSITION`",
		"orders|id|bigint unsigned||NO|PRI|∅||∅|∅| orders|user_id|bigint unsigned||NO|PRI|∅||∅|∅|"},
	{"SELECT `TABLE_NAME`, `INDEX_NAME`, `COLUMN_NAME`, `NON_UNIQUE`, `SEQ_IN_INDEX`, `INDEX_TYPE`, UPPER(`COLLATION`) = 'D' AS `DESC`, `INDEX_COMMENT`, `SUB_PART`, `EXPRESSION` FROM `INFORMATION_SCHEMA`.`STATISTICS` WHERE `TABLE_SCHEMA` = 'main' AND `TABLE_NAME` IN ('users', 'orders') ORDER BY `index_name`, `seq_in_index`, `TABLE_NAME` DESC",
		"users|idx_name|name|1|1|BTREE|1||∅|∅ users|PRIMARY|id|0|1|BTREE|0||∅|∅ orders|PRIMARY|user_id|0|1|BTREE|0||∅|∅ orders|PRIMARY|id|0|2|BTREE|0||∅|∅"},
	{"SELECT t1.CONSTRAINT_NAME, t1.TABLE_NAME, t2.CHECK_CLAUSE, t1.ENFORCED FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS t1 JOIN INFORMATION_SCHEMA.CHECK_CONSTRAINTS AS t2 ON t1.CONSTRAINT_NAME = t2.CONSTRAINT_NAME AND t1.CONSTRAINT_SCHEMA = t2.CONSTRAINT_SCHEMA WHERE t1.CONSTRAINT_TYPE = 'CHECK' AND t1.TABLE_SCHEMA = 'main' AND t1.TABLE_NAME IN ('users') ORDER BY t1.CONSTRAINT_NAME",
		"chk_score|users|(score > 0)|YES"},
	{"SELECT t1.CONSTRAINT_NAME, t1.TABLE_NAME, t1.COLUMN_NAME, t1.TABLE_SCHEMA, t1.REFERENCED_TABLE_NAME, t1.REFERENCED_COLUMN_NAME, t1.REFERENCED_TABLE_SCHEMA, t3.UPDATE_RULE, t3.DELETE_RULE FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS t1 JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS t2 JOIN INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS AS t3 ON t1.CONSTRAINT_SCHEMA = t2.CONSTRAINT_SCHEMA AND t1.CONSTRAINT_NAME = t2.CONSTRAINT_NAME AND t1.CONSTRAINT_SCHEMA = t3.CONSTRAINT_SCHEMA AND t1.CONSTRAINT_NAME = t3.CONSTRAINT_NAME AND t1.TABLE_SCHEMA = t2.TABLE_SCHEMA AND t1.TABLE_NAME = t2.TABLE_NAME AND t2.CONSTRAINT_TYPE = 'FOREIGN KEY' WHERE t1.TABLE_SCHEMA = 'main' AND t1.TABLE_NAME IN ('orders') ORDER BY t1.CONSTRAINT_NAME, t1.ORDINAL_POSITION",
		"fk_user|orders|user_id|main|users|id|main|NO ACTION|CASCADE"},
	{"SHOW CREATE TABLE `users`", anything},
	{"SHOW CREATE TABLE `main`.`users`", anything},
	{"SELECT GET_LOCK('atlas', 0)", "1"},
	{"SELECT RELEASE_LOCK('atlas')", "1"},
}

var otherTalk = []talk{
	{"SELECT @@max_allowed_packet", "67108864"},
	{"SELECT @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@character_set_connection AS character_set_connection, @@init_connect AS init_connect, @@interactive_timeout AS interactive_timeout, @@license AS license, @@lower_case_table_names AS lower_case_table_names, @@net_write_timeout AS net_write_timeout, @@performance_schema AS performance_schema, @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, @@transaction_isolation AS transaction_isolation, @@wait_timeout AS wait_timeout", anything},
	{"SET NAMES utf8mb4", ""},
	{"set names 'utf8mb4' collate 'utf8mb4_unicode_ci'", ""},
	{"SET character_set_results = NULL", ""},
	{"set session transaction read write", ""},
	{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", ""},
	{"/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */", ""},
	{"/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */", ""},
	{"/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */", ""},
	{"/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */", ""},
	{"SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0", ""},
	{"SET SQL_NOTES=@OLD_SQL_NOTES", ""},
	{"SHOW VARIABLES LIKE 'lower_case_%'", "lower_case_table_names|2"},
	{"SHOW VARIABLES LIKE 'sql_mode'", anything},
	{"SHOW SESSION STATUS LIKE 'Ssl_cipher'", "Ssl_cipher|"},
	{"SHOW ENGINES", anything},
	{"SHOW CHARACTER SET", anything},
	{"SHOW COLLATION", anything},
	{"SHOW PLUGINS", ""},
	{"SHOW FULL PROCESSLIST", anything},
	{"SHOW GRANTS FOR CURRENT_USER()", anything},
	{"SHOW FULL TABLES FROM `main` LIKE 'PROBABLYNOT'", ""},
	{"SHOW FULL COLUMNS FROM `users` FROM `main`", anything},
	{"SHOW KEYS FROM `users` WHERE Key_name = 'PRIMARY'", anything},
	{"SHOW TABLE STATUS LIKE 'users'", anything},
	{"SHOW TRIGGERS", ""},
	{"SHOW EVENTS", ""},
	{"SHOW PROCEDURE STATUS WHERE Db = 'main'", ""},
	{"SHOW CREATE DATABASE `main`", anything},
	{"SELECT ROUTINE_NAME FROM information_schema.routines WHERE routine_schema = 'main'", ""},
	{"SELECT CONNECTION_ID(), CURRENT_USER()", anything},
	{"SELECT 1 FROM DUAL", "1"},
	{"DESCRIBE users name", "name|varchar(60)|NO|MUL|x|"},
}

// TestCatalogNamesAreMySQLs: columns have their upper-case names, however they
// were asked for.
func TestCatalogNamesAreMySQLs(t *testing.T) {
	db := memDB(t, "")
	rows, err := db.Query("SELECT table_name, t.Table_Type, engine AS e, COUNT(*) FROM information_schema.tables t GROUP BY 1, 2, 3")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if got, _ := rows.Columns(); !slices.Equal(got, []string{"TABLE_NAME", "TABLE_TYPE", "e", "COUNT(*)"}) {
		t.Errorf("columns are called %v", got)
	}
}
