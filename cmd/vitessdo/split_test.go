package main

import (
	"slices"
	"strings"
	"testing"
	"time"
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

func TestFormats(t *testing.T) {
	for d, want := range map[time.Duration]string{1500: "1.5 µs", 2345 * time.Microsecond: "2.35 ms", 12340 * time.Millisecond: "12.34 s"} {
		if got := short(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -999: "-999"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestProgressBar(t *testing.T) {
	var b strings.Builder
	p := newProgress(&console{out: &b, live: true}, "rows", 4)
	p.at(2)
	p.at(4)
	p.end()
	if want := "[##############################] 100%  4 of 4 rows  \n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("%q", b.String())
	}
}
