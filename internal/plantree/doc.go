// Package plantree makes a tree of what EXPLAIN FORMAT='vitess' tells, to be read by
// people, and as JSON by programs.
//
//	rows (plan_type, combine, keyspace, shards, query) ──▶ Plan ──▶ text or JSON
//
// A plan has what runs before it (subqueries whose value it needs), the fragments
// that go to shards, the combine that makes the result of their rows, and, when it
// writes, what is written where.
package plantree
