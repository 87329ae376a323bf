package ddl

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Verification is a question about the rows that are there: its query, in
// MySQL's words, gives a row when they don't keep the foreign key that the change
// adds.
type Verification struct {
	Table, Key string
	Query      string
	Failed     string // MySQL's message for such rows
}

// checkForeign looks at a table's foreign keys for which want holds, all of them
// new and the planner's own: the parent must be there with a unique key on the
// columns, and the types must agree. The table itself is in the working copy
// already. With filled, the table may have rows, which are to be verified.
func (p *planner) checkForeign(def *sqlast.TableDef, filled bool, want func(*sqlast.ForeignKeyDef) bool) error {
	for _, fk := range def.ForeignKeys {
		if !want(fk) {
			continue
		}
		if err := p.keepsOrigin(def, "have foreign keys"); err != nil {
			return err
		}
		parent := p.parent(fk)
		if parent != nil {
			fk.RefTable = parent.Name
		}
		switch {
		case parent == nil && p.waitsForParents():
			continue // it may come later
		case parent == nil:
			return noParent(fk, def.Name)
		}
		if err := matchParent(def, parent, fk); err != nil {
			return err
		}
		if err := p.recordForeign(def, fk, filled); err != nil {
			return err
		}
	}
	return nil
}

// resolveParent finds the keyspace that a new foreign key of the planner's own
// leads to: the table's own where it names none.
func (p *planner) resolveParent(fk *sqlast.ForeignKeyDef, table string) error {
	for name := range p.v.Keyspaces {
		if strings.EqualFold(name, fk.RefSchema) {
			fk.RefSchema = name
			if name == p.o.Keyspace {
				fk.RefSchema = ""
			}
		}
	}
	switch parent := p.parent(fk); {
	case parent != nil && schema.Hidden(fk.RefTable):
		return p.noTable(fk.RefTable)
	case parent == nil && fk.RefSchema != "" && p.v.Keyspaces[fk.RefSchema] == nil && !p.waitsForParents():
		return noParent(fk, table)
	}
	return nil
}

func (p *planner) waitsForParents() bool { return p.o.Unchecked || p.parentsLater }

// parent finds the table that a key of the keyspace's leads to, or nil.
func (p *planner) parent(fk *sqlast.ForeignKeyDef) *sqlast.TableDef {
	return p.s.Table(cmp.Or(fk.RefSchema, p.o.Keyspace), fk.RefTable)
}

func noParent(fk *sqlast.ForeignKeyDef, table string) error {
	name := fk.RefTable
	if fk.RefSchema != "" {
		name = fk.RefSchema + "." + name
	}
	return fail(errForeignNoParent, "failed to open the referenced table %q of foreign key %q of table %q; create it first", name, fk.Name, table)
}

// recordForeign says what is to be done about a new key that is well formed.
func (p *planner) recordForeign(def *sqlast.TableDef, fk *sqlast.ForeignKeyDef, filled bool) error {
	if p.o.Unchecked {
		return nil
	}
	for _, key := range p.keys().Of(p.o.Keyspace, def.Name) {
		if key.Name != fk.Name {
			continue
		}
		if key.Crossing && p.o.ForeignKeys == "colocated" {
			p.warn("foreign key %q of table %q is recorded but not enforced: %s", fk.Name, def.Name, key.Gate)
			return nil
		}
		if filled {
			p.out.Verify = append(p.out.Verify, verification(key))
		}
	}
	return nil
}

// checkWaiting looks at the keys that were made, with checks off, before the
// table that they refer to.
func (p *planner) checkWaiting(def *sqlast.TableDef) error {
	for _, child := range p.s.Children(p.o.Keyspace, def.Name) {
		if child.Table == def {
			continue
		}
		fk := *child.Key
		fk.RefColumns = slices.Clone(fk.RefColumns)
		if err := matchParent(child.Table, def, &fk); err != nil {
			return err
		}
	}
	return nil
}

// verification asks for a child without a parent.
func verification(key *foreign.Key) Verification {
	parent := quote(key.RefTable)
	if key.RefSchema != "" {
		parent = quote(key.RefSchema) + "." + parent
	}
	var on, where []string
	for i, c := range key.Columns {
		child := "`_vt_child`." + quote(c)
		on = append(on, child+" = `_vt_parent`."+quote(key.RefColumns[i]))
		where = append(where, child+" IS NOT NULL")
	}
	where = append(where, "`_vt_parent`."+quote(key.RefColumns[0])+" IS NULL")
	return Verification{Table: key.Table.Name, Key: key.Name, Failed: key.Failed(false),
		Query: "SELECT 1 FROM " + quote(key.Table.Name) + " AS `_vt_child` LEFT JOIN " + parent + " AS `_vt_parent` ON " +
			strings.Join(on, " AND ") + " WHERE " + strings.Join(where, " AND ") + " LIMIT 1"}
}

// sameForm says whether equal values of the two types are the same for an engine.
func sameForm(a, b *sqlast.Type) bool {
	return a.Class == b.Class && a.NoCase == b.NoCase && a.Keyed() == b.Keyed()
}

func matchParent(def, parent *sqlast.TableDef, fk *sqlast.ForeignKeyDef) error {
	for i, name := range fk.RefColumns {
		ref := parent.Column(name)
		if ref == nil {
			return fail(errForeignNoIndex, "foreign key %q of table %q refers to column %q, which table %q doesn't have",
				fk.Name, def.Name, name, parent.Name)
		}
		fk.RefColumns[i] = ref.Name
		c := def.Column(fk.Columns[i])
		if !sameForm(&c.Type, &ref.Type) {
			return fail(errForeignMismatch,
				"referencing column %q of table %q (%s) and referenced column %q of table %q (%s) in foreign key %q are incompatible; give them one type and collation",
				c.Name, def.Name, typeText(c), ref.Name, parent.Name, typeText(ref), fk.Name)
		}
	}
	if !foreign.Unique(parent, fk.RefColumns) {
		return fail(errForeignNoIndex,
			"failed to add foreign key %q of table %q: referenced table %q has no primary or unique key on exactly (%s); add one",
			fk.Name, def.Name, parent.Name, strings.Join(fk.RefColumns, ", "))
	}
	return nil
}

func typeText(c *sqlast.ColumnDef) string {
	text := strings.ToLower(c.Type.Name)
	if c.Type.Collation != "" {
		text += " " + c.Type.Collation
	}
	return text
}

// keys tells who keeps the foreign keys of the working copy.
func (p *planner) keys() *foreign.Keys { return keysOf(p.s, p.v, &p.o) }

func keysOf(s *schema.Schema, v *vschema.VSchema, o *Options) *foreign.Keys {
	return foreign.Of(s, v, func(ks string) foreign.Shards { return foreign.Shards{Number: o.Shards[ks], Bound: o.Bound[ks]} })
}

// shardOptions says which foreign keys of a table the shards don't have, as the
// working copy stands, and remembers that the table is now made so.
func (p *planner) shardOptions(def *sqlast.TableDef) dialect.TableOptions {
	skipped := p.keys().Skipped(p.o.Keyspace, def.Name)
	p.made[strings.ToLower(def.Name)] = skipped
	return dialect.TableOptions{SkipForeignKeys: skipped}
}

// madeWithout says which foreign keys the shards' table lacks at this point of
// the change.
func (p *planner) madeWithout(name string) []string {
	if skipped, ok := p.made[strings.ToLower(name)]; ok {
		return skipped
	}
	return p.formerKeys().Skipped(p.o.Keyspace, name)
}

// formerKeys tells who kept the foreign keys before the change.
func (p *planner) formerKeys() *foreign.Keys {
	if p.keys0 == nil {
		p.keys0 = keysOf(p.s0, p.v0, &p.o)
	}
	return p.keys0
}

// followKeys rebuilds the tables whose foreign keys change hands, from the shards
// to the gate or back, by what the statement does to other tables; also those of
// other keyspaces, whose statements are planned by the keys.
func (p *planner) followKeys() error {
	now := p.keys()
	stmts, err := p.handOver(p.o.Keyspace, now, p.madeWithout)
	if err != nil {
		return err
	}
	p.run(stmts...)
	for _, ks := range p.s.Keyspaces() {
		if ks == p.o.Keyspace || now.Same(p.formerKeys(), ks) && slices.Equal(copiesIn(p.s, p.v, ks), copiesIn(p.s0, p.v0, ks)) {
			continue
		}
		had := func(table string) []string { return p.formerKeys().Skipped(ks, table) }
		if stmts, err = p.handOver(ks, now, had); err != nil {
			return err
		}
		p.concern(ks, stmts...)
	}
	return nil
}

// handOver makes the tables of a keyspace anew that are to have other foreign keys
// than they had.
func (p *planner) handOver(ks string, now *foreign.Keys, without func(table string) []string) (stmts []dialect.Text, err error) {
	for _, def := range p.s.Tables(ks) {
		if len(def.ForeignKeys) == 0 {
			continue
		}
		had, has := without(def.Name), now.Skipped(ks, def.Name)
		if slices.Equal(had, has) {
			continue
		}
		made, err := p.altered(ks, def, def, dialect.AlterOptions{
			Old: dialect.TableOptions{SkipForeignKeys: had}, New: dialect.TableOptions{SkipForeignKeys: has}})
		if err != nil {
			return nil, p.dialectError(err, def.Name)
		}
		stmts = append(stmts, made...)
	}
	return stmts, nil
}
