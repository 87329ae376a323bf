// Package rpc carries the contract of package tablet over a wire: a gate reaches
// tablets in another process, and in other implementations of the same
// protocol, as if they were embedded.
//
//	Tablet, Tx, rows ──▶ Request ──▶ capnweb ──▶ HTTP batch or WebSocket
//	                                                     │
//	tablet.Tablet ◀── dispatch ◀── session ◀── capnweb ◀─┘
//
// Everything is a message, sent by one method, call(message), which answers with
// a message; docs/protocol.md has them all. Package capnweb does the rest:
// answers come in any order, rows stream with back pressure, an abandoned call is
// cancelled.
//
// A [Client] reaches one server, and gives its tablets by [Client.Tablet]. A
// [Server] exposes any tablets by name; [Serve] those that are open, and
// [NewServer] those that its options find, with a say in who may do what.
//
// # Transactions
//
// A transaction has an ID that its client makes up. It begins with its first
// statement, in the same message. One that was begun over a WebSocket is rolled
// back when that is lost; one over HTTP when nothing is heard of it for a while.
// What is prepared stays, in either case: its holder decides.
//
// # Rows
//
// The first rows come with the answer, most often all of them. The others follow
// as a stream, or are fetched with a cursor over HTTP.
//
// # What can go wrong
//
// Errors are *[tablet.Error]s with the code, shard and details that the tablet
// gave. When an answer is lost, a read fails with IO_ERROR; a change may or may
// not have been made, and fails with OUTCOME_UNKNOWN, unless it was never sent.
// When a context ends, the far end is told to interrupt the statement, and what
// may change something is waited for, so that its outcome is known after all.
// The context's deadline goes with each message.
package rpc
