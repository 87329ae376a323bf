package shell

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/vitessdo/vitessdo/internal/present"
)

// names are those of the database, read when they are needed and again after a
// statement that may have changed them.
type names struct {
	fresh     bool
	keyspaces []string
	shards    []string            // "keyspace/shard"
	tables    []string            // of the current keyspace
	columns   map[string][]string // by table, both as they are spelled
}

// changed tells of a statement that has run.
func (n *names) changed(text string) {
	switch firstWord(text) {
	case "CREATE", "ALTER", "DROP", "RENAME", "USE":
		n.fresh = false
	}
}

// namesWait bounds how long Tab waits for the database.
const namesWait = 2 * time.Second

// lookup reads the names over a connection of its own, as the shell's may be in a
// transaction that an error would end.
func (s *Shell) lookup() *names {
	if s.names.fresh {
		return &s.names
	}
	ctx, cancel := context.WithTimeout(context.Background(), namesWait)
	defer cancel()
	n := names{columns: map[string][]string{}}
	var current string
	if err := s.Conn.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&current); err != nil {
		return &s.names
	}
	current, _, _ = strings.Cut(current, "/")
	for query, to := range map[string]*[]string{"SHOW VITESS_KEYSPACES": &n.keyspaces, "SHOW VITESS_SHARDS": &n.shards} {
		err := s.each(ctx, query, nil, func(v []string) { *to = append(*to, v[0]) })
		if err != nil {
			return &s.names
		}
	}
	err := s.each(ctx, "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.columns WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION",
		[]any{current}, func(v []string) {
			if n.columns[v[0]] == nil {
				n.tables = append(n.tables, v[0])
			}
			n.columns[v[0]] = append(n.columns[v[0]], v[1])
		})
	if err == nil {
		n.fresh = true
		s.names = n
	}
	return &s.names
}

func (s *Shell) each(ctx context.Context, query string, args []any, f func([]string)) error {
	rows, err := s.DB.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, dest := make([]string, len(names)), make([]any, len(names))
	for i := range dest {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		f(values)
	}
	return rows.Err()
}

// offer gives what the last word of a text could be, behind which rest stands.
func (s *Shell) offer(text, rest string) []string {
	return begun(s.candidates(text, rest), lastWord(text))
}

// candidates chooses by what stands before the last word.
func (s *Shell) candidates(text, rest string) []string {
	word := lastWord(text)
	if line := strings.TrimLeft(text, " "); strings.HasPrefix(line, `\`) {
		name, _, ok := strings.Cut(line, " ")
		switch {
		case !ok:
			return commandNames()
		case name != `\plan`:
			return s.arguments(strings.TrimPrefix(name, `\`))
		}
	}
	n := s.lookup()
	before := tokens(strings.TrimSuffix(text, word))
	switch previousWord(before) {
	case "USE":
		return slices.Concat(n.keyspaces, n.shards)
	case "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "DESCRIBE", "DESC", "REFERENCES":
		if !strings.Contains(word, ".") {
			return slices.Concat(n.tables, n.keyspaces)
		}
	}
	tables := n.named(append(before, tokens(rest)...))
	if at := strings.LastIndexByte(word, '.'); at >= 0 {
		return n.qualified(word[:at], tables)
	}
	var columns []string
	for _, t := range tables {
		columns = append(columns, n.columns[t.name]...)
	}
	if word == "" && len(columns) > 0 {
		return columns
	}
	return slices.Concat(columns, n.tables, n.keyspaces, keywordsAs(word))
}

// qualified are the columns of a table, or the tables of a keyspace.
func (n *names) qualified(by string, refs []reference) []string {
	name := strings.Trim(by, "`")
	list := n.columns[n.table(name, refs)]
	if slices.Contains(n.keyspaces, name) {
		list = n.tables
	}
	out := make([]string, len(list))
	for i, name := range list {
		out[i] = by + "." + name
	}
	return out
}

// arguments of a backslash command.
func (s *Shell) arguments(command string) []string {
	switch command {
	case "d":
		return s.lookup().tables
	case "use":
		return slices.Concat(s.lookup().keyspaces, s.lookup().shards)
	case "f":
		return present.Formats
	case "timing":
		return []string{"on", "off"}
	}
	return nil
}

func commandNames() []string {
	var out []string
	for _, c := range commands {
		out = append(out, `\`+c.name)
	}
	return out
}

// keywordsAs spells keywords as the word that is begun.
func keywordsAs(word string) []string {
	if word != "" && unicode.IsUpper(rune(word[0])) {
		return keywords
	}
	out := make([]string, len(keywords))
	for i, k := range keywords {
		out[i] = strings.ToLower(k)
	}
	return out
}

// begun keeps what begins with a word, whatever its case, and each once.
func begun(list []string, word string) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range list {
		if word != "" && word[0] == '`' && !strings.Contains(word, ".") {
			c = quote(c)
		}
		if len(c) >= len(word) && strings.EqualFold(c[:len(word)], word) && !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return out
}

// lastWord is the name, with its qualifier, or the command that a text ends in.
func lastWord(text string) string {
	i := strings.LastIndexFunc(text, func(r rune) bool {
		return r != '_' && r != '$' && r != '.' && r != '\\' && r != '/' && r != '`' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return text[i+1:]
}

func previousWord(list []token) string {
	for _, t := range slices.Backward(list) {
		if strings.TrimSpace(t.text) != "" {
			return strings.ToUpper(t.text)
		}
	}
	return ""
}

// reference is a table in a statement, by its name and its alias.
type reference struct{ name, alias string }

// named finds the tables that a statement names so far, with their aliases.
func (n *names) named(list []token) []reference {
	var words []string
	for _, t := range list {
		if text := strings.Trim(t.text, " \t\n`"); text != "" && t.kind != tokenText && t.kind != tokenComment {
			words = append(words, text)
		}
	}
	var out []reference
	for i, w := range words {
		table := n.spelled(w)
		if table == "" || i > 0 && words[i-1] == "." && i > 1 && !slices.Contains(n.keyspaces, words[i-2]) {
			continue
		}
		r := reference{name: table, alias: table}
		if i+1 < len(words) && strings.EqualFold(words[i+1], "AS") {
			words = slices.Delete(slices.Clone(words), i+1, i+2)
		}
		if i+1 < len(words) && !isKeyword(words[i+1]) && unicode.IsLetter([]rune(words[i+1])[0]) {
			r.alias = words[i+1]
		}
		out = append(out, r)
	}
	return out
}

func (n *names) spelled(word string) string {
	for _, t := range n.tables {
		if strings.EqualFold(t, word) {
			return t
		}
	}
	return ""
}

// table finds the table behind a qualifier.
func (n *names) table(qualifier string, refs []reference) string {
	for _, r := range refs {
		if strings.EqualFold(r.alias, qualifier) {
			return r.name
		}
	}
	return n.spelled(qualifier)
}
