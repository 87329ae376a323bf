package ddl

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// LookupFill is a hidden table whose entries are to be made of the rows that are
// there, once the statements have run: for each row of Table whose key has no
// NULL, the key's columns and the row's keyspace ID. Two rows with one key are a
// duplicate entry.
type LookupFill struct {
	Table, Hidden *sqlast.TableDef
	Key           *sqlast.IndexDef
}

// byLookup says whether the gate is to keep a unique key by a hidden table, and
// why it can't if that is so.
func (p *planner) byLookup(def *sqlast.TableDef, t *vschema.Table, x *sqlast.IndexDef) (want bool, reason string) {
	if p.kept(t, x) || p.perShard(def) {
		return false, ""
	}
	for _, part := range x.Parts {
		switch c := keyColumn(def, part); {
		case part.Length > 0 && x.Kind == sqlast.IndexPrimary:
			return true, "it is a primary key on a prefix of a column"
		case c != nil && c.Type.Name == "":
			return true, "the type of its expression (" + part.ExprText + ") can't be told (wrap it in a CAST)"
		}
	}
	return true, ""
}

// keyColumn is the column that a part of a key is on. An expression is a column
// that nobody sees, as in MySQL: its type is that of its values.
func keyColumn(def *sqlast.TableDef, part sqlast.IndexPart) *sqlast.ColumnDef {
	if part.Column != "" {
		return def.Column(part.Column)
	}
	t := exprType(part.Expr, []source{{label: def.Name, cols: def.Columns}})
	t.NoCase, t.NotNull, t.Collation = sqlite.FoldsCase(def, part.Expr), false, ""
	if t.NoCase {
		t.Collation = "utf8mb4_general_ci"
	}
	return &sqlast.ColumnDef{Type: t, Generated: part.Expr}
}

// anyOf is a type that takes what a generated column holds: the shards look only at
// what columns are given.
func anyOf(t sqlast.Type) sqlast.Type {
	wide, ok := columnTypes[t.Class]
	switch {
	case !ok || t.Class != sqlast.ClassText && t.Class != sqlast.ClassInt && t.Class != sqlast.ClassBlob,
		t.Values != nil, t.Name == "YEAR", t.Name == "BIT":
		return t
	}
	wide.NoCase, wide.Collation = t.NoCase, t.Collation
	return wide
}

// perShard says whether the table's unique keys are left to each shard alone.
func (p *planner) perShard(def *sqlast.TableDef) bool {
	spec, _, err := vschema.ParseComment(def.Comment)
	return p.o.UniqueKeys == "shard" || err == nil && spec.UniqueShard
}

func (p *planner) hidden(table string, x *sqlast.IndexDef) *sqlast.TableDef {
	return p.s.Unique(p.o.Keyspace, table, x)
}

// keyTable defines the hidden table of a key: its columns, or what the key has of
// them, as they compare in the table, spread by those whose equal values share a
// shard.
func keyTable(def *sqlast.TableDef, x *sqlast.IndexDef) *sqlast.TableDef {
	out := &sqlast.TableDef{Name: schema.UniqueTable(def.Name, x.Name), Engine: def.Engine, Charset: def.Charset, Collation: def.Collation}
	pk := &sqlast.IndexDef{Name: "PRIMARY", Kind: sqlast.IndexPrimary}
	for i, part := range x.Parts {
		c := keyColumn(def, part)
		k := &sqlast.ColumnDef{Name: schema.KeyColumn(i), Type: c.Type, Charset: c.Charset}
		if def.Computed(part) {
			k.Type = anyOf(c.Type)
		}
		k.Type.NotNull = true
		if n := x.Parts[i].Length; n > 0 {
			k.Type.Name, k.Type.Size = "VARCHAR", n
			if k.Type.Class == sqlast.ClassBlob {
				k.Type.Name = "VARBINARY"
			}
		}
		out.Columns = append(out.Columns, k)
		pk.Parts = append(pk.Parts, sqlast.IndexPart{Column: k.Name})
		if refuseColumn(k, "hash") == "" {
			out.PartitionKey = append(out.PartitionKey, k.Name)
		}
	}
	id := sqlast.TypeOf(sqlast.ClassBlob)
	id.Name, id.Size, id.NotNull = "VARBINARY", 255, true
	out.Columns = append(out.Columns, &sqlast.ColumnDef{Name: schema.KeyspaceIDColumn, Type: id})
	out.Indexes = []*sqlast.IndexDef{pk}
	canonical(out)
	return out
}

// addLookup makes the hidden table of a key; with fill, its entries too.
func (p *planner) addLookup(def *sqlast.TableDef, x *sqlast.IndexDef, fill bool) error {
	h := keyTable(def, x)
	stmts, err := p.created(h, dialect.TableOptions{})
	if err != nil {
		return p.dialectError(err, def.Name)
	}
	p.run(stmts...)
	p.put("", h)
	if fill {
		p.out.Fills = append(p.out.Fills, LookupFill{Table: def, Hidden: h, Key: x})
	}
	return nil
}

func (p *planner) addLookups(def *sqlast.TableDef, t *vschema.Table) error {
	for _, x := range def.Indexes {
		if want, _ := p.byLookup(def, t, x); want {
			if err := p.addLookup(def, x, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) dropLookup(h *sqlast.TableDef) error {
	stmts, err := p.definition(p.o.Keyspace, &sqlast.DropTable{Tables: []*sqlast.TableRef{{Name: h.Name, Table: h}}})
	if err != nil {
		return p.dialectError(err, h.Name)
	}
	p.run(stmts...)
	p.apply(schema.Change{Keyspace: p.o.Keyspace, Drop: h.Name})
	return nil
}

// eachLookup visits the hidden tables of a table's keys.
func (p *planner) eachLookup(def *sqlast.TableDef, f func(*sqlast.IndexDef, *sqlast.TableDef) error) error {
	for _, x := range def.Indexes {
		if h := p.hidden(def.Name, x); h != nil {
			if err := f(x, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// renameLookups lets hidden tables follow their table, old and new being its
// definitions.
func (p *planner) renameLookups(old, def *sqlast.TableDef) error {
	err := p.eachLookup(old, func(x *sqlast.IndexDef, h *sqlast.TableDef) error {
		return p.renameLookup(h, schema.UniqueTable(def.Name, x.Name))
	})
	for i := range p.out.Fills { // of earlier steps of the statement
		if f := &p.out.Fills[i]; f.Table.Name == old.Name {
			f.Table = def
		}
	}
	return err
}

func (p *planner) renameLookup(h *sqlast.TableDef, to string) error {
	if h.Name == to {
		return nil
	}
	if err := p.shardRename(h, to); err != nil {
		return err
	}
	next := *h
	next.Name = to
	p.put(h.Name, &next)
	for i := range p.out.Fills {
		if f := &p.out.Fills[i]; f.Hidden.Name == h.Name {
			f.Hidden = &next
		}
	}
	return nil
}

// followLookups lets the hidden tables follow an ALTER TABLE: what a key that
// stays has is kept, what lost its key goes, what is new is made of the rows. A
// key that nobody has kept so far stays as it is.
func (a *alteration) followLookups() error {
	t := a.vtable(a.new.Name)
	left := map[*sqlast.IndexDef]*sqlast.TableDef{} // key of the old table → its hidden table
	for _, y := range a.old.Indexes {
		if h := a.hidden(a.old.Name, y); h != nil {
			left[y] = h
		}
	}
	var missing []*sqlast.IndexDef
	type move struct {
		h *sqlast.TableDef
		x *sqlast.IndexDef
	}
	var moves []move
	for _, x := range a.new.Indexes {
		if want, _ := a.byLookup(a.new, t, x); !want {
			continue
		}
		i := slices.IndexFunc(a.old.Indexes, func(y *sqlast.IndexDef) bool { return a.sameIndex(x, y) })
		if i < 0 {
			missing = append(missing, x)
			continue
		}
		y := a.old.Indexes[i]
		h := left[y]
		switch {
		case h == nil && !(a.perShard(a.old) && a.o.UniqueKeys != "shard"):
			// It is as it was.
		case h != nil && sameKey(h, keyTable(a.new, x)) && a.computesAlike(x):
			moves = append(moves, move{h, x})
			delete(left, y)
		default:
			missing = append(missing, x)
		}
	}
	for _, y := range a.old.Indexes {
		if h := left[y]; h != nil {
			if err := a.dropLookup(h); err != nil {
				return err
			}
		}
	}
	for _, m := range moves {
		if err := a.renameLookup(m.h, schema.UniqueTable(a.new.Name, m.x.Name)); err != nil {
			return err
		}
	}
	for _, x := range missing {
		if err := a.addLookup(a.new, x, true); err != nil {
			return err
		}
	}
	return nil
}

// computesAlike says whether the rows that are there have what they had in a key:
// no column that an expression of it names, or a generated column, is another.
func (a *alteration) computesAlike(x *sqlast.IndexDef) bool {
	if !slices.ContainsFunc(x.Parts, a.new.Computed) {
		return true
	}
	same := func(c *sqlast.ColumnDef) bool {
		old := a.before(c)
		return old != nil && old.GeneratedText == c.GeneratedText && sameValues(&old.Type, &c.Type) && schema.PlacedBy(old) == schema.PlacedBy(c)
	}
	for _, part := range x.Parts {
		if part.Column != "" && !same(a.new.Column(part.Column)) {
			return false
		}
	}
	return !slices.ContainsFunc(a.new.GivenByKey(x), func(name string) bool { return !same(a.new.Column(name)) })
}

// sameKey says whether two hidden tables keep the same values alike.
func sameKey(a, b *sqlast.TableDef) bool {
	c := *b
	c.Name = a.Name
	return sameText(a, &c) && slices.EqualFunc(a.Columns, b.Columns, func(x, y *sqlast.ColumnDef) bool {
		return x.Type.Numbers == y.Type.Numbers
	})
}

// eachOwned visits the tables of the lookup vindexes that a table owns, as far as
// they are in this keyspace: without the rows their entries mean nothing.
func (p *planner) eachOwned(def *sqlast.TableDef, f func(*sqlast.IndexDef, *sqlast.TableDef) error) error {
	t := p.vtable(def.Name)
	if t == nil {
		return nil
	}
	for i := range t.ColumnVindexes {
		cv := &t.ColumnVindexes[i]
		name := strings.TrimPrefix(cv.Params["table"], p.o.Keyspace+".")
		if entries := p.table(name); cv.OwnedBy(def.Name) && entries != nil {
			if err := f(nil, entries); err != nil {
				return err
			}
		}
	}
	return nil
}
