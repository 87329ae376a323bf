// Package present writes rows for people and for programs: as an aligned table, one
// line per column, JSON or CSV; and numbers, sizes, times and bars as people read
// them.
//
//	*sql.Rows or a Grid ──▶ Output{Format, …} ──▶ text, streamed
//
// Of a long result only the first rows are looked at to find the columns' widths, so
// that memory doesn't grow with it.
package present
