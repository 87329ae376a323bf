// Package status looks over a database: its shards, the rows that every table has on
// each of them, how even that is, and transactions that are in doubt.
//
//	connection ── Read ──▶ Status ──▶ text with bars, a Grid, or JSON
package status
