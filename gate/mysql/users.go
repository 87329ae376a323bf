package mysql

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	wire "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/server"

	"github.com/vitessdo/vitessdo/internal/service"
)

// User is one who may connect.
type User struct {
	Name     string
	Password string
	ReadOnly bool
	// Native asks for the password as mysql_native_password does, for clients that
	// don't know caching_sha2_password.
	Native bool
}

// Users are those who may connect, by name.
type Users map[string]User

// ReadUsers reads users, one a line: a name, a password, and then "read-only" and
// "native" as wanted. Empty lines and those that begin with # are passed over.
func ReadUsers(r io.Reader) (Users, error) {
	users := Users{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) == 1 {
			return nil, fmt.Errorf("line %d of the users has no password behind the name", n)
		}
		u := User{Name: words[0], Password: words[1]}
		for _, w := range words[2:] {
			switch w {
			case "read-only":
				u.ReadOnly = true
			case "native":
				u.Native = true
			default:
				return nil, fmt.Errorf("line %d of the users says %q; it may say read-only and native", n, w)
			}
		}
		if _, twice := users[u.Name]; twice {
			return nil, fmt.Errorf("line %d of the users names %q again", n, u.Name)
		}
		users[u.Name] = u
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("the users can't be read: %w", err)
	}
	if len(users) == 0 {
		return nil, fmt.Errorf("there is no user in the file: nobody could come in")
	}
	return users, nil
}

// UserFile reads the users of a file, which nobody but its owner may read: the
// protocol's ways to ask for a password need it as it is.
func UserFile(path string) (*service.Secret[Users], error) {
	return service.ReadSecret(path, "users", ReadUsers)
}

// passwords answers go-mysql's questions. One who isn't known is asked for a
// password that nobody has, so that nobody learns who is known.
type passwords struct {
	users  Users
	nobody string
}

// GetCredential implements server.AuthenticationHandler.
func (p *passwords) GetCredential(name string) (server.Credential, bool, error) {
	u, known := p.users[name]
	c := server.Credential{Passwords: []string{p.nobody}, AuthPluginName: wire.AUTH_CACHING_SHA2_PASSWORD}
	if known {
		c.Passwords[0] = u.Password
	}
	if u.Native {
		c.AuthPluginName = wire.AUTH_NATIVE_PASSWORD
	}
	return c, true, nil
}

// OnAuthSuccess implements server.AuthenticationHandler.
func (p *passwords) OnAuthSuccess(*server.Conn) error { return nil }

// OnAuthFailure implements server.AuthenticationHandler.
func (p *passwords) OnAuthFailure(*server.Conn, error) {}
