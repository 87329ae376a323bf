// Package shell is an SQL shell: statements come from a prompt or from scripts, run
// on one connection, so that transactions and USE hold from one to the next, and
// their rows are written as asked.
//
//	editor ──▶ text ──▶ splitter ──▶ statement or \command ──▶ connection ──▶ present.Output
//	script ──┘
//
// shell.go is the way a statement takes, commands.go what begins with a backslash,
// edit.go the prompt with its history, complete.go what Tab offers, split.go where
// statements end.
package shell
