// Package catalog makes of what the catalog keeps what statements are planned with.
// In flow a [topo.State], texts and names, and a way to ask a shard of each
// keyspace; out flows a [Snapshot]: tables and views parsed, vindexes bound to the
// shards.
package catalog
