package mysql

import (
	"os"
	"path/filepath"
	"testing"

	wire "github.com/go-mysql-org/go-mysql/mysql"
)

// Neither a statement nor a name leads out of the database, by any command.
func TestNothingBeyondTheDatabase(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	must(t, os.WriteFile(secret, []byte("the secret"), 0o600))
	s := serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	c := newRaw(t, s.addr)
	c.login()
	c.command(append([]byte{wire.COM_INIT_DB}, "shop"...))
	refused := func(command byte, text string) {
		t.Helper()
		if got := c.command(append([]byte{command}, text...)); len(got) == 0 || got[0] != 0xff {
			t.Fatalf("command %d, %q: %q", command, text, got)
		}
	}
	for _, sql := range []string{
		"ATTACH DATABASE '" + secret + "' AS x", "VACUUM INTO '" + secret + ".db'", "SELECT LOAD_FILE('" + secret + "')", "SELECT readfile('" + secret + "')",
		"LOAD DATA INFILE '" + secret + "' INTO TABLE t", "LOAD DATA LOCAL INFILE '" + secret + "' INTO TABLE t", "SELECT * FROM t INTO OUTFILE '" + secret + ".out'",
		"PRAGMA database_list", "SELECT * FROM pragma_database_list", "SELECT * FROM sqlite_master", "SELECT id FROM t UNION SELECT name FROM sqlite_master", "SELECT * FROM _vt_redo",
		"DELETE FROM _vt_decided", "CREATE TABLE _vt_x (id INT PRIMARY KEY)", "SELECT * FROM main.t", "SELECT * FROM _vt.keyspaces", "USE _vt", "USE `shop/../x`", "SHOW TABLES FROM _vt", "CREATE DATABASE `../x`", "DROP DATABASE _vt",
	} {
		refused(wire.COM_QUERY, sql)
		if got := c.command(append([]byte{wire.COM_STMT_PREPARE}, sql...)); got[0] == 0 { // what is wrong shows when it is executed
			for range int(got[5]) + int(got[7]) + min(1, int(got[5])) + min(1, int(got[7])) {
				c.receive()
			}
			refused(wire.COM_STMT_EXECUTE, string(got[1:5])+"\x00\x01\x00\x00\x00")
		}
	}
	for _, name := range []string{"_vt", "_vt/catalog", "../x", "/etc", "shop/../x", "shop/-", "shop`; DROP TABLE t; --", "main"} {
		refused(wire.COM_INIT_DB, name)
	}
	for _, table := range []string{"sqlite_master", "_vt_redo", "_vt_decided", "../x", "t` UNION SELECT * FROM `sqlite_master"} {
		refused(wire.COM_FIELD_LIST, table+"\x00")
	}
	if got := rowsOf(t, s.conn(t, ""), "SELECT id FROM t"); got != "1" {
		t.Errorf("after all that there is %s", got)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("files were made: %v, %v", list, err)
	}
}
