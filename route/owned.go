package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

// declared is a lookup vindex of the VSchema as its parameters say.
type declared struct {
	cv             *vschema.ColumnVindex
	pv             *vschema.ColumnVindex // of the table
	table          string                // in MySQL's quotes
	keyspace, name string                // of the table
	from           []string
	to             string
	hashed         bool // to holds the sharding column's number instead of the keyspace ID
}

// declaredLookup reads a lookup vindex that the table owns; false for what is
// no such vindex, or one that isn't kept here.
func declaredLookup(keyspace string, vt *vschema.Table, i int) (declared, bool) {
	cv := &vt.ColumnVindexes[i]
	d := declared{cv: cv, pv: vt.Primary(), to: cv.Params["to"], hashed: strings.HasPrefix(cv.Type, "lookup_hash")}
	table := cv.Params["table"]
	if i == 0 || !cv.OwnedBy(vt.Name) || !cv.Kept() || table == "" || d.to == "" {
		return d, false
	}
	for _, c := range strings.Split(cv.Params["from"], ",") {
		d.from = append(d.from, strings.TrimSpace(c))
	}
	if len(d.from) != len(cv.Columns) || d.hashed && (d.pv.Type != "hash" || len(d.pv.Columns) != 1) {
		return d, false
	}
	if ks, name, qualified := strings.Cut(table, "."); qualified {
		keyspace, table = ks, name
	}
	d.keyspace, d.name, d.table = keyspace, table, sqlName(keyspace, table)
	return d, true
}

// routes says whether rows can be found by the vindex: it has the entries of all
// rows, and its table tells values apart as the table does.
func (b *binder) routes(d *declared, src *source) bool {
	def := b.env.Schema.Table(d.keyspace, d.name)
	if d.cv.WriteOnly() || def == nil || def.Column(d.to) == nil {
		return false
	}
	for i, c := range d.cv.Columns {
		own, entry := src.def.Column(c), def.Column(d.from[i])
		if own == nil || entry == nil || !compatible(own.Type, entry.Type) {
			return false
		}
	}
	return true
}

// ownedEffects keeps the entries of the lookup vindexes that a table owns. A
// unique one's table has a unique key on its from columns; of a common one an
// entry may stand for several rows, and goes with the last of them.
func (b *binder) ownedEffects(l *effectList) {
	if l.src.vt.Primary() == nil {
		return
	}
	for i := range l.src.vt.ColumnVindexes {
		d, ok := declaredLookup(l.src.keyspace, l.src.vt, i)
		if !ok {
			continue
		}
		watch := append(d.cv.Columns[:len(d.cv.Columns):len(d.cv.Columns)], d.pv.Columns...)
		if !l.concerns(OnInsert|OnUpdate|OnDelete, watch...) {
			continue
		}
		at := l.columns(watch...)
		for _, e := range d.effects(l) {
			e.Name, e.Watch, e.Keyspace, e.SkipNull = d.cv.Name, at, l.src.keyspace, true
			l.add(e)
		}
	}
}

func (d *declared) effects(l *effectList) []Effect {
	insert := Effect{On: OnInsert | OnUpdate, Args: append(l.args(true, d.cv.Columns...), d.toArg(l, true)),
		Head: "INTO " + d.table + " (" + strings.Join(sqlQuoted(append(d.from[:len(d.from):len(d.from)], d.to)), ", ") + ") VALUES ",
		Row:  "(" + strings.Join(marks(len(d.from)+1), ", ") + ")"}
	if d.cv.Unique() {
		insert.Head = "INSERT " + insert.Head
		insert.Before, insert.Key, insert.Judge = true, !d.hashed, JudgeUnique
		insert.Fail = duplicate(l.src.def, &sqlast.IndexDef{Name: d.cv.Name, Parts: partsOf(d.cv.Columns)})
		return []Effect{{On: OnUpdate | OnDelete, Before: true, Args: l.args(false, d.cv.Columns...),
			Head: "DELETE FROM " + d.table + " WHERE " + rowOf(sqlQuoted(d.from)) + " IN (", Row: rowOf(marks(len(d.from))), Tail: ")"}, insert}
	}
	insert.Head = "INSERT IGNORE " + insert.Head
	var entry, row []string
	for i, c := range d.cv.Columns {
		entry, row = append(entry, sqlQuote(d.from[i])+" = ?"), append(row, sqlQuote(c)+" = ?")
	}
	// A row that is placed alike needs the entry too. Only these vindexes place rows
	// apart whose columns differ: by others NULL and the empty string, or 0, may meet,
	// or what folds or is cut to the same. There any row keeps it, which costs a look
	// in vain.
	var placed []string
	switch d.pv.Type {
	case "hash", "xxhash", "xxh3":
		placed = d.pv.Columns
	}
	for _, c := range placed {
		row = append(row, sqlQuote(c)+" <=> ?")
	}
	gone := Effect{On: OnUpdate | OnDelete, Args: append(l.args(false, d.cv.Columns...), d.toArg(l, false)),
		Head: "DELETE FROM " + d.table + " WHERE " + strings.Join(append(entry, sqlQuote(d.to)+" = ?"), " AND ") +
			" AND NOT EXISTS (SELECT 1 FROM " + sqlName(l.src.keyspace, l.src.def.Name) + " WHERE " + strings.Join(row, " AND ") + ")"}
	gone.Args = append(gone.Args, l.args(false, append(d.cv.Columns[:len(d.cv.Columns):len(d.cv.Columns)], placed...)...)...)
	gone.Nullable = len(placed)
	return []Effect{gone, insert}
}

func (d *declared) toArg(l *effectList, isNew bool) EffectArg {
	if d.hashed {
		return l.args(isNew, d.pv.Columns[0])[0]
	}
	return l.keyspaceID(d.pv, isNew)
}

func partsOf(columns []string) []sqlast.IndexPart {
	out := make([]sqlast.IndexPart, len(columns))
	for i, c := range columns {
		out[i].Column = c
	}
	return out
}

// byDeclared finds a place's shards by a lookup vindex of the VSchema.
func (b *binder) byDeclared(src *source) (Destination, bool) {
	for i := range src.vt.ColumnVindexes {
		d, ok := declaredLookup(src.keyspace, src.vt, i)
		if !ok || !b.routes(&d, src) {
			continue
		}
		keys := b.keyValues(columnTerms(src, d.cv.Columns))
		if keys == nil {
			continue
		}
		var where []string
		for _, c := range d.from {
			where = append(where, sqlQuote(c)+" = ?")
		}
		dest := b.lookupDestination(src.keyspace, "SELECT "+sqlQuote(d.to)+" FROM "+d.table+" WHERE "+strings.Join(where, " AND "), keys, !d.cv.Unique())
		dest.Name = d.cv.Name
		if d.hashed {
			dest.Vindex = d.pv.Vindex
			dest.Columns = []vindex.Column{ColumnOf(src.def.Column(d.pv.Columns[0]).Type)}
		}
		return dest, true
	}
	return Destination{}, false
}

// Backfill gives what makes the entries of a table's lookup vindex for rows that
// are there: entries that are there already stay. Only for a vindex that the
// table owns.
func Backfill(env *Env, keyspace, table, name string) (*Effects, error) {
	b := newBinder(env, 0)
	def := env.Schema.Table(keyspace, table)
	if def == nil {
		return nil, &Error{Code: CodeUnknownTable, Pos: -1, Table: table, Message: "table '" + keyspace + "." + table + "' doesn't exist"}
	}
	src, err := b.base(&sqlast.TableRef{Name: table, Pos: -1}, keyspace, def)
	if err != nil {
		return nil, err
	}
	l := &effectList{src: src, on: OnInsert}
	if src.vt.Primary() != nil {
		for i := range src.vt.ColumnVindexes {
			d, ok := declaredLookup(keyspace, src.vt, i)
			if !ok || d.cv.Name != name {
				continue
			}
			for _, e := range d.effects(l) {
				e.Name, e.Keyspace, e.SkipNull, e.Key, e.Judge = name, keyspace, true, false, JudgeErrors
				e.Head = strings.Replace(e.Head, "INSERT INTO", "INSERT IGNORE INTO", 1)
				l.add(e)
			}
			return &l.out, nil
		}
	}
	return nil, errorf(CodeUnsupported, -1, "table '%s' owns no lookup vindex '%s' that is kept here", table, name)
}

// LookupCheck is what verifying a lookup vindex takes.
type LookupCheck struct {
	// Effects make the entry of a row. Its columns are the vindex's, then those
	// that place the row; the first Keys of them are looked up by.
	Effects *Effects
	Keys    int
	Unique  bool
	// Keyspace and Table hold the entries, in columns From and To.
	Keyspace, Table string
	From            []string
	To              string
	// Entry finds an entry's To by its From; Move gives it another To (then From);
	// Remove takes it away by From and To.
	Entry, Move, Remove string
	place               declared
}

// Check prepares verifying a lookup vindex that the table owns.
func Check(env *Env, keyspace, table, name string) (*LookupCheck, error) {
	e, err := Backfill(env, keyspace, table, name)
	if err != nil {
		return nil, err
	}
	vt := env.VSchema.Keyspaces[keyspace].Table(table)
	for i := range vt.ColumnVindexes {
		d, ok := declaredLookup(keyspace, vt, i)
		if !ok || d.cv.Name != name {
			continue
		}
		var from []string
		for _, c := range d.from {
			from = append(from, sqlQuote(c)+" = ?")
		}
		where, to := strings.Join(from, " AND "), sqlQuote(d.to)
		return &LookupCheck{Effects: e, Keys: len(d.from), Unique: d.cv.Unique(), Keyspace: d.keyspace, Table: d.name, From: d.from, To: d.to,
			Entry:  "SELECT " + to + " FROM " + d.table + " WHERE " + where + " FOR UPDATE",
			Move:   "UPDATE " + d.table + " SET " + to + " = ? WHERE " + where,
			Remove: "DELETE FROM " + d.table + " WHERE " + where + " AND " + to + " = ?", place: d}, nil
	}
	return nil, errorf(CodeUnsupported, -1, "table '%s' owns no lookup vindex '%s'", table, name)
}

// ToOf gives what the entry of a row, the values of Effects.Columns, leads to.
func (c *LookupCheck) ToOf(row []any, b *Scratch) (any, error) {
	a := &c.Effects.List[0].Args[c.Keys]
	if a.ID != nil {
		return a.ID.KeyspaceID(row, b)
	}
	return row[a.At], nil
}

// ShardOf gives the shard that an entry leads to; -1 for none.
func (c *LookupCheck) ShardOf(m *ShardMap, to any, b *Scratch) (int, error) {
	d := Destination{Vindex: binaryVindex, Columns: []vindex.Column{{}}}
	if c.place.hashed {
		d.Vindex, d.Columns[0] = c.place.pv.Vindex, vindex.Column{Affinity: vindex.Integer}
	}
	if to == nil {
		return -1, nil
	}
	return d.shardOf(m, []Source{{Arg: -1, Const: to}}, nil, b)
}

// Entries is where the entries of a lookup vindex are, whose column To holds the
// keyspace IDs of the rows that they lead to.
type Entries struct{ Keyspace, Table, To string }

// EntriesOf lists the tables of a table's own lookup vindexes.
func EntriesOf(keyspace string, vt *vschema.Table) (out []Entries) {
	for i := range vt.ColumnVindexes {
		if d, ok := declaredLookup(keyspace, vt, i); ok && !d.hashed {
			out = append(out, Entries{d.keyspace, d.name, d.to})
		}
	}
	return out
}
