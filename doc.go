// Package vitessdo is a database/sql driver that makes one sharded SQL database
// of many small SQLite databases, the way Vitess does it for MySQL. It needs no
// server and no cgo.
//
//	import _ "github.com/vitessdo/vitessdo"
//
//	db, err := sql.Open("vitessdo", "file:./data?shards=4")
//
// # Opening
//
// The data source name is file:DIR for a directory, which is created when it
// isn't there, :memory:, or wss://host/keyspace for shards at a tablet server, which
// other processes use too; [Config] lists the options. The number of shards is
// settled at creation. A directory belongs to one process at a time; several
// pools of this process share it. [NewConnector] opens from a [Config].
//
// # SQL
//
// Statements are written in MySQL's dialect, with ? or :name (sql.Named) for
// parameters. Every statement becomes queries for the shards that can hold its
// rows and a way to combine what they answer: the single shard's rows as they
// come, several shards' rows side by side or merged in order, partial aggregates
// put together, or, for whatever is left, the rest of the statement as SQL over
// the gathered rows. The answer is the one that a single database would give;
// what can't be answered so is an error that says why. EXPLAIN FORMAT='vitess'
// shows the plan:
//
//	EXPLAIN FORMAT='vitess' SELECT COUNT(*) FROM orders WHERE tenant_id = 7
//
// With dialect=postgres or dialect=sqlite statements are PostgreSQL's or SQLite's, where
// the program imports front/postgres or front/sqlite; see [RegisterDialect].
//
// # How tables are sharded
//
// Without further words a table is sharded by its primary key; a child whose
// foreign key leads to a parent's sharding key goes where the parent's row is; a
// table without a primary key stays on the first shard. A table can say more:
//
//	CREATE TABLE orders (…) PARTITION BY KEY(tenant_id)
//	CREATE TABLE events (…) COMMENT 'vindex=xxhash(device)'
//	CREATE TABLE currencies (…) COMMENT 'reference'
//	CREATE TABLE settings (…) COMMENT 'unsharded'
//
// A VSchema file (option vschema) and ALTER VSCHEMA say the same from outside,
// in Vitess's words.
//
// # Transactions
//
// A write to several shards is atomic, inside a transaction and outside, also
// when the process or the machine dies in the middle. A transaction reads one
// snapshot of each shard and its own writes. When another one has committed to a
// shard that it has read, its first write there fails with [ErrConflict], and it
// is over: begin it anew while [Error.Retryable] says so.
//
// # Values
//
// DATE, DATETIME and TIMESTAMP arrive as time.Time (option parse_time), DECIMAL
// as text with its declared digits, BLOB as []byte. AUTO_INCREMENT values are
// unique over all shards and grow, with gaps.
//
// # Watching and testing
//
// The option slow_query logs slow statements with their plans, statement_stats keeps
// statistics for SHOW VITESS_STATEMENTS, [Config.Logger] logs every statement, and
// [Config.Observers] are told of each with all its questions to shards; the module
// otel makes OpenTelemetry's spans and metrics of that. [WithLabel] says in a context
// for what its statements are run. Nothing of it holds arguments, and nothing costs
// anything where it isn't asked for. Package vitessdotest gives tests a database and
// assertions on routing.
//
// # Errors
//
// Every failure of a statement is an [*Error] with a stable code, MySQL's number
// and SQL state, the shard, and the position in the statement. Compare with
// errors.Is and the Err… values, such as [ErrDuplicateKey].
package vitessdo
