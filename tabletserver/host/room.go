package host

import (
	"context"
	"fmt"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// room waits until one more tablet may be open, and counts it. With beyond, the
// bound doesn't hold: the tablets that are open may wait for this one.
func (h *Host) room(ctx context.Context, at tablet.Target, beyond bool) error {
	var timer *time.Timer
	for {
		h.mu.Lock()
		if h.closed {
			h.mu.Unlock()
			return errClosed(at)
		}
		if h.open <= h.opts.MaxOpen || beyond { // the catalog is one more
			h.open++
			h.opens++
			h.mu.Unlock()
			return nil
		}
		list, freed := h.all(), h.freed
		h.mu.Unlock()
		if oldest := longestIdle(list); oldest != nil {
			if oldest.closeIdle(0) {
				continue
			}
		}
		if timer == nil {
			timer = time.NewTimer(h.opts.OpenWait)
			defer timer.Stop()
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return canceled(ctx, at)
		case <-timer.C:
			return &tablet.Error{Code: tablet.CodeOverloaded, Target: at, Message: fmt.Sprintf(
				"%d tablets are in use, as many as max-tablets lets be open; retry, or raise it", h.opts.MaxOpen)}
		}
	}
}

// unroom takes a tablet off the count.
func (h *Host) unroom() {
	h.mu.Lock()
	h.open--
	h.mu.Unlock()
	h.signal()
}

// signal wakes who waits for room.
func (h *Host) signal() {
	h.mu.Lock()
	if !h.closed {
		close(h.freed)
		h.freed = make(chan struct{})
	}
	h.mu.Unlock()
}

// full says whether somebody may wait for room.
func (h *Host) full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open > h.opts.MaxOpen
}

func longestIdle(list []*Shard) *Shard {
	var oldest *Shard
	var since time.Time
	for _, s := range list {
		if last, idle := s.idle(); idle && (oldest == nil || last.Before(since)) {
			oldest, since = s, last
		}
	}
	return oldest
}

// background settles what was left, and then closes what is idle.
func (h *Host) background() {
	h.settle()
	tick := time.NewTicker(max(time.Millisecond, h.opts.Idle/8))
	defer tick.Stop()
	for {
		select {
		case <-h.life.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		list := h.all()
		h.mu.Unlock()
		for _, s := range list {
			s.closeIdle(h.opts.Idle)
		}
	}
}

// settle opens each tablet once: what is prepared or decided there is settled as
// long as it is open.
func (h *Host) settle() {
	h.mu.Lock()
	list := h.all()
	h.mu.Unlock()
	for _, s := range list {
		_, err := s.enter(h.life, false)
		for tablet.CodeOf(err) == tablet.CodeOverloaded {
			_, err = s.enter(h.life, false)
		}
		switch {
		case err == nil:
			s.leave()
		case h.life.Err() != nil:
			return
		default:
			h.opts.Logger.Warn("a tablet can't be looked at", "keyspace", s.target.Keyspace, "shard", s.target.Shard, "error", err)
		}
	}
}
