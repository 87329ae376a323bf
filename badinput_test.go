package vitessdo

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestErrorKinds makes every kind of mistake and looks at all that the error
// tells.
func TestErrorKinds(t *testing.T) {
	db := memDB(t, "",
		"CREATE TABLE p (id BIGINT PRIMARY KEY, u INT NOT NULL, n INT, CONSTRAINT small CHECK (n < 100), UNIQUE KEY uid (id, u))",
		"CREATE TABLE c (id BIGINT, p_id BIGINT, PRIMARY KEY (p_id, id), CONSTRAINT to_p FOREIGN KEY (p_id) REFERENCES p (id))",
		"INSERT INTO p VALUES (1, 1, 1), (2, 2, 2)", "INSERT INTO c VALUES (1, 1)")
	for _, tc := range []struct {
		query   string
		code    Code
		number  uint16
		state   string
		parts   string // of the message, separated by |
		at      string // what stands at Position; "" for no position
		table   string
		columns string
	}{
		{"SELEC 1", CodeSyntax, 1064, "42000", "SELEC", "SELEC", "", ""},
		{"SELECT *\nFROM p WHERE", CodeSyntax, 1064, "42000", "", "", "", ""},
		{"SELECT 'open", CodeSyntax, 1064, "42000", "", "'open", "", ""},
		{"SELECT * FROM nix", CodeNoTable, 1146, "42S02", "main.nix|doesn't exist", "nix", "nix", ""},
		{"SELECT p.nix FROM p", CodeNoColumn, 1054, "42S22", "nix", "p.nix", "", ""},
		{"SELECT nix FROM p", CodeNoColumn, 1054, "42S22", "Unknown column 'nix'", "nix", "", ""},
		{"SELECT id\n  , nix\nFROM p", CodeNoColumn, 1054, "42S22", "line 2 column 5", "nix", "", ""},
		{"INSERT INTO p (nix) VALUES (1)", CodeNoColumn, 1054, "42S22", "nix", "", "", ""},
		{"UPDATE p SET nix = 1", CodeNoColumn, 1054, "42S22", "nix", "", "", ""},
		{"INSERT INTO nix VALUES (1)", CodeNoTable, 1146, "42S02", "main.nix", "", "", ""},
		{"UPDATE nix SET a = 1", CodeNoTable, 1146, "42S02", "main.nix", "", "", ""},
		{"DELETE FROM nix", CodeNoTable, 1146, "42S02", "main.nix", "", "", ""},
		{"SELECT id FROM p JOIN c ON p.id = p_id", CodeAmbiguousColumn, 1052, "23000", "id", "id", "", ""},
		{"SELECT nofunction(1)", CodeUnsupported, 0, "", "NOFUNCTION", "", "", ""},
		{"INSERT INTO p VALUES (1)", CodeColumnCount, 1136, "21S01", "", "", "", ""},
		{"INSERT INTO p (id, u) VALUES (5, 5), (6)", CodeColumnCount, 1136, "21S01", "row 2", "", "", ""},
		{"INSERT INTO p VALUES (1, 1, 1)", CodeUnique, 1062, "23000", "Duplicate entry|p", "", "p", "id"},
		{"INSERT INTO p (id, u) VALUES (3, NULL)", CodeNotNull, 1048, "23000", "Column 'u' cannot be null", "", "p", "u"},
		{"INSERT INTO p (id) VALUES (3)", CodeNotNull, 1364, "HY000", "u|default", "", "", ""},
		{"INSERT INTO p VALUES (3, 3, 500)", CodeCheck, 3819, "HY000", "Check constraint 'small' is violated", "", "", ""},
		{"INSERT INTO c VALUES (1, 99)", CodeForeignKey, 1452, "23000", "Cannot add or update a child row", "", "", ""},
		{"DELETE FROM p WHERE id = 1", CodeForeignKey, 1451, "23000", "Cannot delete or update a parent row", "", "", ""},
		{"INSERT INTO p VALUES ('word', 1, 1)", CodeDataType, 1366, "HY000", "", "", "", ""},
		{"SELECT SUM(9223372036854775807) FROM p", "", 0, "", "", "", "", ""},
		{"USE nix", CodeUnknownDatabase, 1049, "42000", "nix|main", "", "", ""},
		{"SELECT * FROM nix.p", "", 0, "", "nix", "", "", ""},
		{"SET nosuch = 1", CodePlan, 1193, "HY000", "nosuch", "", "", ""},
		{"SELECT @@nosuch", CodePlan, 1193, "HY000", "nosuch", "", "", ""},
		{"LOAD DATA INFILE 'x' INTO TABLE p", CodeUnsupported, 1235, "42000", "LOAD DATA", "", "", ""},
		{"GRANT ALL ON *.* TO x", CodeUnsupported, 1235, "42000", "GRANT", "", "", ""},
		{"CREATE TRIGGER t BEFORE INSERT ON p FOR EACH ROW SET NEW.n = 1", "", 0, "", "", "", "", ""},
		{"CALL proc()", CodeUnsupported, 1235, "42000", "CALL", "", "", ""},
		{"SELECT id FROM p GROUP BY n HAVING nix > 1", CodeNoColumn, 1054, "42S22", "nix", "nix", "", ""},
		{"SELECT COUNT(*) FROM p WHERE COUNT(*) > 1", CodePlan, 1111, "", "", "", "", ""},
		{"SELECT (SELECT id, u FROM p)", "", 0, "", "", "", "", ""},
		{"SELECT 1 UNION SELECT 1, 2", "", 0, "", "", "", "", ""},
		{"SELECT * FROM p LIMIT -1", "", 0, "", "", "", "", ""},
		{"ALTER VSCHEMA ADD TABLE nowhere.p", "", 0, "", "", "", "", ""},
		{"ALTER VSCHEMA ON p ADD VINDEX nix (id) USING nosuchvindex", "", 0, "", "nosuchvindex", "", "", ""},
	} {
		_, err := db.Exec(tc.query)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v (%T) is no *Error", tc.query, err, err)
			continue
		}
		if tc.code != "" && e.Code != tc.code || tc.number != 0 && e.Number != tc.number || tc.state != "" && e.SQLState != tc.state {
			t.Errorf("%s: %s %d %s, want %s %d %s (%v)", tc.query, e.Code, e.Number, e.SQLState, tc.code, tc.number, tc.state, err)
		}
		if e.Code == CodeInternal || e.Code == CodeMisuse || e.Number == 0 || len(e.SQLState) != 5 || e.Message == "" {
			t.Errorf("%s: an incomplete error: %s %d %q: %v", tc.query, e.Code, e.Number, e.SQLState, err)
		}
		for part := range strings.SplitSeq(tc.parts, "|") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v doesn't say %q", tc.query, err, part)
			}
		}
		if tc.at != "" && (e.Position < 0 || !strings.HasPrefix(tc.query[max(0, e.Position):], tc.at) || e.Line < 1 || e.Column < 1) {
			t.Errorf("%s: position %d, line %d, column %d; want where %q is", tc.query, e.Position, e.Line, e.Column, tc.at)
		}
		if tc.table != "" && e.Table != tc.table || tc.columns != "" && strings.Join(e.Columns, ",") != tc.columns {
			t.Errorf("%s: table %q, columns %q; want %s, %s", tc.query, e.Table, e.Columns, tc.table, tc.columns)
		}
		if e.Retryable() || e.OutcomeUnknown() || e.Timeout() {
			t.Errorf("%s: a mistake is retryable, unknown or a timeout: %v", tc.query, err)
		}
		want(t, db, "2|1", "SELECT (SELECT COUNT(*) FROM p), (SELECT COUNT(*) FROM c)")
	}
}

// TestSentinels matches errors without looking at their fields.
func TestSentinels(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id BIGINT PRIMARY KEY, v INT NOT NULL, CHECK (v < 9))", "CREATE TABLE c (id BIGINT PRIMARY KEY REFERENCES p (id), FOREIGN KEY (id) REFERENCES p (id))", "INSERT INTO p VALUES (1, 1)")
	for query, want := range map[string]error{
		"INSERT INTO p VALUES (1, 2)": ErrDuplicateKey, "INSERT INTO p VALUES (2, NULL)": ErrNotNull, "INSERT INTO p VALUES (2, 10)": ErrCheck,
		"INSERT INTO c VALUES (5)": ErrForeignKey, "SELECT * FROM x": ErrNoTable, "SELECT x FROM p": ErrNoColumn, "CREATE TABLE p (id INT)": ErrTableExists,
		"SELEC": ErrSyntax, "CALL x()": ErrUnsupported,
	} {
		_, err := db.Exec(query)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v is not %v", query, err, want.(*Error).Code)
		}
		if errors.Is(err, ErrLimit) {
			t.Errorf("%s is ErrLimit", query)
		}
	}
}

// TestErrorsInTransactions: the error comes through every way of running.
func TestErrorsInTransactions(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE p (id BIGINT PRIMARY KEY, v INT NOT NULL)", "INSERT INTO p VALUES (1, 1)")
	st, err := db.Prepare("INSERT INTO p VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	_, err = st.Exec(1, 1)
	wantCode(t, err, CodeUnique, "prepared")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	_, err = tx.Stmt(st).Exec(1, 1)
	wantCode(t, err, CodeUnique, "in a transaction")
	_, err = tx.Query("INSERT INTO p VALUES (1, 1)")
	wantCode(t, err, CodeUnique, "by Query")
	var v int
	wantCode(t, tx.QueryRow("SELECT nix FROM p").Scan(&v), CodeNoColumn, "by QueryRow")
	do(t, tx, "INSERT INTO p VALUES (2, 2)")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want(t, db, "2", "SELECT COUNT(*) FROM p")
}

func TestExplicitVSchema(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.json", `{"sharded": true, "vindexes": {"h": {"type": "hash"}}, "tables": {"t": {"column_vindexes": [{"column": "k", "name": "h"}]}}}`)
	db := memDB(t, "vschema="+good)
	do(t, db, "CREATE TABLE t (id BIGINT, k BIGINT, PRIMARY KEY (k, id))")
	for i := range 20 {
		do(t, db, "INSERT INTO t VALUES (?, ?)", i, i)
	}
	want(t, db, "20", "SELECT COUNT(*) FROM t")
	if s := shardOf(t, db, "SELECT * FROM t WHERE k = 3"); strings.Contains(s, ",") {
		t.Errorf("k routes to %s", s)
	}
	_, err := db.Exec("CREATE TABLE undeclared (id BIGINT PRIMARY KEY)")
	if e := wantCode(t, err, CodeVSchema, "an undeclared table"); !strings.Contains(e.Message, "undeclared") || !strings.Contains(e.Message, "ALTER VSCHEMA") {
		t.Errorf("%v doesn't name the table and the way out", e)
	}
	for name, text := range map[string]string{
		"syntax.json":  `{"sharded": tru`,
		"type.json":    `{"sharded": true, "vindexes": {"h": {"type": "hsah"}}, "tables": {"t": {"column_vindexes": [{"column": "k", "name": "h"}]}}}`,
		"name.json":    `{"sharded": true, "vindexes": {"h": {"type": "hash"}}, "tables": {"t": {"column_vindexes": [{"column": "k", "name": "nix"}]}}}`,
		"nothing.json": ``,
		"list.json":    `[1, 2]`,
	} {
		bad := openDB(t, ":memory:?shards=4&vschema="+write(name, text))
		if e := wantCode(t, bad.Ping(), CodeVSchema, name); !strings.Contains(e.Message, name) {
			t.Errorf("%v doesn't name the file", e)
		}
	}
	gone := openDB(t, ":memory:?vschema="+filepath.Join(dir, "gone.json"))
	if e := wantCode(t, gone.Ping(), CodeVSchema, "a missing file"); !strings.Contains(e.Message, "gone.json") {
		t.Errorf("%v doesn't name the file", e)
	}
}

// TestSecretsInErrors: neither arguments nor tokens nor literals of other
// people's data are in an error's text.
func TestSecretsInErrors(t *testing.T) {
	const secret = "hunter2hunter2"
	db := memDB(t, "", "CREATE TABLE u (id BIGINT PRIMARY KEY, pw VARCHAR(50) NOT NULL, n INT, CONSTRAINT short CHECK (LENGTH(pw) < 20), UNIQUE KEY k (id, pw))", "INSERT INTO u VALUES (1, 'hunter2hunter2', 1)")
	for _, tc := range []struct {
		query string
		args  []any
	}{
		{"INSERT INTO u VALUES (1, ?, 1)", []any{secret}},
		{"INSERT INTO u VALUES (2, ?, 1)", []any{secret + secret}},
		{"INSERT INTO u VALUES (3, ?, ?)", []any{secret, nil, 1}},
		{"UPDATE u SET id = NULL, pw = ?", []any{secret}},
	} {
		_, err := db.Exec(tc.query, tc.args...)
		if err == nil {
			t.Errorf("%s succeeds", tc.query)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the argument is in the error: %v", tc.query, err)
		}
	}
	_, err := sql.Open("vitessdo", "https://host/ks?auth_token="+secret+"&nix=1")
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a DSN's token is in the error: %v", err)
	}
	remote, err := sql.Open("vitessdo", "https://host/ks?auth_token="+secret)
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	if err := remote.Ping(); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a remote server's error: %v", err)
	}
}

func TestLimits(t *testing.T) {
	db := memDB(t, "max_combine_rows=100", "CREATE TABLE t (id BIGINT PRIMARY KEY, g INT)")
	for i := range 300 {
		do(t, db, "INSERT INTO t VALUES (?, ?)", i, i)
	}
	_, err := rowsOf(db, "SELECT a.id FROM t a JOIN t b ON a.g = b.g + 1")
	if e := wantCode(t, err, CodeLimit, "a join above the limit"); !strings.Contains(e.Message, "max_combine_rows") {
		t.Errorf("%v doesn't name the option", e)
	}
	got, err := rowsOf(db, "SELECT id FROM t ORDER BY id")
	if err != nil || len(got) != 300 || !slices.IsSortedFunc(got, func(a, b string) int { return len(a) - len(b) }) {
		t.Errorf("a stream isn't limited: %d rows, %v", len(got), err)
	}
	want(t, db, "300", "SELECT COUNT(*) FROM t")
}
