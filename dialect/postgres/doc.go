// Package postgres prints the gate's statements for PostgreSQL.
//
//	sqlast ──▶ printer: text with its kind ──▶ dialect.Text
//	                │
//	                ├─ the kinds don't meet, or mean another thing ──▶ dialect.UnsupportedError: the gate does it
//	                └─ hangs on no row ──▶ the gate's own printer ──▶ a parameter with its value
//
// Values are kept as SQLite's shards keep them, so that they are compared, sorted and
// handed on alike: text with collation "C", which is by bytes, dates and times as text,
// a DECIMAL of up to 15 digits as a numeric, a longer one as the bytes of its key.
// PostgreSQL, unlike SQLite, knows each expression's type when it is given: what is
// printed has a kind, and operands meet only when their kinds do. Where MySQL would
// convert, the rows travel and the gate decides.
//
// What PostgreSQL does otherwise and is said by the text: NULLs come first, text without
// regard to case is folded on both sides, a condition is no number, columns beside
// GROUP BY are taken of the group's first row.
//
// # Parameters
//
// A parameter $1 has the type that the server takes it for: package interop/postgres
// brings its value there. One that reads ?1 has the type of its value, where the server
// would take it for text or doesn't know.
//
// # Row IDs
//
// A table whose primary key is one integer is known by that. Any other has a column
// _vt_rowid with the next number for each row. It hangs on the table's rows alone, so
// that a transaction that is replayed gives its rows the same numbers again.
package postgres
