package transfer

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// dump writes tables, rows and views as SQL.
func (ex *exporter) dump(ctx context.Context) error {
	sqlite := ex.Dialect == SQLiteDialect
	head, foot := "-- A dump of vitessdo, for MySQL and vitessdo\nSET NAMES utf8mb4;\nSET foreign_key_checks=0;\n", "\nSET foreign_key_checks=1;\n"
	if sqlite {
		head, foot = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "COMMIT;\n"
	}
	if !ex.out.Resumed {
		_, _ = ex.w.WriteString(head) // the writer keeps its error
	}
	for _, table := range ex.Tables {
		n, err := ex.count(ctx, table)
		if err != nil {
			return err
		}
		ex.now.Total += n
	}
	var indexes []string
	for i, table := range ex.Tables {
		more, err := ex.dumpTable(ctx, i, table)
		if err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
		indexes = append(indexes, more...)
		ex.out.Tables++
	}
	for _, x := range indexes {
		_, _ = ex.w.WriteString(x + ";\n")
	}
	if !ex.NoSchema {
		if err := ex.dumpViews(ctx); err != nil {
			return err
		}
	}
	_, err := ex.w.WriteString(foot)
	return err
}

// dumpTable writes what an interrupted export hasn't of a table, and gives the indexes
// that come last.
func (ex *exporter) dumpTable(ctx context.Context, i int, table string) (indexes []string, err error) {
	columns, err := columnsOf(ctx, ex.tx, table)
	if err != nil {
		return nil, err
	}
	ex.now.What = table
	if !ex.NoSchema {
		text, more, err := ex.tableDefinition(ctx, table)
		if err != nil {
			return nil, err
		}
		indexes = more
		if i > ex.at.Table || i == ex.at.Table && ex.at.After == nil {
			_, _ = ex.w.WriteString("\n" + text + ";\n")
		}
	}
	if ex.NoData || i < ex.at.Table {
		return indexes, nil
	}
	if i > ex.at.Table {
		ex.at.Table, ex.at.After = i, nil
	}
	_, bare := splitName(table)
	return indexes, ex.tableRows(ctx, table, columns, &insertWriter{w: ex.w, table: bare, sqlite: ex.Dialect == SQLiteDialect})
}

// definition reads a table's definition.
func (ex *exporter) definition(ctx context.Context, table string) (*sqlast.TableDef, error) {
	var name, text string
	if err := ex.tx.QueryRowContext(ctx, "SHOW CREATE TABLE "+quoteTable(table)).Scan(&name, &text); err != nil {
		return nil, err
	}
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return nil, err
	}
	made, ok := st.Stmt.(*sqlast.CreateTable)
	if !ok {
		return nil, fmt.Errorf("%.60s is no definition of a table", text)
	}
	return made.Def, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// tableDefinition gives a table's definition in the dump's dialect, and the indexes that
// come last.
func (ex *exporter) tableDefinition(ctx context.Context, table string) (text string, indexes []string, err error) {
	def, err := ex.definition(ctx, table)
	if err != nil {
		return "", nil, err
	}
	if ex.Dialect == SQLiteDialect {
		text, indexes = ex.sqliteDefinition(def)
		return text, indexes, nil
	}
	// MySQL's own partitions forbid foreign keys, and keys without their columns; the
	// comment says the same to vitessdo alone.
	if n := len(def.PartitionKey); n > 0 && !slices.ContainsFunc(def.PartitionKey, func(c string) bool { return !plainName.MatchString(c) }) {
		vindex := "vindex=hash(" + def.PartitionKey[0] + ")"
		if n > 1 {
			vindex = fmt.Sprintf("vindex=multicol(%s) column_count=%d", strings.Join(def.PartitionKey, ", "), n)
		}
		if def.Comment != "" {
			vindex += "; " + def.Comment
		}
		def.Comment, def.PartitionKey = vindex, nil
	}
	return dialect.ShowCreate(def), nil, nil
}

// dumpViews writes the views of the keyspace.
func (ex *exporter) dumpViews(ctx context.Context) error {
	if slices.ContainsFunc(ex.Tables, func(t string) bool { return strings.Contains(t, ".") }) {
		return nil
	}
	views, err := names(ctx, ex.tx, "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY table_name")
	if err != nil {
		return err
	}
	for _, v := range views {
		rows, err := ex.tx.QueryContext(ctx, "SHOW CREATE VIEW "+quote(v))
		if err != nil {
			return err
		}
		text, err := second(rows)
		if err != nil {
			return err
		}
		if ex.Dialect == SQLiteDialect {
			ex.out.Notes = append(ex.out.Notes, "view "+v+" stands as a comment in the dump: it is in MySQL's dialect")
			text = "-- " + strings.ReplaceAll(text, "\n", "\n-- ")
		}
		text = strings.TrimSpace(definer.ReplaceAllString(text, ""))
		if _, err := ex.w.WriteString("\n" + text + ";\n"); err != nil {
			return err
		}
	}
	return nil
}

// second takes the second column of the only row.
func second(rows *sql.Rows) (string, error) {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	to := make([]any, len(columns))
	for i := range to {
		to[i] = new(sql.NullString)
	}
	if !rows.Next() {
		return "", rows.Err()
	}
	if err := rows.Scan(to...); err != nil {
		return "", err
	}
	return to[1].(*sql.NullString).String, rows.Err()
}

// insertWriter writes INSERTs of many rows.
type insertWriter struct {
	w      *bufio.Writer
	table  string
	sqlite bool
	head   string
	forms  []form
	size   int // of the statement that is open; 0: none
}

// statementSize is about how long an INSERT gets: below what any reader takes.
const statementSize = 64 << 10

func (i *insertWriter) name(s string) string {
	if i.sqlite {
		return quoteSQLite(s)
	}
	return quote(s)
}

func (i *insertWriter) begin(columns []*sql.ColumnType, _ bool) error {
	var list []string
	for _, t := range columns {
		list = append(list, i.name(t.Name()))
		i.forms = append(i.forms, formOf(t))
	}
	i.head = "INSERT INTO " + i.name(i.table) + " (" + strings.Join(list, ", ") + ") VALUES\n"
	return nil
}

func (i *insertWriter) row(values []any) error {
	if i.size == 0 {
		_, _ = i.w.WriteString(i.head)
	} else {
		_, _ = i.w.WriteString(",\n")
	}
	for k, v := range values {
		lead := ","
		if k == 0 {
			lead = "("
		}
		text := i.literal(i.forms[k], v)
		i.size += len(text) + 1
		_, _ = i.w.WriteString(lead)
		_, _ = i.w.WriteString(text)
	}
	_ = i.w.WriteByte(')')
	if i.size >= statementSize {
		return i.end()
	}
	return nil
}

func (i *insertWriter) end() error {
	if i.size == 0 {
		return nil
	}
	i.size = 0
	_, err := i.w.WriteString(";\n")
	return err
}

var mysqlEscapes = strings.NewReplacer(`\`, `\\`, "'", "''", "\x00", `\0`, "\n", `\n`, "\r", `\r`, "\x1a", `\Z`)

// literal writes a value as SQL.
func (i *insertWriter) literal(f form, v any) string {
	switch {
	case v == nil:
		return "NULL"
	case f == formBlob:
		return "X'" + hex.EncodeToString(bytesOf(v)) + "'"
	case f == formNumber:
		if x, ok := v.(float64); ok {
			return number(x)
		}
		if text := textOf(v); integerText.MatchString(text) {
			return text
		}
	}
	text := textOf(v)
	switch {
	case !i.sqlite:
		return "'" + mysqlEscapes.Replace(text) + "'"
	case strings.ContainsAny(text, "\x00\r"): // the first ends a text, and shells take the second off lines
		return "CAST(X'" + hex.EncodeToString([]byte(text)) + "' AS TEXT)"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

var integerText = regexp.MustCompile(`^-?[0-9]+$`)

// number writes a double so that it is read as one, and as the same.
func number(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "9e999"
	case math.IsInf(x, -1):
		return "-9e999"
	}
	text := strconv.FormatFloat(x, 'e', -1, 64)
	return text
}

// sqliteDefinition writes a table for SQLite, and its indexes, which come last.
func (ex *exporter) sqliteDefinition(def *sqlast.TableDef) (text string, indexes []string) {
	note := func(format string, args ...any) {
		ex.out.Notes = append(ex.out.Notes, "table "+def.Name+": "+fmt.Sprintf(format, args...))
	}
	var parts []string
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
		if c.DefaultText != "" && !strings.EqualFold(c.DefaultText, "NULL") {
			note("the default of column %s is left out: %s", c.Name, c.DefaultText)
		}
		parts = append(parts, p)
	}
	if pk != nil {
		parts = append(parts, "PRIMARY KEY ("+sqliteList(pk.Columns())+")")
	}
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
	if len(def.Checks) > 0 {
		note("CHECK constraints are left out")
	}
	return "CREATE TABLE " + quoteSQLite(def.Name) + " (\n  " + strings.Join(parts, ",\n  ") + "\n)", indexes
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
	}
	return "TEXT" // DECIMALs too: NUMERIC would round them
}
