// Package tally counts statements: by what they have in common beside their literals, by
// the shards that they ask, and the latest slow ones.
//
//	gate: statements, and what they ask of shards ─┐
//	                                               ├──▶ Tally ──▶ info.Statistics ──▶ SHOW VITESS_STATEMENTS …
//	tablet server: requests ───────────────────────┘
package tally
