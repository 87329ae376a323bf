package vitessdogorm

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/vschema"
	"gorm.io/gorm/schema"
)

// sharding is what a model's vitessdo tags say about its table.
type sharding struct {
	table     string
	options   []string     // of the table, as parts of its COMMENT
	vindexes  []functional // the first is the primary one
	lookups   []lookup
	sequence  string // of the column sequenced
	sequenced string
	spec      vschema.TableSpec // what the comment amounts to
}

// functional is a vindex that computes where a row lives.
type functional struct {
	kind, params string
	columns      []string
}

// lookup is a lookup vindex and the table of its entries.
type lookup struct {
	kind, table, from, to string
	params                []string // all others
	field                 *schema.Field
}

// tableSettings are those of a blank field.
var tableSettings = []string{"reference", "unsharded", "pinned", "unique"}

// lookupKinds are the lookup vindexes whose entries hold keyspace IDs as they are.
var lookupKinds = []string{"lookup", "lookup_unique", "consistent_lookup", "consistent_lookup_unique"}

// readSharding reads and checks the tags of a model.
func readSharding(model *schema.Schema, table string) (*sharding, error) {
	s := &sharding{table: table}
	if err := blanks(model.ModelType, s.readTable); err != nil {
		return nil, fmt.Errorf("model %s: %w", model.Name, err)
	}
	for _, f := range model.Fields {
		tag, ok := f.Tag.Lookup("vitessdo")
		if !ok {
			continue
		}
		if err := s.readColumn(f, tag); err != nil {
			return nil, fmt.Errorf("model %s, field %s: %w", model.Name, f.Name, err)
		}
	}
	if len(s.lookups) > 0 && len(s.vindexes) == 0 {
		if err := s.byPrimaryKey(model); err != nil {
			return nil, fmt.Errorf("model %s: %w", model.Name, err)
		}
	}
	spec, rest, err := vschema.ParseComment(s.comment())
	if err != nil {
		return nil, fmt.Errorf("model %s: its vitessdo tags say %s: %w", model.Name, s.comment(), err)
	}
	if rest != "" {
		return nil, fmt.Errorf("model %s: nothing is known of %q in its vitessdo tags", model.Name, rest)
	}
	s.spec = spec
	return s, nil
}

// blanks gives the tags of blank fields, also those of embedded structs.
func blanks(t reflect.Type, give func(tag string) error) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			if err := blanks(f.Type, give); err != nil {
				return err
			}
		}
		if tag, ok := f.Tag.Lookup("vitessdo"); ok && f.Name == "_" {
			if err := give(tag); err != nil {
				return err
			}
		}
	}
	return nil
}

// settings splits a tag into names and values.
func settings(tag string, give func(name, value string) error) error {
	for part := range strings.SplitSeq(tag, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, ":")
		if word, rest, ok := strings.Cut(part, " "); ok && len(word) < len(name) {
			name, value = word, rest // as in "reference source=a.b"
		}
		if err := give(strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

func (s *sharding) readTable(tag string) error {
	return settings(tag, func(name, value string) error {
		switch {
		case name == "reference" && value != "":
			s.options = append(s.options, "reference "+value)
		case (name == "reference" || name == "unsharded") && value == "":
			s.options = append(s.options, name)
		case name == "pinned", name == "unique" && value == "shard":
			s.options = append(s.options, name+"="+value)
		case name == "vindex" || name == "sequence":
			return fmt.Errorf("vitessdo:%q is about a column: put it on a field, not on a blank one", tag)
		default:
			return fmt.Errorf("vitessdo:%q: a blank field takes reference, unsharded, pinned:HEX and unique:shard", tag)
		}
		return nil
	})
}

func (s *sharding) readColumn(f *schema.Field, tag string) error {
	return settings(tag, func(name, value string) error {
		switch {
		case f.DBName == "":
			return fmt.Errorf("vitessdo:%q is about a column, and the field has none", tag)
		case name == "vindex":
			return s.readVindex(f, value)
		case name == "sequence" && value != "":
			if !f.AutoIncrement {
				return fmt.Errorf("vitessdo:%q: only an AUTO_INCREMENT column takes values from a sequence", tag)
			}
			s.sequence, s.sequenced = value, f.DBName
		case slices.Contains(tableSettings, name):
			return fmt.Errorf("vitessdo:%q is about the table: put it on a blank field, _ struct{} `vitessdo:%q`", tag, tag)
		default:
			return fmt.Errorf("vitessdo:%q: a field takes vindex, vindex:TYPE and sequence:NAME", tag)
		}
		return nil
	})
}

func (s *sharding) readVindex(f *schema.Field, value string) error {
	kind, params, _ := strings.Cut(value, " ")
	kind, params = strings.ToLower(kind), strings.TrimSpace(params)
	if kind == "" {
		kind = "hash"
	}
	if !vschema.IsLookupType(kind) {
		for i := range s.vindexes {
			if v := &s.vindexes[i]; v.kind == kind {
				v.columns = append(v.columns, f.DBName)
				v.params = strings.TrimSpace(v.params + " " + params)
				return nil
			}
		}
		s.vindexes = append(s.vindexes, functional{kind, params, []string{f.DBName}})
		return nil
	}
	if !slices.Contains(lookupKinds, kind) {
		return fmt.Errorf("vindex:%s can't be declared by a tag; take one of %s, or declare it by ALTER VSCHEMA", kind, strings.Join(lookupKinds, ", "))
	}
	l := lookup{kind: kind, table: s.table + "_" + f.DBName + "_lookup", from: f.DBName, to: "keyspace_id", field: f}
	for p := range strings.FieldsSeq(params) {
		switch name, v, _ := strings.Cut(p, "="); name {
		case "table":
			l.table = v
		case "from", "to", "owner":
			return fmt.Errorf("vindex:%s: %s is settled: the owner is the model's table, and the columns are %s and %s", value, name, l.from, l.to)
		default:
			l.params = append(l.params, p)
		}
	}
	s.lookups = append(s.lookups, l)
	return nil
}

// byPrimaryKey gives a model with nothing but lookup vindexes the primary vindex that
// auto mode would, as a table that declares one vindex must declare all.
func (s *sharding) byPrimaryKey(model *schema.Schema) error {
	if len(model.PrimaryFields) != 1 {
		return fmt.Errorf("a lookup vindex leads to rows that another vindex places: tag the sharding column with vitessdo:\"vindex:hash\"")
	}
	s.vindexes = []functional{{"hash", "", []string{model.PrimaryFields[0].DBName}}}
	return nil
}

// silent says that the model leaves the table's place to the VSchema.
func (s *sharding) silent() bool { return s.comment() == "" && s.sequence == "" }

// comment says it in the words of a table's COMMENT.
func (s *sharding) comment() string {
	parts := slices.Clone(s.options)
	for _, v := range s.vindexes {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("vindex=%s(%s) %s", v.kind, strings.Join(v.columns, ", "), v.params)))
	}
	for _, l := range s.lookups {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("vindex=%s(%s) owner=%s table=%s from=%s to=%s %s",
			l.kind, l.from, s.table, l.table, l.from, l.to, strings.Join(l.params, " "))))
	}
	return strings.Join(parts, "; ")
}

// sameHome says whether rows live where the model wants them.
func (s *sharding) sameHome(is *vschema.Table) error {
	if !s.spec.Declared {
		return nil
	}
	want := s.spec.Table(s.table)
	same := want.Type == is.Type && slices.Equal(want.Pinned, is.Pinned) && strings.EqualFold(want.Source, is.Source)
	if same && len(want.ColumnVindexes) > 0 && len(is.ColumnVindexes) > 0 {
		a, b := want.ColumnVindexes[0], is.ColumnVindexes[0]
		same = a.Type == b.Type && slices.EqualFunc(a.Columns, b.Columns, strings.EqualFold) && maps.Equal(a.Params, b.Params)
	}
	if same {
		return nil
	}
	return fmt.Errorf("table %s is %s, and its model's vitessdo tags say %s: rows can't be moved by AutoMigrate; change the tags, or make a new table and copy the rows",
		s.table, place(is), place(want))
}

func place(t *vschema.Table) string {
	switch {
	case t.Source != "":
		return "a copy of " + t.Source
	case len(t.ColumnVindexes) > 0:
		v := t.ColumnVindexes[0]
		return fmt.Sprintf("sharded by %s(%s)", v.Type, strings.Join(v.Columns, ", "))
	}
	return t.Type.String()
}

func (l *lookup) unique() bool { return strings.HasSuffix(l.kind, "_unique") }

// in says whether the table has the vindex.
func (l *lookup) in(t *vschema.Table) bool {
	return slices.ContainsFunc(t.ColumnVindexes, func(v vschema.ColumnVindex) bool {
		return v.Type == l.kind && len(v.Columns) == 1 && strings.EqualFold(v.Columns[0], l.from)
	})
}

// alter is the statement that gives the vindex to a table that exists, and fills it.
func (l *lookup) alter(table string) string {
	name := fmt.Sprintf("%s_%s_%s", table, l.from, l.kind)
	text := fmt.Sprintf("ALTER VSCHEMA ON `%s` ADD VINDEX `%s`(`%s`) USING %s WITH owner=`%s`, table=`%s`, `from`=`%s`, `to`=`%s`",
		table, name, l.from, l.kind, table, l.table, l.from, l.to)
	for _, p := range l.params {
		text += ", " + p
	}
	return text
}
