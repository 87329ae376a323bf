package sqlast

// JSONTable is what a Derived that was JSON_TABLE(doc, path COLUMNS (…)) makes of
// the one value, a JSON document, that its query gives: a row of each value that
// the path finds.
type JSONTable struct {
	Path    string
	Columns []*JSONColumn
}

// JSONColumn is a column of a JSONTable.
type JSONColumn struct {
	Name string
	Kind JSONColumnKind
	Type Type
	Path string // within the row's value
	// Empty is for a path that finds nothing, Error for a value that isn't of the
	// column's type.
	Empty, Error JSONInstead
	Nested       *JSONTable
}

// JSONColumnKind is what a column of a JSONTable shows.
type JSONColumnKind uint8

// The kinds of columns.
const (
	JSONValue      JSONColumnKind = iota // what the path finds
	JSONExists                           // whether it finds anything
	JSONOrdinality                       // the row's number, from 1
	JSONNested                           // the columns of rows within the row
)

// JSONInstead is what a column has in a value's place: an error, the default, a
// JSON text, or NULL.
type JSONInstead struct {
	Fail    bool
	Default string // "" for none
}

// Leaves are a table's columns in order, with nested ones in the place of what
// holds them.
func (t *JSONTable) Leaves() (out []*JSONColumn) {
	for _, c := range t.Columns {
		if c.Nested != nil {
			out = append(out, c.Nested.Leaves()...)
		} else {
			out = append(out, c)
		}
	}
	return out
}
