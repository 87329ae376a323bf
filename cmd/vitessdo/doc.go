// Command vitessdo looks at and works with a vitessdo database from the command
// line, and shows on an embedded cluster what the driver does.
//
// In flow a subcommand, a data source name and SQL; out flow tables of text. It
// knows nothing that a program behind database/sql does not know: what it prints
// comes from statements and from the driver's exported functions. The exit code is 0 when all went well, 1 when
// the work failed, and 2 when the arguments were wrong.
//
//	vitessdo demo                a tenant-sharded shop on four shards, with every kind of plan
//	vitessdo shell DSN           runs statements from a prompt or from standard input
//	vitessdo explain DSN SQL     shows which shards a statement goes to, and with which text
//	vitessdo vschema DSN         prints the VSchema as JSON
//	vitessdo status DSN          shards, files, sizes, rows of every table
//	vitessdo tx …                lists and settles what a crash left of commits over several shards
//	vitessdo gate DSN            serves the database to programs in other languages
//	vitessdo serve DIR           serves a directory's tablets to gates elsewhere
//	vitessdo vindex …            makes, fills, verifies and repairs lookup vindexes
package main
