// Package schema holds what stands on the tablets: each keyspace's tables, with
// columns, keys and indexes, and its views. A [Schema] is an immutable snapshot;
// DDL makes a new one with a higher version, and whoever plans holds one
// snapshot from start to end.
package schema
