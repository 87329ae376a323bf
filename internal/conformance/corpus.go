package conformance

import (
	"embed"
	"fmt"
	"iter"
	"path"
	"strings"
)

//go:embed testdata
var files embed.FS

// Chapter is a family of constructs.
type Chapter struct {
	Title      string
	Constructs []Construct
}

// Cases are those of all its constructs, in their order.
func (ch Chapter) Cases() iter.Seq[Case] {
	return func(yield func(Case) bool) {
		for _, con := range ch.Constructs {
			for _, x := range con.Cases {
				if !yield(x) {
					return
				}
			}
		}
	}
}

// Construct is what a MySQL manual has a heading for: a function, an operator.
type Construct struct {
	Name  string
	Notes []string // what differs from MySQL
	Cases []Case
}

// Case is one statement and its answer.
type Case struct {
	Line string // file and line
	Text string // as written in the file
	Want string // the answer, or "error" and a number
	// MySQL is MySQL's answer where it is another.
	MySQL string
}

// Statements are what the case runs; the last one's answer counts.
func (c Case) Statements() []string {
	list := strings.Split(c.Text, "; ")
	first, _, _ := strings.Cut(list[0], " ")
	switch first {
	case "SET", "SELECT", "WITH", "VALUES", "TABLE", "HANDLER", "DO", "INSERT", "UPDATE", "DELETE", "REPLACE", "BEGIN":
	default:
		list[0] = "SELECT " + list[0]
	}
	return list
}

// Chapters reads testdata, in the order of the documentation.
func Chapters() ([]Chapter, error) {
	var out []Chapter
	for _, name := range []string{"operators", "strings", "regexp", "numbers", "dates", "json", "hashes", "queries", "types"} {
		c, err := chapter(name + ".txt")
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Fixture gives the statements that make the cases' tables.
func Fixture() ([]string, error) {
	text, err := files.ReadFile("testdata/fixture.sql")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range strings.Split(string(text), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

func chapter(file string) (ch Chapter, err error) {
	text, err := files.ReadFile(path.Join("testdata", file))
	if err != nil {
		return ch, err
	}
	for i, line := range strings.Split(string(text), "\n") {
		n := len(ch.Constructs)
		switch {
		case line == "":
		case strings.HasPrefix(line, "## "):
			ch.Title = line[3:]
		case strings.HasPrefix(line, "== "):
			ch.Constructs = append(ch.Constructs, Construct{Name: line[3:]})
		case n == 0:
			return ch, fmt.Errorf("%s:%d: a case before the first construct", file, i+1)
		case strings.HasPrefix(line, "! "):
			ch.Constructs[n-1].Notes = append(ch.Constructs[n-1].Notes, line[2:])
		default:
			c, err := parseCase(line)
			if err != nil {
				return ch, fmt.Errorf("%s:%d: %w", file, i+1, err)
			}
			c.Line = fmt.Sprintf("%s:%d", file, i+1)
			ch.Constructs[n-1].Cases = append(ch.Constructs[n-1].Cases, c)
		}
	}
	return ch, nil
}

func parseCase(line string) (c Case, err error) {
	i := strings.LastIndex(line, " => ")
	if i < 0 {
		if !strings.HasSuffix(line, " =>") {
			return c, fmt.Errorf("no => in %q", line)
		}
		line, i = line+" ", len(line)-3
	}
	c.Text, c.Want = line[:i], line[i+4:]
	if j := strings.LastIndex(c.Want, "  (MySQL: "); j >= 0 && strings.HasSuffix(c.Want, ")") {
		c.MySQL, c.Want = strings.TrimSuffix(c.Want[j+len("  (MySQL: "):], ")"), c.Want[:j]
	}
	return c, nil
}
