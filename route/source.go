package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
)

// A reference table may be the copy of a table of another keyspace, its source. What
// is written to the one is written to the other: a write that names a copy is one of
// the source, and what it does to the source's rows follows in every copy, by
// effects. So the copies are the same wherever they are read.

// origin gives the table that a write of a table is about: the source where that is
// a copy.
func (b *binder) origin(ks string, def *sqlast.TableDef) (string, *sqlast.TableDef, error) {
	k := b.env.VSchema.Keyspaces[ks]
	if k == nil {
		return ks, def, nil
	}
	from, name, copied := k.Table(def.Name).Origin()
	if !copied {
		return ks, def, nil
	}
	source := b.env.Schema.Table(from, name)
	if source == nil {
		return "", nil, &Error{Code: CodeUnknownTable, Pos: -1, Table: name,
			Message: "table '" + from + "." + name + "' doesn't exist, of which '" + ks + "." + def.Name + "' is a copy"}
	}
	return from, source, nil
}

// writes says whether a table of the block is written, or stands beside one that is,
// by the user's own statement. On one shard alone a copy is a table like any other.
func (b *binder) writes(own *block, t *sqlast.TableRef) bool {
	return b.merge && own.parent == nil && !b.env.Internal && b.env.Shard < 0 && t.Shard == ""
}

// written is base, but for the source of a copy that is written.
func (b *binder) written(t *sqlast.TableRef, ks string, def *sqlast.TableDef, own *block) (*source, error) {
	if !b.writes(own, t) {
		return b.base(t, ks, def)
	}
	from, source, err := b.origin(ks, def)
	if err != nil {
		return nil, err
	}
	s, err := b.base(t, from, source)
	if err == nil && source != def {
		s.copied = ks
	}
	return s, err
}

// copyOf is a copy of a table.
type copyOf struct {
	keyspace string
	def      *sqlast.TableDef
}

func (b *binder) copiesOf(src *source) []copyOf {
	var out []copyOf
	for _, c := range b.env.VSchema.Copies(src.keyspace, src.def.Name) {
		if def := b.env.Schema.Table(c.Keyspace, c.Table.Name); def != nil {
			out = append(out, copyOf{c.Keyspace, def})
		}
	}
	return out
}

// copiesFit refuses to write a table whose copies can't hold its rows.
func (b *binder) copiesFit(src *source) error {
	for _, c := range b.copiesOf(src) {
		if why := schema.CopyDiffers(src.def, c.def); why != "" {
			return unsupported("writing to table '"+src.keyspace+"."+src.def.Name+"' while its copy '"+c.keyspace+"."+c.def.Name+"' is defined otherwise ("+why+")",
				"ALTER the two alike")
		}
	}
	return nil
}

// copyEffects writes the rows of a table's copies. It is last, so that what keeps a
// row from being written has kept it.
func (b *binder) copyEffects(l *effectList) {
	for _, c := range b.copiesOf(l.src) {
		l.copied(c)
	}
}

func (l *effectList) copied(c copyOf) {
	pk := l.src.def.PrimaryKey().Columns()
	var columns []string
	for _, d := range l.src.def.Columns {
		if d.Generated == nil {
			columns = append(columns, d.Name)
		}
	}
	name, effect := sqlName(c.keyspace, c.def.Name), "copy "+c.keyspace+"."+c.def.Name
	switch l.on {
	case OnInsert:
		l.add(Effect{Name: effect, On: OnInsert, Watch: l.columns(columns...), Keyspace: c.keyspace, Args: l.args(true, columns...),
			Head: "INSERT INTO " + name + " (" + strings.Join(sqlQuoted(columns), ", ") + ") VALUES ",
			Row:  "(" + strings.Join(marks(len(columns)), ", ") + ")"})
	case OnDelete:
		l.add(Effect{Name: effect, On: OnDelete, Watch: l.columns(pk...), Keyspace: c.keyspace, Args: l.args(false, pk...),
			Head: "DELETE FROM " + name + " WHERE " + rowOf(sqlQuoted(pk)) + " IN (", Row: rowOf(marks(len(pk))), Tail: ")"})
	case OnUpdate:
		l.add(Effect{Name: effect, On: OnUpdate, Watch: l.columns(columns...), Keyspace: c.keyspace,
			Args: append(l.args(true, columns...), l.args(false, pk...)...),
			Head: "UPDATE " + name + " SET " + strings.Join(sqlQuoted(columns), " = ?, ") + " = ? WHERE " + strings.Join(sqlQuoted(pk), " = ? AND ") + " = ?"})
	}
}
