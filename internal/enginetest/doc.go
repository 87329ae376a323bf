// Package enginetest is the contract of an engine beneath a tablet as tests: for any
// database that speaks SQLite behind database/sql.
package enginetest
