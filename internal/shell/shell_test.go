package shell

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/internal/present"

	_ "github.com/vitessdo/vitessdo"
)

// open gives a shell on four shards in memory, and what it writes.
func open(t *testing.T) (*Shell, *strings.Builder) {
	t.Helper()
	db, err := sql.Open("vitessdo", ":memory:?shards=4")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); _ = db.Close() })
	out := &strings.Builder{}
	return &Shell{DB: db, Conn: conn, Output: present.Output{W: out}, Err: out, Interruptible: func() (context.Context, func() bool) {
		return context.Background(), func() bool { return false }
	}}, out
}

const schema = `CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(20), email VARCHAR(30));
CREATE TABLE orders (user_id BIGINT, id INT, total INT, PRIMARY KEY (user_id, id)) PARTITION BY KEY(user_id);
INSERT INTO users VALUES (1, 'ann', 'a@x'), (2, 'bob', NULL);
`

func TestCommands(t *testing.T) {
	s, out := open(t)
	script := schema + `\f csv
SELECT * FROM users ORDER BY id;
\x
SELECT name FROM users WHERE id = 1;
\f table
\plan SELECT name FROM users
 WHERE id = 1;
\plan on
SELECT COUNT(*) AS n FROM users;
\plan off
\timing on
UPDATE users SET name = 'eve' WHERE id = 2;
\timing
\d users
\shards
\use main/-40
SELECT DATABASE() AS at;
\q
SELECT nothing;`
	if err := s.Script("", strings.NewReader(script)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"id,name,email\n1,ann,a@x\n2,bob,\n", "--- row 1\nname: ann\n", "pass: the shard's rows are the result\n└─ single_shard on main/",
		"plans: on\naggregate: the shards' partial results are put together\n└─ scatter_aggregate on main: -40 40-80 80-c0 c0-\n", "n\n-\n2\nplans: off\n",
		"timing: on\nok, 1 row affected (", "timing: off\n", "PRI", "hash", "main/c0-", "main/-40\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// The first error ends a script and says where its statement begins, unless it is to
// keep going.
func TestScriptErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.sql")
	if err := os.WriteFile(file, []byte("SELECT 1 AS one;\n-- a comment\n\nSELECT\n nothing;\nSELECT 2 AS two;\n\\none\n\\timing perhaps\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, out := open(t)
	err := s.File(file, nil)
	if err == nil || !strings.HasPrefix(err.Error(), file+":4: ") || strings.Contains(out.String(), "two") {
		t.Errorf("%v\n%s", err, out)
	}
	s, out = open(t)
	s.KeepGoing = true
	err = s.File(file, nil)
	if err != nil || !errors.Is(s.Failed(), errFailed) || !strings.Contains(out.String(), "two") || !strings.Contains(out.String(), `there is no command \none`) ||
		!strings.Contains(out.String(), "it may be on or off") {
		t.Errorf("%v\n%s", err, out)
	}
	s, _ = open(t)
	if err := s.Script("", strings.NewReader("SELECT 1;\nSELECT 'no end")); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Error(err)
	}
	if err := s.File(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestCompletion(t *testing.T) {
	s, _ := open(t)
	if err := s.Script("", strings.NewReader(schema)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, rest, want string }{
		{`\sh`, "", `\shards`},
		{`\d us`, "", "users"},
		{`\use main/8`, "", "main/80-c0"},
		{`\f j`, "", "json"},
		{`\plan SELECT COUNT(*) FROM ord`, "", "orders"},
		{"SELECT * FROM ", "", "orders users main"},
		{"SELECT * FROM us", "", "users"},
		{"INSERT INTO o", "", "orders"},
		{"SELECT na", " FROM users", "name natural"},
		{"SELECT ", " FROM users", "id name email"},
		{"SELECT u.", " FROM orders o JOIN users AS u", "u.id u.name u.email"},
		{"SELECT * FROM orders o JOIN users u ON o.us", "", "o.user_id"},
		{"SELECT * FROM main.us", "", "main.users"},
		{"SELECT * FROM orders\n WHERE tot", "", "total"},
		{"sele", "", "select"}, {"SELE", "", "SELECT"},
		{"USE m", "", "main main/-40 main/40-80 main/80-c0 main/c0-"},
		{"SELECT `users`.em", " FROM `users`", "`users`.email"}, {"SELECT * FROM `us", "", "`users`"},
		{"SELECT zz", "", ""},
	} {
		if got := strings.Join(s.offer(c.text, c.rest), " "); got != c.want {
			t.Errorf("%q|%q: %q, want %q", c.text, c.rest, got, c.want)
		}
	}
	// A table that comes is offered, one that goes isn't.
	if err := s.Script("", strings.NewReader("CREATE TABLE usage_log (id INT PRIMARY KEY);\nDROP TABLE users;")); err != nil {
		t.Fatal(err)
	}
	if got := s.offer("SELECT * FROM us", ""); !slices.Equal(got, []string{"usage_log"}) {
		t.Errorf("after DDL: %v", got)
	}
}

func TestKeywordsAreSorted(t *testing.T) {
	if !slices.IsSorted(keywords) {
		t.Error("isKeyword searches them as sorted")
	}
}

func TestComplete(t *testing.T) {
	for text, want := range map[string]bool{"": true, "SELECT 1": false, "SELECT 1;": true, "SELECT 1;\nSELECT": false, "SELECT ';": false, `\h`: true, "quit": true,
		`\plan`: true, `\plan SELECT 1`: false, `\plan SELECT 1;`: true, "/* x": false, "-- only this": true, `SELECT 1\G`: true} {
		if complete(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestOneText(t *testing.T) {
	for text, want := range map[string]string{"SELECT 1;": "SELECT 1;", "SELECT 1 -- one\n FROM t;": "SELECT 1   FROM t;", "SELECT\n1;": "SELECT 1;",
		"SELECT 'a\nb';": "", "SELECT /* x */ '# no';": "SELECT /* x */ '# no';"} {
		if got := oneText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
