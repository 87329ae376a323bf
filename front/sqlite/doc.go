// Package sqlite lets clients write SQLite's language: importing it registers the
// dialect "sqlite", for dialect=sqlite in a data source name.
//
//	import _ "github.com/vitessdo/vitessdo/front/sqlite"
//
//	text ──lexer──▶ tokens ──recursive descent──▶ sqlast
//
// The parser follows the grammar that SQLite publishes, statement by statement, and
// builds the tree as it goes: a file for words, one for expressions, queries, writes,
// definitions, and the rest. What SQLite means otherwise than MySQL is said in
// MySQL's terms: / of whole numbers is DIV, LIKE ignores the case of ASCII letters, IS
// compares, a text column compares with a number as text. Functions of dates and JSON
// are SQLite's own, as the shards run SQLite. What can't be said is an error with its
// place. docs/dialects.md lists both.
package sqlite
