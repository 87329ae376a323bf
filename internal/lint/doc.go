// Package lint holds the repository's rules as tests: who may import whom, how
// long a file may be, that every package says what it is, and what no text may
// hold. In flow the files of the tree; out flow findings, each with the reason
// of its rule, so that a failure explains itself. It exports nothing.
package lint
