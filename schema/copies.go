package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// CopyDiffers says why a table can't hold the rows of another one, its source, as
// they are: "" when it can. Rows of both are told by the primary key.
func CopyDiffers(source, def *sqlast.TableDef) string {
	pk := source.PrimaryKey()
	switch other := def.PrimaryKey(); {
	case pk == nil || !pk.Whole():
		return fmt.Sprintf("table %q has no primary key of whole columns", source.Name)
	case other == nil || !other.Whole() || !slices.EqualFunc(pk.Columns(), other.Columns(), strings.EqualFold):
		return fmt.Sprintf("their primary keys differ; it must be (%s)", strings.Join(pk.Columns(), ", "))
	}
	for _, c := range source.Columns {
		if c.Generated != nil {
			continue
		}
		switch d := def.Column(c.Name); {
		case d == nil || d.Generated != nil:
			return fmt.Sprintf("it has no column %q", c.Name)
		case !sameValues(&c.Type, &d.Type):
			return fmt.Sprintf("column %q has another type", c.Name)
		}
	}
	for _, d := range def.Columns {
		if c := source.Column(d.Name); d.Generated == nil && (c == nil || c.Generated != nil) {
			return fmt.Sprintf("table %q has no column %q", source.Name, d.Name)
		}
	}
	return ""
}

// sameValues says whether columns of both types hold the same values.
func sameValues(a, b *sqlast.Type) bool {
	return a.Name == b.Name && a.Unsigned == b.Unsigned && a.Size == b.Size && a.Scale == b.Scale && a.NoCase == b.NoCase &&
		a.NotNull == b.NotNull && slices.Equal(a.Values, b.Values)
}
