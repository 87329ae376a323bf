package sqlparse

import "strings"

// tokKind is the kind of a token.
type tokKind uint8

const (
	tokOp      tokKind = iota // one byte
	tokWord                   // bare identifier or keyword
	tokQuoted                 // `x`, and "x" under ANSI_QUOTES
	tokString                 // '…', "…", x'…', b'…', n'…'
	tokNumber                 //
	tokParam                  // ?
	tokNamed                  // :name
	tokNumParm                // $1
	tokVar                    // @x, @@x
)

// token is a piece of the text, by byte offsets.
type token struct {
	kind       tokKind
	op         byte
	start, end int32
}

// comment is a comment that means something.
type comment struct{ start, end int }

// lexer cuts a text into tokens. Comments are skipped; the content of /*! … */
// counts as text, as it does in MySQL.
type lexer struct {
	text       string
	opts       Options
	toks       []token
	directives []comment // /*vt+ … */
	foreign    []comment // comments that TiDB's parser would read as code
	inExec     bool      // inside /*! … */
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// run fills in toks.
func (l *lexer) run() *SyntaxError {
	text := l.text
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case isSpace(c):
			i++
		case c == '#', c == '-' && startsDashComment(text, i):
			i = lineEnd(text, i)
		case c == '/' && strings.HasPrefix(text[i:], "/*"):
			n, err := l.comment(i)
			if err != nil {
				return err
			}
			i = n
		case c == '*' && l.inExec && strings.HasPrefix(text[i:], "*/"):
			l.inExec = false
			i += 2
		default:
			n, err := l.token(i)
			if err != nil {
				return err
			}
			i = n
		}
	}
	if l.inExec {
		return errorAt(text, len(text), "comment is not closed")
	}
	return nil
}

// startsDashComment: "--" is a comment only before white space or the end.
func startsDashComment(text string, i int) bool {
	return i+1 < len(text) && text[i+1] == '-' && (i+2 == len(text) || text[i+2] <= ' ')
}

func lineEnd(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(text)
}

// maxVersion is the newest server version whose /*!NNNNN … */ is ours to read.
const maxVersion = 89999

// comment reads the comment at i and gives the offset where reading goes on.
func (l *lexer) comment(i int) (int, *SyntaxError) {
	body := l.text[i+2:]
	if strings.HasPrefix(body, "!") && !l.inExec {
		digits := 0
		for digits+1 < len(body) && digits < 6 && isDigit(body[digits+1]) {
			digits++
		}
		version := 0
		if digits >= 5 {
			for _, c := range []byte(body[1 : 1+digits]) {
				version = version*10 + int(c-'0')
			}
		} else {
			digits = 0
		}
		if version <= maxVersion {
			l.inExec = true
			return i + 3 + digits, nil
		}
	}
	n := strings.Index(body, "*/")
	if n < 0 {
		return 0, errorAt(l.text, i, "comment is not closed")
	}
	end := i + 2 + n + 2
	switch {
	case strings.HasPrefix(body, "!"), strings.HasPrefix(body, "T!"), strings.HasPrefix(body, "M!"):
		l.foreign = append(l.foreign, comment{i, end})
	case len(body) > 3 && strings.EqualFold(body[:3], "vt+"):
		l.directives = append(l.directives, comment{i + 5, end - 2})
	}
	return end, nil
}

func (l *lexer) add(kind tokKind, start, end int) int {
	l.toks = append(l.toks, token{kind: kind, op: l.text[start], start: int32(start), end: int32(end)})
	return end
}

// token reads the token at i and gives its end.
func (l *lexer) token(i int) (int, *SyntaxError) {
	text, c := l.text, l.text[i]
	next := byte(0)
	if i+1 < len(text) {
		next = text[i+1]
	}
	switch {
	case c == '\'', c == '"' && !l.opts.AnsiQuotes:
		return l.quoted(tokString, i, i)
	case c == '"', c == '`':
		return l.quoted(tokQuoted, i, i)
	case next == '\'' && (c == 'x' || c == 'X' || c == 'b' || c == 'B' || c == 'n' || c == 'N'):
		return l.quoted(tokString, i, i+1)
	case next == '\'' && (c == 'e' || c == 'E'):
		return 0, unsupportedAt(text, i, "PostgreSQL's E'…' string")
	case isDigit(c), c == '.' && isDigit(next) && !l.afterName(i):
		return l.number(i), nil
	case c == '$':
		return l.dollar(i)
	case isWordByte(c):
		return l.add(tokWord, i, wordEnd(text, i)), nil
	case c == '?':
		return l.add(tokParam, i, i+1), nil
	case c == ':':
		return l.colon(i)
	case c == '@':
		return l.variable(i)
	}
	return l.add(tokOp, i, i+1), nil
}

// afterName says whether the token before offset i ends there and is a name, so
// that a dot at i qualifies it.
func (l *lexer) afterName(i int) bool {
	if len(l.toks) == 0 {
		return false
	}
	t := l.toks[len(l.toks)-1]
	return int(t.end) == i && (t.kind == tokWord || t.kind == tokQuoted)
}

func wordEnd(text string, i int) int {
	for i < len(text) && isWordByte(text[i]) {
		i++
	}
	return i
}

// quoted reads the quoted token that begins at start and whose quote is at q.
func (l *lexer) quoted(kind tokKind, start, q int) (int, *SyntaxError) {
	end := quoteEnd(l.text, q, kind == tokString && !l.opts.NoBackslashEscapes)
	if end < 0 {
		what := "string"
		if kind == tokQuoted {
			what = "quoted name"
		}
		return 0, errorAt(l.text, start, what+" is not closed")
	}
	if kind == tokQuoted && strings.IndexByte(l.text[start:end], 0) >= 0 {
		return 0, errorAt(l.text, start, "a name can't have the character U+0000") // as in MySQL; SQLite's texts end there
	}
	return l.add(kind, start, end), nil
}

// quoteEnd gives the offset behind the closing quote of the one at q, or -1.
func quoteEnd(text string, q int, escapes bool) int {
	quote := text[q]
	for i := q + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && escapes:
			i++
		case c == quote:
			if i+1 < len(text) && text[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return -1
}

// number reads a number, or a name that starts with digits.
func (l *lexer) number(i int) int {
	text, j := l.text, i
	for j < len(text) && isDigit(text[j]) {
		j++
	}
	if j < len(text) && text[j] == '.' {
		j++
		for j < len(text) && isDigit(text[j]) {
			j++
		}
	}
	if j < len(text) && (text[j] == 'e' || text[j] == 'E') {
		k := j + 1
		if k < len(text) && (text[k] == '+' || text[k] == '-') {
			k++
		}
		if k < len(text) && isDigit(text[k]) {
			for k < len(text) && isDigit(text[k]) {
				k++
			}
			return l.add(tokNumber, i, k)
		}
	}
	if j < len(text) && isWordByte(text[j]) && strings.IndexByte(text[i:j], '.') < 0 {
		end := wordEnd(text, j)
		if j == i+1 && text[i] == '0' && (text[j] == 'x' || text[j] == 'b') {
			return l.add(tokNumber, i, end)
		}
		return l.add(tokWord, i, end)
	}
	return l.add(tokNumber, i, j)
}

// dollar reads what starts with $: a numbered parameter or a name.
func (l *lexer) dollar(i int) (int, *SyntaxError) {
	text := l.text
	if strings.HasPrefix(text[i:], "$$") {
		return 0, unsupportedAt(text, i, "PostgreSQL's $$…$$ string")
	}
	end := wordEnd(text, i)
	for _, c := range []byte(text[i+1 : end]) {
		if !isDigit(c) {
			return l.add(tokWord, i, end), nil
		}
	}
	if end == i+1 {
		return l.add(tokWord, i, end), nil
	}
	return l.add(tokNumParm, i, end), nil
}

// colon reads what starts with a colon: :name, := or a lone one.
func (l *lexer) colon(i int) (int, *SyntaxError) {
	text := l.text
	switch {
	case strings.HasPrefix(text[i:], "::"):
		if i+2 < len(text) && isWordByte(text[i+2]) && !l.afterValue(i) {
			return 0, unsupportedAt(text, i, "list parameter ::name: write IN (?, ?, …)")
		}
		return 0, unsupportedAt(text, i, "PostgreSQL's :: cast: write CAST(x AS type)")
	case i+1 < len(text) && isWordByte(text[i+1]) && !isDigit(text[i+1]):
		return l.add(tokNamed, i, wordEnd(text, i+1)), nil
	}
	return l.add(tokOp, i, i+1), nil
}

// afterValue says whether a value ends right before offset i.
func (l *lexer) afterValue(i int) bool {
	return len(l.toks) > 0 && int(l.toks[len(l.toks)-1].end) == i &&
		(l.toks[len(l.toks)-1].kind != tokOp || l.text[i-1] == ')')
}

// variable reads @x, @@x, @'x', or the @ of user@host.
func (l *lexer) variable(i int) (int, *SyntaxError) {
	text, j := l.text, i+1
	if j < len(text) && text[j] == '@' {
		j++
	}
	if j < len(text) && (text[j] == '`' || text[j] == '\'' || text[j] == '"') {
		end := quoteEnd(text, j, text[j] != '`' && !l.opts.NoBackslashEscapes)
		if end < 0 {
			return 0, errorAt(text, j, "quoted name is not closed")
		}
		return l.add(tokVar, i, end), nil
	}
	k := j
	for k < len(text) && (isWordByte(text[k]) || text[k] == '.') {
		k++
	}
	if k < len(text) && text[k] == '`' && text[k-1] == '.' {
		if end := quoteEnd(text, k, false); end > 0 {
			return l.add(tokVar, i, end), nil
		}
	}
	if k == j {
		return 0, errorAt(text, i, "a variable's name must follow @")
	}
	return l.add(tokVar, i, k), nil
}
