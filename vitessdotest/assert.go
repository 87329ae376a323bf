package vitessdotest

import (
	"fmt"
	"strings"
	"testing"
)

// AssertSingleShard fails t for each statement of f that asks more than one shard. A
// write that keeps a key unique across shards, and a commit, ask those that they
// write to.
func (r *Recorder) AssertSingleShard(t testing.TB, f func()) {
	t.Helper()
	r.AssertMaxShards(t, 1, f)
}

// AssertMaxShards fails t for each statement of f that asks more than n shards.
func (r *Recorder) AssertMaxShards(t testing.TB, n int, f func()) {
	t.Helper()
	r.assert(t, f, func(s *Statement) string {
		if len(s.Shards) <= n {
			return ""
		}
		return fmt.Sprintf("it asks %d shards, and may ask %d", len(s.Shards), n)
	})
}

// AssertNoScatter fails t for each statement of f that asks all shards, because
// nothing says where its rows are, unless it says /*vt+ ALLOW_SCATTER */.
func (r *Recorder) AssertNoScatter(t testing.TB, f func()) {
	t.Helper()
	r.assert(t, f, func(s *Statement) string {
		if !s.Scatter || s.Allowed {
			return ""
		}
		return "it asks all shards"
	})
}

// AssertPlan fails t for each query and write of f whose plan type isn't among
// those given, such as "single_shard" and "lookup".
func (r *Recorder) AssertPlan(t testing.TB, planTypes []string, f func()) {
	t.Helper()
	r.assert(t, f, func(s *Statement) string {
		if s.PlanType == "" {
			return ""
		}
		for _, want := range planTypes {
			if s.PlanType == want {
				return ""
			}
		}
		return fmt.Sprintf("its plan is %s, and may be %s", s.PlanType, strings.Join(planTypes, " or "))
	})
}

// assert checks every statement of f: wrong says what is wrong with it.
func (r *Recorder) assert(t testing.TB, f func(), wrong func(*Statement) string) {
	t.Helper()
	list := r.Watch(f)
	if len(list) == 0 {
		t.Error("no statement has ended here, so that nothing was looked at: does the function use this database, and close its rows?")
	}
	for i := range list {
		if why := wrong(&list[i]); why != "" {
			t.Errorf("%s", list[i].told(why))
		}
	}
}

// mostLines bounds what is told of a plan and of calls.
const mostLines = 12

// told is a message about a statement.
func (s *Statement) told(why string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n    %s:\n", strings.Join(strings.Fields(s.Query), " "), why)
	fmt.Fprintf(&b, "    plan %s, on %s\n", orNone(s.PlanType), orNone(strings.Join(s.Shards, ", ")))
	for i, p := range s.Plan {
		if i == mostLines {
			fmt.Fprintf(&b, "      and %d more\n", len(s.Plan)-i)
			break
		}
		fmt.Fprintf(&b, "      %s, %s: %s/%s: %s\n", p.PlanType, p.Combine, p.Keyspace, p.Shards, p.Query)
	}
	told := map[string]bool{}
	for _, p := range s.Plan {
		told[p.Query] = true
	}
	for _, c := range s.Calls {
		// What the plan doesn't show: lookups, keys, a commit's steps.
		line := fmt.Sprintf("%s/%s: %s %s", c.Keyspace, c.Shard, c.Kind, c.Query)
		if told[c.Query] || told[line] || len(told) > 3*mostLines {
			continue
		}
		told[line] = true
		fmt.Fprintf(&b, "      beside it, %s\n", strings.TrimSpace(line))
	}
	return strings.TrimRight(b.String(), "\n")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
