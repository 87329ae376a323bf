//go:build mysqlclients

package mysql

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// run runs a program to its end and gives what it prints.
func run(t *testing.T, in, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

const script = `CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, n VARCHAR(10), d DECIMAL(8,2));
INSERT INTO t(n, d) VALUES('a', 1.5), ('b', NULL);
SELECT * FROM t ORDER BY id;
BEGIN; DELETE FROM t; ROLLBACK;
SELECT COUNT(*) FROM t;
DELIMITER //
SELECT 'x;y' AS s//
`

// Debian's client as it is, also where the server has no TLS and a password is asked for
// the first time.
func TestMariadbClientWithoutTLS(t *testing.T) {
	for _, who := range []string{"-uapp", "-uold"} {
		s := serve(t, Options{Users: team})
		host, port, _ := net.SplitHostPort(s.addr)
		password := map[string]string{"-uapp": "-psecret", "-uold": "-pnative"}[who]
		args := []string{"-h", host, "-P", port, "--protocol=tcp", "-N", who}
		if got := run(t, "SELECT 'in'", "mariadb", append(args, password, "shop")...); got != "in\n" {
			t.Errorf("%s: %s", who, got)
		}
		out, err := exec.Command("mariadb", append(args, "-pwrong", "shop")...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "ERROR 1045 (28000): Access denied") {
			t.Errorf("%s with a wrong password: %v %s", who, err, out)
		}
	}
}

// Debian's client: both ways to ask for a password, with and without TLS.
func TestMariadbClient(t *testing.T) {
	ours, _ := certificate(t)
	s := serve(t, Options{Users: team, TLS: ours})
	host, port, _ := net.SplitHostPort(s.addr)
	for i, args := range [][]string{
		{"-uapp", "-psecret"}, {"-uapp", "-psecret", "--ssl=0"}, {"-uold", "-pnative", "--ssl=0"}, {"-uapp", "-psecret", "--ssl", "--ssl-verify-server-cert=0"},
	} {
		args = append([]string{"-h", host, "-P", port, "--protocol=tcp"}, args...)
		in := script
		if i > 0 {
			in = strings.Replace(in, "CREATE TABLE t", "DROP TABLE t; CREATE TABLE t", 1)
		}
		got := run(t, in, "mariadb", append(args, "shop")...)
		want := "id\tn\td\n1\ta\t1.50\n2\tb\tNULL\nCOUNT(*)\n2\ns\nx;y\n"
		if got != want {
			t.Errorf("%v prints\n%s\nwant\n%s", args, got, want)
		}
	}
}

// What mariadb-dump writes is what it was made of when it is read back, with rows
// whose AUTO_INCREMENT value is 0, and tables whose parents come behind them.
func TestMariadbDump(t *testing.T) {
	s := serve(t, Options{})
	host, port, _ := net.SplitHostPort(s.addr)
	args := []string{"-h", host, "-P", port, "--protocol=tcp", "-uroot"}
	run(t, `CREATE TABLE z (id BIGINT AUTO_INCREMENT PRIMARY KEY, n VARCHAR(10) UNIQUE, j JSON, at DATETIME DEFAULT NOW(), b BLOB);
CREATE TABLE a (id BIGINT PRIMARY KEY, z BIGINT, d DECIMAL(8,2) CHECK (d > 0), FOREIGN KEY (z) REFERENCES z (id));
CREATE VIEW v AS SELECT a.id, z.n FROM a JOIN z ON a.z = z.id;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO z VALUES (0, 'zero', '{"k": [1]}', '2024-02-29 12:00:00', x'00ff'), (NULL, 'it''s', NULL, NULL, NULL);
INSERT INTO a VALUES (5, 0, 1.5), (6, 1, NULL);
`, "mariadb", append(args, "shop")...)
	all := "SELECT id, n, j, at, HEX(b) FROM z ORDER BY id; SELECT * FROM a ORDER BY id; SELECT * FROM v ORDER BY id"
	want := run(t, all, "mariadb", append(args, "shop")...)
	dump := run(t, "", "mariadb-dump", append(args, "--routines", "--events", "--hex-blob", "shop")...)
	if strings.Contains(dump, "Error") {
		t.Errorf("it prints\n%s", dump)
	}
	run(t, "CREATE DATABASE again", "mariadb", args...)
	run(t, dump, "mariadb", append(args, "again")...)
	if got := run(t, all, "mariadb", append(args, "again")...); got != want {
		t.Errorf("read back it is\n%s\nwas\n%s\nof\n%s", got, want, dump)
	}
}

// Python's programs find the MySQL that they are written for: SQLAlchemy and Django,
// which changes its tables by migrations, over PyMySQL.
func TestPython(t *testing.T) {
	t.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	for name, args := range map[string]func(host, port string) []string{
		"SQLAlchemy": func(host, port string) []string {
			return []string{"testdata/sqlalchemy_orm.py", "mysql+pymysql://root@" + net.JoinHostPort(host, port) + "/shop"}
		},
		"Django": func(host, port string) []string { return []string{"testdata/django/try.py", host, port} },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Options{})
			host, port, _ := net.SplitHostPort(s.addr)
			if out := run(t, "", "/usr/bin/python3", args(host, port)...); out != "" {
				t.Errorf("it prints\n%s", out)
			}
		})
	}
}

// sysbench runs its usual mix, prepared and as text.
func TestSysbench(t *testing.T) {
	s := serve(t, Options{})
	host, port, _ := net.SplitHostPort(s.addr)
	args := []string{"oltp_read_write", "--mysql-host=" + host, "--mysql-port=" + port, "--mysql-user=root", "--mysql-db=shop",
		"--mysql-ssl=off", "--tables=2", "--table-size=300", "--threads=4", "--time=3"}
	run(t, "", "sysbench", append(args, "prepare")...)
	for _, mode := range []string{"auto", "disable"} {
		got := run(t, "", "sysbench", append(args, "--db-ps-mode="+mode, "run")...)
		if !strings.Contains(got, "transactions:") || strings.Contains(got, "transactions:                        0 ") || strings.Contains(got, "FATAL") {
			t.Errorf("with --db-ps-mode=%s\n%s", mode, got)
		}
		t.Log(got)
	}
	run(t, "", "sysbench", append(args, "cleanup")...)
}

// MariaDB's Connector/C reads by cursors while it runs other statements, changes its
// user, and wishes for what isn't there: compression, and files of the client's.
func TestConnectorC(t *testing.T) {
	flags := strings.Fields(run(t, "", "mariadb_config", "--cflags", "--libs"))
	program := filepath.Join(t.TempDir(), "connector")
	run(t, "", "cc", append([]string{"-o", program, "testdata/connector.c"}, flags...)...)
	s := serve(t, Options{Users: team})
	host, port, _ := net.SplitHostPort(s.addr)
	got := run(t, "", program, host, port)
	want := "1\n2\n3\n4\n5\n4\n" +
		"1235 unsupported: LOAD DATA (no file is read, the server's or the client's: send its rows by INSERT, or use vitessdo import) near \"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE c\", at line 1 column 1\n" +
		"old-\napp\n1045\n"
	if got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
}
