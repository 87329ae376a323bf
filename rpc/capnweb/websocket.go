package capnweb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
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
			return nil, &StatusError{resp.StatusCode, strings.TrimSpace(text)}
		}
		return nil, err
	}
	return NewSession(newSocket(c, opts), main, opts), nil
}

// socket is a WebSocket as a transport: one message is one text frame.
type socket struct {
	c     *websocket.Conn
	stop  context.CancelFunc // of the watch for signs of life
	ended chan struct{}      // closed when the watch has ended
	bound sync.Once
}

// defaultKeepAlive is shorter than what networks on the way forget connections
// after.
const defaultKeepAlive = 20 * time.Second

func newSocket(c *websocket.Conn, opts *Options) *socket {
	var o Options
	if opts != nil {
		o = *opts
	}
	c.SetReadLimit(int64(opts.MessageBytes()) + 1)
	ctx, stop := context.WithCancel(context.Background())
	t := &socket{c: c, stop: stop, ended: make(chan struct{})}
	every := o.KeepAlive
	if every == 0 {
		every = defaultKeepAlive
	}
	if every < 0 {
		close(t.ended)
	} else {
		go t.watch(ctx, every)
	}
	return t
}

// watch asks for signs of life. Without one it closes the connection, which
// Receive then reports.
func (t *socket) watch(ctx context.Context, every time.Duration) {
	defer close(t.ended)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		ping, cancel := context.WithTimeout(ctx, every)
		err := t.c.Ping(ping)
		cancel()
		if err != nil && ctx.Err() == nil {
			_ = t.c.CloseNow()
			return
		}
	}
}

// bind has the connection closed when ctx ends, which is the session's in every call.
// The library would arrange for that anew with each frame.
func (t *socket) bind(ctx context.Context) {
	t.bound.Do(func() { context.AfterFunc(ctx, func() { _ = t.c.CloseNow() }) })
}

func (t *socket) Send(ctx context.Context, message []byte) error {
	t.bind(ctx)
	return t.c.Write(context.Background(), websocket.MessageText, message)
}

func (t *socket) Receive(ctx context.Context) ([]byte, error) {
	t.bind(ctx)
	kind, m, err := t.c.Read(context.Background())
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
	t.stop()
	<-t.ended
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
