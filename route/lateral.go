package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// maxLateral is how many columns a lateral derived table may have: those of the
// table by which the engine reads it.
const maxLateral = 100

// lateral binds a derived table that sees the tables before it, which are the
// block's sources by now. As to where rows are, its query is a correlated subquery;
// what one shard can't answer runs at the gate.
func (b *binder) lateral(d *sqlast.Derived, own *block, nullable bool) (*source, error) {
	if len(own.sources) == 0 && d.JSON == nil {
		d.Lateral = false // there is nothing to see
	}
	s, err := b.derivedIn(d, own, own, nullable)
	if err != nil || !d.Lateral {
		return s, err
	}
	if len(s.cols) > maxLateral {
		return nil, unsupported("a LATERAL table or JSON_TABLE of more than 100 columns", "name the columns that are needed")
	}
	s.lateral = true
	for i := range s.cols {
		// They are expressions to the engine, whatever they were.
		s.cols[i].def, s.cols[i].col = nil, nil
	}
	return s, nil
}

// jsonColumns are the columns of a JSON_TABLE.
func jsonColumns(t *sqlast.JSONTable) ([]outCol, error) {
	var cols []outCol
	for _, c := range t.Leaves() {
		for _, o := range cols {
			if strings.EqualFold(o.name, c.Name) {
				return nil, errorf(CodeDuplicateAlias, -1, "duplicate column name '%s'", c.Name)
			}
		}
		cols = append(cols, outCol{name: c.Name, typ: c.Type})
	}
	return cols, nil
}
