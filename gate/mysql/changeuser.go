package mysql

import (
	"bytes"
	"context"
	"errors"
	"time"

	wire "github.com/go-mysql-org/go-mysql/mysql"
)

// errRefused ends a connection whose client has been told why.
var errRefused = errors.New("the client's change of its user is refused")

// changeUser makes another user's connection of it, as new. Who can't be one is told so,
// and the connection ends, as with MySQL. It waits for what the client says of its
// password, which no command that is watched may.
func (c *conn) changeUser(body []byte) error {
	c.s.told.commands.Add(commands[wire.COM_CHANGE_USER], 1)
	if err := c.becomes(body); err != nil {
		if _, lost := errors.AsType[*lostError](err); !lost {
			c.s.told.refused.Add("", 1)
			c.s.opts.Log.Info("change of user refused", "id", c.id, "from", c.p.RemoteAddr().String(), "reason", err)
			if c.fail(err) == nil {
				_ = c.p.out.Flush()
			}
		}
		return errRefused
	}
	return c.p.out.Flush()
}

func (c *conn) becomes(body []byte) error {
	name, rest, ok := bytes.Cut(body, []byte{0})
	if !ok || len(rest) == 0 || len(rest) < 1+int(rest[0]) {
		return errMalformed
	}
	// What is said of the password here may be by another method than the user's, so
	// that the client is asked again.
	database, _, ok := bytes.Cut(rest[1+int(rest[0]):], []byte{0})
	if !ok {
		return errMalformed
	}
	u, err := c.challenge(string(name))
	if err != nil {
		return err
	}
	if c.readOnly && !u.ReadOnly {
		return &failure{wire.ER_NOT_SUPPORTED_YET, "42000", "A connection of a user who may only read can't become one of a user who may write: open another one"}
	}
	c.drop()
	if err := c.db.Renew(); err != nil {
		return err
	}
	c.identify(u)
	if !c.s.door.Load().knows(u) { // any more
		return &failure{wire.ER_ACCESS_DENIED_ERROR, "28000", "Access denied for user '" + u.Name + "': the users have just changed"}
	}
	if len(database) > 0 {
		if err := use(context.Background(), c.db, string(database)); err != nil {
			return err
		}
	}
	return c.ok(0, 0)
}

// challenge asks the client for a user's password, by the greeting's challenge: some
// clients know no other when they change the user.
func (c *conn) challenge(name string) (User, error) {
	users := c.s.door.Load().users
	if users == nil {
		return User{Name: name}, nil
	}
	u, known := users[name]
	if !known {
		u.Password = c.s.nobody
	}
	method := wire.AUTH_CACHING_SHA2_PASSWORD
	if u.Native {
		method = wire.AUTH_NATIVE_PASSWORD
	}
	b := append(append(append(c.p.begin(), 0xfe), method...), 0)
	if err := c.send(append(append(b, c.salt...), 0)); err != nil {
		return u, err
	}
	if err := c.p.out.Flush(); err != nil {
		return u, &lostError{err}
	}
	if err := c.p.SetReadDeadline(time.Now().Add(handshakeTime)); err != nil {
		return u, &lostError{err}
	}
	answer, err := c.p.read()
	if err != nil {
		return u, &lostError{err}
	}
	if !u.proven(c.salt, answer) || !known {
		return u, &failure{wire.ER_ACCESS_DENIED_ERROR, "28000", "Access denied for user '" + name + "'@'" + hostOf(c.p.RemoteAddr()) + "' (using password: " + map[bool]string{true: "YES", false: "NO"}[len(answer) > 0] + ")"}
	}
	if !u.Native {
		return u, c.send(append(c.p.begin(), 1, 3)) // the password was right, and no more is asked
	}
	return u, nil
}
