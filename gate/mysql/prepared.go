package mysql

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	wire "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/vitessdo/vitessdo"
)

// statement is a prepared one.
type statement struct {
	text   string
	params int
	types  []byte         // of the parameters, two bytes each, as they were sent last
	long   map[int][]byte // values that came in pieces
	cursor *cursor        // nil: none is open
}

// prepare readies a statement, and tells its parameters and columns.
func (c *conn) prepare(ctx context.Context, text string) error {
	if len(c.prepared) >= c.s.opts.MaxStatements {
		return &failure{wire.ER_MAX_PREPARED_STMT_COUNT_REACHED, "42000", fmt.Sprintf("Can't create more than %d prepared statements on a connection", c.s.opts.MaxStatements)}
	}
	st, err := c.db.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	n := st.NumInput()
	if n < 0 || n > 1<<16-1 {
		return &failure{wire.ER_PS_MANY_PARAM, "HY000", "Prepared statement contains too many placeholders, or several statements"}
	}
	columns := st.(*vitessdo.Stmt).Describe()
	c.last++
	c.prepared[c.last] = &statement{text: text, params: n}
	b := append(c.p.begin(), 0)
	b = binary.LittleEndian.AppendUint32(b, c.last)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(columns)))
	b = binary.LittleEndian.AppendUint16(b, uint16(n))
	if err := c.send(append(b, 0, 0, 0)); err != nil {
		return err
	}
	params := make([]vitessdo.Column, n)
	for i := range params {
		params[i] = vitessdo.Column{Name: "?", Size: -1, Scale: -1}
	}
	for _, list := range [][]vitessdo.Column{params, columns} {
		for _, col := range list {
			f := c.field(col)
			if err := c.send(f.append(c.p.begin())); err != nil {
				return err
			}
		}
		if len(list) > 0 {
			if err := c.eof(0); err != nil {
				return err
			}
		}
	}
	return nil
}

// find gives a prepared statement by the number at a body's beginning.
func (c *conn) find(body []byte, command string) (*statement, error) {
	id, ok := number(body)
	if !ok {
		return nil, errMalformed
	}
	if st := c.prepared[id]; st != nil {
		return st, nil
	}
	return nil, &failure{wire.ER_UNKNOWN_STMT_HANDLER, "HY000", "Unknown prepared statement handler (" + strconv.FormatUint(uint64(id), 10) + ") given to " + command}
}

// longData keeps a piece of a parameter. It has no answer: what is wrong shows when
// the statement is executed.
func (c *conn) longData(body []byte) {
	st, err := c.find(body, "mysqld_stmt_send_long_data")
	if err != nil || len(body) < 6 {
		return
	}
	at := int(binary.LittleEndian.Uint16(body[4:]))
	total := len(body)
	for _, b := range st.long {
		total += len(b)
	}
	if at >= st.params || total > c.s.opts.MaxPacket {
		return
	}
	if st.long == nil {
		st.long = map[int][]byte{}
	}
	st.long[at] = append(st.long[at], body[6:]...)
}

func (c *conn) resetStatement(body []byte) error {
	st, err := c.find(body, "mysqld_stmt_reset")
	if err != nil {
		return err
	}
	st.long = nil
	st.cursor.close()
	st.cursor = nil
	return c.ok(0, 0)
}

// closeStatement forgets a prepared statement. It has no answer.
func (c *conn) closeStatement(body []byte) {
	if id, ok := number(body); ok && c.prepared[id] != nil {
		c.prepared[id].cursor.close()
		delete(c.prepared, id)
	}
}

// drop forgets all that was prepared.
func (c *conn) drop() {
	for _, st := range c.prepared {
		st.cursor.close()
	}
	clear(c.prepared)
	c.streams = nil
}

// cursorTypes are the flags of an execution that ask for a cursor.
const cursorTypes = wire.CURSOR_TYPE_READ_ONLY | wire.CURSOR_TYPE_FOR_UPDATE | wire.CURSOR_TYPE_SCROLLABLE

// execute runs a prepared statement, for all rows or for a cursor. Every cursor is one
// for reading.
func (c *conn) execute(ctx context.Context, body []byte) error {
	st, err := c.find(body, "mysqld_stmt_execute")
	if err != nil {
		return err
	}
	if len(body) < 9 {
		return errMalformed
	}
	args, err := st.arguments(body[9:])
	st.long = nil
	if err != nil {
		return err
	}
	st.cursor.close()
	st.cursor = nil
	c.settle()
	cursor := body[4]&cursorTypes != 0
	long, cancel := ctx, func() {}
	if cursor { // the result outlives this command, and is interrupted with it
		long, cancel = context.WithCancel(context.WithoutCancel(ctx))
		defer context.AfterFunc(ctx, cancel)()
	}
	out, err := c.db.Run(long, st.text, args)
	if err == nil && cursor && out.Rows != nil {
		return c.openCursor(st, out, cancel)
	}
	defer cancel()
	if err != nil {
		return err
	}
	return c.answer(out, true, 0, func() error { return nil })
}

// arguments reads the parameters' values: which are NULL, their types unless they
// are those of the time before, and the values of the others.
func (st *statement) arguments(b []byte) ([]driver.NamedValue, error) {
	n := st.params
	if n == 0 {
		return nil, nil
	}
	nulls := (n + 7) / 8
	if len(b) < nulls+1 {
		return nil, errMalformed
	}
	isNull, b := b[:nulls], b[nulls:]
	bound, b := b[0], b[1:]
	if bound == 1 {
		if len(b) < 2*n {
			return nil, errMalformed
		}
		st.types, b = append([]byte(nil), b[:2*n]...), b[2*n:]
	}
	if len(st.types) != 2*n {
		return nil, errMalformed
	}
	args := make([]driver.NamedValue, n)
	for i := range args {
		args[i].Ordinal = i + 1
		kind, unsigned := st.types[2*i], st.types[2*i+1]&0x80 != 0
		if long, ok := st.long[i]; ok {
			args[i].Value = bytesOf(kind, long)
			continue
		}
		if isNull[i/8]&(1<<(i%8)) != 0 {
			continue
		}
		var err error
		if args[i].Value, b, err = argument(b, kind, unsigned); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// argument reads one value and gives what follows it.
func argument(b []byte, kind byte, unsigned bool) (any, []byte, error) {
	width := map[byte]int{
		wire.MYSQL_TYPE_TINY: 1, wire.MYSQL_TYPE_SHORT: 2, wire.MYSQL_TYPE_YEAR: 2, wire.MYSQL_TYPE_INT24: 4, wire.MYSQL_TYPE_LONG: 4,
		wire.MYSQL_TYPE_LONGLONG: 8, wire.MYSQL_TYPE_FLOAT: 4, wire.MYSQL_TYPE_DOUBLE: 8,
	}[kind]
	if len(b) < width {
		return nil, nil, errMalformed
	}
	switch kind {
	case wire.MYSQL_TYPE_NULL:
		return nil, b, nil
	case wire.MYSQL_TYPE_FLOAT:
		// Through its shortest text: 0.1 stays 0.1.
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 'g', -1, 32), 64)
		return f, b[4:], nil
	case wire.MYSQL_TYPE_DOUBLE:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:], nil
	}
	if width > 0 {
		var raw [8]byte
		copy(raw[:], b[:width])
		u := binary.LittleEndian.Uint64(raw[:])
		if unsigned {
			if u > math.MaxInt64 {
				return u, b[width:], nil
			}
			return int64(u), b[width:], nil
		}
		shift := 64 - 8*width
		return int64(u<<shift) >> shift, b[width:], nil
	}
	v, rest, ok := cutText(b)
	if !ok {
		return nil, nil, errMalformed
	}
	switch kind {
	case wire.MYSQL_TYPE_DATE, wire.MYSQL_TYPE_NEWDATE, wire.MYSQL_TYPE_DATETIME, wire.MYSQL_TYPE_TIMESTAMP:
		s, ok := momentText(v, kind == wire.MYSQL_TYPE_DATE || kind == wire.MYSQL_TYPE_NEWDATE)
		if !ok {
			return nil, nil, errMalformed
		}
		return s, rest, nil
	case wire.MYSQL_TYPE_TIME:
		s, ok := timeText(v)
		if !ok {
			return nil, nil, errMalformed
		}
		return s, rest, nil
	}
	return bytesOf(kind, v), rest, nil
}

// bytesOf tells bytes from text by the parameter's type.
func bytesOf(kind byte, v []byte) any {
	switch kind {
	case wire.MYSQL_TYPE_TINY_BLOB, wire.MYSQL_TYPE_MEDIUM_BLOB, wire.MYSQL_TYPE_LONG_BLOB, wire.MYSQL_TYPE_BLOB, wire.MYSQL_TYPE_BIT, wire.MYSQL_TYPE_GEOMETRY:
		return append([]byte{}, v...)
	}
	return string(v)
}

// cutText takes text behind its length off the beginning.
func cutText(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	n, at := uint64(b[0]), 1
	switch b[0] {
	case 0xfb, 0xff:
		return nil, nil, false
	case 0xfc, 0xfd, 0xfe:
		at += map[byte]int{0xfc: 2, 0xfd: 3, 0xfe: 8}[b[0]]
		if len(b) < at {
			return nil, nil, false
		}
		var raw [8]byte
		copy(raw[:], b[1:at])
		n = binary.LittleEndian.Uint64(raw[:])
	}
	if n > uint64(len(b)-at) {
		return nil, nil, false
	}
	end := at + int(n)
	return b[at:end], b[end:], true
}

// momentText spells a date, or a date with a time.
func momentText(v []byte, day bool) (string, bool) {
	if len(v) == 0 {
		v = make([]byte, 4)
	}
	if len(v) != 4 && len(v) != 7 && len(v) != 11 {
		return "", false
	}
	s := fmt.Sprintf("%04d-%02d-%02d", binary.LittleEndian.Uint16(v), v[2], v[3])
	if day && len(v) == 4 {
		return s, true
	}
	var clock [3]byte
	if len(v) > 4 {
		copy(clock[:], v[4:7])
	}
	s += fmt.Sprintf(" %02d:%02d:%02d", clock[0], clock[1], clock[2])
	if len(v) == 11 {
		s += fraction(v[7:])
	}
	return s, true
}

func timeText(v []byte) (string, bool) {
	if len(v) == 0 {
		return "00:00:00", true
	}
	if len(v) != 8 && len(v) != 12 {
		return "", false
	}
	sign := ""
	if v[0] == 1 {
		sign = "-"
	}
	hours := uint64(binary.LittleEndian.Uint32(v[1:]))*24 + uint64(v[5])
	s := fmt.Sprintf("%s%02d:%02d:%02d", sign, hours, v[6], v[7])
	if len(v) == 12 {
		s += fraction(v[8:])
	}
	return s, true
}

func fraction(v []byte) string {
	s := strings.TrimRight(fmt.Sprintf("%06d", binary.LittleEndian.Uint32(v)), "0")
	if s == "" {
		return ""
	}
	return "." + s
}
