package advise

import (
	"fmt"
	"strings"
	"testing"
)

const generalLog = `/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:
Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock
Time                 Id Command    Argument
2026-01-02T03:04:05.678901Z	   12 Connect	app@localhost on shop using TCP/IP
2026-01-02T03:04:05.678901Z	   12 Query	SELECT * FROM users
  WHERE id = 7
2026-01-02T03:04:05.678901Z	   13 Prepare	SELECT * FROM users WHERE id = ?
2026-01-02T03:04:05.678901Z	   13 Execute	SELECT * FROM users WHERE id = 8
2026-01-02T03:04:05.678901Z	   13 Query	COMMIT
2026-01-02T03:04:05.678901Z	   12 Query	INSERT INTO orders VALUES (1, 'a;b')
2026-01-02T03:04:05.678901Z	   12 Quit	
`

const slowLog = `# Time: 2026-01-02T03:04:05.678901Z
# User@Host: app[app] @ localhost []  Id:    12
# Query_time: 2.000000  Lock_time: 0.000000 Rows_sent: 1  Rows_examined: 100
use shop;
SET timestamp=1767323045;
SELECT * FROM users
WHERE id = 7;
# Time: 2026-01-02T03:04:06.678901Z
# Query_time: 3.000000  Lock_time: 0.000000 Rows_sent: 1  Rows_examined: 100
SET timestamp=1767323046;
SELECT * FROM users WHERE id = 9;
# Query_time: 1.000000
INSERT INTO orders VALUES (1, 'a;b');
# administrator command: Quit;
`

// Every kind of log gives the same statements.
func TestRead(t *testing.T) {
	for name, text := range map[string]string{
		"general": generalLog,
		"slow":    slowLog,
		"json":    `{"time":"x","query":"SELECT * FROM users WHERE id = 1"}` + "\n" + `{"sql":"SELECT * FROM users WHERE id = 2"}` + "\n\n" + `{"statement":"INSERT INTO orders VALUES (1, 'a;b')"}` + "\n" + `{"msg":"started"}`,
		"script":  "-- two\nSELECT * FROM users WHERE id = 1; SELECT *\nFROM users\nWHERE id = 2;\nINSERT INTO orders VALUES (1, 'a;b');SET x = 1;",
		"lines":   "SELECT * FROM users WHERE id = 1\nSELECT * FROM users WHERE id = 2\n\nINSERT INTO orders VALUES (1, 'a;b')\nBEGIN\n",
	} {
		var l Log
		if err := l.Read(strings.NewReader(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, s := range l.Statements() {
			got = append(got, fmt.Sprintf("%d %s", s.Count, strings.Join(strings.Fields(strings.TrimPrefix(s.SQL, "-- two\n")), " ")[:26]))
		}
		if want := "2 SELECT * FROM users WHERE |1 INSERT INTO orders VALUES "; strings.Join(got, "|") != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	var l Log
	if err := l.Read(strings.NewReader("{\"sql\":\n")); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Error(err)
	}
}

// A script of migrations gives the tables that it leaves.
func TestCreates(t *testing.T) {
	got, err := Creates(`-- first
CREATE TABLE zoo (id INT PRIMARY KEY); CREATE TABLE gone (id INT PRIMARY KEY);
CREATE TABLE b (id INT PRIMARY KEY, zoo_id INT);
INSERT INTO zoo VALUES (1); SET x = 1;
ALTER TABLE b ADD COLUMN tenant_id BIGINT NOT NULL, ADD FOREIGN KEY (zoo_id) REFERENCES zoo (id);
CREATE UNIQUE INDEX once ON b (tenant_id, id); DROP TABLE gone;
ALTER TABLE zoo COMMENT 'reference'; RENAME TABLE b TO animals;`)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || !strings.Contains(got[0], "CREATE TABLE `animals`") && !strings.Contains(got[1], "CREATE TABLE `animals`") {
		t.Fatalf("%q", got)
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{"UNIQUE KEY `once` (`tenant_id`,`id`)", "`tenant_id` bigint NOT NULL", "REFERENCES `zoo` (`id`)", "COMMENT='reference'"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if _, err := Creates("ALTER TABLE nothing ADD COLUMN a INT"); err == nil || !strings.Contains(err.Error(), "ALTER TABLE nothing") {
		t.Error(err)
	}
}
