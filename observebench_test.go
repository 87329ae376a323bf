package vitessdo

import (
	"database/sql"
	"io"
	"log/slog"
	"testing"
)

// What it costs to be told of point selects; "nobody" is what everybody pays.
func BenchmarkObserved(b *testing.B) {
	r := &recorder{tell: func(*Statement) string { return "" }}
	for _, c := range []struct {
		name   string
		change func(*Config)
	}{
		{"nobody", func(*Config) {}},
		{"slow_query", func(c *Config) { c.SlowQuery = 1 << 40 }},
		{"observer", func(c *Config) { c.Observers = []Observer{r} }},
		{"statistics", func(c *Config) { c.StatementStats = 1000 }},
		{"log", func(c *Config) {
			c.Logger = slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg := NewConfig()
			cfg.Memory, cfg.Shards = true, 4
			c.change(cfg)
			connector, err := NewConnector(cfg)
			if err != nil {
				b.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close()
			do(b, db, createItem)
			do(b, db, "INSERT INTO item VALUES (42, 42, 'the name of item 42')")
			st, err := db.Prepare(pointSelect)
			if err != nil {
				b.Fatal(err)
			}
			defer st.Close()
			b.ReportAllocs()
			for b.Loop() {
				checkPoint(b, st.QueryRow(42), 42)
				r.list = r.list[:0]
			}
		})
	}
}
