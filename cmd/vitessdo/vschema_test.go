package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A VSchema is shown, checked, compared and applied; a lookup vindex that the file
// adds is filled, and what would move rows is refused.
func TestVSchema(t *testing.T) {
	dir := t.TempDir()
	dsn, file := "file:"+filepath.ToSlash(filepath.Join(dir, "d")), filepath.Join(dir, "v.json")
	shell := func(script string) {
		t.Helper()
		if code, _, errs := call(t, script, "shell", dsn+"?shards=3&synchronous=off"); code != 0 {
			t.Fatal(errs)
		}
	}
	shell(`CREATE TABLE u (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE by_name (name VARCHAR(20), ksid VARBINARY(20), PRIMARY KEY (name, ksid));
INSERT INTO u VALUES (1, 'a'), (2, 'b'), (3, 'a');`)
	code, text, errs := call(t, "", "vschema", "show", dsn)
	if code != 0 {
		t.Fatal(errs)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(code int, want string, args ...string) {
		t.Helper()
		got, out, errs := call(t, "", append([]string{"vschema"}, args...)...)
		if got != code || !strings.Contains(out+errs, want) {
			t.Errorf("%v: code %d\n%s%s\nwant code %d, %q", args, got, out, errs, code, want)
		}
	}
	write(text)
	check(0, "they are the same", "diff", dsn, file)
	check(0, "v.json: ok", "check", dsn, file)
	check(0, "nothing changes", "apply", dsn, file)

	more := strings.Replace(text, `"vindexes": {`, `"vindexes": {"names": {"type": "lookup", "params": {"table": "by_name", "from": "name", "to": "ksid"}, "owner": "u"},`, 1)
	i := strings.Index(more, `"u": {`)
	more = more[:i] + strings.Replace(more[i:], "]", `], "name": "hash"}, {"columns": ["name"], "name": "names"}]`+"\x00", 1)
	j := strings.IndexByte(more, 0)
	more = more[:j] + more[j+1+strings.Index(more[j+1:], "]")+1:]
	write(more)
	check(0, "~ main: table u: hash(id) → hash(id), lookup(name)", "diff", dsn, file)
	check(0, `"sign": "+"`, "diff", dsn, file, "--format", "json")
	check(0, "+ main: vindex names: lookup from=name", "apply", dsn, file, "--dry-run")
	check(0, "they are the same", "diff", dsn, dsn)
	check(0, "vindex names of table u is filled and in use", "apply", dsn, file)
	code, out, errs := call(t, "", "explain", dsn, "SELECT id FROM u WHERE name = 'a'")
	if code != 0 || !strings.Contains(out, "lookup on main") {
		t.Errorf("after it: %d %s%s", code, out, errs)
	}

	write(strings.Replace(more, `"id"`, `"name"`, 1))
	check(1, "main.", "apply", dsn, file)
	write(strings.ReplaceAll(text, `"id"`, `"nme"`))
	check(1, `the table has no column "nme"; it has id, name`, "check", dsn, file)
	write("{\n  \"keyspaces\": 5\n}")
	check(1, "v.json:2:", "check", dsn, file)
	check(1, "no such file", "apply", dsn, file+"none")
}
