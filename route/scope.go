package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// source is one table, view, derived table or CTE reference of a FROM clause.
type source struct {
	label    string // unique in its block
	name     string // what the statement calls it, where label had to be another; else ""
	keyspace string
	copied   string           // the keyspace of the copy that the statement names, of which this is the source
	target   *int             // ordinal of the shard that the statement names for it; nil: none
	ref      *sqlast.TableRef // a base table or a CTE reference
	def      *sqlast.TableDef // base tables
	vt       *vschema.Table   // base tables
	query    sqlast.Query     // what a derived table or CTE runs
	cols     []outCol
	block    *block // that it stands in
	// nullable: on the side of an outer join that may be filled with NULLs.
	nullable bool
	cte      *cte
	// catalog: a table of information_schema, whose def is the gate's.
	catalog bool
	// view is set for the table of a view that is written through; inner is what
	// the view itself calls the table.
	view  *viewTarget
	inner string
	// check is the bound condition of its WITH CHECK OPTION, checkedBy its name.
	check     sqlast.Expr
	checkedBy string
	exprs     []keyPart // see keyParts
	// lateral: the query sees the tables that stand before it.
	lateral bool
	// json: the columns aren't the query's, but are made of its one value.
	json bool
	leaf int // in a fragment that joins it with others
	// tagLeaf is the leaf by which the shard of its rows is named there.
	tagLeaf int
}

// called says whether a qualifier, keyspace.table or table, means the source.
func (s *source) called(schema, name string) bool {
	return (strings.EqualFold(s.label, name) || s.name != "" && strings.EqualFold(s.name, name)) &&
		(schema == "" || s.keyspace == "" || s.keyspace == schema || s.copied == schema || s.catalog && isCatalog(schema))
}

// outCol is a column that a source or a query gives.
type outCol struct {
	name string
	typ  sqlast.Type
	def  *sqlast.ColumnDef
	// col is the column reference that it passes on unchanged, if that is all
	// that it does.
	col *sqlast.Col
	// hidden: merged away by USING or NATURAL.
	hidden bool
}

// block is one SELECT, INSERT, UPDATE or DELETE with its names.
type block struct {
	parent  *block
	sel     *sqlast.Select // nil for writes
	sources []*source
	ctes    map[string]*cte
	items   []sqlast.SelectItem // for aliases; nil while they can't be used
	order   []int               // ORDER BY: the item that a term means, or -1
	group   []int               // GROUP BY likewise
	joins   []*joinInfo
	subs    []*subInfo // subqueries in the block's own expressions
	outer   bool       // some column of it belongs to an enclosing block
}

// joinInfo is a join with the sources of both sides.
type joinInfo struct {
	join        *sqlast.Join
	left, right []*source
}

// subInfo is a subquery of an expression.
type subInfo struct {
	query sqlast.Query
	node  sqlast.Expr
	// conjunct: the subquery's truth decides over the row (a top-level
	// condition of WHERE).
	conjunct bool
	// tied: only IN ties it to the enclosing block's shard.
	tied bool
}

// cte is a common table expression in scope.
type cte struct {
	name      string
	query     sqlast.Query
	cols      []outCol
	columns   []string // as the WITH clause names them
	recursive bool     // refers to itself
	binding   bool
	locating  bool
	refs      int
}

func (s *source) find(name string) int {
	for i := range s.cols {
		if !s.cols[i].hidden && strings.EqualFold(s.cols[i].name, name) {
			return i
		}
	}
	return -1
}

// findAny also finds columns that USING has merged away: t.col still names them.
func (s *source) findAny(name string) int {
	for i := range s.cols {
		if strings.EqualFold(s.cols[i].name, name) {
			return i
		}
	}
	return -1
}

func (b *block) cteNamed(name string) *cte {
	for x := b; x != nil; x = x.parent {
		if c := x.ctes[strings.ToLower(name)]; c != nil {
			return c
		}
	}
	return nil
}

// groups says whether the block groups by a column of that name.
func (b *block) groups(name string) bool {
	return b.sel != nil && slices.ContainsFunc(b.sel.GroupBy, func(e sqlast.Expr) bool {
		c, ok := e.(*sqlast.Col)
		return ok && strings.EqualFold(c.Name, name)
	})
}

// aliasOf gives the ordinal of the item that has the alias, or -1.
func (b *block) aliasOf(name string) int {
	for i := range b.items {
		if strings.EqualFold(b.items[i].Alias, name) && name != "" {
			return i
		}
	}
	return -1
}
