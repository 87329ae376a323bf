package shell

import (
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct{ in, want, rest string }{
		{"a; b;c", "a|b", "c"},
		{"a\nb;\n;;", "a\nb", ""},
		{`x ';' y; "a\";" ; 'it''s;'`, `x ';' y|"a\";"`, `'it''s;'`},
		{"`a;``b` ; c", "`a;``b`", "c"},
		{"/* ; */ a; /* two\nlines; */ b;", "/* ; */ a|/* two\nlines; */ b", ""},
		{"a -- x; y\n; b # c;\n;", "a|b", ""},
		{"a--1;", "a--1", ""},
		{`a\G b;`, "a G|b", ""},
		{"'open\n;", "", "'open\n;"},
		{"DELIMITER //\na; b; 'x//' //\n// c //\ndelimiter ;\nd; e // f", "a; b; 'x//'|c|d", "e // f"},
		{"delimiter $$\na;\ndelimiter ;\nb$$", "a;\ndelimiter ;\nb", ""}, // within a statement it is text
	} {
		var s splitter
		var got []string
		for line := range strings.SplitSeq(c.in, "\n") {
			for _, st := range s.line(line) {
				if st.vertical {
					st.text += " G"
				}
				got = append(got, st.text)
			}
		}
		var want []string
		if c.want != "" {
			want = strings.Split(c.want, "|")
		}
		if rest := s.rest(); !slices.Equal(got, want) || rest != c.rest {
			t.Errorf("%q: %q and %q, want %q and %q", c.in, got, rest, want, c.rest)
		}
	}
}

func TestFirstWord(t *testing.T) {
	for in, want := range map[string]string{
		"select 1": "SELECT", " ( (SELECT 1)": "SELECT", "/*vt+ COMBINE=query */ /* x */ with a": "WITH",
		"": "", "/* open": "", "é": "", "update t": "UPDATE",
	} {
		if got := firstWord(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
