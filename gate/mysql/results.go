package mysql

import (
	"database/sql/driver"
	"encoding/binary"
	"io"
	"strings"

	wire "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/vitessdo/vitessdo"
)

// status gives the flags and the number of warnings that go with an answer.
func (c *conn) status(extra uint16) (flags, warnings uint16) {
	st := c.db.Status()
	flags = extra
	if st.InTransaction {
		flags |= wire.SERVER_STATUS_IN_TRANS
	}
	if st.Autocommit {
		flags |= wire.SERVER_STATUS_AUTOCOMMIT
	}
	if st.NoBackslashEscapes {
		flags |= wire.SERVER_STATUS_NO_BACKSLASH_ESCAPED
	}
	return flags, uint16(min(st.Warnings, 1<<16-1))
}

// ok answers a statement without rows.
func (c *conn) ok(affected, id int64) error { return c.done(affected, id, 0) }

func (c *conn) done(affected, id int64, extra uint16) error {
	flags, warnings := c.status(extra)
	b := append(c.p.begin(), 0)
	b = appendLength(appendLength(b, uint64(affected)), uint64(id))
	return c.send(append(b, byte(flags), byte(flags>>8), byte(warnings), byte(warnings>>8)))
}

// eof ends columns or rows.
func (c *conn) eof(extra uint16) error {
	flags, warnings := c.status(extra)
	return c.send(append(c.p.begin(), 0xfe, byte(warnings), byte(warnings>>8), byte(flags), byte(flags>>8)))
}

// answer sends what a statement has given. The rows are closed. end is called before the
// last that is said.
func (c *conn) answer(out *vitessdo.Outcome, binary bool, extra uint16, end func() error) error {
	if out.Rows == nil {
		if err := end(); err != nil {
			return err
		}
		return c.done(out.RowsAffected, out.LastInsertID, extra)
	}
	err := c.rows(out, binary, extra)
	if closed := out.Rows.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = end()
	}
	if err != nil {
		return err
	}
	return c.eof(extra)
}

// next reads a row that the caller may keep.
func next(out *vitessdo.Outcome) ([]any, error) {
	dest := make([]driver.Value, len(out.Columns))
	if err := out.Rows.Next(dest); err != nil {
		return nil, err
	}
	row := make([]any, len(dest))
	for i, v := range dest {
		if b, ok := v.([]byte); ok {
			v = append([]byte(nil), b...)
		}
		row[i] = v
	}
	return row, nil
}

// head sends a result's columns.
func (c *conn) head(out *vitessdo.Outcome, extra uint16) (*reading, error) {
	n := len(out.Columns)
	r := &reading{out: out, fields: make([]field, n), dest: make([]driver.Value, n), row: make([]any, n)}
	for i, col := range out.Columns {
		r.fields[i] = c.field(col)
	}
	var err error
	if r.ahead, err = c.guess(out, r.fields); err != nil {
		return nil, err
	}
	if err := c.send(appendLength(c.p.begin(), uint64(n))); err != nil {
		return nil, err
	}
	for i := range r.fields {
		if err := c.send(r.fields[i].append(c.p.begin())); err != nil {
			return nil, err
		}
	}
	return r, c.eof(extra)
}

// rows sends columns and rows, without the end.
func (c *conn) rows(out *vitessdo.Outcome, binary bool, extra uint16) error {
	r, err := c.head(out, extra)
	if err != nil {
		return err
	}
	n := int64(0)
	defer func() { c.s.told.rows.Add("", n) }()
	for ; ; n++ {
		row, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		b := c.p.begin()
		if binary {
			b, err = appendBinaryRow(b, r.fields, row)
		} else {
			b, err = appendTextRow(b, r.fields, row)
		}
		if err == nil {
			err = c.send(b)
		}
		if err != nil {
			return err
		}
	}
}

// guess settles what only values tell: the types of some columns, as of user
// variables, and the digits of a second in the results of some functions. A result of
// one row tells them. Any other has such columns as text, and all digits. It gives the
// rows that it has read.
func (c *conn) guess(out *vitessdo.Outcome, fields []field) ([][]any, error) {
	unknown := false
	for i := range fields {
		unknown = unknown || fields[i].unknown || fields[i].anyDigits()
	}
	if !unknown {
		return nil, nil
	}
	var ahead [][]any
	for len(ahead) < 2 {
		row, err := next(out)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		ahead = append(ahead, row)
	}
	for i := range fields {
		switch {
		case fields[i].anyDigits():
			fields[i].col.Scale = digits(ahead, i)
			fields[i] = c.field(fields[i].col)
		case fields[i].unknown && len(ahead) == 1:
			fields[i].col.Type = typeOf(ahead[0][i])
			fields[i] = c.field(fields[i].col)
		}
	}
	return ahead, nil
}

// anyDigits says whether nobody knows how many digits of a second come.
func (f *field) anyDigits() bool {
	switch f.kind {
	case wire.MYSQL_TYPE_DATETIME, wire.MYSQL_TYPE_TIMESTAMP, wire.MYSQL_TYPE_TIME:
		return f.col.Scale < 0 && f.col.Table == ""
	}
	return false
}

func digits(rows [][]any, column int) int {
	switch len(rows) {
	case 0:
		return 0
	case 1:
		s, _ := rows[0][column].(string)
		_, fraction, _ := strings.Cut(s, ".")
		return min(len(fraction), 6)
	}
	return 6
}

// typeOf is the type that a value shows; "" is text.
func typeOf(v any) string {
	switch v.(type) {
	case int64:
		return "BIGINT"
	case float64:
		return "DOUBLE"
	case []byte:
		return "BLOB"
	}
	return ""
}

// number reads the number of a prepared statement or a connection.
func number(body []byte) (uint32, bool) {
	if len(body) < 4 {
		return 0, false
	}
	return binary.LittleEndian.Uint32(body), true
}
