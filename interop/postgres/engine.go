package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// Options say how a database is owned and reached. The zero value is a usable default.
type Options struct {
	// Name names the database in errors, without secrets; default: host, database and schema.
	Name string
	// Lease is for how long the owner is believed to be there without a sign of life;
	// default 15 s.
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
	if o.Lease <= 0 {
		o.Lease = 15 * time.Second
	}
	if o.Reconnect <= 0 {
		o.Reconnect = 10 * time.Second
	}
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
	owner string
	// fresh is when the lease was moved on last, on this process's clock: the time
	// before the request was sent.
	fresh  atomic.Int64
	lost   atomic.Bool
	done   chan struct{}
	closed sync.Once
	work   sync.WaitGroup
	// schemas counts the changes of the schema, after which statements are prepared anew.
	schemas atomic.Int64
	conns   atomic.Int64
}

var _ tabletserver.Engine = (*Engine)(nil)

// start is what times on this process's clock are counted from.
var start = time.Now()

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
	schema := strings.TrimSpace(strings.Split(cfg.RuntimeParams["search_path"], ",")[0])
	if o.Name == "" {
		o.Name = cfg.Host + "/" + cfg.Database
		if schema != "" {
			o.Name += "/" + schema
		}
	}
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	if cfg.RuntimeParams["lock_timeout"] == "" {
		cfg.RuntimeParams["lock_timeout"] = "10s" // a change of the schema waits for who reads the table
	}
	cfg.BuildContextWatcherHandler = cancels
	var id [12]byte
	_, _ = rand.Read(id[:]) // it never fails
	e := &Engine{cfg: cfg, o: o, owner: hex.EncodeToString(id[:]), done: make(chan struct{})}
	if err := e.own(ctx, schema); err != nil {
		return nil, err
	}
	e.work.Go(e.renewing)
	return e, nil
}

// cancels ends what runs on a connection with its context.
func cancels(c *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 5 * time.Second}
}

// Capabilities implements [tabletserver.Engine].
func (e *Engine) Capabilities() tablet.Capabilities {
	return tablet.Capabilities{
		Dialect: "postgres", TransactionalDDL: true, ConcurrentReads: true, Snapshots: true, BoundKeys: true,
		MaxParameters: 65535, MaxColumns: 1600,
	}
}

// Connect implements [tabletserver.Engine].
func (e *Engine) Connect(ctx context.Context, h tabletserver.Hooks) (tabletserver.Conn, error) {
	c := &conn{e: e, hooks: h, ctx: ctx, id: e.conns.Add(1)}
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close gives the database up.
func (e *Engine) Close() error {
	e.closed.Do(func() {
		close(e.done)
		e.work.Wait()
		if !e.lost.Load() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			_, _ = e.once(ctx, "UPDATE _vt_lease SET owner = NULL WHERE owner = '"+e.owner+"'")
		}
	})
	return nil
}

// what the engine keeps for the tablet, and functions that tables name.
const house = `
CREATE TABLE IF NOT EXISTS _vt_meta(id smallint PRIMARY KEY CHECK (id = 1), schema bigint NOT NULL, turn bigint NOT NULL, owner text);
INSERT INTO _vt_meta(id, schema, turn) VALUES(1, 0, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS _vt_lease(id smallint PRIMARY KEY CHECK (id = 1), owner text, expires timestamptz);
INSERT INTO _vt_lease(id) VALUES(1) ON CONFLICT DO NOTHING;
CREATE OR REPLACE FUNCTION _vt_next_row(t regclass) RETURNS bigint LANGUAGE plpgsql AS $f$
	DECLARE n bigint;
	BEGIN
		EXECUTE format('SELECT coalesce(max(_vt_rowid), 0) + 1 FROM %s', t) INTO n;
		RETURN n;
	END $f$;
CREATE OR REPLACE FUNCTION _vt_json_valid(t text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$
	BEGIN
		RETURN t IS NULL OR t::json IS NOT NULL;
	EXCEPTION WHEN others THEN
		RETURN false;
	END $f$;
`

// own makes this engine the owner.
func (e *Engine) own(ctx context.Context, schema string) error {
	c, err := pgconn.ConnectConfig(ctx, e.cfg)
	if err != nil {
		return e.fail(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	if enc := c.ParameterStatus("server_encoding"); enc != "" && enc != "UTF8" {
		return &tablet.Error{Code: tablet.CodeMisuse, Message: e.o.Name + " has the encoding " + enc + "; only a database with UTF8 keeps all text"}
	}
	sent := time.Since(start)
	text := "BEGIN;"
	if schema != "" && schema != "public" && !strings.HasPrefix(schema, `"$`) {
		text += "CREATE SCHEMA IF NOT EXISTS " + schema + ";"
	}
	// Two that open at once wait for each other here.
	text += "SELECT pg_advisory_xact_lock(hashtext('_vt_meta'), hashtext(current_schema()));" + house +
		"SELECT coalesce(extract(epoch FROM expires - clock_timestamp()), 0)::float8 FROM _vt_lease WHERE owner IS NOT NULL"
	results, err := c.Exec(ctx, text).ReadAll()
	if err != nil {
		return e.fail(err)
	}
	left := 0.0
	if last := results[len(results)-1].Rows; len(last) > 0 {
		left, _ = strconv.ParseFloat(string(last[0][0]), 64)
	}
	if left > 0 && !e.o.Steal {
		return &tablet.Error{Code: tablet.CodeLockTimeout, Message: fmt.Sprintf(
			"%s is another process's, which was last there less than %s ago; close it, or wait %.0f s if it was killed", e.o.Name, e.o.Lease, left+1)}
	}
	// The row waits for what its last owner has open.
	_, err = c.Exec(ctx, "UPDATE _vt_meta SET owner = '"+e.owner+"'; UPDATE _vt_lease SET owner = '"+e.owner+"', expires = "+e.until()+"; COMMIT").ReadAll()
	if err != nil {
		return e.fail(err)
	}
	e.fresh.Store(int64(sent))
	return nil
}

// until is the end of a lease by the server's clock.
func (e *Engine) until() string {
	return fmt.Sprintf("clock_timestamp() + interval '%d milliseconds'", (e.o.Lease + time.Second).Milliseconds())
}

// once runs a statement on a connection of its own, and tells how many rows it changed.
func (e *Engine) once(ctx context.Context, text string) (int64, error) {
	c, err := pgconn.ConnectConfig(ctx, e.cfg)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	results, err := c.Exec(ctx, text).ReadAll()
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0].CommandTag.RowsAffected(), nil
}

// renewing moves the lease on until the engine is closed.
func (e *Engine) renewing() {
	tick := time.NewTicker(e.o.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-e.done:
			return
		case <-tick.C:
		}
		e.renew()
	}
}

func (e *Engine) renew() {
	ctx, cancel := context.WithTimeout(context.Background(), e.o.Lease/2)
	defer cancel()
	sent := time.Since(start)
	n, err := e.once(ctx, "UPDATE _vt_lease SET expires = "+e.until()+" WHERE owner = '"+e.owner+"'")
	switch {
	case err != nil:
	case n == 0:
		e.lost.Store(true)
	default:
		e.fresh.Store(int64(sent))
	}
}

// owned says why the database isn't this engine's to read, if it isn't.
func (e *Engine) owned() error {
	if e.lost.Load() {
		return e.taken()
	}
	if since := time.Since(start) - time.Duration(e.fresh.Load()); since > e.o.Lease {
		return &tablet.Error{Code: tablet.CodeIO, Message: fmt.Sprintf(
			"%s hasn't answered for %s, so that another process may own it by now", e.o.Name, since.Round(time.Second))}
	}
	return nil
}

func (e *Engine) taken() error {
	e.lost.Store(true)
	return &tablet.Error{Code: tablet.CodeClosed, Message: "another process has become the owner of " + e.o.Name + "; open the tablet again"}
}
