package present

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
)

// jsonSink writes an array of objects.
type jsonSink struct {
	keys  []string // as JSON, each once
	begun bool
}

func newJSON(head []string) *jsonSink {
	s, seen := &jsonSink{}, map[string]bool{}
	for _, h := range head {
		name := h
		for i := 2; seen[name]; i++ {
			name = fmt.Sprintf("%s_%d", h, i)
		}
		seen[name] = true
		s.keys = append(s.keys, quoted(name))
	}
	return s
}

func (s *jsonSink) row(w *bufio.Writer, row []cell) {
	start := ",\n "
	if !s.begun {
		s.begun, start = true, "[\n "
	}
	_, _ = w.WriteString(start)
	for i, c := range row {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		_ = w.WriteByte(before)
		_, _ = w.WriteString(s.keys[i] + ":" + asJSON(c))
	}
	_ = w.WriteByte('}')
}

func (s *jsonSink) end(w *bufio.Writer) {
	if s.begun {
		_, _ = w.WriteString("\n]\n")
	} else {
		_, _ = w.WriteString("[]\n")
	}
}

func asJSON(c cell) string {
	switch {
	case c.null:
		return "null"
	case c.raw && json.Valid([]byte(c.text)):
		return c.text
	}
	return quoted(c.text)
}

// quoted is a JSON string that spells <, > and & as they are.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

// csvSink writes RFC 4180. encoding/csv would write NULL and an empty text alike.
type csvSink struct {
	head  []string
	begun bool
}

func (s *csvSink) row(w *bufio.Writer, row []cell) {
	s.header(w)
	for i, c := range row {
		if i > 0 {
			_ = w.WriteByte(',')
		}
		if !c.null {
			_, _ = w.WriteString(field(c.text))
		}
	}
	_ = w.WriteByte('\n')
}

func (s *csvSink) header(w *bufio.Writer) {
	if s.begun {
		return
	}
	s.begun = true
	fields := make([]string, len(s.head))
	for i, h := range s.head {
		fields[i] = field(h)
	}
	_, _ = w.WriteString(strings.Join(fields, ",") + "\n")
}

func (s *csvSink) end(w *bufio.Writer) { s.header(w) }

func field(s string) string {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && strings.TrimSpace(s) == s {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
