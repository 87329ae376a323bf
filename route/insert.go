package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Insert plans INSERT and REPLACE. The tree is changed.
func Insert(env *Env, ins *sqlast.Insert, args int, shared bool) (*Plan, error) {
	b := newBinder(env, args)
	b.params.shared, b.write = shared, true
	ib := &insertBuilder{binder: b, ins: ins, blk: &block{}}
	if err := ib.open(); err != nil {
		return nil, err
	}
	p := &Plan{Write: &Write{Kind: WriteRows, Table: ib.src.def, Schema: ib.src.keyspace, Insert: ib.rows}}
	if err := ib.values(p); err != nil {
		return nil, err
	}
	if len(ins.Returning) > 0 {
		ib.returning = cloneItems(ins.Returning)
		var err error
		if ins.Returning, p.Columns, err = b.returning(ins.Returning, ib.src, ib.blk); err != nil {
			return nil, err
		}
	}
	if p.Write.Kind == WriteRows {
		if err := ib.finish(p); err != nil {
			return nil, err
		}
	}
	p.Write.Checked = ib.checkedByShards()
	p.Params, p.Tables = b.params.p, b.tables
	return p, nil
}

type insertBuilder struct {
	*binder
	ins   *sqlast.Insert
	blk   *block
	src   *source
	cols  []*sqlast.ColumnDef
	extra []sqlast.Expr // defaults of the columns behind those that the text names
	rows  *InsertRows
	parts []sqlast.IndexPart // that rows.Derived computes
	// returning is RETURNING as it was written, for the plans that change a row in
	// the way.
	returning []sqlast.SelectItem
	beside
}

// open resolves the table and its columns.
func (ib *insertBuilder) open() error {
	name := ib.ins.Table.Name
	ib.merge = true
	t, _, err := ib.tableRef(ib.ins.Table, ib.blk, false)
	ib.merge = false
	if err != nil {
		return err
	}
	if _, ok := t.(*sqlast.TableRef); !ok {
		return errorf(CodeNotInsertable, -1, "the target table %s of the INSERT is not insertable-into: it is a view of several rows or tables", name)
	}
	ib.src = ib.blk.sources[0]
	if ib.src.view != nil {
		ib.ins.Changed = ib.src.columnNames(ib.ins.Changed)
		if err := ib.insertColumns(name); err != nil {
			return err
		}
		ib.renameOnDup()
	}
	if err := ib.writable(ib.src); err != nil {
		return err
	}
	ib.leaveGenerated()
	if len(ib.ins.Columns) == 0 {
		for _, c := range ib.src.def.Columns {
			if c.Generated == nil {
				ib.cols = append(ib.cols, c)
			}
		}
		if n := ib.leading(); n > 0 && n < len(ib.cols) {
			ib.cols = ib.cols[:n]
			for _, c := range ib.cols {
				ib.ins.Columns = append(ib.ins.Columns, c.Name)
			}
			ib.cols = nil
		}
	}
	for _, name := range ib.ins.Columns {
		c := ib.src.def.Column(name)
		switch {
		case c == nil:
			return errorf(CodeUnknownColumn, -1, "unknown column '%s' in 'field list'", name)
		case c.Generated != nil:
			return errorf(CodeGenerated, -1, "the value of the generated column '%s' can't be set", name)
		case slices.Contains(ib.cols, c):
			return errorf(CodeDuplicateAlias, -1, "column '%s' specified twice", name)
		}
		ib.cols = append(ib.cols, c)
	}
	if err := ib.onConstraint(); err != nil {
		return err
	}
	if ib.ins.OnKey != nil && ib.onKey() == nil {
		return errorf(CodeBadValue, -1, "there is no primary or unique key on (%s) that ON CONFLICT could mean", strings.Join(ib.ins.OnKey, ", "))
	}
	ib.rows = &InsertRows{Keyspace: ib.src.keyspace, AutoInc: -1, Ignore: ib.ins.Ignore, Found: ib.ins.Found, Once: ib.ins.Once, KeepZero: ib.ins.KeepZero, Effects: ib.effects(ib.src, OnInsert, nil)}
	return ib.addDefaults()
}

// leading is how many values the rows have that may have fewer than there are columns.
func (ib *insertBuilder) leading() int {
	if !ib.ins.Leading || len(ib.ins.Rows) == 0 {
		return 0
	}
	return len(ib.ins.Rows[0])
}

// addDefaults takes in the columns whose default the gate must know: those that
// decide over the shard, those that effects are about, AUTO_INCREMENT, and those
// that no two evaluations agree on.
func (ib *insertBuilder) addDefaults() error {
	if len(ib.ins.Rows) == 1 && len(ib.ins.Rows[0]) == 0 && ib.ins.Query == nil {
		// VALUES (): every column is its default.
		ib.ins.Rows = [][]sqlast.Expr{{}}
		ib.cols = nil
	}
	for _, c := range ib.src.def.Columns {
		if slices.Contains(ib.cols, c) || c.Generated != nil {
			continue
		}
		missing := c.Type.NotNull && c.Default == nil && !c.AutoInc
		if missing && !ib.ins.Ignore {
			return errorf(CodeNoDefault, -1, "field '%s' doesn't have a default value: name it in the INSERT", c.Name)
		}
		_, literal := c.Default.(*sqlast.Lit)
		if !missing && !c.AutoInc && !ib.isVindexColumn(c.Name) && !ib.rows.Effects.has(c) && !ib.meetsBy(c) && (c.Default == nil || literal) {
			continue
		}
		ib.cols = append(ib.cols, c)
		var x sqlast.Expr = &sqlast.Lit{Kind: sqlast.LitNull}
		if c.Default != nil {
			x = c.Default
		}
		ib.extra = append(ib.extra, x)
	}
	return nil
}

// meetsBy says whether a column's default must be known to find the rows in the
// way of a new one: it is in a unique key.
func (ib *insertBuilder) meetsBy(c *sqlast.ColumnDef) bool {
	if !ib.ins.Replace && !ib.ins.Ignore && !ib.ins.Pass && len(ib.ins.OnDup) == 0 {
		return false
	}
	return slices.ContainsFunc(ib.src.def.Indexes, func(x *sqlast.IndexDef) bool {
		return (x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique) &&
			(c.Default != nil || slices.ContainsFunc(x.Parts, ib.src.def.Computed)) && containsFold(ib.src.def.GivenByKey(x), c.Name)
	})
}

func (b *binder) vindexColumns(src *source) []string {
	if src.vt == nil || src.vt.Type != vschema.TableSharded || len(src.vt.ColumnVindexes) == 0 {
		return nil
	}
	return src.vt.ColumnVindexes[0].Columns
}

func (ib *insertBuilder) isVindexColumn(name string) bool {
	return containsFold(ib.vindexColumns(ib.src), name)
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

func (ib *insertBuilder) values(p *Plan) error {
	if ib.ins.Query == nil && ib.rowsNeedQuery() {
		ib.ins.Query = rowsAsQuery(ib.ins.Rows)
	}
	if ib.ins.Query != nil {
		return ib.fromQuery(p)
	}
	named := len(ib.cols) - len(ib.extra)
	for i, row := range ib.ins.Rows {
		if len(row) != named {
			return errorf(CodeColumnCount, -1, "column count doesn't match value count at row %d: %d columns, %d values", i+1, named, len(row))
		}
		var out []Source
		for k, c := range ib.cols {
			x, err := ib.cell(row, k, c)
			if err != nil {
				return err
			}
			out = append(out, x)
		}
		ib.rows.Rows = append(ib.rows.Rows, out)
	}
	return nil
}

// cell plans one value of a row.
func (ib *insertBuilder) cell(row []sqlast.Expr, k int, c *sqlast.ColumnDef) (Source, error) {
	var x sqlast.Expr
	if k < len(row) {
		x = row[k]
	} else {
		x = sqlast.CloneExpr(ib.extra[k-len(row)])
	}
	if isDefault(x) {
		def, err := ib.defaultExpr(c)
		if err != nil {
			return Source{}, err
		}
		x = def
	}
	x, err := ib.defaults(x)
	if err != nil {
		return Source{}, err
	}
	// A value sees no columns.
	if err := ib.expr(&x, &block{}, clauseItem); err != nil {
		return Source{}, err
	}
	if v, ok := x.(*sqlast.Param); ok && c.Type.Class == sqlast.ClassDecimal && v.Index < ib.params.p.User {
		ib.params.p.Long = append(ib.params.p.Long, v.Index)
	}
	if t := x.Type(); (c.Type.Class == sqlast.ClassText && len(c.Type.Values) == 0 || c.Type.Class == sqlast.ClassBlob) && (t.Class == sqlast.ClassDecimal || t.Class == sqlast.ClassDouble) {
		// As text, 1.50 keeps its digits and 2e0 has none.
		x = &sqlast.Cast{X: x, To: sqlast.Type{Name: "CHAR", Size: -1, Scale: -1}}
	}
	if c.Type.Class == sqlast.ClassInt && x.Type().Class == sqlast.ClassDouble {
		// A DOUBLE is rounded half to even, which the gate can't tell from a DECIMAL then.
		t := *x.Type()
		x = &sqlast.Func{Name: "ROUND", Args: []sqlast.Expr{x}, Pos: -1}
		*x.Type() = t
	}
	src, ok := ib.facts.constant(x)
	if !ok {
		return Source{}, unsupported("this kind of value in VALUES", "compute it in a SELECT")
	}
	return src, nil
}

// defaults puts the defaults of the target's columns where DEFAULT(col) stands.
func (ib *insertBuilder) defaults(x sqlast.Expr) (sqlast.Expr, error) {
	var err error
	x = sqlast.Rewrite(x, func(e sqlast.Expr) sqlast.Expr {
		d, ok := e.(*sqlast.Default)
		if !ok || d.Col == nil {
			return e
		}
		c := ib.src.def.Column(ib.src.columnName(d.Col.Name))
		if c == nil {
			err = errorf(CodeUnknownColumn, d.Col.Pos, "unknown column '%s' in 'field list'", d.Col.Name)
			return e
		}
		def, e2 := ib.defaultExpr(c)
		if e2 != nil {
			err = e2
			return e
		}
		return def
	})
	return x, err
}

// rowsNeedQuery says whether a value holds a subquery.
func (ib *insertBuilder) rowsNeedQuery() bool {
	found := false
	for _, row := range ib.ins.Rows {
		for _, x := range row {
			sqlast.Walk(x, func(e sqlast.Expr) bool {
				found = found || sqlast.SubQuery(e) != nil
				return !found
			})
		}
	}
	return found
}

func rowsAsQuery(rows [][]sqlast.Expr) sqlast.Query {
	var q sqlast.Query
	for _, row := range rows {
		s := &sqlast.Select{}
		for _, x := range row {
			s.Items = append(s.Items, sqlast.SelectItem{Expr: x})
		}
		if q == nil {
			q = s
		} else {
			q = &sqlast.SetOp{Kind: sqlast.Union, All: true, L: q, R: s}
		}
	}
	return q
}

func (ib *insertBuilder) fromQuery(p *Plan) error {
	addItems(ib.ins.Query, ib.extra)
	if err := ib.takeBeside(); err != nil {
		return err
	}
	// Its rows are read before any is written: what is random in it may differ
	// from row to row.
	ib.write = false
	cols, err := ib.query(ib.ins.Query, nil)
	ib.write = true
	if err != nil {
		return err
	}
	if len(cols) != len(ib.cols)+len(ib.beside.cols) {
		n := len(ib.extra) + len(ib.beside.cols)
		return errorf(CodeColumnCount, -1, "column count doesn't match value count: %d columns, the query gives %d", len(ib.cols)-len(ib.extra), len(cols)-n)
	}
	for i, c := range cols[:len(ib.cols)] {
		t := ib.cols[i].Type
		text := c.typ.Class == sqlast.ClassDecimal && c.typ.Scale >= 0 && t.Class == sqlast.ClassText && t.Values == nil
		if text || c.typ.Keyed() && t.Class != sqlast.ClassDecimal {
			if ib.rows.Spell == nil {
				ib.rows.Spell = map[int]int{}
			}
			ib.rows.Spell[i] = c.typ.Scale
		}
	}
	for _, c := range cols[len(ib.cols):] {
		ib.beside.types = append(ib.beside.types, c.typ)
	}
	ib.rows.Beside = len(ib.beside.cols)
	// The target isn't one of the query's tables.
	ib.bases = slices.DeleteFunc(ib.bases, func(s *source) bool { return s == ib.src })
	at, dest, err := ib.arrange(ib.ins.Query, false, nil)
	if err != nil {
		return err
	}
	if done, err := ib.wholeInsert(p, at, dest); done || err != nil {
		return err
	}
	return ib.planAt(p, ib.ins.Query, at, dest, false)
}

func addItems(q sqlast.Query, extra []sqlast.Expr) {
	switch q := q.(type) {
	case *sqlast.Select:
		for i, x := range extra {
			q.Items = append(q.Items, sqlast.SelectItem{Expr: sqlast.CloneExpr(x), Alias: "_vt_default" + itoa(i)})
		}
	case *sqlast.SetOp:
		addItems(q.L, extra)
		addItems(q.R, extra)
	}
}

// finish says where rows go and prints the statement that writes one.
func (ib *insertBuilder) finish(p *Plan) error {
	r := ib.rows
	r.Columns = ib.cols
	ib.effectColumns()
	for i, c := range ib.cols {
		if c.AutoInc {
			ib.sequence(i)
		}
	}
	at := ib.sourcePlace(ib.src)
	switch at.kind {
	case placeGroup:
		r.Dest = ib.rowDest(at.vindex)
	case placeFixed:
		r.Fixed = at.dest
	default:
		r.Fixed = Destination{Kind: DestAll}
		p.Write.Everywhere = true
	}
	return ib.statement()
}

func (ib *insertBuilder) sequence(i int) {
	r := ib.rows
	r.AutoInc = i
	r.SeqKeyspace, r.Sequence = sequenceOf(ib.src.keyspace, ib.src.def, ib.src.vt)
}

func (ib *insertBuilder) rowDest(cv *vschema.ColumnVindex) *RowDest {
	d := &RowDest{Vindex: cv.Vindex, Table: ib.src.def.Name}
	for _, name := range cv.Columns {
		at := slices.IndexFunc(ib.cols, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
		d.Ordinal = append(d.Ordinal, at)
		def := ib.src.def.Column(name)
		d.Columns = append(d.Columns, ColumnOf(def.Type))
		d.Names, d.NotNull = append(d.Names, def.Name), append(d.NotNull, def.Type.NotNull)
	}
	return d
}

// statement prints the insert of one row, whose values are parameters.
func (ib *insertBuilder) statement() error {
	one := &sqlast.Insert{
		Changed: ib.ins.Changed,
		Table:   &sqlast.TableRef{Name: ib.src.def.Name, Table: ib.src.def}, Replace: ib.ins.Replace, Ignore: ib.ins.Ignore,
		Pass: ib.ins.Pass, OnKey: ib.ins.OnKey,
	}
	var err error
	if ib.rows.Conflicts, err = ib.conflicts(); err != nil {
		return err
	}
	byGate := ib.rows.Conflicts != nil
	if byGate {
		one.Replace, one.Ignore, one.Pass = false, false, false
	}
	row := make([]sqlast.Expr, len(ib.cols))
	for i, c := range ib.cols {
		one.Columns = append(one.Columns, c.Name)
		v := &sqlast.Param{Index: i}
		v.T = c.Type
		row[i] = v
	}
	if err := ib.checkInsert(row); err != nil {
		return err
	}
	one.Rows = [][]sqlast.Expr{row}
	if !byGate {
		if err := ib.onDup(one); err != nil {
			return err
		}
	}
	if len(ib.ins.Returning) > 0 {
		for _, it := range ib.ins.Returning {
			it.Expr = ib.extraParams(it.Expr)
			one.Returning = append(one.Returning, it)
		}
	}
	if ib.rows.SQL, err = ib.printRow(ib.src.keyspace, one); err != nil {
		return err
	}
	if ib.ins.Replace && !byGate {
		return ib.replaces()
	}
	return nil
}

func (ib *insertBuilder) onDup(one *sqlast.Insert) error {
	if len(ib.ins.OnDup) == 0 {
		return nil
	}
	ib.rows.Counting = CountDup
	sets := ib.ins.OnDup
	for i := range sets {
		if err := ib.column(sets[i].Col, ib.blk, clauseSet); err != nil {
			return err
		}
		if err := ib.assigned(&sets[i], ib.blk); err != nil {
			return err
		}
	}
	sets = append(sets, ib.onUpdateNow(ib.src, sets)...)
	for _, set := range sets {
		if containsFold(ib.vindexColumns(ib.src), set.Col.Name) {
			if ib.keepsKey(set) && !set.Col.T.NoCase {
				continue
			}
		}
		set.Expr = ib.extraParams(set.Expr)
		one.OnDup = append(one.OnDup, set)
	}
	if len(one.OnDup) == 0 {
		// Only the sharding key was set, to what it is: nothing changes.
		c := &sqlast.Col{Name: ib.src.def.Columns[0].Name, Pos: -1, Def: ib.src.def.Columns[0]}
		one.OnDup = []sqlast.Assignment{{Col: c, Expr: c}}
	}
	return nil
}

// keepsKey says whether an assignment to a sharding column leaves it as it is:
// col = VALUES(col), where every unique key holds the column, so that the two
// rows agree on it.
func (ib *insertBuilder) keepsKey(set sqlast.Assignment) bool {
	switch x := set.Expr.(type) {
	case *sqlast.Values:
		same := strings.EqualFold(x.Name, set.Col.Name)
		for _, key := range ib.src.def.Indexes {
			if key.Kind == sqlast.IndexPrimary || key.Kind == sqlast.IndexUnique {
				same = same && slices.ContainsFunc(key.Parts, func(p sqlast.IndexPart) bool {
					return p.Length == 0 && strings.EqualFold(p.Column, set.Col.Name)
				})
			}
		}
		return same
	case *sqlast.Col:
		return strings.EqualFold(x.Name, set.Col.Name)
	}
	return false
}

// extraParams renumbers parameters to stand behind the row's values.
func (ib *insertBuilder) extraParams(e sqlast.Expr) sqlast.Expr {
	return sqlast.Rewrite(e, func(x sqlast.Expr) sqlast.Expr {
		p, ok := x.(*sqlast.Param)
		if !ok {
			return x
		}
		return ib.rowParam(p)
	})
}

// replaces prints the query that counts the rows a REPLACE will put out and, where
// rows of the shard may be their children, the statement that does so: with the
// two changes in one, the engine would look at the children in the end, and find
// that the new row has the key.
func (ib *insertBuilder) replaces() error {
	ib.deriveKeys()
	r := ib.rows
	r.Counting = CountReplace
	met := func(before string) (dialect.Text, error) {
		return ib.shards(ib.src.keyspace).Strings(func(p dialect.Printer) (string, error) {
			rows, err := ib.collisions(p)
			if rows == "" || err != nil {
				return "", err
			}
			return before + rows, nil
		})
	}
	var err error
	if r.Exists, err = met("SELECT count(*) FROM "); err != nil || r.Exists.Empty() || ib.tiedByShards(ib.src) == nil {
		return err
	}
	r.Removing = ib.checked(ib.src.keyspace, ib.src.def, OnDelete, func([]string) bool { return true })
	r.Remove, err = met("DELETE FROM ")
	return err
}

// collisions prints the table and the condition of the rows that have a key of
// the new one.
func (ib *insertBuilder) collisions(p dialect.Printer) (string, error) {
	def := ib.src.def
	var keys []string
	for _, key := range def.Indexes {
		if key.Kind != sqlast.IndexPrimary && key.Kind != sqlast.IndexUnique {
			continue
		}
		var parts []string
		for i, at := range ib.keyAt(key) {
			old, err := p.KeyPart(def, key, i)
			if err != nil {
				return "", err
			}
			row := "?" + itoa(at+1)
			if n := key.Parts[i].Length; n > 0 && key.Kind == sqlast.IndexUnique {
				row = PrefixSQL(row, n, &def.Column(key.Parts[i].Column).Type)
			}
			parts = append(parts, old+" = "+row)
		}
		if len(parts) > 0 {
			keys = append(keys, "("+strings.Join(parts, " AND ")+")")
		}
	}
	if len(keys) == 0 {
		return "", nil
	}
	return quote(def.Name) + " WHERE " + strings.Join(keys, " OR "), nil
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
