// Package sqlite prints [sqlast] as SQLite's SQL, for SQLite 3.54 with the
// functions that internal/sqlite registers.
//
// In goes a statement whose nodes the planner's binder has given types and
// resolved columns; where it has not, the printer looks at literals, casts and
// function names, and else assumes what MySQL text most commonly means. Out
// comes text whose meaning on SQLite is the statement's meaning on MySQL:
// numbered parameters, quoted names, brackets from the tree (the two languages'
// precedence differs), and for every operator and function either SQLite's own
// spelling or one of our functions. What depends on the session or the moment
// (NOW(), @x, LAST_INSERT_ID()) has been replaced by parameters before.
//
// DECIMALs of types with more than 15 digits are blobs that sort as their numbers
// (key.go); of fewer, numbers.
//
// Dates are text in SQLite and compare as text, so what meets a DATE or
// DATETIME column is brought to the column's spelling: literals when printing,
// parameters and expressions by cmp_datetime and store_datetime. A parameter
// that the binder has typed as date or datetime is printed bare: its type is
// the promise that it is bound in the column's spelling.
package sqlite
