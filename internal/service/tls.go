package service

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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
	c.watch.changed(certFile, keyFile)
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("the certificate can't be used: %w", err)
	}
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}, nil
}

// certificate is one that is kept as new as its files.
type certificate struct {
	cert, key string

	mu    sync.Mutex
	now   *tls.Certificate
	watch watch
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watch.changed(c.cert, c.key) {
		if err := c.read(); err != nil {
			slog.Warn("the new certificate can't be used; the old one is kept", "file", c.cert, "error", err)
		}
	}
	return c.now, nil
}

// read reads the files.
func (c *certificate) read() error {
	cert, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		c.now = &cert
	}
	return err
}
