package info

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// catalogName is the schema that the catalog's tables are in.
const catalogName = "information_schema"

// catalogTable is a table of information_schema: its definition, and what makes
// its rows, a value per column.
type catalogTable struct {
	def  *sqlast.TableDef
	rows func(*request) [][]any
}

// catalog holds the tables by upper-case name; init fills it in, because some
// tables list the others.
var catalog map[string]*catalogTable

// CatalogTable gives the definition of a table of information_schema, without
// regard to the name's case; nil for an unknown one.
func CatalogTable(name string) *sqlast.TableDef {
	if t := catalog[strings.ToUpper(name)]; t != nil {
		return t.def
	}
	return nil
}

// CatalogRows makes rows of a table of information_schema, with the named
// columns. Rows whose values differ from those in only, upper-case names with
// values, may be left out. Values are nil, int64 or string.
func CatalogRows(table string, columns []string, only map[string]string, in Input) ([][]any, error) {
	t := catalog[strings.ToUpper(table)]
	if t == nil {
		return nil, nil
	}
	asked := func(name string) bool { return strings.EqualFold(name, "AUTO_INCREMENT") }
	r := &request{Input: in, show: &sqlast.Show{}, only: only, numbered: slices.ContainsFunc(columns, asked)}
	rows := t.rows(r)
	if r.failed != nil {
		return nil, r.failed
	}
	at := make([]int, len(columns))
	for i, name := range columns {
		at[i] = slices.IndexFunc(t.def.Columns, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
	}
	out := make([][]any, 0, len(rows))
	for _, r := range rows {
		if !t.wanted(r, only) {
			continue
		}
		cut := make([]any, len(at))
		for i, k := range at {
			cut[i] = r[k]
		}
		out = append(out, cut)
	}
	return out, nil
}

// wanted says whether a row may be one that is asked for. Text compares without
// case, so that whatever the query compares by finds its rows.
func (t *catalogTable) wanted(row []any, only map[string]string) bool {
	for i, c := range t.def.Columns {
		want, ok := only[c.Name]
		if s, text := row[i].(string); ok && text && !strings.EqualFold(s, want) {
			return false
		}
	}
	return true
}

// relationWanted is the same before the rows of a table are made.
func (r *request) relationWanted(schema, name string) bool {
	s, ok := r.only["TABLE_SCHEMA"]
	if ok && !strings.EqualFold(s, schema) {
		return false
	}
	n, ok := r.only["TABLE_NAME"]
	return !ok || strings.EqualFold(n, name)
}

// eachRelation visits the tables and views that may be asked for.
func (r *request) eachRelation(f func(ks string, rel relation)) {
	for _, ks := range r.keyspaces() {
		for _, rel := range r.relations(ks) {
			if r.relationWanted(ks, rel.name) {
				f(ks, rel)
			}
		}
	}
}

// define makes a table's definition of a list of columns, each a name and a
// type: s is a name, w a word of a fixed set, l longer text, i a number, t a
// time; with ? the column may be NULL.
func define(name, columns string, rows func(*request) [][]any) *catalogTable {
	def := &sqlast.TableDef{Name: name}
	words := strings.Fields(columns)
	for i := 0; i < len(words); i += 2 {
		kind, nullable := strings.CutSuffix(words[i+1], "?")
		t := sqlast.TypeOf(sqlast.ClassText)
		switch kind {
		case "s":
			t.Name, t.Size, t.NoCase, t.Collation = "VARCHAR", 64, true, "utf8mb3_general_ci"
		case "w":
			t.Name, t.Size, t.NoCase, t.Collation = "VARCHAR", 80, true, "utf8mb3_general_ci"
		case "l":
			t.Name, t.Collation = "LONGTEXT", "utf8mb3_bin"
		case "i":
			t = sqlast.TypeOf(sqlast.ClassInt)
			t.Name = "BIGINT"
		case "t":
			t = sqlast.TypeOf(sqlast.ClassDateTime)
			t.Name, t.Scale = "TIMESTAMP", 0
		}
		t.NotNull = !nullable
		def.Columns = append(def.Columns, &sqlast.ColumnDef{Name: words[i], Type: t, Pos: len(def.Columns)})
	}
	return &catalogTable{def: def, rows: rows}
}

// noRows is for what doesn't exist here.
func noRows(*request) [][]any { return nil }

func init() {
	catalog = map[string]*catalogTable{}
	for _, t := range append(filledTables(), emptyTables()...) {
		catalog[t.def.Name] = t
	}
}
