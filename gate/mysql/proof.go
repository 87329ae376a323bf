package mysql

import (
	"crypto/rsa"
	"crypto/subtle"
	"errors"

	wire "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/server"
)

// proof judges what clients say of their passwords. These are known here as they are, so
// that the answer to the greeting's challenge is enough for caching_sha2_password, as it
// is with MySQL when a user has been there before. go-mysql would ask a second question,
// by which the password itself travels encrypted, and which clients get wrong: MariaDB's
// takes a connection for encrypted that would be if the server offered TLS. It is left
// for those whose first answer isn't to this challenge, as that was by another method.
type proof struct {
	server.DefaultAuthenticationProvider
	users Users
}

// Authenticate implements server.AuthenticationProvider.
func (p *proof) Authenticate(c *server.Conn, method string, answer []byte) error {
	at, _ := c.RemoteAddr().(*challenged)
	if u, known := p.users[c.GetUser()]; known && at != nil && method == wire.AUTH_CACHING_SHA2_PASSWORD && len(answer) > 0 && u.proven(at.salt, answer) {
		return c.WritePacket([]byte{0, 0, 0, 0, wire.MORE_DATE_HEADER, wire.CACHE_SHA2_FAST_AUTH}) // four bytes for its head
	}
	err := p.DefaultAuthenticationProvider.Authenticate(c, method, answer)
	if errors.Is(err, rsa.ErrDecryption) {
		err = server.ErrAccessDenied
	}
	return err
}

// proven says whether it is the user's answer to a challenge.
func (u *User) proven(salt, answer []byte) bool {
	answerTo := wire.CalcCachingSha2Password
	if u.Native {
		answerTo = wire.CalcNativePassword
	}
	return subtle.ConstantTimeCompare(answer, answerTo(salt, []byte(u.Password))) == 1
}
