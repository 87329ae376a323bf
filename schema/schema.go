package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Schema is a snapshot of all keyspaces.
type Schema struct {
	// Version grows with every change of schema or VSchema.
	Version   uint64
	keyspaces map[string]*keyspace
}

type keyspace struct {
	tables map[string]*sqlast.TableDef // by lower-case name
	views  map[string]*View
}

// View is a stored query.
type View struct {
	Name    string
	Columns []string // empty: the query's own
	// Query is shared: a planner clones it before it binds it.
	Query sqlast.Query
	Text  string // the query's MySQL text
	Check string // "LOCAL" or "CASCADED": WITH … CHECK OPTION; ""
}

// Table finds a table by keyspace and name, without regard to the name's case.
func (s *Schema) Table(ks, name string) *sqlast.TableDef {
	if k := s.keyspaces[ks]; k != nil {
		return k.tables[strings.ToLower(name)]
	}
	return nil
}

// View finds a view by keyspace and name, without regard to the name's case.
func (s *Schema) View(ks, name string) *View {
	if k := s.keyspaces[ks]; k != nil {
		return k.views[strings.ToLower(name)]
	}
	return nil
}

// Tables lists a keyspace's tables by name, without the hidden ones.
func (s *Schema) Tables(ks string) []*sqlast.TableDef {
	k := s.keyspaces[ks]
	if k == nil {
		return nil
	}
	return slices.DeleteFunc(sortedValues(k.tables), func(t *sqlast.TableDef) bool { return Hidden(t.Name) })
}

// Views lists a keyspace's views by name.
func (s *Schema) Views(ks string) []*View {
	k := s.keyspaces[ks]
	if k == nil {
		return nil
	}
	return sortedValues(k.views)
}

// Keyspaces lists the keyspaces that hold anything.
func (s *Schema) Keyspaces() []string {
	return slices.Sorted(maps.Keys(s.keyspaces))
}

// Change is one step from a schema to the next.
type Change struct {
	Keyspace string
	// Drop names a table or view that goes; Table or View is what comes. A
	// rename has both.
	Drop  string
	Table *sqlast.TableDef
	View  *View
}

// With returns a schema of the given version with the changes made in order.
func (s *Schema) With(version uint64, changes ...Change) *Schema {
	out := &Schema{Version: version, keyspaces: map[string]*keyspace{}}
	if s != nil {
		maps.Copy(out.keyspaces, s.keyspaces)
	}
	fresh := map[string]bool{}
	for _, c := range changes {
		if !fresh[c.Keyspace] {
			out.keyspaces[c.Keyspace] = out.keyspaces[c.Keyspace].clone()
			fresh[c.Keyspace] = true
		}
		out.keyspaces[c.Keyspace].apply(c)
	}
	return out
}

func (k *keyspace) clone() *keyspace {
	if k == nil {
		return &keyspace{tables: map[string]*sqlast.TableDef{}, views: map[string]*View{}}
	}
	return &keyspace{tables: maps.Clone(k.tables), views: maps.Clone(k.views)}
}

func (k *keyspace) apply(c Change) {
	if c.Drop != "" {
		delete(k.tables, strings.ToLower(c.Drop))
		delete(k.views, strings.ToLower(c.Drop))
	}
	if c.Table != nil {
		k.tables[strings.ToLower(c.Table.Name)] = c.Table
	}
	if c.View != nil {
		k.views[strings.ToLower(c.View.Name)] = c.View
	}
}

// Children lists the foreign keys of other tables, of any keyspace, and of the
// table itself, that refer to the table called name.
func (s *Schema) Children(ks, name string) []Child {
	var out []Child
	for _, own := range s.Keyspaces() {
		for _, t := range s.Tables(own) {
			for _, fk := range t.ForeignKeys {
				if fk.Refers(own, ks, name) {
					out = append(out, Child{Keyspace: own, Table: t, Key: fk})
				}
			}
		}
	}
	return out
}

// Child is a foreign key with the table that has it.
type Child struct {
	Keyspace string
	Table    *sqlast.TableDef
	Key      *sqlast.ForeignKeyDef
}

func sortedValues[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// Placing is all of a column's type that the canonical form of its values, and
// so their place, depends on: columns with the same one place equal values alike.
type Placing struct {
	class  sqlast.Class
	noCase bool
	fsp    int
	keyed  bool
}

// PlacedBy gives a column's Placing.
func PlacedBy(c *sqlast.ColumnDef) Placing {
	out := Placing{class: c.Type.Class, noCase: c.Type.NoCase, keyed: c.Type.Keyed()}
	if c.Type.Class == sqlast.ClassDateTime || c.Type.Class == sqlast.ClassTime {
		out.fsp = max(c.Type.Scale, 0)
	}
	return out
}
