package info

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// definite is the name of the catalog that MySQL has all schemas in.
const definite = "def"

func (r *request) schemataRows() [][]any {
	var out [][]any
	for _, name := range append(r.keyspaces(), catalogName) {
		charset, collation := "utf8mb4", defaultCollation
		if name == catalogName {
			charset, collation = "utf8mb3", "utf8mb3_general_ci"
		}
		out = append(out, []any{definite, name, charset, collation, nil, "NO"})
	}
	return out
}

func (r *request) tablesRows() [][]any {
	var out [][]any
	r.eachRelation(func(ks string, rel relation) {
		row := []any{definite, ks, rel.name, "VIEW"}
		if rel.view != nil {
			row = append(row, make([]any, 16)...)
			out = append(out, append(row, "VIEW"))
			return
		}
		row[3] = "BASE TABLE"
		out = append(out, append(row, r.statusOf(ks, rel.table)...))
	})
	r.eachCatalogTable(func(t *catalogTable) {
		row := append([]any{definite, catalogName, t.def.Name, "SYSTEM VIEW", nil, int64(10)}, make([]any, 14)...)
		out = append(out, append(row, ""))
	})
	return out
}

// eachCatalogTable visits the tables of information_schema that may be asked
// for, by name.
func (r *request) eachCatalogTable(f func(*catalogTable)) {
	for _, name := range slices.Sorted(maps.Keys(catalog)) {
		if r.relationWanted(catalogName, name) {
			f(catalog[name])
		}
	}
}

func (r *request) columnsRows() [][]any {
	var out [][]any
	r.eachRelation(func(ks string, rel relation) {
		cols, err := r.columnsIn(ks, rel)
		if err != nil {
			return // a view on what is gone has no columns
		}
		for i, c := range cols {
			key := ""
			if rel.table != nil {
				key = keyOf(rel.table, c)
			}
			out = append(out, columnRow(ks, rel.name, i, c, key))
		}
	})
	r.eachCatalogTable(func(t *catalogTable) {
		for i, c := range t.def.Columns {
			out = append(out, columnRow(catalogName, t.def.Name, i, c, ""))
		}
	})
	return out
}

func columnRow(ks, table string, i int, c *sqlast.ColumnDef, key string) []any {
	t := &c.Type
	var charset any
	collation := columnCollation(c)
	if name, ok := collation.(string); ok {
		charset, _, _ = strings.Cut(name, "_")
	}
	generated := ""
	if c.Generated != nil || c.GeneratedText != "" {
		generated = c.GeneratedText
	}
	size := sizeOf(t)
	dataType, _, _ := strings.Cut(TypeText(*t), "(")
	dataType, _, _ = strings.Cut(dataType, " ")
	return []any{definite, ks, table, c.Name, int64(i + 1), DefaultOf(c), yesNo(!t.NotNull), dataType,
		size.chars, size.octets, size.precision, size.scale, size.fraction, charset, collation,
		TypeText(*t), key, ExtraOf(c), "select,insert,update,references", c.Comment, generated, nil}
}

func (r *request) statisticsRows() [][]any {
	var out [][]any
	r.eachTable(func(ks string, t *sqlast.TableDef) {
		for _, x := range t.Indexes {
			for i, p := range x.Parts {
				// Table, Non_unique, Key_name, Seq_in_index, Column_name, Collation, Cardinality, Sub_part, Packed, Null,
				// Index_type, Comment, Index_comment, Visible, Expression
				s := indexRow(t, x, i, p)
				out = append(out, []any{definite, ks, s[0], s[1], ks, s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10],
					s[11], s[12], s[13], s[14]})
			}
		}
	})
	return out
}

func (r *request) eachTable(f func(ks string, t *sqlast.TableDef)) {
	r.eachRelation(func(ks string, rel relation) {
		if rel.table != nil {
			f(ks, rel.table)
		}
	})
}

func (r *request) constraintRows() [][]any {
	var out [][]any
	r.eachTable(func(ks string, t *sqlast.TableDef) {
		add := func(name, kind string, enforced bool) {
			out = append(out, []any{definite, ks, name, ks, t.Name, kind, yesNo(enforced)})
		}
		for _, x := range t.Indexes {
			switch x.Kind {
			case sqlast.IndexPrimary:
				add(x.Name, "PRIMARY KEY", true)
			case sqlast.IndexUnique:
				add(x.Name, "UNIQUE", true)
			}
		}
		for _, fk := range t.ForeignKeys {
			add(fk.Name, "FOREIGN KEY", true)
		}
		for _, c := range t.Checks {
			add(c.Name, "CHECK", !c.NotEnforced)
		}
	})
	return out
}

func (r *request) keyColumnRows() [][]any {
	var out [][]any
	r.eachTable(func(ks string, t *sqlast.TableDef) {
		for _, x := range t.Indexes {
			if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique {
				continue
			}
			for i, p := range x.Parts {
				if p.Column != "" {
					out = append(out, []any{definite, ks, x.Name, definite, ks, t.Name, p.Column, int64(i + 1), nil, nil, nil, nil})
				}
			}
		}
		for _, fk := range t.ForeignKeys {
			for i, c := range fk.Columns {
				out = append(out, []any{definite, ks, fk.Name, definite, ks, t.Name, c, int64(i + 1), r.positionInKey(ks, fk, i),
					cmp.Or(fk.RefSchema, ks), fk.RefTable, fk.RefColumns[i]})
			}
		}
	})
	return out
}

// positionInKey is the ordinal of a foreign key's column in the parent's key.
func (r *request) positionInKey(ks string, fk *sqlast.ForeignKeyDef, i int) any {
	if x := r.parentKey(ks, fk); x != nil {
		for k, p := range x.Parts {
			if strings.EqualFold(p.Column, fk.RefColumns[i]) {
				return int64(k + 1)
			}
		}
	}
	return int64(i + 1)
}

// parentKey is the key of the parent that a foreign key refers to, or nil.
func (r *request) parentKey(ks string, fk *sqlast.ForeignKeyDef) *sqlast.IndexDef {
	parent := r.Schema.Table(cmp.Or(fk.RefSchema, ks), fk.RefTable)
	if parent == nil {
		return nil
	}
	for _, x := range parent.Indexes {
		if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique || len(x.Parts) < len(fk.RefColumns) {
			continue
		}
		all := true
		for _, c := range fk.RefColumns {
			all = all && slices.ContainsFunc(x.Parts[:len(fk.RefColumns)], func(p sqlast.IndexPart) bool { return strings.EqualFold(p.Column, c) })
		}
		if all {
			return x
		}
	}
	return nil
}

func (r *request) referentialRows() [][]any {
	var out [][]any
	r.eachTable(func(ks string, t *sqlast.TableDef) {
		for _, fk := range t.ForeignKeys {
			var key any
			if x := r.parentKey(ks, fk); x != nil {
				key = x.Name
			}
			out = append(out, []any{definite, ks, fk.Name, definite, cmp.Or(fk.RefSchema, ks), key, "NONE",
				cmp.Or(fk.OnUpdate, "NO ACTION"), cmp.Or(fk.OnDelete, "NO ACTION"), t.Name, fk.RefTable})
		}
	})
	return out
}

func (r *request) checkRows() [][]any {
	var out [][]any
	r.eachTable(func(ks string, t *sqlast.TableDef) {
		for _, c := range t.Checks {
			out = append(out, []any{definite, ks, c.Name, "(" + c.Text + ")"})
		}
	})
	return out
}

func (r *request) viewRows() [][]any {
	var out [][]any
	r.eachRelation(func(ks string, rel relation) {
		if rel.view != nil {
			out = append(out, []any{definite, ks, rel.name, rel.view.Text, cmp.Or(rel.view.Check, "NONE"), "NO", "root@localhost", "DEFINER", "utf8mb4", defaultCollation})
		}
	})
	return out
}

func (r *request) processRows() [][]any {
	var db any
	if r.Keyspace != "" {
		db = r.Keyspace
	}
	return [][]any{{int64(r.ConnectionID), "root", "localhost", db, "Query", int64(0), "executing", nil}}
}

// constantRows gives what never changes.
func constantRows(a *answer) func(*request) [][]any {
	return func(*request) [][]any { return a.rows }
}

func charsetRows(*request) [][]any {
	var out [][]any
	for _, c := range charsets.rows {
		out = append(out, []any{c[0], c[2], c[1], c[3]})
	}
	return out
}

func applicabilityRows(*request) [][]any {
	var out [][]any
	for _, c := range collations.rows {
		out = append(out, []any{c[0], c[1]})
	}
	return out
}

// columnSize is what COLUMNS says of a type's size; nil where it has no meaning.
type columnSize struct{ chars, octets, precision, scale, fraction any }

// fixedSizes are the lengths of texts and the digits of numbers whose type
// alone says them.
var fixedSizes = map[string]int64{
	"TINYTEXT": 1<<8 - 1, "TEXT": 1<<16 - 1, "MEDIUMTEXT": 1<<24 - 1, "LONGTEXT": 1<<32 - 1,
	"TINYBLOB": 1<<8 - 1, "BLOB": 1<<16 - 1, "MEDIUMBLOB": 1<<24 - 1, "LONGBLOB": 1<<32 - 1,
	"TINYINT": 3, "SMALLINT": 5, "MEDIUMINT": 7, "INT": 10, "BIGINT": 19, "FLOAT": 12, "DOUBLE": 22,
}

func sizeOf(t *sqlast.Type) columnSize {
	fixed := fixedSizes[t.Name]
	switch t.Class {
	case sqlast.ClassText, sqlast.ClassBlob:
		n, bytes := int64(t.Size), int64(4)
		switch {
		case t.Name == "BIT":
			return columnSize{precision: int64(max(t.Size, 1))}
		case fixed > 0:
			n, bytes = fixed, 1
		case t.Name == "ENUM" || t.Name == "SET":
			n = widest(t)
		case t.Class == sqlast.ClassBlob:
			bytes = 1
		}
		n = max(n, 1)
		return columnSize{chars: n, octets: n * bytes}
	case sqlast.ClassInt:
		switch {
		case t.Name == "BIT":
			return columnSize{precision: int64(max(t.Size, 1))}
		case t.Name == "YEAR":
			return columnSize{}
		case t.Unsigned && t.Name == "BIGINT":
			fixed = 20
		}
		return columnSize{precision: fixed, scale: int64(0)}
	case sqlast.ClassDecimal:
		size := columnSize{precision: int64(10), scale: int64(max(t.Scale, 0))}
		if t.Size > 0 {
			size.precision = int64(t.Size)
		}
		return size
	case sqlast.ClassDouble:
		if t.Size > 0 {
			return columnSize{precision: int64(t.Size), scale: int64(max(t.Scale, 0))}
		}
		return columnSize{precision: fixed}
	case sqlast.ClassDateTime, sqlast.ClassTime:
		return columnSize{fraction: int64(max(t.Scale, 0))}
	}
	return columnSize{}
}

// widest is the length of an ENUM's longest member, or of all of a SET's.
func widest(t *sqlast.Type) int64 {
	n := 0
	for _, v := range t.Values {
		if t.Name == "SET" {
			n += len([]rune(v)) + 1
		} else {
			n = max(n, len([]rune(v))+1)
		}
	}
	return int64(n - 1)
}
