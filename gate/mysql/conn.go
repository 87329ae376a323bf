package mysql

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	wire "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/server"

	"github.com/vitessdo/vitessdo"
)

// conn is a connection whose client is known.
type conn struct {
	s       *Server
	id      uint32
	db      *vitessdo.Conn
	p       *packets
	several bool  // a text may hold several statements
	charset uint8 // of text that is sent

	readOnly bool   // for good
	salt     []byte // of the greeting's challenge

	prepared map[uint32]*statement
	last     uint32  // number of a prepared statement
	streams  *cursor // the one whose rows come from the session; nil: none does

	mu      sync.Mutex
	user    User
	cancel  context.CancelFunc // of the command that runs
	inTx    bool               // after the last command
	leaving bool               // when it is idle
	killed  bool
}

func newConn(s *Server, db *vitessdo.Conn, hello *server.Conn, f *front, u User) *conn {
	c := &conn{
		s: s, id: f.id, salt: f.salt, db: db, p: newPackets(hello.Conn.Conn, s.opts.MaxPacket, s.opts.Slow),
		several: hello.HasCapability(wire.CLIENT_MULTI_STATEMENTS), charset: utf8mb4, prepared: map[uint32]*statement{},
	}
	if isUTF8MB4(hello.Charset()) {
		c.charset = hello.Charset()
	}
	if hello.HasCapability(wire.CLIENT_FOUND_ROWS) {
		db.Configure(func(c *vitessdo.Config) { c.ClientFoundRows = true })
	}
	u.Name = hello.GetUser()
	c.identify(u)
	return c
}

// identify notes whose the connection is.
func (c *conn) identify(u User) {
	c.mu.Lock()
	c.user = u
	c.mu.Unlock()
	c.db.Identify(u.Name + "@" + hostOf(c.p.RemoteAddr()))
	if u.ReadOnly && !c.readOnly {
		c.readOnly = true
		c.db.RefuseWrites()
	}
}

// is tells whose the connection is.
func (c *conn) is() User {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// run carries out commands until the client has none any more.
func (c *conn) run() error {
	for {
		message, err := c.p.command(c.s.opts.Idle)
		if n, large := errors.AsType[tooLarge](err); large {
			_ = c.fail(&failure{wire.ER_NET_PACKET_TOO_LARGE, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes (" + strconv.Itoa(int(n)) + ")"})
			_ = c.p.out.Flush()
			return err
		}
		if err != nil {
			return err
		}
		if len(message) == 0 {
			return errors.New("a command of no bytes")
		}
		if message[0] == wire.COM_QUIT {
			return nil
		}
		began := time.Now()
		if message[0] == wire.COM_CHANGE_USER {
			err = c.changeUser(message[1:])
		} else if err = c.carryOut(message[0], message[1:]); err == nil {
			err = c.p.out.Flush()
		}
		c.s.told.took.Observe(time.Since(began))
		if err != nil {
			return err
		}
		if st := c.db.Status(); st.Closed || c.goes(st.InTransaction) {
			return nil
		}
	}
}

// carryOut runs one command with a context that ends when the client goes or the
// command is killed.
func (c *conn) carryOut(command byte, body []byte) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.mu.Lock()
	c.cancel = cancel
	killed := c.killed
	c.mu.Unlock()
	if killed {
		return net.ErrClosed
	}
	defer func() {
		c.mu.Lock()
		c.cancel = nil
		c.mu.Unlock()
	}()
	defer c.watch(cancel)()
	err := c.dispatch(ctx, command, body)
	if lost, ok := errors.AsType[*lostError](err); ok {
		return lost.error
	}
	if err != nil {
		return c.fail(err)
	}
	return nil
}

// lostError is of the connection and not of the statement.
type lostError struct{ error }

// watchAfter is how long a command runs before its client is watched: most are done
// by then.
const watchAfter = 50 * time.Millisecond

// watch calls gone when the client hangs up while a command runs. The result ends
// that.
func (c *conn) watch(gone func()) func() {
	var started, stopped bool
	var mu sync.Mutex
	done := make(chan struct{})
	timer := time.AfterFunc(watchAfter, func() {
		mu.Lock()
		if stopped {
			mu.Unlock()
			return
		}
		started = true
		_ = c.p.SetReadDeadline(time.Time{})
		mu.Unlock()
		defer close(done)
		if _, err := c.p.in.Peek(1); err != nil {
			if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
				gone()
			}
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		stopped = true
		running := started
		if running {
			_ = c.p.SetReadDeadline(time.Unix(1, 0)) // Peek returns
		}
		mu.Unlock()
		if running {
			<-done
		}
	}
}

// kill interrupts what runs, and with all ends the connection.
func (c *conn) kill(all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
	if all {
		c.killed = true
		_ = c.p.Conn.Close()
	}
}

// leaveSoon ends the connection when it runs nothing and is in no transaction.
func (c *conn) leaveSoon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	if c.cancel == nil && !c.inTx {
		_ = c.p.Conn.Close()
	}
}

// goes notes how a command has left the session, and says whether the connection is
// to end.
func (c *conn) goes(inTransaction bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inTx = inTransaction
	return c.killed || c.leaving && !inTransaction
}

// dispatch carries out a command, and answers it unless it fails.
func (c *conn) dispatch(ctx context.Context, command byte, body []byte) error {
	name, known := commands[command]
	if !known {
		name = "other"
	}
	c.s.told.commands.Add(name, 1)
	switch command {
	case wire.COM_QUERY, wire.COM_STMT_PREPARE, wire.COM_INIT_DB, wire.COM_FIELD_LIST:
		c.settle()
	}
	switch command {
	case wire.COM_QUERY:
		return c.query(ctx, string(body))
	case wire.COM_STMT_PREPARE:
		return c.prepare(ctx, string(body))
	case wire.COM_STMT_EXECUTE:
		return c.execute(ctx, body)
	case wire.COM_STMT_SEND_LONG_DATA:
		c.longData(body)
		return nil
	case wire.COM_STMT_FETCH:
		return c.fetch(ctx, body)
	case wire.COM_STMT_CLOSE:
		c.closeStatement(body)
		return nil
	case wire.COM_STMT_RESET:
		return c.resetStatement(body)
	case wire.COM_PING:
		return c.ok(0, 0)
	case wire.COM_INIT_DB:
		if err := use(ctx, c.db, string(body)); err != nil {
			return err
		}
		return c.ok(0, 0)
	case wire.COM_FIELD_LIST:
		return c.fieldList(body)
	case wire.COM_STATISTICS:
		return c.send(c.s.statistics(c.p.begin()))
	case wire.COM_SET_OPTION:
		return c.setOption(body)
	case wire.COM_PROCESS_KILL:
		id, _ := number(body)
		if err := c.killOther(uint64(id), true); err != nil {
			return err
		}
		return c.ok(0, 0)
	case comResetConnection:
		return c.reset()
	}
	return &failure{wire.ER_UNKNOWN_COM_ERROR, "08S01", "Unknown command"}
}

const comResetConnection = 0x1f

var commands = map[byte]string{
	wire.COM_QUERY: "query", wire.COM_STMT_PREPARE: "prepare", wire.COM_STMT_EXECUTE: "execute", wire.COM_STMT_SEND_LONG_DATA: "long data",
	wire.COM_STMT_FETCH: "fetch", wire.COM_STMT_CLOSE: "close", wire.COM_STMT_RESET: "reset statement", wire.COM_PING: "ping", wire.COM_INIT_DB: "init db",
	wire.COM_FIELD_LIST: "field list", wire.COM_SET_OPTION: "set option", wire.COM_PROCESS_KILL: "kill", comResetConnection: "reset connection",
	wire.COM_STATISTICS: "statistics", wire.COM_CHANGE_USER: "change user",
}

// reset makes the connection as good as new.
func (c *conn) reset() error {
	c.drop()
	if err := c.db.Renew(); err != nil {
		return err
	}
	return c.ok(0, 0)
}

// setOption lets a client send several statements in a text, or not.
func (c *conn) setOption(body []byte) error {
	switch {
	case len(body) >= 2 && body[0] == 0 && body[1] == 0:
		c.several = true
	case len(body) >= 2 && body[0] == 1 && body[1] == 0:
		c.several = false
	default:
		return &failure{wire.ER_UNKNOWN_COM_ERROR, "08S01", "Unknown option"}
	}
	return c.eof(0)
}

// fieldList describes the columns of a table.
func (c *conn) fieldList(body []byte) error {
	table, _, _ := strings.Cut(string(body), "\x00")
	st, err := c.db.Prepare("SELECT * FROM `" + strings.ReplaceAll(table, "`", "``") + "`")
	if err != nil {
		return err
	}
	for _, col := range st.(*vitessdo.Stmt).Describe() {
		f := c.field(col)
		if err := c.send(append(f.append(c.p.begin()), 0xfb)); err != nil { // and no default value
			return err
		}
	}
	return c.eof(0)
}

// killOther carries out KILL.
func (c *conn) killOther(id uint64, all bool) error {
	x := c.s.find(id)
	switch {
	case x == nil:
		return &failure{wire.ER_NO_SUCH_THREAD, "HY000", "Unknown thread id: " + strconv.FormatUint(id, 10)}
	case x.is().Name != c.is().Name:
		return &failure{wire.ER_KILL_DENIED_ERROR, "HY000", "You are not owner of thread " + strconv.FormatUint(id, 10)}
	}
	x.kill(all)
	return nil
}

// all reads a small result of the server's own.
func all(ctx context.Context, c *vitessdo.Conn, query string) ([][]any, error) {
	out, err := c.Run(ctx, query, nil)
	if err != nil || out.Rows == nil {
		return nil, err
	}
	defer out.Rows.Close()
	var list [][]any
	for {
		row, err := next(out)
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
}
