package vschemadiff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/vschema"
)

const before = `{"keyspaces": {"shop": {
  "sharded": true,
  "vindexes": {"hash": {"type": "hash"}, "old": {"type": "xxhash"}},
  "tables": {
    "users": {"column_vindexes": [{"column": "id", "name": "hash"}]},
    "orders": {"column_vindexes": [{"column": "id", "name": "hash"}]},
    "gone": {"column_vindexes": [{"column": "id", "name": "old"}]}
  }
}}}`

const after = `{"keyspaces": {"shop": {
  "sharded": true,
  "vindexes": {
    "hash": {"type": "hash"},
    "by_email": {"type": "lookup_unique", "params": {"table": "users_email", "from": "email", "to": "ksid"}, "owner": "users"}
  },
  "tables": {
    "users": {"column_vindexes": [{"column": "id", "name": "hash"}, {"column": "email", "name": "by_email"}]},
    "orders": {
      "column_vindexes": [{"column": "user_id", "name": "hash"}]
    },
    "users_email": {"column_vindexes": [{"column": "email", "name": "hash"}]}
  }
}, "crm": {}}}`

func parse(t *testing.T, text string) *vschema.VSchema {
	t.Helper()
	v, err := Parse([]byte(text), "shop")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDiff(t *testing.T) {
	var got []string
	for _, c := range Diff(parse(t, before), parse(t, after)) {
		line := c.String()
		if c.Table != "" {
			line += " (moves rows of " + c.Table + ")"
		}
		got = append(got, line)
	}
	want := `+ crm: keyspace: unsharded
+ shop: vindex by_email: lookup_unique from=email table=users_email to=ksid owner=users
- shop: vindex old: xxhash
- shop: table gone: xxhash(id)
~ shop: table orders: hash(id) → hash(user_id) (moves rows of orders)
~ shop: table users: hash(id) → hash(id), lookup_unique(email)
+ shop: table users_email: hash(email)`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	if same := Diff(parse(t, after), parse(t, after)); len(same) > 0 {
		t.Error(same)
	}
}

func TestCheck(t *testing.T) {
	have := Columns{"shop": {"users": {"id", "mail"}, "orders": {"id", "user_id"}, "extra": {"id"}}}
	var got []string
	for _, f := range Check([]byte(after), parse(t, after), parse(t, before), have) {
		got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Text))
	}
	want := `14:4 keyspaces.crm: there is no such keyspace
9:5 keyspaces.shop.tables.orders: the table is sharded by hash(id), and the file says hash(user_id): its rows would have to move
8:15 keyspaces.shop.tables.users.column_vindexes: the table has no column "email"; it has id, mail
12:5 keyspaces.shop.tables.users_email: there is no such table yet
1:16 keyspaces.shop: table extra isn't declared`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}

func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"keyspaces\": {\"a\": {\"shardd\": true}}\n}": "2:",
		"{\n\n,}": "3:1 ",
		"{\"keyspaces\": {\"a\": {\"sharded\": true, \"tables\":\n {\"t\": {\"column_vindexes\": [{\"column\": \"id\", \"name\": \"none\"}]}}}}}": "2:",
		"{\"sharded\": true,\n \"tables\": {\"t\": 5}}": "2:",
	} {
		_, err := Parse([]byte(text), "shop")
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		f := Syntax([]byte(text), err)
		if got := fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Text); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
