package route_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// statements gives the statements of the golden scripts.
func statements(t testing.TB) []string {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	var out []string
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		next := false
		for sc := bufio.NewScanner(f); sc.Scan(); {
			if next {
				out = append(out, sc.Text())
			}
			next = strings.HasPrefix(sc.Text(), "plan") || strings.HasPrefix(sc.Text(), "explain")
		}
		_ = f.Close()
	}
	return out
}

// Any statement that parses is planned, or refused with an error, and its plan
// can be explained.
func FuzzPlan(f *testing.F) {
	for _, s := range statements(f) {
		f.Add(s)
	}
	w := newWorld()
	w.keyspace(f, "shop", 4, true, "", shopTables)
	w.keyspace(f, "main", 1, false, "", "CREATE TABLE plain (id BIGINT PRIMARY KEY, v INT)")
	f.Fuzz(func(t *testing.T, text string) {
		for _, tweak := range []func(sqlast.Stmt){nil, forceQuery} {
			st, err := sqlparse.Parse(text, sqlparse.Options{})
			if err != nil {
				return
			}
			switch st.Stmt.(type) {
			case sqlast.Query, *sqlast.Insert, *sqlast.Update, *sqlast.Delete:
			default:
				return
			}
			if tweak != nil {
				tweak(st.Stmt)
			}
			p, err := planTree(w.many.env("shop"), st)
			if err != nil {
				errorText(t, err)
				continue
			}
			args := make([]any, p.Params.User+len(p.Params.Computed))
			_, _ = p.Explain(w.many.cluster.ShardMap, args)
		}
	})
}
