package advise

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/vschema"
)

// Statement is one that was run Count times, with other literals or with the same.
type Statement struct {
	SQL   string // as it was run once
	Count int64
}

// Log collects statements from logs. The zero value is ready.
type Log struct {
	byDigest map[string]*Statement
	Skipped  int64 // what isn't SELECT, INSERT, REPLACE, UPDATE or DELETE
}

// Statements gives them, the most frequent ones first.
func (l *Log) Statements() []Statement {
	var out []Statement
	for _, s := range l.byDigest {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Statement) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.SQL, b.SQL))
	})
	return out
}

// Add adds a statement.
func (l *Log) Add(text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	text = lists.Replace(text)
	if !considered.MatchString(text) {
		l.Skipped++
		return
	}
	id, _ := sqlparse.Digest(text)
	if l.byDigest == nil {
		l.byDigest = map[string]*Statement{}
	}
	if s := l.byDigest[id]; s != nil {
		s.Count++
		return
	}
	l.byDigest[id] = &Statement{SQL: text, Count: 1}
}

// lists makes those that a digest has shortened lists again.
var lists = strings.NewReplacer("(...)", "(?)", "( ... )", "(?)")

var considered = regexp.MustCompile(`(?is)^(/\*.*?\*/\s*|--[^\n]*\n\s*|#[^\n]*\n\s*|\(\s*)*(select|insert|replace|update|delete|with)\b`)

// The lines of MySQL's logs. A general log's entry goes on until the next one begins.
var (
	generalLine = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\dT\S+|\d{6}\s+\d+:\d\d:\d\d|\t)\s+\d+\s(Query|Execute|Prepare|Connect|Quit|Init DB|Close stmt|Reset stmt|Statistics|Ping|Field List|Change user|Binlog Dump)\b\t? ?(.*)$`)
	slowHeader  = regexp.MustCompile(`^# (Time|User@Host|Query_time|Thread_id|administrator|Schema)`)
	slowSetting = regexp.MustCompile(`(?i)^(SET timestamp=\d+|use \S+);$`)
	logBanner   = regexp.MustCompile(`^(\S+, Version: .*|Tcp port: .*|Time\s+Id\s+Command\s+Argument)$`)
)

// Read reads a log: MySQL's general or slow log, lines of JSON with the statement as
// "sql", "query" or "statement", or statements that end with semicolons or, where
// there are none, with their lines.
func (l *Log) Read(r io.Reader) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 64<<20)
	var lines []string
	for in.Scan() {
		lines = append(lines, in.Text())
	}
	if err := in.Err(); err != nil {
		return err
	}
	switch {
	case slices.ContainsFunc(lines, generalLine.MatchString):
		l.general(lines)
	case slices.ContainsFunc(lines, slowHeader.MatchString):
		return l.slow(lines)
	case len(lines) > 0 && strings.HasPrefix(strings.TrimSpace(lines[0]), "{"):
		return l.json(lines)
	default:
		return l.plain(lines)
	}
	return nil
}

func (l *Log) general(lines []string) {
	var text []string
	end := func() {
		l.Add(strings.TrimSuffix(strings.Join(text, "\n"), ";"))
		text = nil
	}
	for _, line := range lines {
		m := generalLine.FindStringSubmatch(line)
		switch {
		case m == nil && text != nil && !logBanner.MatchString(line):
			text = append(text, line)
		case m != nil:
			end()
			if m[1] == "Query" || m[1] == "Execute" {
				text = []string{m[2]}
			}
		}
	}
	end()
}

func (l *Log) slow(lines []string) error {
	lines = slices.DeleteFunc(slices.Clone(lines), func(s string) bool {
		return strings.HasPrefix(s, "# ") || slowSetting.MatchString(strings.TrimSpace(s)) || logBanner.MatchString(s)
	})
	return l.plain(lines)
}

func (l *Log) json(lines []string) error {
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var entry struct{ SQL, Query, Statement, Digest string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			return fmt.Errorf("line %d is no JSON: %w", i+1, err)
		}
		l.Add(cmp.Or(entry.SQL, entry.Query, entry.Statement, entry.Digest))
	}
	return nil
}

func (l *Log) plain(lines []string) error {
	if !slices.ContainsFunc(lines, func(s string) bool { return strings.HasSuffix(strings.TrimSpace(s), ";") }) {
		for _, line := range lines {
			l.Add(line)
		}
		return nil
	}
	list, err := sqlparse.Split(strings.Join(lines, "\n"), sqlparse.Options{})
	for _, text := range list {
		l.Add(text)
	}
	return err
}

// Creates gives the CREATE TABLE statements of the tables that a script leaves, in the
// order in which it makes them: after its CREATE INDEX, ALTER TABLE, RENAME and DROP
// statements, as those of migrations are. It passes over all others. The error names the
// statement that can't be carried out.
func Creates(script string) ([]string, error) {
	list, err := sqlparse.Split(script, sqlparse.Options{})
	if err != nil {
		return nil, err
	}
	const ks = "main"
	v, err := vschema.New().WithKeyspace(&vschema.Keyspace{Name: ks})
	if err != nil {
		return nil, err
	}
	s, made := (*schema.Schema)(nil).With(0), map[string]int{}
	for _, text := range list {
		if !changes.MatchString(text) {
			continue
		}
		st, err := sqlparse.Parse(text, sqlparse.Options{})
		if err != nil {
			return nil, err
		}
		c, err := ddl.Plan(st.Stmt, s, v, ddl.Options{Keyspace: ks, Shards: map[string]int{ks: 1}, Unchecked: true})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", short(text), err)
		}
		if create, ok := st.Stmt.(*sqlast.CreateTable); ok && create.Def != nil {
			made[strings.ToLower(create.Def.Name)] = len(made)
		}
		s = s.With(s.Version+1, c.Schema...)
		if c.VSchema != nil {
			v = c.VSchema
		}
	}
	var out []string
	tables := s.Tables(ks)
	slices.SortStableFunc(tables, func(a, b *sqlast.TableDef) int {
		return cmp.Compare(made[strings.ToLower(a.Name)], made[strings.ToLower(b.Name)])
	})
	for _, def := range tables {
		out = append(out, dialect.ShowCreate(def))
	}
	return out, nil
}

var changes = regexp.MustCompile(`(?is)^(/\*.*?\*/\s*|--[^\n]*\n\s*|#[^\n]*\n\s*)*(create\s+(table|index|unique)|alter\s+table|drop\s+(table|index)|rename\s+table)\b`)
