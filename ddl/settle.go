package ddl

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// settled makes of the changes that only other dialects than MySQL's know those that
// say the same with the table's definition at hand.
func (p *planner) settled(stmt sqlast.Stmt) (sqlast.Stmt, error) {
	switch s := stmt.(type) {
	case *sqlast.CreateTable:
		return s, p.completeKeys(s.Def, s.Def.ForeignKeys)
	case *sqlast.AlterTable:
		for i := range s.Specs {
			if fk := s.Specs[i].ForeignKey; fk != nil {
				if err := p.completeKeys(p.table(s.Table.Name), []*sqlast.ForeignKeyDef{fk}); err != nil {
					return nil, err
				}
			}
		}
		return p.settledAlter(s)
	case *sqlast.DropIndex:
		if s.Table.Name == "" {
			return p.settledDrop(s)
		}
	}
	return stmt, nil
}

// completeKeys gives foreign keys that name no columns those of the parent's primary
// key, for which it must be there, whatever the statement's dialect allows.
func (p *planner) completeKeys(own *sqlast.TableDef, keys []*sqlast.ForeignKeyDef) error {
	for _, fk := range keys {
		if len(fk.RefColumns) > 0 {
			continue
		}
		parent := p.s.Table(cmp.Or(fk.RefSchema, p.o.Keyspace), fk.RefTable)
		if own != nil && fk.RefSchema == "" && strings.EqualFold(own.Name, fk.RefTable) {
			parent = own
		}
		switch {
		case parent == nil:
			return fail(errForeignNoParent, "failed to open the referenced table %q, whose primary key a foreign key of (%s) means; "+
				"create it first, or name its columns", fk.RefTable, strings.Join(fk.Columns, ", "))
		case parent.PrimaryKey() != nil:
			fk.RefColumns = parent.PrimaryKey().Columns()
		}
	}
	return nil
}

// settledAlter writes a change of a column's type, of whether it may be NULL, or of its
// comment, as one of the column.
func (p *planner) settledAlter(s *sqlast.AlterTable) (sqlast.Stmt, error) {
	partial := func(spec sqlast.AlterSpec) bool {
		return spec.Kind == sqlast.AlterColumnType || spec.Kind == sqlast.AlterNullable || spec.Kind == sqlast.AlterColumnComment
	}
	def := p.table(s.Table.Name)
	if def == nil || !slices.ContainsFunc(s.Specs, partial) {
		return s, nil
	}
	out, changed := *s, map[string]*sqlast.ColumnDef{}
	out.Specs = slices.Clone(s.Specs)
	for i := range out.Specs {
		spec := &out.Specs[i]
		if !partial(*spec) {
			continue
		}
		key := strings.ToLower(spec.Name)
		old := changed[key]
		if old == nil {
			old = def.Column(spec.Name)
		}
		if old == nil {
			return nil, fail(errUnknownColumn, "unknown column '%s' in '%s'", spec.Name, def.Name)
		}
		col := *old
		switch spec.Kind {
		case sqlast.AlterNullable:
			col.Type.NotNull = spec.Column.Type.NotNull
		case sqlast.AlterColumnComment:
			col.Comment = spec.Text
		default:
			notNull := col.Type.NotNull
			col.Type = spec.Column.Type
			col.Type.NotNull = notNull
		}
		changed[key] = &col
		spec.Kind, spec.Column = sqlast.AlterModifyColumn, &col
	}
	return &out, nil
}

// settledDrop finds the table of an index that is named alone.
func (p *planner) settledDrop(s *sqlast.DropIndex) (sqlast.Stmt, error) {
	var found []*sqlast.TableDef
	for _, t := range p.s.Tables(p.o.Keyspace) {
		if indexNamed(t, s.Name) != nil {
			found = append(found, t)
		}
	}
	switch {
	case len(found) == 0 && s.IfExists:
		p.warn("unknown index %q in keyspace %q", s.Name, p.o.Keyspace)
		return nil, nil
	case len(found) == 0:
		return nil, fail(errColumnExistsNot, "can't DROP '%s'; check that column/key exists", s.Name)
	case len(found) > 1:
		return nil, fail(errNotSupported, "several tables have an index %q, %s and %s among them: write ALTER TABLE t DROP CONSTRAINT %s",
			s.Name, found[0].Name, found[1].Name, s.Name)
	}
	out := *s
	out.Table = &sqlast.TableRef{Schema: s.Table.Schema, Name: found[0].Name}
	return &out, nil
}
