package rpc_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

func benchTransports(b *testing.B, f func(b *testing.B, db tablet.Tablet)) {
	here, err := tabletserver.Open(context.Background(), tabletserver.Config{Target: shard})
	if err != nil {
		b.Fatal(err)
	}
	defer here.Close()
	for _, sql := range []string{"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, price REAL, note TEXT, data BLOB)",
		"INSERT INTO t WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM s WHERE i < 20000) SELECT i, 'the name of row ' || i, i / 3.0, NULL, x'00112233445566778899aabbccddeeff' FROM s"} {
		if _, err := here.Exec(context.Background(), &tablet.Query{SQL: sql}); err != nil {
			b.Fatal(err)
		}
	}
	server := rpc.Serve(here)
	web := httptest.NewServer(server)
	defer web.Close()
	defer server.Close()
	b.Run("embedded", func(b *testing.B) { f(b, here) })
	for _, scheme := range []string{"ws", "http"} {
		client, err := rpc.NewClient(strings.Replace(web.URL, "http", scheme, 1), &rpc.ClientOptions{HTTP: web.Client()})
		if err != nil {
			b.Fatal(err)
		}
		there, err := client.Tablet(context.Background(), shard)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(scheme, func(b *testing.B) { f(b, there) })
		_ = client.Close()
	}
}

func drain(b *testing.B, db tablet.Runner, q *tablet.Query) (n int) {
	rows, err := db.Query(b.Context(), q)
	if err != nil {
		b.Fatal(err)
	}
	row := make([]tablet.Value, len(rows.Columns()))
	for {
		err := rows.Next(row)
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Close(); err != nil {
		b.Fatal(err)
	}
	return n
}

func BenchmarkPointSelect(b *testing.B) {
	benchTransports(b, func(b *testing.B, db tablet.Tablet) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if n := drain(b, db, &tablet.Query{SQL: "SELECT id, name, price FROM t WHERE id = ?1", Args: []tablet.Value{int64(i%20000 + 1)}}); n != 1 {
				b.Fatalf("%d rows", n)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	benchTransports(b, func(b *testing.B, db tablet.Tablet) {
		b.ReportAllocs()
		rows := 0
		for b.Loop() {
			rows += drain(b, db, &tablet.Query{SQL: "SELECT * FROM t"})
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
}

// BenchmarkWrite shows what it costs that a tablet remembers the requests of writes
// in autocommit, and of commits.
func BenchmarkWrite(b *testing.B) {
	for _, remember := range []time.Duration{0, time.Hour} {
		for _, level := range []tabletserver.Synchronous{tabletserver.Off, tabletserver.Full} {
			db, err := tabletserver.Open(b.Context(), tabletserver.Config{Target: shard, Path: filepath.Join(b.TempDir(), "s.db"), Synchronous: level, Remember: remember})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := db.Exec(b.Context(), &tablet.Query{SQL: "CREATE TABLE t(id INTEGER PRIMARY KEY, v)"}); err != nil {
				b.Fatal(err)
			}
			server := rpc.Serve(db)
			web := httptest.NewServer(server)
			client, err := rpc.NewClient(strings.Replace(web.URL, "http", "ws", 1), &rpc.ClientOptions{HTTP: web.Client()})
			if err != nil {
				b.Fatal(err)
			}
			there, err := client.Tablet(b.Context(), shard)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("autocommit/synchronous=%s/remember=%v", level, remember), func(b *testing.B) {
				for b.Loop() {
					if _, err := there.Exec(b.Context(), &tablet.Query{SQL: "INSERT INTO t(v) VALUES(?1)", Args: []tablet.Value{"some text"}}); err != nil {
						b.Fatal(err)
					}
				}
			})
			_ = client.Close()
			_ = server.Close()
			web.Close()
			_ = db.Close()
		}
	}
}
