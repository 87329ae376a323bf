package transfer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What mysqldump writes: comments that MySQL runs, locks, a view with a stand-in, a
// trigger between delimiters, strings with every escape.
const mysqldump = `-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!50503 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;

--
-- Table structure for table ` + "`order`" + `
--

DROP TABLE IF EXISTS ` + "`order`" + `;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE ` + "`order`" + ` (
  ` + "`id`" + ` bigint NOT NULL AUTO_INCREMENT,
  ` + "`customer`" + ` bigint DEFAULT NULL COMMENT 'who; pays',
  ` + "`note`" + ` text,
  ` + "`pic`" + ` blob,
  ` + "`made`" + ` timestamp NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (` + "`id`" + `),
  KEY ` + "`c`" + ` (` + "`customer`" + `),
  CONSTRAINT ` + "`fk`" + ` FOREIGN KEY (` + "`customer`" + `) REFERENCES ` + "`zcustomer`" + ` (` + "`id`" + `) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=40 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

LOCK TABLES ` + "`order`" + ` WRITE;
/*!40000 ALTER TABLE ` + "`order`" + ` DISABLE KEYS */;
INSERT INTO ` + "`order`" + ` VALUES (1,7,'it\'s; \"so\"\\ -- no\n/* comment */',_binary '\0\'\\x','2026-01-02 03:04:05'),(2,7,NULL,NULL,NULL),
(3,8,'ü''',0x00FF,'2026-01-02 00:00:00');
/*!40000 ALTER TABLE ` + "`order`" + ` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=` + "`root`@`localhost`" + `*/ /*!50003 TRIGGER t BEFORE INSERT ON ` + "`order`" + ` FOR EACH ROW BEGIN SET NEW.note = ';'; END */;;
DELIMITER ;
CREATE TABLE ` + "`zcustomer`" + ` (
  ` + "`id`" + ` bigint NOT NULL,
  ` + "`email`" + ` varchar(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci DEFAULT NULL,
  PRIMARY KEY (` + "`id`" + `),
  UNIQUE KEY ` + "`e`" + ` (` + "`email`" + `)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
INSERT INTO ` + "`zcustomer`" + ` VALUES (7,'a@x'),(8,'b@x');
/*!50001 DROP VIEW IF EXISTS ` + "`big`" + `*/;
/*!50001 CREATE VIEW ` + "`big`" + ` AS SELECT
 1 AS ` + "`id`" + `*/;
/*!50001 DROP VIEW IF EXISTS ` + "`big`" + `*/;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=` + "`root`@`localhost`" + ` SQL SECURITY DEFINER */
/*!50001 VIEW ` + "`big`" + ` AS select ` + "`order`.`id` AS `id` from `order` where `order`.`id` > 1" + ` */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
-- Dump completed on 2026-01-02
`

// TestMySQLDump takes a dump as mysqldump writes it, and again, over what is there.
func TestMySQLDump(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.sql")
	if err := os.WriteFile(file, []byte(mysqldump), 0o600); err != nil {
		t.Fatal(err)
	}
	_, conn := openDB(t, ":memory:?shards=3&parse_time=false")
	report, err := Import{Source: file}.Run(t.Context(), conn)
	if err != nil {
		t.Fatalf("%+v %v", report, err)
	}
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, "TRIGGER") || len(report.Notes) != 1 {
		t.Errorf("notes: %s", notes)
	}
	for query, want := range map[string]string{
		"SELECT id, customer, note, HEX(pic), made FROM `order` ORDER BY id": `int64 "1"|int64 "7"|string "it's; \"so\"\\ -- no\n/* comment */"|string "00275C78"|string "2026-01-02 03:04:05"|
int64 "2"|int64 "7"|<nil> "<nil>"|<nil> "<nil>"|<nil> "<nil>"|
int64 "3"|int64 "8"|string "ü'"|string "00FF"|string "2026-01-02 00:00:00"|
`,
		"SELECT * FROM big ORDER BY id":                                                  "int64 \"2\"|\nint64 \"3\"|\n",
		"SELECT id FROM zcustomer WHERE email = 'B@X'":                                   "int64 \"8\"|\n",
		"SELECT @@foreign_key_checks":                                                    "int64 \"1\"|\n",
		"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()": "int64 \"3\"|\n",
	} {
		if got := table(t, conn, query); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", query, got, want)
		}
	}
	do(t, conn, "DELETE FROM zcustomer WHERE id = 7")
	if got := table(t, conn, "SELECT COUNT(*) FROM `order`"); got != "int64 \"1\"|\n" {
		t.Errorf("the foreign key doesn't act: %s", got)
	}
	res, err := conn.ExecContext(t.Context(), "INSERT INTO `order` (note) VALUES ('next')")
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := res.LastInsertId(); id < 40 {
		t.Errorf("the counter gives %d", id)
	}
}
