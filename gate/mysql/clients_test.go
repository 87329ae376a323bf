//go:build mysqlclients

package mysql

import (
	"context"
	"net"
	"os/exec"
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

// Debian's client: both ways to ask for a password, with and without TLS.
func TestMariadbClient(t *testing.T) {
	ours, _ := certificate(t)
	s := serve(t, Options{Users: team, TLS: ours})
	host, port, _ := net.SplitHostPort(s.addr)
	for i, args := range [][]string{
		{"-uapp", "-psecret", "--ssl=0"}, {"-uold", "-pnative", "--ssl=0"}, {"-uapp", "-psecret", "--ssl", "--ssl-verify-server-cert=0"},
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
		if got := run(t, "", "mariadb-dump", append(args, "--skip-lock-tables", "--no-tablespaces", "--skip-triggers", "--skip-comments", "shop")...); !strings.Contains(got, "INSERT INTO `t` VALUES") {
			t.Errorf("mariadb-dump %v prints\n%s", args, got)
		}
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
