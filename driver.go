package vitessdo

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"sync"
)

func init() { sql.Register("vitessdo", &Driver{}) }

// Driver is the database/sql driver, registered as "vitessdo".
type Driver struct{}

var (
	_ driver.Driver        = (*Driver)(nil)
	_ driver.DriverContext = (*Driver)(nil)
)

// Open opens one connection; database/sql uses OpenConnector instead.
func (d *Driver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

// OpenConnector checks the DSN. Nothing is opened before the first connection.
func (d *Driver) OpenConnector(dsn string) (driver.Connector, error) {
	cfg, err := ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	return NewConnector(cfg)
}

// Connector opens connections to one database. It is safe for concurrent use.
// sql.DB.Close closes it, and with it the database, unless another pool of this
// process has it open too.
type Connector struct {
	cfg  *Config
	turn chan struct{} // held by who opens or closes the database

	mu     sync.Mutex
	cl     *cluster
	closed bool
}

// NewConnector makes a connector for sql.OpenDB. The configuration is copied.
func NewConnector(cfg *Config) (*Connector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Connector{cfg: cfg.Clone(), turn: make(chan struct{}, 1)}
	switch r, err := recordedTo(); {
	case err != nil:
		return nil, err
	case r != nil:
		c.cfg.Observers = append(c.cfg.Observers, r)
	}
	return c, nil
}

// Connect opens the database at the first call, and gives a connection.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	cl, err := c.cluster(ctx)
	if err != nil {
		return nil, err
	}
	s := newSession(cl, c.cfg)
	s.log, s.observers = c.cfg.Logger, c.cfg.Observers
	if x, wanted := cl.statistics(c.cfg); wanted {
		s.observers = append(slices.Clone(s.observers), x)
	}
	return &Conn{s: s}, nil
}

func (c *Connector) cluster(ctx context.Context) (*cluster, error) {
	if cl, err := c.opened(); cl != nil || err != nil {
		return cl, err
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, c.notInTime(ctx)
	}
	defer func() { <-c.turn }()
	if cl, err := c.opened(); cl != nil || err != nil {
		return cl, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cl, err := c.open(ctx)
	if err != nil {
		return nil, mapError(err)
	}
	c.mu.Lock()
	c.cl = cl
	c.mu.Unlock()
	return cl, nil
}

func (c *Connector) opened() (*cluster, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, newError(CodeClosed, "the database is closed")
	}
	return c.cl, nil
}

// open opens the database, which outlives the context of the connection that opens it.
// Shards in this process are opened whatever becomes of that; servers may never answer.
func (c *Connector) open(ctx context.Context) (*cluster, error) {
	opening := context.WithoutCancel(ctx)
	if c.cfg.Remote == "" {
		return openCluster(opening, c.cfg)
	}
	opening, giveUp := context.WithCancel(opening)
	stop := context.AfterFunc(ctx, giveUp)
	cl, err := openCluster(opening, c.cfg)
	switch inTime := stop(); {
	case inTime:
		return cl, err
	case err == nil:
		_ = cl.close()
	}
	return nil, c.notInTime(ctx)
}

func (c *Connector) notInTime(ctx context.Context) error {
	return errorFrom(CodeCanceled, ctx.Err(), "the database at %s wasn't opened in time: %v", cmp.Or(c.cfg.Remote, c.cfg.Dir, ":memory:"), ctx.Err())
}

// Driver returns the driver.
func (c *Connector) Driver() driver.Driver { return &Driver{} }

// Close closes the database when no other pool has it open. Connections that are
// still in use fail from then on.
func (c *Connector) Close() error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.cl == nil {
		return nil
	}
	cl := c.cl
	c.cl = nil
	return cl.close()
}
