package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/vitessdo/vitessdo/tablet"
)

// result is what a statement answers. What a read answers comes by portions: the server
// keeps the portal, and gives as many rows of it as it is asked for. Between two portions
// it does nothing, so that other statements of the transaction may come, a reader may
// take its time, and who has enough has nothing to interrupt.
type result struct {
	columns []string
	oids    []uint32
	values  []tablet.Value // of the rows that are here, one row after the other
	rows    int            // how many these are
	at      int            // the one that is current, from 0; -1 before the first
	changed int64

	more   bool           // the server has more rows
	err    error          // why they can't be had
	on     *pgconn.PgConn // where the portal is
	portal string         // its name; "" outside of a transaction, whose only portal it is
	ask    uint32         // how many rows the next portion has; 0 for all
	whole  bool           // the portions are to stay here
	size   int64          // of the rows that are, in bytes
}

// A portion is about portionBytes long, once it is known how long rows are.
const (
	firstPortion = 128
	mostPortion  = 1 << 14
	portionBytes = 256 << 10
)

func newResult(fields []pgconn.FieldDescription) *result {
	r := &result{columns: make([]string, len(fields)), oids: make([]uint32, len(fields)), at: -1}
	for i, f := range fields {
		r.columns[i], r.oids[i] = f.Name, f.DataTypeOID
	}
	return r
}

// row gives the current row.
func (r *result) row() []tablet.Value { return r.values[r.at*len(r.columns) : (r.at+1)*len(r.columns)] }

// rest gives the current row and those behind it that are here.
func (r *result) rest() [][]tablet.Value {
	if r.at >= r.rows {
		return nil
	}
	at := max(r.at, 0)
	out, width := make([][]tablet.Value, r.rows-at), len(r.columns)
	for i := range out {
		out[i] = r.values[(at+i)*width : (at+i+1)*width]
	}
	return out
}

// step goes to the next row.
func (r *result) step(c *conn) (bool, error) {
	if r.at+1 >= r.rows && r.more {
		if err := c.more(r); err != nil {
			return false, err
		}
	}
	if r.at+1 >= r.rows {
		r.at = r.rows
		return false, r.err
	}
	r.at++
	return true, nil
}

// hold gives a result's portal a name that no other one has.
func (c *conn) hold(r *result) {
	r.on = c.c
	if !c.open {
		return
	}
	for i, other := range c.held {
		if other == nil {
			r.portal, c.held[i] = "vt_"+strconv.Itoa(i), r
			return
		}
	}
	c.held = append(c.held, r)
	r.portal = "vt_" + strconv.Itoa(len(c.held)-1)
}

// leave lets go of a result. In a transaction its portal is closed by the request that
// comes next, since a table can't be changed that one reads; outside of one there is
// nothing else for the server to keep.
func (c *conn) leave(r *result) {
	if r.more && !c.open && r.on == c.c && !c.c.IsClosed() {
		c.sync()
	}
	r.more = false
	for i := range c.held {
		if c.held[i] == r {
			c.held[i] = nil
			if r.on == c.c && !c.c.IsClosed() {
				c.c.Frontend().SendClose(&pgproto3.Close{ObjectType: 'P', Name: r.portal})
			}
		}
	}
}

// keep brings here what is left of all results, before what their portals are in ends.
func (c *conn) keep() {
	c.ctx = context.Background()
	for _, r := range c.held {
		if r == nil || !r.more {
			continue
		}
		width := len(r.columns)
		r.values = append([]tablet.Value(nil), r.values[max(r.at, 0)*width:r.rows*width]...)
		r.rows -= max(r.at, 0)
		r.at, r.ask = min(r.at, 0), 0
		r.err = c.more(r)
		r.more = false
	}
}

// more has the next portion of a result come.
func (c *conn) more(r *result) error {
	err := c.ctx.Err()
	switch {
	case err != nil:
		err = &tablet.Error{Code: tablet.CodeCanceled, Err: err, Message: "the statement was interrupted: " + err.Error()}
	case c.c == nil || c.c != r.on || c.c.IsClosed():
		err = &tablet.Error{Code: tablet.CodeIO, Message: "the rows that were left were lost with the connection"}
	default:
		ctx, cancel := c.bounded(c.ctx)
		if err = c.fetch(ctx, r, nil, false); err != nil {
			err = c.failed(ctx, err)
		}
		cancel()
	}
	if err != nil {
		c.leave(r)
	}
	return err
}

// all has what is left of a result come.
func (c *conn) all(ctx context.Context, r *result) error {
	for r.more {
		if err := ctx.Err(); err != nil {
			c.leave(r)
			return err
		}
		if err := c.fetch(ctx, r, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// fetch asks for the next rows of a result; bind, unless nil, makes its portal before. In
// a transaction it does so within a savepoint, which is there already where saved says so.
func (c *conn) fetch(ctx context.Context, r *result, bind *pgproto3.Bind, saved bool) (err error) {
	released := false
	defer func() {
		// What has been released can't be taken back by itself. A read has done nothing; of a
		// write whose rows are too many, repair finds that only its whole transaction can be.
		if !released || bind != nil && r.ask == 0 {
			c.repair(ctx, err)
		}
	}()
	f, answers := c.c.Frontend(), 0
	if c.open && !saved {
		sendControl(f, save)
		answers++
	}
	if bind != nil {
		f.SendBind(bind)
	}
	f.SendExecute(&pgproto3.Execute{Portal: r.portal, MaxRows: r.ask})
	if c.open {
		sendControl(f, unsave)
	}
	// Outside of a transaction the end of the request is the portal's.
	ends := c.open || r.ask == 0
	if ends {
		f.SendSync(&pgproto3.Sync{})
	} else {
		f.Send(&pgproto3.Flush{})
	}
	c.watch.Watch(ctx)
	defer c.watch.Unwatch()
	if err := f.Flush(); err != nil {
		_ = c.c.Close(ctx)
		return err
	}
	released, err = c.receive(ctx, r, answers, ends)
	if !ends && !r.more && !c.c.IsClosed() {
		c.sync()
	}
	return err
}

// sendControl sends a statement that has neither parameters nor rows.
func sendControl(f *pgproto3.Frontend, text string) {
	f.SendParse(&pgproto3.Parse{Query: text})
	f.SendBind(&pgproto3.Bind{})
	f.SendExecute(&pgproto3.Execute{})
}

// receive takes the answer to fetch, before whose rows that many other statements have
// one. It ends with the request, or with the rows, and says whether the savepoint is gone.
func (c *conn) receive(ctx context.Context, r *result, before int, ends bool) (released bool, failed error) {
	if r.ask > 0 && !r.whole {
		r.values, r.rows, r.at, r.size = r.values[:0], 0, -1, 0
	}
	r.more = false
	had, rows, over := r.size, r.rows, false
	for {
		msg, err := c.c.ReceiveMessage(context.Background()) // ctx is watched over all of them
		if err != nil {
			_ = c.c.Close(ctx)
			return false, err
		}
		switch msg := msg.(type) {
		case *pgproto3.DataRow:
			if failed == nil {
				r.size += rowBytes(msg.Values)
				failed = r.take(msg.Values)
			}
			if r.size > c.e.o.MaxResult && !over {
				over = true
				failed = &tablet.Error{Code: tablet.CodeTooBig, Message: fmt.Sprintf(
					"rows of more than %d bytes would have to be read at once; ask for less, as by LIMIT", c.e.o.MaxResult)}
				_ = c.c.CancelRequest(ctx) // what comes of it is read and forgotten
			}
			continue
		case *pgproto3.CommandComplete:
			if before--; before >= 0 {
				continue
			}
			released = before == -2
			if before == -1 {
				r.changed = pgconn.NewCommandTag(string(msg.CommandTag)).RowsAffected()
			}
		case *pgproto3.PortalSuspended:
			before--
			r.more = failed == nil
			if n := int64(r.rows - rows); n > 0 {
				r.ask = uint32(min(max(portionBytes*n/(r.size-had), 1), mostPortion))
			}
		case *pgproto3.ErrorResponse:
			r.more = false
			if failed == nil {
				failed = pgconn.ErrorResponseToPgError(msg)
			}
		case *pgproto3.EmptyQueryResponse:
		case *pgproto3.ReadyForQuery:
			return released, failed
		default:
			continue
		}
		if !ends {
			return false, failed
		}
	}
}

func rowBytes(row [][]byte) int64 {
	n := 24 + 16*len(row)
	for _, v := range row {
		n += len(v)
	}
	return int64(n)
}

// take adds a row.
func (r *result) take(row [][]byte) error {
	for i, data := range row {
		v, err := decode(data, r.oids[i])
		if err != nil {
			return err
		}
		r.values = append(r.values, v)
	}
	r.rows++
	return nil
}

// sync ends a request that has given its rows; synced waits until that is done.
func (c *conn) sync() {
	f := c.c.Frontend()
	f.SendSync(&pgproto3.Sync{})
	if f.Flush() != nil {
		ctx, cancel := context.WithTimeout(context.Background(), c.e.o.Timeout)
		defer cancel()
		_ = c.c.Close(ctx)
		return
	}
	c.unsynced = true
}

func (l *link) synced(ctx context.Context) error {
	if !l.unsynced {
		return nil
	}
	l.unsynced = false
	l.watch.Watch(ctx)
	defer l.watch.Unwatch()
	for {
		msg, err := l.c.ReceiveMessage(context.Background())
		if err != nil {
			_ = l.c.Close(ctx)
			return err
		}
		if _, ready := msg.(*pgproto3.ReadyForQuery); ready {
			return nil
		}
	}
}
