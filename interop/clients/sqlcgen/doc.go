// Package sqlcgen is what sqlc makes of schema.sql and query.sql (sqlc generate, in
// this folder). In flow the queries as SQL, out flow functions over database/sql.
package sqlcgen

import _ "embed"

// Schema is the tables' definition.
//
//go:embed schema.sql
var Schema string
