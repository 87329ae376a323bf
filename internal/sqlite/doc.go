// Package sqlite is the house's binding to the SQLite engine: what tablets
// store shards with and what the gate combines rows in.
//
// SQL text and [tablet.Value] arguments flow in; rows, as int64, float64,
// string, []byte and nil, and [tablet.Error]s flow out. A [Conn] keeps its
// prepared statements by SQL text, checks one context while a statement runs
// (a field that SQLite's progress handler looks at: no goroutine, no
// allocation), and turns the engine's panic on an exhausted memory budget into
// an error. A Conn belongs to one goroutine at a time; several Conns work on
// one database side by side.
//
// [NewMemory] makes a database in memory that several connections share, with
// snapshots: a reader never waits for the writer and never sees half of a
// commit.
//
// The engine is github.com/ncruces/go-sqlite3, its root package only: its
// database/sql driver would register a name that other drivers register too.
package sqlite
