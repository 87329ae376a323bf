// Package postgres lets clients write PostgreSQL: importing it registers the dialect
// "postgres", for dialect=postgres in a data source name.
//
//	import _ "github.com/vitessdo/vitessdo/front/postgres"
//
//	text ──PostgreSQL's own parser──▶ its tree, as JSON ──conv──▶ sqlast
//
// The parser is libpg_query, PostgreSQL's grammar and nothing else, compiled to
// WebAssembly (github.com/wasilibs/go-pgquery, no cgo). The first statement of a
// process pays for compiling it; each text is parsed once, since plans are kept.
//
// The tree is rewritten into what means the same in MySQL's terms: / of whole numbers
// is DIV, NULLs come last, || concatenates, LIKE minds case, what is true or false is
// a Go bool. What hangs on types is left to the binder ([sqlast.Late]). What can't be
// said is an error with its place. docs/dialects.md lists both.
package postgres
