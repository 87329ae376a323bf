package mysql

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"io"
	"strconv"

	wire "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/vitessdo/vitessdo"
)

// lastRowSent is MySQL's SERVER_STATUS_LAST_ROW_SENT.
const lastRowSent = 0x80

// noOpenCursor is MySQL's ER_STMT_HAS_NO_OPEN_CURSOR.
const noOpenCursor = 1421

// reading is a result that is being read.
type reading struct {
	out    *vitessdo.Outcome
	fields []field
	ahead  [][]any // rows that were read already
	dest   []driver.Value
	row    []any
}

// next gives the next row, which is valid until the following call.
func (r *reading) next() ([]any, error) {
	if len(r.ahead) > 0 {
		row := r.ahead[0]
		r.ahead = r.ahead[1:]
		return row, nil
	}
	if err := r.out.Rows.Next(r.dest); err != nil {
		return nil, err
	}
	for i, v := range r.dest {
		r.row[i] = v
	}
	return r.row, nil
}

// cursor is a prepared statement's result of which the client takes some rows at a
// time. It streams, until another statement wants the session: then what is left of it
// is kept.
type cursor struct {
	*reading
	cancel context.CancelFunc
	kept   [][]byte // rows as they are sent
	err    error    // behind these; io.EOF at the end
}

// openCursor answers the execution of a statement with its columns alone.
func (c *conn) openCursor(st *statement, out *vitessdo.Outcome, cancel context.CancelFunc) error {
	r, err := c.head(out, wire.SERVER_STATUS_CURSOR_EXISTS)
	if err != nil {
		_ = out.Rows.Close()
		cancel()
		return err
	}
	st.cursor = &cursor{reading: r, cancel: cancel}
	c.streams = st.cursor
	return nil
}

// close ends the cursor; nil is none.
func (k *cursor) close() {
	if k != nil && k.err == nil {
		k.end(io.EOF)
		k.kept = nil
	}
}

// end ends the stream: what comes behind the rows that are kept is known.
func (k *cursor) end(err error) {
	k.err = err
	if closed := k.out.Rows.Close(); err == io.EOF && closed != nil {
		k.err = closed
	}
	k.cancel()
}

// settle makes the session free for another statement.
func (c *conn) settle() {
	k := c.streams
	c.streams = nil
	if k == nil || k.err != nil {
		return
	}
	for size := 0; ; {
		b, err := k.encode(nil)
		if err == nil && size > c.s.opts.MaxPacket {
			err = &failure{wire.ER_OUT_OF_RESOURCES, "HY000", "The rows that are left of a cursor are too many to be kept while another statement runs: read it to its end first, or on a connection of its own"}
		}
		if err != nil {
			k.end(err)
			return
		}
		k.kept = append(k.kept, b)
		size += len(b)
	}
}

// encode writes the next row of the stream.
func (k *cursor) encode(b []byte) ([]byte, error) {
	row, err := k.next()
	if err != nil {
		return nil, err
	}
	return appendBinaryRow(b, k.fields, row)
}

// fetch sends a cursor's next rows.
func (c *conn) fetch(ctx context.Context, body []byte) error {
	st, err := c.find(body, "mysqld_stmt_fetch")
	if err != nil {
		return err
	}
	k := st.cursor
	switch {
	case len(body) < 8:
		return errMalformed
	case k == nil:
		return &failure{noOpenCursor, "HY000", "The statement (" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(body)), 10) + ") has no open cursor."}
	}
	defer context.AfterFunc(ctx, k.cancel)()
	n := int64(0)
	defer func() { c.s.told.rows.Add("", n) }()
	for want := int64(binary.LittleEndian.Uint32(body[4:])); n < want; n++ {
		b, err := c.nextOf(k)
		if err == io.EOF {
			st.cursor = nil
			return c.eof(lastRowSent)
		}
		if err == nil {
			err = c.send(b)
		}
		if err != nil {
			k.close()
			st.cursor = nil
			return err
		}
	}
	return c.eof(wire.SERVER_STATUS_CURSOR_EXISTS)
}

// nextOf gives a cursor's next row.
func (c *conn) nextOf(k *cursor) ([]byte, error) {
	if len(k.kept) > 0 {
		b := k.kept[0]
		k.kept = k.kept[1:]
		return b, nil
	}
	if k.err != nil {
		return nil, k.err
	}
	b, err := k.encode(c.p.begin())
	if err != nil {
		k.end(err)
		return nil, k.err
	}
	return b, nil
}
