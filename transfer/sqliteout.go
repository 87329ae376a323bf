package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// sqliteDefinition writes a table for SQLite, and its indexes, which come last. What
// SQLite can't keep is left out, and noted.
func (ex *exporter) sqliteDefinition(def *sqlast.TableDef) (text string, indexes []string) {
	note := func(format string, args ...any) {
		ex.out.Notes = append(ex.out.Notes, "table "+def.Name+": "+fmt.Sprintf(format, args...))
	}
	parts := slices.Concat(sqliteColumns(def, note), sqliteForeignKeys(def, note), sqliteChecks(def, note))
	return "CREATE TABLE " + quoteSQLite(def.Name) + " (\n  " + strings.Join(parts, ",\n  ") + "\n)", sqliteIndexes(def, note)
}

// noting takes notes of what is left out of a table.
type noting func(format string, args ...any)

// sqliteColumns writes the columns, and the primary key behind them.
func sqliteColumns(def *sqlast.TableDef, note noting) (parts []string) {
	pk := def.PrimaryKey()
	for _, c := range def.Columns {
		if c.Generated != nil || c.GeneratedText != "" {
			note("generated column %s is left out", c.Name)
			continue
		}
		p := quoteSQLite(c.Name) + " " + sqliteType(&c.Type)
		if pk != nil && len(pk.Parts) == 1 && strings.EqualFold(pk.Parts[0].Column, c.Name) && c.Type.Class == sqlast.ClassInt {
			p = quoteSQLite(c.Name) + " INTEGER PRIMARY KEY"
			pk = nil
		} else if c.Type.NotNull {
			p += " NOT NULL"
		}
		if c.Type.NoCase {
			p += " COLLATE NOCASE"
		}
		if text, ok := sqliteDefault(c); ok {
			p += text
		} else {
			note("the default of column %s is left out: %s", c.Name, c.DefaultText)
		}
		parts = append(parts, p)
	}
	if pk != nil {
		parts = append(parts, "PRIMARY KEY ("+sqliteList(pk.Columns())+")")
	}
	return parts
}

func sqliteForeignKeys(def *sqlast.TableDef, note noting) (parts []string) {
	for _, fk := range def.ForeignKeys {
		if fk.RefSchema != "" {
			note("foreign key %s is left out: it leads to keyspace %s", fk.Name, fk.RefSchema)
			continue
		}
		p := "FOREIGN KEY (" + sqliteList(fk.Columns) + ") REFERENCES " + quoteSQLite(fk.RefTable) + " (" + sqliteList(fk.RefColumns) + ")"
		if fk.OnDelete != "" {
			p += " ON DELETE " + fk.OnDelete
		}
		if fk.OnUpdate != "" {
			p += " ON UPDATE " + fk.OnUpdate
		}
		parts = append(parts, p)
	}
	return parts
}

func sqliteChecks(def *sqlast.TableDef, note noting) (parts []string) {
	for _, c := range def.Checks {
		switch cond, err := sqliteCheck(def, c); {
		case c.NotEnforced:
			note("CHECK %s is left out, as it isn't enforced", c.Name)
		case err != nil:
			note("CHECK %s is left out: %v", c.Name, err)
		default:
			parts = append(parts, "CONSTRAINT "+quoteSQLite(c.Name)+" CHECK ("+cond+")")
		}
	}
	return parts
}

func sqliteIndexes(def *sqlast.TableDef, note noting) (indexes []string) {
	for _, x := range def.Indexes {
		if x.Kind == sqlast.IndexPrimary {
			continue
		}
		if slices.ContainsFunc(x.Parts, func(p sqlast.IndexPart) bool { return p.Column == "" || p.Length > 0 }) {
			note("key %s is left out: it is on an expression or a prefix", x.Name)
			continue
		}
		kind := "INDEX "
		if x.Kind == sqlast.IndexUnique {
			kind = "UNIQUE INDEX "
		}
		indexes = append(indexes, "CREATE "+kind+quoteSQLite(def.Name+"_"+x.Name)+" ON "+quoteSQLite(def.Name)+" ("+sqliteList(x.Columns())+")")
	}
	return indexes
}

func sqliteList(names []string) string { return strings.Join(quoteAll(names), ", ") }

// sqliteType is a type whose affinity keeps the values as they are.
func sqliteType(t *sqlast.Type) string {
	switch t.Class {
	case sqlast.ClassInt:
		return "INTEGER"
	case sqlast.ClassDouble:
		return "REAL"
	case sqlast.ClassBlob:
		return "BLOB"
	case sqlast.ClassDate:
		return "DATE"
	case sqlast.ClassDateTime:
		return "DATETIME"
	case sqlast.ClassDecimal:
		if 0 < t.Size && t.Size <= sqlast.NumberDigits {
			return fmt.Sprintf("DECIMAL(%d,%d)", t.Size, max(t.Scale, 0))
		}
	}
	return "TEXT" // DECIMALs of more digits too: a number would round them
}

// alike says whether a column's values are in SQLite's file what they are on a shard, so
// that what computes with them there does so here.
func alike(c *sqlast.ColumnDef) bool {
	if c.Generated != nil || c.GeneratedText != "" {
		return false // it isn't there
	}
	switch c.Type.Class {
	case sqlast.ClassInt, sqlast.ClassDouble, sqlast.ClassText, sqlast.ClassBlob, sqlast.ClassDate:
		return true
	case sqlast.ClassDecimal:
		return 0 < c.Type.Size && c.Type.Size <= sqlast.NumberDigits
	case sqlast.ClassDateTime:
		return c.Type.Scale <= 0 // fractions may be written without their last zeros
	}
	return false
}

var sqliteOnly = sqlite.Printer{Plain: &sqlite.Limits{}}

// sqliteDefault writes a column's default; ok is false where SQLite has none like it.
func sqliteDefault(c *sqlast.ColumnDef) (text string, ok bool) {
	if c.Default == nil && c.DefaultText == "" || strings.EqualFold(c.DefaultText, "NULL") {
		return "", true
	}
	switch e := c.Default.(type) {
	case *sqlast.Lit, *sqlast.Unary:
		if !alike(c) || c.Type.Class == sqlast.ClassBlob {
			return "", false
		}
		text, err := sqliteOnly.Expr(e)
		return " DEFAULT " + text, err == nil
	case *sqlast.Func:
		return " DEFAULT CURRENT_TIMESTAMP", alike(c) && c.Type.Class == sqlast.ClassDateTime && strings.HasPrefix(strings.ToUpper(c.DefaultText), "CURRENT_TIMESTAMP")
	}
	return "", false
}

// sqliteCheck writes the condition of a CHECK as the shards of an engine with SQLite's
// own functions have it.
func sqliteCheck(def *sqlast.TableDef, c *sqlast.CheckDef) (string, error) {
	var odd error
	cond := sqlast.CloneExpr(c.Expr)
	sqlast.Walk(cond, func(e sqlast.Expr) bool {
		if col, ok := e.(*sqlast.Col); ok {
			if col.Def = def.Column(col.Name); col.Def == nil || !alike(col.Def) {
				odd = fmt.Errorf("values of column %s are kept otherwise in SQLite", col.Name)
			}
		}
		return true
	})
	if odd != nil {
		return "", odd
	}
	return sqliteOnly.Expr(sqlast.Rewrite(cond, olderLength))
}

// olderLength writes LENGTH so that versions of SQLite before octet_length, which came
// with 3.43, read it.
func olderLength(e sqlast.Expr) sqlast.Expr {
	f, ok := e.(*sqlast.Func)
	if !ok || f.Name != "LENGTH" && f.Name != "OCTET_LENGTH" || len(f.Args) != 1 {
		return e
	}
	return &sqlast.Func{Name: "CHAR_LENGTH", Args: []sqlast.Expr{&sqlast.Cast{X: f.Args[0], To: sqlast.Type{Name: "BINARY", Class: sqlast.ClassBlob, Size: -1, Scale: -1}}}, Pos: f.Pos}
}

// scratch is a database in memory, of one shard that has SQLite's own functions alone,
// with the tables of the dump and no rows. Of a view's query it tells how it reads in
// SQLite.
type scratch struct {
	ex  *exporter
	db  *sql.DB
	odd map[string]error // tables that aren't as on a shard, in lower case
}

func (s *scratch) close() {
	if s.db != nil {
		_ = s.db.Close()
	}
}

func (s *scratch) open(ctx context.Context) (err error) {
	if s.db != nil {
		return nil
	}
	s.odd = map[string]error{}
	if s.db, err = sql.Open("vitessdo", ":memory:?shards=1&engine=plain"); err != nil {
		return err
	}
	for _, table := range s.ex.Tables {
		def, err := s.ex.definition(ctx, table)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(def.Columns, func(c *sqlast.ColumnDef) bool { return !alike(c) }); i >= 0 {
			s.odd[strings.ToLower(table)] = fmt.Errorf("values of column %s of table %s are kept otherwise in SQLite", def.Columns[i].Name, table)
			continue
		}
		def.Checks, def.ForeignKeys, def.PartitionKey, def.Comment = nil, nil, nil, ""
		if _, err := s.db.ExecContext(ctx, dialect.ShowCreate(def)); err != nil {
			s.odd[strings.ToLower(table)] = err
		}
	}
	return nil
}

// view writes a view, as a comment if SQLite can't have it.
func (s *scratch) view(ctx context.Context, v *view) (string, error) {
	if err := s.open(ctx); err != nil {
		return "", err
	}
	query, err := s.render(ctx, v)
	if err != nil {
		s.ex.out.Notes = append(s.ex.out.Notes, fmt.Sprintf("view %s stands as a comment in the dump: %v", v.name, err))
		return "\n-- " + strings.ReplaceAll(v.text, "\n", "\n-- ") + ";\n", nil
	}
	columns, err := names(ctx, s.ex.tx, "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position", v.name)
	if err != nil {
		return "", err
	}
	return "\nCREATE VIEW " + quoteSQLite(v.name) + " (" + sqliteList(columns) + ") AS " + query + ";\n", nil
}

// render gives the view's query in SQLite's dialect: that which a shard alone answers it
// by.
func (s *scratch) render(ctx context.Context, v *view) (query string, err error) {
	if v.def == nil {
		return "", errors.New("its query isn't understood")
	}
	for _, t := range v.reads() {
		if err := s.odd[t]; err != nil {
			return "", err
		}
	}
	rows, err := s.db.QueryContext(ctx, "EXPLAIN FORMAT='vitess' "+v.def.QueryText)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var pieces []map[string]string
	for rows.Next() {
		piece, err := byName(rows)
		if err != nil {
			return "", err
		}
		pieces = append(pieces, piece)
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if len(pieces) != 1 || pieces[0]["combine"] != "pass" || strings.Contains(pieces[0]["query"], "?") {
		return "", errors.New("SQLite's own functions can't compute it as MySQL's do")
	}
	if strings.Contains(pieces[0]["query"], "octet_length(") {
		return "", errors.New("it needs octet_length, which SQLite before 3.43 hasn't; CHAR_LENGTH would do")
	}
	return pieces[0]["query"], nil
}

// byName reads a row of texts.
func byName(rows *sql.Rows) (map[string]string, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range to {
		to[i] = &values[i]
	}
	if err := rows.Scan(to...); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i, c := range columns {
		out[c] = values[i].String
	}
	return out, nil
}
