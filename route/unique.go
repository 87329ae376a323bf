package route

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// uniqueEffects keeps the entries of a table's unique keys that no shard can keep
// by itself: for each row whose key has no NULL, one row of the key's hidden
// table, on the shard that the key's own columns say, where that table's primary
// key decides whether the key is taken.
func (b *binder) uniqueEffects(l *effectList) {
	pv := l.src.vt.Primary()
	if pv == nil {
		return
	}
	for _, x := range l.src.def.Indexes {
		hidden := b.env.Schema.Unique(l.src.keyspace, l.src.def.Name, x)
		if hidden == nil {
			continue
		}
		if !l.concerns(OnInsert|OnUpdate|OnDelete, append(l.src.def.GivenByKey(x), pv.Columns...)...) {
			continue
		}
		was, is := l.keyArgs(false, x, hidden), l.keyArgs(true, x, hidden)
		watch := l.columns(pv.Columns...)
		for _, a := range was {
			watch = append(watch, a.At)
		}
		table := sqlName(l.src.keyspace, hidden.Name)
		columns := keyColumns(len(x.Parts))
		l.add(Effect{Name: x.Name, On: OnUpdate | OnDelete, Watch: watch, Keyspace: l.src.keyspace,
			Head: "DELETE FROM " + table + " WHERE " + rowOf(columns) + " IN (", Row: rowOf(marks(len(was))), Tail: ")",
			Args: was, SkipNull: true, Before: true})
		l.add(Effect{Name: x.Name, On: OnInsert | OnUpdate, Watch: watch, Keyspace: l.src.keyspace,
			Head: "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ", " + schema.KeyspaceIDColumn + ") VALUES ",
			Row:  "(" + strings.Join(marks(len(is)+1), ", ") + ")",
			Args: append(is, l.keyspaceID(pv, true)), SkipNull: true, Key: true, Before: true,
			Judge: JudgeUnique, Fail: duplicate(l.src.def, x)})
	}
}

// keyArgs gives what a key has of a row before or after the write.
func (l *effectList) keyArgs(isNew bool, x *sqlast.IndexDef, hidden *sqlast.TableDef) []EffectArg {
	out := make([]EffectArg, len(x.Parts))
	for i, p := range x.Parts {
		out[i] = EffectArg{At: l.part(p, hidden.Columns[i].Type), New: isNew, Prefix: p.Length}
	}
	return out
}

// Value gives an argument's value, which is no keyspace ID, of a row's columns.
func (e *Effects) Value(a *EffectArg, row []any) (any, error) {
	if a.Prefix == 0 {
		return row[a.At], nil
	}
	return prefixOf(row[a.At], a.Prefix, &e.Columns[a.At].Type)
}

// prefixOf cuts a column's value to n characters, or bytes where it is binary.
func prefixOf(v any, n int, t *sqlast.Type) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case []byte:
		return x[:min(n, len(x))], nil
	case string:
		if t.Class == sqlast.ClassBlob {
			return []byte(x[:min(n, len(x))]), nil
		}
		for at := range x {
			if n == 0 {
				return x[:at], nil
			}
			n--
		}
		return x, nil
	}
	// A number that the column keeps as text.
	text, err := vindex.Canonical(v, vindex.Column{Affinity: vindex.Text})
	if s, ok := text.(string); ok && err == nil {
		return prefixOf(s, n, t)
	}
	return text, err
}

// PrefixSQL is what a key on a column's first n characters has of an operand, as
// the shards' engine spells it.
func PrefixSQL(operand string, n int, t *sqlast.Type) string {
	if t.Class == sqlast.ClassBlob {
		operand = "CAST(" + operand + " AS BLOB)"
	}
	text := "substr(" + operand + ", 1, " + strconv.Itoa(n) + ")"
	if t.NoCase {
		text += " COLLATE NOCASE"
	}
	return text
}

func keyColumns(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = schema.KeyColumn(i)
	}
	return out
}

func marks(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "?"
	}
	return out
}

// rowOf writes one item bare, several as a row.
func rowOf(items []string) string {
	if len(items) == 1 {
		return items[0]
	}
	return "(" + strings.Join(items, ", ") + ")"
}

func duplicate(def *sqlast.TableDef, x *sqlast.IndexDef) func([]any) error {
	return func(values []any) error { return DuplicateEntry(def, x, values) }
}

// DuplicateEntry is the error of a unique key that is taken, in MySQL's words.
// values begin with those of the key, or are nil when they aren't known.
func DuplicateEntry(def *sqlast.TableDef, x *sqlast.IndexDef, values []any) error {
	e := &Error{Code: CodeDuplicate, Pos: -1, Table: def.Name, Key: x.Name, Columns: x.Columns()}
	entry := ""
	if len(values) >= len(x.Parts) {
		parts := make([]string, len(x.Parts))
		for i, v := range values[:len(x.Parts)] {
			parts[i] = KeyText(def.Column(x.Parts[i].Column), v)
		}
		entry = "'" + strings.Join(parts, "-") + "' "
	}
	e.Message = "Duplicate entry " + entry + "for key '" + def.Name + "." + x.Name + "'"
	return e
}

// KeyText spells a key's value as the error of a duplicate shows it.
func KeyText(c *sqlast.ColumnDef, v any) string {
	b, ok := v.([]byte)
	if !ok {
		return fmt.Sprint(v)
	}
	if c != nil && c.Type.Keyed() {
		if d, ok := decimal.FromKey(b); ok {
			return d.Text(max(c.Type.Scale, 0))
		}
	}
	if d, ok := decimal.FromKey(b); ok && c == nil {
		return d.String() // of an expression
	}
	return string(b)
}
