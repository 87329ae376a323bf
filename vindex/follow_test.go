package vindex

import (
	"bytes"
	"fmt"
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
