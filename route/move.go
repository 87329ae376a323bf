package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// moveWrite plans the change of a row's sharding key: the whole new row is read,
// and written at the shard that its new values name. A row whose shard stays the
// same, as when an ORM sends all columns, is updated in place.
func (w *writer) moveWrite(kw KeyWrite, src *source) (KeyWrite, error) {
	kw.Ignore = w.update.Ignore // a row whose new place is taken stays
	var defs []*sqlast.ColumnDef
	for i, c := range src.def.Columns {
		if c.Generated != nil {
			continue
		}
		defs = append(defs, c)
		kw.Values = append(kw.Values, w.value(w.finalValue(src, i, c), c))
		if w.insertID != nil && w.sourceOf[w.insertID] == src && strings.EqualFold(w.insertID.Name, c.Name) {
			kw.TellsID, kw.InsertID = true, kw.Values[len(kw.Values)-1]
		}
	}
	alone, tied := w.tied(src)
	kw.Tied = tied
	kw.SQL, _ = w.shards(src.keyspace).Strings(func(p dialect.Printer) (string, error) {
		return "DELETE FROM " + quote(src.def.Name) + " WHERE " + byRowID(p, src.def) + alone, nil
	})
	if e := w.childrenOf(src, w.sets[src]); e != nil {
		f := w.following(src, e)
		kw.Children = &f
	} else if !w.oneRow(w.find) {
		kw.Among = w.among(src, defs, kw.Values)
	}
	var err error
	if kw.Stay, err = w.updateByRowID(src, defs); err != nil {
		return kw, err
	}
	items, err := w.rowReturning()
	if err != nil {
		return kw, err
	}
	ib := &insertBuilder{binder: w.binder, ins: &sqlast.Insert{Returning: items}, src: src, cols: defs,
		rows: &InsertRows{Keyspace: src.keyspace, Columns: defs, AutoInc: -1}}
	ib.rows.Dest = ib.rowDest(w.sourcePlace(src).vindex)
	if err := ib.statement(); err != nil {
		return kw, err
	}
	kw.Move = ib.rows
	return kw, nil
}

// among gives the unique keys of a table that its shards keep, and that rows get
// anew with another sharding key; nil when there are none. What is found of a row has
// the new values of defs, all columns, at values.
func (w *writer) among(src *source, defs []*sqlast.ColumnDef, values []int) *Following {
	l := &effectList{src: src, on: OnUpdate, sets: w.sets[src]}
	for _, x := range src.def.Indexes {
		unique := x.Kind == sqlast.IndexPrimary || x.Kind == sqlast.IndexUnique
		apart := func(c string) bool {
			return !slices.ContainsFunc(x.Parts, func(p sqlast.IndexPart) bool { return p.Length == 0 && strings.EqualFold(p.Column, c) })
		}
		if !unique || slices.ContainsFunc(w.vindexColumns(src), apart) || w.env.Schema.Unique(src.keyspace, src.def.Name, x) != nil {
			continue
		}
		e := Effect{Name: x.Name, On: OnUpdate, Key: true, Fail: duplicate(src.def, x)}
		for _, p := range x.Parts {
			var t sqlast.Type
			if p.Expr != nil {
				t = *p.Expr.Type()
			}
			e.Args = append(e.Args, EffectArg{At: l.part(p, t), New: true, Prefix: p.Length})
		}
		l.add(e)
	}
	e := l.all(w.binder)
	if e == nil {
		return nil
	}
	f := &Following{Effects: e}
	for _, c := range e.Columns {
		was, is := -1, -1
		if i := slices.Index(defs, c); i >= 0 {
			was, is = values[i], values[i]
			if containsSet([]string{c.Name}, w.sets[src]) {
				was = w.item(w.stored(src, slices.Index(src.def.Columns, c)))
			}
		}
		f.Old, f.New = append(f.Old, was), append(f.New, is)
	}
	return f
}

// finalValue is column i's value after all assignments.
func (w *writer) finalValue(src *source, i int, c *sqlast.ColumnDef) sqlast.Expr {
	sets := w.sets[src]
	for k := len(sets) - 1; k >= 0; k-- {
		if strings.EqualFold(sets[k].Col.Name, c.Name) {
			return w.newValue(src, k)
		}
	}
	col := &sqlast.Col{Table: w.qualifier(src), Name: c.Name, Pos: -1, Def: c, Source: src.ref}
	col.T = src.cols[i].typ
	w.sourceOf[col] = src
	return col
}

// tied gives the condition under which a row of the table has no children that
// the shards would take away with it though their key forbids it to change, and the
// error when it has. Where foreign keys forbid that the parent goes, the shard says
// so itself.
func (w *writer) tied(src *source) (alone string, with error) {
	if w.env.Foreign == nil {
		return "", nil
	}
	for _, k := range w.env.Foreign.To(src.keyspace, src.def.Name) {
		if k.Gate != "" || k.Delete() == "" || k.Update() == "CASCADE" {
			continue // those that CASCADE names have followed it, see childrenOf
		}
		alone += " AND NOT EXISTS (SELECT 1 FROM " + quote(k.Table.Name) + " AS _vt_child WHERE "
		for i, c := range k.Columns {
			if i > 0 {
				alone += " AND "
			}
			alone += "_vt_child." + quote(c) + " = " + quote(src.def.Name) + "." + quote(k.RefColumns[i])
		}
		alone += ")"
		if with == nil {
			with = violated(k, true)(nil)
		}
	}
	return alone, with
}
