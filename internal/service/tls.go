package service

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLS reads a certificate and its key; both names empty give nil, for none. When the
// files change they are read again, for connections that come after; what can't be
// used then is logged, and the old certificate is kept.
func TLS(certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" && keyFile == "" {
		return nil, nil
	}
	if certFile == "" || keyFile == "" {
		return nil, errors.New("a certificate needs its key and a key its certificate: give both")
	}
	c := &certificate{cert: certFile, key: keyFile}
	if err := c.read(c.stamp()); err != nil {
		return nil, fmt.Errorf("the certificate can't be used: %w", err)
	}
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}, nil
}

// certificate is one that is kept as new as its files.
type certificate struct {
	cert, key string

	mu     sync.Mutex
	now    *tls.Certificate
	of     string    // the files' stamp when it was read, or tried
	looked time.Time // when they were looked at
}

// lookAgain is how often the files are looked at, at most.
const lookAgain = time.Second

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= lookAgain {
		c.looked = time.Now()
		if stamp := c.stamp(); stamp != c.of {
			if err := c.read(stamp); err != nil {
				slog.Warn("the new certificate can't be used; the old one is kept", "file", c.cert, "error", err)
			}
		}
	}
	return c.now, nil
}

// read reads the files, whose stamp is given.
func (c *certificate) read(stamp string) error {
	c.of = stamp
	cert, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		c.now = &cert
	}
	return err
}

// stamp changes when the files do.
func (c *certificate) stamp() (s string) {
	for _, name := range []string{c.cert, c.key} {
		if st, err := os.Stat(name); err == nil {
			s += fmt.Sprint(st.Size(), st.ModTime().UnixNano(), ";")
		}
	}
	return s
}
