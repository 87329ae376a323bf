package difftest

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Shrink cuts a failure down: first the statements before it, then its own
// text, for at most about the given time. What is left still fails.
func Shrink(f Failure, limit time.Duration) Failure {
	end := time.Now().Add(limit)
	again := func(h []Statement, s Statement) (Failure, bool) {
		run := func() (Failure, bool) { return replay(h, s, f.Shards) }
		if f.Law != nil {
			run = func() (Failure, bool) { return f.Law.breaks(h, f.Shards) }
		}
		if f.entries != nil {
			run = func() (Failure, bool) { return f.entries.replay(h, f.Shards) }
		}
		g, ok := run()
		return g, ok && ClassOf(g.Want.Err) == ClassOf(f.Want.Err) && ClassOf(g.Got.Err) == ClassOf(f.Got.Err)
	}
	if _, ok := again(f.History, f.Statement); !ok {
		return f // a matter of chance, or of what other shard counts did
	}
	for size := len(f.History) / 2; size >= 1; size /= 2 {
		for at := 0; at < len(f.History) && time.Now().Before(end); {
			rest := slices.Concat(f.History[:at], f.History[min(at+size, len(f.History)):])
			if g, ok := again(rest, f.Statement); ok {
				g.Seed = f.Seed
				f = g
			} else {
				at += size
			}
		}
	}
	if f.Statement.Kind == Query && f.Law == nil && f.entries == nil {
		f = shrinkText(f, end)
	}
	return f
}

// replay runs statements on a new plain database and a new cluster, and says
// whether the last one's answers differ.
func replay(history []Statement, s Statement, shards int) (Failure, bool) {
	o, err := openOracle()
	if err != nil {
		return Failure{}, false
	}
	defer o.Close()
	c, err := openCluster(shards)
	if err != nil {
		return Failure{}, false
	}
	defer c.Close()
	for _, h := range history {
		want, got := o.Run(h), c.Run(h)
		if h.Kind == Write && (want.Err == nil) != (got.Err == nil) {
			return Failure{}, false
		}
	}
	want, got := o.Run(s), c.Run(s)
	d := Diff(s, want, got)
	return Failure{History: history, Statement: s, Shards: shards, Diff: d, Want: want, Got: got}, d != ""
}

// shrinkText leaves out pieces of a query's text as long as plain SQLite still
// answers and the cluster still differs.
func shrinkText(f Failure, end time.Time) Failure {
	o, err := openOracle()
	if err != nil {
		return f
	}
	defer o.Close()
	c, err := openCluster(f.Shards)
	if err != nil {
		return f
	}
	defer c.Close()
	for _, h := range f.History {
		o.Run(h)
		c.Run(h)
	}
	bad := ClassOf(f.Got.Err)
	try := func(words []string) bool {
		s := f.Statement
		s.SQL, s.Keys = strings.Join(words, ""), nil
		if s.Exact && !strings.Contains(s.SQL, "ORDER BY") {
			s.Exact = false
		}
		if !keepsMeaning(f.Statement.SQL, s.SQL) || strings.Count(s.SQL, "?") != len(s.Args) {
			return false
		}
		want := o.Run(s)
		if want.Err != nil {
			return false
		}
		got := c.Run(s)
		d := Diff(s, want, got)
		if d == "" || ClassOf(got.Err) != bad {
			return false
		}
		f.Statement, f.Diff, f.Want, f.Got = s, d, want, got
		return true
	}
	words := tokens(f.Statement.SQL)
	for size := len(words) / 2; size >= 1; size-- {
		for at := 0; at+size <= len(words) && time.Now().Before(end); at++ {
			if rest := slices.Concat(words[:at], words[at+size:]); balanced(words[at:at+size]) && try(rest) {
				words = rest
				at--
			}
		}
	}
	return f
}

// keepsMeaning says that a shortened query has one answer still: a LIMIT needs
// the order that it had.
func keepsMeaning(whole, part string) bool {
	if strings.Contains(part, "LIMIT") || strings.Count(part, "SELECT") > 1 {
		order := strings.LastIndex(whole, "ORDER BY")
		if order >= 0 && strings.Contains(whole, "LIMIT") && !strings.HasSuffix(part, whole[order:]) ||
			strings.Count(part, "LIMIT") != strings.Count(whole, "LIMIT") {
			return false
		}
	}
	if strings.Count(part, "SELECT") > 1 {
		// A subquery without its aggregate gives any of its rows.
		for _, fn := range []string{"COUNT(", "SUM(", "MIN(", "MAX(", "AVG(", "GROUP_CONCAT("} {
			if strings.Count(part, fn) != strings.Count(whole, fn) {
				return false
			}
		}
	}
	// A bare column beside an aggregate shows any row's value.
	return strings.Count(part, "GROUP BY") == strings.Count(whole, "GROUP BY")
}

func balanced(words []string) bool {
	depth := 0
	for _, w := range words {
		switch w {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}

// tokens splits a text into words, strings, blanks and signs.
func tokens(text string) []string {
	var out []string
	rs := []rune(text)
	for i := 0; i < len(rs); {
		j := i + 1
		switch {
		case rs[i] == '\'':
			for j < len(rs) && rs[j] != '\'' {
				j++
			}
			j = min(j+1, len(rs))
		case isWord(rs[i]):
			for j < len(rs) && (isWord(rs[j]) || rs[j] == '.') {
				j++
			}
		}
		out = append(out, string(rs[i:j]))
		i = j
	}
	return out
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// Script prints a failure as what can be pasted: the DSN, the statements, both
// answers and how the statement is run.
func Script(f Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- seed %d; dsn %s\n", f.Seed, DSN(f.Shards))
	for _, h := range f.History {
		writeStatement(&b, h, f.Shards)
	}
	writeStatement(&b, f.Statement, f.Shards)
	if f.Law != nil {
		for _, p := range f.Law.Parts {
			writeStatement(&b, p, f.Shards)
		}
	}
	fmt.Fprintf(&b, "-- %s\n-- want\n  %s\n-- got\n  %s\n", f.Diff, Show(f.Want), Show(f.Got))
	if f.Statement.Kind == Control || f.Statement.Kind == Schema {
		return b.String()
	}
	if c, err := openCluster(f.Shards); err == nil {
		defer c.Close()
		for _, h := range f.History {
			c.Run(h)
		}
		e := f.Statement
		e.SQL, e.Kind = "EXPLAIN FORMAT='vitess' "+e.SQL, Query
		fmt.Fprintf(&b, "-- explain\n  %s\n", Show(c.Run(e)))
	}
	return b.String()
}

func writeStatement(b *strings.Builder, s Statement, shards int) {
	b.WriteString(forShards(s.SQL, shards) + ";")
	if len(s.Args) > 0 {
		fmt.Fprintf(b, " -- %#v", s.Args)
	}
	b.WriteByte('\n')
}
