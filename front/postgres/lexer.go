package postgres

import "strings"

// kind is what a token is, as far as nesting goes.
type kind uint8

const (
	end       kind = iota
	word           // a keyword or a name without quotes
	operator       // also ::
	opening        // ( and [
	closing        // ) and ]
	separator      // , and ;
	other          // literals, quoted names, parameters, dots and colons
)

type token struct {
	kind       kind
	start, end int
}

// lexer cuts a text into tokens as PostgreSQL's scanner (scan.l) does, whose strings and
// comments come in many forms.
type lexer struct {
	text string
	i    int
}

func (l *lexer) next() token {
	l.blanks()
	t := token{start: l.i}
	if l.i == len(l.text) {
		t.end = l.i
		return t
	}
	c := l.text[l.i]
	switch {
	case c == '\'':
		t.kind = other
		l.quoted('\'', false)
	case c == '"':
		t.kind = other
		l.quoted('"', false)
	case isNameStart(c):
		t.kind = l.nameOrString()
	case c == '$':
		t.kind = other
		l.dollar()
	case c >= '0' && c <= '9' || c == '.' && l.at(1) >= '0' && l.at(1) <= '9':
		t.kind = other
		l.number()
	case c == '(' || c == '[':
		t.kind = opening
		l.i++
	case c == ')' || c == ']':
		t.kind = closing
		l.i++
	case c == ',' || c == ';':
		t.kind = separator
		l.i++
	case c == ':':
		t.kind = other
		switch l.i++; l.at(0) {
		case ':':
			t.kind = operator
			l.i++
		case '=':
			l.i++
		}
	case strings.IndexByte(operatorBytes, c) >= 0:
		t.kind = operator
		l.operator()
	default:
		t.kind = other
		l.i++
	}
	t.end = l.i
	return t
}

const operatorBytes = "+-*/<>=~!@#%^&|`?"

// operator passes over an operator. One that ends with + or - is cut before that, unless
// it has a byte that SQL's own operators don't have: 1+-1 has two.
func (l *lexer) operator() {
	from := l.i
	for l.i++; l.i < len(l.text) && strings.IndexByte(operatorBytes, l.text[l.i]) >= 0 && !l.comment(); l.i++ {
	}
	if strings.ContainsAny(l.text[from:l.i], "~!@#%^&|`?") {
		return
	}
	for l.i > from+1 && (l.text[l.i-1] == '+' || l.text[l.i-1] == '-') {
		l.i--
	}
}

// at is the byte n further on; 0 behind the end.
func (l *lexer) at(n int) byte {
	if l.i+n < len(l.text) {
		return l.text[l.i+n]
	}
	return 0
}

// comment says whether one begins here.
func (l *lexer) comment() bool {
	return l.at(0) == '-' && l.at(1) == '-' || l.at(0) == '/' && l.at(1) == '*'
}

// blanks passes over blanks and comments, of which those in /* */ nest.
func (l *lexer) blanks() {
	for l.i < len(l.text) {
		switch {
		case isBlank(l.text[l.i]):
			l.i++
		case !l.comment():
			return
		case l.text[l.i] == '-':
			l.line()
		default:
			l.nested()
		}
	}
}

// line passes over what is left of a line.
func (l *lexer) line() {
	for l.i < len(l.text) && l.text[l.i] != '\n' && l.text[l.i] != '\r' {
		l.i++
	}
}

func (l *lexer) nested() {
	depth := 0
	for l.i < len(l.text) {
		switch {
		case l.at(0) == '/' && l.at(1) == '*':
			depth++
			l.i += 2
		case l.at(0) == '*' && l.at(1) == '/':
			l.i += 2
			if depth--; depth == 0 {
				return
			}
		default:
			l.i++
		}
	}
}

// quoted passes over a string or a name in quotes, which are doubled inside, and with
// escapes over \x. A string goes on where another follows on a line below.
func (l *lexer) quoted(quote byte, escapes bool) {
	for l.i++; l.i < len(l.text); l.i++ {
		switch c := l.text[l.i]; {
		case c == '\\' && escapes:
			l.i++
		case c != quote:
		case l.at(1) == quote:
			l.i++
		default:
			l.i++
			if quote == '\'' && l.continued() {
				continue // with what follows the quote that it stands at
			}
			return
		}
	}
	l.i = len(l.text)
}

// continued goes to the quote of a string that continues the one that has just ended,
// if there is one.
func (l *lexer) continued() bool {
	from, lines := l.i, 0
	for l.i < len(l.text) {
		switch c := l.text[l.i]; {
		case isBlank(c):
			if c == '\n' || c == '\r' {
				lines++
			}
			l.i++
		case c == '-' && l.at(1) == '-' && lines > 0:
			l.line()
		case c == '\'' && lines > 0:
			return true
		default:
			l.i = from
			return false
		}
	}
	l.i = from
	return false
}

// nameOrString reads a word, or a string that a letter stands before: E'…', B'…' and
// X'…', and U&'…' and U&"…".
func (l *lexer) nameOrString() kind {
	switch c := l.text[l.i] | 0x20; {
	case strings.IndexByte("ebx", c) >= 0 && l.at(1) == '\'':
		l.i++
		l.quoted('\'', c == 'e')
		return other
	case c == 'u' && l.at(1) == '&' && (l.at(2) == '\'' || l.at(2) == '"'):
		l.i += 2
		l.quoted(l.text[l.i], false)
		return other
	}
	for l.i < len(l.text) && isName(l.text[l.i]) {
		l.i++
	}
	return word
}

// dollar reads $1, $$…$$ and $tag$…$tag$.
func (l *lexer) dollar() {
	from := l.i
	l.i++
	if c := l.at(0); c >= '0' && c <= '9' {
		for c := l.at(0); c >= '0' && c <= '9'; c = l.at(0) {
			l.i++
		}
		return
	}
	if isNameStart(l.at(0)) {
		for isName(l.at(0)) && l.at(0) != '$' {
			l.i++
		}
	}
	if l.at(0) != '$' {
		l.i = from + 1 // alone
		return
	}
	l.i++
	tag := l.text[from:l.i]
	if n := strings.Index(l.text[l.i:], tag); n >= 0 {
		l.i += n + len(tag)
	} else {
		l.i = len(l.text)
	}
}

// number reads digits, a point and an exponent; two points are none.
func (l *lexer) number() {
	digits := func() {
		for c := l.at(0); c >= '0' && c <= '9' || c == '_'; c = l.at(0) {
			l.i++
		}
	}
	if digits(); l.at(0) == '.' && l.at(1) != '.' {
		l.i++
		digits()
	}
	if l.at(0)|0x20 != 'e' {
		return
	}
	n := 1
	if l.at(n) == '+' || l.at(n) == '-' {
		n++
	}
	if c := l.at(n); c >= '0' && c <= '9' {
		l.i += n
		digits()
	}
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isNameStart(c byte) bool { return isLetter(c) || c == '_' || c >= 0x80 }

func isName(c byte) bool { return isNameStart(c) || c >= '0' && c <= '9' || c == '$' }
