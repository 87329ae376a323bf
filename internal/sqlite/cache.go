package sqlite

// cache keeps prepared statements by their text, the most recently used first.
type cache struct {
	max   int
	byTxt map[string]*Stmt
	root  Stmt // of the ring: next is the newest, prev the oldest
}

func (c *cache) init(limit int) {
	c.max = limit
	c.byTxt = make(map[string]*Stmt, min(limit, 16))
	c.root.next, c.root.prev = &c.root, &c.root
}

func (c *cache) get(sql string) *Stmt {
	s := c.byTxt[sql]
	if s != nil && c.root.next != s {
		c.unlink(s)
		c.push(s)
	}
	return s
}

// put keeps s, unless a statement of the same text, which must be in use, is
// kept already. It closes the oldest idle statement when there are too many.
func (c *cache) put(s *Stmt) {
	if _, ok := c.byTxt[s.sql]; ok {
		return
	}
	c.byTxt[s.sql] = s
	s.cached = true
	c.push(s)
	if len(c.byTxt) <= c.max {
		return
	}
	for old := c.root.prev; old != &c.root; old = old.prev {
		if !old.busy {
			c.drop(old)
			_ = old.s.Close()
			return
		}
	}
}

func (c *cache) drop(s *Stmt) {
	c.unlink(s)
	s.cached = false
	delete(c.byTxt, s.sql)
}

// drain empties the cache.
func (c *cache) drain() []*Stmt {
	all := make([]*Stmt, 0, len(c.byTxt))
	for s := c.root.next; s != &c.root; s = s.next {
		all = append(all, s)
	}
	for _, s := range all {
		c.drop(s)
	}
	return all
}

func (c *cache) push(s *Stmt) {
	s.prev, s.next = &c.root, c.root.next
	s.prev.next, s.next.prev = s, s
}

func (c *cache) unlink(s *Stmt) {
	s.prev.next, s.next.prev = s.next, s.prev
	s.prev, s.next = nil, nil
}
