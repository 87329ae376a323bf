package mysql

import (
	"os"
	"strings"
	"testing"
)

// What drivers and tools say by themselves is understood, as text and, where they
// prepare it, prepared.
func TestStatementsOfClients(t *testing.T) {
	c := serve(t, Options{}).conn(t, "")
	script, err := os.ReadFile("testdata/clients.sql")
	must(t, err)
	n := 0
	for query := range strings.SplitSeq(string(script), ";\n") {
		if query = strings.TrimSpace(query); query == "" {
			continue
		}
		n++
		rows, err := c.QueryContext(t.Context(), query)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			_ = rows.Close()
		}
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if st, err := c.PrepareContext(t.Context(), query); err == nil {
			_ = st.Close()
		} else if !strings.Contains(err.Error(), "already exists") {
			t.Errorf("%s, prepared: %v", query, err)
		}
	}
	if n < 50 {
		t.Errorf("%d statements were found", n)
	}
}
