package doctest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// block is one fenced code block of a page.
type block struct {
	line   int // of the opening fence, from 1
	lang   string
	text   string
	output *block // what it prints, where the page shows that

	db, file, module, skip string
	fails                  bool
}

var directive = regexp.MustCompile(`^<!-- doctest: (\w+) ?(.*?) ?-->$`)

// parse gives a page's blocks.
func parse(page string) ([]*block, error) {
	var list []*block
	var open *block // whose end wasn't met yet
	next := &block{}
	prose := true // since the last block
	empty := true // the line before
	for i, line := range strings.Split(page, "\n") {
		trimmed := strings.TrimSpace(line)
		blank := empty && trimmed != ""
		empty = trimmed == ""
		switch {
		case open != nil && trimmed == "```":
			if last := len(list) - 1; printed(open.lang) && !prose && last >= 0 && list[last].output == nil {
				list[last].output = open
			} else if !printed(open.lang) {
				list = append(list, open)
			}
			open, prose = nil, printed(open.lang)
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(trimmed, "```"):
			open, next = next, &block{}
			open.line, open.lang = i+1, strings.TrimPrefix(trimmed, "```")
		case strings.HasPrefix(trimmed, "<!-- doctest:"):
			if err := next.direct(trimmed); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		case blank && strings.HasPrefix(line, "    "): // Markdown's other way to write a block
			return nil, fmt.Errorf("line %d: an indented block isn't run: fence it", i+1)
		case trimmed != "":
			prose = true
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block doesn't end", open.line)
	}
	return list, nil
}

func printed(lang string) bool { return lang == "" || lang == "text" }

// direct takes a comment about the block that follows.
func (b *block) direct(comment string) error {
	m := directive.FindStringSubmatch(comment)
	if m == nil {
		return fmt.Errorf("%q isn't <!-- doctest: WORD VALUE -->", comment)
	}
	to := map[string]*string{"db": &b.db, "file": &b.file, "module": &b.module, "skip": &b.skip}[m[1]]
	switch {
	case m[1] == "fails" && m[2] == "":
		b.fails = true
	case to == nil:
		return fmt.Errorf("%q is none of db, file, fails, module and skip", m[1])
	case m[2] == "":
		return fmt.Errorf("%s needs a value", m[1])
	default:
		*to = m[2]
	}
	return nil
}

// command is a line for the shell, and what it prints.
type command struct {
	text   string
	output []string
}

// session takes a block of commands apart.
func session(text string) []command {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if !slices.ContainsFunc(lines, func(s string) bool { return strings.HasPrefix(s, "$ ") }) {
		return []command{{text: text}}
	}
	var list []command
	for _, line := range lines {
		last := len(list) - 1
		switch text, ok := strings.CutPrefix(line, "$ "); {
		case ok:
			list = append(list, command{text: text})
		case last >= 0 && len(list[last].output) == 0 && strings.HasSuffix(list[last].text, `\`):
			list[last].text += "\n" + line
		case last >= 0:
			list[last].output = append(list[last].output, line)
		}
	}
	return list
}

// matches says whether what was printed is what the page shows.
func matches(want, got []string) bool {
	return match(clean(want), clean(got))
}

func match(want, got []string) bool {
	for len(want) > 0 {
		if want[0] == "…" {
			for skip := range len(got) + 1 {
				if match(want[1:], got[skip:]) {
					return true
				}
			}
			return false
		}
		if len(got) == 0 || !like(want[0], got[0]) {
			return false
		}
		want, got = want[1:], got[1:]
	}
	return len(got) == 0
}

// like compares a line.
func like(want, got string) bool {
	parts := strings.Split(want, "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	ok, _ := regexp.MatchString("^"+strings.Join(parts, ".*")+"$", got)
	return ok
}

var (
	blanks = regexp.MustCompile(`[ \t\r]+`)
	rule   = regexp.MustCompile(`^[-+ ]{3,}$`)
)

// clean makes lines that look alike the same: how wide the columns of a table are isn't
// looked at, and empty lines at both ends aren't.
func clean(lines []string) []string {
	list := make([]string, len(lines))
	for i, s := range lines {
		list[i] = rule.ReplaceAllString(strings.TrimRight(blanks.ReplaceAllString(s, " "), " "), "---")
	}
	for len(list) > 0 && list[0] == "" {
		list = list[1:]
	}
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}
