package plantree

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	_ "github.com/vitessdo/vitessdo"
)

// TestPlans draws the plans of testdata/plans.txt on a database that its exec blocks
// make; -rewrite writes the file anew.
func TestPlans(t *testing.T) {
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
	datadriven.RunTest(t, "testdata/plans.txt", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "exec" {
			if _, err := conn.ExecContext(t.Context(), d.Input); err != nil {
				return err.Error()
			}
			return ""
		}
		p, err := Read(t.Context(), conn, d.Input)
		if err != nil {
			return err.Error()
		}
		var b strings.Builder
		if d.Cmd == "json" {
			err = p.JSON(&b)
		} else {
			err = p.Text(&b, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	})
}
