// Package pglite runs PGlite, behind pglite-socket, for tests: PostgreSQL as WebAssembly,
// which takes one connection at a time. It needs Node.js.
package pglite
