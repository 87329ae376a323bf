package sqlparse

import (
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/vitessdo/vitessdo/sqlast"
)

func (c *conv) alterTable(x *ast.AlterTableStmt) sqlast.Stmt {
	a := &sqlast.AlterTable{Table: c.table(x.Table, "")}
	for _, spec := range x.Specs {
		a.Specs = append(a.Specs, c.alterSpec(spec)...)
	}
	return a
}

// alterSpec converts one spec; one that adds columns may become several.
func (c *conv) alterSpec(x *ast.AlterTableSpec) []sqlast.AlterSpec {
	spec := sqlast.AlterSpec{IfExists: x.IfExists, IfNotExists: x.IfNotExists}
	switch x.Tp {
	case ast.AlterTableAddColumns:
		return c.addColumns(x)
	case ast.AlterTableModifyColumn, ast.AlterTableChangeColumn:
		return c.modifyColumn(x)
	case ast.AlterTableAddConstraint:
		return c.added(&sqlast.TableDef{}, x.IfNotExists, x.Constraint)
	case ast.AlterTableOption:
		return c.alterOptions(x)
	case ast.AlterTablePartition:
		t := &sqlast.TableDef{}
		c.partition(t, x.Partition)
		spec.Kind, spec.Columns = sqlast.AlterPartitionKey, t.PartitionKey
	case ast.AlterTableDropColumn:
		spec.Kind, spec.Name = sqlast.AlterDropColumn, x.OldColumnName.Name.O
	case ast.AlterTableDropPrimaryKey:
		spec.Kind, spec.Name = sqlast.AlterDropIndex, "PRIMARY"
	case ast.AlterTableDropIndex:
		spec.Kind, spec.Name = sqlast.AlterDropIndex, primaryName(x.Name)
	case ast.AlterTableDropForeignKey:
		spec.Kind, spec.Name = sqlast.AlterDropForeignKey, x.Name
	case ast.AlterTableDropCheck:
		spec.Kind, spec.Name = sqlast.AlterDropCheck, x.Constraint.Name
	case ast.AlterTableRenameColumn:
		spec.Kind, spec.Name, spec.NewName = sqlast.AlterRenameColumn, x.OldColumnName.Name.O, x.NewColumnName.Name.O
	case ast.AlterTableRenameTable:
		to := c.table(x.NewTable, "")
		spec.Kind, spec.NewName, spec.NewSchema = sqlast.AlterRename, to.Name, to.Schema
	case ast.AlterTableRenameIndex:
		spec.Kind, spec.Name, spec.NewName = sqlast.AlterRenameIndex, x.FromKey.O, x.ToKey.O
	case ast.AlterTableAlterColumn:
		c.alterDefault(&spec, x.NewColumns[0])
	case ast.AlterTableLock, ast.AlterTableAlgorithm, ast.AlterTableForce, ast.AlterTableEnableKeys,
		ast.AlterTableDisableKeys, ast.AlterTableWithValidation, ast.AlterTableWithoutValidation,
		ast.AlterTableOrderByColumns, ast.AlterTableIndexInvisible:
		spec.Kind = sqlast.AlterNothing
	default:
		c.refuse(0, "this form of ALTER TABLE")
	}
	return []sqlast.AlterSpec{spec}
}

// alterDefault converts ALTER COLUMN c SET DEFAULT x and DROP DEFAULT.
func (c *conv) alterDefault(spec *sqlast.AlterSpec, x *ast.ColumnDef) {
	spec.Kind, spec.Name = sqlast.AlterDropDefault, x.Name.Name.O
	if len(x.Options) > 0 {
		spec.Kind, spec.Column = sqlast.AlterSetDefault, &sqlast.ColumnDef{Name: spec.Name}
		spec.Column.Default, spec.Column.DefaultText = c.defaultValue(x.Options[0].Expr)
	}
}

// addColumns converts ADD COLUMN, with the keys that the columns declare.
func (c *conv) addColumns(x *ast.AlterTableSpec) []sqlast.AlterSpec {
	var out []sqlast.AlterSpec
	t := &sqlast.TableDef{}
	for _, def := range x.NewColumns {
		spec := sqlast.AlterSpec{Kind: sqlast.AlterAddColumn, IfNotExists: x.IfNotExists, Column: c.addColumn(t, def)}
		place(&spec, x.Position)
		out = append(out, spec)
	}
	return append(out, c.added(t, x.IfNotExists, x.NewConstraints...)...)
}

// modifyColumn converts MODIFY and CHANGE COLUMN.
func (c *conv) modifyColumn(x *ast.AlterTableSpec) []sqlast.AlterSpec {
	t := &sqlast.TableDef{}
	spec := sqlast.AlterSpec{Kind: sqlast.AlterModifyColumn, IfExists: x.IfExists, Column: c.addColumn(t, x.NewColumns[0])}
	spec.Name = spec.Column.Name
	if x.OldColumnName != nil {
		spec.Name = x.OldColumnName.Name.O
	}
	place(&spec, x.Position)
	return append([]sqlast.AlterSpec{spec}, c.added(t, false)...)
}

// place notes FIRST and AFTER.
func place(spec *sqlast.AlterSpec, p *ast.ColumnPosition) {
	if p == nil {
		return
	}
	switch p.Tp {
	case ast.ColumnPositionFirst:
		spec.First = true
	case ast.ColumnPositionAfter:
		spec.After = p.RelativeColumn.Name.O
	}
}

// added makes specs of the keys and constraints in t and list.
func (c *conv) added(t *sqlast.TableDef, ifNotExists bool, list ...*ast.Constraint) []sqlast.AlterSpec {
	for _, k := range list {
		c.constraint(t, k)
		ifNotExists = ifNotExists || k.IfNotExists
	}
	var out []sqlast.AlterSpec
	for _, ix := range t.Indexes {
		out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterAddIndex, Name: ix.Name, Index: ix, IfNotExists: ifNotExists})
	}
	for _, fk := range t.ForeignKeys {
		out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterAddForeignKey, Name: fk.Name, ForeignKey: fk, IfNotExists: ifNotExists})
	}
	for _, ck := range t.Checks {
		out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterAddCheck, Name: ck.Name, Check: ck, IfNotExists: ifNotExists})
	}
	return out
}

// alterOptions converts table options: one spec for each that means something.
func (c *conv) alterOptions(x *ast.AlterTableSpec) []sqlast.AlterSpec {
	var out []sqlast.AlterSpec
	collate := sqlast.AlterSpec{Kind: sqlast.AlterCollate}
	for _, o := range x.Options {
		switch o.Tp {
		case ast.TableOptionAutoIncrement:
			out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterAutoInc, AutoInc: int64(o.UintValue)})
		case ast.TableOptionComment:
			out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterComment, Text: o.StrValue})
		case ast.TableOptionCharset:
			if o.UintValue == ast.TableOptionCharsetWithConvertTo {
				c.refuse(0, "CONVERT TO CHARACTER SET")
			}
			collate.Charset = strings.ToLower(o.StrValue)
		case ast.TableOptionCollate:
			collate.Text = strings.ToLower(o.StrValue)
		}
	}
	if collate.Charset != "" || collate.Text != "" {
		out = append(out, collate)
	}
	if len(out) == 0 {
		out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterNothing})
	}
	return out
}
