package servicetest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Start runs a server that says on out where it listens, on a line that ends with
// " at ADDRESS", and serves until ctx ends. stop ends it, waits, and gives what run
// has returned; it may be called again, and is called when the test ends.
func Start(tb testing.TB, run func(ctx context.Context, out io.Writer) error) (address string, stop func() error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, w)
		_ = w.CloseWithError(io.EOF)
		ended <- err
	}()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		tb.Fatal(stop())
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	tb.Cleanup(func() { _ = stop() })
	_, address, _ = strings.Cut(strings.TrimSpace(line), " at ")
	return address, stop
}

// Certificate writes a certificate for 127.0.0.1 that is good for an hour, and its key,
// into a directory, over those that are there, and gives the files' names.
func Certificate(tb testing.TB, dir string, serial int64) (cert, key string) {
	tb.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "vitessdo"},
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		tb.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		tb.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return cert, key
}

// Roots is what a client trusts that trusts the certificate in a file.
func Roots(tb testing.TB, cert string) *x509.CertPool {
	tb.Helper()
	b, err := os.ReadFile(cert)
	if err != nil {
		tb.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		tb.Fatalf("%s holds no certificate", cert)
	}
	return roots
}
