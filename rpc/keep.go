package rpc

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A server ends a transaction, or a result that is read in parts, of which it hears
// nothing for a while, as its client may be dead. A client that lives says so: its
// application may think for as long as it likes between two statements, or two rows.

// keeper says of a client's transactions and results that they are wanted, and which
// aren't any more.
type keeper struct {
	mu      sync.Mutex
	open    map[*kept]struct{}
	running bool
	closed  bool
	stop    chan struct{}
	work    sync.WaitGroup
}

// kept is an open transaction or result.
type kept struct {
	l     *lane
	r     Request // HEALTH with its name
	every time.Duration
	heard atomic.Int64 // when its last request was sent, in nanoseconds since 1970
	busy  atomic.Bool  // it is being said
}

// use notes that a request of it is sent.
func (k *kept) use() {
	if k != nil {
		k.heard.Store(time.Now().UnixNano())
	}
}

// keep begins to say that something is wanted, when it isn't used for a third of the
// server's patience, until drop is called. It gives nil where that isn't known.
func (c *Client) keep(l *lane, r Request, patience time.Duration) *kept {
	if patience <= 0 {
		return nil
	}
	k := &kept{l: l, r: r, every: patience / 3}
	k.use()
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	if c.keeper.closed {
		return nil
	}
	c.keeper.open[k] = struct{}{}
	if !c.keeper.running {
		c.keeper.running = true
		c.keeper.work.Go(func() { c.tend(k.every / 2) })
	}
	return k
}

func (c *Client) drop(k *kept) {
	if k == nil {
		return
	}
	c.keeper.mu.Lock()
	delete(c.keeper.open, k)
	c.keeper.mu.Unlock()
}

// tell sends a message that lets go of something, and whose answer doesn't matter.
func (c *Client) tell(l *lane, r *Request) {
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	if c.keeper.closed {
		return // the end of the connection says as much
	}
	c.keeper.work.Go(func() {
		ctx, stop := context.WithTimeout(context.Background(), rollbackTime)
		defer stop()
		_, _ = c.call(ctx, l, r, repeatable)
	})
}

// tend looks after what is open, until nothing is or the client is closed.
func (c *Client) tend(every time.Duration) {
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-c.keeper.stop:
			return
		}
		now := time.Now().UnixNano()
		c.keeper.mu.Lock()
		if len(c.keeper.open) == 0 || c.keeper.closed {
			c.keeper.running = false
			c.keeper.mu.Unlock()
			return
		}
		for k := range c.keeper.open {
			if time.Duration(now-k.heard.Load()) >= k.every && !k.busy.Swap(true) {
				c.keeper.work.Go(func() { c.touch(k) })
			}
		}
		c.keeper.mu.Unlock()
	}
}

func (c *Client) touch(k *kept) {
	defer k.busy.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), k.every)
	defer cancel()
	go func() {
		select {
		case <-c.keeper.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	r := k.r
	if _, err := c.call(ctx, k.l, &r, repeatable); err == nil {
		k.use()
	}
}

// end stops the one, and waits for the other.
func (k *keeper) end() {
	k.mu.Lock()
	if !k.closed {
		k.closed = true
		close(k.stop)
	}
	k.mu.Unlock()
	k.work.Wait()
}
