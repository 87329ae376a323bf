package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// binder resolves names and types. It changes the tree in place: views become
// derived tables, stars become columns, session functions become parameters.
type binder struct {
	env *Env
	// home is the session's keyspace, whose shard the session may have targeted;
	// inside a view, env.Keyspace is the view's.
	home   string
	params *paramSet
	facts  *facts
	// sourceOf says what a column reference resolved to; aliasOf says that it
	// stands for a select item.
	sourceOf map[*sqlast.Col]*source
	aliasOf  map[*sqlast.Col]int
	blocks   map[*sqlast.Select]*block
	outputs  map[sqlast.Query][]outCol
	// merge: views that can be are merged into the statement's own FROM, which
	// it writes; viewConds are their conditions.
	merge     bool
	viewConds []sqlast.Expr
	bases     []*source // all base tables, in order of appearance
	tables    []string
	write     bool // the statement writes: what is random must be settled first
	depth     int
	nests     bool // some derived table, view or CTE is read
	scalars   int  // subqueries that have a value: scalar ones and EXISTS
}

// Env is what a statement is planned against.
type Env struct {
	Schema   *schema.Schema
	VSchema  *vschema.VSchema
	Shards   func(keyspace string) *ShardMap // nil for an unknown keyspace
	Keyspace string                          // the session's
	// Shard is the session's explicit target, -1 for none.
	Shard int
	// Internal: the statement is one of the gate's own, which may name tables
	// that are hidden from users.
	Internal bool
	// Foreign tells which foreign keys the gate keeps; nil: none.
	Foreign *foreign.Keys
	// Printer prints for the gate's own engine, which can compute all, and for shards
	// whose map names no other.
	Printer dialect.Printer
	// Catalog gives the definition of a table of information_schema, nil for an
	// unknown one. A nil function knows none.
	Catalog func(table string) *sqlast.TableDef
}

func newBinder(env *Env, params int) *binder {
	b := &binder{
		env:      env,
		home:     env.Keyspace,
		params:   newParamSet(params),
		sourceOf: map[*sqlast.Col]*source{},
		aliasOf:  map[*sqlast.Col]int{},
		blocks:   map[*sqlast.Select]*block{},
		outputs:  map[sqlast.Query][]outCol{},
	}
	b.facts = &facts{b: b, classes: map[term]*class{}}
	return b
}

const maxDepth = 64

// query binds a query below parent and gives its output columns.
func (b *binder) query(q sqlast.Query, parent *block) ([]outCol, error) {
	b.depth++
	defer func() { b.depth-- }()
	if b.depth > maxDepth {
		return nil, unsupported("a statement nested deeper than 64 levels", "views that refer to each other may be the cause")
	}
	var cols []outCol
	var err error
	switch q := q.(type) {
	case *sqlast.Select:
		cols, err = b.selectBlock(q, parent)
	case *sqlast.SetOp:
		cols, err = b.setOp(q, parent)
	}
	if err == nil {
		b.outputs[q] = cols
	}
	return cols, err
}

func (b *binder) setOp(q *sqlast.SetOp, parent *block) ([]outCol, error) {
	own := &block{parent: parent}
	if err := b.with(q.With, own); err != nil {
		return nil, err
	}
	l, err := b.query(q.L, own)
	if err != nil {
		return nil, err
	}
	recursive := b.seedRecursion(q, own, l)
	r, err := b.query(q.R, own)
	if err != nil {
		return nil, err
	}
	if len(l) != len(r) {
		return nil, errorf(CodeColumnCount, -1, "the SELECT statements of a set operation have different numbers of columns: %d and %d", len(l), len(r))
	}
	out := make([]outCol, len(l))
	for i := range l {
		out[i] = outCol{name: l[i].name, typ: mergeTypes(l[i].typ, r[i].typ)}
		if recursive {
			out[i].typ = l[i].typ // as its own references have it
		}
		sameForm(q.L, i, &out[i])
		sameForm(q.R, i, &out[i])
	}
	// ORDER BY of a set operation names output columns.
	own.sources = []*source{{label: "", cols: out, block: own}}
	for i := range q.OrderBy {
		if err := b.expr(&q.OrderBy[i].Expr, own, clauseOrder); err != nil {
			return nil, err
		}
	}
	return out, b.limit(q.Limit)
}

// seedRecursion gives a recursive CTE its columns once the first member of its
// set operation is bound, and says whether it is one.
func (b *binder) seedRecursion(q *sqlast.SetOp, own *block, l []outCol) (seeded bool) {
	for x := own; x != nil; x = x.parent {
		for _, c := range x.ctes {
			if c.binding && c.query == sqlast.Query(q) && c.cols == nil {
				c.cols, seeded = renamed(l, c.columns), true
			}
		}
	}
	return seeded
}

func (b *binder) with(w *sqlast.With, own *block) error {
	if w == nil {
		return nil
	}
	if own.ctes == nil {
		own.ctes = map[string]*cte{}
	}
	for _, x := range w.CTEs {
		c := &cte{name: x.Name, query: x.Query}
		c.columns = x.Columns
		if w.Recursive {
			c.binding = true
			own.ctes[strings.ToLower(x.Name)] = c
		}
		cols, err := b.query(x.Query, own)
		if err != nil {
			return err
		}
		if len(x.Columns) > 0 && len(x.Columns) != len(cols) {
			return errorf(CodeColumnCount, -1, "common table expression %s names %d columns, its query gives %d", x.Name, len(x.Columns), len(cols))
		}
		c.cols, c.binding = renamed(cols, x.Columns), false
		own.ctes[strings.ToLower(x.Name)] = c
	}
	return nil
}

func renamed(cols []outCol, names []string) []outCol {
	out := make([]outCol, len(cols))
	copy(out, cols)
	for i := range out {
		if i < len(names) {
			out[i].name = names[i]
		}
		out[i].hidden = false
	}
	return out
}

func (b *binder) selectBlock(s *sqlast.Select, parent *block) ([]outCol, error) {
	if err := b.liftAggregates(s); err != nil {
		return nil, err
	}
	own := &block{parent: parent, sel: s}
	b.blocks[s] = own
	if err := b.with(s.With, own); err != nil {
		return nil, err
	}
	if s.ValuesRows != nil {
		return b.valuesRows(s, own)
	}
	rolled := s.Rollup && len(s.GroupBy) > 0
	if rolled {
		withLevels(s)
	}
	if s.From != nil {
		from, _, err := b.from(s.From, own, false)
		if err != nil {
			return nil, err
		}
		s.From = from
	}
	if err := b.expandStars(s, own); err != nil {
		return nil, err
	}
	if rolled {
		if err := b.unroll(s, own); err != nil {
			return nil, err
		}
	}
	if err := sureCalls(s); err != nil {
		return nil, err
	}
	for i := range s.Items {
		if err := b.expr(&s.Items[i].Expr, own, clauseItem); err != nil {
			return nil, err
		}
	}
	if err := b.condition(&s.Where, own, clauseWhere); err != nil {
		return nil, err
	}
	own.items = s.Items
	if err := b.groupOrder(s, own); err != nil {
		return nil, err
	}
	if err := b.limit(s.Limit); err != nil {
		return nil, err
	}
	out := b.output(s)
	return out, b.having(s, out)
}

// having writes HAVING as SQLite reads it, which knows columns before aliases,
// and no HAVING without an aggregate in the select list.
func (b *binder) having(s *sqlast.Select, out []outCol) error {
	inItems := slices.ContainsFunc(s.Items, func(it sqlast.SelectItem) bool { return sqlast.HasAgg(it.Expr) })
	for i, o := range s.OrderBy {
		if len(s.GroupBy) == 0 && !inItems && sqlast.HasAgg(o.Expr) {
			return errorf(CodeBadGroup, -1, "expression %d of ORDER BY contains an aggregate, but the query doesn't aggregate", i+1)
		}
	}
	if s.Having == nil {
		return nil
	}
	s.Having = b.unalias(s.Having, s)
	if len(s.GroupBy) > 0 || inItems {
		return nil
	}
	if !sqlast.HasAgg(s.Having) {
		s.Where, s.Having = sqlast.And(s.Where, s.Having), nil
		return nil
	}
	// count(*) >= 0 is true of any group.
	count := &sqlast.Agg{Name: "COUNT", Star: true}
	zero := &sqlast.Lit{Kind: sqlast.LitInt, Text: "0"}
	any := &sqlast.Binary{Op: sqlast.OpGe, L: count, R: zero}
	for _, e := range []sqlast.Expr{count, zero, any} {
		b.infer(e)
	}
	c := &sqlast.Case{Whens: []sqlast.When{{Cond: any, Then: s.Items[0].Expr}}}
	c.T = *s.Items[0].Expr.Type()
	s.Items[0].Expr = c
	if s.Items[0].Alias == "" && s.Items[0].Text == "" {
		s.Items[0].Alias = out[0].name
	}
	return nil
}

func (b *binder) valuesRows(s *sqlast.Select, own *block) ([]outCol, error) {
	var out []outCol
	for _, row := range s.ValuesRows {
		for i := range row {
			if err := b.expr(&row[i], own, clauseItem); err != nil {
				return nil, err
			}
			if len(out) <= i {
				out = append(out, outCol{name: "column_" + itoa(i), typ: *row[i].Type()})
			}
			if t := row[i].Type(); t.Class == sqlast.ClassDecimal || out[i].typ.Class == sqlast.ClassDecimal {
				out[i].typ = mergeTypes(out[i].typ, *t)
			}
		}
	}
	for i := range out {
		sameForm(s, i, &out[i])
	}
	return out, nil
}

func (b *binder) groupOrder(s *sqlast.Select, own *block) error {
	for _, w := range s.Windows {
		if err := b.window(w, own); err != nil {
			return err
		}
	}
	for i := range s.GroupBy {
		at, err := b.position(s.GroupBy[i], s, own, false)
		if err != nil {
			return err
		}
		own.group = append(own.group, at)
		if at < 0 {
			if err := b.expr(&s.GroupBy[i], own, clauseGroup); err != nil {
				return err
			}
		}
	}
	if err := b.condition(&s.Having, own, clauseHaving); err != nil {
		return err
	}
	for i := range s.OrderBy {
		at, err := b.position(s.OrderBy[i].Expr, s, own, true)
		if err != nil {
			return err
		}
		own.order = append(own.order, at)
		if at < 0 {
			if err := b.expr(&s.OrderBy[i].Expr, own, clauseOrder); err != nil {
				return err
			}
		}
		b.orderKey(s, own, i)
	}
	return nil
}

// position says which select item an ORDER BY or GROUP BY term means: a number,
// an alias (in ORDER BY before columns, in GROUP BY after them), or the very
// expression of an item; -1 for none.
func (b *binder) position(e sqlast.Expr, s *sqlast.Select, own *block, order bool) (int, error) {
	switch e := e.(type) {
	case *sqlast.Lit:
		if e.Kind == sqlast.LitInt {
			n, ok := smallInt(e.Text)
			if !ok || n < 1 || n > len(s.Items) {
				clause := "group"
				if order {
					clause = "order"
				}
				return 0, errorf(CodeUnknownColumn, -1, "unknown column '%s' in '%s clause': there are %d result columns", e.Text, clause, len(s.Items))
			}
			return n - 1, nil
		}
	case *sqlast.Col:
		if e.Table != "" {
			break
		}
		i := own.aliasOf(e.Name)
		if i < 0 {
			break
		}
		if !order && b.inSources(e.Name, own) {
			break
		}
		b.aliasOf[e] = i
		e.T = *s.Items[i].Expr.Type()
		return i, nil
	}
	return -1, nil
}

func (b *binder) inSources(name string, own *block) bool {
	for _, src := range own.sources {
		if src.find(name) >= 0 {
			return true
		}
	}
	return false
}

// output gives a bound SELECT's columns. In nested queries the engine must know
// them by MySQL's names, so that unnamed expressions get theirs as alias.
func (b *binder) output(s *sqlast.Select) []outCol {
	out := make([]outCol, len(s.Items))
	for i := range s.Items {
		it := &s.Items[i]
		o := outCol{name: it.Alias, typ: *it.Expr.Type()}
		if c, ok := it.Expr.(*sqlast.Col); ok {
			o.def, o.col = c.Def, c
			if o.name == "" {
				o.name = c.Name
				if src := b.sourceOf[c]; c.Def != nil && (it.Text == "" || src != nil && src.catalog) {
					o.name = c.Def.Name
				}
			}
		}
		if o.name == "" {
			o.name = it.Text
		}
		out[i] = o
	}
	return out
}

// nameItems gives unnamed expressions of a nested query MySQL's name as alias.
func nameItems(q sqlast.Query) {
	switch q := q.(type) {
	case *sqlast.Select:
		for i := range q.Items {
			it := &q.Items[i]
			if _, plain := it.Expr.(*sqlast.Col); !plain && it.Alias == "" && !it.Star {
				it.Alias = it.Text
			}
		}
	case *sqlast.SetOp:
		nameItems(q.L)
	}
}

func (b *binder) limit(l *sqlast.Limit) error {
	if l == nil {
		return nil
	}
	for _, e := range []sqlast.Expr{l.Count, l.Offset} {
		switch e.(type) {
		case nil, *sqlast.Lit, *sqlast.Param:
		default:
			return unsupported("an expression in LIMIT", "use a number or a parameter")
		}
	}
	return nil
}
