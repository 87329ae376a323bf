package vindex

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// What a vindex that depends on the shards gave for some of them leads to what it
// gives for others.
func TestFollow(t *testing.T) {
	for _, c := range []struct {
		typ    string
		params map[string]string
		counts []int
	}{
		{"consistent_hash", nil, []int{1, 2, 3, 7, 16}},
		{"range", map[string]string{"boundaries": "100,200,300"}, []int{4, 5, 9}},
		{"range", map[string]string{"boundaries": "100,200", "shards": "1,0,1"}, []int{2, 4}},
	} {
		v, err := New(c.typ, "v", c.params)
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range c.counts {
			for _, to := range c.counts {
				old, now := bound(t, v, from), bound(t, v, to)
				for _, value := range []any{nil, int64(-5), int64(99), int64(100), int64(250), int64(1 << 60)} {
					id, err := old.(SingleColumn).Map(nil, value)
					if err != nil {
						t.Fatal(err)
					}
					want, err := now.(SingleColumn).Map(nil, value)
					if err != nil {
						t.Fatal(err)
					}
					got, err := now.(Follower).Follow(nil, old, id)
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%s of %v, %d → %d shards: %x (%v), want %x", c.typ, value, from, to, got, err, want)
					}
				}
				if _, err := now.(Follower).Follow(nil, old, []byte("foreign")); err == nil {
					t.Errorf("%s follows what is no keyspace ID of its own", c.typ)
				}
			}
		}
	}
}

func bound(t *testing.T, v Vindex, shards int) Vindex {
	t.Helper()
	out, err := v.(TopologyAware).WithShards(EvenRanges(shards))
	if err != nil {
		t.Fatal(fmt.Errorf("%d shards: %w", shards, err))
	}
	return out
}

// Ranges may be cut elsewhere, and given to other shards, as long as keyspace IDs tell
// which values are where; if they may not, that is known before.
func TestFollowOtherRanges(t *testing.T) {
	for _, c := range []struct {
		typ      string
		old, now map[string]string
		values   []any
		cut      string
	}{
		{"int", ranges("100,200", "0,1,0"), ranges("150,200,1000", "1,0,1,0"), []any{nil, int64(-9), int64(99), int64(100), int64(149), int64(150), int64(200), int64(999), int64(1 << 62)}, ""},
		{"float", ranges("0.5", ""), ranges("-1,0.5,2.25", "0,1,1,0"), []any{-1.5, -1.0, 0.25, 0.5, 2.0, 2.25, 1e9}, ""},
		{"date", ranges("2026-01-01", ""), ranges("2025-06-01,2026-02-01", "1,0,1"), []any{"2025-05-31", "2025-06-01", "2026-01-31", "2026-02-01"}, ""},
		{"datetime", ranges("2026-01-01", ""), ranges("2026-01-01 12:00:00", ""), []any{"2025-05-31 00:00:00", "2026-01-01 11:59:59", "2026-01-01 12:00:00"}, ""},
		{"decimal", ranges("1.5,3", "0,1,0"), ranges("1.5", ""), []any{Decimal("1"), Decimal("1.5"), Decimal("2.9"), Decimal("3"), Decimal("99")}, ""},
		{"decimal", ranges("1.5,3", "0,1,0"), ranges("2", ""), []any{Decimal("1"), Decimal("99")}, "old range"},
		{"text", ranges("m", ""), ranges("d,m,t", "0,1,0,1"), []any{"", "a", "czzzzzzzzzz", "d", "lzz", "m", "m\x00", "t", "zzzzzzzzzzzzz"}, ""},
		{"text", ranges("abcdefghij", ""), ranges("abcdefghij,x", "1,0,1"), []any{"abcdefgh", "abcdefghij", "abcdefghz", "x", "y"}, ""},
		{"text", ranges("m", ""), ranges("abcdefghij", ""), []any{"a", "abcdefg", "x"}, `"abcdefgh"`},
		{"binary", ranges("80", ""), ranges("40,c0", "1,0,1"), []any{"\x00", "\x3f\xff", "\x40", "\xbf\xff\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, ""},
	} {
		c.old["type"], c.now["type"] = c.typ, c.typ
		before, err := New("range", "v", c.old)
		if err != nil {
			t.Fatal(err)
		}
		after, err := New("range", "v", c.now)
		if err != nil {
			t.Fatal(err)
		}
		old, now := bound(t, before, 2), bound(t, after, 2)
		if err := now.(Follower).Follows(old); (err != nil) != (c.cut != "") || err != nil && !strings.Contains(err.Error(), c.cut) {
			t.Errorf("%s, %v → %v: %v, want %q", c.typ, c.old, c.now, err, c.cut)
		}
		for _, value := range c.values {
			id, err := old.(SingleColumn).Map(nil, value)
			if err != nil {
				t.Fatal(err)
			}
			want, err := now.(SingleColumn).Map(nil, value)
			if err != nil {
				t.Fatal(err)
			}
			got, err := now.(Follower).Follow(nil, old, id)
			if c.cut != "" && err != nil && strings.Contains(err.Error(), "parted") {
				continue
			}
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %v → %v: %v has %x (%v), want %x", c.typ, c.old, c.now, value, got, err, want)
			}
		}
	}
}

func ranges(boundaries, shards string) map[string]string {
	out := map[string]string{"boundaries": boundaries}
	if shards != "" {
		out["shards"] = shards
	}
	return out
}
