package gate

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
)

// BenchmarkPointSelect asks for a row by its key: of the driver's session itself, and
// through a gate over a WebSocket.
func BenchmarkPointSelect(b *testing.B) {
	cfg, err := vitessdo.ParseDSN(":memory:?shards=2")
	check := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	check(err)
	db, err := vitessdo.NewConnector(cfg)
	check(err)
	defer db.Close()
	opened, err := db.Connect(b.Context())
	check(err)
	c := opened.(*vitessdo.Conn)
	for _, s := range []string{"CREATE TABLE t (id BIGINT PRIMARY KEY, n VARCHAR(20))", "INSERT INTO t VALUES(1, 'one')"} {
		_, err := c.Run(b.Context(), s, nil)
		check(err)
	}
	const query = "SELECT n FROM t WHERE id = ?"
	b.Run("session", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, err := c.Run(b.Context(), query, arguments([]any{int64(1)}))
			check(err)
			r := newReader(out)
			check(out.Rows.Next(r.dest))
			check(out.Rows.Close())
		}
	})
	g := New(db, Options{})
	h := httptest.NewServer(g)
	defer h.Close()
	defer g.Close()
	s, err := capnweb.Dial(b.Context(), strings.Replace(h.URL, "http", "ws", 1), nil, nil, nil, nil)
	check(err)
	defer s.Close()
	message := map[string]any{"type": 1, "sql": query, "params": []any{int64(1)}}
	b.Run("socket", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p := s.Main().Ask(b.Context(), "call", message)
			_, err := p.Await(b.Context())
			check(err)
			p.Release()
		}
	})
}
