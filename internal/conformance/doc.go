// Package conformance says what vitessdo makes of MySQL's constructs: every
// operator, function, column type and kind of query as cases in testdata, each a
// statement and its answer, run on several shard counts, and docs/sql.md, which
// is written from them.
//
// A file of testdata is one chapter:
//
//	## Strings                          its title
//	== CONCAT                           a construct
//	! what differs from MySQL, for people
//	CONCAT('a', 1) => a1                a case: SELECT is left off
//	x => ours  (MySQL: theirs)          a case whose answer is another in MySQL
//	x => error 1235                     a case that is refused
//
// Rows are joined by "; ", values by "|". A construct with a case that differs
// or is refused has a note, the line with "!". The tables that the cases read
// are in testdata/fixture.sql. What MySQL answers was taken from a server or
// from its manual, and is compared with another implementation in the module
// bench/mysqloracle.
package conformance
