package sqlparse

import "github.com/pingcap/tidb/pkg/parser"

// Digest gives a statement without its literals and comments, in lower case with
// single blanks, and a name for all that share this form: 16 hexadecimal digits.
// Lists of literals are one. It reads words only, so that it takes any text, also
// one that is no statement.
func Digest(text string) (id, normal string) {
	normal, d := parser.NormalizeDigest(text)
	id = d.String()
	if len(id) > 16 {
		id = id[:16]
	}
	return id, normal
}
