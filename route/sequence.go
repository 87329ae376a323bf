package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// NextValues asks a sequence for consecutive values.
type NextValues struct {
	Keyspace, Sequence string
	Count              Source
}

// nextValue plans NEXT VALUE FOR s: a parameter that the gate computes, the first
// of the values that are taken. It stands for one row's value, so that it may not
// stand where there are several.
func (b *binder) nextValue(f *sqlast.Func, own *block) (sqlast.Expr, error) {
	for x := own; x != nil; x = x.parent {
		if len(x.sources) > 0 {
			return nil, unsupported("NEXT VALUE FOR in a query with FROM", "take the values before, by SELECT NEXT n VALUES FROM the sequence")
		}
	}
	name, ok := f.Args[0].(*sqlast.Col)
	if !ok || len(f.Args) != 2 {
		return nil, errorf(CodeBadValue, f.Pos, "NEXT VALUE FOR needs a sequence's name")
	}
	if err := b.expr(&f.Args[1], own, clauseItem); err != nil {
		return nil, err
	}
	n, ok := b.facts.constant(f.Args[1])
	if !ok {
		return nil, errorf(CodeBadValue, f.Pos, "the number of values to take must be a number or a parameter")
	}
	next := &NextValues{Keyspace: name.Schema, Sequence: name.Name, Count: n}
	if next.Keyspace == "" {
		next.Keyspace = name.Table
	}
	if next.Keyspace == "" {
		next.Keyspace = b.env.Keyspace
	}
	if err := b.sequenceNamed(next, name.Pos); err != nil {
		return nil, err
	}
	t := sqlast.TypeOf(sqlast.ClassInt)
	t.NotNull = true
	return b.params.add(Computed{Kind: ComputedNext, Next: next}, t), nil
}

// sequenceNamed finds the sequence: one of the VSchema, or that of a table's
// AUTO_INCREMENT column.
func (b *binder) sequenceNamed(next *NextValues, pos int) error {
	if b.env.Shards(next.Keyspace) == nil {
		return errorf(CodeUnknownKeyspace, pos, "unknown database '%s'", next.Keyspace)
	}
	var vt *vschema.Table
	if k := b.env.VSchema.Keyspaces[next.Keyspace]; k != nil {
		vt = k.Table(next.Sequence)
	}
	if vt != nil && vt.Type == vschema.TableSequence {
		next.Sequence = vt.Name
		return nil
	}
	def := b.env.Schema.Table(next.Keyspace, next.Sequence)
	if def != nil {
		for _, c := range def.Columns {
			if c.AutoInc {
				next.Keyspace, next.Sequence = sequenceOf(next.Keyspace, def, vt)
				return nil
			}
		}
	}
	if table := b.numbered(next); table != "" {
		next.Sequence = table
		return b.sequenceNamed(next, pos)
	}
	return &Error{Code: CodeUnknownTable, Pos: pos, Table: next.Sequence,
		Message: "'" + next.Keyspace + "." + next.Sequence + "' is no sequence, nor a table with AUTO_INCREMENT"}
}

// numbered is the table whose column's sequence PostgreSQL calls so: t_id_seq.
func (b *binder) numbered(next *NextValues) string {
	name, ok := strings.CutSuffix(next.Sequence, "_seq")
	for i := 1; ok && i < len(name)-1; i++ {
		if name[i] != '_' {
			continue
		}
		if def := b.env.Schema.Table(next.Keyspace, name[:i]); def != nil {
			if c := def.Column(name[i+1:]); c != nil && c.AutoInc {
				return def.Name
			}
		}
	}
	return ""
}

// sequenceOf names the sequence that a table's AUTO_INCREMENT column takes its
// values from.
func sequenceOf(ks string, def *sqlast.TableDef, vt *vschema.Table) (keyspace, name string) {
	if vt == nil || vt.AutoIncrement == nil || vt.AutoIncrement.Sequence == "" {
		return ks, def.Name
	}
	if other, seq, ok := strings.Cut(vt.AutoIncrement.Sequence, "."); ok {
		return other, seq
	}
	return ks, vt.AutoIncrement.Sequence
}
