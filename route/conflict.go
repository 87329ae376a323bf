package route

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// conflicts plans what INSERT IGNORE, REPLACE and ON DUPLICATE KEY UPDATE do
// with rows that are in the way, where the table has effects that the shard
// knows nothing of. It gives nil where the shard can do it all.
func (ib *insertBuilder) conflicts() (*Conflicts, error) {
	c := &Conflicts{}
	effects := ib.rows.Effects != nil
	switch {
	case ib.ins.Replace:
		c.Action = ConflictReplace
		effects = effects || ib.effects(ib.src, OnDelete, nil) != nil || !ib.replacesOnShard()
	case len(ib.ins.OnDup) > 0:
		c.Action = ConflictUpdate
		effects = effects || ib.effects(ib.src, OnUpdate, ib.ins.OnDup) != nil || ib.updatesByGate() || len(ib.ins.Returning) > 0 || !ib.updatesOnShard()
	case ib.ins.Pass:
		c.Action = ConflictPass
	case !ib.ins.Ignore:
		return nil, nil
	default:
		// The engine passes over taken keys, but not over missing parents, nor does every
		// one over what a CHECK refuses.
		effects = effects || ib.keptByShards(ib.src) || len(ib.src.def.Checks) > 0 && !ib.ignores(ib.src)
	}
	if !effects {
		return nil, nil
	}
	ib.noteParams()
	ib.deriveKeys()
	only := ib.onKey()
	for _, x := range ib.src.def.Indexes {
		if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique || only != nil && x != only {
			continue
		}
		k, err := ib.conflictKey(c.Action, x)
		if err != nil {
			return nil, err
		}
		if k != nil {
			c.Keys = append(c.Keys, *k)
		}
	}
	return c, nil
}

// onKey is the key that ON CONFLICT names; nil where it names none.
func (ib *insertBuilder) onKey() *sqlast.IndexDef {
	if ib.ins.OnKey == nil {
		return nil
	}
	return ib.src.def.KeyOn(ib.ins.OnKey)
}

// onConstraint gives OnKey the columns of the key that ON CONFLICT ON CONSTRAINT names.
// PostgreSQL names a primary key t_pkey where nobody else does.
func (ib *insertBuilder) onConstraint() error {
	name := ib.ins.OnConstraint
	if name == "" {
		return nil
	}
	if strings.EqualFold(name, ib.src.def.Name+"_pkey") {
		name = "PRIMARY"
	}
	for _, x := range ib.src.def.Indexes {
		if (x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique) && x.Whole() && strings.EqualFold(x.Name, name) {
			ib.ins.OnKey = x.Columns()
			return nil
		}
	}
	return errorf(CodeBadValue, -1, "there is no primary or unique key %s of table %s that ON CONFLICT could mean", ib.ins.OnConstraint, ib.src.def.Name)
}

// updatesByGate says whether ON DUPLICATE KEY UPDATE is more than the shard can
// do: it moves rows to other shards, asks for rows of tables, tells an ID, or
// names columns of the SELECT's.
func (ib *insertBuilder) updatesByGate() bool {
	if len(ib.beside.cols) > 0 {
		return true
	}
	// A new primary key may be a new row ID, by which the shard would tell an
	// insert.
	var keys []string
	if pk := ib.src.def.PrimaryKey(); pk != nil {
		keys = pk.Columns()
	}
	if ib.sourcePlace(ib.src).kind == placeGroup {
		keys = append(keys, ib.vindexColumns(ib.src)...)
	}
	for _, set := range ib.ins.OnDup {
		if containsFold(keys, set.Col.Name) && !ib.keepsKey(set) || toldID(set) != nil {
			return true
		}
		asks := false
		sqlast.Walk(set.Expr, func(x sqlast.Expr) bool {
			if q := sqlast.SubQuery(x); q != nil {
				sqlast.EachRef(q, func(t *sqlast.TableRef) { asks = asks || !ib.copyBeside(t) })
			}
			return !asks
		})
		if asks {
			return true
		}
	}
	return false
}

// copyBeside says whether a name is that of a reference table whose copy is
// beside every row of the written table.
func (ib *insertBuilder) copyBeside(t *sqlast.TableRef) bool {
	ks := t.Schema
	if ks == "" {
		ks = ib.env.Keyspace
	}
	k := ib.env.VSchema.Keyspaces[ks]
	if k == nil || ks != ib.src.keyspace || t.Shard != "" {
		return false
	}
	vt := k.Table(t.Name)
	return vt != nil && vt.Type == vschema.TableReference
}

// conflictKey plans one key; nil when nothing is to be found by it.
func (ib *insertBuilder) conflictKey(action ConflictAction, x *sqlast.IndexDef) (*ConflictKey, error) {
	k := &ConflictKey{Ordinals: ib.keyAt(x)}
	if k.Ordinals == nil {
		return nil, nil
	}
	var err error
	if action != ConflictReplace {
		find := &sqlast.Select{Items: []sqlast.SelectItem{{Expr: &sqlast.Lit{Kind: sqlast.LitInt, Text: "1"}}},
			From: ib.conflictTable(), Where: ib.hasKey(x, k), Lock: &sqlast.Lock{}}
		if k.Find, err = Select(ib.inner(), find, ib.innerArgs(), true); err != nil {
			return nil, err
		}
	}
	switch action {
	case ConflictReplace:
		k.Write, err = Delete(ib.inner(), &sqlast.Delete{From: ib.conflictTable(), Where: ib.hasKey(x, k)}, ib.innerArgs(), true)
	case ConflictUpdate:
		var sets []sqlast.Assignment
		if sets, err = ib.updateSets(); err == nil {
			k.Write, err = Update(ib.inner(), &sqlast.Update{From: ib.conflictTable(), Where: ib.hasKey(x, k), Set: sets, Changed: ib.ins.Changed,
				Returning: cloneItems(ib.returning)}, ib.innerArgs(), true)
		}
	}
	return k, err
}

// deriveKeys lets the rows have, behind all else, the parts of unique keys that are
// made of columns: by these the rows in their way are found.
func (ib *insertBuilder) deriveKeys() {
	var parts []sqlast.IndexPart
	var columns []*sqlast.ColumnDef
	for _, x := range ib.src.def.Indexes {
		if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique {
			continue
		}
		for _, p := range x.Parts {
			if !ib.src.def.Computed(p) || slices.ContainsFunc(parts, func(q sqlast.IndexPart) bool { return samePart(p, q) }) {
				continue
			}
			c := ib.src.def.Column(p.Column)
			if c == nil {
				// What the expression is compared with is what it gives, as it is.
				c = &sqlast.ColumnDef{Type: sqlast.TypeOf(sqlast.ClassUnknown), Generated: p.Expr}
			}
			parts, columns = append(parts, p), append(columns, c)
		}
	}
	if len(parts) == 0 {
		return
	}
	to := make([]int, len(parts))
	for i := range to {
		to[i] = ib.innerArgs() + i
	}
	ib.parts = parts
	ib.rows.Derived = derived(ib.env.Printer, ib.src.def, parts, columns, to, ib.columnAt)
}

func samePart(p, q sqlast.IndexPart) bool {
	return strings.EqualFold(p.Column, q.Column) && p.ExprText == q.ExprText
}

// columnAt is where the rows have a column; -1 where it is NULL, since they name it
// not and it has no default.
func (ib *insertBuilder) columnAt(name string) int {
	return slices.IndexFunc(ib.cols, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
}

// keyAt is where the rows have the parts of a unique key; nil where one of them is
// always NULL.
func (ib *insertBuilder) keyAt(x *sqlast.IndexDef) []int {
	var out []int
	for _, p := range x.Parts {
		at := ib.columnAt(p.Column)
		if ib.src.def.Computed(p) {
			at = ib.rows.Derived.To[slices.IndexFunc(ib.parts, func(q sqlast.IndexPart) bool { return samePart(p, q) })]
		}
		if at < 0 {
			return nil
		}
		out = append(out, at)
	}
	return out
}

// inner is the environment of the plans by which the gate itself writes: rows
// are where they belong, whatever shard the session has chosen.
func (b *binder) inner() *Env {
	env := *b.env
	env.Shard, env.Internal = -1, true
	return &env
}

// innerArgs is the number of arguments of a conflict's plans.
func (ib *insertBuilder) innerArgs() int {
	n := len(ib.cols) + len(ib.beside.cols) + len(ib.rows.Extra)
	if ib.rows.Derived != nil {
		n += len(ib.rows.Derived.To)
	}
	return n
}

func (ib *insertBuilder) conflictTable() *sqlast.TableRef {
	t := &sqlast.TableRef{Schema: ib.src.keyspace, Name: ib.src.def.Name, Pos: -1}
	if label := ib.src.label; label != t.Name {
		t.Alias = label
	}
	return t
}

// hasKey is the condition that a row has the inserted row's key.
func (ib *insertBuilder) hasKey(x *sqlast.IndexDef, k *ConflictKey) sqlast.Expr {
	var out []sqlast.Expr
	for i, at := range k.Ordinals {
		part := &x.Parts[i]
		value := &sqlast.Param{Index: at}
		value.T = sqlast.TypeOf(sqlast.ClassUnknown)
		var l, r sqlast.Expr = &sqlast.Col{Name: part.Column, Pos: -1}, value
		switch {
		case part.Column == "":
			l = sqlast.CloneExpr(part.Expr)
		case part.Length > 0 && x.Kind == sqlast.IndexUnique:
			value.T = ib.src.def.Column(part.Column).Type
			l, r = first(l, part.Length, &value.T), first(r, part.Length, &value.T)
		}
		out = append(out, &sqlast.Binary{Op: sqlast.OpEq, L: l, R: r})
	}
	return sqlast.And(out...)
}

// first writes what a key has of a column's value.
func first(x sqlast.Expr, n int, t *sqlast.Type) sqlast.Expr {
	if t.Class == sqlast.ClassBlob {
		x = &sqlast.Cast{X: x, To: sqlast.Type{Name: "BINARY", Class: sqlast.ClassBlob, Size: -1, Scale: -1}}
	}
	return &sqlast.Func{Name: "LEFT", Args: []sqlast.Expr{x, &sqlast.Lit{Kind: sqlast.LitInt, Text: strconv.Itoa(n)}}, Pos: -1}
}

// updateSets are the assignments of ON DUPLICATE KEY UPDATE as an UPDATE has
// them: VALUES(col) is the row's value, parameters stand behind the row.
func (ib *insertBuilder) updateSets() ([]sqlast.Assignment, error) {
	var failed error
	replace := func(x sqlast.Expr) sqlast.Expr {
		switch x := x.(type) {
		case *sqlast.Values:
			v, err := ib.insertedValue(x.Name)
			if err != nil {
				failed = err
				return x
			}
			return v
		case *sqlast.Param:
			return ib.rowParam(x)
		}
		return x
	}
	var out []sqlast.Assignment
	for _, set := range ib.ins.OnDup {
		if err := ib.besideFits(set); err != nil {
			return nil, err
		}
		x := sqlast.Rewrite(sqlast.CloneExpr(set.Expr), func(x sqlast.Expr) sqlast.Expr {
			if sub := sqlast.SubQuery(x); sub != nil {
				sqlast.RewriteQuery(sub, replace)
			}
			return replace(x)
		})
		if c, ok := x.(*sqlast.Collate); ok && isValues(set.Expr) {
			x = c.X // nothing compares it
		}
		col := *set.Col
		out = append(out, sqlast.Assignment{Col: &col, Expr: x, Old: set.Old})
	}
	return out, failed
}

func isValues(x sqlast.Expr) bool {
	_, ok := x.(*sqlast.Values)
	return ok
}

// insertedValue is what VALUES(name) gives: the row's value, or the default of a
// column that the insert doesn't name.
func (ib *insertBuilder) insertedValue(name string) (sqlast.Expr, error) {
	at := slices.IndexFunc(ib.cols, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
	if at >= 0 {
		p := &sqlast.Param{Index: at}
		p.T = ib.cols[at].Type
		p.T.NotNull = false
		if p.T.NoCase {
			// A parameter would leave the collation to the other side.
			c := &sqlast.Collate{X: p, Name: p.T.Collation}
			c.T = p.T
			return c, nil
		}
		return p, nil
	}
	c := ib.src.def.Column(name)
	if c == nil {
		return nil, errorf(CodeUnknownColumn, -1, "unknown column '%s' in VALUES()", name)
	}
	if c.Generated != nil {
		return nil, unsupported("VALUES("+name+") of a generated column", "write its expression")
	}
	return ib.defaultExpr(c)
}

// extraAt gives the place of a parameter behind the row's values.
func (ib *insertBuilder) extraAt(arg int) int {
	at := slices.IndexFunc(ib.rows.Extra, func(s Source) bool { return s.Arg == arg })
	if at < 0 {
		at = len(ib.rows.Extra)
		ib.rows.Extra = append(ib.rows.Extra, Source{Arg: arg})
	}
	return at
}

// noteParams gives every parameter of ON DUPLICATE KEY UPDATE its place, before
// a plan is made that has to know how many there are.
func (ib *insertBuilder) noteParams() {
	for _, set := range ib.ins.OnDup {
		sqlast.WalkDeep(set.Expr, func(x sqlast.Expr) bool {
			if p, ok := x.(*sqlast.Param); ok && p.Index >= 0 {
				ib.extraAt(p.Index)
			}
			return true
		})
	}
}

// replacesOnShard says whether the shards' engine has REPLACE.
func (ib *insertBuilder) replacesOnShard() bool {
	return ib.runsRow(ib.src.keyspace, &sqlast.Insert{Table: &sqlast.TableRef{Name: ib.src.def.Name, Table: ib.src.def}, Replace: true,
		Columns: []string{ib.src.def.Columns[0].Name}, Rows: [][]sqlast.Expr{{&sqlast.Default{}}}})
}

// updatesOnShard says whether the shards' engine can do ON DUPLICATE KEY UPDATE.
func (ib *insertBuilder) updatesOnShard() bool {
	if ib.able(ib.src.keyspace) {
		return true
	}
	trial, own, params := *ib, *ib.binder, *ib.params
	params.seen, params.late, params.lists = maps.Clone(params.seen), maps.Clone(params.late), maps.Clone(params.lists)
	own.params, trial.binder = &params, &own
	ins, rows := *ib.ins, *ib.rows
	ins.OnDup = make([]sqlast.Assignment, len(ib.ins.OnDup))
	for i, set := range ib.ins.OnDup {
		col := *set.Col
		ins.OnDup[i] = sqlast.Assignment{Col: &col, Expr: sqlast.CloneExpr(set.Expr), Old: set.Old}
	}
	trial.ins, trial.rows = &ins, &rows
	one := &sqlast.Insert{Table: &sqlast.TableRef{Name: ib.src.def.Name, Table: ib.src.def}, Changed: ins.Changed,
		Columns: []string{ib.src.def.Columns[0].Name}, Rows: [][]sqlast.Expr{{zero}}}
	return trial.onDup(one) == nil && ib.runsRow(ib.src.keyspace, one)
}
