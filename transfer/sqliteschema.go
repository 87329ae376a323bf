package transfer

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/internal/sqlite"
)

// sqliteSchema is what a SQLite file holds, as far as it can be made here. notes name
// what can't.
type sqliteSchema struct {
	tables []*sqliteTable
	views  []sqliteView
	notes  []string
}

type sqliteView struct{ name, sql string }

type sqliteTable struct {
	name    string
	rowid   string // a name of its row ID; "": it has none
	columns []*sqliteColumn
	primary []string
	auto    bool // the primary key is the row ID
	indexes []sqliteIndex
	keys    []sqliteKey
	rows    int64
}

type sqliteColumn struct {
	name     string
	declared string
	typ      string // in MySQL's words
	notNull  bool
	def      string // DEFAULT, in MySQL's words; "": none
	noCase   bool
	keyed    bool // it is in a key
}

type sqliteIndex struct {
	name    string
	unique  bool
	columns []string
}

type sqliteKey struct {
	columns, refs      []string
	parent             string
	onDelete, onUpdate string
}

func (s *sqliteSchema) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// only leaves one table.
func (s *sqliteSchema) only(name string) error {
	s.tables = slices.DeleteFunc(s.tables, func(t *sqliteTable) bool { return !strings.EqualFold(t.name, name) })
	s.views, s.notes = nil, nil
	if len(s.tables) == 0 {
		return fmt.Errorf("the file has no table %s", name)
	}
	return nil
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// readSchema reads what is in a file, and looks at the rows to tell what columns hold:
// SQLite lets any value into any column.
func readSchema(ctx context.Context, c *sqlite.Conn) (*sqliteSchema, error) {
	s := &sqliteSchema{}
	list, err := c.QueryAll(ctx, `SELECT type, name, sql, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid`)
	if err != nil {
		return nil, err
	}
	kinds, err := c.QueryAll(ctx, `SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'`)
	if err != nil {
		return nil, err
	}
	kind, bare := map[string]string{}, map[string]bool{}
	for _, k := range kinds {
		kind[text(k[0])], bare[text(k[0])] = text(k[1]), k[2] == int64(1)
	}
	for _, r := range list {
		name, sql := text(r[1]), text(r[2])
		switch text(r[0]) {
		case "table":
			switch kind[name] {
			case "virtual":
				s.note("table %s is left out: it is virtual (%.60s)", name, sql)
			case "shadow":
			default:
				t, err := s.table(ctx, c, name, sql, bare[name])
				if err != nil {
					return nil, fmt.Errorf("table %s: %w", name, err)
				}
				s.tables = append(s.tables, t)
			}
		case "view":
			s.views = append(s.views, sqliteView{name, strings.Replace(sql, `"`, "`", -1)})
		case "trigger":
			s.note("trigger %s on table %s is left out: there are no triggers", name, text(r[3]))
		}
	}
	return s, nil
}

var checkWord = regexp.MustCompile(`(?i)\bCHECK\s*\(`)

// table reads a table.
func (s *sqliteSchema) table(ctx context.Context, c *sqlite.Conn, name, sql string, bare bool) (*sqliteTable, error) {
	t := &sqliteTable{name: name}
	if checkWord.MatchString(sql) {
		s.note("table %s: its CHECK constraints are left out", name)
	}
	info, err := c.QueryAll(ctx, `SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid`, name)
	if err != nil {
		return nil, err
	}
	positions := map[string]int64{}
	for _, r := range info {
		col := &sqliteColumn{name: text(r[0]), declared: strings.ToUpper(text(r[1])), notNull: r[2] == int64(1)}
		if r[5] == int64(2) || r[5] == int64(3) {
			s.note("table %s: column %s was generated, and keeps the values that it has", name, col.name)
		}
		if pk, _ := r[4].(int64); pk > 0 {
			t.primary, positions[col.name] = append(t.primary, col.name), pk
			col.keyed = true
		}
		if r[3] != nil {
			s.defaultOf(t, col, text(r[3]))
		}
		t.columns = append(t.columns, col)
	}
	slices.SortFunc(t.primary, func(a, b string) int { return cmp.Compare(positions[a], positions[b]) })
	if !bare {
		for _, n := range []string{"rowid", "_rowid_", "oid"} {
			if t.rowid == "" && t.column(n) == nil {
				t.rowid = n
			}
		}
		if t.rowid == "" {
			return nil, fmt.Errorf("it has columns rowid, _rowid_ and oid, so that its rows can't be told apart")
		}
	}
	t.auto = !bare && len(t.primary) == 1 && t.column(t.primary[0]).declared == "INTEGER"
	if err := s.indexes(ctx, c, t); err != nil {
		return nil, err
	}
	if err := s.foreign(ctx, c, t); err != nil {
		return nil, err
	}
	if len(t.primary) == 0 {
		s.note("table %s has no primary key: its rows all live on the first shard", name)
	}
	return t, s.types(ctx, c, t)
}

func (t *sqliteTable) column(name string) *sqliteColumn {
	for _, c := range t.columns {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

var plainDefault = regexp.MustCompile(`(?i)^(NULL|TRUE|FALSE|[+-]?[0-9]+(\.[0-9]+)?|'([^'\\]|'')*'|CURRENT_TIMESTAMP|CURRENT_DATE)$`)

func (s *sqliteSchema) defaultOf(t *sqliteTable, c *sqliteColumn, def string) {
	if !plainDefault.MatchString(def) {
		s.note("table %s: the default of column %s is left out: %s", t.name, c.name, def)
		return
	}
	if !strings.EqualFold(def, "NULL") {
		c.def = def
	}
}

// indexes reads the keys beside the primary one.
func (s *sqliteSchema) indexes(ctx context.Context, c *sqlite.Conn, t *sqliteTable) error {
	list, err := c.QueryAll(ctx, `SELECT name, "unique", origin, partial FROM pragma_index_list(?1) ORDER BY seq DESC`, t.name)
	if err != nil {
		return err
	}
	for _, r := range list {
		x := sqliteIndex{name: text(r[0]), unique: r[1] == int64(1)}
		parts, err := c.QueryAll(ctx, `SELECT name, coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno`, x.name)
		if err != nil {
			return err
		}
		expression := false
		for _, p := range parts {
			if p[0] == nil {
				expression = true
				continue
			}
			x.columns = append(x.columns, text(p[0]))
			col := t.column(text(p[0]))
			col.keyed, col.noCase = true, col.noCase || strings.EqualFold(text(p[1]), "NOCASE")
		}
		switch {
		case text(r[2]) == "pk":
			continue
		case expression:
			s.note("table %s: index %s is left out: it is on an expression", t.name, x.name)
			continue
		case r[3] == int64(1) && x.unique:
			s.note("table %s: index %s is left out: it is unique for a part of the rows", t.name, x.name)
			continue
		case r[3] == int64(1):
			s.note("table %s: index %s is on all rows, not on a part of them", t.name, x.name)
		}
		x.name = strings.TrimPrefix(x.name, "sqlite_autoindex_")
		t.indexes = append(t.indexes, x)
	}
	return nil
}

func (s *sqliteSchema) foreign(ctx context.Context, c *sqlite.Conn, t *sqliteTable) error {
	rows, err := c.QueryAll(ctx, `SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq`, t.name)
	if err != nil {
		return err
	}
	last := int64(-1)
	for _, r := range rows {
		if id, _ := r[0].(int64); id != last {
			last = id
			t.keys = append(t.keys, sqliteKey{parent: text(r[1]), onUpdate: text(r[4]), onDelete: text(r[5])})
		}
		k := &t.keys[len(t.keys)-1]
		k.columns = append(k.columns, text(r[2]))
		if r[3] != nil {
			k.refs = append(k.refs, text(r[3]))
		}
		t.column(text(r[2])).keyed = true
	}
	for i := range t.keys {
		if len(t.keys[i].refs) > 0 {
			continue
		}
		parent, err := c.QueryAll(ctx, `SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk`, t.keys[i].parent)
		if err != nil {
			return err
		}
		for _, p := range parent {
			t.keys[i].refs = append(t.keys[i].refs, text(p[0]))
		}
	}
	t.keys = slices.DeleteFunc(t.keys, func(k sqliteKey) bool {
		if len(k.refs) == len(k.columns) {
			return false
		}
		s.note("table %s: its foreign key to %s is left out: that has no such columns", t.name, k.parent)
		return true
	})
	return nil
}

// create is the table's CREATE TABLE.
func (t *sqliteTable) create() string {
	var parts []string
	for _, c := range t.columns {
		p := quote(c.name) + " " + c.typ
		if c.noCase && strings.Contains(c.typ, "CHAR") {
			p += " COLLATE utf8mb4_general_ci"
		}
		if c.notNull || slices.Contains(t.primary, c.name) {
			p += " NOT NULL"
		}
		switch {
		case t.auto && c.name == t.primary[0]:
			p += " AUTO_INCREMENT"
		case c.def != "" && c.typ != "LONGTEXT" && c.typ != "LONGBLOB":
			p += " DEFAULT " + c.def
		}
		parts = append(parts, p)
	}
	if len(t.primary) > 0 {
		parts = append(parts, "PRIMARY KEY ("+list(t.primary)+")")
	}
	for _, x := range t.indexes {
		kind := "KEY "
		if x.unique {
			kind = "UNIQUE KEY "
		}
		parts = append(parts, kind+quote(x.name)+" ("+list(x.columns)+")")
	}
	for _, k := range t.keys {
		p := "FOREIGN KEY (" + list(k.columns) + ") REFERENCES " + quote(k.parent) + " (" + list(k.refs) + ")"
		if k.onDelete != "" && k.onDelete != "NO ACTION" {
			p += " ON DELETE " + k.onDelete
		}
		if k.onUpdate != "" && k.onUpdate != "NO ACTION" {
			p += " ON UPDATE " + k.onUpdate
		}
		parts = append(parts, p)
	}
	return "CREATE TABLE " + quote(t.name) + " (\n  " + strings.Join(parts, ",\n  ") + "\n)"
}

func list(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quote(n)
	}
	return strings.Join(out, ", ")
}
