package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// statement reads any statement.
func (p *parser) statement() sqlast.Stmt {
	at := p.peek().start
	switch {
	case p.startsQuery() && !p.withWrite():
		return p.query()
	case p.isWord(0, "INSERT"), p.isWord(0, "REPLACE"):
		return p.written(p.insert(), at)
	case p.isWord(0, "UPDATE"):
		return p.update(nil)
	case p.isWord(0, "DELETE"):
		return p.written(p.delete(nil), at)
	case p.isWord(0, "WITH"):
		with := p.with()
		switch {
		case p.isWord(0, "UPDATE"):
			return p.update(with)
		case p.isWord(0, "DELETE"):
			return p.delete(with)
		}
		in := p.insert()
		if x, ok := in.(*sqlast.Insert); ok && !front.WithInsert(x, with) {
			p.refuse(at, "WITH before INSERT and in its query", "write one list of them")
		}
		p.repeats = true
		return in
	case p.isWord(0, "CREATE"):
		return p.create()
	case p.isWord(0, "DROP"):
		return p.drop()
	case p.isWord(0, "ALTER"):
		return p.alter()
	case p.isWord(0, "PRAGMA"):
		return p.pragma()
	case p.isWord(0, "EXPLAIN"):
		return p.explain()
	}
	return p.transaction()
}

// written is a write, but for those to SQLite's own tables.
func (p *parser) written(stmt sqlast.Stmt, at int) sqlast.Stmt {
	var t *sqlast.TableRef
	switch x := stmt.(type) {
	case *sqlast.Insert:
		t = x.Table
	case *sqlast.Delete:
		t, _ = x.From.(*sqlast.TableRef)
	}
	if t == nil || !strings.EqualFold(t.Name, "sqlite_sequence") {
		return stmt
	}
	if set := setSequence(stmt); set != nil {
		return set
	}
	p.refuse(at, "this write to sqlite_sequence", "INSERT INTO sqlite_sequence VALUES ('t', n) sets the last number of a table")
	return nil
}

// withWrite says whether the WITH that begins here stands before a write.
func (p *parser) withWrite() bool {
	if !p.isWord(0, "WITH") {
		return false
	}
	depth := 0
	for n := 0; p.i+n < len(p.toks); n++ {
		switch {
		case p.isOp(n, "("):
			depth++
		case p.isOp(n, ")"):
			depth--
		case depth == 0 && (p.isWord(n, "SELECT") || p.isWord(n, "VALUES")):
			return false
		case depth == 0 && (p.isWord(n, "INSERT") || p.isWord(n, "REPLACE") || p.isWord(n, "UPDATE") || p.isWord(n, "DELETE")):
			return true
		}
	}
	return false
}

func (p *parser) insert() sqlast.Stmt {
	in := &sqlast.Insert{Replace: p.take("REPLACE")}
	if !in.Replace {
		p.need("INSERT")
		if at := p.peek().start; p.take("OR") {
			switch {
			case p.take("REPLACE"):
				in.Replace = true
			case p.take("IGNORE"):
				in.Pass = true
			case p.take("ABORT"), p.take("FAIL"):
			default:
				p.refuse(at, "this OR", "INSERT OR IGNORE and OR REPLACE can be had")
			}
		}
	}
	p.need("INTO")
	in.Table = p.tableName()
	if p.take("AS") {
		in.Table.Alias = p.name()
	}
	if p.isOp(0, "(") && !p.startsQuery() {
		in.Columns = p.nameList()
	}
	switch {
	case p.take("DEFAULT", "VALUES"):
		in.Rows = [][]sqlast.Expr{{}}
	case p.isWord(0, "VALUES"):
		p.i++
		for {
			p.needOp("(")
			in.Rows = append(in.Rows, p.exprs())
			p.needOp(")")
			if !p.takeOp(",") {
				break
			}
		}
	case p.startsQuery():
		in.Query = p.query()
	default:
		p.fail(p.peek().start, "VALUES or SELECT was expected")
	}
	p.upsert(in)
	in.Returning = p.returning()
	return in
}

func (p *parser) upsert(in *sqlast.Insert) {
	at := p.peek().start
	if !p.take("ON", "CONFLICT") {
		return
	}
	if p.isOp(0, "(") {
		in.OnKey = p.nameList()
	}
	if p.isWord(0, "WHERE") {
		p.refuse(at, "ON CONFLICT on a partial index", "there are no partial indexes")
	}
	p.need("DO")
	if p.take("NOTHING") {
		in.Pass = true
	} else {
		p.need("UPDATE", "SET")
		p.excluded = true
		in.OnDup = p.assignments("")
		var where sqlast.Expr
		if p.take("WHERE") {
			where = p.expr()
		}
		p.excluded = false
		for i, a := range in.OnDup {
			if where != nil {
				p.repeats = true
				in.OnDup[i].Expr = front.When(sqlast.CloneExpr(where), a.Expr, &sqlast.Col{Table: in.Table.Label(), Name: a.Col.Name, Pos: -1})
			}
		}
	}
	if p.isWord(0, "ON") {
		p.refuse(p.peek().start, "several ON CONFLICT", "name one key")
	}
}

// assignments reads a SET list, all of whose values are those of before.
func (p *parser) assignments(target string) []sqlast.Assignment {
	var out []sqlast.Assignment
	for {
		pos := p.peek().start
		if p.isOp(0, "(") {
			names := p.nameList()
			p.needOp("=")
			row, ok := p.expr().(*sqlast.Row)
			if !ok || len(row.Items) != len(names) {
				p.refuse(pos, "SET (a, b) = (SELECT …)", "write UPDATE … FROM (SELECT …)")
			}
			for i, n := range names {
				out = append(out, sqlast.Assignment{Col: &sqlast.Col{Table: target, Name: n, Pos: pos}, Expr: row.Items[i], Old: true})
			}
		} else {
			name := p.name()
			p.needOp("=")
			out = append(out, sqlast.Assignment{Col: &sqlast.Col{Table: target, Name: name, Pos: pos}, Expr: p.expr(), Old: true})
		}
		if !p.takeOp(",") {
			break
		}
	}
	return out
}

func (p *parser) returning() []sqlast.SelectItem {
	if !p.take("RETURNING") {
		return nil
	}
	return p.items()
}

func (p *parser) update(with *sqlast.With) sqlast.Stmt {
	p.need("UPDATE")
	if at := p.peek().start; p.take("OR") && !p.take("ABORT") {
		p.refuse(at, "UPDATE OR", "pick the rows that can be changed by WHERE")
	}
	t := p.tableName()
	t.Alias = p.alias()
	u := &sqlast.Update{With: with, From: t}
	p.need("SET")
	u.Set = p.assignments("")
	if p.take("FROM") {
		u.From = &sqlast.Join{Kind: sqlast.JoinCross, L: t, R: p.from()}
		for i := range u.Set {
			u.Set[i].Col.Table = t.Label()
		}
	}
	if p.take("WHERE") {
		u.Where = p.expr()
	}
	u.Returning = p.returning()
	if j, ok := u.From.(*sqlast.Join); ok && u.Returning != nil {
		u.From, u.Where, p.repeats = t, front.Alone(t, j.R, u.Where, u.Set), true
	}
	if p.take("ORDER", "BY") {
		u.OrderBy = p.orderItems()
	}
	u.Limit = p.limit()
	return u
}

func (p *parser) delete(with *sqlast.With) sqlast.Stmt {
	p.need("DELETE", "FROM")
	t := p.tableName()
	t.Alias = p.alias()
	d := &sqlast.Delete{With: with, From: t}
	if p.take("WHERE") {
		d.Where = p.expr()
	}
	d.Returning = p.returning()
	if p.take("ORDER", "BY") {
		d.OrderBy = p.orderItems()
	}
	d.Limit = p.limit()
	return d
}
