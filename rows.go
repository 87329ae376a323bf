package vitessdo

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
)

// column is a result column: its name and type, and what is done to its values
// on the way out; conv gives an *Error for a value that can't be handed out.
type column struct {
	name string
	typ  sqlast.Type
	conv func(any) any
	// from is where a plain column comes from; else zero.
	from origin
}

// origin names a table's column.
type origin struct{ schema, table, column string }

// columnsOfPlan settles how a plan's values are handed out.
func columnsOfPlan(p *route.Plan, cfg *Config, d *Dialect) []column {
	out := make([]column, len(p.Columns))
	for i, c := range p.Columns {
		if d != nil && d.Booleans && c.Type.Bool {
			out[i] = column{name: c.Name, typ: c.Type, conv: asBool, from: origin{c.Schema, c.Table, c.Origin}}
			continue
		}
		out[i] = column{name: c.Name, typ: c.Type, conv: conversion(c.Type, cfg), from: origin{c.Schema, c.Table, c.Origin}}
	}
	return out
}

// asBool hands out what is true or false.
func asBool(v any) any {
	if n, ok := v.(int64); ok {
		return n != 0
	}
	return v
}

func conversion(t sqlast.Type, cfg *Config) func(any) any {
	switch t.Class {
	case sqlast.ClassDate, sqlast.ClassDateTime:
		if cfg.ParseTime {
			loc := cfg.Loc
			return func(v any) any { return parseTime(v, loc) }
		}
	case sqlast.ClassDecimal:
		if scale := t.Scale; scale >= 0 {
			return func(v any) any { return formatDecimal(v, scale) }
		}
	case sqlast.ClassInt:
		return wholeNumber
	case sqlast.ClassBlob:
		return func(v any) any {
			if s, ok := v.(string); ok {
				return []byte(s)
			}
			return v
		}
	}
	return nil
}

var timeLayouts = [...]string{"2006-01-02 15:04:05.999999999", "2006-01-02", "2006-01-02T15:04:05.999999999"}

func parseTime(v any, loc *time.Location) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	for _, layout := range timeLayouts {
		if len(s) == 10 && len(layout) != 10 {
			continue
		}
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t
		}
	}
	return v
}

// wholeNumber hands out an integer expression's value. The engine computes with
// REALs where it can't with integers: beyond 64 bits, where MySQL fails, and in
// functions such as FLOOR.
func wholeNumber(v any) any {
	f, ok := v.(float64)
	switch {
	case !ok || f != math.Trunc(f):
		return v
	case f <= -1<<63 || f >= 1<<63:
		return newError(CodeOutOfRange, "BIGINT value is out of range: %s needs more than 64 bits; CAST an operand AS DOUBLE for an approximate result",
			strconv.FormatFloat(f, 'g', -1, 64))
	}
	return int64(f)
}

// formatDecimal gives a DECIMAL its declared digits, as MySQL does.
func formatDecimal(v any, scale int) any {
	switch v := v.(type) {
	case int64:
		if scale == 0 {
			return strconv.FormatInt(v, 10)
		}
		return strconv.FormatInt(v, 10) + "." + strings.Repeat("0", scale)
	case float64:
		return decimal.Format(v, scale)
	case string: // more digits than a number keeps
		if d, ok := decimal.Parse(v); ok {
			return d.Text(scale)
		}
	case []byte:
		if d, ok := decimal.FromKey(v); ok {
			return d.Text(scale)
		}
	}
	return v
}

// rows is an open result.
type rows struct {
	s      *session
	src    exec.Rows
	cols   []column
	kept   [][]driver.Value // read ahead, when another statement had to run
	isKept bool
	keptAt error // what ended the reading ahead
	cancel func()
	more   func() (*rows, error) // the next result set; nil, nil at the end
	next   *rows
	closed bool
	count  int64  // rows handed out
	ended  bool   // all were
	done   result // of a statement that gives no rows
	watch  *Statement
}

var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
)

// Columns names the columns.
func (r *rows) Columns() []string {
	out := make([]string, len(r.cols))
	for i := range r.cols {
		out[i] = r.cols[i].name
	}
	return out
}

// Next gives the next row.
func (r *rows) Next(dest []driver.Value) error {
	if r.isKept {
		return r.nextKept(dest)
	}
	// driver.Value and any are two types, so that a row is copied once.
	row := r.s.rowBuffer(len(dest))
	if err := r.src.Next(row); err != nil {
		if err == io.EOF {
			r.end()
			return err
		}
		err = r.s.told(mapError(r.s.failed(err)))
		r.watch.end(r.count, err)
		return err
	}
	for i, v := range row {
		if conv := r.cols[i].conv; conv != nil && v != nil {
			v = conv(v)
			if err, bad := v.(*Error); bad {
				return err
			}
		}
		dest[i] = v
	}
	r.count++
	return nil
}

// end notes what FOUND_ROWS() tells.
func (r *rows) end() {
	if r.ended {
		return
	}
	r.ended = true
	r.s.foundRows = r.count
	if a, ok := r.src.(*aside); ok && a.calc {
		r.s.foundRows = a.n
	}
}

func (r *rows) nextKept(dest []driver.Value) error {
	if len(r.kept) == 0 {
		return r.keptAt
	}
	copy(dest, r.kept[0])
	r.kept = r.kept[1:]
	return nil
}

// keepRest reads the rest into memory: another statement is about to use the
// session, and what the stream uses of it.
func (r *rows) keepRest() {
	if r.closed || r.isKept {
		return
	}
	for {
		row := make([]driver.Value, len(r.cols))
		if err := r.Next(row); err != nil {
			r.keptAt = err
			break
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = append([]byte(nil), b...)
			}
		}
		r.kept = append(r.kept, row)
	}
	r.isKept = true
	r.release()
}

// release frees the stream.
func (r *rows) release() {
	if r.src != nil {
		if !r.ended && len(r.cols) > 0 {
			r.s.foundRows = unknownRows
		}
		if err := r.src.Close(); err != nil && isEOF(r.keptAt) {
			r.keptAt = err
		}
		r.src = nil
	}
	r.watch.end(r.count, nil)
	if r.cancel != nil {
		r.cancel()
		r.cancel = nil
	}
}

// Close ends the result.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.s.open == r {
		r.s.open = nil
	}
	r.release()
	r.kept = nil
	if r.next != nil {
		return r.next.Close()
	}
	return nil
}

// HasNextResultSet says whether there may be another one.
func (r *rows) HasNextResultSet() bool {
	if r.more == nil {
		return false
	}
	if r.next == nil {
		next, err := r.more()
		if err != nil {
			r.next = &rows{s: r.s, isKept: true, keptAt: err}
		} else {
			r.next = next
		}
	}
	return r.next != nil
}

// NextResultSet goes to the next result set.
func (r *rows) NextResultSet() error {
	if !r.HasNextResultSet() {
		return io.EOF
	}
	next := r.next
	if next.isKept && next.src == nil && next.cols == nil && !isEOF(next.keptAt) && next.keptAt != nil {
		return next.keptAt
	}
	r.release()
	r.src, r.cols, r.kept, r.isKept, r.keptAt, r.cancel = next.src, next.cols, next.kept, next.isKept, next.keptAt, next.cancel
	r.count, r.ended, r.watch = next.count, next.ended, next.watch
	r.next = nil
	if r.s.open == next {
		r.s.open = r
	}
	return nil
}

// ColumnTypeDatabaseTypeName gives MySQL's name of the type.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	if d := r.s.dialect; d != nil && d.TypeName != nil {
		return d.TypeName(&r.cols[i].typ)
	}
	return typeName(&r.cols[i].typ)
}

func typeName(t *sqlast.Type) string {
	if t.Name != "" {
		if t.Unsigned {
			return "UNSIGNED " + t.Name
		}
		return t.Name
	}
	switch t.Class {
	case sqlast.ClassNull:
		return "NULL"
	case sqlast.ClassInt:
		return "BIGINT"
	case sqlast.ClassDecimal:
		return "DECIMAL"
	case sqlast.ClassDouble:
		return "DOUBLE"
	case sqlast.ClassBlob:
		return "BLOB"
	case sqlast.ClassDate:
		return "DATE"
	case sqlast.ClassDateTime:
		return "DATETIME"
	case sqlast.ClassTime:
		return "TIME"
	case sqlast.ClassJSON:
		return "JSON"
	case sqlast.ClassText:
		return "VARCHAR"
	}
	return ""
}

// ColumnTypeNullable says whether NULL may occur.
func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) { return !r.cols[i].typ.NotNull, true }

// ColumnTypeLength gives the length of text and bytes.
func (r *rows) ColumnTypeLength(i int) (int64, bool) {
	t := &r.cols[i].typ
	if t.Class != sqlast.ClassText && t.Class != sqlast.ClassBlob && t.Class != sqlast.ClassJSON {
		return 0, false
	}
	if t.Size < 0 {
		return math.MaxInt64, true
	}
	return int64(t.Size), true
}

// ColumnTypePrecisionScale gives a DECIMAL's digits, or a time's of a second.
func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	t := &r.cols[i].typ
	switch {
	case t.Class == sqlast.ClassDecimal && t.Size >= 0:
		return int64(t.Size), int64(max(0, t.Scale)), true
	case t.Class == sqlast.ClassDateTime || t.Class == sqlast.ClassTime:
		return int64(max(0, t.Scale)), int64(max(0, t.Scale)), true
	}
	return 0, 0, false
}

var (
	scanInt   = reflect.TypeFor[int64]()
	scanBool  = reflect.TypeFor[bool]()
	scanUint  = reflect.TypeFor[uint64]()
	scanFloat = reflect.TypeFor[float64]()
	scanText  = reflect.TypeFor[string]()
	scanBytes = reflect.TypeFor[[]byte]()
	scanTime  = reflect.TypeFor[time.Time]()
	scanAny   = reflect.TypeFor[any]()
	scanNulls = map[reflect.Type]reflect.Type{scanInt: reflect.TypeFor[sql.Null[int64]](), scanBool: reflect.TypeFor[sql.Null[bool]](), scanFloat: reflect.TypeFor[sql.Null[float64]](), scanText: reflect.TypeFor[sql.Null[string]](), scanTime: reflect.TypeFor[sql.Null[time.Time]]()}
)

// ColumnTypeScanType gives the Go type that holds every value of the column.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	t := &r.cols[i].typ
	st := scanAny
	switch t.Class {
	case sqlast.ClassInt:
		st = scanInt
		if t.Bool && r.s.dialect != nil && r.s.dialect.Booleans {
			st = scanBool
		}
		if t.Unsigned && t.NotNull {
			st = scanUint
		}
	case sqlast.ClassDouble:
		st = scanFloat
	case sqlast.ClassDecimal, sqlast.ClassText, sqlast.ClassTime, sqlast.ClassJSON:
		st = scanText
	case sqlast.ClassBlob:
		return scanBytes
	case sqlast.ClassDate, sqlast.ClassDateTime:
		st = scanText
		if r.s.cfg.ParseTime {
			st = scanTime
		}
	}
	if n := scanNulls[st]; n != nil && !t.NotNull {
		return n
	}
	return st
}

// literal makes a result of rows that the gate itself has made.
func (s *session) literal(names []string, data [][]any) *rows {
	r := &rows{s: s, src: &literalSource{rows: data}}
	for _, n := range names {
		r.cols = append(r.cols, column{name: n, typ: sqlast.TypeOf(sqlast.ClassUnknown)})
	}
	return r
}

type literalSource struct{ rows [][]any }

func (l *literalSource) Next(dest []any) error {
	if len(l.rows) == 0 {
		return io.EOF
	}
	copy(dest, l.rows[0])
	l.rows = l.rows[1:]
	return nil
}

func (l *literalSource) Close() error { return nil }

// peeked has its first row read already.
type peeked struct {
	exec.Rows
	row []any // nil once it was handed out
	err error
}

// peek reads the first row of src; an error other than the end closes it.
func peek(src exec.Rows, width int) (exec.Rows, error) {
	p := &peeked{Rows: src, row: make([]any, width)}
	if p.err = src.Next(p.row); p.err != nil && !isEOF(p.err) {
		_ = src.Close()
		return nil, p.err
	}
	return p, nil
}

func (p *peeked) Next(dest []any) error {
	switch {
	case p.err != nil:
		return p.err
	case p.row != nil:
		copy(dest, p.row)
		p.row = nil
		return nil
	}
	return p.Rows.Next(dest)
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }
