package route

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Not every shard's engine can compute all that the gate's can. What it can't, it
// isn't asked: constants are computed before, rows come as they are, chosen by the
// conditions that it can decide, and the gate's own engine does the rest; rows to
// write are found so, too. Whether it can, the printer for the engine knows.

// gate prints for the gate's own engine.
func (b *binder) gate() dialect.Printer {
	if b.env.Gate != nil {
		return b.env.Gate
	}
	return b.env.Printer
}

// print prints a statement for the shards. What they can't compute of it and hangs
// on no row becomes a parameter.
func (b *binder) print(s sqlast.Stmt) (dialect.Text, error) {
	if b.env.Gate == nil {
		return b.env.Printer.Stmt(s)
	}
	return b.env.Printer.Lifting(b.lifted).Stmt(s)
}

// printRow prints a statement for one row, whose parameters are the row's values: what
// the shards can't compute of it is the caller's to go without.
func (b *binder) printRow(s sqlast.Stmt) (string, error) {
	text, err := b.env.Printer.Stmt(s)
	return text.String(), err
}

// runsRow says whether the shards' engine can run such a statement.
func (b *binder) runsRow(s sqlast.Stmt) bool {
	if b.env.Gate == nil {
		return true
	}
	_, err := b.env.Printer.Stmt(s)
	return err == nil
}

// rowID is the column of what the shards' engine knows a table's rows by.
func (b *binder) rowID(table string, def *sqlast.TableDef) *sqlast.Col {
	c := &sqlast.Col{Table: table, Name: "rowid", Pos: -1}
	if name := b.env.Printer.RowID(def); name != c.Name {
		c.Engine = name
	}
	return c
}

// byRowID is the condition that a row has the row ID ?1.
func (b *binder) byRowID(def *sqlast.TableDef) string { return b.env.Printer.RowID(def) + " = ?1" }

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

// native says whether the shards' engine can decide a condition.
func (b *binder) native(e sqlast.Expr) bool {
	if b.env.Gate == nil || e == nil {
		return true
	}
	return b.runs(&sqlast.Select{Items: []sqlast.SelectItem{{Expr: zero}}, Where: e})
}

// runs says whether the shards' engine can run a statement.
func (b *binder) runs(s sqlast.Stmt) bool {
	if b.env.Gate == nil {
		return true
	}
	_, err := b.env.Printer.Lifting(tried).Stmt(s)
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
