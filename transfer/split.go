package transfer

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// splitter takes a dump apart into statements, by the quotes and comments of MySQL's
// and SQLite's SQL.
type splitter struct {
	r         *bufio.Reader
	backslash bool // escapes in strings, as in MySQL
	delimiter string

	place, line int64
	begin       int64 // the line that the statement begins at
	buf         []byte
}

func newSplitter(r *bufio.Reader, backslash bool) *splitter {
	return &splitter{r: r, backslash: backslash, delimiter: ";"}
}

func (s *splitter) skip(place, line int64) error {
	_, err := io.CopyN(io.Discard, s.r, place-s.place)
	s.place, s.line = place, line
	return err
}

// next gives the next statement, without its delimiter; io.EOF is the end. Comments
// alone are no statement; DELIMITER is, of the mysql command.
func (s *splitter) next() (string, error) {
	s.buf, s.begin = s.buf[:0], 0
	for {
		c, err := s.byte()
		if errors.Is(err, io.EOF) && s.begin > 0 {
			return strings.TrimSpace(string(s.buf)), nil
		}
		if err != nil {
			return "", err
		}
		switch {
		case c == '-' && s.peek(1) == "-" && (s.peek(2) == "--" || s.peek(2) == "- " || s.peek(2) == "-\n" || s.peek(2) == "-\r" || !s.backslash),
			c == '#' && s.backslash:
			err = s.toLineEnd(s.begin > 0)
		case c == '/' && s.peek(1) == "*":
			err = s.comment()
		case c == '\'' || c == '"' || c == '`':
			s.started()
			s.buf = append(s.buf, c)
			err = s.quoted(c)
		case s.ends(c):
			if s.begin > 0 {
				return strings.TrimSpace(string(s.buf)), nil
			}
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			if s.begin > 0 {
				s.buf = append(s.buf, c)
			}
		default:
			s.started()
			s.buf = append(s.buf, c)
		}
		if err != nil {
			return "", err
		}
		if c == ' ' && len(s.buf) == len("DELIMITER ") && strings.EqualFold(string(s.buf), "DELIMITER ") {
			if err := s.newDelimiter(); err != nil {
				return "", err
			}
		}
	}
}

func (s *splitter) started() {
	if s.begin == 0 {
		s.begin = s.line + 1
	}
}

func (s *splitter) byte() (byte, error) {
	c, err := s.r.ReadByte()
	if err == nil {
		if s.place++; c == '\n' {
			s.line++
		}
	}
	return c, err
}

func (s *splitter) peek(n int) string {
	b, _ := s.r.Peek(n)
	return string(b)
}

// ends says whether a delimiter begins at c, and reads over it.
func (s *splitter) ends(c byte) bool {
	if c != s.delimiter[0] || s.peek(len(s.delimiter)-1) != s.delimiter[1:] {
		return false
	}
	for range len(s.delimiter) - 1 {
		_, _ = s.byte()
	}
	return true
}

// newDelimiter takes the line's rest for the delimiter.
func (s *splitter) newDelimiter() error {
	var line []byte
	for {
		c, err := s.byte()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || c == '\n' {
			break
		}
		line = append(line, c)
	}
	s.buf, s.begin = s.buf[:0], 0
	if d := strings.TrimSpace(string(line)); d != "" {
		s.delimiter = d
	}
	return nil
}

// toLineEnd reads over a comment; inside a statement its line break stays.
func (s *splitter) toLineEnd(inside bool) error {
	for {
		c, err := s.byte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if c == '\n' {
			if inside {
				s.buf = append(s.buf, c)
			}
			return nil
		}
	}
}

// comment reads over a comment. What MySQL runs of it is the statement's.
func (s *splitter) comment() error {
	b, _ := s.r.Peek(2)
	runs := s.backslash && len(b) == 2 && (b[1] == '!' || b[1] == '+')
	if runs || s.begin > 0 {
		s.started()
		s.buf = append(s.buf, '/')
	}
	last := byte(0)
	for i := 0; ; i++ {
		c, err := s.byte()
		if err != nil {
			return unexpected(err)
		}
		if s.begin > 0 {
			s.buf = append(s.buf, c)
		}
		if i > 1 && last == '*' && c == '/' {
			return nil
		}
		last = c
		if runs && i > 0 && (c == '\'' || c == '"' || c == '`') {
			if err := s.quoted(c); err != nil {
				return err
			}
			last = 0
		}
	}
}

// quoted reads to the closing quote. A doubled one is two, one behind the other.
func (s *splitter) quoted(q byte) error {
	for {
		c, err := s.byte()
		if err != nil {
			return unexpected(err)
		}
		s.buf = append(s.buf, c)
		switch {
		case c == q:
			return nil
		case c == '\\' && s.backslash && q != '`':
			if c, err = s.byte(); err != nil {
				return unexpected(err)
			}
			s.buf = append(s.buf, c)
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return &lineError{"a quote or a comment doesn't end"}
	}
	return err
}
