package tabletserver

import (
	"context"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/internal/sqlite"
)

// conn is one connection of the tablet. Whoever took it, from the pool or with
// the write lock, uses it alone; mu only keeps Tablet.Close away while the
// engine is at work.
type conn struct {
	mu   sync.Mutex
	c    Conn
	file *sqlite.Conn // the same, where the engine is the one in this process; else nil
	dead bool         // closed by Tablet.Close
	// sticky says that a read transaction is open that belongs to the pool; its
	// snapshot was taken after the commit counter stood at seen.
	sticky bool
	seen   int64
	schema uint64 // the version of the schema that the snapshot shows
	wal    int    // pages in the write-ahead log after this connection's last commit
}

// lock takes the connection for one step of work.
func (c *conn) lock() error {
	c.mu.Lock()
	if c.dead {
		c.mu.Unlock()
		return errClosed()
	}
	return nil
}

// unstick ends the read transaction that the pool keeps open.
func (c *conn) unstick() {
	if c.sticky {
		c.sticky = false
		if c.c.InTransaction() {
			_ = c.c.Control("COMMIT") // of a read transaction: it can't fail in a way that matters
		}
	}
}

// hook makes the connection tell when it is about to commit, and watch the
// length of the log. The latter takes the place of SQLite's own automatic
// checkpoint.
func (c *conn) hook(t *Tablet) {
	c.file.OnCommit(t.commits.unsettle, t.cfg.Synchronous == Full)
	if t.memory == nil {
		c.file.OnLog(func(pages int) { c.wal = pages })
	}
}

func (c *conn) close() {
	c.mu.Lock()
	if !c.dead {
		c.dead = true
		_ = c.c.Close()
	}
	c.mu.Unlock()
}

// growAfter is how long a reader waits for a pooled connection before one more
// is opened. The caller may itself hold the one that it waits for, so that
// waiting for ever is no choice.
const growAfter = 2 * time.Millisecond

// pool holds the reading connections; the one used last is handed out first,
// since its caches are warm.
type pool struct {
	t    *Tablet
	max  int
	mu   sync.Mutex
	idle []*conn
	all  map[*conn]struct{}
	// opening counts the connections on their way into all.
	opening int
	waiting []chan *conn
	closed  bool
}

func (p *pool) get(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed()
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	if len(p.all)+p.opening < p.max {
		return p.grow(ctx)
	}
	w := make(chan *conn, 1)
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()

	timer := time.NewTimer(growAfter)
	defer timer.Stop()
	var stop error
	select {
	case c, ok := <-w:
		if !ok {
			return nil, errClosed()
		}
		return c, nil
	case <-ctx.Done():
		stop = canceled(ctx.Err())
	case <-timer.C:
	}
	p.mu.Lock()
	if !p.leave(w) { // somebody hands a connection over just now
		p.mu.Unlock()
		c, ok := <-w
		switch {
		case !ok:
			return nil, errClosed()
		case stop != nil:
			p.put(c)
			return nil, stop
		}
		return c, nil
	}
	if stop != nil {
		p.mu.Unlock()
		return nil, stop
	}
	return p.grow(ctx)
}

// spare gives an idle connection, nil when there is none.
func (p *pool) spare() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c
}

func (p *pool) leave(w chan *conn) bool {
	for i := range p.waiting {
		if p.waiting[i] == w {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// grow opens a connection; p.mu is held when it is called, and not after.
func (p *pool) grow(ctx context.Context) (*conn, error) {
	p.opening++
	p.mu.Unlock()
	c, err := p.t.open(ctx)
	p.mu.Lock()
	p.opening--
	if p.closed {
		p.mu.Unlock()
		if err == nil {
			c.close()
		}
		return nil, errClosed()
	}
	if err == nil {
		p.all[c] = struct{}{}
	}
	p.mu.Unlock()
	return c, err
}

// put gives a connection back. It holds no transaction but a sticky one.
func (p *pool) put(c *conn) {
	if c.lock() != nil {
		return // Close has it
	}
	if c.sticky && !c.c.InTransaction() {
		c.sticky = false // an error ended it
	}
	if p.t.checkpointing.Load() || p.t.cfg.Engine != nil {
		c.unstick()
	}
	bad := c.c.Broken()
	c.mu.Unlock()

	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return
	case bad:
	case len(p.waiting) > 0:
		w := p.waiting[0]
		p.waiting = append(p.waiting[:0], p.waiting[1:]...)
		p.mu.Unlock()
		w <- c
		return
	case len(p.all) <= p.max:
		p.idle = append(p.idle, c)
		p.mu.Unlock()
		return
	}
	delete(p.all, c)
	p.mu.Unlock()
	c.close()
}

// unstickIdle ends the sticky transactions of the connections that nobody uses.
func (p *pool) unstickIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		if c.lock() == nil {
			c.unstick()
			c.mu.Unlock()
		}
	}
}

// close closes every connection, also those in use: their users find them dead.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.waiting {
		close(w)
	}
	p.waiting, p.idle = nil, nil
	all := p.all
	p.all = nil
	p.mu.Unlock()
	for c := range all {
		c.close()
	}
}
