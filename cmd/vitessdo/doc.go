// Command vitessdo looks at and works with a vitessdo database from the command
// line, and shows on an embedded cluster what the driver does.
//
// In flow a subcommand, a data source name and SQL; out flow tables of text. It
// knows nothing that a program behind database/sql does not know: what it prints
// comes from statements and from the driver's exported functions. The exit code is 0 when all went well, 1 when
// the work failed, 2 when the arguments were wrong, and 130 when it was interrupted.
//
//	main.go   the tree of commands
//	args.go   what all of them do with their arguments: the data source name, counts, errors that name what was meant
//	gate.go   demo.go  shell.go  …   a command each: its flags and help, and what it runs
//
// vitessdo --help lists the commands.
package main
