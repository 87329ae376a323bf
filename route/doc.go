// Package route is the planner: a statement's tree, the schema and the VSchema
// go in, a [Plan] comes out.
//
// Every plan has the same shape: fragments, each one statement for the shards
// that its [Destination] names, and a [Combine], which says what the gate does
// with the fragments' rows. Writes have the same fragments, or rows to insert, or
// a plan that finds the affected rows' keys and statements that write by key.
//
// Planning goes in this order, one file each: bind.go resolves names and types,
// and factor.go takes joins out of ORs;
// facts.go reads what conditions say of columns; place.go and group.go find which tables are
// co-located, and locate.go, lookup.go and dest.go which shards they are on; select.go,
// aggregate.go, regroup.go and union.go push as much of a query as is right into fragments
// and choose the combine; first.go takes out subqueries whose value can be had
// before, prune.go what nothing reads, and sink.go puts conditions down where they pick rows; universal.go plans what is left, by fetching tables,
// and with nested.go the joins and subqueries that shards can answer, and running
// the rest at the gate, where join.go, semijoin.go and joined.go make equi-joins
// that need no SQL, and index.go what SQL looks up; insert.go and write.go plan writes, insertwhole.go
// those inserts that the shards do by themselves, effect.go what the gate keeps
// beside their rows, conflict.go how an insert meets rows in its way; explain.go
// tells a plan to people.
//
// The package needs no running tablet and no parser. Plans are immutable and
// shared between sessions.
package route
