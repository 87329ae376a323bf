package sqlast

// Expr is an expression node. Its set of types is closed: the ones in this
// file.
type Expr interface {
	// Type is where the binder keeps what it knows of the expression's values.
	Type() *Type
}

type typed struct{ T Type }

func (t *typed) Type() *Type { return &t.T }

// Col is a column reference.
type Col struct {
	typed
	Schema, Table, Name string // as written; Schema and Table may be ""
	Pos                 int    // byte offset in the statement's text

	// RowName: where no table has a column of the name, it is a table's column of whole
	// numbers that is its key, as SQLite's rowid.
	RowName bool

	// Source is the table that the binder resolved the column to, Def its
	// definition there; nil for a derived table's column, and before binding.
	Source *TableRef
	Def    *ColumnDef
	// Engine is the engine's name of the column where that isn't Name: "".
	Engine string
	// RowID, when not nil, is the table whose rows the column tells apart as the
	// shard's engine does, by a name of its own.
	RowID *TableDef
}

// Param is a statement parameter: argument Index, from 0.
type Param struct {
	typed
	Index int
}

// LitKind is the kind of a literal.
type LitKind uint8

// The kinds of literals.
const (
	LitNull LitKind = iota
	LitInt          // Text holds decimal digits, may exceed 64 bits
	LitDecimal
	LitFloat
	LitString
	LitBytes     // x'..', 0x.., b'..': Text holds the raw bytes
	LitDate      // DATE '…'
	LitTime      // TIME '…'
	LitTimestamp // TIMESTAMP '…'
	LitTrue
	LitFalse
)

// Lit is a literal. Strings are held with escapes resolved.
type Lit struct {
	typed
	Kind LitKind
	Text string
	// Binary: written with _binary or as b'..' / 0x.. .
	Binary bool
}

// Op is an operator.
type Op uint8

// The operators.
const (
	OpNone Op = iota
	OpOr
	OpXor
	OpAnd
	OpNot // unary
	OpEq
	OpNullSafeEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpBitOr
	OpBitAnd
	OpBitXor
	OpShl
	OpShr
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpIntDiv
	OpMod
	OpConcat  // || under PIPES_AS_CONCAT
	OpNeg     // unary
	OpPlus    // unary
	OpBitNot  // unary
	OpBinary  // BINARY x, unary
	OpRegexp  // x REGEXP y
	OpMember  // x MEMBER OF (y)
	OpJSONGet // x -> y   (JSON_EXTRACT)
	OpJSONTxt // x ->> y  (JSON_UNQUOTE(JSON_EXTRACT))
)

// Comparison says whether op compares two values (=, <=>, <>, <, <=, >, >=).
func (op Op) Comparison() bool { return op >= OpEq && op <= OpGe }

// Binary is a two-sided operator.
type Binary struct {
	typed
	Op   Op
	L, R Expr
}

// Unary is a one-sided operator: NOT, -, +, ~, BINARY.
type Unary struct {
	typed
	Op Op
	X  Expr
}

// Func is a scalar function call; Name in upper case. MySQL's syntactic
// functions come here too: EXTRACT(unit FROM x) as EXTRACT with a Keyword
// argument, TRIM with a Keyword (BOTH, LEADING, TRAILING), DATE_ADD(x, Interval).
// LEFT, IF, NOW and the like are ordinary names.
type Func struct {
	typed
	Name string
	Args []Expr
	Pos  int
}

// Keyword is a bare word as a function argument: a unit, BOTH, a charset.
type Keyword struct {
	typed
	Word string
}

// Interval is INTERVAL x unit.
type Interval struct {
	typed
	X    Expr
	Unit string // upper case: DAY, MONTH, HOUR_MINUTE …
}

// Agg is an aggregate function call, also when it is used as a window function
// (then it stands in Window.Func).
type Agg struct {
	typed
	Name      string // upper case: COUNT, SUM, MIN, MAX, AVG, GROUP_CONCAT, …
	Star      bool   // COUNT(*)
	Distinct  bool
	Args      []Expr
	OrderBy   []OrderItem // GROUP_CONCAT, JSON_ARRAYAGG
	Separator *string     // GROUP_CONCAT
	// Filter, when not nil, is what holds of the rows that JSON_ARRAYAGG and
	// JSON_OBJECTAGG are made of; other aggregates pass over NULLs.
	Filter Expr
}

// Window is a function with OVER.
type Window struct {
	typed
	Func Expr // *Agg, or *Func for ROW_NUMBER, RANK, LAG …
	Name string
	Spec *WindowSpec // nil when only a Name stands after OVER
}

// WindowSpec is a window's definition.
type WindowSpec struct {
	Name        string // its name in the WINDOW clause
	Base        string // the name that it builds on
	PartitionBy []Expr
	OrderBy     []OrderItem
	Frame       *Frame
}

// Frame is a window frame.
type Frame struct {
	Unit       string // ROWS, RANGE or GROUPS
	Start, End FrameBound
}

// FrameBound is one end of a frame.
type FrameBound struct {
	Kind BoundKind
	X    Expr // for Preceding and Following
}

// BoundKind is the kind of a frame's end.
type BoundKind uint8

// The kinds of frame ends.
const (
	BoundCurrentRow BoundKind = iota
	BoundUnboundedPreceding
	BoundUnboundedFollowing
	BoundPreceding
	BoundFollowing
)

// Case is CASE [x] WHEN … THEN … ELSE … END.
type Case struct {
	typed
	X     Expr // nil for the searched form
	Whens []When
	Else  Expr
}

// When is one branch of a Case.
type When struct{ Cond, Then Expr }

// Cast is CAST(x AS type) or CONVERT(x, type); CONVERT(x USING cs) has To.Name
// "CHAR".
type Cast struct {
	typed
	X  Expr
	To Type // Name: SIGNED, UNSIGNED, CHAR, BINARY, DATE, DATETIME, TIME, DECIMAL, DOUBLE, FLOAT, JSON, YEAR
	// Strict: To is a number's type as a column has it, and what doesn't fit is an
	// error as it is for a column.
	Strict bool
}

// Collate is x COLLATE name.
type Collate struct {
	typed
	X    Expr
	Name string
}

// In is x [NOT] IN (list) or x [NOT] IN (subquery); exactly one of List and Sub
// is set. A Row on the left makes Rows of the list's members.
type In struct {
	typed
	X    Expr
	List []Expr
	Sub  Query
	Not  bool
}

// Between is x [NOT] BETWEEN lo AND hi.
type Between struct {
	typed
	X, Lo, Hi Expr
	Not       bool
}

// Like is x [NOT] LIKE pattern [ESCAPE c].
type Like struct {
	typed
	X, Pattern Expr
	Escape     string // one character, or "" for the default, \
	Literal    bool   // no character escapes
	Not        bool
}

// TruthKind is what an Is tests for.
type TruthKind uint8

// What an Is tests for.
const (
	IsNull TruthKind = iota
	IsTrue
	IsFalse
)

// Is is x IS [NOT] NULL, TRUE, FALSE.
type Is struct {
	typed
	X    Expr
	What TruthKind
	Not  bool
}

// SubKind is how a subquery stands in an expression.
type SubKind uint8

// How a subquery stands in an expression.
const (
	SubScalar SubKind = iota
	SubExists
	SubAny // x op ANY (…)
	SubAll // x op ALL (…)
)

// Subquery is a subquery in an expression; IN's stands in In.Sub.
type Subquery struct {
	typed
	Kind SubKind
	// Many: a scalar subquery that may find more than one row, which is an error.
	Many  bool
	Query Query
	Not   bool // NOT EXISTS
	X     Expr // for ANY and ALL: the left side
	Op    Op   // for ANY and ALL
}

// Row is (a, b, …).
type Row struct {
	typed
	Items []Expr
}

// Default is DEFAULT (Col nil) or DEFAULT(col).
type Default struct {
	typed
	Col *Col
}

// Values is VALUES(col), or new.col of a row alias, in ON DUPLICATE KEY UPDATE.
type Values struct {
	typed
	Name string
	// Def is filled in by the binder.
	Def *ColumnDef
}

// Members are those of a list that X, a parameter, holds as JSON. It is the only item
// of an In's List, or of a Select without FROM, and its type that of the members.
type Members struct {
	typed
	X Expr
}

// Touched is what an ON UPDATE CURRENT_TIMESTAMP column gets: Now where the
// statement changes another column as it is stored, else Was, its own value.
// Column i of Defs has Olds[i] and is to get News[i]. All of these speak of the
// row as it was before the statement.
type Touched struct {
	typed
	Now, Was   Expr
	Defs       []*ColumnDef
	Olds, News []Expr
}

// Checked is X, where Cond holds of the row that is written through a view WITH
// CHECK OPTION; else the statement fails.
type Checked struct {
	typed
	Cond, X Expr
	View    string // keyspace.view
}

// SysVar is @@name, @@session.name, @@global.name.
type SysVar struct {
	typed
	Name   string // lower case
	Global bool
	Scope  string // "", "session", "global"
}

// UserVar is @name; Value is set for @name := x.
type UserVar struct {
	typed
	Name  string
	Value Expr
}

// Raw is text in the shard's dialect, printed as it stands.
type Raw struct {
	typed
	Text string
}

// Late is an expression whose meaning hangs on the types of Args, as that of / in
// PostgreSQL: a front end leaves it to the binder, which knows the types. Decide is
// called once, with bound arguments, and gives what stands in its place: the
// arguments, each once at the most unless it is cloned, and new nodes, which may be
// operators, functions, casts and literals, but name nothing. Its error is a
// [*SyntaxError] with the place in the text.
type Late struct {
	typed
	Args   []Expr
	Decide func(args []Expr) (Expr, error)
}

// Given says whether e is a literal or an argument. Where the text of one meets
// numbers, the planner and the gate take the number that it begins with, so that it
// is one as a whole.
func Given(e Expr) bool {
	switch e.(type) {
	case *Lit, *Param:
		return true
	}
	return false
}
