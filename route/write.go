package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// Update plans UPDATE, Delete DELETE. The tree is changed.
func Update(env *Env, u *sqlast.Update, args int, shared bool) (*Plan, error) {
	w := newWriter(env, args, shared, &sqlast.Select{
		With: u.With, From: u.From, Where: u.Where, OrderBy: u.OrderBy, Limit: u.Limit, Directives: u.Directives})
	w.update = u
	w.settle(u.Set)
	if err := w.takeInsertID(); err != nil {
		return nil, err
	}
	if err := w.bind(); err != nil {
		return nil, err
	}
	if err := w.bindSet(); err != nil {
		return nil, err
	}
	return w.finish()
}

// Delete plans DELETE. The tree is changed.
func Delete(env *Env, d *sqlast.Delete, args int, shared bool) (*Plan, error) {
	w := newWriter(env, args, shared, &sqlast.Select{
		With: d.With, From: d.From, Where: d.Where, OrderBy: d.OrderBy, Limit: d.Limit, Directives: d.Directives})
	w.del = d
	w.settle(nil)
	if err := w.bind(); err != nil {
		return nil, err
	}
	if err := w.bindTargets(); err != nil {
		return nil, err
	}
	return w.finish()
}

// writer plans an UPDATE or DELETE. Its rows are those of find, a SELECT of what
// stands in FROM, WHERE, ORDER BY and LIMIT.
type writer struct {
	*binder
	find    *sqlast.Select
	update  *sqlast.Update
	del     *sqlast.Delete
	blk     *block
	targets []*source
	sets    map[*source][]sqlast.Assignment
	random  bool // RAND() or UUID() in it
	// insertID is the column that is set to LAST_INSERT_ID(x).
	insertID *sqlast.Col
}

func newWriter(env *Env, args int, shared bool, find *sqlast.Select) *writer {
	b := newBinder(env, args)
	b.params.shared, b.merge = shared, true
	return &writer{binder: b, find: find, sets: map[*source][]sqlast.Assignment{}}
}

// settle looks for what is random. It may differ from row to row, but not
// between two runs of a statement, so that a shard isn't sent it: the rows and
// their new values are read first.
func (w *writer) settle(sets []sqlast.Assignment) {
	look := func(e sqlast.Expr) bool {
		f, ok := e.(*sqlast.Func)
		w.random = w.random || ok && (f.Name == "RAND" || f.Name == "UUID")
		return true
	}
	sqlast.WalkQuery(w.find, look)
	for _, s := range sets {
		sqlast.WalkDeep(s.Expr, look)
	}
}

func (w *writer) bind() error {
	if _, err := w.query(w.find, nil); err != nil {
		return err
	}
	w.blk = w.blocks[w.find]
	w.find.Where = sqlast.And(append(w.viewConds, w.find.Where)...)
	return nil
}

func (w *writer) target(src *source, what string) error {
	if src == nil || src.def == nil {
		name := ""
		if src != nil {
			name = " " + src.label
		}
		return errorf(CodeNotUpdatable, -1, "the target table%s of the %s is not updatable: it is a view of several rows or tables, or a derived table", name, what)
	}
	if err := w.writable(src); err != nil {
		return err
	}
	if !slices.Contains(w.targets, src) {
		w.targets = append(w.targets, src)
	}
	return nil
}

func (w *writer) bindSet() error {
	for i := range w.update.Set {
		set := &w.update.Set[i]
		if v, err := w.viewExpr(set.Col, w.blk, clauseSet); v != nil || err != nil {
			return cmp.Or(err, notUpdatableColumn(set.Col.Name))
		}
		if err := w.column(set.Col, w.blk, clauseSet); err != nil {
			return err
		}
		src := w.sourceOf[set.Col]
		if err := w.target(src, "UPDATE"); err != nil {
			return err
		}
		if set.Col.Def != nil && set.Col.Def.Generated != nil {
			return errorf(CodeGenerated, -1, "the value of the generated column '%s' can't be set", set.Col.Name)
		}
		if err := w.assigned(set, w.blk); err != nil {
			return err
		}
		w.sets[src] = append(w.sets[src], *set)
	}
	if w.update.Changed != nil {
		// A view's names have become its table's.
		w.update.Changed = make([]string, len(w.update.Set))
		for i := range w.update.Set {
			w.update.Changed[i] = w.update.Set[i].Col.Name
		}
	}
	for _, src := range w.targets {
		more := w.onUpdateNow(src, w.sets[src])
		if w.update.Changed == nil || len(w.update.Returning) > 0 {
			// Rows that stay as they are are written too.
			w.touched(src, more)
		}
		w.sets[src] = append(w.sets[src], more...)
		w.update.Set = append(w.update.Set, more...)
	}
	for _, src := range w.targets {
		if err := w.checkUpdate(src); err != nil {
			return err
		}
	}
	return nil
}

// assigned binds the value of an assignment.
func (b *binder) assigned(set *sqlast.Assignment, own *block) error {
	if isDefault(set.Expr) {
		x, err := b.defaultExpr(set.Col.Def)
		if err != nil {
			return err
		}
		set.Expr = x
	}
	if err := b.expr(&set.Expr, own, clauseSet); err != nil {
		return err
	}
	b.store(set.Expr, set.Col.T)
	if p, ok := set.Expr.(*sqlast.Param); ok && set.Col.Def != nil {
		b.params.keep(p, set.Col.Def)
	}
	return nil
}

// store brings a literal or parameter into the form in which the column keeps it.
func (b *binder) store(x sqlast.Expr, t sqlast.Type) {
	if !t.Class.Temporal() {
		if p, ok := x.(*sqlast.Param); ok {
			b.params.asText(p, t)
		}
		return
	}
	switch x := x.(type) {
	case *sqlast.Lit:
		if x.Kind == sqlast.LitString || x.Kind >= sqlast.LitDate && x.Kind <= sqlast.LitTimestamp {
			if s, ok := Coerce(x.Text, Coercion{Type: t, Store: true}).(string); ok {
				x.Kind, x.Text, x.T = sqlast.LitString, s, t
			}
		}
	case *sqlast.Param:
		if x.T.Class.Temporal() && (x.T.Class != t.Class || max(0, x.T.Scale) != max(0, t.Scale)) {
			x.T = sqlast.TypeOf(sqlast.ClassUnknown) // not in the column's form yet
			return
		}
		n := len(b.params.p.Coerce)
		b.params.meet(x, t)
		for i := n; i < len(b.params.p.Coerce); i++ {
			b.params.p.Coerce[i].Store = true
		}
	}
}

// onUpdateNow gives the assignments of ON UPDATE CURRENT_TIMESTAMP columns that
// the statement doesn't set.
func (b *binder) onUpdateNow(src *source, sets []sqlast.Assignment) []sqlast.Assignment {
	var out []sqlast.Assignment
	for i, c := range src.def.Columns {
		isSet := slices.ContainsFunc(sets, func(s sqlast.Assignment) bool { return strings.EqualFold(s.Col.Name, c.Name) })
		if !c.OnUpdateNow || isSet {
			continue
		}
		col := &sqlast.Col{Name: c.Name, Pos: -1, Def: c, Source: src.ref}
		col.T = src.cols[i].typ
		b.sourceOf[col] = src
		t := c.Type
		t.Scale = max(0, t.Scale)
		now := b.params.once("now:"+t.Name+itoa(t.Scale), Computed{Kind: ComputedNow, Type: t}, t)
		out = append(out, sqlast.Assignment{Col: col, Expr: now})
	}
	return out
}

// touched makes the ON UPDATE CURRENT_TIMESTAMP columns of rows that stay as they
// are stay as they are, too.
func (w *writer) touched(src *source, now []sqlast.Assignment) {
	for i := range now {
		x := &sqlast.Touched{Now: now[i].Expr, Was: now[i].Col}
		x.T = now[i].Col.T
		for k, set := range w.sets[src] {
			if d, ok := set.Expr.(*sqlast.Col); ok && w.sourceOf[d] == src && strings.EqualFold(d.Name, set.Col.Name) {
				continue
			}
			if sqlast.AssignedAgain(w.sets[src], k) {
				continue
			}
			x.Defs = append(x.Defs, src.def.Column(set.Col.Name))
			x.Olds, x.News = append(x.Olds, set.Col), append(x.News, w.newValue(src, k))
		}
		if len(x.Defs) == 0 {
			now[i].Expr = now[i].Col
			continue
		}
		now[i].Expr = x
	}
}

func (w *writer) bindTargets() error {
	if len(w.del.Targets) == 0 {
		if len(w.blk.sources) != 1 {
			return unsupported("DELETE from several tables without naming the targets", "write DELETE t FROM …")
		}
		return w.target(w.blk.sources[0], "DELETE")
	}
	for _, t := range w.del.Targets {
		i := slices.IndexFunc(w.blk.sources, func(s *source) bool { return s.called(t.Schema, t.Label()) })
		if i < 0 {
			return &Error{Code: CodeUnknownTable, Pos: t.Pos, Table: t.Name, Message: "unknown table '" + t.Name + "' in MULTI DELETE"}
		}
		if err := w.target(w.blk.sources[i], "DELETE"); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) finish() (*Plan, error) {
	p := &Plan{Write: &Write{Kind: WriteWhole, Table: w.targets[0].def, Schema: w.targets[0].keyspace}}
	if err := w.bindReturning(p); err != nil {
		return nil, err
	}
	at, dest, err := w.arrange(w.find, w.readsOwnRows(), w.values)
	if err != nil {
		return nil, err
	}
	switch {
	case w.everywhere(at) && w.runsWhole(at.keyspace):
		p.Write.Everywhere = true
		err = w.whole(p, place{kind: placeAny, keyspace: at.keyspace}, Destination{Kind: DestAll})
	case w.wholeFits(at, dest) && w.runsWhole(at.keyspace):
		err = w.whole(p, at.place, dest)
	default:
		err = w.byKey(p, at, dest)
	}
	if err != nil {
		return nil, err
	}
	p.Write.Checked = w.checkedByShards()
	p.Params, p.Tables = w.params.p, w.tables
	return p, nil
}

// values gives the places of the assigned expressions.
func (w *writer) values() []*sqlast.Expr {
	var out []*sqlast.Expr
	if w.update != nil {
		for i := range w.update.Set {
			out = append(out, &w.update.Set[i].Expr)
		}
	}
	for _, sets := range w.sets {
		for i := range sets {
			out = append(out, &sets[i].Expr)
		}
	}
	return out
}

// wholeFits says whether each shard can do its part by itself.
func (w *writer) wholeFits(at located, dest Destination) bool {
	if at.kind == placeMany || w.copied(w.targets[0]) || w.random || w.hasEffects() || w.ignoresForeign() || w.movesRows() || w.inOrder() || forced(w.find.Directives) || len(w.targets) != 1 {
		return false
	}
	if w.readsOwnRows() {
		return false
	}
	if len(w.blk.sources) > 1 && (len(w.find.OrderBy) > 0 || w.find.Limit != nil) {
		return false // the engine's UPDATE of a join has neither
	}
	if at.onlySingle || w.find.Limit != nil {
		return dest.Single()
	}
	return true
}

// inOrder says whether ORDER BY decides which row gets a unique value first, as in
// UPDATE t SET id = id + 1 ORDER BY id DESC: the engine would take its own order.
func (w *writer) inOrder() bool {
	if w.update == nil || len(w.find.OrderBy) == 0 {
		return false
	}
	return slices.ContainsFunc(w.targets, w.setsKey)
}

// setsKey says whether rows get other values of a unique key.
func (w *writer) setsKey(src *source) bool {
	return slices.ContainsFunc(src.def.Indexes, func(key *sqlast.IndexDef) bool {
		unique := key.Kind == sqlast.IndexPrimary || key.Kind == sqlast.IndexUnique
		return unique && containsSet(src.def.GivenByKey(key), w.sets[src])
	})
}

// movesRows says whether a column of a primary vindex is set.
func (w *writer) movesRows() bool {
	for _, src := range w.targets {
		if w.sourcePlace(src).kind != placeGroup {
			continue
		}
		for _, set := range w.sets[src] {
			if containsFold(w.vindexColumns(src), set.Col.Name) {
				return true
			}
		}
	}
	return false
}

func (w *writer) whole(p *Plan, at place, dest Destination) error {
	w.find.Lock = nil
	split := w.find.Limit == nil && w.split(w.find, at, dest)
	text, err := w.print(at.keyspace, w.statement())
	if err != nil {
		return err
	}
	p.Fragments = []*Fragment{{Keyspace: at.keyspace, Dest: dest, SQL: text, Split: split}}
	return nil
}

// statement is the write as it is bound.
func (w *writer) statement() sqlast.Stmt {
	if w.update != nil {
		w.update.From, w.update.Where = w.find.From, w.find.Where
		return w.update
	}
	w.del.From, w.del.Where = w.find.From, w.find.Where
	return w.del
}

// runsWhole says whether the shards can do all that the write asks for.
func (w *writer) runsWhole(ks string) bool { return w.able(ks) || w.runs(ks, w.statement()) }

// byKey plans a query that finds the rows, with their new values, and statements
// that write them one by one.
func (w *writer) byKey(p *Plan, at located, dest Destination) error {
	p.Write.Kind = WriteByKey
	w.orderForKeys()
	simple := at.kind == placeGroup && !at.onlySingle && !forced(w.find.Directives) && !slices.ContainsFunc(w.targets, w.copied)
	if err := w.keyWrites(p, simple); err != nil {
		return err
	}
	if simple && !w.runs(at.keyspace, w.find) {
		simple, w.find.Items, p.Write.ByKey = false, nil, nil
		if err := w.keyWrites(p, simple); err != nil {
			return err
		}
	}
	cols := make([]outCol, len(w.find.Items))
	w.outputs[w.find] = cols
	if simple {
		// The shard's ordinal comes behind the items, hidden sort columns too.
		if err := w.scatter(p, w.find, at.place, dest, true); err != nil {
			return err
		}
		if p.Combine.Kind != Query && p.Combine.Kind != Joined {
			for i := range p.Write.ByKey {
				p.Write.ByKey[i].Shard = p.Combine.Width - 1
			}
			return nil
		}
	}
	targets := map[*source]bool{}
	for _, src := range w.targets {
		targets[src] = true
	}
	return w.universalFor(p, w.find, targets)
}

func (w *writer) keyWrites(p *Plan, simple bool) error {
	for _, src := range w.targets {
		kw, err := w.keyWrite(src, simple)
		if err != nil {
			return err
		}
		p.Write.ByKey = append(p.Write.ByKey, kw)
	}
	return nil
}

// keyWrite adds what a target needs to the finding query, and prints its write.
func (w *writer) keyWrite(src *source, simple bool) (KeyWrite, error) {
	kw := KeyWrite{Keyspace: src.keyspace, Table: src.def, Shard: -1}
	if simple {
		kw.RowID = w.item(w.rowID(w.qualifier(src), src.def))
	} else {
		for _, name := range []string{shardColumn, rowIDColumn} {
			c := &sqlast.Col{Table: src.label, Name: name, Pos: -1}
			w.sourceOf[c] = src
			w.item(c)
		}
		kw.RowID = len(w.find.Items) - 1
		kw.Shard = kw.RowID - 1
	}
	w.effectValues(&kw, src)
	if w.copied(src) {
		kw.Everywhere, kw.Keys = true, w.copyKeys(src)
	}
	if w.del != nil {
		var err error
		kw.SQL, err = w.deleteRow(src, keyCondition(src.def, kw, 0))
		return kw, err
	}
	if containsSet(w.vindexColumns(src), w.sets[src]) && w.sourcePlace(src).kind == placeGroup {
		return w.moveWrite(kw, src)
	}
	var cols []*sqlast.ColumnDef
	for i, set := range w.sets[src] {
		kw.Values = append(kw.Values, w.value(w.newValue(src, i), src.def.Column(set.Col.Name)))
		if set.Col == w.insertID {
			kw.TellsID, kw.InsertID = true, kw.Values[i]
		}
		cols = append(cols, src.def.Column(set.Col.Name))
	}
	kw.Fit = w.fitted(src, cols)
	var err error
	kw.SQL, err = w.updateRow(src, cols, keyCondition(src.def, kw, len(cols)))
	return kw, err
}

func containsSet(cols []string, sets []sqlast.Assignment) bool {
	return slices.ContainsFunc(sets, func(s sqlast.Assignment) bool { return containsFold(cols, s.Col.Name) })
}

func (w *writer) qualifier(src *source) string {
	if len(w.blk.sources) > 1 {
		return src.label
	}
	return src.ref.Alias
}

func (w *writer) item(e sqlast.Expr) int {
	w.find.Items = append(w.find.Items, sqlast.SelectItem{Expr: e, Alias: "_vt" + itoa(len(w.find.Items))})
	return len(w.find.Items) - 1
}

// value is item for what a column is to have. Of a column of long DECIMALs the gate
// makes the key, and gets all digits, also where only an argument says how many.
func (w *writer) value(e sqlast.Expr, c *sqlast.ColumnDef) int {
	at := w.item(e)
	w.find.Items[at].Result = c != nil && c.Type.Keyed()
	return at
}

// newValue is what assignment i gives, in terms of the old row: MySQL assigns
// from left to right, later values see the earlier ones' results.
func (w *writer) newValue(src *source, i int) sqlast.Expr {
	sets := w.sets[src]
	x := w.substitute(sets[i].Expr, src, before(sets, i))
	c := src.def.Column(sets[i].Col.Name)
	if t := x.Type(); c != nil && t.Class == sqlast.ClassDecimal && (c.Type.Class == sqlast.ClassText || t.Keyed() && c.Type.Class != sqlast.ClassDecimal) {
		return spelt(x) // the gate hands it on
	}
	return x
}

// spelt is a DECIMAL's text, with all digits of its scale.
func spelt(x sqlast.Expr) sqlast.Expr {
	if x.Type().Scale < 0 {
		return x
	}
	c := &sqlast.Cast{X: x, To: sqlast.TypeOf(sqlast.ClassText)}
	c.To.Name = "CHAR"
	inferCast(c)
	return c
}

// before are the assignments that assignment i sees the results of.
func before(sets []sqlast.Assignment, i int) []sqlast.Assignment {
	if sets[i].Old {
		return nil
	}
	return sets[:i]
}

func (w *writer) substitute(e sqlast.Expr, src *source, done []sqlast.Assignment) sqlast.Expr {
	if c, ok := e.(*sqlast.Col); ok && w.sourceOf[c] == src {
		for k := len(done) - 1; k >= 0; k-- {
			if strings.EqualFold(done[k].Col.Name, c.Name) {
				return w.substitute(done[k].Expr, src, before(done, k))
			}
		}
		return e
	}
	if _, ok := e.(*sqlast.Touched); ok || len(done) == 0 {
		return e // it speaks of the old row already
	}
	var kids []sqlast.Expr
	changed := false
	sqlast.EachChild(e, func(x *sqlast.Expr) {
		k := w.substitute(*x, src, done)
		changed = changed || k != *x
		kids = append(kids, k)
	})
	if !changed {
		return e
	}
	c := sqlast.CloneExpr(e)
	i := 0
	sqlast.EachChild(c, func(x *sqlast.Expr) { *x = kids[i]; i++ })
	return c
}

// updateByRowID prints the update of one row, whose row ID is ?1 and whose new
// values follow; the printer sees to the form in which a column keeps them.
func (w *writer) updateByRowID(src *source, cols []*sqlast.ColumnDef) (dialect.Text, error) {
	return w.updateRow(src, cols, func(p dialect.Printer) string { return byRowID(p, src.def) })
}

func (w *writer) updateRow(src *source, cols []*sqlast.ColumnDef, where func(dialect.Printer) string) (dialect.Text, error) {
	u := &sqlast.Update{From: &sqlast.TableRef{Name: src.def.Name, Table: src.def}, Ignore: w.update.Ignore && !w.hasEffects() && w.ignores(src), Changed: w.update.Changed}
	for i, c := range cols {
		col := &sqlast.Col{Name: c.Name, Pos: -1, Def: c}
		col.T = c.Type
		value := &sqlast.Param{Index: i + 1}
		value.T = sqlast.TypeOf(sqlast.ClassUnknown)
		if !w.able(src.keyspace) {
			value.T = c.Type // the gate has brought it into the column's form
		}
		u.Set = append(u.Set, sqlast.Assignment{Col: col, Expr: value})
	}
	var err error
	if u.Returning, err = w.rowReturning(); err != nil {
		return dialect.Text{}, err
	}
	return w.shards(src.keyspace).Each(func(p dialect.Printer) (dialect.Text, error) {
		u.Where = &sqlast.Raw{Text: where(p)}
		return p.Stmt(u)
	})
}

// fitted gives the columns whose new values the gate brings into their form, since
// the shards can't.
func (w *writer) fitted(src *source, cols []*sqlast.ColumnDef) []*sqlast.ColumnDef {
	if w.able(src.keyspace) {
		return nil
	}
	return cols
}

// deleteRow prints the removal of the one row that where picks.
func (w *writer) deleteRow(src *source, where func(dialect.Printer) string) (dialect.Text, error) {
	items, err := w.rowReturning()
	if err != nil {
		return dialect.Text{}, err
	}
	return w.shards(src.keyspace).Each(func(p dialect.Printer) (dialect.Text, error) {
		if len(items) == 0 {
			return dialect.Whole("DELETE FROM " + quote(src.def.Name) + " WHERE " + where(p)), nil
		}
		return p.Stmt(&sqlast.Delete{From: &sqlast.TableRef{Name: src.def.Name, Table: src.def},
			Where: &sqlast.Raw{Text: where(p)}, Returning: items})
	})
}
