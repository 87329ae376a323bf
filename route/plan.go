package route

import (
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// PlanType names how a statement is run, as EXPLAIN FORMAT='vitess' prints it.
type PlanType string

// The plan types.
const (
	SingleShard      PlanType = "single_shard"
	Scatter          PlanType = "scatter"
	ScatterAggregate PlanType = "scatter_aggregate"
	Lookup           PlanType = "lookup"
	Unsharded        PlanType = "unsharded"
)

// Plan is how one statement is run. It is immutable.
type Plan struct {
	Params    Params
	Columns   []Column // of the result; empty for writes without RETURNING
	Fragments []*Fragment
	Combine   Combine
	// Write is set for INSERT, UPDATE, DELETE and REPLACE.
	Write *Write
	// Lock: SELECT … FOR UPDATE or FOR SHARE; inside a transaction the shards'
	// write locks are taken before the rows are read.
	Lock bool
	// NoWait: a lock that isn't free is an error. SkipLocked: a shard whose lock
	// isn't free is left out.
	NoWait, SkipLocked bool
	// Partial: the fragments give partial aggregates, which Combine's query puts
	// together.
	Partial bool
	// Tables lists "keyspace.table" of every table used.
	Tables []string
	// Assign sets user variables by the rows that are handed out, the last one
	// last. Found is set by SQL_CALC_FOUND_ROWS.
	Assign []Assign
	Found  *FoundRows
}

// Asks visits the fragments of a plan and of the subqueries that are evaluated
// before it.
func (p *Plan) Asks(f func(*Fragment)) {
	for i := range p.Params.Steps {
		if q := p.Params.Steps[i].Query; q != nil {
			q.Plan.Asks(f)
		}
	}
	for _, x := range p.Fragments {
		f(x)
	}
}

// Column is a result column.
type Column struct {
	Name string
	Type sqlast.Type
	// Table, Schema and Origin, the column's own name, say where a plain column
	// comes from; else "".
	Schema, Table, Origin string
}

// Params says what a plan's statements bind. Their parameter ?N is element N-1
// of one vector: the caller's arguments, then the computed ones.
type Params struct {
	// User is the number of arguments that the caller gives.
	User int
	// Coerce changes caller's arguments in place before anything else.
	Coerce []Coercion
	// Text lists the caller's arguments that meet text or numbers: bytes are
	// text there, since the engine takes bytes and text for different.
	Text []int
	// Exact lists those that are compared with integers or DECIMALs: text of more
	// digits than the engine keeps is refused there.
	Exact []int
	// Numbers lists those that are compared with numbers: text there is the number
	// that it begins with.
	Numbers []int
	// Long lists those that meet DECIMALs, which may have more digits than integers:
	// an unsigned integer that no integer with a sign holds is one of them there.
	Long []int
	// Texts lists those that are compared with text. A number there asks for
	// another plan, since it compares as numbers do.
	Texts []int
	// Steps are done before the plan's statements run; their slots are among
	// Computed.
	Steps []Step
	// Computed are appended in order; a later one may use an earlier one.
	Computed []Computed
}

// Coercion brings an argument into the form of the column that it meets: dates
// and times to the column's canonical text, text to bytes.
type Coercion struct {
	Arg  int
	Type sqlast.Type
	// Store: the value is stored in the column, not compared with it.
	Store bool
	// Column is set where the value is stored and may not fit: it is brought into
	// the column's form, or refused.
	Column *sqlast.ColumnDef
}

// ComputedKind is where a computed parameter's value comes from.
type ComputedKind uint8

// Where a computed parameter's value comes from.
const (
	// ComputedConst is Value.
	ComputedConst ComputedKind = iota
	// ComputedNow is the statement's time, as Type says (DATE, TIME, DATETIME
	// with Scale digits; ClassInt: the Unix time); UTC says not to shift it to
	// the session's zone.
	ComputedNow
	// ComputedUUID is a new UUID's text; ComputedRand a float in [0,1).
	ComputedUUID
	ComputedRand
	// ComputedSession asks the session: Name is "database()", "version()",
	// "user()", "connection_id()", "last_insert_id()", "row_count()",
	// "found_rows()", "@@name", "@@global.name" or "@name".
	ComputedSession
	// ComputedCoerced is argument Arg coerced to Type.
	ComputedCoerced
	// ComputedNext is the first of the values that Next takes.
	ComputedNext
	// ComputedExpr is the value of the SQLite expression SQL over the
	// parameters before it, evaluated at the gate.
	ComputedExpr
	// ComputedCall asks the session to do something, as "get_lock": Name says
	// what, Args with which values.
	ComputedCall
)

// Computed is a parameter that the gate adds.
type Computed struct {
	Kind  ComputedKind
	Value any
	Name  string
	Arg   int
	Type  sqlast.Type
	UTC   bool
	SQL   string
	Next  *NextValues
	Args  []Source
}

// Source is a value at run time: parameter Arg, or Const when Arg is below 0.
type Source struct {
	Arg   int
	Const any
}

// Fragment is one statement for some shards.
type Fragment struct {
	Keyspace string
	Dest     Destination
	// SQL's list slots are filled with the shard's part of Dest's values when
	// Split is set; otherwise it has none.
	SQL   dialect.Text
	Split bool
	// Width is the number of columns that a row has, hidden ones included.
	Width int
	// Tag adds, behind the fragment's own columns, the ordinal of the shard
	// that a row came from. Table is whose rows are tagged, where the fragment
	// is of one table alone.
	Tag   bool
	Table *sqlast.TableDef
	// Partial: the rows are partial aggregates, which the combine's query puts
	// together.
	Partial bool
	// Catalog is set when the gate gives the rows itself: no shard is asked, and
	// SQL only tells people what is fetched.
	Catalog *CatalogScan
	// Names and Types of the columns, for a query combine's tables.
	Names []string
	Types []sqlast.Type
}

// CombineKind is what the gate does with rows.
type CombineKind uint8

// The combines, from the cheapest to the universal one.
const (
	// Pass: one fragment on one shard; its stream is the result.
	Pass CombineKind = iota
	// Concat: the shards' streams one behind the other, in any order.
	Concat
	// Merge: the shards' streams are sorted by Sort and stay so.
	Merge
	// Aggregate: the shards' partial aggregates are combined by Group and Aggs,
	// then sorted by Sort.
	Aggregate
	// Query: fragment i's rows become table "fi" of a scratch database, those of
	// join i "ji", and SQL runs there.
	Query
	// Joined: the rows of the last of Joins, aggregated by Group and Aggs where
	// there are any, then sorted by Sort, are the result.
	Joined
)

// String gives the name that EXPLAIN prints.
func (k CombineKind) String() string {
	return [...]string{"pass", "concat", "merge", "aggregate", "query", "join"}[k]
}

// Combine says what the gate does with the fragments' rows. After Kind's own
// work come, in this order: Distinct, Offset, Limit, and the cut to Width
// columns. Sort keys and group keys index columns before the cut; for Aggregate,
// Sort indexes the output columns, Group and Aggs those of the fragments.
type Combine struct {
	Kind     CombineKind
	Sort     []SortKey
	Group    []SortKey // Desc has no meaning here
	Aggs     []AggCol  // one per output column
	Distinct []SortKey // columns that make a row distinct; nil: no DISTINCT
	Limit    *Source
	Offset   *Source
	Width    int
	// Joins are what the gate joins by itself, each after those that it reads.
	// A fragment or join that one of them reads is read by nothing else.
	Joins []*Join
	// Indexes are columns of a Query's tables by which its SQL looks rows up again
	// and again: the engine makes an index of its own for a join, but none for a
	// correlated subquery.
	Indexes []Index
	// SQL of a Query, over tables f0, f1 … and the plan's parameters. It does
	// its own sorting, DISTINCT and LIMIT.
	SQL string
}

// SortKey is a column to sort, group or tell rows apart by. Values order as in
// SQLite: NULL, numbers, text, blobs; text by bytes, or with ASCII case folded
// when NoCase.
type SortKey struct {
	Col    int
	Desc   bool
	NoCase bool
	// NullsAside: NULLs stand at the other end than that.
	NullsAside bool
}

// nullsOf is where a key's order has NULLs.
func nullsOf(k SortKey) sqlast.Nulls {
	switch {
	case !k.NullsAside:
		return sqlast.NullsLowest
	case k.Desc:
		return sqlast.NullsFirst
	}
	return sqlast.NullsLast
}

// AggOp combines partial results.
type AggOp uint8

// How an output column of an aggregate is made.
const (
	AggFirst AggOp = iota // the value of the group's first row: keys
	AggSum                // SUM of partial sums; NULL if there is none
	AggCount              // sum of counts; 0 if there is none
	AggMin
	AggMax
	AggAvg // Col holds partial sums, Count partial counts
	// Of single rows, where Joined aggregates: their number, or that of those
	// whose Col isn't NULL, and the average of Col.
	AggRows
	AggFilled
	AggMean
)

// AggCol is one output column of an aggregate combine.
type AggCol struct {
	Op     AggOp
	Col    int
	Count  int  // AggAvg
	NoCase bool // AggMin, AggMax
	// Scale is that of a DECIMAL sum or average, which is computed exactly; -1:
	// it is no DECIMAL.
	Scale int
	// Keyed: a result that is sorted by is a key, as its type's are.
	Keyed bool
}

// WriteKind is the shape of a write.
type WriteKind uint8

// The shapes of writes.
const (
	// WriteWhole: each fragment's statement does its shard's part.
	WriteWhole WriteKind = iota
	// WriteRows: an insert of rows, each sent to the shard that owns it.
	WriteRows
	// WriteByKey: Plan.Fragments and Combine find the affected rows; ByKey
	// says what is done to each.
	WriteByKey
)

// Write is the writing part of a plan.
type Write struct {
	Kind   WriteKind
	Table  *sqlast.TableDef
	Schema string
	Insert *InsertRows
	ByKey  []KeyWrite
	// Everywhere: the same write goes to every shard (reference tables), and
	// one shard's count is the answer.
	Everywhere bool
	// Checked are the foreign keys that the shards check in this write.
	Checked []Checked
}

// InsertRows is an insert of rows. SQL writes one row, its parameter ?i+1 being
// column i of Columns, then the row-independent parameters of OnDup.
type InsertRows struct {
	Keyspace string
	SQL      dialect.Text
	Columns  []*sqlast.ColumnDef
	// Rows holds a Source per column; nil when the rows come from Plan's own
	// fragments (INSERT … SELECT).
	Rows [][]Source
	// Spell holds, for INSERT … SELECT, the scales of the DECIMALs that go in as text
	// columns by the column's ordinal: text has all digits of the scale.
	Spell map[int]int
	// Beside is how many columns of Plan's own fragments, behind Columns, belong to
	// the row for ON DUPLICATE KEY UPDATE alone. Conflicts is set then.
	Beside int
	// Extra are bound behind each row's values: ON DUPLICATE KEY UPDATE's
	// parameters.
	Extra []Source
	// Derived, when not nil, computes what stands behind all that: the row's
	// values of unique keys that are made of others.
	Derived *Derived
	// Ignore: a value that doesn't fit its column is adjusted, where it is an
	// error else.
	Ignore bool
	// Dest says which column values make the keyspace ID; nil: one shard or
	// everywhere, as Fixed says.
	Dest  *RowDest
	Fixed Destination
	// AutoInc is the ordinal in Columns of the AUTO_INCREMENT column, or -1;
	// Sequence names where its values come from ("" : the table's own).
	// KeepZero: a 0 in it is kept, where it asks for a value else.
	AutoInc               int
	KeepZero              bool
	SeqKeyspace, Sequence string
	// Counting tells how affected rows are counted: REPLACE and ON DUPLICATE
	// KEY UPDATE count 2 for a row that was there.
	Counting Counting
	// Effects, when not nil, follow the rows; EffectAt says which of Columns its
	// columns are, -1 for those that are derived. Conflicts is set when rows that are in the way must be met by
	// the gate; SQL is then a plain insert.
	Effects   *Effects
	EffectAt  []int
	Conflicts *Conflicts
	// Found: a row that ON DUPLICATE KEY UPDATE leaves as it is counts as 1. Once:
	// one that it changes counts as 1, not 2.
	Found, Once bool
	// Exists, for CountReplace, is a query that counts the rows that the new
	// one collides with, by the row's own parameters; it is run before the
	// row's write. No text: the table has no key to collide on.
	Exists dialect.Text
	// Remove, when it has a text, deletes the rows that Exists has counted, before the
	// new one is written: their children, by foreign keys that the shards keep, are
	// to see them go even where the new row has their key. Removing are those keys.
	Remove   dialect.Text
	Removing []Checked
}

// Generated says whether a value for the AUTO_INCREMENT column asks for one.
func (r *InsertRows) Generated(v any) bool {
	return v == nil || v == int64(0) && !r.KeepZero
}

// Width is the number of values that a row has.
func (r *InsertRows) Width() int {
	n := len(r.Columns) + r.Beside + len(r.Extra)
	if r.Derived != nil {
		n += len(r.Derived.To)
	}
	return n
}

// Counting is how MySQL counts an insert's affected rows.
type Counting uint8

// How MySQL counts an insert's affected rows.
const (
	CountPlain   Counting = iota // what the shard says
	CountDup                     // ON DUPLICATE KEY UPDATE: 1 new, 2 changed
	CountReplace                 // REPLACE: 1, and 1 more for each row that went
)

// Following are effects, if not nil, of rows that were found: what was found of a
// row has their columns' old values at Old, the new ones at New.
type Following struct {
	Effects  *Effects
	Old, New []int
}

// KeyWrite writes rows by their row ID. Row r of the finding plan gives: column
// Shard, the shard's ordinal; column RowID, the row ID; the statement's
// parameter ?1 is the row ID, and ?2 … are the columns from Values on.
type KeyWrite struct {
	Keyspace string
	Table    *sqlast.TableDef
	SQL      dialect.Text // "UPDATE … WHERE rowid = ?1" or "DELETE …"
	Shard    int
	RowID    int
	Values   []int
	// Fit are the columns that Values are written to, when the gate is to bring them
	// into the columns' forms; nil: the shard does.
	Fit []*sqlast.ColumnDef
	// Move is set when the sharding key changes: the row is deleted by SQL's
	// row ID and inserted by Move at the shard that its new values name; when
	// that is the same shard, Stay updates it in place. Tied, when not nil, is the
	// error for a row that SQL doesn't delete, because it has children. With
	// Children rows go one by one: one that moves arrives first, then its children
	// follow it from shard to shard, and then it leaves. Without them all leave before
	// any arrives, and Among, when not nil, has the unique keys by which the shards
	// would have told in what order they collide.
	Move     *InsertRows
	Stay     dialect.Text
	Tied     error
	Children *Following
	Among    *Following
	// Following are the row's effects. Ignore: a row whose change violates something
	// stays as it is, and the others are written.
	Following
	Ignore bool
	// TellsID: LAST_INSERT_ID() tells the last value of the found rows' column
	// InsertID from then on.
	TellsID  bool
	InsertID int
	// Everywhere: the row is written on every shard, and one shard's count is the
	// answer; for reference tables. Copies are told by the columns in Keys, which
	// SQL has as parameters behind the values, as row IDs might differ.
	Everywhere bool
	Keys       []int
}
