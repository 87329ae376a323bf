package mysql

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	wire "github.com/go-mysql-org/go-mysql/mysql"
)

// prepare readies a statement without parameters that gives one column.
func (c *raw) prepare(text string) (id []byte) {
	c.t.Helper()
	got := c.command(append([]byte{wire.COM_STMT_PREPARE}, text...))
	if len(got) < 5 || got[0] != 0 {
		c.t.Fatalf("%s is answered by %q", text, got)
	}
	c.receive() // its column
	c.receive() // and the end of that
	return got[1:5]
}

// open executes it for a cursor, and gives the status flags.
func (c *raw) open(id []byte) (flags byte) {
	c.t.Helper()
	got := c.command(append(append([]byte{wire.COM_STMT_EXECUTE}, id...), wire.CURSOR_TYPE_READ_ONLY, 1, 0, 0, 0))
	if string(got) != "\x01" {
		c.t.Fatalf("the execution is answered by %q", got)
	}
	c.receive()
	return c.receive()[3]
}

// fetch gives the numbers that come, and the flags, or the error.
func (c *raw) fetch(id []byte, n uint32) (values []string, flags byte, failed string) {
	c.t.Helper()
	c.send(0, binary.LittleEndian.AppendUint32(append([]byte{wire.COM_STMT_FETCH}, id...), n))
	for {
		switch got := c.receive(); {
		case got[0] == 0xff:
			return values, 0, string(got[9:])
		case got[0] == 0xfe && len(got) == 5:
			return values, got[3], ""
		default:
			values = append(values, strconv.FormatUint(binary.LittleEndian.Uint64(got[2:]), 10))
		}
	}
}

// A client that asks for a cursor takes rows as it likes, and runs other statements
// meanwhile: also those that change what is read, or end the transaction.
func TestCursors(t *testing.T) {
	const exists, last = byte(wire.SERVER_STATUS_CURSOR_EXISTS | 2), byte(lastRowSent | 2)
	var rows []string
	for i := range 300 {
		rows = append(rows, "("+strconv.Itoa(i)+")")
	}
	s := serve(t, Options{MaxPacket: 2500}, "CREATE TABLE t (id BIGINT PRIMARY KEY)", "INSERT INTO t VALUES "+strings.Join(rows, ", "))
	c := newRaw(t, s.addr)
	c.login()
	few, many := c.prepare("SELECT id FROM t WHERE id < 7 ORDER BY id"), c.prepare("SELECT id FROM t ORDER BY id")
	want := func(id []byte, n uint32, values string, flags byte, failed string) {
		t.Helper()
		got, f, e := c.fetch(id, n)
		if strings.Join(got, " ") != values || f != flags || !strings.HasPrefix(e, failed) || failed == "" && e != "" {
			t.Errorf("fetching %d gives %q with flags %d and %q; want %q with %d and %q", n, got, f, e, values, flags, failed)
		}
	}
	if flags := c.open(few); flags != exists {
		t.Errorf("the cursor is opened with flags %d", flags)
	}
	want(few, 2, "0 1", exists, "")
	want(few, 0, "", exists, "")
	want(few, 3, "2 3 4", exists, "")
	c.command(append([]byte{wire.COM_QUERY}, "DELETE FROM t WHERE id = 6"...))
	want(few, 1, "5", exists, "")
	want(few, 5, "6", last, "")
	want(few, 1, "", 0, "The statement (1) has no open cursor")

	// Two at a time; one begins anew; one is reset.
	c.open(many)
	want(many, 1, "0", exists, "")
	c.command([]byte{wire.COM_STMT_RESET, many[0], many[1], many[2], many[3]})
	want(many, 1, "", 0, "The statement (2) has no open cursor")
	c.open(many)
	want(many, 2, "0 1", exists, "")
	c.open(many)
	want(many, 2, "0 1", exists, "")
	c.open(few) // what is left of the other is more than may be kept
	want(few, 100, "0 1 2 3 4 5", last, "")
	var all []string
	for {
		got, _, failed := c.fetch(many, 50)
		all = append(all, got...)
		if failed != "" {
			if !strings.Contains(failed, "read it to its end first") || len(all) < 100 || len(all) > 290 {
				t.Errorf("after %d rows: %s", len(all), failed)
			}
			break
		}
	}
	// A statement that fails, one without rows, and what closes all.
	bad := c.prepare("SELECT id / 0 FROM t WHERE id IN (SELECT id FROM t)")
	c.command(append([]byte{wire.COM_QUERY}, "DROP TABLE t"...))
	if got := c.command(append(append([]byte{wire.COM_STMT_EXECUTE}, bad...), wire.CURSOR_TYPE_READ_ONLY, 1, 0, 0, 0)); got[0] != 0xff || !bytes.Contains(got, []byte("doesn't exist")) {
		t.Errorf("a cursor on a table that is gone: %q", got)
	}
	one := c.prepare("SELECT 7 AS n")
	c.open(one)
	if got := c.command([]byte{comResetConnection}); got[0] != 0 {
		t.Errorf("the reset is answered by %q", got)
	}
	want(one, 1, "", 0, "Unknown prepared statement handler")
}

// COM_CHANGE_USER asks for the other user's password anew, and leaves nothing of the
// session that was.
func TestChangeUser(t *testing.T) {
	change := func(name, database string) []byte {
		b := append(append([]byte{wire.COM_CHANGE_USER}, name...), 0, 0)
		return append(append(b, database...), 0)
	}
	// Everybody comes in without a password.
	c := newRaw(t, serve(t, Options{}, "CREATE TABLE t (id BIGINT PRIMARY KEY)").addr)
	c.login()
	st := c.prepare("SELECT id FROM t")
	c.command(append([]byte{wire.COM_QUERY}, "SET @x = 5, autocommit = 0"...))
	c.command(append([]byte{wire.COM_QUERY}, "INSERT INTO t VALUES (1)"...))
	if got := c.command(change("other", "shop")); len(got) != 7 || got[0] != 0 || got[3] != 2 {
		t.Fatalf("the change is answered by %q", got)
	}
	if _, _, failed := c.fetch(st, 1); !strings.HasPrefix(failed, "Unknown prepared statement") {
		t.Errorf("a statement of before: %q", failed)
	}
	for query, want := range map[string]string{"SELECT CONCAT(USER(), IFNULL(@x, '-'), (SELECT COUNT(*) FROM t))": "other@127.0.0.1-0"} {
		c.command(append([]byte{wire.COM_QUERY}, query...))
		c.receive()
		c.receive()
		if got := c.receive(); string(got[1:]) != want {
			t.Errorf("%s gives %q", query, got)
		}
		c.receive()
	}
	if got := c.command(change("other", "nothing")); got[0] != 0xff || !bytes.Contains(got, []byte("#42000Unknown database")) && !bytes.Contains(got, []byte("unknown database")) {
		t.Errorf("a database that isn't there: %q", got)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}

	// Those who have one, by both methods.
	s := serve(t, Options{Users: Users{"app": {Name: "app", Password: "secret"}, "old": {Name: "old", Password: "native", Native: true}, "reader": {Name: "reader", Password: "reading", ReadOnly: true, Native: true}}})
	login := func() *raw {
		c := newRaw(t, s.addr)
		at := bytes.IndexByte(c.greeting, 0) + 1 + 4
		salt := append(append([]byte{}, c.greeting[at:at+8]...), c.greeting[at+27:at+39]...)
		answer := wire.CalcNativePassword(salt, []byte("native"))
		b := response("old\x00" + string(rune(len(answer))) + string(answer))
		b = bytes.Replace(b, append(append([]byte{}, answer...), 0, 0), answer, 1) // which has the length of none behind it
		c.send(1, b)
		if got := c.receive(); got[0] != 0 {
			t.Fatalf("the login is answered by %q", got)
		}
		return c
	}
	as := func(c *raw, name, password string) []byte {
		t.Helper()
		got := c.command(change(name, ""))
		if got[0] != 0xfe {
			t.Fatalf("the change is answered by %q", got)
		}
		method, salt, _ := bytes.Cut(got[1:], []byte{0})
		salt = bytes.TrimSuffix(salt, []byte{0})
		answer := wire.CalcCachingSha2Password(salt, []byte(password))
		if string(method) == "mysql_native_password" {
			answer = wire.CalcNativePassword(salt, []byte(password))
		}
		c.send(2, answer)
		if got = c.receive(); got[0] == 1 {
			got = c.receive()
		}
		return got
	}
	c = login()
	for _, u := range [][2]string{{"app", "secret"}, {"old", "native"}, {"app", "secret"}, {"reader", "reading"}} {
		if got := as(c, u[0], u[1]); got[0] != 0 {
			t.Errorf("the change to %s is answered by %q", u[0], got)
		}
	}
	if got := c.command(append([]byte{wire.COM_QUERY}, "CREATE TABLE u (id BIGINT PRIMARY KEY)"...)); got[0] != 0xff {
		t.Errorf("a reader makes a table: %q", got)
	}
	if got := as(c, "app", "secret"); got[0] != 0xff || !bytes.Contains(got, []byte("open another one")) {
		t.Errorf("a reader becomes a writer: %q", got)
	}
	for _, u := range [][2]string{{"app", "wrong"}, {"app", ""}, {"nobody", ""}, {"nobody", "secret"}, {"", ""}} {
		c := login()
		if got := as(c, u[0], u[1]); got[0] != 0xff || !bytes.Contains(got, []byte("#28000Access denied")) {
			t.Errorf("%v is let in: %q", u, got)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("the connection goes on")
		}
	}
	for _, body := range []string{"", "app", "app\x00", "app\x00\x14short", "app\x00\x00shop"} {
		c := login()
		if got := c.command(append([]byte{wire.COM_CHANGE_USER}, body...)); got[0] != 0xff || !bytes.Contains(got, []byte("Malformed")) {
			t.Errorf("%q is answered by %q", body, got)
		}
	}
}
