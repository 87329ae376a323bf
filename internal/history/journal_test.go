package history

import (
	"fmt"
	"strings"
	"testing"
)

// TestJournal: what is read is what was recorded, up to where it was torn; a
// transaction without an end counts if somebody saw it.
func TestJournal(t *testing.T) {
	var text strings.Builder
	r := Recorder{Journal: NewJournal(&text)}
	a, b, c := r.Begin(0), r.Begin(1), r.Begin(2)
	a.Append(1, 10)
	b.Append(1, 20)
	b.Append(2, 20)
	a.Read(2, nil)
	r.End(a, Committed)
	c.Read(1, []int{10, 20})
	r.End(c, Aborted)
	got, err := ReadJournal(strings.NewReader(text.String() + "append 2 3"))
	if err != nil {
		t.Fatal(err)
	}
	want := []*Txn{a, b, c}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(got) != 3 || got[1].Status != Unknown {
		t.Errorf("read:    %v\nwritten: %v", got, want)
	}

	// Of the crashed process nobody saw more than the first list.
	again := Recorder{}
	d := again.Begin(0)
	d.Read(1, []int{10, 20})
	d.Read(2, nil)
	again.End(d, Committed)
	all := After(got, again.Txns())
	if d.Start <= b.Start || d.Process != 3 {
		t.Errorf("the second process is not behind the first: %v", all)
	}
	if r := Check(all); !r.Has("G-single") || r.Txns != 3 {
		t.Errorf("half of the unknown one was seen, and found was %v", r)
	}
	d.Ops[1].List = []int{20}
	if r := Check(all); len(r.Anomalies) > 0 || r.Txns != 3 {
		t.Errorf("all of it was seen, and found was %v", r)
	}

	for _, bad := range []string{"end 9 1 1", "read 1 1 x", "begin", "fetch 1"} {
		if _, err := ReadJournal(strings.NewReader(bad + "\n")); err == nil {
			t.Errorf("%q can be read", bad)
		}
	}
}
