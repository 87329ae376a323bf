//go:build linux && amd64 && !nonode

package libsql_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/interop/libsql"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

// signed makes a token as Turso's are: a JWT, signed by a key that the server knows.
func signed(t *testing.T, key ed25519.PrivateKey, claims map[string]any) string {
	t.Helper()
	enc := base64.RawURLEncoding
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := enc.EncodeToString([]byte(`{"alg":"EdDSA","typ":"JWT"}`)) + "." + enc.EncodeToString(body)
	return text + "." + enc.EncodeToString(ed25519.Sign(key, []byte(text)))
}

// A database is opened with its token, wherever that stands; without a good one the
// error says so, and never shows what was given.
func TestTokens(t *testing.T) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, other, _ := ed25519.GenerateKey(rand.Reader)
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, []byte(base64.RawURLEncoding.EncodeToString(public)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--auth-jwt-key-file", file)
	good := signed(t, key, map[string]any{"a": "rw"})
	for name, token := range map[string]string{
		"none": "", "of another key": signed(t, other, map[string]any{"a": "rw"}), "of yesterday": signed(t, key, map[string]any{"a": "rw", "exp": time.Now().Add(-24 * time.Hour).Unix()}),
		"no token": "secret-secret-secret", "for reading only": signed(t, key, map[string]any{"a": "ro"}),
	} {
		for _, scheme := range []string{"http", "ws"} {
			e, err := libsql.Open(bg, s.url(scheme)+"?authToken="+token, sqldb.Options{})
			if err == nil {
				_ = e.Close()
			}
			code := tablet.CodeOf(err)
			if scheme == "ws" && name == "for reading only" && code == tablet.CodeIO {
				code = tablet.CodeDenied // the server hangs up on who writes so
			}
			if code != tablet.CodeDenied || !strings.Contains(fmt.Sprint(err), s.addr) || token != "" && strings.Contains(fmt.Sprint(err), token) {
				t.Errorf("token %s by %s: %v (%s)", name, scheme, err, code)
			}
		}
	}
	t.Setenv("SHOP_TOKEN", good)
	topology := filepath.Join(dir, "topology.json")
	for _, scheme := range []string{"libsql+http", "libsql+ws"} {
		at := s.url(scheme)
		text := `{"shards": {"main/-80": "` + at + `"}, "tokens": {"` + at + `": "env:SHOP_TOKEN"}}`
		if err := os.WriteFile(topology, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("vitessdo", "file:"+filepath.Join(dir, "data")+"?shards=2&topology="+topology)
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err = db.Exec("CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY)"); err == nil {
			if _, err = db.Exec("REPLACE INTO t VALUES (1), (2), (3), (4)"); err == nil {
				err = db.QueryRow("SELECT COUNT(*) FROM t").Scan(&n)
			}
		}
		if err != nil || n != 4 {
			t.Errorf("by %s: %d rows, %v", scheme, n, err)
		}
		_ = db.Close()
	}
}

// A server that isn't there is named, by its name or its address.
func TestUnreachable(t *testing.T) {
	for _, at := range []string{"127.0.0.1:1", "no-such-host.invalid"} {
		for _, scheme := range []string{"http", "ws", "libsql"} {
			_, err := libsql.Open(bg, scheme+"://"+at+"?authToken=secret-secret", sqldb.Options{Reconnect: time.Millisecond})
			if tablet.CodeOf(err) != tablet.CodeIO || !strings.Contains(fmt.Sprint(err), scheme+"://"+at+" can't be reached") || strings.Contains(fmt.Sprint(err), "secret-secret") {
				t.Errorf("%s://%s: %v (%s)", scheme, at, err, tablet.CodeOf(err))
			}
		}
	}
}
