package sqlparse

import "strings"

// keyword is a word that Normalize minds.
type keyword uint8

const (
	kwNone keyword = iota
	kwAnd
	kwAs
	kwDelete
	kwExcept
	kwFor
	kwForce
	kwFrom
	kwGroup
	kwHaving
	kwIgnore
	kwIn
	kwInsert
	kwIntersect
	kwInto
	kwLimit
	kwLock
	kwOffset
	kwOn
	kwOr
	kwOrder
	kwReplace
	kwReturning
	kwSelect
	kwSet
	kwUnion
	kwUpdate
	kwUse
	kwValues
	kwWhere
	kwWindow
	kwXor
)

// keywordOf looks a word up without regard to case; it allocates nothing.
func keywordOf(w string) keyword {
	if len(w) < 2 || len(w) > 9 {
		return kwNone
	}
	var buf [9]byte
	for i := range len(w) {
		buf[i] = w[i] | 0x20
	}
	switch string(buf[:len(w)]) {
	case "and":
		return kwAnd
	case "as":
		return kwAs
	case "delete":
		return kwDelete
	case "except":
		return kwExcept
	case "for":
		return kwFor
	case "force":
		return kwForce
	case "from":
		return kwFrom
	case "group":
		return kwGroup
	case "having":
		return kwHaving
	case "ignore":
		return kwIgnore
	case "in":
		return kwIn
	case "insert":
		return kwInsert
	case "intersect":
		return kwIntersect
	case "into":
		return kwInto
	case "limit":
		return kwLimit
	case "lock":
		return kwLock
	case "offset":
		return kwOffset
	case "on":
		return kwOn
	case "or":
		return kwOr
	case "order":
		return kwOrder
	case "replace":
		return kwReplace
	case "returning":
		return kwReturning
	case "select":
		return kwSelect
	case "set":
		return kwSet
	case "union":
		return kwUnion
	case "update":
		return kwUpdate
	case "use":
		return kwUse
	case "values", "value":
		return kwValues
	case "where":
		return kwWhere
	case "window":
		return kwWindow
	case "xor":
		return kwXor
	}
	return kwNone
}

// next reads the token at pos.
func (n *normalizer) next() normToken {
	text := n.text
	for n.pos < len(text) {
		c := text[n.pos]
		switch {
		case isSpace(c):
			n.pos++
		case c == '#', c == '-' && startsDashComment(text, n.pos):
			n.pos = lineEnd(text, n.pos)
		case c == '/' && strings.HasPrefix(text[n.pos:], "/*"):
			end := plainComment(text, n.pos)
			if end < 0 {
				return normToken{kind: normBad}
			}
			n.pos = end
		default:
			t := n.token(c)
			n.pos = t.end
			return t
		}
	}
	return normToken{kind: normEnd, start: len(text), end: len(text)}
}

// plainComment gives the end of the comment at i, or -1 if it may mean
// something or isn't closed.
func plainComment(text string, i int) int {
	body := text[i+2:]
	if strings.HasPrefix(body, "!") || strings.HasPrefix(body, "+") || len(body) > 1 && body[1] == '!' ||
		len(body) > 3 && strings.EqualFold(body[:3], "vt+") {
		return -1
	}
	end := strings.Index(body, "*/")
	if end < 0 {
		return -1
	}
	return i + 2 + end + 2
}

func (n *normalizer) token(c byte) normToken {
	text, i := n.text, n.pos
	switch {
	case c == '\'' || c == '"':
		return n.quoted(normString, true)
	case c == '`':
		return n.quoted(normName, false)
	case isDigit(c):
		return n.number()
	case c == '$' || c == '?' || c == ':' || c == '\\' || c == 0:
		return normToken{kind: normBad, start: i, end: i + 1}
	case isWordByte(c):
		end := wordEnd(text, i)
		if end < len(text) && (text[end] == '\'' || text[end] == '"') {
			return normToken{kind: normBad, start: i, end: end} // x'…', n'…', _utf8'…', E'…'
		}
		t := normToken{kind: normWord, start: i, end: end}
		if (i == 0 || text[i-1] != '.' && text[i-1] != '@') && !(end < len(text) && text[end] == '.') {
			t.kw = keywordOf(text[i:end])
		}
		return t
	case c == '.' && i+1 < len(text) && isDigit(text[i+1]):
		return normToken{kind: normBad, start: i, end: i + 1}
	}
	return n.operator(c)
}

func (n *normalizer) quoted(kind normKind, escapes bool) normToken {
	end := quoteEnd(n.text, n.pos, escapes)
	if end < 0 {
		return normToken{kind: normBad, start: n.pos, end: n.pos + 1}
	}
	return normToken{kind: kind, start: n.pos, end: end}
}

// number reads a number or a name that begins with digits.
func (n *normalizer) number() normToken {
	text, i := n.text, n.pos
	end := i
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	t := normToken{kind: normInt, start: i, end: end}
	if end < len(text) && (text[end] == '.' || isWordByte(text[end])) {
		t.kind = normNumber
		for end < len(text) && (text[end] == '.' || isWordByte(text[end])) {
			end++
			if c := text[end-1]; (c == 'e' || c == 'E') && end < len(text) && (text[end] == '+' || text[end] == '-') {
				end++
			}
		}
		t.end = end
	}
	return t
}

// operators that have more than one byte, longest first.
var longOps = [...]string{"<=>", "->>", "<=", ">=", "<>", "!=", "<<", ">>", "->", "||", "&&"}

func (n *normalizer) operator(c byte) normToken {
	i := n.pos
	t := normToken{kind: normOp, op: c, start: i, end: i + 1}
	switch c {
	case '<', '>', '!', '-', '|', '&':
		for _, op := range longOps {
			if strings.HasPrefix(n.text[i:], op) {
				t.end = i + len(op)
				break
			}
		}
	}
	switch n.text[i:t.end] {
	case "=", "<", ">", "<=", ">=", "<>", "!=":
		t.compare = true
	}
	return t
}
