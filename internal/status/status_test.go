package status

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/reshard"
)

// Two keyspaces, tables of every kind, and no directory: what Read finds, and how it
// is told.
func TestStatus(t *testing.T) {
	db, err := sql.Open("vitessdo", ":memory:?shards=2")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, text := range []string{
		"CREATE TABLE users (id BIGINT PRIMARY KEY)", "INSERT INTO users VALUES (1), (2), (3), (4), (5), (6)",
		"CREATE TABLE codes (id INT PRIMARY KEY) COMMENT 'reference'", "INSERT INTO codes VALUES (1), (2)",
		"CREATE TABLE one (id INT PRIMARY KEY) COMMENT 'unsharded'", "INSERT INTO one VALUES (1)",
		"CREATE TABLE empty (id INT PRIMARY KEY)", "CREATE DATABASE crm", "CREATE TABLE crm.c (id INT PRIMARY KEY)",
	} {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	s, err := Read(t.Context(), conn, ":memory:", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Keyspaces) != 2 || len(s.InDoubt) != 0 || s.Files != nil {
		t.Fatalf("%+v", s)
	}
	got := map[string]Table{}
	for _, k := range s.Keyspaces {
		for _, x := range k.Tables {
			got[k.Name+"."+x.Name] = x
			sum := int64(0)
			for _, n := range x.Rows {
				sum += n
			}
			if want := x.Total * map[bool]int64{true: 2, false: 1}[x.Sharding == "reference"]; sum != want {
				t.Errorf("%s: the shards have %v, in all %d", x.Name, x.Rows, x.Total)
			}
		}
	}
	for name, want := range map[string]string{"main.users": "hash(id)", "main.codes": "reference", "main.one": "unsharded", "main.empty": "hash(id)"} {
		if got[name].Sharding != want {
			t.Errorf("%s: %q, want %q", name, got[name].Sharding, want)
		}
	}
	if _, ok := got["crm.c"]; !ok || got["main.users"].Skew < 1 || got["main.empty"].Skew != 0 || got["main.codes"].Skew != 0 {
		t.Errorf("%+v", got)
	}
	var b strings.Builder
	if err := s.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"keyspace crm", "  codes, reference: 2 rows in every copy\n", "  empty, hash(id): 0 rows\n", "█", "no transaction is in doubt\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	var at string
	if err := conn.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&at); err != nil || at != "main" {
		t.Errorf("the connection is at %q, %v", at, err)
	}
}

// A directory has its files elsewhere once it was resharded.
func TestSizes(t *testing.T) {
	dir := t.TempDir()
	read := func(query string) *Status {
		t.Helper()
		db, err := sql.Open("vitessdo", "file:"+dir+query)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s, err := Read(t.Context(), conn, dir, dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(s *Status, shards int) {
		t.Helper()
		if len(s.Keyspaces[0].Shards) != shards || len(s.Files) != 2 {
			t.Errorf("%+v", s)
		}
		for _, x := range s.Keyspaces[0].Shards {
			if x.Bytes <= 0 {
				t.Errorf("shard %s has %d bytes", x.Name, x.Bytes)
			}
		}
	}
	check(read("?shards=2"), 2)
	if _, err := reshard.Run(t.Context(), reshard.Options{Dir: dir, Shards: 3}); err != nil {
		t.Fatal(err)
	}
	check(read(""), 3)
}
