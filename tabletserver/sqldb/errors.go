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
	if out.Code == tablet.CodeInternal && denied(err) {
		out.Code, out.Message = tablet.CodeDenied, e.o.Name+" doesn't accept the token that it was given, or permits too little by it: "+err.Error()
	}
	if unreachable(err) || out.Code == tablet.CodeInternal && broken(err) {
		out.Code, out.Message = tablet.CodeIO, e.o.Name+" can't be reached: "+err.Error()
	}
	return out
}

// denied says whether an error is that of a server who doesn't let in.
func denied(err error) bool {
	text := err.Error()
	for _, sign := range []string{"error code 401", "error code 403", "Authentication failed", "Authorization forbidden"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// unreachable says whether an error is the network's own, whatever its text looks like.
func unreachable(err error) bool {
	return errors.As(err, new(*net.OpError)) || errors.As(err, new(*net.DNSError)) || errors.As(err, new(*url.Error))
}

// broken says whether an error is the connection's, so that nobody knows what is open
// on it.
func broken(err error) bool {
	// Not net.Error: SQLite drivers' errors have its methods.
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || unreachable(err) {
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
