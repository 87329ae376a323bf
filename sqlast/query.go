package sqlast

// Query is *Select or *SetOp.
type Query interface {
	Stmt
	query()
}

// Select is one SELECT block.
type Select struct {
	With     *With
	Distinct bool
	Items    []SelectItem
	From     TableExpr // nil: no FROM, or FROM DUAL; a comma list is a Join of kind JoinCross
	Where    Expr
	GroupBy  []Expr
	Rollup   bool // the binder makes an ordinary GROUP BY of it
	// Sets, when set, are those of GROUPING SETS: of each the members of GroupBy that it
	// groups by, in the place of ROLLUP's.
	Sets     [][]int
	Having   Expr
	Windows  []*WindowSpec
	OrderBy  []OrderItem
	Limit    *Limit
	Lock     *Lock
	CalcRows bool // SQL_CALC_FOUND_ROWS
	// ValuesRows, when set, makes this VALUES ROW(..), ROW(..).
	ValuesRows [][]Expr
	Directives Directives
	// Parens: the block was written in brackets as member of a set operation.
	Parens bool
}

// SetOpKind is UNION, INTERSECT or EXCEPT.
type SetOpKind uint8

// The set operations.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

// SetOp is a set operation of two queries, with what stands behind it.
type SetOp struct {
	With    *With
	Kind    SetOpKind
	All     bool
	L, R    Query
	OrderBy []OrderItem
	Limit   *Limit

	Directives Directives
}

func (*Select) query() {}
func (*SetOp) query()  {}

// With is WITH [RECURSIVE] ctes.
type With struct {
	Recursive bool
	CTEs      []*CTE
}

// CTE is one common table expression.
type CTE struct {
	Name    string
	Columns []string
	Query   Query
}

// SelectItem is one result column.
type SelectItem struct {
	// Star: * or t.*; then Table (and Schema) may name the table and Expr is nil.
	Star          bool
	Schema, Table string
	// Hide are the columns that * leaves out.
	Hide  []string
	Expr  Expr
	Alias string
	// Text is the source text, MySQL's name for a column without alias.
	Text string
	// Result: the value is handed out and nothing else is done with it, so that a
	// DECIMAL of more digits than a number keeps may be text.
	Result bool
}

// OrderItem is one ORDER BY term.
type OrderItem struct {
	Expr Expr
	Desc bool
	// Nulls says where NULLs stand.
	Nulls Nulls
}

// Nulls says where NULLs stand in an order.
type Nulls uint8

// Where NULLs stand: below all values, as in MySQL, or where it is said.
const (
	NullsLowest Nulls = iota
	NullsFirst
	NullsLast
)

// NullsAside says whether NULLs are to stand elsewhere than at the low end of values,
// and may be there.
func (o *OrderItem) NullsAside() bool {
	if o.Nulls == NullsLowest || o.Desc != (o.Nulls == NullsFirst) {
		return false
	}
	c, plain := o.Expr.(*Col)
	return !plain || !c.T.NotNull
}

// Limit is LIMIT count OFFSET offset; each a Lit or Param, or nil.
type Limit struct{ Count, Offset Expr }

// Lock is FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE.
type Lock struct {
	Share              bool
	NoWait, SkipLocked bool
}

// TableExpr is *TableRef, *Derived or *Join.
type TableExpr interface{ tableExpr() }

// TableRef is a table, view or CTE by name.
type TableRef struct {
	Schema, Name string
	Alias        string
	Pos          int
	// Table is filled in by the binder; nil for a CTE.
	Table *TableDef
	// Shard is the explicit target of `ks/-80`.t, or "".
	Shard string
}

// Label is the name that qualifies the table's columns.
func (t *TableRef) Label() string {
	if t.Alias != "" {
		return t.Alias
	}
	return t.Name
}

// Derived is a subquery in FROM.
type Derived struct {
	Query   Query
	Alias   string
	Columns []string // (SELECT …) AS t(a, b)
	Lateral bool
	// JSON is set where it was JSON_TABLE: then the columns are JSON's.
	JSON *JSONTable
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of joins.
const (
	JoinInner JoinKind = iota
	JoinCross          // comma, CROSS JOIN, or JOIN without condition
	JoinLeft
	JoinRight
	// JoinFull keeps the rows of both sides; MySQL has none. It has neither USING nor NATURAL.
	JoinFull
)

// Join joins two table expressions.
type Join struct {
	Kind     JoinKind
	L, R     TableExpr
	On       Expr
	Using    []string
	Natural  bool
	Straight bool
}

func (*TableRef) tableExpr() {}
func (*Derived) tableExpr()  {}
func (*Join) tableExpr()     {}

// Directives are the K=V pairs of /*vt+ … */ comments, keys in upper case.
type Directives map[string]string

// Direct hangs directives on the statement that they direct.
func Direct(stmt Stmt, d Directives) {
	if len(d) == 0 {
		return
	}
	switch x := stmt.(type) {
	case *Select:
		x.Directives = d
	case *SetOp:
		x.Directives = d
	case *Insert:
		x.Directives = d
	case *Update:
		x.Directives = d
	case *Delete:
		x.Directives = d
	case *Explain:
		Direct(x.Stmt, d)
	}
}
