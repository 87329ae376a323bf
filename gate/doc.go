// Package gate lets other programs and languages use a vitessdo database: it
// speaks the client's part of docs/protocol.md, over HTTP batches and
// WebSockets.
//
//	client ──▶ capnweb ──▶ session ──▶ driver's session ──▶ shards
//	   QUERY, EXECUTE, BATCH            autocommit: a free one, for the statement
//	   BEGIN … COMMIT, ROLLBACK         a transaction: one of its own, by txId
//	   STATUS, HEALTH, SCHEMA, VSCHEMA
//
// The driver does the work; the gate keeps account of what clients hold. A
// transaction is rolled back when its WebSocket is lost, and in any case when
// nothing was heard of it for a while. What doesn't fit into an answer follows as
// a stream at the reader's pace, or chunk by chunk as the client fetches it.
//
// A [Gate] is an http.Handler. Who may come in, and whether to read only, is the
// business of [Options.Admit]. What can be held at once is bounded by the options,
// and so is a message by those of package capnweb.
//
// The MySQL protocol is spoken by package gate/mysql, in a module of its own.
package gate
