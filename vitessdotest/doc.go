// Package vitessdotest gives tests a sharded database of their own in one line, and
// assertions about where their statements go, so that a team can keep statements
// that ask every shard out of its code.
//
//	func TestOrders(t *testing.T) {
//		db := vitessdotest.New(t, vitessdotest.Schema(schema))
//
//		db.AssertSingleShard(t, func() { placeOrder(db.DB, 42) })
//		db.AssertNoScatter(t, func() { listOrders(db.DB, 42) })
//	}
//
// The database is in memory, has four shards unless [Shards] says otherwise, and is
// closed with the test. [DB] is a *sql.DB that also knows what its statements did:
// the assertions look at all of them that end while a function runs, and name in
// their messages the statement, its plan, and the shards that it has asked. A
// [Recorder] is the same for a pool that the test opens by itself.
//
// With [ForbidScatter] every statement of the whole test that asks all shards fails
// it, except in [DB.AllowScatter] and where the statement says
// /*vt+ ALLOW_SCATTER */.
package vitessdotest
