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
	head, foot := "-- A dump of vitessdo, for MySQL and vitessdo\nSET NAMES utf8mb4;\nSET sql_mode='NO_AUTO_VALUE_ON_ZERO';\n", "\nSET foreign_key_checks=1;\n"
	var zone string
	if err := ex.tx.QueryRowContext(ctx, "SELECT @@time_zone").Scan(&zone); err != nil {
		return err
	}
	if zone == "UTC" { // MySQL may not know others by their names
		head += "SET time_zone='+00:00';\n"
	}
	head += "SET foreign_key_checks=0;\n"
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
	if def.Collation == "" { // another server may have another one
		def.Charset, def.Collation = "utf8mb4", "utf8mb4_bin"
	}
	return dialect.ShowCreate(def), nil, nil
}

// dumpViews writes the views of the keyspace, those first that others read.
func (ex *exporter) dumpViews(ctx context.Context) error {
	if slices.ContainsFunc(ex.Tables, func(t string) bool { return strings.Contains(t, ".") }) {
		return nil
	}
	names, err := names(ctx, ex.tx, "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY table_name")
	if err != nil {
		return err
	}
	views := map[string]*view{}
	for _, name := range names {
		rows, err := ex.tx.QueryContext(ctx, "SHOW CREATE VIEW "+quote(name))
		if err != nil {
			return err
		}
		text, err := second(rows)
		if err != nil {
			return err
		}
		views[strings.ToLower(name)] = &view{name: name, text: strings.TrimSpace(definer.ReplaceAllString(text, "")), def: viewOf(text)}
	}
	render := func(v *view) (string, error) { return "\n" + v.text + ";\n", nil }
	if ex.Dialect == SQLiteDialect && len(views) > 0 {
		s := &scratch{ex: ex}
		defer s.close()
		render = func(v *view) (string, error) { return s.view(ctx, v) }
	}
	for _, v := range inOrder(names, views) {
		text, err := render(v)
		if err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
		if _, err := ex.w.WriteString(text); err != nil {
			return err
		}
	}
	return nil
}

// view is a view of the keyspace.
type view struct {
	name, text string
	def        *sqlast.CreateView // nil: it isn't understood
}

func viewOf(text string) *sqlast.CreateView {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return nil
	}
	v, _ := st.Stmt.(*sqlast.CreateView)
	return v
}

// reads lists, in lower case, what the view's query names as tables.
func (v *view) reads() (out []string) {
	if v.def != nil {
		sqlast.EachRef(v.def.Query, func(t *sqlast.TableRef) { out = append(out, strings.ToLower(t.Name)) })
	}
	return out
}

// inOrder sorts views so that each comes behind those that it reads.
func inOrder(names []string, views map[string]*view) (out []*view) {
	done := map[string]bool{}
	var put func(name string)
	put = func(name string) {
		v := views[name]
		if v == nil || done[name] {
			return
		}
		done[name] = true
		for _, other := range v.reads() {
			put(other)
		}
		out = append(out, v)
	}
	for _, name := range names {
		put(strings.ToLower(name))
	}
	return out
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
	var names []string
	for _, t := range columns {
		names = append(names, t.Name())
		i.forms = append(i.forms, formOf(t))
	}
	i.head = insertInto(i.name(i.table), names, i.name) + "\n"
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
		text := literal(i.sqlite, i.forms[k], v)
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

// literal writes a value as SQL: SQLite's, or MySQL's.
func literal(sqlite bool, f form, v any) string {
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
	case !sqlite:
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
