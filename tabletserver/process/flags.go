package process

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/service"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/host"
)

// UsageError says what was wrong with the arguments.
type UsageError string

// Error gives the text.
func (e UsageError) Error() string { return string(e) }

// tokenVariable names the environment's variable that holds one token.
const tokenVariable = "VITESSDO_TOKEN"

// Process is a tablet server as its flags want it.
type Process struct {
	listen, tokens, cert, key string
	open                      bool
	origins, peers            string
	peerToken, synchronous    string
	format, level             string
	console                   bool
	connections               int
	host                      host.Options
	server                    rpc.ServerOptions
	session                   capnweb.Options
	grace, slow               time.Duration
	log                       *slog.Logger
	known                     *service.Tokens
	flags                     *flag.FlagSet
}

// New makes a process without any flags given.
func New() *Process { return &Process{} }

// Flags adds what the server can be told, before [Process.Serve].
func (c *Process) Flags(fs *flag.FlagSet) {
	c.flags = fs
	fs.StringVar(&c.listen, "listen", "127.0.0.1:8400", "`address` to serve at, over HTTP and WebSockets")
	fs.StringVar(&c.tokens, "tokens", "", "`file` that says who may come in: lines \"TOKEN NAME [read-only] [keyspace=NAME ...]\"; the variable "+tokenVariable+" can hold one more, that may do everything")
	fs.StringVar(&c.cert, "tls-cert", "", "`file` of the certificate, to serve https and wss; read again when it changes")
	fs.StringVar(&c.key, "tls-key", "", "`file` of its key")
	fs.BoolVar(&c.open, "open", false, "let everybody in, also from other machines")
	fs.StringVar(&c.origins, "origins", "", "other `hosts` whose web pages may speak to this server, separated by commas")
	fs.StringVar(&c.peers, "peers", "", "`URLs` of the other tablet servers, separated by commas, when shards of one database are spread over several")
	fs.StringVar(&c.peerToken, "peer-token", "", "`file` that holds the token that the peers want")
	fs.StringVar(&c.synchronous, "synchronous", "full", "when a commit is on the disk: full, normal or off")
	fs.DurationVar(&c.host.Tablet.LockWait, "lock-wait", 10*time.Second, "how long a write waits for its shard's lock")
	fs.IntVar(&c.host.MaxOpen, "max-tablets", 256, "databases that are open at once")
	fs.DurationVar(&c.host.Idle, "tablet-idle", 5*time.Minute, "how long one stays open that nobody uses")
	c.limits(fs)
	fs.DurationVar(&c.server.Idle, "idle", 30*time.Second, "how long a transaction waits for its client over HTTP")
	fs.DurationVar(&c.server.SocketIdle, "socket-idle", 10*time.Minute, "how long a transaction waits for its client over a WebSocket")
	fs.DurationVar(&c.host.Tablet.Remember, "remember", 5*time.Minute, "how long a request that changes something can be sent again and is carried out once, also after a crash")
	fs.DurationVar(&c.grace, "grace", 10*time.Second, "what is open has so long to end when the server is told to")
	fs.DurationVar(&c.slow, "slow", time.Second, "requests that take longer are logged")
	fs.BoolVar(&c.console, "console", false, "serve a page for people at /console/")
	fs.StringVar(&c.format, "log", "text", "how to log: text or json")
	fs.StringVar(&c.level, "log-level", "info", "what to log: debug, info, warn or error")
}

func (c *Process) limits(fs *flag.FlagSet) {
	l := &c.server.Limits
	fs.IntVar(&c.connections, "max-connections", 20_000, "connections at once; others wait")
	fs.IntVar(&l.Sessions, "max-sessions", 10_000, "WebSockets at once")
	fs.IntVar(&l.Running, "max-running", 10_000, "requests at once")
	fs.IntVar(&l.Transactions, "max-transactions", 1000, "transactions of one shard at once")
	fs.IntVar(&c.session.Limits.MessageBytes, "max-message-bytes", 32<<20, "size of a message, and of a value or row")
	fs.IntVar(&l.StatementBytes, "max-statement-bytes", 1<<20, "size of a statement")
	fs.IntVar(&l.Statements, "max-batch", 100_000, "statements of one request")
	fs.Int64Var(&l.ResultRows, "max-result-rows", 100_000_000, "rows that one statement gives")
	fs.Int64Var(&l.ResultBytes, "max-result-bytes", 16<<30, "bytes that one statement gives")
}

// settle checks the flags and fills in what follows from them. env reads the
// environment.
func (c *Process) settle(dir string, env func(string) string, logs io.Writer) error {
	if err := positive(c.flags); err != nil {
		return err
	}
	c.host.Dir = dir
	c.host.OpenWait = min(c.host.Tablet.LockWait, maxOpenWait)
	c.host.Tablet.Guard = true
	c.host.Tablet.Limits.Value = c.session.Limits.MessageBytes // what can't travel needn't be made
	switch c.host.Tablet.Synchronous = tabletserver.Synchronous(c.synchronous); c.host.Tablet.Synchronous {
	case tabletserver.Full, tabletserver.Normal, tabletserver.Off:
	default:
		return UsageError(fmt.Sprintf("--synchronous is %q; it may be full, normal or off", c.synchronous))
	}
	c.server.Origins = list(c.origins)
	var err error
	if c.log, err = service.Logger(logs, c.format, c.level); err != nil {
		return UsageError(err.Error())
	}
	return c.admission(env(tokenVariable))
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// maxOpenWait bounds the wait for a database that can't be opened yet, as too many
// are in use.
const maxOpenWait = 5 * time.Second

// positive refuses limits and times that aren't above zero.
func positive(fs *flag.FlagSet) (err error) {
	fs.VisitAll(func(f *flag.Flag) {
		if g, ok := f.Value.(flag.Getter); ok && err == nil {
			switch v := g.Get().(type) {
			case int:
				if v <= 0 {
					err = UsageError(fmt.Sprintf("--%s is %d; it must be above zero", f.Name, v))
				}
			case int64:
				if v <= 0 {
					err = UsageError(fmt.Sprintf("--%s is %d; it must be above zero", f.Name, v))
				}
			case time.Duration:
				if v <= 0 {
					err = UsageError(fmt.Sprintf("--%s is %v; it must be above zero", f.Name, v))
				}
			}
		}
	})
	return err
}

// admission finds out who may come in.
func (c *Process) admission(token string) error {
	var err error
	if c.tokens != "" {
		if c.known, err = service.TokenFile(c.tokens, true); err != nil {
			return err
		}
	}
	if token != "" {
		if c.known == nil {
			c.known = &service.Tokens{}
		}
		if err := c.known.Add(token, service.Grant{Name: tokenVariable}); err != nil {
			return UsageError(err.Error())
		}
	}
	exposed, err := service.Exposed(c.listen)
	if err != nil {
		return UsageError(err.Error())
	}
	if exposed && c.known == nil && !c.open {
		return UsageError(fmt.Sprintf("everybody could reach %s and do everything: give --tokens FILE, or --open if that is wanted", c.listen))
	}
	return nil
}
