package sqlite

import "strings"

// Kind is what a statement does, as far as its first word tells.
type Kind uint8

// The kinds.
const (
	KindOther   Kind = iota // DDL, VACUUM, ANALYZE …
	KindRead                // SELECT, VALUES, EXPLAIN
	KindInsert              // INSERT, REPLACE
	KindChange              // UPDATE, DELETE
	KindWith                // WITH: a read or any write
	KindPragma              // PRAGMA
	KindControl             // BEGIN, COMMIT, SAVEPOINT …; ATTACH, DETACH
)

// KindOf says what sort of statement sql is, by its first word behind white
// space and comments. It doesn't allocate.
func KindOf(sql string) Kind {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n\f;(")
		if strings.HasPrefix(sql, "--") {
			i := strings.IndexByte(sql, '\n')
			if i < 0 {
				return KindOther
			}
			sql = sql[i:]
			continue
		}
		if strings.HasPrefix(sql, "/*") {
			i := strings.Index(sql, "*/")
			if i < 0 {
				return KindOther
			}
			sql = sql[i+2:]
			continue
		}
		break
	}
	var word [10]byte // longer than any of the words
	n := 0
	for n < len(sql) && n < len(word) && (sql[n]|0x20) >= 'a' && (sql[n]|0x20) <= 'z' {
		word[n] = sql[n] &^ 0x20
		n++
	}
	switch string(word[:n]) {
	case "SELECT", "VALUES", "EXPLAIN":
		return KindRead
	case "INSERT", "REPLACE":
		return KindInsert
	case "UPDATE", "DELETE":
		return KindChange
	case "WITH":
		return KindWith
	case "PRAGMA":
		return KindPragma
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH":
		return KindControl
	}
	return KindOther
}
