package vitessdo

import (
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program that has VITESSDO_STATEMENTS set leaves its statements in that file, those
// of all its databases, and none of the driver's own.
func TestStatementFile(t *testing.T) {
	if os.Getenv(StatementsVariable) != "" { // this is the program
		for _, dsn := range []string{":memory:?shards=2", ":memory:"} {
			db, err := sql.Open("vitessdo", dsn)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"CREATE TABLE t (id INT PRIMARY KEY, email VARCHAR(9) UNIQUE)", "INSERT INTO t VALUES (1, 'a')"} {
				if _, err := db.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			var n int
			if err := db.QueryRow("SELECT COUNT(*) FROM t WHERE id = ?", 7).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	file := filepath.Join(t.TempDir(), "statements.jsonl")
	cmd := exec.Command(os.Args[0], "-test.run", "^TestStatementFile$")
	cmd.Env = append(os.Environ(), StatementsVariable+"="+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		var entry struct{ SQL string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		got = append(got, entry.SQL[:6])
	}
	if want := "CREATE INSERT SELECT CREATE INSERT SELECT"; strings.Join(got, " ") != want {
		t.Errorf("the file has %q, want %q", got, want)
	}
}
