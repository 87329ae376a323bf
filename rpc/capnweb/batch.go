package capnweb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
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
	t := &batchClient{url: url, client: client, header: header, limit: opts.MessageBytes()}
	t.ctx, t.cancel = context.WithCancel(ctx)
	s := newSession(t, nil, opts)
	s.alone, s.tasks = true, 1
	return s
}

// batchClient sends what is queued when the first answer is waited for, and has the
// session handle the answers.
type batchClient struct {
	ctx    context.Context
	cancel context.CancelFunc
	url    string
	client *http.Client
	header http.Header
	limit  int

	flushed atomic.Bool
	body    []byte // of who flushes
}

// errBatchSent is what is called too late.
var errBatchSent = errors.New("the batch has been sent; begin another, or use a WebSocket")

// flush makes the request, once: in this goroutine, unless that may have to go before
// the answers are there.
func (t *batchClient) flush(ctx context.Context, s *Session) {
	if t.flushed.Swap(true) || !s.taskStart() {
		return
	}
	if ctx.Done() == nil {
		t.exchange(s)
	} else {
		go t.exchange(s)
	}
}

func (t *batchClient) exchange(s *Session) {
	defer s.taskEnd()
	s.mu.Lock()
	list := s.claim()
	s.mu.Unlock()
	if list != nil {
		s.transmit(list)
	}
	answers, err := t.post()
	if err != nil {
		s.end(&LostError{err}, nil)
		return
	}
	for _, m := range splitLines(answers) {
		if !s.take(m) {
			return
		}
	}
	s.end(errBatchSent, nil)
}

func (t *batchClient) Send(_ context.Context, message []byte) error {
	if len(t.body) > 0 {
		t.body = append(t.body, '\n')
	}
	t.body = append(t.body, message...)
	return nil
}

// Receive isn't called: the answers come all at once.
func (t *batchClient) Receive(context.Context) ([]byte, error) { return nil, io.EOF }

func (t *batchClient) Close(error) error {
	t.cancel()
	return nil
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

func (t *batchClient) post() ([]byte, error) {
	req, err := http.NewRequestWithContext(t.ctx, http.MethodPost, t.url, bytes.NewReader(t.body))
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

// batchServer gathers the answers.
type batchServer struct{ out bytes.Buffer }

func (t *batchServer) Send(_ context.Context, message []byte) error {
	if t.out.Len() > 0 {
		t.out.WriteByte('\n')
	}
	t.out.Write(message)
	return nil
}

// Receive isn't called: all messages are there from the start.
func (t *batchServer) Receive(context.Context) ([]byte, error) { return nil, errHalfClosed }

func (t *batchServer) Close(error) error { return nil }

// runBatch runs a session over the messages of a body and gives the answers.
func runBatch(ctx context.Context, body []byte, main Target, opts *Options) ([]byte, error) {
	t := &batchServer{}
	s := newSession(t, main, opts)
	s.alone, s.tasks = true, 1
	for _, m := range splitLines(body) {
		if !s.take(m) {
			break
		}
	}
	s.halfClose()
	err := s.waitFor(ctx, func() bool { return s.pulls == 0 && !s.sending })
	if err == nil {
		s.mu.Lock()
		list := s.claim()
		s.mu.Unlock()
		if list != nil {
			s.transmit(list)
		}
	}
	_ = s.Close()
	<-s.Done()
	if err != nil {
		return nil, err
	}
	return t.out.Bytes(), nil
}
