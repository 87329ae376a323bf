package protocol

import "testing"

// TestKindNames: every kind has a name of its own, which traces show.
func TestKindNames(t *testing.T) {
	seen := map[string]Kind{}
	for k := range numKinds {
		name := k.String()
		if other, double := seen[name]; name == "" || double {
			t.Errorf("kind %d is called %q, as %d is", k, name, other)
		}
		seen[name] = k
	}
}

// TestStepAllocates nothing but what it appends to: a commit takes these steps.
func TestStepAllocates(t *testing.T) {
	out := make([]Msg, 0, 16)
	c := NewCoordinator(3, false)
	var p Participant
	n := testing.AllocsPerRun(100, func() {
		c.phase, c.left, c.answered = idle, c.preparers, false
		clear(c.done)
		out = c.Step(Msg{Kind: Start}, out[:0])
		for i := range c.preparers {
			out = c.Step(Msg{Kind: Prepared, Part: i}, out[:0])
		}
		out = c.Step(Msg{Kind: Decided}, out[:0])
		for _, k := range []Kind{Begin, Prepare, Commit, Applied} {
			out = p.Step(Msg{Kind: k}, out[:0])
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
