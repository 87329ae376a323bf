// Command tablets offers shards in PostgreSQL to the tests of other modules, at tablet
// servers. It is told what to do line by line on its standard input, and answers likewise:
//
//	start       a server of its own for one more database; its address is the answer
//	stop ADDR   ends that server
//
// With the arguments pglite and a folder that has package-lock.json, the databases are in
// PGlite. At the end of its input it ends, whatever it is doing, and PostgreSQL with it: who started
// it may have been killed, and waits for nobody.
package main
