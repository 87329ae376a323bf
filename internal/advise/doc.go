// Package advise finds out how tables are best sharded for the statements that an
// application runs.
//
//	logs ── Read ──▶ statements with counts ─┐
//	CREATE TABLE … ──────────────────────────┴─ Advise ──▶ a layout, its VSchema, and
//	                                                      each statement's plan before and after
//
// Nothing is guessed about a statement: each is planned by package route against every
// layout that is tried, and what it costs follows from the plan: how many shards it
// asks, whether rows are gathered at the gate, what it writes beside its rows.
//
// read.go understands the logs, world.go plans under a layout, cost.go weighs plans,
// search.go tries layouts, lookup.go adds lookup vindexes, report.go tells.
package advise
