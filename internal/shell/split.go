package shell

import "strings"

// splitter cuts input into statements at delimiters outside of quotes and
// comments. Lines go in as they arrive. A line DELIMITER x between two
// statements chooses the delimiter, as for the mysql command: scripts have it
// around the bodies of triggers and procedures.
type splitter struct {
	text strings.Builder
	// inside is what the input stands in: 0, a quote character, or '*' for a
	// comment of several lines.
	inside byte
	// lines counts those that came; began is where the text began.
	lines, began int
	chosen       string // the delimiter; empty is a semicolon
}

// statement is one statement without its terminator.
type statement struct {
	text     string
	vertical bool // ended with \G
	line     int  // where it begins, from 1
}

// pending says whether a statement was begun and not ended.
func (s *splitter) pending() bool {
	return s.inside != 0 || strings.TrimSpace(s.text.String()) != ""
}

// rest gives what is left at the end of the input, and begins anew.
func (s *splitter) rest() string {
	text := strings.TrimSpace(s.text.String())
	s.text.Reset()
	s.inside = 0
	return text
}

func (s *splitter) delimiter() string {
	if s.chosen == "" {
		return ";"
	}
	return s.chosen
}

// choose takes a line DELIMITER x, and says whether it is one.
func (s *splitter) choose(line string) bool {
	words := strings.Fields(line)
	if len(words) < 2 || s.pending() || !strings.EqualFold(words[0], "DELIMITER") {
		return false
	}
	s.chosen = words[1]
	return true
}

// line takes one line without its line break and gives the statements that end
// in it.
func (s *splitter) line(line string) []statement {
	var out []statement
	s.lines++
	if s.choose(line) {
		return nil
	}
	end := func(vertical bool) {
		if text := s.rest(); text != "" {
			out = append(out, statement{text, vertical, s.began})
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c != ' ' && c != '\t' && !s.pending() {
			s.began = s.lines
		}
		next := byte(0)
		if i+1 < len(line) {
			next = line[i+1]
		}
		switch {
		case s.inside == '*':
			if c == '*' && next == '/' {
				s.text.WriteByte(c)
				i, c, s.inside = i+1, next, 0
			}
		case s.inside != 0:
			if c == '\\' && s.inside != '`' && next != 0 {
				s.text.WriteByte(c)
				i, c = i+1, next
			} else if c == s.inside {
				s.inside = 0 // a doubled quote opens the next part at once
			}
		case c == '\'' || c == '"' || c == '`':
			s.inside = c
		case c == '/' && next == '*':
			s.inside = '*'
			s.text.WriteByte(c)
			i, c = i+1, next
		case c == '#' || c == '-' && next == '-' && (i+2 == len(line) || line[i+2] == ' ' || line[i+2] == '\t'):
			s.text.WriteByte('\n')
			return out
		case strings.HasPrefix(line[i:], s.delimiter()):
			end(false)
			i += len(s.delimiter()) - 1
			continue
		case c == '\\' && (next == 'G' || next == 'g'):
			end(next == 'G')
			i++
			continue
		}
		s.text.WriteByte(c)
	}
	s.text.WriteByte('\n')
	return out
}

// firstWord gives the first word of a statement in upper case, comments and
// brackets before it left out.
func firstWord(text string) string {
	for {
		text = strings.TrimLeft(text, " \t\r\n(")
		switch {
		case strings.HasPrefix(text, "/*"):
			_, after, ok := strings.Cut(text[2:], "*/")
			if !ok {
				return ""
			}
			text = after
			continue
		}
		break
	}
	end := 0
	for end < len(text) && (text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z') {
		end++
	}
	return strings.ToUpper(text[:end])
}

// givesRows says whether a statement is run for its rows.
func givesRows(text string) bool {
	switch firstWord(text) {
	case "SELECT", "WITH", "SHOW", "EXPLAIN", "VEXPLAIN", "DESCRIBE", "DESC", "VALUES", "TABLE", "CHECK", "ANALYZE":
		return true
	}
	return false
}
