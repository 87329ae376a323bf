package mysql

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	wire "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/server"

	"github.com/vitessdo/vitessdo"
)

// What a client that isn't known yet may cost.
const (
	handshakeTime  = 10 * time.Second
	handshakeBytes = 64 << 10
)

// secureTransportRequired is MySQL's ER_SECURE_TRANSPORT_REQUIRED.
const secureTransportRequired = 3159

// more are the capabilities that go-mysql's greeting lacks and the commands here
// have.
const more = wire.CLIENT_FOUND_ROWS | wire.CLIENT_MULTI_STATEMENTS | wire.CLIENT_MULTI_RESULTS | wire.CLIENT_PS_MULTI_RESULTS | wire.CLIENT_INTERACTIVE

// front is a connection while its client is greeted: it completes the greeting, and
// bounds what may be sent before the password is right.
type front struct {
	net.Conn
	id      uint32 // of the session, for KILL
	salt    []byte // of the greeting's challenge
	greeted bool

	mu   sync.Mutex
	left int // bytes that may still come; -1: as many as will
}

var errTalkative = errors.New("the client sends too much before its password")

// Read bounds what comes.
func (f *front) Read(b []byte) (int, error) {
	f.mu.Lock()
	left := f.left
	f.mu.Unlock()
	if left == 0 {
		return 0, errTalkative
	}
	if left > 0 && len(b) > left {
		b = b[:left]
	}
	n, err := f.Conn.Read(b)
	if left > 0 {
		f.mu.Lock()
		f.left -= n
		f.mu.Unlock()
	}
	return n, err
}

// RemoteAddr is the client's address, with the challenge that it has to answer: all that
// go-mysql gives to who judges the answer.
func (f *front) RemoteAddr() net.Addr { return &challenged{f.Conn.RemoteAddr(), f} }

type challenged struct {
	net.Addr
	*front
}

// String is the host alone, as MySQL names it in its errors.
func (c *challenged) String() string { return hostOf(c.Addr) }

// hostOf is an address without its port.
func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// trusted lets everything pass from now on.
func (f *front) trusted() {
	f.mu.Lock()
	f.left = -1
	f.mu.Unlock()
}

// Write puts the session's number and the capabilities into the greeting, which is
// the first packet.
func (f *front) Write(b []byte) (int, error) {
	if !f.greeted {
		f.greeted = true
		var err error
		if f.salt, err = complete(b, f.id); err != nil {
			return 0, err
		}
	}
	return f.Conn.Write(b)
}

// complete changes a greeting, and gives the salt of its challenge: see
// "Protocol::HandshakeV10" in MySQL's manual of the protocol.
func complete(packet []byte, id uint32) (salt []byte, err error) {
	const header, version, challenge, between = 4, 1, 8 + 1, 2 + 1 + 2 + 2 + 1 + 10
	end := bytes.IndexByte(packet[min(len(packet), header+version):], 0)
	at := header + version + end + 1
	rest := at + 4 + challenge + between
	if end < 0 || len(packet) < rest+12 {
		return nil, errors.New("the greeting can't be completed")
	}
	binary.LittleEndian.PutUint32(packet[at:], id)
	low := packet[at+4+challenge:]
	high := low[2+1+2:]
	caps := more
	binary.LittleEndian.PutUint16(low, binary.LittleEndian.Uint16(low)|uint16(caps&0xffff))
	binary.LittleEndian.PutUint16(high, binary.LittleEndian.Uint16(high)|uint16(caps>>16))
	return append(append(salt, packet[at+4:at+4+8]...), packet[rest:rest+12]...), nil
}

// greet asks who the client is. What it gives has the connection, encrypted by now
// if the client has wished so.
func (d *door) greet(f *front, h *guest) (c *server.Conn, err error) {
	defer func() {
		// go-mysql takes the client's word for lengths.
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("the client's greeting is malformed: %v", r)
		}
	}()
	if err := f.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return nil, err
	}
	c, err = d.hello.NewCustomizedConn(f, h, h)
	if err != nil {
		return nil, err
	}
	f.trusted()
	return c, f.SetDeadline(time.Time{})
}

// guest is a client that is being greeted.
type guest struct {
	server.EmptyHandler          // commands don't come this way
	server.AuthenticationHandler // whose password it must know
	s                            *Server
	db                           *vitessdo.Conn
	database                     string
}

// UseDB implements server.Handler. Nothing is looked up before the password is
// known.
func (g *guest) UseDB(name string) error {
	g.database = name
	return nil
}

// OnAuthSuccess implements server.AuthenticationHandler: what is wrong after the
// password was right.
func (g *guest) OnAuthSuccess(c *server.Conn) error {
	if _, encrypted := c.Conn.Conn.(*tls.Conn); g.s.opts.RequireTLS && !encrypted {
		return &wire.MyError{Code: secureTransportRequired, State: "HY000", Message: "Connections using insecure transport are prohibited"}
	}
	if g.database == "" {
		return nil
	}
	if err := use(context.Background(), g.db, g.database); err != nil {
		f := failureOf(err)
		return &wire.MyError{Code: f.number, State: f.state, Message: f.text}
	}
	return nil
}

func use(ctx context.Context, c *vitessdo.Conn, name string) error {
	_, err := c.Run(ctx, "USE `"+strings.ReplaceAll(name, "`", "``")+"`", nil)
	return err
}
