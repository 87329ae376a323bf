package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/sqlite"
)

// sqliteDump is how SQLite's .dump begins.
var sqliteDump = regexp.MustCompile(`(?is)^(\s|--[^\n]*\n)*(PRAGMA\s|BEGIN\s+TRANSACTION\s*;)`)

// dump imports a dump: of MySQL's tools statement by statement; one of SQLite's is made
// a SQLite file first, by SQLite itself.
func (im *importer) dump(ctx context.Context, in *input) error {
	if sqliteDump.Match(im.head) {
		im.head = nil
		return im.sqliteDump(ctx, in)
	}
	im.what = "statements"
	return im.transferDump(ctx, &statements{s: newSplitter(in.Reader, true)})
}

// statements are a dump's.
type statements struct{ s *splitter }

func (d *statements) skip(place, line int64) error { return d.s.skip(place, line) }

func (d *statements) next() (record, error) {
	text, err := d.s.next()
	return record{text: text, raw: []byte(text + ";\n"), line: d.s.begin, place: d.s.place, nextLine: d.s.line}, err
}

// sort is what is to be done about a statement of a dump.
type sort int

const (
	sortRows   sort = iota // it is run in the transaction
	sortSchema             // it commits by itself
	sortSkip               // there is nothing to do
	sortNote               // it is left out, and told
)

var executable = regexp.MustCompile(`^/\*!\d*\s*`)

func sortOf(text string) sort {
	words := strings.Fields(strings.ToUpper(executable.ReplaceAllString(text[:min(len(text), 200)], "")))
	first, second := "", ""
	if len(words) > 0 {
		first = words[0]
	}
	if len(words) > 1 {
		second = words[1]
	}
	switch first {
	case "INSERT", "REPLACE", "UPDATE", "DELETE":
		return sortRows
	case "SET", "LOCK", "UNLOCK", "START", "BEGIN", "COMMIT", "USE", "ROLLBACK":
		return sortSkip
	case "ALTER":
		if strings.Contains(strings.ToUpper(text), " KEYS") && strings.HasPrefix(text, "/*!40000") {
			return sortSkip
		}
		return sortSchema
	case "DROP", "RENAME", "TRUNCATE":
		if second == "DATABASE" || second == "SCHEMA" {
			return sortNote
		}
		return sortSchema
	case "CREATE":
		for _, w := range words[1:] {
			switch strings.Trim(w, "*/") {
			case "TABLE", "INDEX", "UNIQUE":
				return sortSchema
			case "VIEW":
				return sortSchema
			case "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "DATABASE", "SCHEMA":
				return sortNote
			}
		}
		return sortSchema
	}
	return sortNote
}

var (
	definer = regexp.MustCompile("(?i)\\b(ALGORITHM\\s*=\\s*\\w+|DEFINER\\s*=\\s*(`[^`]*`|\\w+|'[^']*')@(`[^`]*`|\\w+|'[^']*')|SQL\\s+SECURITY\\s+\\w+)\\s*")
	markers = regexp.MustCompile(`/\*!\d+\s?|\*/`)
)

// readable takes what a dump puts around views, in comments that MySQL runs, for the
// statement itself.
func readable(text string) string {
	if !strings.HasPrefix(text, "/*!") || !strings.Contains(strings.ToUpper(text), "VIEW") {
		return text
	}
	return strings.TrimSpace(definer.ReplaceAllString(markers.ReplaceAllString(text, ""), ""))
}

// transferDump runs a dump's statements: those about rows many in a transaction, with
// the checkpoint. A schema change commits by itself: one that a killed run has made
// may be found to be there.
func (im *importer) transferDump(ctx context.Context, src *statements) error {
	if err := im.resume(ctx, src, nil); err != nil {
		return err
	}
	var chunk []record
	size := 0
	flush := func() error {
		stopped, err := im.write(ctx, chunk)
		chunk, size = nil, 0
		if err == nil {
			err = stopped
		}
		return err
	}
	for {
		r, err := src.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(flush(), fmt.Errorf("%s: line %d: %w", im.Source, src.s.begin, err))
		}
		what := sortOf(r.text)
		switch what {
		case sortRows:
			chunk = append(chunk, r)
			if size += len(r.text); size < chunkBytes/4 && len(chunk) < im.Commit {
				continue
			}
			err = flush()
		case sortSchema:
			if err = flush(); err == nil {
				err = im.schema(ctx, r)
			}
		case sortNote:
			im.remark("line %d: left out: %.60s", r.line, strings.TrimSpace(definer.ReplaceAllString(markers.ReplaceAllString(r.text, ""), "")))
		}
		if err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return im.closeCheckpoints(ctx, im.at.name)
}

func (im *importer) remark(format string, args ...any) {
	im.out.Notes = append(im.out.Notes, fmt.Sprintf(format, args...))
}

// schema runs a statement that changes the schema. One that a killed run had begun may
// be done already.
func (im *importer) schema(ctx context.Context, r record) error {
	again := im.at.begun
	next := im.at
	next.begun = true
	if err := im.save(ctx, im.conn, next); err != nil {
		return err
	}
	im.at = next
	_, err := im.conn.ExecContext(ctx, readable(r.text))
	if again && doneBefore(err) {
		err = nil
	}
	next.begun = false
	switch {
	case err == nil:
		next.rows++
		next.place, next.line = r.place, r.nextLine
	case !aboutRecord(err):
		return err
	case !im.Skip:
		im.note(r, err)
		return errors.Join(Bad{r.line, err}, im.save(ctx, im.conn, next))
	default:
		im.note(r, err)
		next.place, next.line = r.place, r.nextLine
		if err := im.toRejects(&next, r); err != nil {
			return err
		}
	}
	im.out.Rows += next.rows - im.at.rows
	if err := im.save(ctx, im.conn, next); err != nil {
		return err
	}
	im.at = next
	im.tell()
	return nil
}

// doneBefore says whether a schema change fails as it does when it is done a second time.
func doneBefore(err error) bool {
	var e *vitessdo.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Number {
	case 1050, 1051, 1146, // a table that is there, or is dropped, or renamed
		1054, 1060, 1061, 1068, 1091, 1826: // a column or key of it
		return true
	}
	return false
}

// sqliteDump makes a SQLite file of SQLite's dump, and imports that.
func (im *importer) sqliteDump(ctx context.Context, in *input) (err error) {
	dir, err := os.MkdirTemp("", "vitessdo-import-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := dir + "/dump.db"
	c, err := sqlite.Open(ctx, file, sqlite.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	// A dump may do what its tables forbid for a while, and is thrown away in the end.
	if err := c.Script("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA writable_schema=OFF;"); err != nil {
		return err
	}
	s := newSplitter(in.Reader, false)
	im.what = "dump"
	for {
		text, err := s.nextWhole()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			c.SetContext(ctx)
			err = c.Script(text)
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", im.Source, s.begin, err)
		}
		im.tell()
	}
	if c.InTransaction() {
		return fmt.Errorf("%s has no COMMIT at its end: the dump isn't whole", im.Source)
	}
	if err := c.Close(); err != nil {
		return err
	}
	return im.sqliteFile(ctx, file)
}

// nextWhole is next for SQLite, whose triggers have statements inside.
func (s *splitter) nextWhole() (string, error) {
	text, err := s.next()
	if err != nil || !trigger.MatchString(text) {
		return text, err
	}
	for begin, last := s.begin, ""; !strings.EqualFold(last, "END"); s.begin = begin {
		if last, err = s.next(); err != nil {
			return "", err
		}
		text += ";\n" + last
	}
	return text, nil
}

var trigger = regexp.MustCompile(`(?i)^CREATE\s+(TEMP(ORARY)?\s+)?TRIGGER\b`)
