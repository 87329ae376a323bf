package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4", "file:" + t.TempDir() + "/data?shards=4"} {
		var out strings.Builder
		if err := run(&out, dsn); err != nil {
			t.Fatal(dsn, err)
		}
		want := `a slug twice: true
shop-3: 3 orders, the first has 2 lines
in all: $ 85.88
in all: € 171.76
single_shard      1 shard(s)  SELECT * FROM orders JOIN currencies ON code = currency WHERE tenant_id = 3
lookup            1 shard(s)  SELECT * FROM tenants WHERE slug = 'shop-3'
scatter_aggregate 4 shard(s)  SELECT status, COUNT(*) FROM orders GROUP BY status
paid: 4
`
		if dsn == ":memory:?shards=1" {
			want = strings.NewReplacer("single_shard     ", "unsharded        ", "lookup           ", "unsharded        ", "scatter_aggregate 4", "unsharded         1").Replace(want)
		}
		if out.String() != want {
			t.Errorf("%s:\n%s\nwant:\n%s", dsn, &out, want)
		}
	}
}
