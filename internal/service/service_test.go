package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

const tokens = `
# the shop's own
0123456789abcdef0123 shop
reader-reader-reader report read-only keyspace=a keyspace=b
`

func TestTokens(t *testing.T) {
	list, err := ReadTokens(strings.NewReader(tokens))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header, value string
		want          *Grant
	}{
		{"Authorization", "Bearer 0123456789abcdef0123", &Grant{Name: "shop"}},
		{"Authorization", "bearer reader-reader-reader", &Grant{Name: "report", ReadOnly: true, Keyspaces: []string{"a", "b"}}},
		{"Sec-WebSocket-Protocol", "x, bearer.0123456789abcdef0123", &Grant{Name: "shop"}},
		{"Authorization", "Bearer 0123456789abcdef0124", nil},
		{"Authorization", "Bearer ", nil},
		{"Authorization", "Basic 0123456789abcdef0123", nil},
		{"Authorization", "", nil},
		{"X-Other", "0123456789abcdef0123", nil},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set(c.header, c.value)
		got, err := list.Check(r)
		var status *capnweb.StatusError
		if c.want == nil && (!errors.As(err, &status) || status.Status != http.StatusUnauthorized) || c.want != nil && (err != nil || !reflect.DeepEqual(got, *c.want)) {
			t.Errorf("%s: %s gives %+v, %v; want %+v", c.header, c.value, got, err, c.want)
		}
	}
	if g, err := (*Tokens)(nil).Check(httptest.NewRequest("POST", "/", nil)); err != nil || g.ReadOnly || !g.Permits("a") {
		t.Errorf("without tokens nobody is refused, but: %+v, %v", g, err)
	}
}

// A file of tokens is read again when it changes; what can't be used then changes
// nothing.
func TestTokensChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first-first-first a\n")
	list, err := TokenFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Add("added-added-added", Grant{Name: "b"}); err != nil {
		t.Fatal(err)
	}
	check := func(token string) bool {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		_, err := list.Check(r)
		return err == nil
	}
	for i, c := range []struct {
		text                 string
		first, second, added bool
	}{
		{"first-first-first a\n", true, false, true},
		{"second-second-second a\n", false, true, true},
		{"short a\n", false, true, true},
		{"third-third-third-third a keyspace=x\n", false, true, true}, // not here
		{"first-first-first a\nsecond-second-second b\n", true, true, true},
	} {
		write(c.text)
		list.file.watch.looked = time.Time{} // a second later
		if first, second, added := check("first-first-first"), check("second-second-second"), check("added-added-added"); first != c.first || second != c.second || added != c.added || check("third-third-third-third") {
			t.Errorf("%d: %q lets in %v, %v, %v", i, c.text, first, second, added)
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "no token",
		"short name":                     "5 characters",
		"0123456789abcdef0123":           "no name",
		"0123456789abcdef0123 x admin":   `"admin"`,
		"0123456789abcdef x keyspace=":   `"keyspace="`,
		"0123456789abcdef x\nshort name": "line 2",
	} {
		_, err := ReadTokens(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "0123456789abcdef") {
			t.Errorf("%q: %v; want one that names %s and no token", text, err, want)
		}
	}
}

func TestSecretsAreForTheirOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(tokens), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := TokenFile(path, true); open(0o644) && (err == nil || !strings.Contains(err.Error(), "chmod 600")) {
		t.Errorf("a file that others may read gives %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := TokenFile(path, true); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	var m Metrics
	c := m.Counter("x_requests_total", "Requests.", "type")
	m.Counter("x_bytes_total", "Bytes.", "").Add("", 5)
	m.Gauge("x_open", "What is open.", func() float64 { return 2.5 })
	h := m.Histogram("x_seconds", "Time.")
	c.Add("QUERY", 2)
	c.Add(`B"`, 1)
	h.Observe(time.Millisecond)
	h.Observe(2 * time.Minute)
	w := httptest.NewRecorder()
	m.ServeHTTP(w, nil)
	for _, line := range []string{
		"# TYPE x_requests_total counter", `x_requests_total{type="QUERY"} 2`, `x_requests_total{type="B\""} 1`, "x_bytes_total 5",
		"# TYPE x_open gauge", "x_open 2.5", `x_seconds_bucket{le="0.0005"} 0`, `x_seconds_bucket{le="0.001"} 1`, `x_seconds_bucket{le="60"} 1`,
		`x_seconds_bucket{le="+Inf"} 2`, "x_seconds_sum 120.001", "x_seconds_count 2",
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("there is no line %s in\n%s", line, w.Body)
		}
	}
}

// Beyond the limit a connection waits until another one is closed.
func TestLimit(t *testing.T) {
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Limit(on, 1)
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", on.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Error("two connections are open")
	case <-time.After(20 * time.Millisecond):
	}
	_ = first.Close()
	_ = first.Close()
	second := <-accepted
	if err := l.Close(); err != nil { // while Accept waits for room
		t.Error(err)
	}
	if c := <-accepted; c != nil {
		t.Error("a closed listener gives a connection")
	}
	_ = second.Close()
}

// A request that runs when the end comes is answered; new ones are as long as something
// is open, and none is taken afterwards.
func TestServeEndsInGoodOrder(t *testing.T) {
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	running, answer := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			close(answer)
			return
		}
		close(running)
		<-answer
		_, _ = io.WriteString(w, "done")
	})
	s := Server{Handler: h, Grace: time.Minute, Log: slog.New(slog.DiscardHandler), Drain: func(context.Context) {
		r, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + on.Addr().String() + "/end")
		if err != nil {
			t.Errorf("who has something open can't end it: %v", err)
			close(answer)
			return
		}
		_ = r.Body.Close()
	}}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, on) }()
	text := make(chan string, 1)
	go func() {
		r, err := http.Get("http://" + on.Addr().String())
		if err != nil {
			text <- err.Error()
			return
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		text <- string(b)
	}()
	<-running
	stop()
	if err, got := <-ended, <-text; err != nil || got != "done" {
		t.Errorf("the request got %q, Serve gave %v", got, err)
	}
	if r, err := http.Get("http://" + on.Addr().String()); err == nil {
		_ = r.Body.Close()
		t.Error("a request is taken after the end")
	}
}

// A body that doesn't come isn't waited for by a handler that doesn't want it; one that has
// come leaves the handler all its time.
func TestBodiesThatDontCome(t *testing.T) {
	const wait = 500 * time.Millisecond
	h := timely(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			t.Error("a handler is cut short when it has its body")
		case <-time.After(3 * wait):
		}
	}), wait)
	s := httptest.NewServer(h)
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401") {
		t.Errorf("%q, %v", answer, err)
	}
	r, err := http.Post(s.URL, "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
}

// A server that asks nobody who he is answers under this machine's own names only.
func TestLocalOnly(t *testing.T) {
	h := LocalOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8400": 200, "127.0.0.1:8400": 200, "127.8.0.1": 200, "[::1]:8400": 200, "[::1]": 200,
		"evil.example:8400": 403, "localhost.evil.example": 403, "10.0.0.1:8400": 403, "": 403, "0.0.0.0": 403,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("host %q: status %d, want %d", host, w.Code, want)
		}
	}
}
