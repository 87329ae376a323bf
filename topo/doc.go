// Package topo knows which keyspaces and shards exist and where their data is.
//
// In flows a directory (or the wish for an in-memory database); out flows a
// [State]: keyspaces with their shards in key order, the VSchema, the relations'
// DDL, and a version that grows with every change.
//
//   - [OpenDir] owns a data directory: it creates it so that a crash at any
//     moment leaves something that opens cleanly, locks it against other
//     processes, and refuses what is foreign, newer or damaged.
//   - [Catalog] keeps the state in a database that is itself a tablet, which the
//     caller opens; its mutations take a transaction on that tablet, so that DDL
//     commits together with the shards it changed.
//   - [Sequences] hands out AUTO_INCREMENT values from blocks that the catalog
//     reserves durably.
//
// The order of a first open, and of every later one:
//
//	dir, err := topo.OpenDir(path, topo.DirOptions{Shards: 4})
//	// open a tablet on dir.CatalogFile() and on dir.File(s.File) of every shard
//	cat, err := topo.NewCatalog(ctx, catalogTablet)
//	st, err := cat.Load(ctx)
//	if len(st.Keyspaces) == 0 { err = cat.Init(ctx, dir.State()) }
//	err = dir.Ready() // from here on a missing file is damage, not an unfinished creation
package topo
