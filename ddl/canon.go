package ddl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// maxName is MySQL's limit for identifiers, in characters.
const maxName = 64

// copyDef copies a definition as deep as this package changes it; expressions
// are shared.
func copyDef(def *sqlast.TableDef) *sqlast.TableDef {
	d := *def
	d.Columns = copyEach(def.Columns)
	d.Indexes = copyEach(def.Indexes)
	for _, x := range d.Indexes {
		x.Parts = slices.Clone(x.Parts)
	}
	d.ForeignKeys = copyEach(def.ForeignKeys)
	for _, fk := range d.ForeignKeys {
		fk.Columns, fk.RefColumns = slices.Clone(fk.Columns), slices.Clone(fk.RefColumns)
	}
	d.Checks = copyEach(def.Checks)
	d.PartitionKey = slices.Clone(def.PartitionKey)
	return &d
}

func copyEach[T any](in []*T) []*T {
	out := make([]*T, len(in))
	for i, v := range in {
		c := *v
		out[i] = &c
	}
	return out
}

// isCI says whether a collation ignores case.
func isCI(collation string) bool { return strings.HasSuffix(strings.ToLower(collation), "_ci") }

// defaultCollation gives a new table its collation. It is written down only
// where it differs from the built-in one, so that the definition keeps its
// meaning when the option changes.
func defaultCollation(def *sqlast.TableDef, collation string) {
	if def.Collation == "" && isCI(collation) {
		def.Collation = collation
	}
	for _, c := range def.Columns {
		inheritCollation(c, def.Collation)
	}
}

// inheritCollation gives a text column without a collation its table's.
func inheritCollation(c *sqlast.ColumnDef, collation string) {
	if c.Type.Class != sqlast.ClassText || c.Type.Collation != "" || collation == "" {
		return
	}
	c.Type.Collation = collation
	c.Type.NoCase = isCI(collation)
}

// canonical gives names to what has none, spells columns as they are declared
// and orders what has an order. def is the caller's own copy.
func canonical(def *sqlast.TableDef) {
	for i, c := range def.Columns {
		c.Pos = i
	}
	for _, x := range def.Indexes {
		if x.Kind == sqlast.IndexPrimary {
			x.Name = "PRIMARY"
		}
		for i := range x.Parts {
			spell(def, &x.Parts[i].Column)
		}
		if x.Name == "" {
			x.Name = freeIndexName(def, x)
		}
	}
	slices.SortStableFunc(def.Indexes, func(a, b *sqlast.IndexDef) int {
		return indexRank(a) - indexRank(b)
	})
	for _, fk := range def.ForeignKeys {
		for i := range fk.Columns {
			spell(def, &fk.Columns[i])
		}
		if fk.Name == "" {
			fk.Name = freeConstraintName(def, "_ibfk_")
		}
	}
	for _, c := range def.Checks {
		if c.Name == "" {
			c.Name = freeConstraintName(def, "_chk_")
		}
	}
	for i := range def.PartitionKey {
		spell(def, &def.PartitionKey[i])
	}
	notNullPrimary(def)
	coverForeignKeys(def)
}

func notNullPrimary(def *sqlast.TableDef) {
	if pk := def.PrimaryKey(); pk != nil {
		for _, name := range pk.Columns() {
			if c := def.Column(name); c != nil {
				c.Type.NotNull = true
			}
		}
	}
}

func indexRank(x *sqlast.IndexDef) int {
	if x.Kind == sqlast.IndexPrimary {
		return 0
	}
	return 1
}

// spell gives a column's name the spelling of its definition.
func spell(def *sqlast.TableDef, name *string) {
	if c := def.Column(*name); c != nil {
		*name = c.Name
	}
}

func freeIndexName(def *sqlast.TableDef, x *sqlast.IndexDef) string {
	base := "functional_index"
	if len(x.Parts) > 0 && x.Parts[0].Column != "" {
		base = x.Parts[0].Column
	}
	name := base
	for n := 2; indexNamed(def, name) != nil || strings.EqualFold(name, "PRIMARY"); n++ {
		name = base + "_" + strconv.Itoa(n)
	}
	return name
}

// freeConstraintName numbers the names that MySQL gives constraints: one more
// than the highest in use.
func freeConstraintName(def *sqlast.TableDef, infix string) string {
	highest := 0
	note := func(name string) {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, def.Name+infix)); err == nil && n > highest {
			highest = n
		}
	}
	for _, fk := range def.ForeignKeys {
		note(fk.Name)
	}
	for _, c := range def.Checks {
		note(c.Name)
	}
	return fmt.Sprintf("%s%s%d", def.Name, infix, highest+1)
}

// coverForeignKeys adds, as MySQL does, an index for every foreign key whose
// columns lead none: a delete from the parent looks for children by it.
func coverForeignKeys(def *sqlast.TableDef) {
	for _, fk := range def.ForeignKeys {
		if len(fk.Columns) == 0 || slices.ContainsFunc(def.Indexes, func(x *sqlast.IndexDef) bool {
			return leads(x, fk.Columns)
		}) {
			continue
		}
		x := &sqlast.IndexDef{Name: fk.Name}
		for _, c := range fk.Columns {
			x.Parts = append(x.Parts, sqlast.IndexPart{Column: c})
		}
		if indexNamed(def, x.Name) != nil {
			x.Name = freeIndexName(def, x)
		}
		def.Indexes = append(def.Indexes, x)
	}
}

// leads says whether the index begins with the columns, in any order.
func leads(x *sqlast.IndexDef, columns []string) bool {
	if len(x.Parts) < len(columns) || x.Kind == sqlast.IndexFulltext || x.Kind == sqlast.IndexSpatial {
		return false
	}
	for _, p := range x.Parts[:len(columns)] {
		if p.Column == "" || p.Length > 0 || !containsName(columns, p.Column) {
			return false
		}
	}
	return true
}

func indexNamed(def *sqlast.TableDef, name string) *sqlast.IndexDef {
	for _, x := range def.Indexes {
		if strings.EqualFold(x.Name, name) {
			return x
		}
	}
	return nil
}

func containsName(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

func sameNames(a, b []string) bool {
	return slices.EqualFunc(a, b, strings.EqualFold)
}
