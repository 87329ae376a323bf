// Package fit brings values into what a column of a MySQL type keeps, and says
// what is wrong with those that no column of the type can keep. The gate asks it
// for the values of an INSERT, shards for what an UPDATE computes there, so that
// both accept, round and refuse alike.
//
// Every function gives the value that the column keeps, and a [Fault]. When there
// is a fault, the value is the one that MySQL would put in its place outside of
// strict mode, as under INSERT IGNORE.
package fit
