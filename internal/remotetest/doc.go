// Package remotetest runs a tablet server inside a test: shards by name, opened at
// their first use, in memory or in a directory, behind HTTP and WebSocket.
package remotetest
