package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Event is a set of changes of a row.
type Event uint8

// The changes of a row.
const (
	OnInsert Event = 1 << iota
	OnUpdate
	OnDelete
)

// Effects are what the gate keeps beside the rows that a write changes, such as
// the entries of a lookup vindex. The write knows every changed row's old and
// new values of Columns: an insert has them in its rows (its Columns hold all of
// these, defaults made explicit), an UPDATE or DELETE finds them with the rows
// and writes by key. A REPLACE deletes and inserts; an ON DUPLICATE KEY UPDATE
// inserts or updates.
//
// Everything runs in the scope of the statement: what an effect writes stays or
// goes with the rows, and an effect's error is the statement's. The effects
// marked Before go first, in order, then the rows are written, then the others
// go, in order; each one for all rows of the statement, in the order in which the
// rows are changed. An effect is a statement like any other: when the table that
// it writes has effects, they run too.
//
// Columns that are made of others, Derived, are computed from them before and
// after the write: generated columns, and the expressions of keys, which are
// columns that nobody sees.
type Effects struct {
	Columns []*sqlast.ColumnDef
	Derived *Derived
	List    []Effect
}

// Effect is one statement that follows the change of rows. Its text is in
// MySQL's dialect, and names tables as `keyspace`.`table`: Head, then Row once
// for every row, joined by ", ", then Tail. So one execution does many rows:
//
//	INSERT INTO `ks`.`t` (a, b) VALUES | (?, ?) |
//	DELETE FROM `ks`.`t` WHERE a IN (  | ?      | )
//
// An effect without Row is Head alone, run once for every row, one by one.
// Parameters are positional; each row gives one value per Args.
type Effect struct {
	// Name is that of the key or constraint that the effect is there for.
	Name string
	// On says which changes of a row it follows, Watch (ordinals in
	// Effects.Columns) which columns' change makes an update count: an update
	// that leaves all of them as they were is none.
	On     Event
	Watch  []int
	Before bool

	// Keyspace is the one that EXPLAIN names, and that of bare names.
	Keyspace        string
	Head, Row, Tail string
	Args            []EffectArg
	// SkipNull: a row in which one of Args is NULL has no effect.
	SkipNull bool
	// Nullable counts the last of Args, whose NULLs SkipNull doesn't mean.
	Nullable int
	// Key: the New values of Args, as far as they are columns, are a unique key
	// of the written table. Rows are checked against each other in the order in
	// which they are changed: no new key may be one that another row has got, or
	// that a later row still has.
	Key bool

	// UnlessGiven: a row whose old values of Args another row of the statement has
	// got has no effect, since something with them is still there.
	UnlessGiven bool

	Judge Judge
	// Fail makes the error of a violation, an *Error with one of the codes that
	// IsViolation knows. values are the Args of the row, nil when it isn't known
	// which of several it was.
	Fail func(values []any) error
}

// EffectArg is a value of a changed row: column At of Effects.Columns, before
// the write or, when New, after it. With ID it is the keyspace ID of the row,
// whose Ordinals count in Effects.Columns. With a Prefix it is only that many of
// the column's first characters, of binary columns bytes.
type EffectArg struct {
	At     int
	New    bool
	ID     *RowDest
	Prefix int
}

// Judge says what makes an effect fail, beside the statement's own errors.
type Judge uint8

// What makes an effect fail.
const (
	// JudgeErrors: nothing but the statement's own errors.
	JudgeErrors Judge = iota
	// JudgeUnique: that the statement violates a unique key of the table that it
	// writes.
	JudgeUnique
	// JudgeEmpty: that the statement, a query, finds anything.
	JudgeEmpty
	// JudgeAll: that the statement, a query, finds fewer rows than it was given
	// different Args (all of them columns). It is for looking up rows by a unique
	// key.
	JudgeAll
)

// Text is the effect's statement for n rows.
func (e *Effect) Text(n int) string {
	if e.Row == "" {
		return e.Head
	}
	return e.Head + strings.Repeat(e.Row+", ", n-1) + e.Row + e.Tail
}

// ConflictAction is what an insert does where a row is that has one of the new
// row's unique keys.
type ConflictAction uint8

// What an insert does with a row that is in its way.
const (
	ConflictSkip    ConflictAction = iota // INSERT IGNORE
	ConflictReplace                       // REPLACE
	ConflictUpdate                        // ON DUPLICATE KEY UPDATE
	ConflictPass                          // ON CONFLICT DO NOTHING
)

// Conflicts says how an insert into a table with effects meets rows that are in
// its way: row by row, by plans of their own, whose arguments are the row's
// values and the insert's Extra. Without effects the shard does it.
type Conflicts struct {
	Action ConflictAction
	Keys   []ConflictKey
}

// ConflictKey is one unique key of the table, in the table's order.
type ConflictKey struct {
	Ordinals []int // of its columns in the row; a NULL in one collides with nothing
	Find     *Plan // gives a row when the key is taken; for skip and update
	Write    *Plan // deletes or updates the row that has the key
}

// has says whether effects are about the column.
func (e *Effects) has(c *sqlast.ColumnDef) bool { return e != nil && slices.Contains(e.Columns, c) }

// effectColumns says where the inserted rows have the columns that effects are
// about; -1 for those that are derived.
func (ib *insertBuilder) effectColumns() {
	e := ib.rows.Effects
	if e == nil {
		return
	}
	for _, c := range e.Columns {
		ib.rows.EffectAt = append(ib.rows.EffectAt, slices.Index(ib.cols, c))
	}
}

// effectValues adds the old and new values of the columns that a write's effects
// are about to what is found of each row.
func (w *writer) effectValues(kw *KeyWrite, src *source) {
	kw.Following = w.following(src, w.effectsOf(src))
	kw.Ignore = w.ignore() && (kw.Effects != nil || w.keptByShards(src) || w.update != nil && !w.ignores(src))
}

// following adds the values of effects' columns to what is found of a row.
func (w *writer) following(src *source, e *Effects) Following {
	f := Following{Effects: e}
	if e == nil {
		return f
	}
	for _, c := range e.Columns {
		if c.Generated != nil {
			f.Old, f.New = append(f.Old, -1), append(f.New, -1)
			continue
		}
		i := slices.Index(src.def.Columns, c)
		at := w.item(w.stored(src, i))
		f.Old = append(f.Old, at)
		if containsSet([]string{c.Name}, w.sets[src]) {
			at = w.value(w.finalValue(src, i, c), c)
		}
		f.New = append(f.New, at)
	}
	return f
}

// stored is a column of the table itself, which a view that is written through may
// not show.
func (w *writer) stored(src *source, i int) *sqlast.Col {
	c := src.def.Columns[i]
	col := &sqlast.Col{Table: w.qualifier(src), Name: c.Name, Pos: -1, Def: c, Source: src.ref}
	col.T = src.cols[i].typ
	w.sourceOf[col] = src
	return col
}

// orderForKeys lets an UPDATE without ORDER BY that gives rows other unique keys,
// one by one, go by the primary key: which of them collides must not hang on where
// they are.
func (w *writer) orderForKeys() {
	if w.update == nil || len(w.find.OrderBy) > 0 || len(w.blk.sources) != 1 || len(w.targets) != 1 {
		return
	}
	src := w.targets[0]
	e, pk := w.effectsOf(src), src.def.PrimaryKey()
	keys := e != nil && slices.ContainsFunc(e.List, func(e Effect) bool { return e.Key }) || w.update.Ignore && !w.ignores(src) && w.setsKey(src)
	if pk == nil || pk.Columns() == nil || !keys && (!w.movesRows() || w.oneRow(w.find)) {
		return
	}
	for _, name := range pk.Columns() {
		w.find.OrderBy = append(w.find.OrderBy, sqlast.OrderItem{Expr: w.stored(src, src.findAny(name))})
		w.blk.order = append(w.blk.order, -1)
	}
}

func (w *writer) effectsOf(src *source) *Effects {
	if w.del != nil {
		return w.effects(src, OnDelete, nil)
	}
	return w.effects(src, OnUpdate, w.sets[src])
}

func (w *writer) ignore() bool {
	return w.update != nil && w.update.Ignore || w.del != nil && w.del.Ignore
}

func (w *writer) hasEffects() bool {
	return slices.ContainsFunc(w.targets, func(src *source) bool { return w.effectsOf(src) != nil })
}

// effectList collects the effects of a write of one table.
type effectList struct {
	src  *source
	on   Event
	sets []sqlast.Assignment // of an update
	out  Effects
	// made has a part for each of out.Columns: that of a column which is derived.
	made []sqlast.IndexPart
}

// effects gives what the gate keeps beside the rows of a table that change so;
// nil if there is nothing. This is the one place where kinds of effects are
// listed.
func (b *binder) effects(src *source, on Event, sets []sqlast.Assignment) *Effects {
	l := &effectList{src: src, on: on, sets: sets}
	b.uniqueEffects(l)
	b.ownedEffects(l)
	b.foreignEffects(l)
	b.copyEffects(l)
	return l.all(b)
}

// all gives the effects; nil if there are none.
func (l *effectList) all(b *binder) *Effects {
	if len(l.out.List) == 0 {
		return nil
	}
	l.derive(b.env.Printer)
	return &l.out
}

// concerns says whether an effect that follows changes on, and of updates those
// of the watched columns, follows this write.
func (l *effectList) concerns(on Event, watch ...string) bool {
	if l.on&on == 0 {
		return false
	}
	return l.on != OnUpdate || containsSet(l.src.def.Given(watch...), l.sets)
}

// columns gives the ordinals of columns, taking them in where they are new.
func (l *effectList) columns(names ...string) []int {
	out := make([]int, len(names))
	for i, name := range names {
		out[i] = l.column(name)
	}
	return out
}

func (l *effectList) column(name string) int {
	for i, c := range l.out.Columns {
		if strings.EqualFold(c.Name, name) {
			return i
		}
	}
	return l.take(l.src.def.Column(name), sqlast.IndexPart{Column: name})
}

// args gives the values of columns before or after the write.
func (l *effectList) args(isNew bool, names ...string) []EffectArg {
	out := make([]EffectArg, len(names))
	for i, name := range names {
		out[i] = EffectArg{At: l.column(name), New: isNew}
	}
	return out
}

// keyspaceID gives the keyspace ID of the row before or after the write.
func (l *effectList) keyspaceID(cv *vschema.ColumnVindex, isNew bool) EffectArg {
	d := &RowDest{Vindex: cv.Vindex, Table: l.src.def.Name, Ordinal: l.columns(cv.Columns...)}
	for _, i := range d.Ordinal {
		d.Columns = append(d.Columns, ColumnOf(l.out.Columns[i].Type))
	}
	return EffectArg{New: isNew, ID: d}
}

// add takes an effect in, unless it follows other changes than this write's.
func (l *effectList) add(e Effect) {
	if e.On&l.on != 0 {
		l.out.List = append(l.out.List, e)
	}
}

// sqlName quotes a table's name for an effect's text.
func sqlName(keyspace, table string) string { return sqlQuote(keyspace) + "." + sqlQuote(table) }

func sqlQuote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func sqlQuoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = sqlQuote(n)
	}
	return out
}
