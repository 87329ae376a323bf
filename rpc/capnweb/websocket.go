package capnweb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// Dial opens a session over a WebSocket. main is what the peer may call, nil for
// nothing; ctx governs the dialling only; the other arguments may be nil.
func Dial(ctx context.Context, url string, client *http.Client, header http.Header, main Target, opts *Options) (*Session, error) {
	c, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client, HTTPHeader: header, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			text := ""
			if resp.Body != nil {
				b, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
				text = string(b)
			}
			return nil, &StatusError{resp.StatusCode, text}
		}
		return nil, err
	}
	return NewSession(newSocket(c, opts), main, opts), nil
}

// socket is a WebSocket as a transport: one message is one text frame.
type socket struct{ c *websocket.Conn }

func newSocket(c *websocket.Conn, opts *Options) *socket {
	var l Limits
	if opts != nil {
		l = opts.Limits
	}
	c.SetReadLimit(int64(l.complete().MessageBytes) + 1)
	return &socket{c}
}

func (t *socket) Send(ctx context.Context, message []byte) error {
	return t.c.Write(ctx, websocket.MessageText, message)
}

func (t *socket) Receive(ctx context.Context) ([]byte, error) {
	kind, m, err := t.c.Read(ctx)
	if err != nil {
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			switch closed.Code {
			case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd, statusAborted:
				return nil, io.EOF
			}
		}
		return nil, err
	}
	if kind != websocket.MessageText {
		// An empty message is malformed, which ends the session as it should.
		return nil, errBinary
	}
	return m, nil
}

var errBinary = errors.New("the peer has sent a binary frame; messages are text")

// statusAborted is the protocol's own close code.
const statusAborted websocket.StatusCode = 3000

// maxReason is how many bytes of text a close frame has room for.
const maxReason = 123

func (t *socket) Close(reason error) error {
	if reason == nil {
		return t.c.Close(websocket.StatusNormalClosure, "")
	}
	text := reason.Error()
	if len(text) > maxReason {
		text = text[:maxReason]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return t.c.Close(statusAborted, text)
}
