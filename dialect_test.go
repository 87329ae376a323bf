package vitessdo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// TestDialectOption: a dialect that no package has registered is an error that says
// which to import.
func TestDialectOption(t *testing.T) {
	for dsn, want := range map[string]string{
		":memory:?dialect=mysql":                                 "",
		":memory:?dialect=postgres":                              `import _ "github.com/vitessdo/vitessdo/front/postgres"`,
		":memory:?dialect=klingon":                               "there is no dialect",
		":memory:?dialect=a%20b":                                 "invalid value",
		":memory:?dialect=shouting&sql_mode=PIPES_AS_CONCAT":     "sql_mode=PIPES_AS_CONCAT is about MySQL's dialect",
		":memory:?shards=2&dialect=SHOUTING":                     "",
		":memory:?dialect=postgres&sql_mode=ANSI_QUOTES&loc=UTC": "front/postgres",
	} {
		cfg, err := ParseDSN(dsn)
		if err == nil {
			_, err = NewConnector(cfg)
		}
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", dsn, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v; want %s", dsn, err, want)
		}
	}
}

// shouting is MySQL's language with an exclamation mark behind each statement.
func init() {
	RegisterDialect("shouting", Dialect{
		Parse: func(text string) (*sqlast.Statement, error) {
			if !strings.HasSuffix(text, "!") {
				return nil, nil
			}
			return sqlparse.Parse(strings.TrimSuffix(text, "!"), sqlparse.Options{})
		},
		Split:    func(text string) ([]string, error) { return strings.SplitAfter(text, "!"), nil },
		Booleans: true,
		TypeName: func(*sqlast.Type) string { return "LOUD" },
		SQLState: func(e *Error) string { return map[Code]string{CodeUnique: "HEY!!"}[e.Code] },
	})
}

// TestDialect: statements go through a registered front end, and what it says of
// results and errors holds.
func TestDialect(t *testing.T) {
	db := openDB(t, ":memory:?shards=4&dialect=shouting&multi_statements=true")
	do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, ok BOOL)!")
	do(t, db, "INSERT INTO t VALUES (1, TRUE)!INSERT INTO t VALUES (2, FALSE)!")
	var ok, more any
	if err := db.QueryRow("SELECT ok, id > ? FROM t WHERE id = 2!", 1).Scan(&ok, &more); err != nil || ok != false || more != true {
		t.Error(ok, more, err)
	}
	rows, err := db.Query("SELECT id FROM t")
	if err != nil {
		t.Fatal(err)
	}
	types, err := rows.ColumnTypes()
	if err != nil || types[0].DatabaseTypeName() != "LOUD" {
		t.Error(types, err)
	}
	_ = rows.Close()
	if e := mustFail(t, db, CodeUnique, "INSERT INTO t VALUES (1, TRUE)!"); e.SQLState != "HEY!!" {
		t.Error(e.SQLState)
	}
	mustAffect(t, db, 1, "UPDATE t SET ok = TRUE WHERE id = 1!") // a row that is met counts
}

// TestRegisterDialect: names are taken once, and MySQL's is the driver's own.
func TestRegisterDialect(t *testing.T) {
	d := Dialect{Parse: func(string) (*sqlast.Statement, error) { return nil, nil }, Split: func(string) ([]string, error) { return nil, nil }}
	for name, d := range map[string]Dialect{"": d, "mysql": d, "shouting": d, "halfway": {Parse: d.Parse}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was registered", name)
				}
			}()
			RegisterDialect(name, d)
		}()
	}
}

// TestSetDialect: a connection chooses its dialect by SET, one after the other, and is
// reset with it; prepared statements stay in theirs, and plans of one dialect's texts
// are no other's.
func TestSetDialect(t *testing.T) {
	db := openDB(t, ":memory:?shards=2")
	do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, ok BOOL)")
	do(t, db, "INSERT INTO t VALUES (1, TRUE)")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	value := func(query string, want any) {
		t.Helper()
		var got any
		if err := conn.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s gave %v %v; want %v", query, got, err, want)
		}
	}
	set := func(name, want string) {
		t.Helper()
		_, err := conn.ExecContext(t.Context(), "SET vitess_dialect = "+name)
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
	const text = "SELECT ok FROM t WHERE id = 1"
	value(text, int64(1))
	before, err := conn.PrepareContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	set("'SHOUTING'", "")
	value("SELECT @@vitess_dialect!", "shouting")
	value(text, true)
	value(text+"!", true)
	var still any
	if err := before.QueryRow().Scan(&still); err != nil || still != int64(1) {
		t.Error("a statement changed its dialect", still, err)
	}
	value(text, true)
	set("'klingon'", `can't be set: there is no dialect "klingon" in this program, which knows mysql, shouting`)
	set("'postgres'", `which knows mysql, shouting: import _ "github.com/vitessdo/vitessdo/front/postgres"`)
	set("NULL", "can't be set to the value of 'NULL'")
	set("'mysql', autocommit = 'what is this', nonsense = 1", "unknown system variable")
	value("SELECT @@vitess_dialect", "shouting")
	set("DEFAULT", "")
	value(text, int64(1))
	set("shouting", "")
	_ = conn.Close()
	if conn, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	value("SELECT @@vitess_dialect", "mysql")
	value(text, int64(1))
}
