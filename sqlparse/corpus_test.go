package sqlparse

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/sqlast"
)

// knownFailures lists the statements of the corpora that don't parse, and why.
var knownFailures = map[string]string{
	"DROP INDEX ix_name": "not MySQL: the table is missing (bun's DropIndex)",
	"SELECT `u`.`id`, `u`.`name`, `u`.`emails`, `u`.`price`, `u`.`created_at`, `u`.`deleted_at`, `u`.`org_id` FROM `busers` AS `u` " +
		"WHERE `u`.`deleted_at` IS NULL AND `u`.`id` IN ()": "not MySQL: IN ()",
	"SELECT * FROM `t` WHERE (((`a` = 1) AND (`b` LIKE BINARY 'x%') AND (`c` IN (1, 2)) AND (`d` IS TRUE)) AND (`e` = 'o\\'\\\\q') AND " +
		"(`f` REGEXP BINARY '^x') AND (`g` LIKE 'z%')) ORDER BY `a` DESC NULLS LAST LIMIT 3 OFFSET 2 FOR UPDATE": "not MySQL: NULLS LAST (goqu)",
	"SELECT `SCHEMA_NAME`, `DEFAULT_CHARACTER_SET_NAME`, `DEFAULT_COLLATION_NAME` from `INFORMATION_SCHEMA`.`SCHEMATA` " +
		"WHERE `SCHEMA_NAME` ? ORDER BY `SCHEMA_NAME`": "an artefact of the recording: %s became ?",
}

// corpus gives the MySQL statements of the checked tables (M: lines, several
// separated by ";;") and those recorded from ORMs and migration tools.
func corpus(tb testing.TB) []string {
	tb.Helper()
	var out []string
	for _, name := range []string{"expr.txt", "stmt.txt", "ddl.txt", "corpus.jsonl"} {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			tb.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := lines.Text()
			if name == "corpus.jsonl" {
				var rec struct{ SQL string }
				if err := json.Unmarshal([]byte(line), &rec); err != nil {
					tb.Fatal(err)
				}
				out = append(out, rec.SQL)
			} else if text, ok := strings.CutPrefix(line, "M: "); ok {
				out = append(out, strings.Split(text, ";;")...)
			}
		}
		f.Close()
	}
	return append(out, atlas(tb)...)
}

// atlas gives the statements of atlas.sql, which separates them by control
// characters.
func atlas(tb testing.TB) []string {
	tb.Helper()
	data, err := os.ReadFile("testdata/atlas.sql")
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, part := range strings.FieldsFunc(string(data), func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
		if part = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), "atlas")); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func TestCorpus(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range corpus(t) {
		st, err := Parse(text, Options{})
		why, known := knownFailures[strings.TrimSpace(text)]
		switch {
		case err != nil && !known:
			t.Errorf("%s\n\t%v", text, err)
		case err == nil && known:
			t.Errorf("%s\n\tparses now; it was known to fail: %s", text, why)
		case err == nil:
			if st.Stmt == nil {
				t.Errorf("%s\n\tno statement", text)
			}
			if _, empty := st.Stmt.(*sqlast.Empty); empty {
				t.Errorf("%s\n\tempty", text)
			}
		}
		seen[strings.TrimSpace(text)] = true
	}
	for text := range knownFailures {
		if !seen[text] {
			t.Errorf("known failure isn't in the corpora: %s", text)
		}
	}
	t.Logf("%d statements", len(seen))
}
