package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/vitessdo/vitessdo/tablet"
)

// session is the only one that a database has, such as PGlite. What several connections
// send would mix in it, so that the engine has one, and its conns take turns at that.
//
// A transaction begins in the database with its first write; from then on until its end
// it has the turn. Until then its statements take turns like all others, and each read
// comes whole. What such a transaction has seen is gone with the next commit.
type session struct {
	e    *Engine
	link *link         // of all conns
	wire *wire         // the link's
	turn chan struct{} // is full while somebody has it
	wait time.Duration // for the turn
	// commits moves before anything that may commit is sent. Who has the turn may read it
	// and the database, and sees both at one moment.
	commits atomic.Int64
}

// look finds out whether the database has one session, as PostgreSQL's process without a
// postmaster.
func (e *Engine) look(ctx context.Context) error {
	s := &session{e: e, link: &link{alone: true}, turn: make(chan struct{}, 1), wait: duration(e.cfg.RuntimeParams["lock_timeout"])}
	c, err := s.connect(ctx)
	if err != nil {
		return e.opening(err)
	}
	results, err := c.Exec(ctx, "SELECT 1 FROM pg_stat_activity WHERE pid = pg_backend_pid() AND backend_type = 'standalone backend'").ReadAll()
	if err != nil || len(results[0].Rows) == 0 {
		_ = c.Close(context.WithoutCancel(ctx))
		return e.opening(err)
	}
	if path := e.cfg.RuntimeParams["search_path"]; path != "" && path != "public" {
		_ = c.Close(context.WithoutCancel(ctx))
		return &tablet.Error{Code: tablet.CodeMisuse, Message: e.o.Name + " has one session for all of its connections, " +
			"so that none can have the search_path " + path + "; give each shard a database of its own, and leave search_path out"}
	}
	e.one = s
	e.cfg.BuildContextWatcherHandler = letsGo
	return e.fail(s.link.use(ctx, e, c))
}

// letsGo ends the wait for an answer with its context, and with it the connection.
func letsGo(c *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()}
}

// duration reads a time as PostgreSQL's settings have it, of which 0 is no limit.
func duration(setting string) time.Duration {
	setting = strings.ReplaceAll(strings.TrimSpace(setting), " ", "")
	if ms, err := strconv.Atoi(setting); err == nil {
		setting = strconv.Itoa(ms) + "ms"
	}
	d, err := time.ParseDuration(strings.Replace(setting, "min", "m", 1))
	switch {
	case err != nil:
		return 10 * time.Second
	case d <= 0:
		return time.Hour
	}
	return d
}

// connect makes the connection, once the server has seen the end of the last one: one that
// takes a single connection wouldn't take it, or would take none ever after.
func (s *session) connect(ctx context.Context) (*pgconn.PgConn, error) {
	cfg, dial := s.e.cfg.Copy(), s.e.cfg.DialFunc
	var made atomic.Bool
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if made.Load() {
			return nil, errNoCancel
		}
		if s.wire != nil {
			select {
			case <-s.wire.gone:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		s.wire = &wire{Conn: c, gone: make(chan struct{})}
		return s.wire, nil
	}
	c, err := pgconn.ConnectConfig(ctx, cfg)
	made.Store(true)
	return c, err
}

var errNoCancel = errors.New("a database with one session hears of nothing while it computes a statement")

// tidy takes back what earlier connections have left in the session.
const tidy = `DO $$ DECLARE n text; BEGIN
	FOR n IN SELECT name FROM pg_prepared_statements WHERE name LIKE 'vt\_%' LOOP EXECUTE format('DEALLOCATE %I', n); END LOOP;
END $$; RESET ALL`

// wire is a connection that, when it is closed, waits for the server to close it as well,
// which rolls back what was open there.
type wire struct {
	net.Conn
	once sync.Once
	gone chan struct{} // closed when the server has
}

// Close implements [net.Conn]. It waits for nothing.
func (w *wire) Close() error {
	w.once.Do(func() {
		half, ok := w.Conn.(interface{ CloseWrite() error })
		if !ok || half.CloseWrite() != nil {
			_ = w.Conn.Close()
			close(w.gone)
			return
		}
		_ = w.Conn.SetDeadline(time.Now().Add(time.Minute))
		go func() {
			_, _ = io.Copy(io.Discard, w.Conn)
			_ = w.Conn.Close()
			close(w.gone)
		}()
	})
	return nil
}

// take waits for the turn, as long as one waits for locks.
func (s *session) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	default:
	}
	wait := tablet.LockWait(ctx, s.wait)
	if wait == tablet.NoWait {
		return &tablet.Error{Code: tablet.CodeLockNoWait, Message: s.e.o.Name + " has one session, which is busy"}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &tablet.Error{Code: tablet.CodeCanceled, Err: ctx.Err(), Message: "the statement was interrupted: " + ctx.Err().Error()}
	case <-timer.C:
		return &tablet.Error{Code: tablet.CodeLockTimeout, Message: s.e.o.Name + " has one session, in which another transaction was open for too long; retry"}
	}
}

func (s *session) give() { <-s.turn }

// await is take, and makes sure that the database is still the owner's, which a long
// transaction may have kept it from saying.
func (s *session) await(ctx context.Context) (err error) {
	for range 2 {
		if err = s.take(ctx); err != nil {
			return err
		}
		if err = s.e.lease.Held(); err == nil {
			return nil
		}
		s.give()
		if tablet.CodeOf(err) != tablet.CodeIO {
			break
		}
		s.e.lease.Renew(ctx)
	}
	return err
}

// Await implements [tabletserver.Queued].
func (c *conn) Await(ctx context.Context) (leave func(), err error) {
	if c.one == nil || c.open || c.has {
		return func() {}, nil
	}
	if err := c.one.await(ctx); err != nil {
		return nil, err
	}
	c.has = true
	return func() {
		c.has = false
		c.one.give()
	}, nil
}

// line gives the connection for what is about the owner, and done, for afterwards.
func (s *session) line(ctx context.Context) (c *pgconn.PgConn, done func(), err error) {
	if err := s.take(ctx); err != nil {
		return nil, nil, err
	}
	err = s.link.reach(ctx, s.e)
	if err == nil {
		err = s.link.synced(ctx)
	}
	if err != nil {
		s.give()
		return nil, nil, err
	}
	c = s.link.c
	return c, func() {
		if c.IsClosed() || c.TxStatus() != 'I' {
			s.link.drop() // that rolls back
		}
		s.give()
	}, nil
}

// patient has who may write wait even if locks aren't waited for: it has the lock, and
// those before it only read.
func (c *conn) patient(ctx context.Context) context.Context {
	if c.lazy.writes {
		return tablet.WithLockWait(ctx, c.one.wait)
	}
	return ctx
}

// portal names the one of a read outside of a transaction, which others must not meet who
// share the session.
func (s *session) portal() string { return "vt_" + s.e.lease.Owner()[:8] }

// disturbed says whether somebody else's statements came between those of a request.
func disturbed(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "34000" || e.Code == "26000") // a portal, a statement
}

// close lets go of the connection, once nobody has the turn for long.
func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.take(ctx) == nil {
		defer s.give()
	}
	s.link.end()
	if s.wire != nil {
		select {
		case <-s.wire.gone:
		case <-ctx.Done():
		}
	}
}

// lazy is a transaction of which the database doesn't know yet.
type lazy struct {
	on     bool
	writes bool     // it may become one that the database knows
	saves  []string // its savepoints
	seen   int64    // the session's commits when it read first; -1 before
}

// control is conn.Control for a transaction of which the database doesn't know.
func (z *lazy) control(text string) {
	name := text[strings.LastIndexByte(text, ' ')+1:]
	switch at := slices.Index(z.saves, name); {
	case text == "COMMIT" || text == "ROLLBACK":
		*z = lazy{}
	case strings.HasPrefix(text, "SAVEPOINT"):
		z.saves = append(z.saves, name)
	case at < 0:
	case strings.HasPrefix(text, "ROLLBACK TO"):
		z.saves = z.saves[:at+1]
	default:
		z.saves = z.saves[:at]
	}
}

// see says whether a transaction may still read, when it has the turn: what it sees is of
// one moment.
func (c *conn) see() error {
	if c.one == nil || !c.lazy.on || c.lazy.writes {
		return nil
	}
	switch commits := c.one.commits.Load(); c.lazy.seen {
	case -1:
		c.lazy.seen = commits
	case commits:
	default:
		return &tablet.Error{Code: tablet.CodeConflict,
			Message: "another transaction has changed this shard since this one began to read it; retry the transaction"}
	}
	return nil
}

// known makes a lazy transaction one that the database knows, and that has the turn.
func (c *conn) known(ctx context.Context) error {
	if _, err := c.Await(c.patient(ctx)); err != nil {
		return err
	}
	saves := c.lazy.saves
	err := c.claim(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED; ")
	c.has = false // the transaction's now
	if err == nil && len(saves) > 0 {
		_, err = c.run(ctx, "SAVEPOINT "+strings.Join(saves, "; SAVEPOINT "))
	}
	if err != nil {
		c.open = true
		_ = c.Control("ROLLBACK")
	}
	return err
}
