package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"

	wire "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/vitessdo/vitessdo"
)

// failure is an error as MySQL's clients know it.
type failure struct {
	number uint16
	state  string
	text   string
}

func (f *failure) Error() string { return f.text }

// failureOf gives what a client sees of an error.
func failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if e, ok := errors.AsType[*vitessdo.Error](err); ok {
		f := &failure{e.Number, e.SQLState, e.Message}
		if f.number == 0 {
			f.number, f.state = wire.ER_UNKNOWN_ERROR, "HY000"
		}
		if e.Line > 0 {
			f.text += ", at line " + strconv.Itoa(e.Line) + " column " + strconv.Itoa(e.Column)
		}
		return f
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &failure{wire.ER_QUERY_INTERRUPTED, "70100", "Query execution was interrupted"}
	case errors.Is(err, driver.ErrBadConn):
		return &failure{wire.ER_SERVER_SHUTDOWN, "08S01", "Server shutdown in progress"}
	}
	return &failure{wire.ER_UNKNOWN_ERROR, "HY000", err.Error()}
}

var errMalformed = &failure{wire.ER_MALFORMED_PACKET, "HY000", "Malformed communication packet"}

// appendError writes an error packet.
func appendError(b []byte, number uint16, state, text string) []byte {
	b = append(b, 0xff, byte(number), byte(number>>8), '#')
	return append(append(b, state...), text...)
}

// fail answers with an error.
func (c *conn) fail(err error) error {
	f := failureOf(err)
	c.s.told.failures.Add(strconv.Itoa(int(f.number)), 1)
	return c.send(appendError(c.p.begin(), f.number, f.state, f.text))
}

// send writes a message; an error is of the connection.
func (c *conn) send(b []byte) error {
	if err := c.p.send(b); err != nil {
		return &lostError{err}
	}
	return nil
}
