// Package doctest runs the code blocks of the documentation, so that what it tells
// stays true.
//
// In flows a page in Markdown, out flow the ways in which it is wrong. A page has a
// directory of its own, empty at first, in which its blocks run one after the other:
//
//   - ```sh: lines that begin with "$ " are given to one bash for the whole page, with
//     the vitessdo command in its PATH; the lines below a command are what it prints,
//     and aren't looked at where there are none. A block without "$ " is a script.
//   - ```sql: statements for vitessdo shell, on the page's database.
//   - ```go: a program, which is run, or else statements or declarations, which are
//     compiled. Of statements the variables ctx, db, tx, err, cfg and t are known.
//   - ```json: must be JSON. ```ts and others need a comment, as below.
//   - ```text, or no language at all: what the block above it prints; as the first of a
//     page, or below prose, a picture.
//
// In what is printed "…" stands for anything in a line, and a line of it alone for any
// lines. Comments before a block say more:
//
//	<!-- doctest: db DSN -->       the page's database, from here on (file:./data?shards=4)
//	<!-- doctest: file NAME -->    the block is this file in the directory, which a
//	                               program makes a Go module with this one's packages
//	<!-- doctest: fails -->        the block's last command must fail
//	<!-- doctest: module DIR -->   the Go module whose packages the block uses
//	<!-- doctest: skip REASON -->  the block isn't run
package doctest
