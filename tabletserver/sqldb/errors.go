package sqldb

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// fail makes an error of the contract of a driver's: all that drivers agree upon is
// SQLite's own text somewhere in theirs.
func (e *Engine) fail(err error) error {
	if err == nil || errors.As(err, new(*tablet.Error)) {
		return err
	}
	out := sqlite.FromText(err.Error())
	out.Err = err
	if out.Code == tablet.CodeInternal && broken(err) {
		out.Code, out.Message = tablet.CodeIO, e.o.Name+" can't be reached: "+err.Error()
	}
	return out
}

// broken says whether an error is the connection's, so that nobody knows what is open
// on it.
func broken(err error) bool {
	// Not net.Error: SQLite drivers' errors have its methods.
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, new(*net.OpError)) || errors.As(err, new(*url.Error)) {
		return true
	}
	text := err.Error()
	for _, sign := range []string{"stream is closed", "STREAM_EXPIRED", "STREAM_CLOSED", "stream not found", "Stream has expired", "baton", "connection refused",
		"connection reset", "broken pipe", "use of closed network connection", "websocket", "WebSocket", "TRANSACTION_TIMEOUT", "interactive transaction"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
