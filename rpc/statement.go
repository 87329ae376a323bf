package rpc

import "strings"

// firstWord gives a statement's first word, in capitals.
func firstWord(sql string) string {
	sql = strings.TrimLeft(sql, " \t\r\n(")
	end := strings.IndexFunc(sql, func(r rune) bool { return (r|0x20 < 'a' || r|0x20 > 'z') && r != '_' })
	if end < 0 {
		end = len(sql)
	}
	return strings.ToUpper(sql[:end])
}

// mayWrite says whether a statement that returns rows can be a write, which must have
// RETURNING then. Some reads are taken for writes by it, no write for a read.
func mayWrite(sql string) bool {
	const word = "returning"
	if len(sql) < len(word) || firstWord(sql) == "SELECT" {
		return false
	}
	for i := range len(sql) - len(word) + 1 {
		if sql[i]|0x20 == word[0] && strings.EqualFold(sql[i:i+len(word)], word) {
			return true
		}
	}
	return false
}
