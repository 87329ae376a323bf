package vindex

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

// TestConsistentHashGrowth: one more shard takes about its part of the keys,
// from all others, and no key moves between those.
func TestConsistentHashGrowth(t *testing.T) {
	const keys = 100_000
	before := make([]int, keys)
	for n := 1; n <= 17; n++ {
		v := bind(t, "consistent_hash", nil, n).(SingleColumn)
		ranges := EvenRanges(n)
		counts := make([]int, n)
		moved := 0
		var id []byte
		for k := range keys {
			var err error
			if id, err = v.Map(id[:0], int64(k)); err != nil || len(id) != 16 {
				t.Fatalf("%d: %x, %v", k, id, err)
			}
			s := Locate(ranges, id)
			counts[s]++
			if n > 1 && s != before[k] {
				if moved++; s != n-1 {
					t.Fatalf("%d shards: key %d moves from shard %d to %d, not to the new one", n, k, before[k], s)
				}
			}
			before[k] = s
		}
		// 160 virtual nodes spread the load with a standard deviation of about
		// 1/sqrt(160), 8 %; three of them and a little are allowed.
		mean := float64(keys) / float64(n)
		for s, c := range counts {
			if math.Abs(float64(c)-mean) > 0.30*mean {
				t.Errorf("%d shards: shard %d has %d keys, the mean is %.0f", n, s, c, mean)
			}
		}
		if n > 1 && math.Abs(float64(moved)-mean) > 0.30*mean {
			t.Errorf("%d shards: %d keys moved, want about %.0f", n, moved, mean)
		}
	}
}

func TestConsistentHashBinding(t *testing.T) {
	v, err := New("consistent_hash", "ring", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.(SingleColumn).Map(nil, int64(1)); err == nil || errors.Is(err, ErrNoDestination) {
		t.Errorf("unbound: %v", err)
	}
	if _, err := v.(TopologyAware).WithShards([]KeyRange{{"", "\x80"}}); err == nil {
		t.Error("a gap in the shards must be an error")
	}
	if _, err := v.(TopologyAware).WithShards([]KeyRange{{"", "123456789"}, {"123456789", ""}}); err == nil {
		t.Error("a bound of nine bytes must be an error")
	}
	if _, err := v.(TopologyAware).WithShards(EvenRanges(300)); err != nil {
		t.Error(err)
	}
	few := bind(t, "consistent_hash", map[string]string{"virtual_nodes": "1"}, 3)
	if got := shardOf(t, few, 3, "x"); got < 0 {
		t.Errorf("shard %d", got)
	}
}

func BenchmarkMap(b *testing.B) {
	for _, typ := range []string{"hash", "xxhash", "xxh3", "consistent_hash", "unicode_loose_xxhash"} {
		v := bind(b, typ, nil, 16).(SingleColumn)
		for _, value := range []any{int64(123456789), "alice@example.com"} {
			b.Run(fmt.Sprintf("%s/%T", typ, value), func(b *testing.B) {
				b.ReportAllocs()
				dst := make([]byte, 0, 32)
				for b.Loop() {
					v.Map(dst, value)
				}
			})
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	for name, tt := range map[string]struct {
		v any
		c Column
	}{
		"int":      {int64(123456789), Column{Affinity: Integer}},
		"text":     {"alice@example.com", Column{Affinity: Text}},
		"nocase":   {"Alice@Example.com", Column{Affinity: Text, NoCase: true}},
		"float":    {1.5, Column{Affinity: Text}},
		"datetime": {"2024-01-02 03:04:05", Column{Temporal: DateTime}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Canonical(tt.v, tt.c)
			}
		})
	}
}
