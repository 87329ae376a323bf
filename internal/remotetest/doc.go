// Package remotetest runs a tablet server inside a test, of the parts that vitessdo
// serve has: a directory's shards by name, opened at their first use, behind HTTP and
// WebSocket.
package remotetest
