package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// call runs a command line with input and gives the exit code and both outputs.
func call(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(&console{in: strings.NewReader(in), out: &o, err: &e, env: noVariables}, args)
	return code, o.String(), e.String()
}

func noVariables(string) string { return "" }

func TestBadArguments(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"dmo", 2, `unknown command "dmo"; is it demo\?`},
		{"xyzzy", 2, "is it advise, bench, .* or vschema"},
		{"reshart :memory:", 2, "unknown command"},
		{"demo --shard 3", 2, "unknown flag: --shard, did you mean --shards"},
		{"demo -shards 3", 2, "unknown flag -shards; write --shards"},
		{"demo --shards x", 2, "invalid argument"},
		{"demo --shards 0", 2, "--shards is 0"},
		{"demo --rows 5", 2, "--rows is 5"},
		{"demo extra", 2, `unexpected argument "extra"`},
		{"demo --dir " + full, 2, "is not empty"},
		{"shell", 2, "data source name is missing: give it first, or set VITESSDO_DSN"},
		{"shell :memory: b", 2, `unexpected argument "b"`},
		{"shell mysql:x", 2, "unknown scheme"},
		{"shell ./none", 2, `"./none" is neither a data source name`},
		{"shell :memory:?shard=4", 2, `"shards"`},
		{"explain :memory:", 2, "0 arguments given, 1 needed"},
		{"vschema show file:" + full + "/none", 1, "there is no directory"},
		{"vschema", 2, "the verb is missing; it is apply, check, diff or show"},
		{"status file:" + full + "/none", 1, "there is no directory"},
		{"status file:" + full, 1, "TOPOLOGY_ERROR|directory"},
		{"status " + full, 1, "TOPOLOGY_ERROR|directory"},
		{"version x", 2, "unexpected argument"},
		{"gate", 2, "data source name is missing"},
		{"gate --mysql :3306 :memory:", 2, "unknown flag: --mysql"},
		{"gate --listen :0 :memory:", 2, "--tokens FILE"},
		{"serve", 2, "0 arguments given, 1 needed"},
		{"serve --idle 0s " + full, 2, "--idle is 0s"},
		{"vindex", 2, "the verb is missing; it is backfill, create or verify"},
		{"tx", 2, "the verb is missing; it is list, resolve or status"},
		{"tx show x", 2, `unknown command "show"; is it list, resolve or status`},
		{"tx list", 2, "0 arguments given, 1 needed"},
		{"tx list " + full + "/none", 1, "holds no database|no such"},
		{"tx list " + full, 1, "is not empty"},
		{"reshard", 2, "0 arguments given, 1 needed"},
		{"reshard " + full + "/none --shards 2", 1, "no such file"},
		{"reshard :memory: --shards 2", 2, "is no directory"},
		{"reshard " + full, 1, "number of shards"},
		{"tx list :memory:", 2, "is no directory"},
		{"vindex verify :memory:", 2, "0 arguments given, 2 needed"},
		{"vindex verify :memory: t v", 1, "doesn't exist"},
	} {
		code, _, errs := call(t, "", strings.Fields(c.args)...)
		if code != c.code || !regexp.MustCompile(c.want).MatchString(errs) {
			t.Errorf("%q: code %d, %q; want %d, %q", c.args, code, errs, c.code, c.want)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{}, {"help"}, {"-h"}, {"--help"}, {"demo", "-h"}, {"help", "demo"}} {
		if code, out, errs := call(t, "", args...); code != 0 || !strings.Contains(out, "Usage:") || errs != "" {
			t.Errorf("%v: %d %q %q", args, code, out, errs)
		}
	}
	for _, args := range []string{"version", "--version"} {
		if code, out, _ := call(t, "", args); code != 0 || !strings.HasPrefix(out, "vitessdo "+version+" go") {
			t.Errorf("%s: %d %q", args, code, out)
		}
	}
}

// Every command says in a line what it does, and has an example that it would take.
func TestEveryCommandHasHelp(t *testing.T) {
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			return
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short help %q", cmd.CommandPath(), cmd.Short)
		}
		if cmd.Example == "" && !cmd.HasSubCommands() && cmd.Name() != "version" && cmd.Parent().Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s has no help", cmd.CommandPath(), f.Name)
			}
		})
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(rootCommand(&console{env: noVariables}))
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, errs := call(t, "", "completion", shell); code != 0 || !strings.Contains(out, "vitessdo") {
			t.Errorf("%s: %d %q %.100q", shell, code, errs, out)
		}
	}
	if code, out, _ := call(t, "", "__complete", "vi"); code != 0 || !strings.Contains(out, "vindex\tMake") {
		t.Errorf("words: %d %q", code, out)
	}
}

func TestSourceOfTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		args []string
		most int
		dsn  string
		rest int
	}{
		{nil, 0, "file:env", 0}, {[]string{"file:x"}, 0, "file:x", 0}, {[]string{"SELECT 1"}, 9, "file:env", 1},
		{[]string{":memory:", "SELECT 1"}, 9, ":memory:", 1}, {[]string{"t", "v"}, 2, "file:env", 2}, {[]string{"wss://h/k", "t", "v"}, 2, "wss://h/k", 2},
		{[]string{"."}, 0, "file:.", 0},
	} {
		con := &console{env: func(name string) string { return map[string]string{dsnVariable: "file:env"}[name] }}
		dsn, rest, err := con.source(c.args, c.most)
		if err != nil || dsn != c.dsn || len(rest) != c.rest {
			t.Errorf("%v: %q %v %v", c.args, dsn, rest, err)
		}
	}
}

const shellInput = `
-- a comment; with a semicolon
CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20), d DECIMAL(6,2), at DATETIME, b BLOB);
INSERT INTO t VALUES (1, 'a;b', 1.5, '2026-01-02 03:04:05', x'00ff'), (2, NULL, 20, NULL, 'text');
SELECT * FROM t
 ORDER BY id; SELECT COUNT(*) AS n FROM t;
SELECT id, name FROM t WHERE id = 1\G
SELECT id FROM t WHERE id = 9;
SELECT 'last' AS word`

const shellOutput = `id | name |     d | at                  | b
---+------+-------+---------------------+-------
 1 | a;b  |  1.50 | 2026-01-02 03:04:05 | 0x00ff
 2 | NULL | 20.00 | NULL                | text
n
-
2
--- row 1
  id: 1
name: a;b
id
--
word
----
last
`

func TestShell(t *testing.T) {
	code, out, errs := call(t, shellInput, "shell", ":memory:?shards=3")
	if code != 0 || errs != "" || out != shellOutput {
		t.Errorf("code %d, errors %q, output\n%s\nwant\n%s", code, errs, out, shellOutput)
	}
	// Without a prompt the first error ends it.
	code, out, errs = call(t, "SELECT 1;\nSELECT nothing FROM nowhere;\nSELECT 2;", "shell", ":memory:")
	if code != 1 || strings.Contains(out, "2") || !strings.Contains(errs, "nowhere") {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
}

// Statements of -e and files of -f run in the order that they are given in, and the
// first error ends all with exit code 1.
func TestShellScripts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.sql")
	if err := os.WriteFile(file, []byte("INSERT INTO t VALUES (1, NULL), (2, 'b');\nSELECT COUNT(*) AS n FROM t;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	create := "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(9))"
	code, out, errs := call(t, "SELECT 'in' AS std;", "shell", ":memory:", "--format", "csv", "-e", create, "-f", file, "-e", "SELECT * FROM t ORDER BY id", "-f", "-")
	if want := "n\n2\nid,name\n1,\n2,b\nstd\nin\n"; code != 0 || out != want {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
	if code, out, errs := call(t, "", "shell", ":memory:", "--plan", "--format", "json", "-e", create, "-e", "SELECT id FROM t WHERE id = 1"); code != 0 ||
		!strings.Contains(out, `"plan_type": "unsharded"`) || !strings.HasSuffix(out, "}\n[]\n") {
		t.Errorf("code %d, %q, %q", code, out, errs)
	}
	for _, c := range []struct {
		args []string
		code int
		errs string
	}{
		{[]string{"-e", "SELECT 1", "-f", file, "-e", "SELECT 2"}, 1, file + ":1: "},
		{[]string{"-e", "SELECT x", "--keep-going", "-e", "SELECT 2"}, 1, "some statements failed"},
		{[]string{"--format", "xml"}, 2, "it may be table, vertical, json or csv"},
		{[]string{"--timming"}, 2, "did you mean --timing"},
	} {
		if code, out, errs := call(t, "", append([]string{"shell", ":memory:"}, c.args...)...); code != c.code || !strings.Contains(errs, c.errs) {
			t.Errorf("%v: code %d, %q, %q", c.args, code, out, errs)
		}
	}
	// Ctrl-C ends a script with an exit code of its own.
	signals := make(chan os.Signal, 1)
	signals <- os.Interrupt
	var o, e bytes.Buffer
	forever := "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
	c := &console{in: strings.NewReader(""), out: &o, err: &e, env: noVariables, interrupts: signals}
	if code := run(c, []string{"shell", ":memory:", "-e", forever}); code != exitInterrupted || !strings.Contains(e.String(), "interrupted") {
		t.Errorf("code %d, %q", code, e.String())
	}
}

func TestInspect(t *testing.T) {
	dsn := "file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "data"))
	in := `CREATE TABLE t (id BIGINT PRIMARY KEY, n INT); CREATE TABLE r (id INT PRIMARY KEY) COMMENT 'reference';
INSERT INTO t VALUES (1,1),(2,2),(3,3),(4,4),(5,5); INSERT INTO r VALUES (1),(2)`
	if code, _, errs := call(t, in, "shell", dsn+"?shards=2"); code != 0 {
		t.Fatal(errs)
	}
	code, out, errs := call(t, "", "status", dsn)
	for _, want := range []string{"2 shards", "keyspace main", "catalog.db", "  r, reference: 2 rows in every copy", "  t, hash(id): 5 rows, skew 1.60\n    -80  4  ██████████████████████████████\n    80-  1  ███████▌\n", "no transaction is in doubt"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("status: code %d, %q, no %q in\n%s", code, errs, want, out)
		}
	}
	if code, out, errs := call(t, "", "status", dsn, "--format", "csv"); code != 0 || !strings.Contains(out, "main,t,hash(id),-80,4\n") {
		t.Errorf("status as CSV: code %d, %q\n%s", code, errs, out)
	}
	if code, out, errs := call(t, "", "status", dsn, "--format", "json"); code != 0 || !json.Valid([]byte(out)) {
		t.Errorf("status as JSON: code %d, %q\n%s", code, errs, out)
	}
	code, out, errs = call(t, "", "vschema", "show", dsn)
	if code != 0 || !strings.HasPrefix(out, "{") || !strings.Contains(out, `"hash"`) || !strings.Contains(out, `"reference"`) {
		t.Errorf("vschema: code %d, %q\n%s", code, errs, out)
	}
	code, out, errs = call(t, "", "explain", dsn, "SELECT n FROM t WHERE id = ?;", "3")
	if code != 0 || !strings.Contains(out, "pass: the shard's rows are the result\n└─ single_shard on main/") {
		t.Errorf("explain: code %d, %q\n%s", code, errs, out)
	}
	if code, _, errs = call(t, "", "explain", dsn, "SELECT n FROM t WHERE id = ?"); code != 1 || !strings.Contains(errs, "1 parameters") {
		t.Errorf("explain without its argument: code %d, %q", code, errs)
	}
}

func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop & more")
	code, out, errs := call(t, "", "demo", "--rows", "6000", "--dir", dir)
	if code != 0 || errs != "" {
		t.Fatalf("code %d, %s\n%s", code, errs, out)
	}
	for _, want := range []string{
		"  pass: the shard's rows are the result\n  └─ single_shard on main/", "merge: the shards'", "aggregate: the shards'",
		"  └─ unsharded on main/", "query: the gate runs", "100%  6,012 rows", "tenants, hash(id): 12 rows",
		"1 | shop 1 |  975.00", "| 1025.00", "transaction over two shards", "== Done in", "The data stays in",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.ContainsAny(out, "\r\x1b") {
		t.Error("control codes without a terminal")
	}
	dsn := out[strings.LastIndex(out, "shell '")+len("shell '"):]
	dsn = strings.TrimSuffix(strings.TrimSpace(dsn), "'")
	code, out, errs = call(t, "SELECT SUM(credit) AS credit, COUNT(*) AS n FROM tenants", "shell", dsn)
	if want := "  credit |  n\n---------+---\n12000.00 | 12\n"; code != 0 || out != want {
		t.Errorf("the kept data: code %d, %q, %q", code, errs, out)
	}
}

func TestDemoOneShard(t *testing.T) {
	code, out, errs := call(t, "", "demo", "--rows", "1000", "--shards", "1")
	if code != 0 || !strings.Contains(out, "with one shard") {
		t.Fatalf("code %d, %s\n%s", code, errs, out)
	}
	dsn := regexp.MustCompile(`file:([^?"]+)`).FindStringSubmatch(out)
	if _, err := os.Stat(dsn[1]); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dsn[1], err)
	}
}

// TestVindex makes a lookup vindex of rows that are there, damages and repairs it.
func TestVindex(t *testing.T) {
	dsn := "file:" + t.TempDir() + "/d?shards=3&synchronous=off"
	shell := func(script string) {
		t.Helper()
		if code, _, errs := call(t, script, "shell", dsn); code != 0 {
			t.Fatal(errs)
		}
	}
	shell(`CREATE TABLE u (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE by_name (name VARCHAR(20), ksid VARBINARY(20), PRIMARY KEY (name, ksid));
INSERT INTO u VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, NULL);`)
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"vindex create " + dsn + " u names lookup name table=by_name from=name to=ksid", "names of table u is filled and in use", 0},
		{"vindex verify " + dsn + " u names", "4 rows and 3 entries", 0},
	} {
		code, out, errs := call(t, "", strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d %q %q", c.args, code, out, errs)
		}
	}
	shell("DELETE FROM by_name WHERE name = 'b'; INSERT INTO by_name VALUES ('z', x'10');")
	if code, out, errs := call(t, "", "vindex", "verify", dsn, "u", "names"); code != 1 || !strings.Contains(out, "1  entries without a row") ||
		!strings.Contains(errs, "--repair") {
		t.Errorf("damaged: %d %q %q", code, out, errs)
	}
	if code, out, _ := call(t, "", "vindex", "verify", "--repair", dsn, "u", "names"); code != 0 || !strings.Contains(out, "2  repaired") {
		t.Errorf("repaired: %d %q", code, out)
	}
	if code, out, _ := call(t, "", "vindex", "backfill", dsn, "u", "names"); code != 0 {
		t.Errorf("filled again: %d %q", code, out)
	}
}
