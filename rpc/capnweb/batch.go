package capnweb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// NewBatch gives a session that lives for one HTTP request: what is called
// before the first Await travels in its body, the answers in the response's.
// Calls may use each other's results, but none can be made after that, and the
// peer can't call back: objects sent to it are of no use there.
//
// ctx governs the request. client may be nil, header too.
func NewBatch(ctx context.Context, url string, client *http.Client, header http.Header, opts *Options) *Session {
	if client == nil {
		client = http.DefaultClient
	}
	t := &batchClient{ctx: ctx, url: url, client: client, header: header, limit: Limits{}.complete().MessageBytes,
		start: make(chan struct{}), closed: make(chan struct{})}
	if opts != nil {
		t.limit = opts.Limits.complete().MessageBytes
	}
	return NewSession(t, nil, opts)
}

// batchClient gathers messages until flush, sends them, and hands out the
// answers.
type batchClient struct {
	ctx    context.Context
	url    string
	client *http.Client
	header http.Header
	limit  int

	mu      sync.Mutex
	body    []byte
	flushed bool
	start   chan struct{}
	once    sync.Once
	closed  chan struct{}
	ending  sync.Once

	// The reader's own.
	answers [][]byte
	asked   bool
}

// errBatchSent is what is called too late.
var errBatchSent = errors.New("the batch has been sent; begin another, or use a WebSocket")

func (t *batchClient) Send(_ context.Context, message []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flushed {
		return nil // a release; calls are refused as the session has ended
	}
	if len(t.body) > 0 {
		t.body = append(t.body, '\n')
	}
	t.body = append(t.body, message...)
	return nil
}

func (t *batchClient) flush() { t.once.Do(func() { close(t.start) }) }

func (t *batchClient) Receive(ctx context.Context) ([]byte, error) {
	if !t.asked {
		select {
		case <-t.start:
		case <-t.closed:
			return nil, io.EOF
		case <-t.ctx.Done():
			return nil, t.ctx.Err()
		}
		t.asked = true
		body, err := t.post(ctx)
		if err != nil {
			return nil, err
		}
		t.answers = splitLines(body)
	}
	if len(t.answers) == 0 {
		return nil, errBatchSent
	}
	m := t.answers[0]
	t.answers = t.answers[1:]
	return m, nil
}

func splitLines(body []byte) [][]byte {
	var list [][]byte
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		if len(bytes.TrimSpace(line)) > 0 {
			list = append(list, line)
		}
	}
	return list
}

func (t *batchClient) post(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-t.closed:
			cancel()
		case <-stop:
		}
	}()
	t.mu.Lock()
	t.flushed = true
	body := t.body
	t.body = nil
	t.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range t.header {
		req.Header[k] = v
	}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return nil, &StatusError{resp.StatusCode, string(bytes.TrimSpace(text))}
	}
	all, err := io.ReadAll(io.LimitReader(resp.Body, int64(t.limit)+1))
	if err == nil && len(all) > t.limit {
		err = fmt.Errorf("the answers have more than %d bytes", t.limit)
	}
	return all, err
}

// StatusError is an HTTP response other than 200.
type StatusError struct {
	Status int
	Text   string // the beginning of the body
}

// Error gives the status and the text.
func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP status %d: %s", e.Status, e.Text)
}

func (t *batchClient) Close(error) error {
	t.ending.Do(func() { close(t.closed) })
	return nil
}

// batchServer is the other end: it has all messages from the start.
type batchServer struct {
	in       [][]byte
	out      bytes.Buffer
	received chan struct{} // closed when all were handed out
	closed   chan struct{}
	once     sync.Once
	ending   sync.Once
}

func (t *batchServer) Send(_ context.Context, message []byte) error {
	if t.out.Len() > 0 {
		t.out.WriteByte('\n')
	}
	t.out.Write(message)
	return nil
}

func (t *batchServer) Receive(context.Context) ([]byte, error) {
	if len(t.in) == 0 {
		t.once.Do(func() { close(t.received) })
		return nil, errHalfClosed
	}
	m := t.in[0]
	t.in = t.in[1:]
	return m, nil
}

func (t *batchServer) Close(error) error {
	t.ending.Do(func() { close(t.closed) })
	return nil
}

// runBatch runs a session over the messages of a body and gives the answers.
func runBatch(ctx context.Context, body []byte, main Target, opts *Options) ([]byte, error) {
	t := &batchServer{in: splitLines(body), received: make(chan struct{}), closed: make(chan struct{})}
	s := NewSession(t, main, opts)
	select {
	case <-t.received:
	case <-s.ctx.Done():
	case <-ctx.Done():
	}
	err := s.Drain(ctx)
	_ = s.Close()
	<-s.Done()
	if err != nil {
		return nil, err
	}
	return t.out.Bytes(), nil
}
