package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// parse reads a history: one transaction a line, its process and then its
// operations; "a1+2" appends 2 to key 1, "r1=1,2" reads it. A line may end in
// "abort" or "unknown". Transactions run one after the other, but those of
// lines that begin with "|" run together with the line before.
func parse(t *testing.T, text string) []*Txn {
	t.Helper()
	var r Recorder
	var open []*Txn
	var ends []Status
	flush := func() {
		for i, x := range open {
			r.End(x, ends[i])
		}
		open, ends = nil, nil
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		if words[0] != "|" {
			flush()
		} else {
			words = words[1:]
		}
		x, end := r.Begin(number(t, words[0])), Committed
		for _, w := range words[1:] {
			key, value, _ := strings.Cut(w[1:], map[bool]string{true: "+", false: "="}[w[0] == 'a'])
			switch {
			case w == "abort":
				end = Aborted
			case w == "unknown":
				end = Unknown
			case w[0] == 'a':
				x.Append(number(t, key), number(t, value))
			default:
				var list []int
				for v := range strings.SplitSeq(value, ",") {
					if v != "" {
						list = append(list, number(t, v))
					}
				}
				x.Read(number(t, key), list)
			}
		}
		open, ends = append(open, x), append(ends, end)
	}
	flush()
	return r.Txns()
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return n
}

// TestAnomalies: hand-made histories of every anomaly, and the strongest level
// that each of them still keeps to.
func TestAnomalies(t *testing.T) {
	tests := []struct {
		name, history string
		want          string // the anomalies
		keeps         Level  // -1: none
	}{
		{"serial", `
			1 a1+1 r1=1
			2 r1=1 a1+2 a2+5
			1 r1=1,2 r2=5`, "", StrictSerializable},
		{"dirty write", `
			1 a1+1 a2+1
			| 2 a1+2 a2+2
			3 r1=1,2 r2=2,1`, "G0", -1},
		{"aborted read", `
			1 a1+1 abort
			| 2 r1=1`, "G1a", -1},
		{"own reads of an aborted one", `
			1 a1+1 r1=1 abort
			2 r1=`, "", StrictSerializable},
		{"intermediate read", `
			1 a1+1 a1+2
			| 2 r1=1
			3 r1=1,2`, "G1b", -1},
		{"circular information flow", `
			1 a1+1 r2=1
			| 2 a2+1 r1=1`, "G1c", -1},
		{"own append not seen", `
			1 a1+1 r1=`, "internal", -1},
		{"twice", `
			1 a1+1
			2 r1=1,1`, "duplicate", -1},
		{"out of nothing", `
			1 r1=7`, "garbage", -1},
		{"lost append", `
			1 a1+1
			2 r1=1
			3 r1= a1+2
			4 r1=2`, "incompatible-order", ReadCommitted},
		{"read skew", `
			1 a1+1 a2+1
			| 2 r1= r2=1
			3 r1=1`, "G-single", ReadCommitted},
		{"non-repeatable read", `
			1 r1= r1=1
			| 2 a1+1`, "G-single", ReadCommitted},
		{"lost update", `
			1 r1= a1+1
			| 2 r1= a1+2
			3 r1=1,2`, "G-single", ReadCommitted},
		{"long fork", `
			1 a1+1
			| 2 a2+1
			| 3 r1=1 r2=
			| 4 r1= r2=1`, "G-nonadjacent", ReadCommitted},
		{"write skew", `
			1 r1= r2= a1+1
			| 2 r1= r2= a2+1
			3 r1=1 r2=1`, "G2-item", StrongSnapshot},
		{"stale read", `
			1 a1+1
			2 r1=
			3 r1=1`, "G-single-realtime", Serializable},
		{"stale read of its own client", `
			1 a1+1
			1 r1=
			2 r1=1`, "G-single-process", Serializable},
		{"writes against real time", `
			1 a1+1
			2 a1+2
			3 r1=2,1`, "G0-realtime", Serializable},
		{"an unknown one that was seen", `
			1 a1+1 unknown
			2 r1=1
			3 r1=`, "G-single-realtime", Serializable},
		{"an unknown one that wasn't", `
			1 a1+1 unknown
			2 r1=`, "", StrictSerializable},
		{"half of an unknown one", `
			1 a1+1 a2+1 unknown
			2 r1=1 r2=`, "G-single", ReadCommitted},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := Check(parse(t, tc.history))
			var names []string
			for _, a := range r.Anomalies {
				names = append(names, a.Name)
			}
			// What follows from the wanted one may be there too.
			if tc.want == "" && len(names) > 0 || tc.want != "" && !slices.Contains(names, tc.want) {
				t.Errorf("found %v, want %q", r.Anomalies, tc.want)
			}
			for l := ReadCommitted; l <= StrictSerializable; l++ {
				if got := len(r.Against(l)) == 0; got != keeps(tc.keeps, l) {
					t.Errorf("%v: kept %v, found %v", l, got, names)
				}
			}
		})
	}
}

// keeps says whether what keeps to level a keeps to b. Serializable doesn't imply
// strong snapshot isolation, which is about real time.
func keeps(a, b Level) bool {
	if a == Serializable && b == StrongSnapshot {
		return false
	}
	return a >= b
}

func TestShowsTheCycle(t *testing.T) {
	r := Check(parse(t, "1 r1= r2= a1+1\n| 2 r1= r2= a2+1\n3 r1=1 r2=1"))
	text := fmt.Sprint(r.Anomalies)
	for _, part := range []string{"rw of 1", "rw of 2", "p1@", "p2@", "a1+1"} {
		if !strings.Contains(text, part) {
			t.Errorf("%s doesn't say %q", text, part)
		}
	}
	if r.Txns != 3 || r.Edges < 4 {
		t.Errorf("%d transactions, %d edges", r.Txns, r.Edges)
	}
}

func TestRestrict(t *testing.T) {
	h := parse(t, "1 a1+1 a2+1\n| 2 r1= r2=1\n3 r1=1")
	for _, key := range []int{1, 2} {
		r := Check(Restrict(h, func(k int) bool { return k == key }))
		if a := r.Against(StrictSerializable); len(a) > 0 {
			t.Errorf("key %d: %v", key, a)
		}
	}
}
