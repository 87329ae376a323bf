// Package vschemadiff compares VSchemas with each other and with the tables that
// there are.
//
//	two VSchemas ── Diff ──▶ what changes, and whether rows would have to move
//	file + tables ── Check ──▶ what doesn't fit, with lines of the file
package vschemadiff
