package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const adviceSchema = `-- two tables
CREATE TABLE accounts (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20));
CREATE TABLE notes (id BIGINT PRIMARY KEY AUTO_INCREMENT, account_id BIGINT NOT NULL, body TEXT, KEY account (account_id));
INSERT INTO accounts VALUES (1, 'a'), (2, 'b');`

// Advice for a file's tables and for a database's, its VSchema taken by a new database,
// in which the statement goes to one shard.
func TestAdvise(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	log := strings.Repeat("SELECT body FROM notes WHERE account_id = 7\n", 20) + "INSERT INTO notes (account_id, body) VALUES (7, 'x')\n"
	for name, text := range map[string]string{"schema.sql": adviceSchema, "log.sql": log} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := call(t, "", "advise", "--schema", at("schema.sql"), "--shards", "8", "--out", at("v.json"), at("log.sql"))
	for _, want := range []string{"21 statements, 2 of them different, on 8 shards", "notes    | hash(id) | hash(account_id)", "95.2 % before, 0.0 % after"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("code %d, %q, no %q in\n%s", code, errs, want, out)
		}
	}
	dsn := "file:" + filepath.ToSlash(at("new"))
	if code, _, errs := call(t, adviceSchema, "shell", dsn+"?shards=4&vschema="+filepath.ToSlash(at("v.json"))); code != 0 {
		t.Fatal(errs)
	}
	if code, out, errs := call(t, "", "explain", dsn, "SELECT body FROM notes WHERE account_id = 7"); code != 0 || !strings.Contains(out, "single_shard") {
		t.Errorf("code %d, %q\n%s", code, errs, out)
	}
	if code, out, errs := call(t, log, "advise", dsn, "-"); code != 0 || !strings.Contains(out, "best left as they are") {
		t.Errorf("code %d, %q\n%s", code, errs, out)
	}
	old := "file:" + filepath.ToSlash(at("old"))
	if code, _, errs := call(t, adviceSchema, "shell", old+"?shards=4"); code != 0 {
		t.Fatal(errs)
	}
	code, out, errs = call(t, log, "advise", old, "--format", "json", "-")
	var a struct {
		Tables []struct{ Name, After string }
	}
	if err := json.Unmarshal([]byte(out), &a); code != 0 || err != nil || len(a.Tables) != 2 || a.Tables[1].After != "hash(account_id)" {
		t.Errorf("code %d, %q, %v\n%s", code, errs, err, out)
	}
	if code, again, errs := call(t, log, "advise", "--schema", old, "--format", "json", "-"); code != 0 || again != out {
		t.Errorf("--schema %s: code %d, %q\n%s", old, code, errs, again)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{old}, 2, "the log is missing"},
		{[]string{"--shards", "1", old, "-"}, 2, "--shards is 1"},
		{[]string{old, at("none")}, 1, "no such file"},
		{[]string{old, "-"}, 1, "no statements in the log"},
		{[]string{"--schema", at("log.sql"), at("log.sql")}, 1, "no tables"},
	} {
		if code, _, errs := call(t, "", append([]string{"advise"}, c.args...)...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: code %d, %q", c.args, code, errs)
		}
	}
}

func TestBench(t *testing.T) {
	code, out, errs := call(t, "", "bench", ":memory:?shards=3", "--rows", "50", "--workers", "2", "--time", "1ms", "--format", "json")
	var list []map[string]any
	if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil || len(list) != 4 || list[2]["what"] != "transaction over two rows" {
		t.Errorf("code %d, %q, %v\n%s", code, errs, err, out)
	}
	if code, _, errs := call(t, "", "bench", ":memory:", "--time", "0s"); code != 2 || !strings.Contains(errs, "--time is 0s") {
		t.Errorf("code %d, %q", code, errs)
	}
}
