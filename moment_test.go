package vitessdo

import (
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// Whether looks at shards have a moment in common. Asked and told are by the clock
// here; a process's clock is ahead of that by 1000, the other's by 5000.
func TestMeet(t *testing.T) {
	see := func(shard, clock string, asked, told, since, until int64) look {
		return look{shard: tablet.Target{Keyspace: "k", Shard: shard}, asked: asked, told: told, span: tablet.Moment{Clock: clock, Since: since, Until: until}}
	}
	again := func(l look) look { l.again = true; return l }
	for _, tc := range []struct {
		name  string
		looks []look
		want  bool
	}{
		{"one look", []look{see("-80", "a", 0, 10, 1000, 1005)}, true},
		{"one process, nothing came between", []look{see("-80", "a", 0, 10, 900, 1005), see("80-", "a", 0, 10, 1004, 1006)}, true},
		{"one process, a commit came between", []look{see("-80", "a", 0, 10, 900, 1005), see("80-", "a", 0, 10, 1006, 1008)}, false},
		{"one process, a commit that the first shard hasn't seen since",
			[]look{see("-80", "a", 0, 10, 900, 1005), see("80-", "a", 0, 10, 1006, 1008), again(see("-80", "a", 11, 15, 900, 1013))}, true},
		{"one process, and it has seen another",
			[]look{see("-80", "a", 0, 10, 900, 1005), see("80-", "a", 0, 10, 1006, 1008), again(see("-80", "a", 11, 15, 1012, 1013))}, false},
		{"a shard was read twice, and a commit came between", []look{see("-80", "a", 0, 10, 900, 1005), see("-80", "a", 11, 15, 1007, 1013)}, false},
		{"a shard was read twice, in two lives of its process", []look{see("-80", "a", 0, 10, 900, 1005), see("-80", "b", 11, 15, 900, 1013)}, false},
		{"two processes at rest", []look{see("-80", "a", 0, 10, 100, 1005), see("80-", "b", 0, 10, 100, 5005)}, true},
		{"two processes, one had a commit before the question", []look{see("-80", "a", 100, 110, 1080, 1105), see("80-", "b", 100, 110, 100, 5105)}, true},
		{"two processes, one had a commit perhaps behind the other's answer", []look{see("-80", "a", 100, 110, 1104, 1105), see("80-", "b", 100, 110, 100, 5105)}, false},
		{"and the other is still as it was",
			[]look{see("-80", "a", 100, 110, 1104, 1105), see("80-", "b", 100, 110, 100, 5105), again(see("80-", "b", 111, 120, 100, 5115)), again(see("-80", "a", 111, 120, 1104, 1115))}, true},
		{"two processes, one was asked behind the other's commit", []look{see("-80", "a", 100, 110, 100, 1105), see("80-", "b", 120, 130, 5115, 5125)}, false},
		{"two processes, two rounds, at rest", []look{see("-80", "a", 100, 110, 100, 1105), see("80-", "b", 120, 130, 5050, 5125)}, true},
		{"a clock that was set while the statement ran", []look{see("-80", "a", 100, 110, 100, 1105), see("c0-", "a", 120, 130, 100, 9999), see("80-", "b", 100, 110, 100, 5105)}, false},
	} {
		if got := meet(tc.looks); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
