package info

import (
	"strings"
	"unicode/utf8"
)

// Like matches text against a LIKE pattern without regard to case, as SHOW
// does: % is any run of characters, _ any one, \ makes the next one plain.
func Like(text, pattern string) bool {
	return like(strings.ToLower(text), strings.ToLower(pattern))
}

// like backtracks to the last % only, which is enough.
func like(s, p string) bool {
	backS, backP := "", ""
	any := false
	for {
		switch {
		case p != "" && p[0] == '%':
			p = p[1:]
			backS, backP, any = s, p, true
			continue
		case s == "" && p == "":
			return true
		case s != "" && p != "":
			c, rest := p[0], p[1:]
			_, size := utf8.DecodeRuneInString(s)
			if c == '_' {
				s, p = s[size:], rest
				continue
			}
			if c == '\\' && rest != "" {
				c, rest = rest[0], rest[1:]
			}
			if s[0] == c {
				s, p = s[1:], rest
				continue
			}
		}
		if !any || backS == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(backS)
		backS = backS[size:]
		s, p = backS, backP
	}
}
