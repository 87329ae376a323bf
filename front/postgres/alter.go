package postgres

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

func (c *conv) alterTable(n node) sqlast.Stmt {
	t := c.table(n.message("relation"))
	if n.str("objtype") != "OBJECT_TABLE" {
		c.refuse(t.Pos, c.firstWords(), "")
	}
	a := &sqlast.AlterTable{Table: t}
	for _, cmd := range n.list("cmds") {
		a.Specs = append(a.Specs, c.alterCommand(t, cmd.node)...)
	}
	return a
}

// comment converts COMMENT ON. What has comments is tables and their columns.
func (c *conv) comment(n node) sqlast.Stmt {
	names := stringsOf(n.child("object").list("items"))
	spec := sqlast.AlterSpec{Kind: sqlast.AlterComment, Text: n.str("comment")}
	switch n.str("objtype") {
	case "OBJECT_TABLE":
	case "OBJECT_COLUMN":
		last := len(names) - 1
		spec.Kind, spec.Name, names = sqlast.AlterColumnComment, names[last], names[:last]
	default:
		c.refuse(0, "a comment on another thing than a table or a column", "keep it in the migration")
	}
	t := &sqlast.TableRef{}
	t.Schema, t.Name = c.qualified(names, 0)
	return &sqlast.AlterTable{Table: t, Specs: []sqlast.AlterSpec{spec}}
}

// alterCommand converts one change.
func (c *conv) alterCommand(t *sqlast.TableRef, n node) []sqlast.AlterSpec {
	spec := sqlast.AlterSpec{Name: n.str("name"), IfExists: n.is("missing_ok")}
	def := n.child("def")
	switch n.str("subtype") {
	case "AT_AddColumn":
		d := &definer{conv: c, def: &sqlast.TableDef{Name: t.Name}}
		spec = sqlast.AlterSpec{Kind: sqlast.AlterAddColumn, Column: d.column(def.node), IfNotExists: n.is("missing_ok")}
		d.finish()
		return append([]sqlast.AlterSpec{spec}, added(d.def)...)
	case "AT_AddConstraint":
		d := &definer{conv: c, def: &sqlast.TableDef{Name: t.Name}}
		d.constraint(def.node, nil)
		d.finish()
		return added(d.def)
	case "AT_DropColumn":
		spec.Kind = sqlast.AlterDropColumn
	case "AT_DropConstraint":
		// The name may be a key's, a foreign key's or a check's.
		spec.Kind = sqlast.AlterDropCheck
		if strings.EqualFold(spec.Name, t.Name+"_pkey") {
			spec.Kind, spec.Name = sqlast.AlterDropIndex, "PRIMARY"
		}
	case "AT_ColumnDefault":
		spec.Kind = sqlast.AlterDropDefault
		if def.kind != "" {
			col := &sqlast.ColumnDef{Name: spec.Name}
			d := &definer{conv: c, def: &sqlast.TableDef{Name: t.Name}}
			col.Default = d.defaultOf(c.expr(def), &col.Type, def.at())
			spec.Kind, spec.Column = sqlast.AlterSetDefault, col
		}
	case "AT_AlterColumnType":
		typ := def.message("typeName")
		to, _ := c.typeOf(typ)
		if def.has("raw_default") {
			c.refuse(typ.at(), "ALTER COLUMN … TYPE … USING", "add a column, UPDATE it, and drop the old one")
		}
		spec.Kind, spec.Column = sqlast.AlterColumnType, &sqlast.ColumnDef{Name: spec.Name, Type: to}
	case "AT_SetNotNull", "AT_DropNotNull":
		spec.Kind, spec.Column = sqlast.AlterNullable, &sqlast.ColumnDef{Name: spec.Name}
		spec.Column.Type.NotNull = n.str("subtype") == "AT_SetNotNull"
	case "AT_SetIdentity":
		restart := def.list("items")
		if len(restart) != 1 || restart[0].str("defname") != "restart" || restart[0].child("arg").message("ival") == nil && restart[0].child("arg").num("ival") == 0 {
			c.refuse(t.Pos, "this change of an identity column", "RESTART WITH n can be had")
		}
		arg := restart[0].child("arg")
		spec = sqlast.AlterSpec{Kind: sqlast.AlterAutoInc, AutoInc: int64(max(arg.num("ival"), arg.message("ival").num("ival")))}
	case "AT_ChangeOwner": // there are no owners
		spec = sqlast.AlterSpec{Kind: sqlast.AlterNothing}
	default:
		c.refuse(t.Pos, "this form of ALTER TABLE ("+strings.TrimPrefix(n.str("subtype"), "AT_")+")", "")
	}
	return []sqlast.AlterSpec{spec}
}

// added makes specs of the keys and constraints of a definition.
func added(t *sqlast.TableDef) []sqlast.AlterSpec {
	var out []sqlast.AlterSpec
	for _, ix := range t.Indexes {
		out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterAddIndex, Name: ix.Name, Index: ix})
	}
	for _, fk := range t.ForeignKeys {
		out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterAddForeignKey, Name: fk.Name, ForeignKey: fk})
	}
	for _, ck := range t.Checks {
		out = append(out, sqlast.AlterSpec{Kind: sqlast.AlterAddCheck, Name: ck.Name, Check: ck})
	}
	return out
}
