package mysql

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	wire "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/server"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/service"
)

// Options say how a server serves. The zero value is usable, and lets everybody in.
type Options struct {
	// Users are those who may connect; nil lets everybody do everything, without a
	// password.
	Users Users
	// TLS encrypts the connections of clients that wish so; RequireTLS refuses the
	// others.
	TLS        *tls.Config
	RequireTLS bool
	// MaxConnections bounds the connections; default 1000.
	MaxConnections int
	// MaxPacket bounds a statement with its values, in bytes; default 64 MiB.
	MaxPacket int
	// MaxStatements bounds what a connection has prepared; default 16382.
	MaxStatements int
	// Idle ends connections that say nothing for so long; default 8 h.
	Idle time.Duration
	// Slow is how long a client may take to send a statement that it has begun, or
	// to take what is sent to it; default 60 s.
	Slow time.Duration
	// Log gets what goes wrong, without statements and their values; default
	// slog.Default.
	Log *slog.Logger
}

func (o Options) complete() Options {
	for _, f := range []struct {
		v *int
		d int
	}{{&o.MaxConnections, 1000}, {&o.MaxPacket, 64 << 20}, {&o.MaxStatements, 16382}} {
		if *f.v <= 0 {
			*f.v = f.d
		}
	}
	if o.Idle <= 0 {
		o.Idle = 8 * time.Hour
	}
	if o.Slow <= 0 {
		o.Slow = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Server serves one database. It is safe for concurrent use.
type Server struct {
	opts    Options
	db      *vitessdo.Connector
	door    atomic.Pointer[door]
	secret  *rsa.PrivateKey
	version string
	nobody  string // a password that nobody has
	told    numbers
	began   time.Time

	mu     sync.Mutex
	closed bool
	open   map[uint32]*conn // by the session's number
	count  int              // connections, those that are being greeted too
	all    sync.WaitGroup
}

// key is what passwords are encrypted with on connections without TLS; one for the
// process, since making it takes long.
var key = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// New gives a server of a database. Close ends it; the connector stays open.
func New(ctx context.Context, db *vitessdo.Connector, opts Options) (*Server, error) {
	s := &Server{opts: opts.complete(), db: db, open: map[uint32]*conn{}, began: time.Now()}
	version, err := versionOf(ctx, db)
	if err != nil {
		return nil, err
	}
	s.secret, err = key()
	if err != nil {
		return nil, err
	}
	s.version, s.nobody = version, rand.Text()
	s.door.Store(s.newDoor(s.opts.Users))
	s.told.init(s)
	return s, nil
}

// door is where clients are asked who they are. It remembers whose password was right.
type door struct {
	users     Users // nil: anybody
	hello     *server.Server
	passwords server.AuthenticationHandler
}

func (s *Server) newDoor(users Users) *door {
	users = maps.Clone(users)
	for name, u := range users {
		u.Name = name
		users[name] = u
	}
	d := &door{users: users, passwords: &passwords{users, s.nobody}}
	auth := server.AuthenticationProvider(&proof{users: users})
	method := wire.AUTH_CACHING_SHA2_PASSWORD
	if users == nil {
		auth, method, d.passwords = anybody{}, wire.AUTH_NATIVE_PASSWORD, anybody{}
	}
	d.hello = server.NewServerWithAuth(s.version, utf8mb4, method, s.secret, s.opts.TLS, auth)
	return d
}

// knows says whether who was let in as u would be now.
func (d *door) knows(u User) bool { return d.users == nil || d.users[u.Name] == u }

// SetUsers has other users than before. The connections of those that are gone, or are
// others now, end, and what they have begun is rolled back. nil lets nobody in.
func (s *Server) SetUsers(users Users) {
	if users == nil {
		users = Users{}
	}
	d := s.newDoor(users)
	s.door.Store(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.open {
		if !d.knows(x.is()) {
			x.kill(true)
		}
	}
}

// versionOf asks the driver for the version that it tells its clients.
func versionOf(ctx context.Context, db *vitessdo.Connector) (string, error) {
	c, err := session(ctx, db)
	if err != nil {
		return "", err
	}
	defer c.Close()
	rows, err := all(ctx, c, "SELECT VERSION()")
	if err != nil {
		return "", err
	}
	v, _ := rows[0][0].(string)
	return v, nil
}

// anybody lets everybody in, whatever the password.
type anybody struct{}

func (anybody) Authenticate(*server.Conn, string, []byte) error { return nil }
func (anybody) Validate(string) bool                            { return true }
func (anybody) GetCredential(string) (server.Credential, bool, error) {
	return server.Credential{Passwords: []string{""}, AuthPluginName: wire.AUTH_NATIVE_PASSWORD}, true, nil
}
func (anybody) OnAuthSuccess(*server.Conn) error  { return nil }
func (anybody) OnAuthFailure(*server.Conn, error) {}

// Serve accepts connections until the listener is closed, which Close does.
func (s *Server) Serve(ctx context.Context, on net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = on.Close() })
	defer stop()
	for {
		c, err := on.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				continue
			}
			return err
		}
		if !s.enter() {
			s.told.refused.Add("", 1)
			refuse(c, wire.ER_CON_COUNT_ERROR, "08004", "Too many connections")
			continue
		}
		go func() {
			defer s.leave()
			s.serve(c)
		}()
	}
}

func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.count >= s.opts.MaxConnections {
		return false
	}
	s.count++
	s.all.Add(1)
	return true
}

func (s *Server) leave() {
	s.mu.Lock()
	s.count--
	s.mu.Unlock()
	s.all.Done()
}

// refuse tells why before it hangs up, in the packet that MySQL sends in place of
// its greeting.
func refuse(c net.Conn, number uint16, state, text string) {
	p := newPackets(c, 0, time.Second)
	if p.send(appendError(p.begin(), number, state, text)) == nil {
		_ = p.out.Flush()
	}
	_ = c.Close()
}

// serve serves one connection to its end.
func (s *Server) serve(c net.Conn) {
	defer c.Close()
	db, err := session(context.Background(), s.db)
	if err != nil {
		s.opts.Log.Error("no session for a connection", "error", err)
		refuse(c, wire.ER_UNKNOWN_ERROR, "HY000", "the database can't be opened")
		return
	}
	defer db.Close()
	f := &front{Conn: c, id: uint32(db.Status().ID), left: handshakeBytes}
	d := s.door.Load()
	hello, err := d.greet(f, &guest{AuthenticationHandler: d.passwords, s: s, db: db})
	if err != nil {
		s.told.refused.Add("", 1)
		s.opts.Log.Info("client refused", "from", c.RemoteAddr().String(), "reason", err)
		return
	}
	x := newConn(s, db, hello, f, d.users[hello.GetUser()])
	s.mu.Lock()
	closed := s.closed || !s.door.Load().knows(x.is())
	if !closed {
		s.open[x.id] = x
	}
	s.mu.Unlock()
	if closed {
		return
	}
	defer func() {
		s.mu.Lock()
		delete(s.open, x.id)
		s.mu.Unlock()
	}()
	s.opts.Log.Debug("connected", "id", x.id, "user", x.is().Name, "from", c.RemoteAddr().String())
	err = x.run()
	if err != nil && err != io.EOF && !errors.Is(err, net.ErrClosed) {
		s.opts.Log.Debug("connection ended", "id", x.id, "reason", err)
	}
}

// session gives a session of the driver that answers as MySQL's protocol has it.
func session(ctx context.Context, db *vitessdo.Connector) (*vitessdo.Conn, error) {
	c, err := db.Connect(ctx)
	if err != nil {
		return nil, err
	}
	x := c.(*vitessdo.Conn)
	x.Configure(func(c *vitessdo.Config) { c.ParseTime = false })
	return x, nil
}

// Shutdown ends idle connections at once, those that run a statement or are in a
// transaction when that is over, and all others when ctx ends.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	for _, x := range s.open {
		x.leaveSoon()
	}
	s.mu.Unlock()
	gone := make(chan struct{})
	go func() { s.all.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
		s.mu.Lock()
		for _, x := range s.open {
			x.kill(true)
		}
		s.mu.Unlock()
		<-gone
	}
}

// Close ends all connections. It returns when nothing of them runs any more.
func (s *Server) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Shutdown(ctx)
	return nil
}

// find gives a connection by the number that CONNECTION_ID() tells.
func (s *Server) find(id uint64) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id > 1<<32-1 {
		return nil
	}
	return s.open[uint32(id)]
}

// statistics writes what the client's command status prints.
func (s *Server) statistics(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Appendf(b, "Uptime: %d  Threads: %d", int(time.Since(s.began).Seconds()), len(s.open))
}

// Metrics serves the server's numbers in Prometheus's text format.
func (s *Server) Metrics() http.Handler { return &s.told.metrics }

// numbers are what the server tells of itself.
type numbers struct {
	metrics  service.Metrics
	commands *service.Counter
	failures *service.Counter
	refused  *service.Counter
	rows     *service.Counter
	took     *service.Histogram
}

func (n *numbers) init(s *Server) {
	m := &n.metrics
	n.commands = m.Counter("vitessdo_mysql_commands_total", "Commands by name.", "command")
	n.failures = m.Counter("vitessdo_mysql_errors_total", "Statements that failed, by MySQL's number.", "errno")
	n.refused = m.Counter("vitessdo_mysql_refused_total", "Connections that were refused.", "")
	n.rows = m.Counter("vitessdo_mysql_rows_total", "Rows that were sent.", "")
	n.took = m.Histogram("vitessdo_mysql_command_seconds", "How long commands took.")
	m.Gauge("vitessdo_mysql_connections", "Connections that are open.", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(s.count)
	})
}
