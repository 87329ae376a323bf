package sqlast

// Class says how a value compares and computes.
type Class uint8

// The classes. ClassUnknown is a parameter's until something is known of it.
const (
	ClassUnknown Class = iota
	ClassNull
	ClassInt
	ClassDecimal
	ClassDouble
	ClassText
	ClassBlob
	ClassDate
	ClassDateTime // DATETIME and TIMESTAMP
	ClassTime
	ClassJSON
)

// Numeric says whether values of the class are numbers.
func (c Class) Numeric() bool { return c == ClassInt || c == ClassDecimal || c == ClassDouble }

// Temporal says whether values of the class are kept as date or time text.
func (c Class) Temporal() bool { return c == ClassDate || c == ClassDateTime || c == ClassTime }

// Type is what is known of an expression's values.
type Type struct {
	// Name is MySQL's type name in upper case without length, as "VARCHAR" or
	// "BIGINT"; empty where none was declared.
	Name  string
	Class Class
	// NoCase: text compares without regard to ASCII case (a *_ci collation).
	NoCase bool
	// Collation is MySQL's collation name where one was declared.
	Collation string
	Unsigned  bool
	Zerofill  bool
	// Size is the length or precision, Scale the digits after the point or, of
	// temporal types, of the fraction of a second; -1 where not declared.
	Size, Scale int
	// Values are the members of an ENUM or SET.
	Values []string
	// NotNull: NULL can't occur.
	NotNull bool
	// Bool: TINYINT(1), BOOL, and what is true or false.
	Bool bool
	// Numbers: a DECIMAL column keeps numbers whatever its digits are; so did those
	// of tables that were made before keys were.
	Numbers bool
}

// Stripped says whether a column of the type keeps text without the blanks at its end,
// as MySQL's CHAR hands it out.
func (t *Type) Stripped() bool { return t.Class == ClassText && t.Name == "CHAR" }

// Filled says whether a column of the type fills bytes with zeros up to its size.
func (t *Type) Filled() bool { return t.Class == ClassBlob && t.Name == "BINARY" && t.Size > 0 }

// TypeOf gives a Type of class c of which nothing else is known.
func TypeOf(c Class) Type { return Type{Class: c, Size: -1, Scale: -1} }
