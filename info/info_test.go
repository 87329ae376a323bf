package info

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/vschema"
)

// TestAnswers runs testdata: "ddl" makes a schema change, "ask" prints the
// answer to SHOW or DESCRIBE, "catalog" a table of information_schema.
func TestAnswers(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		v, err := vschema.New().WithKeyspace(&vschema.Keyspace{Name: "shop", Sharded: true, Auto: true})
		if err != nil {
			t.Fatal(err)
		}
		in := Input{
			Schema: (*schema.Schema)(nil).With(1), VSchema: v, Keyspace: "shop",
			Shards: []Shard{{"shop", "-80"}, {"shop", "80-"}, {"plain", "-"}},
			Variables: func(global bool) []Variable {
				return []Variable{{"version", "8.0.40-vitessdo"}, {"autocommit", "ON"}, {"lower_case_table_names", "0"},
					{"scope", map[bool]string{true: "global", false: "session"}[global]}}
			},
			Warnings: []Warning{{"Warning", 1051, "unknown table"}, {"Error", 1064, "syntax"}},
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "catalog" {
				return catalogText(t, d.Input, in)
			}
			st, err := sqlparse.Parse(d.Input, sqlparse.Options{})
			if err != nil {
				return "does not parse: " + err.Error() + "\n"
			}
			if d.Cmd == "ddl" {
				c, err := ddl.Plan(st.Stmt, in.Schema, in.VSchema, ddl.Options{Keyspace: "shop", Shards: map[string]int{"shop": 2}})
				if err != nil {
					t.Fatalf("%s: %v", d.Pos, err)
				}
				in.Schema = in.Schema.With(in.Schema.Version+1, c.Schema...)
				if c.VSchema != nil {
					in.VSchema = c.VSchema
				}
				return ""
			}
			var columns []string
			var rows [][]any
			switch stmt := st.Stmt.(type) {
			case *sqlast.Show:
				columns, rows, err = Answer(stmt, in)
			case *sqlast.Explain:
				columns, rows, err = Describe(stmt.Table, stmt.Column, in)
			default:
				t.Fatalf("%s: %T", d.Pos, st.Stmt)
			}
			if err != nil {
				return fmt.Sprintf("error %d: %s\n", err.(*Error).Number, err)
			}
			return table(t, columns, rows)
		})
	})
}

// catalogText prints the rows of a table of information_schema that are about
// keyspace shop, a row a line with the columns that aren't NULL.
func catalogText(t *testing.T, name string, in Input) string {
	var columns []string
	for _, c := range CatalogTable(name).Columns {
		columns = append(columns, c.Name)
	}
	var b strings.Builder
	only := map[string]string{"TABLE_SCHEMA": "SHOP", "CONSTRAINT_SCHEMA": "shop"}
	rows, err := CatalogRows(name, columns, only, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		var cells []string
		for i, v := range r {
			if v != nil {
				cells = append(cells, fmt.Sprintf("%s=%v", strings.ToLower(columns[i]), v))
			}
		}
		b.WriteString(strings.Join(cells, " ") + "\n")
	}
	return b.String()
}

// TestCatalogKeepsToItsColumns: every row has the values that the table's
// columns promise.
func TestCatalogKeepsToItsColumns(t *testing.T) {
	in := Input{Schema: (*schema.Schema)(nil).With(1), VSchema: vschema.New(), Keyspace: "k", Shards: []Shard{{"k", "-"}}}
	for name, c := range catalog {
		if c.def.Name != name {
			t.Errorf("table %s is called %s", name, c.def.Name)
		}
		var columns []string
		for _, col := range c.def.Columns {
			if columns = append(columns, col.Name); col.Type.Name == "" {
				t.Errorf("%s.%s has no type", name, col.Name)
			}
		}
		rows, err := CatalogRows(name, columns, nil, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			for i, v := range r {
				isInt := false
				if _, isInt = v.(int64); v == nil && c.def.Columns[i].Type.NotNull || v != nil && isInt != (c.def.Columns[i].Type.Class == sqlast.ClassInt) {
					t.Errorf("%s.%s is %v, a %T", name, columns[i], v, v)
				}
			}
		}
	}
}

func table(t *testing.T, columns []string, rows [][]any) string {
	var b strings.Builder
	b.WriteString(strings.Join(columns, " | ") + "\n")
	for _, r := range rows {
		if len(r) != len(columns) {
			t.Errorf("%d values in a row of %d columns: %v", len(r), len(columns), r)
		}
		for i, v := range r {
			if i > 0 {
				b.WriteString(" | ")
			}
			switch v := v.(type) {
			case nil:
				b.WriteString("NULL")
			case int64, string:
				b.WriteString(strings.ReplaceAll(fmt.Sprint(v), "\n", "\n    "))
			default:
				t.Errorf("value of type %T in %v", v, r)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestEveryAnswerHasItsColumns(t *testing.T) {
	in := Input{Schema: (*schema.Schema)(nil).With(1), VSchema: vschema.New(), Keyspace: "k", Shards: []Shard{{"k", "-"}}}
	for what := range answers {
		columns, rows, err := Answer(&sqlast.Show{What: what, Name: "k", Schema: "k"}, in)
		if err != nil {
			if _, typed := err.(*Error); !typed {
				t.Errorf("SHOW %s: error %T %v", what, err, err)
			}
			continue
		}
		for _, r := range rows {
			if len(r) != len(columns) {
				t.Errorf("SHOW %s: %d values for %d columns", what, len(r), len(columns))
			}
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"", "", true}, {"", "%", true}, {"a", "", false}, {"abc", "abc", true}, {"ABC", "a_c", true},
		{"abc", "a%", true}, {"abc", "%c", true}, {"abc", "%b%", true}, {"abc", "%d%", false}, {"aXbXc", "a%b%c", true},
		{"user_id", `user\_id`, true}, {"userxid", `user\_id`, false}, {"50%", `50\%`, true}, {"500", `50\%`, false},
		{"éa", "_a", true}, {"mississippi", "%iss%ip%", true}, {"mississippi", "%iss%xip%", false}, {"aaa", "%aaaa", false},
	} {
		if got := Like(c.text, c.pattern); got != c.want {
			t.Errorf("%q LIKE %q is %v", c.text, c.pattern, got)
		}
	}
}

func TestTypeText(t *testing.T) {
	for sql, want := range map[string]string{
		"TINYINT(1)": "tinyint(1)", "BOOL": "tinyint(1)", "TINYINT": "tinyint", "TINYINT UNSIGNED": "tinyint unsigned",
		"SMALLINT(5)": "smallint", "INT(11)": "int", "INT(10) UNSIGNED": "int unsigned", "INT(5) ZEROFILL": "int(5) unsigned zerofill",
		"BIGINT(20) UNSIGNED": "bigint unsigned", "DECIMAL": "decimal(10,0)", "DECIMAL(12)": "decimal(12,0)", "NUMERIC(12,3)": "decimal(12,3)",
		"FLOAT": "float", "DOUBLE": "double", "FLOAT(7,2)": "float(7,2)", "CHAR": "char(1)", "CHAR(3)": "char(3)", "VARCHAR(50)": "varchar(50)",
		"TEXT": "text", "LONGTEXT": "longtext", "BLOB": "blob", "BINARY": "binary(1)", "VARBINARY(16)": "varbinary(16)", "BIT": "bit(1)", "BIT(8)": "bit(8)",
		"DATE": "date", "DATETIME": "datetime", "DATETIME(6)": "datetime(6)", "TIMESTAMP(3)": "timestamp(3)", "TIME": "time", "YEAR": "year", "JSON": "json",
		"ENUM('a','b''c')": "enum('a','b''c')", "SET('x','y')": "set('x','y')",
	} {
		st, err := sqlparse.Parse("CREATE TABLE t (c "+sql+")", sqlparse.Options{})
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if got := TypeText(st.Stmt.(*sqlast.CreateTable).Def.Columns[0].Type); got != want {
			t.Errorf("%s is printed as %q, want %q", sql, got, want)
		}
	}
}
