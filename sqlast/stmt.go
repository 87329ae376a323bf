package sqlast

import "strings"

// Stmt is a statement. Its set of types is closed: Select, SetOp and the ones
// in this file and in ddl.go.
type Stmt interface{ stmt() }

// Insert is INSERT and REPLACE. One of Rows and Query is set, or neither for
// INSERT … VALUES () / DEFAULT VALUES (then Rows holds one empty row).
type Insert struct {
	Table   *TableRef
	Columns []string // empty: all of the table's, in order
	Rows    [][]Expr
	Query   Query
	// Leading: without Columns, Rows have values of the table's first columns only, as
	// many as they are.
	Leading bool
	Replace bool
	Ignore  bool
	OnDup   []Assignment // ON DUPLICATE KEY UPDATE
	Changed []string     // as Update's, for the rows that OnDup is about
	// Pass: a row whose key is taken is left out, as by ON CONFLICT DO NOTHING;
	// whatever else is wrong with a row is an error, which Ignore forgives.
	Pass bool
	// OnKey, when set, holds the columns of the only key that Pass and OnDup are
	// about: ON CONFLICT (a, b). OnConstraint names that key: the binder puts its columns
	// into OnKey.
	OnKey        []string
	OnConstraint string
	// Found: a row that OnDup leaves as it is counts as 1, as MySQL counts it for
	// clients that ask for found rows. Once: one that it changes counts as 1, too.
	Found bool
	Once  bool
	// KeepZero: 0 doesn't ask for an AUTO_INCREMENT value, only NULL and DEFAULT do.
	KeepZero  bool
	Returning []SelectItem
	// RowAlias and ColAliases are those of VALUES … AS new(a, b); references to
	// them in OnDup are *Values nodes already.
	RowAlias   string
	ColAliases []string
	Directives Directives
}

// Assignment is col = x.
type Assignment struct {
	Col  *Col
	Expr Expr
	// Old: x means the row as it was, whatever is assigned before; as in MySQL, later
	// values else see earlier ones.
	Old bool
}

// AssignedAgain says whether a later assignment of the list is to the column of
// assignment i, which then has no effect but on what stands between.
func AssignedAgain(set []Assignment, i int) bool {
	for _, a := range set[i+1:] {
		if strings.EqualFold(a.Col.Name, set[i].Col.Name) && (a.Col.Source == nil || a.Col.Source == set[i].Col.Source) {
			return true
		}
	}
	return false
}

// Update is UPDATE, over one table or a join.
type Update struct {
	With    *With
	From    TableExpr
	Set     []Assignment
	Where   Expr
	OrderBy []OrderItem
	Limit   *Limit
	Ignore  bool
	// Changed, when set, names assigned columns: a row is written, and counted,
	// only if one of them gets another value than it has.
	Changed    []string
	Returning  []SelectItem
	Directives Directives
}

// Delete is DELETE. Targets is empty for the single-table form.
type Delete struct {
	With       *With
	Targets    []*TableRef
	From       TableExpr
	Where      Expr
	OrderBy    []OrderItem
	Limit      *Limit
	Ignore     bool
	Returning  []SelectItem
	Directives Directives
}

// Explain is EXPLAIN and VEXPLAIN.
type Explain struct {
	// Vexplain: VEXPLAIN, whose Format is PLAN, QUERIES, ALL, TRACE or KEYS.
	Vexplain bool
	Format   string // upper case: "", VITESS, TRADITIONAL, JSON, TREE …
	Analyze  bool
	Stmt     Stmt
	// Text is the explained statement's own text.
	Text string
	// Table is set for EXPLAIN t / DESCRIBE t [col].
	Table  *TableRef
	Column string
}

// Show is SHOW …. What is in upper case, words joined by one space: TABLES,
// FULL TABLES, COLUMNS, INDEX, CREATE TABLE, VARIABLES, VSCHEMA TABLES,
// VITESS_SHARDS, WARNINGS …
type Show struct {
	What    string
	Table   *TableRef
	Schema  string
	Name    string // what is shown, where that is a plain name or string
	Like    string
	HasLike bool
	Where   Expr
	Global  bool
	Text    string
}

// Use is USE keyspace, USE `keyspace/-80`.
type Use struct{ Keyspace, Shard, TabletType string }

// Set is SET. Names are in lower case.
type Set struct{ Vars []SetVar }

// SetVar is one assignment of a SET.
type SetVar struct {
	Scope string // "session", "global", "persist", "user" (@x), "names", "transaction"
	Name  string
	Value Expr // nil for DEFAULT
	// Text is Value's text where it is a bare word (ON, utf8mb4, twopc).
	Text string
}

// Begin is BEGIN and START TRANSACTION.
type Begin struct {
	ReadOnly, ReadWrite bool // said so
	ConsistentSnapshot  bool
	Isolation           string // the level, as READ-COMMITTED; "" where it isn't said
}

// Commit is COMMIT.
type Commit struct{ After Completion }

// Completion is what COMMIT and ROLLBACK say about what follows. Of what is neither
// asked for nor refused, completion_type decides.
type Completion struct{ Chain, NoChain, Release, NoRelease bool }

// Rollback is ROLLBACK [TO SAVEPOINT name].
type Rollback struct {
	To    string
	After Completion
}

// Savepoint is SAVEPOINT name.
type Savepoint struct{ Name string }

// Release is RELEASE SAVEPOINT name.
type Release struct{ Name string }

// LockTables is LOCK TABLES (or UNLOCK TABLES, with no Tables).
type LockTables struct {
	Unlock bool
	Tables []LockTable
}

// LockTable is one table of LOCK TABLES.
type LockTable struct {
	Table *TableRef
	Write bool
}

// Kill is KILL [QUERY|CONNECTION] id.
type Kill struct {
	ID    uint64
	Query bool
}

// Maintain is ANALYZE, OPTIMIZE, CHECK TABLE, FLUSH and other statements that
// only tend to storage; What in upper case.
type Maintain struct {
	What   string
	Tables []*TableRef
}

// Do is DO expr, ….
type Do struct{ Exprs []Expr }

// Prepare, Execute and Deallocate are the SQL form of prepared statements.
type Prepare struct {
	Name string
	Text string
	Var  string // PREPARE s FROM @v
}

// Execute is EXECUTE name USING @a, ….
type Execute struct {
	Name string
	Vars []string
}

// Deallocate is DEALLOCATE PREPARE name.
type Deallocate struct{ Name string }

// Empty is a statement of comments only.
type Empty struct{}

func (*Select) stmt()     {}
func (*SetOp) stmt()      {}
func (*Insert) stmt()     {}
func (*Update) stmt()     {}
func (*Delete) stmt()     {}
func (*Explain) stmt()    {}
func (*Show) stmt()       {}
func (*Use) stmt()        {}
func (*Set) stmt()        {}
func (*Begin) stmt()      {}
func (*Commit) stmt()     {}
func (*Rollback) stmt()   {}
func (*Savepoint) stmt()  {}
func (*Release) stmt()    {}
func (*LockTables) stmt() {}
func (*Kill) stmt()       {}
func (*Maintain) stmt()   {}
func (*Do) stmt()         {}
func (*Prepare) stmt()    {}
func (*Execute) stmt()    {}
func (*Deallocate) stmt() {}
func (*Empty) stmt()      {}
