package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/sqlast"
)

// foreignEffects keeps the foreign keys of a table that are the gate's, from
// both sides. What becomes of children goes first, so that the questions find
// what the statement leaves in the end: whether children without a parent are
// left, and whether the row's own parents are there. The questions lock what
// they ask about, so that the answer is still true when the transaction commits.
func (b *binder) foreignEffects(l *effectList) {
	keys := b.env.Foreign
	if keys == nil {
		return
	}
	below := keys.To(l.src.keyspace, l.src.def.Name)
	for _, k := range below {
		if k.Gate != "" {
			l.parentActs(k)
		}
	}
	for _, k := range below {
		if k.Gate != "" {
			l.parentStays(k)
		}
	}
	for _, k := range keys.Of(l.src.keyspace, l.src.def.Name) {
		if k.Gate != "" {
			l.childHasParent(k)
		}
	}
}

// childHasParent asks for the parents of rows that come, or that get others.
func (l *effectList) childHasParent(k *foreign.Key) {
	if !l.concerns(OnInsert|OnUpdate, k.Columns...) {
		return
	}
	e := Effect{Name: k.Name, On: OnInsert | OnUpdate, Watch: l.columns(k.Columns...), Keyspace: k.Keyspace,
		Args: l.args(true, k.Columns...), SkipNull: true, Fail: violated(k, false)}
	if k.Parent == nil {
		// No row has a parent in a table that isn't there.
		e.Head, e.Judge = "SELECT "+strings.Join(marks(len(k.Columns)), ", "), JudgeEmpty
	} else {
		e.Keyspace = k.ParentKeyspace()
		e.Head = "SELECT 1 FROM " + sqlName(k.ParentKeyspace(), k.RefTable) + " WHERE " + rowOf(sqlQuoted(k.RefColumns)) + " IN ("
		e.Row, e.Tail, e.Judge = rowOf(marks(len(k.Columns))), ") FOR UPDATE", JudgeAll
	}
	l.add(e)
}

// parentActs does to children what the key says when their parent goes or its
// key changes.
func (l *effectList) parentActs(k *foreign.Key) {
	if l.concerns(OnDelete) && k.Delete() != "" {
		e := l.childEffect(k, OnDelete)
		if e.Head = "DELETE FROM " + childName(k); k.Delete() != "CASCADE" {
			e.Head = l.unset(k, k.Delete())
		}
		e.Head += " WHERE " + rowOf(sqlQuoted(k.Columns)) + " IN ("
		l.add(e)
	}
	if !l.concerns(OnUpdate, k.RefColumns...) || k.Update() == "" {
		return
	}
	e := l.childEffect(k, OnUpdate)
	if k.Update() != "CASCADE" {
		e.Head = l.unset(k, k.Update()) + " WHERE " + rowOf(sqlQuoted(k.Columns)) + " IN ("
		l.add(e)
		return
	}
	l.cascade(k, e)
}

// cascade gives children the new key of their parent, row by row, each in terms of
// its own old and new key. A new key may be NULL; an old one that has a NULL has no
// children.
func (l *effectList) cascade(k *foreign.Key, e Effect) {
	var set, where []string
	var args []EffectArg
	for i, c := range k.Columns {
		if containsSet(l.src.def.Given(k.RefColumns[i]), l.sets) {
			set = append(set, sqlQuote(c)+" = ?")
			args = append(args, l.args(true, k.RefColumns[i])...)
		}
		where = append(where, sqlQuote(c)+" = ?")
	}
	e.Head = "UPDATE " + childName(k) + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(where, " AND ")
	e.Row, e.Tail, e.SkipNull = "", "", false
	e.Args = append(args, e.Args...)
	l.add(e)
}

// parentStays asks whether rows that go, or whose key changes, have children
// that would be left without a parent. A key that the same statement gives to
// another row is still there.
func (l *effectList) parentStays(k *foreign.Key) {
	on := Event(0)
	if l.concerns(OnDelete) && k.Delete() == "" {
		on |= OnDelete
	}
	if l.concerns(OnUpdate, k.RefColumns...) && k.Update() == "" {
		on |= OnUpdate
	}
	if on == 0 {
		return
	}
	e := l.childEffect(k, on)
	e.Head = "SELECT 1 FROM " + childName(k) + " WHERE " + rowOf(sqlQuoted(k.Columns)) + " IN ("
	e.Tail, e.Judge, e.Fail, e.UnlessGiven = ") LIMIT 1 FOR UPDATE", JudgeEmpty, violated(k, true), true
	l.add(e)
}

// childEffect is an effect for the children of rows by their old key.
func (l *effectList) childEffect(k *foreign.Key, on Event) Effect {
	return Effect{Name: k.Name, On: on, Watch: l.columns(k.RefColumns...), Keyspace: k.Keyspace,
		Row: rowOf(marks(len(k.Columns))), Tail: ")", Args: l.args(false, k.RefColumns...), SkipNull: true}
}

// unset writes the update for SET NULL and SET DEFAULT.
func (l *effectList) unset(k *foreign.Key, action string) string {
	value := " = NULL"
	if action == "SET DEFAULT" {
		value = " = DEFAULT"
	}
	set := make([]string, len(k.Columns))
	for i, c := range k.Columns {
		set[i] = sqlQuote(c) + value
	}
	return "UPDATE " + childName(k) + " SET " + strings.Join(set, ", ")
}

func childName(k *foreign.Key) string { return sqlName(k.Keyspace, k.Table.Name) }

// violated makes the error of a foreign key, in MySQL's words.
func violated(k *foreign.Key, parent bool) func([]any) error {
	code := CodeNoParent
	if parent {
		code = CodeHasChildren
	}
	return func([]any) error {
		return &Error{Code: code, Pos: -1, Table: k.Table.Name, Key: k.Name, Columns: k.Columns, Message: k.Failed(parent)}
	}
}

// childrenOf gives what lets the children of rows that get another sharding key
// follow them, where the shards keep their keys; nil when there are none. A shard's
// own ON UPDATE can't: it sees a row go, and another come elsewhere.
func (b *binder) childrenOf(src *source, sets []sqlast.Assignment) *Effects {
	if b.env.Foreign == nil {
		return nil
	}
	l := &effectList{src: src, on: OnUpdate, sets: sets}
	for _, k := range b.env.Foreign.To(src.keyspace, src.def.Name) {
		if k.Gate == "" && k.Update() == "CASCADE" && l.concerns(OnUpdate, k.RefColumns...) {
			l.cascade(k, l.childEffect(k, OnUpdate))
		}
	}
	return l.all(b)
}

// tiedByShards finds a foreign key, kept by the shards, by which rows of the
// table may have children: they could not follow the row to another shard.
func (b *binder) tiedByShards(src *source) *sqlast.ForeignKeyDef {
	if b.env.Foreign == nil {
		return nil
	}
	for _, k := range b.env.Foreign.To(src.keyspace, src.def.Name) {
		if k.Gate == "" {
			return k.ForeignKeyDef
		}
	}
	return nil
}

// keptByShards says whether the shards keep foreign keys of the table or to it.
func (b *binder) keptByShards(src *source) bool {
	if b.env.Foreign == nil {
		return false
	}
	shards := func(k *foreign.Key) bool { return k.Gate == "" }
	return slices.ContainsFunc(b.env.Foreign.Of(src.keyspace, src.def.Name), shards) || b.tiedByShards(src) != nil
}

// ignoresForeign says whether rows are to be passed over that violate a key of
// the shards': the engine would refuse the statement.
func (w *writer) ignoresForeign() bool {
	return w.ignore() && slices.ContainsFunc(w.targets, w.keptByShards)
}

// Checked is a foreign key of the shards' that a write may violate: from the
// child's side or the parent's.
type Checked struct {
	Key    *foreign.Key
	Parent bool
}

// Violated makes the error of a write that the shards refused for a foreign key.
// The engine doesn't tell which one it was: where it can be one only, the error
// names it, else it says what all have in common. It gives nil when they have
// nothing in common.
func (w *Write) Violated() error { return w.oneOf(w.Checked) }

// RemovalViolated does so for InsertRows.Remove.
func (w *Write) RemovalViolated() error { return w.oneOf(w.Insert.Removing) }

func (w *Write) oneOf(keys []Checked) error {
	if len(keys) == 0 {
		return nil
	}
	first := keys[0]
	one := true
	for _, c := range keys[1:] {
		if c.Parent != first.Parent {
			return nil
		}
		one = one && c.Key == first.Key
	}
	if one {
		return violated(first.Key, first.Parent)(nil)
	}
	e := &Error{Code: CodeNoParent, Pos: -1, Table: w.Table.Name,
		Message: "Cannot add or update a child row: a foreign key constraint fails (" + sqlName(w.Schema, w.Table.Name) + ")"}
	if first.Parent {
		e.Code = CodeHasChildren
		e.Message = "Cannot delete or update a parent row: a foreign key constraint fails (a child of " + sqlName(w.Schema, w.Table.Name) + ")"
	}
	return e
}

// checked collects the shards' keys that a write of a table may violate, also
// those that the engine's own actions lead to.
func (b *binder) checked(keyspace string, def *sqlast.TableDef, on Event, sets func(columns []string) bool) []Checked {
	if b.env.Foreign == nil {
		return nil
	}
	c := &checks{keys: b.env.Foreign, keyspace: keyspace, seen: map[*foreign.Key]bool{}}
	if on&(OnInsert|OnUpdate) != 0 {
		c.child(def.Name, sets)
	}
	if on&(OnUpdate|OnDelete) != 0 {
		c.parent(def.Name, on&OnDelete != 0, sets)
	}
	return c.out
}

func (ib *insertBuilder) checkedByShards() []Checked {
	any := func([]string) bool { return true }
	out := ib.checked(ib.src.keyspace, ib.src.def, OnInsert, any)
	if len(ib.ins.OnDup) > 0 {
		sets := func(cols []string) bool { return containsSet(cols, ib.ins.OnDup) }
		out = append(out, ib.checked(ib.src.keyspace, ib.src.def, OnUpdate, sets)...)
	}
	return out
}

func (w *writer) checkedByShards() (out []Checked) {
	for _, src := range w.targets {
		on := OnUpdate
		if w.del != nil {
			on = OnDelete
		}
		sets := func(cols []string) bool { return containsSet(cols, w.sets[src]) }
		out = append(out, w.checked(src.keyspace, src.def, on, sets)...)
	}
	return out
}

type checks struct {
	keys     *foreign.Keys
	keyspace string
	seen     map[*foreign.Key]bool
	out      []Checked
}

func (c *checks) child(table string, sets func([]string) bool) {
	for _, k := range c.keys.Of(c.keyspace, table) {
		if k.Gate == "" && sets(k.Columns) {
			c.out = append(c.out, Checked{Key: k})
		}
	}
}

func (c *checks) parent(table string, gone bool, sets func([]string) bool) {
	for _, k := range c.keys.To(c.keyspace, table) {
		if k.Gate != "" || c.seen[k] || !gone && !sets(k.RefColumns) {
			continue
		}
		c.seen[k] = true
		action := k.Update()
		if gone {
			action = k.Delete()
		}
		switch action {
		case "":
			c.out = append(c.out, Checked{Key: k, Parent: true})
		case "CASCADE":
			c.parent(k.Table.Name, gone, func(cols []string) bool { return overlap(cols, k.Columns) })
		default:
			c.parent(k.Table.Name, false, func(cols []string) bool { return overlap(cols, k.Columns) })
		}
	}
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(c string) bool { return containsFold(b, c) })
}
