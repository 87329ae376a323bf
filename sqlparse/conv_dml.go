package sqlparse

import (
	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/vitessdo/vitessdo/sqlast"
)

// stmt converts the statements that our own small parsers leave to TiDB's.
func (c *conv) stmt(n ast.StmtNode) sqlast.Stmt {
	switch x := n.(type) {
	case *ast.SelectStmt:
		return c.query(x)
	case *ast.SetOprStmt:
		return c.query(x)
	case *ast.InsertStmt:
		return c.insert(x)
	case *ast.UpdateStmt:
		return c.update(x)
	case *ast.DeleteStmt:
		return c.delete(x)
	}
	return c.ddl(n)
}

func (c *conv) insert(x *ast.InsertStmt) sqlast.Stmt {
	if len(x.PartitionNames) > 0 {
		c.refuse(0, "INSERT INTO … PARTITION: shards are chosen by the vindex")
	}
	ref, ok := c.from(x.Table.TableRefs).(*sqlast.TableRef)
	if !ok {
		c.refuse(0, "INSERT into more than one table")
	}
	in := &sqlast.Insert{
		Table: ref, Replace: x.IsReplace, Ignore: x.IgnoreErr, KeepZero: c.scan.opts.NoAutoValueOnZero,
		RowAlias: c.rowAlias, ColAliases: c.colAliases,
	}
	for _, col := range x.Columns {
		in.Columns = append(in.Columns, col.Name.O)
	}
	if x.Select != nil {
		in.Query = c.query(x.Select)
	} else {
		in.Rows = make([][]sqlast.Expr, len(x.Lists))
		for i, row := range x.Lists {
			in.Rows[i] = c.exprs(row)
		}
		if len(in.Rows) == 0 {
			in.Rows = [][]sqlast.Expr{{}}
		}
	}
	c.aliased, c.columns = c.rowAlias != "", in.Columns
	in.OnDup = c.assignments(x.OnDuplicate)
	c.aliased = false
	return in
}

func (c *conv) assignments(list []*ast.Assignment) []sqlast.Assignment {
	if len(list) == 0 {
		return nil
	}
	out := make([]sqlast.Assignment, len(list))
	for i, a := range list {
		x := c.expr(a.Expr)
		// The column's own place isn't recorded; its value's is near.
		out[i] = sqlast.Assignment{Col: c.col2(a.Column, c.pos(a.Expr)), Expr: x}
	}
	return out
}

func (c *conv) update(x *ast.UpdateStmt) sqlast.Stmt {
	return &sqlast.Update{
		With: c.with(x.With), From: c.from(x.TableRefs.TableRefs), Set: c.assignments(x.List),
		Where: c.optional(x.Where), OrderBy: c.orderBy(x.Order), Limit: c.limit(x.Limit), Ignore: x.IgnoreErr,
	}
}

func (c *conv) delete(x *ast.DeleteStmt) sqlast.Stmt {
	d := &sqlast.Delete{
		With: c.with(x.With), From: c.from(x.TableRefs.TableRefs),
		Where: c.optional(x.Where), OrderBy: c.orderBy(x.Order), Limit: c.limit(x.Limit), Ignore: x.IgnoreErr,
	}
	if x.Tables != nil && x.IsMultiTable {
		d.Targets = c.tables(x.Tables.Tables)
	}
	return d
}

func (c *conv) tables(list []*ast.TableName) []*sqlast.TableRef {
	out := make([]*sqlast.TableRef, len(list))
	for i, t := range list {
		out[i] = c.table(t, "")
	}
	return out
}
