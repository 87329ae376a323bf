package service

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// Grant is what the holder of a token may do.
type Grant struct {
	Name      string   // for logs; "" when no tokens are asked for
	ReadOnly  bool     // nothing may be changed
	Keyspaces []string // that it is confined to; nil is all
}

// Permits says whether the grant is good for a keyspace.
func (g Grant) Permits(keyspace string) bool {
	return g.Keyspaces == nil || slices.Contains(g.Keyspaces, keyspace)
}

// Tokens are the bearer tokens that a server accepts, each with what it is good
// for. Only their hashes are kept. A nil *Tokens lets everybody do everything.
//
// Those of a file are read again when it changes, for requests that come after; Watch
// tells when.
type Tokens struct {
	file  *Secret[[]held] // nil when there is none
	added []held          // otherwise
}

type held struct {
	hash  [sha256.Size]byte
	grant Grant
}

// shortestToken keeps out what could be guessed.
const shortestToken = 16

// Add accepts one more token.
func (t *Tokens) Add(token string, g Grant) error {
	if len(token) < shortestToken {
		return fmt.Errorf("token %q has %d characters; it needs %d, of random text", g.Name, len(token), shortestToken)
	}
	if strings.ContainsAny(token, " \t\r\n") {
		return fmt.Errorf("token %q holds a blank", g.Name)
	}
	t.added = append(t.added, held{sha256.Sum256([]byte(token)), g})
	return nil
}

// now gives the tokens as they are.
func (t *Tokens) now() []held {
	if t.file == nil {
		return t.added
	}
	list := t.file.Now()
	return append(list[:len(list):len(list)], t.added...)
}

// ReadTokens reads tokens, one a line: the token, a name for logs, and then
// "read-only" and "keyspace=NAME" (any number of them) as wanted. Empty lines
// and those that begin with # are passed over.
func ReadTokens(r io.Reader) (*Tokens, error) {
	t := &Tokens{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) == 1 {
			return nil, fmt.Errorf("line %d of the tokens has no name behind the token", n)
		}
		g := Grant{Name: words[1]}
		for _, w := range words[2:] {
			ks, of := strings.CutPrefix(w, "keyspace=")
			switch {
			case w == "read-only":
				g.ReadOnly = true
			case of && ks != "":
				g.Keyspaces = append(g.Keyspaces, ks)
			default:
				return nil, fmt.Errorf("line %d of the tokens says %q; it may say read-only and keyspace=NAME", n, w)
			}
		}
		if err := t.Add(words[0], g); err != nil {
			return nil, fmt.Errorf("line %d of the tokens: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("the tokens can't be read: %w", err)
	}
	if len(t.added) == 0 {
		return nil, fmt.Errorf("there is no token in the file: nobody could come in")
	}
	return t, nil
}

// ErrConfined says that a token is confined to keyspaces where that can't be.
var ErrConfined = errors.New("a token is confined to a keyspace")

// TokenFile reads the tokens of a file, which nobody but its owner may read. confine
// says whether they may be confined to keyspaces.
func TokenFile(path string, confine bool) (*Tokens, error) {
	file, err := ReadSecret(path, "tokens", func(r io.Reader) ([]held, error) {
		next, err := ReadTokens(r)
		if err != nil {
			return nil, err
		}
		if !confine && slices.ContainsFunc(next.added, func(h held) bool { return h.grant.Keyspaces != nil }) {
			return nil, ErrConfined
		}
		return next.added, nil
	})
	return &Tokens{file: file}, err
}

// Watch calls changed, about a second after the tokens of the file have changed, until
// ctx ends. It does nothing where there is no file.
func (t *Tokens) Watch(ctx context.Context, changed func()) {
	if t != nil && t.file != nil {
		t.file.Watch(ctx, changed)
	}
}

// Check gives what a request's token is good for. The error, a
// [capnweb.StatusError], doesn't tell a wrong token from a missing one.
func (t *Tokens) Check(r *http.Request) (Grant, error) {
	if t == nil {
		return Grant{}, nil
	}
	token, _ := bearer(r)
	hash := sha256.Sum256([]byte(token))
	var found *Grant
	list := t.now()
	for i := range list {
		// All are compared, so that time doesn't tell which one was near.
		if subtle.ConstantTimeCompare(hash[:], list[i].hash[:]) == 1 {
			found = &list[i].grant
		}
	}
	if found == nil {
		return Grant{}, &capnweb.StatusError{Status: http.StatusUnauthorized, Text: "a valid bearer token is needed"}
	}
	return *found, nil
}

// bearer finds the token: in the header Authorization, or, since web pages can't
// set headers of a WebSocket, behind "bearer." in one of its subprotocols.
func bearer(r *http.Request) (string, bool) {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), true
	}
	for _, list := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(list, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(p), "bearer."); ok {
				return token, true
			}
		}
	}
	return "", false
}
