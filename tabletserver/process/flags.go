package process

import (
	"errors"
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

// Usage describes the flags.
const Usage = `  -listen ADDRESS      serve there, over HTTP and WebSockets (127.0.0.1:8400)
  -tokens FILE         who may come in: lines "TOKEN NAME [read-only]
                       [keyspace=NAME …]"; the variable VITESSDO_TOKEN can hold
                       one more, that may do everything
  -tls-cert, -tls-key FILE
                       serve https and wss; read again when they change
  -open                let everybody in, also from other machines
  -origins HOST,…      hosts whose web pages may open WebSockets
  -peers URL,…         the other tablet servers, when shards of one database are
                       spread over several; -peer-token FILE holds the token
                       that they want
  -synchronous full|normal|off
                       when a commit is on the disk (full)
  -lock-wait TIME      how long a write waits for its shard's lock (10s)
  -max-tablets N, -tablet-idle TIME
                       databases that are open at once (256); how long one stays
                       open that nobody uses (5m)
  -max-sessions N, -max-running N, -max-transactions N
                       WebSockets (10000), requests (10000), and transactions of
                       one shard (1000) at once
  -max-message-bytes N, -max-statement-bytes N, -max-batch N
                       sizes of a message (32 MiB) and a statement (1 MiB), and
                       how many of these one request has (100000)
  -max-result-rows N, -max-result-bytes N
                       what one statement gives (100 million rows, 16 GiB)
  -idle TIME, -socket-idle TIME
                       how long a transaction waits for its client over HTTP
                       (30s) and over a WebSocket (10m)
  -remember TIME       how long a request that changes something can be sent again
                       and is carried out once, also after a crash (5m)
  -grace TIME          what is open has so long to end when the server is told to
                       (10s)
  -slow TIME           requests that take longer are logged (1s)
  -log text|json       how to log; -log-level debug|info|warn|error
`

// config is what the arguments say.
type config struct {
	listen, tokens, cert, key string
	open                      bool
	peers                     []string
	peerToken                 string
	host                      host.Options
	server                    rpc.ServerOptions
	session                   capnweb.Options
	grace, slow               time.Duration
	log                       *slog.Logger
	known                     *service.Tokens
}

// parse reads the arguments. env reads the environment.
func parse(args []string, env func(string) string, logs io.Writer) (*config, error) {
	c := &config{}
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&c.listen, "listen", "127.0.0.1:8400", "")
	fs.StringVar(&c.tokens, "tokens", "", "")
	fs.StringVar(&c.cert, "tls-cert", "", "")
	fs.StringVar(&c.key, "tls-key", "", "")
	fs.BoolVar(&c.open, "open", false, "")
	origins := fs.String("origins", "", "")
	fs.Func("peers", "", func(list string) error {
		c.peers = strings.Split(list, ",")
		return nil
	})
	fs.StringVar(&c.peerToken, "peer-token", "", "")
	level := fs.String("synchronous", "full", "")
	fs.DurationVar(&c.host.Tablet.LockWait, "lock-wait", 10*time.Second, "")
	fs.IntVar(&c.host.MaxOpen, "max-tablets", 256, "")
	fs.DurationVar(&c.host.Idle, "tablet-idle", 5*time.Minute, "")
	l := &c.server.Limits
	fs.IntVar(&l.Sessions, "max-sessions", 10_000, "")
	fs.IntVar(&l.Running, "max-running", 10_000, "")
	fs.IntVar(&l.Transactions, "max-transactions", 1000, "")
	fs.IntVar(&c.session.Limits.MessageBytes, "max-message-bytes", 32<<20, "")
	fs.IntVar(&l.StatementBytes, "max-statement-bytes", 1<<20, "")
	fs.IntVar(&l.Statements, "max-batch", 100_000, "")
	fs.Int64Var(&l.ResultRows, "max-result-rows", 100_000_000, "")
	fs.Int64Var(&l.ResultBytes, "max-result-bytes", 16<<30, "")
	fs.DurationVar(&c.server.Idle, "idle", 30*time.Second, "")
	fs.DurationVar(&c.server.SocketIdle, "socket-idle", 10*time.Minute, "")
	fs.DurationVar(&c.host.Tablet.Remember, "remember", 5*time.Minute, "")
	fs.DurationVar(&c.grace, "grace", 10*time.Second, "")
	fs.DurationVar(&c.slow, "slow", time.Second, "")
	format, verbosity := fs.String("log", "text", ""), fs.String("log-level", "info", "")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, UsageError(err.Error())
	}
	if fs.NArg() != 1 {
		return nil, UsageError(fmt.Sprintf("%d data directories given, 1 needed, behind the flags", fs.NArg()))
	}
	if err := positive(fs); err != nil {
		return nil, err
	}
	c.host.Dir = fs.Arg(0)
	c.host.OpenWait = min(c.host.Tablet.LockWait, maxOpenWait)
	c.host.Tablet.Guard = true
	switch c.host.Tablet.Synchronous = tabletserver.Synchronous(*level); c.host.Tablet.Synchronous {
	case tabletserver.Full, tabletserver.Normal, tabletserver.Off:
	default:
		return nil, UsageError(fmt.Sprintf("-synchronous is %q; it may be full, normal or off", *level))
	}
	if *origins != "" {
		c.server.Origins = strings.Split(*origins, ",")
	}
	var err error
	if c.log, err = service.Logger(logs, *format, *verbosity); err != nil {
		return nil, UsageError(err.Error())
	}
	return c, c.admission(env(tokenVariable))
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
					err = UsageError(fmt.Sprintf("-%s is %d; it must be above zero", f.Name, v))
				}
			case int64:
				if v <= 0 {
					err = UsageError(fmt.Sprintf("-%s is %d; it must be above zero", f.Name, v))
				}
			case time.Duration:
				if v <= 0 {
					err = UsageError(fmt.Sprintf("-%s is %v; it must be above zero", f.Name, v))
				}
			}
		}
	})
	return err
}

// admission finds out who may come in.
func (c *config) admission(token string) error {
	var err error
	if c.tokens != "" {
		if c.known, err = service.TokenFile(c.tokens); err != nil {
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
		return UsageError(fmt.Sprintf("everybody could reach %s and do everything: give -tokens FILE, or -open if that is wanted", c.listen))
	}
	return nil
}
