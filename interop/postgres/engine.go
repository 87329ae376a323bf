package postgres

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/lease"
)

// Options say how a database is owned and reached. The zero value is a usable default.
type Options struct {
	// Name names the database in errors, without secrets; default: host, database and schema.
	Name string
	// Lease is for how long the owner is believed to be there without a sign of life;
	// default: [lease.Default].
	Lease time.Duration
	// Steal takes the database from an owner whose lease isn't over.
	Steal bool
	// Reconnect bounds the attempts to find out what became of a COMMIT under which the
	// connection broke; default 10 s.
	Reconnect time.Duration
	// MaxResult bounds what has to be read at once, in bytes: what a write returns, and
	// what is left of a read when its transaction goes back to a savepoint; default 256 MiB.
	MaxResult int64
	// Timeout bounds each request whose context has no deadline; default 1 min.
	Timeout time.Duration
}

func (o *Options) complete() {
	if o.MaxResult <= 0 {
		o.MaxResult = 256 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
}

// Engine keeps a shard in PostgreSQL.
type Engine struct {
	cfg   *pgconn.Config
	o     Options
	lease *lease.Lease
	// schemas counts the changes of the schema, after which statements are prepared anew.
	schemas atomic.Int64
	conns   atomic.Int64
	one     *session // nil where the database has many
}

var _ tabletserver.Engine = (*Engine)(nil)

// Open makes the caller the owner of the database at a URL, or of the schema that its
// search_path names.
func Open(ctx context.Context, url string, o Options) (*Engine, error) {
	return open(ctx, url, "", o)
}

func open(ctx context.Context, url, password string, o Options) (*Engine, error) {
	cfg, err := pgconn.ParseConfig(url)
	if err != nil {
		// The error has the URL in it, without its password.
		return nil, &tablet.Error{Code: tablet.CodeMisuse, Message: "the address of a PostgreSQL database can't be read: " + err.Error(), Err: err}
	}
	if password != "" {
		cfg.Password = password
	}
	o.complete()
	schema := firstSchema(cfg.RuntimeParams["search_path"])
	if o.Name == "" {
		o.Name = place(cfg)
		if schema != "" {
			o.Name += "/" + schema
		}
	}
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	if cfg.RuntimeParams["lock_timeout"] == "" {
		cfg.RuntimeParams["lock_timeout"] = "10s" // a change of the schema waits for who reads the table
	}
	cfg.BuildContextWatcherHandler = cancels
	e := &Engine{cfg: cfg, o: o}
	if err := e.look(ctx); err != nil {
		return nil, err
	}
	e.lease, err = lease.Take(ctx, row{e, schema}, lease.Options{Name: o.Name, Length: o.Lease, Steal: o.Steal, Reconnect: o.Reconnect})
	if err != nil {
		if e.one != nil {
			e.one.close()
		}
		return nil, err
	}
	return e, nil
}

// place is a server and its database, for people.
func place(cfg *pgconn.Config) string {
	if strings.HasPrefix(cfg.Host, "/") { // a socket's directory
		return cfg.Host + "/" + cfg.Database
	}
	return net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))) + "/" + cfg.Database
}

// firstSchema is the schema that a search_path begins with, as the server reads it:
// in small letters, unless it stands in quotes.
func firstSchema(path string) string {
	path = strings.TrimSpace(path)
	if !strings.HasPrefix(path, `"`) {
		first, _, _ := strings.Cut(path, ",")
		return strings.ToLower(strings.TrimSpace(first))
	}
	end := 1
	for end < len(path) && (path[end] != '"' || strings.HasPrefix(path[end:], `""`)) {
		if path[end] == '"' {
			end++
		}
		end++
	}
	return strings.ReplaceAll(path[1:min(end, len(path))], `""`, `"`)
}

// cancels ends what runs on a connection with its context.
func cancels(c *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 5 * time.Second}
}

// Capabilities implements [tabletserver.Engine].
func (e *Engine) Capabilities() tablet.Capabilities {
	return tablet.Capabilities{
		Dialect: "postgres", TransactionalDDL: true, ConcurrentReads: e.one == nil, Snapshots: true, LosesSnapshots: e.one != nil, BoundKeys: true,
		MaxParameters: 65535, MaxColumns: 1600,
	}
}

// Connect implements [tabletserver.Engine].
func (e *Engine) Connect(ctx context.Context, h tabletserver.Hooks) (tabletserver.Conn, error) {
	c := &conn{link: &link{}, e: e, one: e.one, hooks: h, ctx: ctx, id: e.conns.Add(1)}
	if e.one != nil {
		c.link = e.one.link
		return c, nil
	}
	if err := c.reach(ctx, e); err != nil {
		return nil, err
	}
	return c, nil
}

// connect makes a connection.
func (e *Engine) connect(ctx context.Context) (*pgconn.PgConn, error) {
	if e.one != nil {
		return e.one.connect(ctx)
	}
	return pgconn.ConnectConfig(ctx, e.cfg)
}

// line gives a connection for what is about the owner, and done, for afterwards.
func (e *Engine) line(ctx context.Context) (c *pgconn.PgConn, done func(), err error) {
	if e.one != nil {
		return e.one.line(ctx)
	}
	if c, err = e.connect(ctx); err != nil {
		return nil, nil, err
	}
	return c, func() { _ = c.Close(context.WithoutCancel(ctx)) }, nil
}

// Close gives the database up.
func (e *Engine) Close() error {
	e.lease.Close()
	if e.one != nil {
		e.one.close()
	}
	return nil
}
