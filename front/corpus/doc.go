// Package corpus is the kit of the front ends' tests: stories of statements with what
// they give, told to one shard, to several, and to the real database of the dialect.
//
//	testdata/*.sql ──Read──▶ Steps ──Tell──▶ a connection's answers, compared
//
// A story is a file: statements that end with a semicolon at a line's end, each followed
// by the rows that it gives, as comments: "-- " and the values, parted by " | ", or
// "-- error: " and a part of the error's text. "--! here" stands before a statement that
// isn't asked of the real database: one that only fails here.
package corpus
