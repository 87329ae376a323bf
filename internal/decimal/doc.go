// Package decimal computes with MySQL's DECIMAL values as SQLite databases keep
// them: an INTEGER, or the REAL nearest to the decimal. Up to 15 digits that REAL
// stands for one decimal only, so that equality, order, grouping and hashing of
// the REALs are those of the decimals, as long as nobody computes with the REALs
// themselves. That is this package's job: it reads the decimal that a REAL stands
// for, computes with exact decimals, and gives back the REAL that stands for the
// result, or says that there is none.
//
// Shards reach it through the dec_* functions of internal/sqlite, the gate
// directly, so that both round alike.
package decimal
