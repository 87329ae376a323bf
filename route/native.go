package route

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Not every shard's engine can compute all that the gate's can. What it can't, it
// isn't asked: constants are computed before, rows come as they are, chosen by the
// conditions that it can decide, and the gate's own engine does the rest; rows to
// write are found so, too. Whether it can, the printer for the engine knows.

// weaker gives what prints for a keyspace's shards where these can't compute all that
// the gate can; nil: they can.
func (b *binder) weaker(ks string) dialect.Printers {
	if m := b.env.Shards(ks); m != nil {
		return m.Printers
	}
	return nil
}

// able says whether a keyspace's shards can compute all that the gate can.
func (b *binder) able(ks string) bool { return b.weaker(ks) == nil }

// shards gives what prints for a keyspace's shards.
func (b *binder) shards(ks string) dialect.Printers {
	if ps := b.weaker(ks); ps != nil {
		return ps
	}
	return dialect.Printers{b.env.Printer}
}

// print prints a statement for a keyspace's shards. What they can't compute of it and
// hangs on no row becomes a parameter.
func (b *binder) print(ks string, s sqlast.Stmt) (dialect.Text, error) {
	if ps := b.weaker(ks); ps != nil {
		return ps.Lifting(b.lifted).Stmt(s)
	}
	return b.env.Printer.Stmt(s)
}

// printRow prints a statement for one row, whose parameters are the row's values: what
// the shards can't compute of it is the caller's to go without.
func (b *binder) printRow(ks string, s sqlast.Stmt) (dialect.Text, error) {
	if ps := b.weaker(ks); ps != nil {
		return ps.Stmt(s)
	}
	return b.env.Printer.Stmt(s)
}

// runsRow says whether a keyspace's shards can run such a statement.
func (b *binder) runsRow(ks string, s sqlast.Stmt) bool {
	if b.able(ks) {
		return true
	}
	_, err := b.printRow(ks, s)
	return err == nil
}

// ignores says whether a table's shards pass over rows that violate any constraint, as
// IGNORE says. Where they don't the gate tries each row by itself.
func (b *binder) ignores(src *source) bool {
	return b.runsRow(src.keyspace, &sqlast.Update{From: &sqlast.TableRef{Name: src.def.Name, Table: src.def}, Ignore: true})
}

// rowID is the column of what the shards' engines know a table's rows by.
func (b *binder) rowID(table string, def *sqlast.TableDef) *sqlast.Col {
	return &sqlast.Col{Table: table, Name: "rowid", Pos: -1, RowID: def}
}

// byRowID is the condition that a row has the row ID ?1.
func byRowID(p dialect.Printer, def *sqlast.TableDef) string { return p.RowID(def) + " = ?1" }

// lifted makes a parameter of an expression over parameters, and gives its number.
func (b *binder) lifted(sql string) int {
	t := sqlast.TypeOf(sqlast.ClassUnknown)
	for i := range b.params.late {
		if asks(sql, i+1) {
			return b.params.step(Step{SQL: sql}, t).Index + 1
		}
	}
	return b.params.once("expr:"+sql, Computed{Kind: ComputedExpr, SQL: sql}, t).Index + 1
}

// asks says whether parameter n stands in a text.
func asks(sql string, n int) bool {
	_, rest, found := strings.Cut(sql, "?"+strconv.Itoa(n))
	return found && (rest == "" || rest[0] < '0' || rest[0] > '9' || asks(rest, n))
}

// native says whether the shards' engines can decide a condition.
func (b *binder) native(e sqlast.Expr) bool {
	if e == nil || !slices.ContainsFunc(b.bases, func(src *source) bool { return !b.able(src.keyspace) }) {
		return true
	}
	for _, ks := range b.keyspacesOf(e) {
		if !b.runs(ks, &sqlast.Select{Items: []sqlast.SelectItem{{Expr: zero}}, Where: e}) {
			return false
		}
	}
	return true
}

// keyspacesOf gives the keyspaces whose shards may have to decide a condition.
func (b *binder) keyspacesOf(e sqlast.Expr) (out []string) {
	take := func(src *source) {
		if !slices.Contains(out, src.keyspace) {
			out = append(out, src.keyspace)
		}
	}
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		c, ok := x.(*sqlast.Col)
		switch src := b.sourceOf[c]; {
		case !ok || src == nil:
		case src.def != nil:
			take(src)
		default: // rows that a query has made, of whichever tables
			for _, base := range b.bases {
				take(base)
			}
		}
		return true
	})
	return out
}

// runs says whether a keyspace's shards can run a statement.
func (b *binder) runs(ks string, s sqlast.Stmt) bool {
	ps := b.weaker(ks)
	if ps == nil {
		return true
	}
	_, err := ps.Lifting(tried).Stmt(s)
	return err == nil
}

// tried stands for the parameters of a statement that is printed for a trial.
func tried(string) int { return 1 }

// zero stands for the items of a statement that has none yet.
var zero = countOf(0)

// inParts plans a query of which each shard could answer its part, if its engine
// could compute all of it. Often that can aggregate, and only what is made of the
// aggregates is the gate's.
func (b *binder) inParts(p *Plan, q sqlast.Query, at located, dest Destination, tag bool) error {
	if s, ok := q.(*sqlast.Select); ok && isAggregated(s) && !tag && s.From != nil {
		return b.scatterAggregate(p, s, b.blocks[s], at.place, dest)
	}
	return b.universal(p, q)
}
