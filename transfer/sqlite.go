package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/sqlite"
)

// sqliteFile imports a whole SQLite file: tables, rows, views.
func (im *importer) sqliteFile(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	c, err := sqlite.Open(ctx, path, sqlite.Options{NoCreate: true, ReadOnly: true, NoFunctions: true})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	s, err := readSchema(ctx, c)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if im.Table != "" {
		if err := s.only(im.Table); err != nil {
			return err
		}
	}
	im.out.Notes = append(im.out.Notes, s.notes...)
	total, done := int64(0), int64(0)
	for _, t := range s.tables {
		total += t.rows
	}
	im.bytes = func() (int64, int64) { return done + im.at.rows, total }
	var names []any
	for _, t := range s.tables {
		if err := im.sqliteTable(ctx, c, t); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		names = append(names, im.at.name)
		done += t.rows
		im.at = checkpoint{rejects: im.at.rejects}
	}
	for _, v := range s.views {
		if _, err := im.conn.ExecContext(ctx, v.sql); err != nil && !errors.Is(err, vitessdo.ErrTableExists) {
			im.remark("view %s is left out: %v", v.name, err)
		}
	}
	if len(s.tables) == 0 {
		return nil
	}
	return im.closeCheckpoints(ctx, names...)
}

// sqliteTable makes a table, unless there is one, and writes its rows.
func (im *importer) sqliteTable(ctx context.Context, c *sqlite.Conn, t *sqliteTable) error {
	_, err := im.conn.ExecContext(ctx, t.create())
	var e *vitessdo.Error
	switch {
	case errors.Is(err, vitessdo.ErrTableExists):
	case errors.As(err, &e) && len(t.keys) > 0 && e.Code == vitessdo.CodeForeignKey:
		im.remark("table %s: its foreign keys are left out: %v", t.name, err)
		t.keys = nil
		if _, err = im.conn.ExecContext(ctx, t.create()); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	im.table, im.what = quote(t.name), t.name
	if err := im.openCheckpoint(ctx); err != nil {
		return err
	}
	if im.at.done {
		return nil
	}
	if err := im.openRejects(nil); err != nil {
		return err
	}
	src := &sqliteRows{ctx: ctx, c: c, t: t, after: im.at.place, begun: im.at.rows > 0 || im.at.place != 0}
	if err := src.open(); err != nil {
		return err
	}
	defer src.stmt.Release()
	for {
		chunk, bad := im.chunk(src)
		stopped, err := im.write(ctx, chunk)
		if err == nil {
			err = stopped
		}
		if err != nil {
			return err
		}
		if errors.Is(bad, io.EOF) {
			break
		}
		if bad != nil {
			return bad
		}
	}
	next := im.at
	next.done = true
	return im.save(ctx, im.conn, next)
}

// sqliteRows are the rows of a table, in the order of their row IDs; the place of a
// record is its row ID. A table without row IDs is read in its key's order, and the
// place is the number of rows.
type sqliteRows struct {
	ctx   context.Context
	c     *sqlite.Conn
	t     *sqliteTable
	stmt  *sqlite.Stmt
	after int64
	begun bool
	count int64
	row   []any
	names []string
}

func (s *sqliteRows) skip(int64, int64) error { return nil }

func (s *sqliteRows) open() (err error) {
	var list []string
	for _, c := range s.t.columns {
		list, s.names = append(list, quoteSQLite(c.name)), append(s.names, c.name)
	}
	text := "SELECT " + strings.Join(list, ", ")
	var args []any
	switch {
	case s.t.rowid == "":
		text += ", 0 FROM " + quoteSQLite(s.t.name) + " ORDER BY " + strings.Join(quoteAll(s.t.primary), ", ") + " LIMIT -1 OFFSET ?1"
		args, s.count = []any{s.after}, s.after
	case s.begun:
		text += ", " + s.t.rowid + " FROM " + quoteSQLite(s.t.name) + " WHERE " + s.t.rowid + " > ?1 ORDER BY " + s.t.rowid
		args = []any{s.after}
	default:
		text += ", " + s.t.rowid + " FROM " + quoteSQLite(s.t.name) + " ORDER BY " + s.t.rowid
	}
	s.c.SetContext(s.ctx)
	if s.stmt, err = s.c.Prepare(text); err != nil {
		return err
	}
	s.row = make([]any, len(list)+1)
	return s.stmt.Bind(args)
}

func quoteAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoteSQLite(n)
	}
	return out
}

func (s *sqliteRows) next() (record, error) {
	ok, err := s.stmt.Step()
	if err != nil {
		return record{}, err
	}
	if !ok {
		return record{}, io.EOF
	}
	if err := s.stmt.Row(s.row); err != nil {
		return record{}, err
	}
	last := len(s.row) - 1
	s.count++
	r := record{columns: s.names, values: append([]any(nil), s.row[:last]...), line: s.count, place: s.count, nextLine: s.count}
	if s.t.rowid != "" {
		r.place, _ = s.row[last].(int64)
		r.line = r.place
	}
	return r, nil
}

// insertOf writes a row as the INSERT that puts it where it belongs, for those who mend
// it there: a row of a SQLite file has no text of its own.
func insertOf(table string, r record) []byte {
	values := make([]string, len(r.values))
	for i, v := range r.values {
		f := formText
		switch v.(type) {
		case int64, float64:
			f = formNumber
		case []byte:
			f = formBlob
		}
		values[i] = literal(false, f, v)
	}
	return []byte(insertInto(table, r.columns, quote) + " (" + strings.Join(values, ", ") + ");\n")
}

func quoteSQLite(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
