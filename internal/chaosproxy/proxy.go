package chaosproxy

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Faults says how often each happens, as one in so many; 0 is never.
type Faults struct {
	// Of an HTTP request.
	LoseRequest, LoseAnswer, CutAnswer, Twice, Overtake int
	// Of a piece of a connection's bytes, a few hundred of them.
	Break, CutPiece, Stall int
	// Late delays either by up to Delay.
	Late  int
	Delay time.Duration
}

// Proxy forwards to one server.
type Proxy struct {
	faults Faults
	target string
	listen net.Listener
	http   *http.Server
	client *http.Client
	calm   atomic.Bool
	counts counts

	mu    sync.Mutex
	dice  *rand.Rand
	conns map[net.Conn]struct{}
	work  sync.WaitGroup
	done  bool
}

// counts tells what has happened.
type counts struct {
	mu sync.Mutex
	m  map[string]int
}

func (c *counts) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[what]++
}

// New listens on a port of its own. With pieces it knows nothing of HTTP, and
// forwards bytes.
func New(target string, seed uint64, faults Faults, pieces bool) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{faults: faults, target: target, listen: l, dice: rand.New(rand.NewPCG(seed, 1)),
		conns: map[net.Conn]struct{}{}, counts: counts{m: map[string]int{}}}
	if pieces {
		p.work.Go(p.accept)
		return p, nil
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	p.client = &http.Client{Transport: t}
	p.http = &http.Server{Handler: http.HandlerFunc(p.serve)}
	p.work.Go(func() { _ = p.http.Serve(l) })
	return p, nil
}

// Addr is where the gate is to connect.
func (p *Proxy) Addr() string { return p.listen.Addr().String() }

// Calm ends the faults: from now on all is forwarded as it comes.
func (p *Proxy) Calm() { p.calm.Store(true) }

// Counts tells how often each fault has happened.
func (p *Proxy) Counts() map[string]int {
	p.counts.mu.Lock()
	defer p.counts.mu.Unlock()
	out := map[string]int{}
	for k, n := range p.counts.m {
		out[k] = n
	}
	return out
}

// Close breaks all connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.done = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	_ = p.listen.Close()
	if p.http != nil {
		_ = p.http.Close()
		p.client.CloseIdleConnections()
	}
	p.work.Wait()
}

// roll throws the dice for what happens once in n times.
func (p *Proxy) roll(what string, n int) bool {
	if n == 0 || p.calm.Load() {
		return false
	}
	p.mu.Lock()
	hit := p.dice.IntN(n) == 0
	p.mu.Unlock()
	if hit {
		p.counts.add(what)
	}
	return hit
}

func (p *Proxy) some(d time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(p.dice.Int64N(int64(d) + 1))
}

func (p *Proxy) late() {
	if p.roll("late", p.faults.Late) {
		time.Sleep(p.some(p.faults.Delay))
	}
}

// serve forwards a request, or doesn't.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	p.late()
	if p.roll("overtaken", p.faults.Overtake) {
		time.Sleep(p.faults.Delay + p.some(p.faults.Delay))
	}
	if p.roll("request lost", p.faults.LoseRequest) {
		panic(http.ErrAbortHandler) // which breaks the connection
	}
	if p.roll("twice", p.faults.Twice) {
		again := r.Clone(r.Context())
		p.work.Go(func() {
			time.Sleep(p.some(p.faults.Delay))
			if resp, err := p.forward(again, body); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	resp, err := p.forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || p.roll("answer lost", p.faults.LoseAnswer) {
		panic(http.ErrAbortHandler)
	}
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	if len(answer) > 1 && p.roll("answer cut", p.faults.CutAnswer) {
		w.WriteHeader(resp.StatusCode)
		_, _ = w.Write(answer[:len(answer)/2])
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// forward sends a request on. It isn't taken back when the gate has gone.
func (p *Proxy) forward(r *http.Request, body []byte) (*http.Response, error) {
	u := &url.URL{Scheme: "http", Host: p.target, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	req, err := http.NewRequest(r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	return p.client.Do(req)
}

// accept forwards connections as bytes.
func (p *Proxy) accept() {
	for {
		from, err := p.listen.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = from.Close()
			continue
		}
		if !p.keep(from, to) {
			return
		}
		var broken sync.Once
		end := func() {
			broken.Do(func() {
				_ = from.Close()
				_ = to.Close()
				p.mu.Lock()
				delete(p.conns, from)
				delete(p.conns, to)
				p.mu.Unlock()
			})
		}
		p.work.Go(func() { defer end(); p.pump(to, from) })
		p.work.Go(func() { defer end(); p.pump(from, to) })
	}
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.done {
			_ = c.Close()
		} else {
			p.conns[c] = struct{}{}
		}
	}
	return !p.done
}

// pump forwards pieces until one of the connections is broken, by a fault or not.
func (p *Proxy) pump(to, from net.Conn) {
	piece := make([]byte, 512)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			p.late()
			if p.roll("stalled", p.faults.Stall) {
				time.Sleep(20*p.faults.Delay + p.some(20*p.faults.Delay))
			}
			switch {
			case p.roll("broken", p.faults.Break):
				return
			case p.roll("piece cut", p.faults.CutPiece):
				_, _ = to.Write(piece[:n/2])
				return
			}
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
