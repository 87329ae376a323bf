// Package postgres keeps shards in PostgreSQL, each in a database or a schema of its own:
//
//	cfg := vitessdo.NewConfig()
//	cfg.Dir = "./data" // the catalog, and the log of commits over several shards
//	cfg.Shards = 2
//	cfg.Storage = postgres.Storage(map[string]string{
//		"main/-80": "postgres://app@a.example/shop?search_path=shard_a",
//		"main/80-": "postgres://app@b.example/shop?search_path=shard_b",
//	})
//	connector, err := vitessdo.NewConnector(cfg)
//	db := sql.OpenDB(connector)
//
// Topology files name such a shard by its URL, postgres://…, once this package is
// imported; a password stands among the file's tokens. A schema that search_path names is
// made when it isn't there. The server's encoding must be UTF8; any PostgreSQL from 12 on
// will do, without extensions and without more rights than those of the schema's owner.
//
// # What goes where
//
//	tablet ──▶ conn ──▶ stmt: text of package dialect/postgres
//	              │        │  parameters: the server says what it takes them for, params.go
//	              │        │  brings values there, or has the statement prepared anew for theirs
//	              │        ├▶ SAVEPOINT, statement, RELEASE in one request
//	              │        └▶ result: rows by portions, from a portal that the server keeps, portal.go
//	              └▶ BEGIN with the look whether the database is still this process's
//
// A statement that fails leaves its transaction as it was, as everywhere else; PostgreSQL
// by itself would roll back all of it.
//
// # One owner
//
// A shard has one tablet, by a [lease.Lease] in the table _vt_lease. Every transaction that
// writes takes the one row of _vt_meta, and finds there whether it is still its owner's; the
// row counts these transactions, by which one whose COMMIT broke off is found again. The two
// are apart so that the lease is moved on while a transaction has the row.
//
// # One session
//
// A database without a postmaster, as PGlite is one, has one session for all connections:
// what they send would mix. There the engine has one connection, session.go, whose turn its
// conns take. A transaction begins in the database with its first write, and has the turn
// from then on; others read statement by statement, see that nothing was committed since
// their first, and fail otherwise.
//
//	conn ──▶ turn ──▶ see: is it still the same moment? ──▶ statement, whole ──▶ next one's turn
//	    └──▶ first write ──▶ turn, BEGIN … COMMIT ──▶ next one's turn
//
// Nobody hears there that a statement is to be cancelled. Who doesn't wait for its end lets
// go of the connection, and the next one is made when the server has closed that.
//
// # What is kept how
//
// See package dialect/postgres. _vt_next_row numbers the rows of tables that aren't
// known by an integer; _vt_json_valid is the check of JSON columns.
package postgres
