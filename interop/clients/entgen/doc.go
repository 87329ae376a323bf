// Package entgen is what ent's generator makes of the package schema below. In flow
// types with fields and edges, out flows a client of their graph. It is made anew, from
// interop/clients, by
//
//	go run entgo.io/ent/cmd/ent@v0.14.5 generate --feature sql/upsert ./entgen/schema
package entgen
