// Package sqlparse turns MySQL text into the tree of package sqlast.
//
//	text ──lexer──▶ tokens ──pre-scan──▶ edits, directives, parameters
//	     ──own small parsers──▶ Vitess commands, SHOW, SET, transactions …
//	     ──TiDB's parser──▶ its tree ──conv──▶ sqlast
//
// In flows one statement's text ([Parse]) or a script's ([Split]); out flows a
// tree that holds what stands in the text and nothing resolved. What MySQL has and
// the tree has no place for is a [SyntaxError] that names the construct: nothing is
// dropped that would change a statement's meaning. Index hints and optimizer hints are dropped.
//
// [Normalize] is a separate, much cheaper pass that lets statements which
// differ only in literals share a plan.
//
// The parser behind is github.com/pingcap/tidb/pkg/parser; none of its types
// leave this package. The edits make it read what it has no grammar for
// (named parameters, RETURNING, row aliases, derived column lists, DEFAULT
// with an expression), and every position is mapped back to the text as given.
//
// All functions are safe for concurrent use.
package sqlparse
