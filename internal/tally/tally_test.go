package tally

import (
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/info"
)

func TestTiming(t *testing.T) {
	var x timing
	for i := range 1000 {
		x.add(time.Duration(i)*time.Microsecond, 2, i%10 == 0)
	}
	f := x.figures()
	if f.Count != 1000 || f.Errors != 100 || f.Rows != 2000 || f.Mean != 499500*time.Nanosecond || f.Max != 999*time.Microsecond {
		t.Errorf("figures %+v", f)
	}
	if f.P99 < 990*time.Microsecond || f.P99 > 2*990*time.Microsecond {
		t.Errorf("99 of 100 took less than %v", f.P99)
	}
	if f := (&timing{}).figures(); f.P99 != 0 || f.Mean != 0 {
		t.Errorf("figures of nothing: %+v", f)
	}
}

// What is asked for most lately is kept, of statements by their digests, of slow ones
// by their ends.
func TestTally(t *testing.T) {
	x := New(2)
	for i, digest := range []string{"a", "b", "a", "c"} {
		s := Statement{Asked: 2, Scatter: digest == "a", Slow: true}
		s.Digest, s.Text, s.Duration, s.Rows = digest, "select "+digest, time.Duration((i+1)*(i+1))*time.Millisecond, -1
		x.Count(&s, Call{info.Shard{Keyspace: "k", Name: "-80"}, time.Second, 3, false})
	}
	x.Asked(info.Shard{Keyspace: "k", Name: "80-"}, time.Second, 3, true)
	got := x.Tell()
	if n := len(got.Statements); n != 2 || got.Statements[0].Text != "select c" || got.Statements[1].Text != "select a" {
		t.Errorf("statements %+v", got.Statements)
	}
	if a := got.Statements[1]; a.Count != 2 || a.Shards != 4 || a.Scatters != 2 || a.Rows >= 0 {
		t.Errorf("statement a: %+v", a)
	}
	if len(got.Slow) != 4 || got.Slow[0].Digest != "c" || got.Slow[3].Digest != "a" {
		t.Errorf("slow %+v", got.Slow)
	}
	if len(got.Shards) != 2 || got.Shards[0].Name != "-80" || got.Shards[1].Errors != 1 || got.Shards[1].Rows != 3 || got.Shards[0].Count != 4 || got.Shards[0].Rows != 12 {
		t.Errorf("shards %+v", got.Shards)
	}
}

// Texts in the dialects of engines differ by their literals and nothing else.
func TestDigests(t *testing.T) {
	d := NewDigests(8)
	id, text := d.Of(`SELECT "id" FROM "t" WHERE "name" = 'x"y' AND "n" > ?12`)
	again, _ := d.Of(`SELECT  "id" FROM "t" WHERE "name" = 'z' AND "n" > ?1`)
	if want := "select `id` from `t` where `name` = ? and `n` > ?"; text != want || id != again {
		t.Errorf("%s %q, %s; want %q", id, text, again, want)
	}
}
