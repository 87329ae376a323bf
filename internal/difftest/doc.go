// Package difftest holds vitessdo against itself and against SQLite: out of a
// seed it makes schemas, rows, writes and queries (gen*.go), runs the same
// workload on databases of several shard counts and on one plain SQLite
// database (system.go, oracle.go), and compares every answer, every count of
// affected rows, every error's class and the tables' contents (run.go,
// compare.go). Some queries are held to laws among themselves instead (logic.go,
// gen_logic.go): a condition, its negation and its being NULL split the rows.
// What differs is cut down to a short script (shrink.go).
//
// A workload is a function of its seed: the same seed gives the same
// statements.
package difftest
