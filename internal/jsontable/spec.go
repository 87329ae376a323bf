package jsontable

import "encoding/json"

// Spec is a row path with the columns of its rows, and those of the rows nested in
// them. The columns of a table are numbered in the order in which they are written,
// nested ones in their place.
type Spec struct {
	Path    string    `json:"p"`
	Columns []*Column `json:"c"`
}

// Column is one of a Spec: what each kind has is told by which fields are set.
type Column struct {
	Name string `json:"n,omitempty"`
	// Ordinality: the number of the row, from 1.
	Ordinality bool `json:"o,omitempty"`
	// Exists: 1 where the path finds something, else 0.
	Exists bool   `json:"x,omitempty"`
	Path   string `json:"p,omitempty"`
	// Fit is the type, Args its bounds or lengths, Members those of ENUM and SET.
	Fit     Fit      `json:"f,omitempty"`
	Args    []int64  `json:"a,omitempty"`
	Members []string `json:"m,omitempty"`
	// Empty is for a path that finds nothing, Error for a value that isn't of the
	// type.
	Empty  Instead `json:"e,omitzero"`
	Error  Instead `json:"r,omitzero"`
	Nested *Spec   `json:"s,omitempty"`
}

// Fit is how a value is brought into a column's type.
type Fit string

// The fits, with their arguments.
const (
	Int      Fit = "int" // lowest, highest
	Year     Fit = "year"
	Decimal  Fit = "decimal" // precision, scale, 1 for unsigned
	Key      Fit = "key"     // the same
	Double   Fit = "double"  // 1 for unsigned
	Text     Fit = "text"    // characters, -1 for any number
	Blob     Fit = "blob"    // bytes, likewise
	Enum     Fit = "enum"
	Set      Fit = "set"
	Date     Fit = "date"
	DateTime Fit = "datetime" // digits of a second's fraction
	Time     Fit = "time"     // the same
	JSON     Fit = "json"
)

// Instead is what stands in a column in a value's place: NULL, unless it says
// otherwise.
type Instead struct {
	Fail bool `json:"f,omitempty"`
	// Default is a JSON text; "" for none.
	Default string `json:"d,omitempty"`
}

// Text is the spec as text; Parse reads it.
func (s *Spec) Text() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // it holds nothing that has no JSON
	}
	return string(b)
}

// Parse reads what Text has written.
func Parse(text string) (*Spec, error) {
	s := &Spec{}
	return s, json.Unmarshal([]byte(text), s)
}
