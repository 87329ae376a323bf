package sqlite

import (
	"strings"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/sqlast"
)

// kind is the kind of a token.
type kind uint8

const (
	end    kind = iota
	word        // a keyword or a name
	quoted      // "name", [name], `name`: text is the name
	str         // 'text': text is the value
	blob        // x'..': text is the bytes
	number
	param // ?, ?1, :a, @a, $a
	op    // an operator, text is it
)

type token struct {
	kind       kind
	text       string
	start, end int
}

// operators are those of more than one character, longest first.
var operators = []string{"->>", "||", "->", "<<", ">>", "<=", ">=", "<>", "!=", "=="}

// lex takes a text apart.
func lex(text string) ([]token, error) {
	out := make([]token, 0, len(text)/4+2)
	for i := 0; i < len(text); {
		c := text[i]
		start := i
		switch {
		case strings.IndexByte(" \t\n\r\f", c) >= 0:
			i++
			continue
		case strings.HasPrefix(text[i:], "--"):
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				i += n + 1
			} else {
				i = len(text)
			}
			continue
		case strings.HasPrefix(text[i:], "/*"):
			if n := strings.Index(text[i+2:], "*/"); n >= 0 {
				i += n + 4
			} else {
				i = len(text)
			}
			continue
		}
		t, n, msg := next(text[i:])
		if msg != "" {
			return nil, sqlast.ErrorAt(text, start, msg)
		}
		i += n
		t.start, t.end = start, i
		out = append(out, t)
	}
	return append(out, token{kind: end, start: len(text), end: len(text)}), nil
}

// next reads the token that text begins with, and its length.
func next(text string) (t token, n int, msg string) {
	c := text[0]
	switch {
	case c == '\'':
		s, n, ok := enclosed(text, '\'')
		return token{kind: str, text: s}, n, missing(ok, "'")
	case c == '"' || c == '`':
		s, n, ok := enclosed(text, c)
		return named(s, n, missing(ok, string(c)))
	case c == '[':
		n := strings.IndexByte(text, ']')
		if n < 0 {
			return t, 0, "the ] of a name is missing"
		}
		return named(text[1:n], n+1, "")
	case (c == 'x' || c == 'X') && len(text) > 1 && text[1] == '\'':
		return lexBlob(text)
	case isDigit(c) || c == '.' && len(text) > 1 && isDigit(text[1]):
		return lexNumber(text)
	case strings.IndexByte("?:@$", c) >= 0:
		n := 1
		for n < len(text) && (isWordByte(text[n]) || c == '$' && text[n] == ':') {
			n++
		}
		if n == 1 && c != '?' {
			return t, 0, "a parameter's name is missing"
		}
		return token{kind: param, text: text[:n]}, n, ""
	case isWordByte(c):
		n := 1
		for n < len(text) && isWordByte(text[n]) {
			n++
		}
		return token{kind: word, text: text[:n]}, n, ""
	}
	for _, o := range operators {
		if strings.HasPrefix(text, o) {
			return token{kind: op, text: o}, len(o), ""
		}
	}
	if strings.IndexByte("()+-*/%&|~<>=,.;", c) >= 0 {
		return token{kind: op, text: text[:1]}, 1, ""
	}
	return t, 0, "unrecognized token"
}

// named is a quoted name, unless that can't be one.
func named(name string, n int, msg string) (token, int, string) {
	if msg == "" && strings.IndexByte(name, 0) >= 0 {
		msg = "a name can't have the character U+0000"
	}
	return token{kind: quoted, text: name}, n, msg
}

func missing(ok bool, what string) string {
	if ok {
		return ""
	}
	return "the closing " + what + " is missing"
}

// enclosed reads what stands between two q, which doubled stands for itself.
func enclosed(text string, q byte) (s string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != q {
			b.WriteByte(text[i])
			continue
		}
		if i+1 == len(text) || text[i+1] != q {
			return b.String(), i + 1, true
		}
		b.WriteByte(q)
		i++
	}
	return "", 0, false
}

func lexBlob(text string) (t token, n int, msg string) {
	n = strings.IndexByte(text[2:], '\'')
	if n < 0 || n%2 == 1 {
		return t, 0, "a malformed blob"
	}
	var b strings.Builder
	for i := 2; i < 2+n; i += 2 {
		hi, lo := strings.IndexByte(hexDigits, lower(text[i])), strings.IndexByte(hexDigits, lower(text[i+1]))
		if hi < 0 || lo < 0 {
			return t, 0, "a malformed blob"
		}
		b.WriteByte(byte(hi<<4 | lo))
	}
	return token{kind: blob, text: b.String()}, n + 3, ""
}

const hexDigits = "0123456789abcdef"

func lexNumber(text string) (t token, n int, msg string) {
	if len(text) > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && strings.IndexByte(hexDigits, lower(text[2])) >= 0 {
		for n = 2; n < len(text) && strings.IndexByte(hexDigits, lower(text[n])) >= 0; n++ {
		}
	} else {
		digits := func() {
			for n < len(text) && (isDigit(text[n]) || text[n] == '_' && n > 0 && isDigit(text[n-1]) && n+1 < len(text) && isDigit(text[n+1])) {
				n++
			}
		}
		digits()
		if n < len(text) && text[n] == '.' {
			n++
			digits()
		}
		if n < len(text) && lower(text[n]) == 'e' {
			k := n + 1
			if k < len(text) && (text[k] == '+' || text[k] == '-') {
				k++
			}
			if k < len(text) && isDigit(text[k]) {
				n = k
				digits()
			}
		}
	}
	if n < len(text) && isWordByte(text[n]) {
		return t, 0, "unrecognized token"
	}
	return token{kind: number, text: strings.ReplaceAll(text[:n], "_", "")}, n, ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || lower(c) >= 'a' && lower(c) <= 'z' || c >= utf8.RuneSelf
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
