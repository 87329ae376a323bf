package capnweb

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON from s. Text without escapes is handed out as a part of s.
type scanner struct {
	s string
	i int
}

func (p *scanner) fail(what string) error {
	near := p.s[min(p.i, len(p.s)):]
	if len(near) > 40 {
		near = near[:40]
	}
	return fmt.Errorf("malformed message: %s at byte %d, near %q", what, p.i, near)
}

// peek skips blanks and gives the next byte, 0 at the end.
func (p *scanner) peek() byte {
	for ; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it comes next.
func (p *scanner) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.i++
	return true
}

func (p *scanner) want(c byte) error {
	if !p.take(c) {
		return p.fail("missing " + strconv.Quote(string(c)))
	}
	return nil
}

// more consumes what stands between two elements: it says true after a comma
// and false after the closing bracket.
func (p *scanner) more(closing byte) (bool, error) {
	switch p.peek() {
	case ',':
		p.i++
		return true, nil
	case closing:
		p.i++
		return false, nil
	}
	return false, p.fail("missing comma or " + strconv.Quote(string(closing)))
}

func (p *scanner) literal(word string) error {
	if len(p.s)-p.i < len(word) || p.s[p.i:p.i+len(word)] != word {
		return p.fail("unknown word")
	}
	p.i += len(word)
	return nil
}

// text reads a string.
func (p *scanner) text() (string, error) {
	if err := p.want('"'); err != nil {
		return "", err
	}
	from := p.i
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return p.s[from : p.i-1], nil
		case c == '\\':
			return p.escaped(from)
		case c < ' ':
			return "", p.fail("control character in a string")
		default:
			p.i++
		}
	}
	return "", p.fail("unfinished string")
}

// escaped reads on in a string that began at from, at its first escape.
func (p *scanner) escaped(from int) (string, error) {
	buf := append(make([]byte, 0, p.i-from+32), p.s[from:p.i]...)
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '"':
			p.i++
			return string(buf), nil
		case c < ' ':
			return "", p.fail("control character in a string")
		case c != '\\':
			buf = append(buf, c)
			p.i++
			continue
		}
		p.i++
		if p.i >= len(p.s) {
			break
		}
		c = p.s[p.i]
		p.i++
		switch c {
		case '"', '\\', '/':
			buf = append(buf, c)
		case 'b':
			buf = append(buf, '\b')
		case 'f':
			buf = append(buf, '\f')
		case 'n':
			buf = append(buf, '\n')
		case 'r':
			buf = append(buf, '\r')
		case 't':
			buf = append(buf, '\t')
		case 'u':
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
		default:
			return "", p.fail("unknown escape in a string")
		}
	}
	return "", p.fail("unfinished string")
}

// unicode reads the digits after \u, and the second half of a surrogate pair. A
// half alone has no place in Go's strings and becomes U+FFFD.
func (p *scanner) unicode() (rune, error) {
	r, err := p.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if len(p.s)-p.i >= 6 && p.s[p.i] == '\\' && p.s[p.i+1] == 'u' {
		back := p.i
		p.i += 2
		second, err := p.hex4()
		if err != nil {
			return 0, err
		}
		if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
			return both, nil
		}
		p.i = back
	}
	return utf8.RuneError, nil
}

func (p *scanner) hex4() (rune, error) {
	if len(p.s)-p.i < 4 {
		return 0, p.fail("unfinished escape")
	}
	var r rune
	for _, c := range []byte(p.s[p.i : p.i+4]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, p.fail("bad digit in an escape")
		}
	}
	p.i += 4
	return r, nil
}

// number reads a number: an int64 when it is written without fraction and
// exponent and fits, else a float64.
func (p *scanner) number() (any, error) {
	p.peek()
	from := p.i
	neg := p.i < len(p.s) && p.s[p.i] == '-'
	if neg {
		p.i++
	}
	first := p.i
	var u uint64
	for ; p.i < len(p.s) && p.s[p.i]-'0' <= 9; p.i++ {
		if p.i-first < 19 {
			u = u*10 + uint64(p.s[p.i]-'0')
		}
	}
	digits := p.i - first
	if digits == 0 || digits > 1 && p.s[first] == '0' {
		return nil, p.fail("malformed number")
	}
	whole, err := p.fraction()
	if err != nil {
		return nil, err
	}
	if whole && digits <= 19 && u <= math.MaxInt64+1 {
		if neg {
			return int64(-u), nil // two's complement keeps -1<<63 as well
		} else if u <= math.MaxInt64 {
			return int64(u), nil
		}
	}
	f, err := strconv.ParseFloat(p.s[from:p.i], 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, p.fail("malformed number")
	}
	return f, nil
}

// fraction reads what may follow a number's whole part, and says whether
// nothing does.
func (p *scanner) fraction() (whole bool, err error) {
	whole = true
	if p.i < len(p.s) && p.s[p.i] == '.' {
		p.i++
		whole = false
		if !p.digits() {
			return false, p.fail("malformed number")
		}
	}
	if p.i < len(p.s) && p.s[p.i]|0x20 == 'e' {
		p.i++
		whole = false
		if p.i < len(p.s) && (p.s[p.i] == '+' || p.s[p.i] == '-') {
			p.i++
		}
		if !p.digits() {
			return false, p.fail("malformed number")
		}
	}
	return whole, nil
}

func (p *scanner) digits() bool {
	from := p.i
	for p.i < len(p.s) && p.s[p.i]-'0' <= 9 {
		p.i++
	}
	return p.i > from
}

// integer reads a number that must be whole and within what JavaScript keeps.
func (p *scanner) integer() (int64, error) {
	switch c := p.peek(); {
	case c == '-', c >= '0' && c <= '9':
	default:
		return 0, p.fail("missing number")
	}
	v, err := p.number()
	if err != nil {
		return 0, err
	}
	i, ok := v.(int64)
	if !ok || i > maxSafe || i < -maxSafe {
		return 0, p.fail("a number that isn't a small integer")
	}
	return i, nil
}

// plain reads a JSON value that is no expression: arrays aren't escaped.
func (p *scanner) plain(depth int) (any, error) {
	if depth <= 0 {
		return nil, p.fail("a value nests too deep")
	}
	switch c := p.peek(); c {
	case '[':
		p.i++
		list := []any{}
		for more := !p.take(']'); more; {
			v, err := p.plain(depth - 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
			if more, err = p.more(']'); err != nil {
				return nil, err
			}
		}
		return list, nil
	case '{':
		p.i++
		m := map[string]any{}
		for more := !p.take('}'); more; {
			k, err := p.text()
			if err == nil {
				err = p.want(':')
			}
			var v any
			if err == nil {
				v, err = p.plain(depth - 1)
			}
			if err == nil {
				m[k] = v
				more, err = p.more('}')
			}
			if err != nil {
				return nil, err
			}
		}
		return m, nil
	default:
		return p.scalar(c)
	}
}

// scalar reads a value that is neither array nor object and begins with c.
func (p *scanner) scalar(c byte) (any, error) {
	switch {
	case c == '"':
		return p.text()
	case c == '-', c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return true, p.literal("true")
	case c == 'f':
		return false, p.literal("false")
	case c == 'n':
		return nil, p.literal("null")
	case c == 0:
		return nil, p.fail("unexpected end")
	}
	return nil, p.fail("unexpected character")
}
