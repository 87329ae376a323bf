// Package decimal computes with MySQL's DECIMAL values as SQLite databases keep
// them. Those of types with up to 15 digits are numbers: an INTEGER, or the REAL
// nearest to the decimal. Up to 15 digits that REAL stands for one decimal only, so
// that equality, order, grouping and hashing of the REALs are those of the
// decimals, as long as nobody computes with the REALs themselves. That is this
// package's job: it reads the decimal that a REAL stands for, computes with exact
// decimals, and gives back the REAL that stands for the result, or says that there
// is none.
//
// Those of types with more digits are keys: bytes that compare and sort as the
// decimals do ([Decimal.AppendKey]), so that an engine's own order of blobs serves
// indexes, sorting, grouping and joins, on the shards and at the gate.
//
// Shards reach it through the dec_* functions of internal/sqlite, the gate
// directly, so that both round alike.
package decimal
