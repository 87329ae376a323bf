// Command bench measures vitessdo against a bare SQLite driver on one file, and
// its planner against Vitess's.
//
//	go run .                      everything; a few minutes
//	go run . -only point          the cases whose name contains "point"
//	go run . -rounds 15 -vitess=false
//	go run -tags mattn .          against mattn/go-sqlite3 (needs cgo) instead
//
// A case has two sides that do the same: the driver of the same engine,
// ncruces/go-sqlite3/driver, through database/sql with one file in WAL mode and
// otherwise its defaults, and vitessdo with the same rows on four shards, both
// at the same synchronous level. The sides take turns in one process, round by
// round, so that a change of the machine's pace hits both; what is printed are
// medians over the rounds, and the ratio of the medians. Some ratios have a bar,
// the promise that the project has made; a bar that is missed makes the command
// fail.
//
// A table of its own is about commits at synchronous=full: over two and four shards
// against one and against the engine's own, eight writers of one shard against one,
// and four writers of one, two and four shards. All of them take turns; the ratios
// are of commits per second.
//
// The cases whose names begin with "remote" are the same shards embedded and at a
// tablet server in a process of its own, over a WebSocket and over HTTP; with them it
// is told how many rows come per second and how much memory both processes need for
// that.
//
// The cases whose names begin with "combine" are what no shard can answer by itself;
// for them a second table tells how far the process grows while each side works.
//
// The planner's comparison runs from the module in vitessplan, so that Vitess's
// dependencies burden nobody else.
package main
