package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// stmt is a statement's text with what is bound. Its rows are there from the first
// step on: a connection can't do anything else while a driver reads.
type stmt struct {
	c        *conn
	text     string
	params   []int // which argument each parameter takes
	kind     tabletserver.Kind
	readOnly bool
	upsert   bool   // an insert may have updated instead
	version  uint64 // of the schema, that it sets
	args     []any
	rows     *result // nil before the first step
	at       int
}

var (
	_ tabletserver.Stmt = (*stmt)(nil)
	_ tabletserver.Rest = (*stmt)(nil)
)

// result is what a statement has answered.
type result struct {
	columns []string
	values  [][]tablet.Value
}

// Kind implements [tabletserver.Stmt].
func (s *stmt) Kind() tabletserver.Kind { return s.kind }

// ReadOnly implements [tabletserver.Stmt].
func (s *stmt) ReadOnly() bool { return s.readOnly }

// Release implements [tabletserver.Stmt].
func (s *stmt) Release() { s.rows, s.args = nil, nil }

// Columns implements [tabletserver.Stmt].
func (s *stmt) Columns() []string {
	if s.rows == nil {
		return nil
	}
	return s.rows.columns
}

// Bind implements [tabletserver.Stmt].
func (s *stmt) Bind(args []tablet.Value) error {
	s.rows, s.at, s.args = nil, 0, s.args[:0]
	for _, i := range s.params {
		if i >= len(args) {
			return &tablet.Error{Code: tablet.CodeMisuse,
				Message: fmt.Sprintf("the statement uses parameter %d, but %d values were given", i+1, len(args))}
		}
		v := args[i]
		switch f := v.(type) {
		case nil, int64:
		case string:
			if s.c.e.o.JSON && !utf8.ValidString(f) {
				return s.c.e.notCarried("text that isn't UTF-8", "keep it as a BLOB")
			}
		case []byte:
			if f == nil {
				v = []byte{} // an empty blob isn't NULL
			}
		case float64:
			if math.IsNaN(f) {
				v = nil // as SQLite binds it
			}
			if s.c.e.o.JSON && math.IsInf(f, 0) {
				return s.c.e.notCarried("an infinity", "keep another number")
			}
		default:
			return &tablet.Error{Code: tablet.CodeMisuse,
				Message: fmt.Sprintf("parameter %d is of type %T; only int64, float64, string, []byte and nil can be bound", i+1, v)}
		}
		s.args = append(s.args, v)
	}
	return nil
}

func (e *Engine) notCarried(what, hint string) error {
	return &tablet.Error{Code: tablet.CodeDataType, Message: what + " can't be carried to " + e.o.Name + "; " + hint}
}

// Step implements [tabletserver.Stmt].
func (s *stmt) Step() (bool, error) {
	if s.rows == nil {
		ctx := s.c.ctx
		if err := s.ready(ctx); err != nil {
			return false, err
		}
		rows, err := s.c.rows(ctx, s.text, s.args)
		if err != nil {
			return false, err
		}
		s.rows, s.at = rows, -1
		if !s.readOnly {
			s.c.changes += int64(len(rows.values)) // what RETURNING gives
			s.c.wrote = true
		}
	}
	s.at++
	return s.at < len(s.rows.values), nil
}

// Row implements [tabletserver.Stmt].
func (s *stmt) Row(dest []tablet.Value) error {
	row := s.rows.values[s.at]
	if len(dest) != len(row) {
		return &tablet.Error{Code: tablet.CodeMisuse,
			Message: fmt.Sprintf("the row has %d columns, the destination %d", len(row), len(dest))}
	}
	copy(dest, row)
	return nil
}

// Rest implements [tabletserver.Rest].
func (s *stmt) Rest() (rows [][]tablet.Value, all bool) { return s.rows.values[s.at:], true }

// Int implements [tabletserver.Stmt].
func (s *stmt) Int() (int64, error) {
	if ok, err := s.Step(); err != nil || !ok {
		if err == nil {
			err = &tablet.Error{Code: tablet.CodeInternal, Message: "no row came from " + s.text}
		}
		return 0, err
	}
	n, _ := s.rows.values[0][0].(int64)
	return n, nil
}

// Exec implements [tabletserver.Stmt].
func (s *stmt) Exec(args []tablet.Value) error {
	_, _, err := s.Run(args)
	return err
}

// ready sees to it that the statement may run.
func (s *stmt) ready(ctx context.Context) error {
	if s.readOnly {
		return s.c.e.lease.Held()
	}
	return s.c.claim(ctx)
}

// Run implements [tabletserver.Stmt].
func (s *stmt) Run(args []tablet.Value) (changed, lastID int64, err error) {
	if err := s.Bind(args); err != nil {
		return 0, 0, err
	}
	ctx := s.c.ctx
	if err := s.ready(ctx); err != nil {
		return 0, 0, err
	}
	if s.readOnly {
		_, err := s.Step()
		return 0, 0, err
	}
	if s.upsert {
		// The ID of the last inserted row stays what it was when none is inserted.
		if _, err := s.c.exec(ctx, moveMark); err != nil {
			return 0, 0, err
		}
	}
	res, err := s.c.exec(ctx, s.text, s.args...)
	if err != nil {
		return 0, 0, err
	}
	s.c.wrote = true
	if s.version != 0 {
		s.c.version = s.version
		return 0, 0, nil
	}
	switch s.kind {
	case tabletserver.KindInsert, tabletserver.KindChange, tabletserver.KindWith:
		changed, err = res.RowsAffected()
	default:
		return 0, 0, nil
	}
	if err == nil && s.kind != tabletserver.KindChange {
		lastID = tablet.NoRowID
		if changed > 0 {
			lastID, err = res.LastInsertId()
		}
		if lastID == 0 {
			lastID = tablet.NoRowID // a driver's word for none
		}
	}
	s.c.changes += changed
	return changed, lastID, s.c.failed(ctx, err)
}

// rows runs a statement and reads all of its rows.
func (c *conn) rows(ctx context.Context, text string, args []any) (out *result, err error) {
	err = c.do(ctx, func(ctx context.Context) error {
		rows, err := c.c.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		out, err = c.e.read(rows)
		return err
	})
	return out, err
}

func (e *Engine) read(rows *sql.Rows) (*result, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	out := &result{columns: columns}
	size := int64(0)
	for rows.Next() {
		row := make([]any, len(columns))
		dest := make([]any, len(row))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		for i, v := range row {
			if row[i], err = value(v); err != nil {
				return nil, err
			}
			switch v := v.(type) {
			case string:
				size += int64(len(v))
			case []byte:
				size += int64(len(v))
			}
		}
		if size += int64(24 + 16*len(row)); size > e.o.MaxResult {
			return nil, &tablet.Error{Code: tablet.CodeTooBig, Message: fmt.Sprintf(
				"the result has more than %d bytes, which are read at once; ask for less, as by LIMIT", e.o.MaxResult)}
		}
		out.values = append(out.values, row)
	}
	return out, rows.Err()
}

// value is what a driver gives as the contract has it.
func value(v any) (tablet.Value, error) {
	switch v := v.(type) {
	case nil, int64, float64, string:
		return v, nil
	case []byte:
		if v == nil {
			return []byte{}, nil
		}
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	}
	return nil, &tablet.Error{Code: tablet.CodeInternal, Message: fmt.Sprintf("the driver gave a value of type %T", v)}
}

// reads says whether a statement changes nothing. One that begins with WITH tells
// only behind its common table expressions.
func reads(kind tabletserver.Kind, text string) bool {
	switch kind {
	case tabletserver.KindRead, tabletserver.KindControl:
		return true
	case tabletserver.KindPragma:
		return strings.IndexByte(text, '=') < 0
	case tabletserver.KindWith:
		return !writesBelow(text)
	}
	return false
}

// writesBelow looks for the word of a write outside of brackets.
func writesBelow(text string) bool {
	depth := 0
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0 && letter(c):
			end := i
			for end < len(text) && letter(text[end]) {
				end++
			}
			switch strings.ToUpper(text[i:end]) {
			case "INSERT", "UPDATE", "DELETE", "REPLACE":
				return true
			case "SELECT":
				return false
			}
			i = end
			continue
		}
		i = sqlite.Past(text, i)
	}
	return false
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
