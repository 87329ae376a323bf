package sqldb

import (
	"context"
	"database/sql"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/lease"
)

// Options say what the database can do, and how it is owned. The zero value is a
// usable default.
type Options struct {
	// Name names the database in errors, without secrets.
	Name string
	// Lease is for how long the owner is believed to be there without a sign of life;
	// default: [lease.Default]. A tablet that was killed keeps others away for as long.
	Lease time.Duration
	// Steal takes the database from an owner whose lease isn't over.
	Steal bool
	// MaxParameters and the others are what [tablet.Capabilities] has; 0 is no limit.
	MaxParameters, MaxStatement, MaxColumns, MaxTerms, MaxDepth int
	// Reconnect bounds the attempts to find out what became of a COMMIT under which the
	// connection broke; default 10 s.
	Reconnect time.Duration
	// JSON says that the driver carries values as JSON: infinities, and text that isn't
	// UTF-8, are refused.
	JSON bool
	// MaxResult bounds a result, which is held as a whole, in bytes; default 256 MiB.
	MaxResult int64
	// Timeout bounds each request whose context has no deadline; default 1 min.
	Timeout time.Duration
}

// Engine keeps a shard in a database behind database/sql.
type Engine struct {
	db    *sql.DB
	o     Options
	lease *lease.Lease
}

var _ tabletserver.Engine = (*Engine)(nil)

// New makes the caller the owner of the database. It closes db when it is closed, and
// when it fails.
func New(ctx context.Context, db *sql.DB, o Options) (*Engine, error) {
	if o.Name == "" {
		o.Name = "database"
	}
	if o.MaxResult <= 0 {
		o.MaxResult = 256 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	e := &Engine{db: db, o: o}
	var err error
	e.lease, err = lease.Take(ctx, row{e}, lease.Options{Name: o.Name, Length: o.Lease, Steal: o.Steal, Reconnect: o.Reconnect})
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return e, nil
}

// Capabilities implements [tabletserver.Engine].
func (e *Engine) Capabilities() tablet.Capabilities {
	return tablet.Capabilities{
		Dialect: "sqlite", TransactionalDDL: true, ConcurrentReads: true, Snapshots: true,
		MaxParameters: e.o.MaxParameters, MaxStatement: e.o.MaxStatement, MaxColumns: e.o.MaxColumns, MaxTerms: e.o.MaxTerms, MaxDepth: e.o.MaxDepth,
	}
}

// Connect implements [tabletserver.Engine].
func (e *Engine) Connect(ctx context.Context, h tabletserver.Hooks) (tabletserver.Conn, error) {
	c := &conn{e: e, hooks: h, ctx: ctx}
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close gives the database up.
func (e *Engine) Close() error {
	e.lease.Close()
	return e.db.Close()
}
