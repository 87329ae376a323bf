package mysql

import (
	"bytes"
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/vitessdo/vitessdo/internal/await"
	"github.com/vitessdo/vitessdo/internal/servicetest"
)

var team = Users{
	"app":    {Name: "app", Password: "secret"},
	"report": {Name: "report", Password: "reading", ReadOnly: true},
	"old":    {Name: "old", Password: "native", Native: true},
}

func TestPasswords(t *testing.T) {
	s := serve(t, Options{Users: team}, "CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES(1)")
	var texts []string
	for who, comesIn := range map[string]bool{
		"app:secret": true, "report:reading": true, "old:native": true,
		"app:wrong": false, "app": false, "old:wrong": false, "old": false, "nobody:secret": false, "nobody": false, ":secret": false, "": false,
	} {
		for range 2 { // the second time its hash is kept
			err := s.connect(t, who, "").PingContext(t.Context())
			if comesIn != (err == nil) {
				t.Errorf("%q: %v", who, err)
			}
			var e *driver.MySQLError
			if err != nil && (!errors.As(err, &e) || e.Number != 1045) {
				t.Errorf("%q: %v; want error 1045", who, err)
			} else if err != nil {
				texts = append(texts, strings.NewReplacer("app", "X", "nobody", "X", "old", "X").Replace(e.Message))
			}
		}
	}
	for _, x := range texts {
		if strings.Contains(x, "secret") || !strings.HasPrefix(x, "Access denied for user '") || !strings.Contains(x, "'@'127.0.0.1' (using password: ") {
			t.Errorf("the error says %s", x)
		}
	}
	reader := s.connect(t, "report:reading", "")
	if got := rowsOf(t, reader, "SELECT * FROM t"); got != "1" {
		t.Errorf("a reader reads %s", got)
	}
	for _, query := range []string{"DELETE FROM t", "DROP TABLE t", "CREATE DATABASE x", "TRUNCATE t"} {
		_, err := reader.ExecContext(t.Context(), query)
		wantErrno(t, err, 1290)
	}
}

// certificate gives a server's side and a client's side of TLS.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	cert, key := servicetest.Certificate(t, t.TempDir(), 1)
	pair, err := tls.LoadX509KeyPair(cert, key)
	must(t, err)
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: servicetest.Roots(t, cert), ServerName: "127.0.0.1"}
}

func TestTLS(t *testing.T) {
	ours, theirs := certificate(t)
	must(t, driver.RegisterTLSConfig("gate", theirs))
	s := serve(t, Options{Users: team, TLS: ours, RequireTLS: true})
	if got := rowsOf(t, s.connect(t, "app:secret", "tls=gate"), "SELECT 1"); got != "1" {
		t.Errorf("over TLS: %s", got)
	}
	if got := rowsOf(t, s.connect(t, "old:native", "tls=gate"), "SELECT REPEAT('x', 100000)"); len(got) < 100000 {
		t.Errorf("over TLS: %.50s", got)
	}
	// A statement that runs long enough for its client to be watched, and the next one.
	c, err := s.connect(t, "app:secret", "tls=gate").Conn(t.Context())
	must(t, err)
	defer c.Close()
	if got := rowsOf(t, c, "SELECT SLEEP(0.1)") + rowsOf(t, c, "SELECT USER()"); got != `0"app@127.0.0.1"` {
		t.Errorf("over TLS: %s", got)
	}
	wantErrno(t, s.connect(t, "app:secret", "").PingContext(t.Context()), 3159)
	wantErrno(t, s.connect(t, "app:wrong", "tls=gate").PingContext(t.Context()), 1045)
}

func TestUserFiles(t *testing.T) {
	users, err := ReadUsers(strings.NewReader("# team\n\napp secret\nreport reading read-only\nold native native\n"))
	if err != nil || fmt.Sprint(users) != fmt.Sprint(team) {
		t.Errorf("%v, %v", users, err)
	}
	for text, want := range map[string]string{"": "no user", "app": "no password", "a b admin": `"admin"`, "a b\na c": "again"} {
		if _, err := ReadUsers(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want one about %s", text, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "users")
	must(t, os.WriteFile(path, []byte("a b\n"), 0o600))
	if _, err := UserFile(path); err != nil {
		t.Error(err)
	}
}

// When the users change, those who are others now, or gone, are no longer connected, and
// what they have begun is rolled back. A password that was right once isn't remembered.
func TestUsersChange(t *testing.T) {
	users := Users{"reads": {Password: "reading"}, "stays": {Password: "staying"}}
	maps.Copy(users, team)
	s := serve(t, Options{Users: users}, "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	open := map[string]*sql.Conn{}
	for who := range map[string]bool{"app:secret": true, "report:reading": true, "old:native": true, "stays:staying": true, "reads:reading": true} {
		for range 2 {
			c, err := s.connect(t, who, "").Conn(t.Context())
			must(t, err)
			defer c.Close()
			open[who] = c
		}
	}
	for _, who := range []string{"app:secret", "old:native"} {
		for i, q := range []string{"BEGIN", "INSERT INTO t VALUES(1)"} {
			if i == 0 || who == "app:secret" {
				_, err := open[who].ExecContext(t.Context(), q)
				must(t, err)
			}
		}
	}
	s.SetUsers(Users{"app": {Password: "other"}, "stays": users["stays"], "reads": {Password: "reading", ReadOnly: true}, "new": {Password: "here"}})
	for who, c := range open {
		if err := c.PingContext(t.Context()); (err == nil) != (who == "stays:staying") {
			t.Errorf("a connection of %s: %v", who, err)
		}
	}
	for _, who := range []string{"app:secret", "report:reading", "old:native"} {
		wantErrno(t, s.connect(t, who, "").PingContext(t.Context()), 1045)
	}
	for _, who := range []string{"app:other", "stays:staying", "new:here", "reads:reading"} {
		must(t, s.connect(t, who, "").PingContext(t.Context()))
	}
	_, err := s.connect(t, "reads:reading", "").ExecContext(t.Context(), "INSERT INTO t VALUES(2)")
	wantErrno(t, err, 1290)
	_, err = open["stays:staying"].ExecContext(t.Context(), "INSERT INTO t VALUES(1)")
	must(t, err)
	if got := rowsOf(t, open["stays:staying"], "SELECT * FROM t"); got != "1" {
		t.Errorf("there is %s", got)
	}
}

func TestKill(t *testing.T) {
	s := serve(t, Options{Users: team})
	app := s.connect(t, "app:secret", "")
	victim, err := app.Conn(t.Context())
	must(t, err)
	defer victim.Close()
	var id uint64
	must(t, victim.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id))
	runs := func() bool {
		x := s.find(id)
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.cancel != nil
	}
	slow := func() chan error {
		done := make(chan error, 1)
		go func() {
			_, err := victim.ExecContext(context.Background(), "DO SLEEP(60)")
			done <- err
		}()
		await.True(t, "it runs", runs)
		return done
	}
	done := slow()
	_, err = s.connect(t, "report:reading", "").ExecContext(t.Context(), fmt.Sprint("KILL QUERY ", id))
	wantErrno(t, err, 1095)
	_, err = app.ExecContext(t.Context(), fmt.Sprint("KILL QUERY ", id))
	must(t, err)
	wantErrno(t, <-done, 1317)
	done = slow()
	_, err = app.ExecContext(t.Context(), fmt.Sprint("/* bye */ KILL ", id))
	must(t, err)
	if err := <-done; err == nil {
		t.Error("the statement of a killed connection is done")
	}
	await.True(t, "the connection is gone", func() bool { return s.find(id) == nil })
}

// The transaction of a client that goes is rolled back, and its statement interrupted.
func TestClientsThatGo(t *testing.T) {
	s := serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	c := newRaw(t, s.addr)
	c.login()
	c.command(append([]byte{3}, "BEGIN"...))
	c.command(append([]byte{3}, "INSERT INTO t VALUES(1)"...))
	c.send(0, append([]byte{3}, "SELECT SLEEP(60)"...))
	await.True(t, "it runs", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, x := range s.open {
			x.mu.Lock()
			running := x.cancel != nil
			x.mu.Unlock()
			if running {
				return true
			}
		}
		return false
	})
	_ = c.Close()
	await.True(t, "its connection is gone", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.open) == 0 })
	if got := rowsOf(t, s.connect(t, "root", ""), "SELECT COUNT(*) FROM t"); got != "0" {
		t.Errorf("%s rows are there", got)
	}
}

func TestLimits(t *testing.T) {
	s := serve(t, Options{MaxConnections: 2, MaxPacket: 1 << 20, MaxStatements: 3})
	c := s.conn(t, "maxAllowedPacket=0")
	two := s.conn(t, "maxAllowedPacket=67108864")
	wantErrno(t, s.connect(t, "root", "").PingContext(t.Context()), 1040)
	_, err := two.ExecContext(t.Context(), "SELECT '"+strings.Repeat("x", 2<<20)+"'")
	if err == nil {
		t.Error("a statement beyond the limit is taken")
	}
	var list []*sql.Stmt
	for range 3 {
		st, err := c.PrepareContext(t.Context(), "SELECT 1")
		must(t, err)
		list = append(list, st)
	}
	_, err = c.PrepareContext(t.Context(), "SELECT 1")
	wantErrno(t, err, 1461)
	must(t, list[0].Close())
	if got := rowsOf(t, c, "SELECT ?", 1); got != "1" {
		t.Error(got)
	}
	await.True(t, "the connection that was too large has ended", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.count == 1 })
}

// A client that begins and doesn't go on is hung up on.
func TestSlowClients(t *testing.T) {
	s := serve(t, Options{Slow: 200 * time.Millisecond, Idle: time.Minute})
	c := newRaw(t, s.addr)
	c.login()
	_, err := c.Write([]byte{100, 0, 0, 0, 3})
	must(t, err)
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("half a command: %v; want the end", err)
	}
	// One that doesn't read what is sent to it.
	c = newRaw(t, s.addr)
	c.login()
	c.send(0, append([]byte{3}, "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i, REPEAT('x', 10000) FROM n"...))
	await.True(t, "the connection is gone", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.open) == 0 })
	s = serve(t, Options{Idle: 200 * time.Millisecond})
	c = newRaw(t, s.addr)
	c.login()
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("an idle connection: %v; want the end", err)
	}
}

// raw speaks the protocol by hand.
type raw struct {
	net.Conn
	t        *testing.T
	greeting []byte
}

func newRaw(t *testing.T, addr string) *raw {
	t.Helper()
	n, err := net.Dial("tcp", addr)
	must(t, err)
	must(t, n.SetDeadline(time.Now().Add(20*time.Second)))
	t.Cleanup(func() { _ = n.Close() })
	c := &raw{Conn: n, t: t}
	c.greeting = c.receive()
	return c
}

func (c *raw) send(seq byte, body []byte) {
	c.t.Helper()
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	head[3] = seq
	_, err := c.Write(append(head, body...))
	must(c.t, err)
}

func (c *raw) receive() []byte {
	c.t.Helper()
	var head [4]byte
	_, err := io.ReadFull(c, head[:])
	must(c.t, err)
	body := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, err = io.ReadFull(c, body)
	must(c.t, err)
	return body
}

func (c *raw) command(body []byte) []byte {
	c.t.Helper()
	c.send(0, body)
	return c.receive()
}

// response is a client's answer to the greeting.
func response(user string) []byte {
	const protocol41, secure, plugin = 1 << 9, 1 << 15, 1 << 19
	b := binary.LittleEndian.AppendUint32(nil, protocol41|secure|plugin)
	b = append(binary.LittleEndian.AppendUint32(b, 1<<24), utf8mb4)
	b = append(append(append(b, make([]byte, 23)...), user...), 0, 0)
	return append(append(b, "mysql_native_password"...), 0)
}

func (c *raw) login() {
	c.t.Helper()
	c.send(1, response("root"))
	if got := c.receive(); len(got) == 0 || got[0] != 0 {
		c.t.Fatalf("the login is answered by %q", got)
	}
}

func TestGreeting(t *testing.T) {
	c := newRaw(t, serve(t, Options{}).addr)
	if !bytes.HasPrefix(c.greeting, []byte("\n8.0.40-vitessdo\x00")) {
		t.Errorf("the greeting is %q", c.greeting)
	}
	at := len("\n8.0.40-vitessdo\x00") + 4 + 8 + 1
	caps := uint32(binary.LittleEndian.Uint16(c.greeting[at:])) | uint32(binary.LittleEndian.Uint16(c.greeting[at+5:]))<<16
	if caps&more != more {
		t.Errorf("the capabilities are %b, without some of %b", caps, more)
	}
}

// The flags that go with each answer: in a transaction, and autocommit.
func TestStatusFlags(t *testing.T) {
	c := newRaw(t, serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY)").addr)
	c.login()
	for _, x := range []struct {
		query string
		flags byte
	}{
		{"DO 1", 2}, {"BEGIN", 3}, {"INSERT INTO t VALUES(1)", 3}, {"COMMIT", 2}, {"SET autocommit = 0", 0}, {"DELETE FROM t", 1},
		{"ROLLBACK", 0}, {"SET autocommit = 1", 2},
	} {
		got := c.command(append([]byte{3}, x.query...))
		if len(got) != 7 || got[0] != 0 || got[3] != x.flags || got[4]|got[5]|got[6] != 0 {
			t.Errorf("%s is answered by %x; want flags %d", x.query, got, x.flags)
		}
	}
}

// Values of prepared statements in the forms that other drivers than Go's send.
func TestArguments(t *testing.T) {
	for _, x := range []struct {
		kind     byte
		unsigned bool
		bytes    []byte
		want     any
	}{
		{1, false, []byte{0xff}, int64(-1)}, {1, true, []byte{0xff}, int64(255)}, {2, false, []byte{0, 0x80}, int64(-32768)},
		{3, true, []byte{0xff, 0xff, 0xff, 0xff}, int64(1<<32 - 1)}, {8, true, bytes.Repeat([]byte{0xff}, 8), uint64(1<<64 - 1)},
		{4, false, []byte{0xcd, 0xcc, 0xcc, 0x3d}, 0.1}, {5, false, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 1.5}, {6, false, nil, nil},
		{10, false, []byte{4, 0xea, 7, 1, 31}, "2026-01-31"}, {10, false, []byte{0}, "0000-00-00"},
		{12, false, []byte{4, 0xea, 7, 1, 31}, "2026-01-31 00:00:00"}, {12, false, []byte{7, 0xea, 7, 1, 31, 12, 1, 2}, "2026-01-31 12:01:02"},
		{7, false, []byte{11, 0xea, 7, 1, 31, 12, 1, 2, 0x90, 0xd0, 3, 0}, "2026-01-31 12:01:02.25"},
		{11, false, []byte{8, 1, 1, 0, 0, 0, 10, 0, 1}, "-34:00:01"}, {11, false, []byte{12, 0, 0, 0, 0, 0, 1, 2, 3, 1, 0, 0, 0}, "01:02:03.000001"}, {11, false, []byte{0}, "00:00:00"},
		{253, false, []byte{3, 'a', 'b', 'c'}, "abc"}, {252, false, []byte{1, 0}, []byte{0}}, {246, false, []byte{3, '1', '.', '5'}, "1.5"},
	} {
		got, rest, err := argument(x.bytes, x.kind, x.unsigned)
		if err != nil || len(rest) != 0 || fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", x.want, x.want) {
			t.Errorf("%x of type %d is %T %v, %v; want %T %v", x.bytes, x.kind, got, got, err, x.want, x.want)
		}
	}
}

// Greetings that are malformed end their connection, and nothing else.
func TestMalformedGreetings(t *testing.T) {
	s := serve(t, Options{Users: team})
	whole := response("app")
	var list [][]byte
	for n := range whole {
		list = append(list, whole[:n])
	}
	list = append(list, bytes.Repeat([]byte{0xff}, 100), bytes.Repeat([]byte{0xff}, handshakeBytes+100), append(bytes.Clone(whole), 0xfe, 0xff, 0xff))
	for _, body := range list {
		c := newRaw(t, s.addr)
		head := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
		head[3] = 1
		_, _ = c.Write(append(head, body...))
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}
	if err := s.connect(t, "app:secret", "").PingContext(t.Context()); err != nil {
		t.Errorf("after them: %v", err)
	}
}

// Commands that are malformed are refused, and the connection goes on.
func TestMalformedCommands(t *testing.T) {
	c := newRaw(t, serve(t, Options{}).addr)
	c.login()
	prepared := c.command(append([]byte{0x16}, "SELECT ?, ?"...))
	id := prepared[1:5]
	for range 2 + 1 + 2 + 1 { // parameters, columns, and their ends
		c.receive()
	}
	for _, body := range [][]byte{
		{0x17}, {0x17, 1}, append([]byte{0x17}, id...), append(append([]byte{0x17}, id...), 0, 1, 0, 0, 0), {0x17, 99, 99, 99, 99, 0, 1, 0, 0, 0},
		append(append([]byte{0x17}, id...), 0, 1, 0, 0, 0, 0, 1, 8, 0), append(append([]byte{0x17}, id...), 0, 1, 0, 0, 0, 0, 1, 8, 0, 253, 0, 1, 2, 3),
		append(append([]byte{0x17}, id...), 0, 1, 0, 0, 0, 0, 1, 253, 0, 253, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		append(append([]byte{0x17}, id...), 0, 1, 0, 0, 0, 0, 0), {0x1a, 1}, {0x1b}, {0x1b, 7, 7}, {0xfe}, {0x1c}, {0x1c, 99, 99, 99, 99, 1, 0, 0, 0}, append([]byte{0x1c}, id...), {0x0c}, {0x12, 0, 0}, {0x03},
	} {
		got := c.command(body)
		if len(got) == 0 || got[0] != 0xff && body[0] != 3 {
			t.Errorf("%x is answered by %q", body, got)
		}
	}
	if got := c.command([]byte{0x0e}); len(got) == 0 || got[0] != 0 {
		t.Errorf("PING is answered by %q", got)
	}
}

// FuzzArguments: whatever a client sends as a prepared statement's parameters, they
// are read or refused.
func FuzzArguments(f *testing.F) {
	f.Add(2, []byte{0, 1, 8, 0, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'x'})
	f.Add(1, []byte{0, 1, 12, 0, 11, 0xea, 7, 1, 31, 12, 0, 0, 1, 2, 3, 0})
	f.Add(1, []byte{0, 1, 11, 0, 8, 1, 1, 0, 0, 0, 2, 3, 4})
	f.Fuzz(func(t *testing.T, params int, body []byte) {
		st := &statement{params: min(max(params, 0), 1000)}
		args, err := st.arguments(body)
		if err == nil && len(args) != st.params {
			t.Fatalf("%d arguments of %d", len(args), st.params)
		}
	})
}

// FuzzGreeting: the greeting of go-mysql is completed or refused, whatever it is.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\n8.0\x00" + strings.Repeat("x", 60)))
	f.Fuzz(func(_ *testing.T, packet []byte) { _, _ = complete(packet, 7) })
}

// FuzzPackets: messages are read or refused, within the limit.
func FuzzPackets(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 3, 'a', 'b'})
	f.Add([]byte{0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		here, there := net.Pipe()
		defer here.Close()
		go func() {
			_, _ = there.Write(data)
			_ = there.Close()
		}()
		p := newPackets(here, 100, time.Second)
		if m, err := p.read(); err == nil && len(m) > 100 {
			t.Fatalf("%d bytes beyond the limit", len(m))
		}
	})
}
