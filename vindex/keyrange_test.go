package vindex

import (
	"errors"
	"math/rand"
	"testing"
)

func TestParseKeyRange(t *testing.T) {
	for _, tt := range []struct {
		text, name string
		want       KeyRange
	}{
		{"-", "-", KeyRange{}},
		{"0", "-", KeyRange{}},
		{"-80", "-80", KeyRange{"", "\x80"}},
		{"80-", "80-", KeyRange{"\x80", ""}},
		{"40-80", "40-80", KeyRange{"\x40", "\x80"}},
		{"00-01", "00-01", KeyRange{"\x00", "\x01"}},
		{"AB-aC", "ab-ac", KeyRange{"\xab", "\xac"}},
		{"-8000", "-8000", KeyRange{"", "\x80\x00"}},
	} {
		got, err := ParseKeyRange(tt.text)
		if err != nil || got != tt.want || got.String() != tt.name {
			t.Errorf("ParseKeyRange(%q) = %s, %v, want %s", tt.text, got, err, tt.name)
		}
	}
	for _, text := range []string{"", "80", "8-", "-8", "zz-", "-zz", "80-40", "80-80", "80-8000", "-00", "-40-80", "1", "00-00"} {
		_, err := ParseKeyRange(text)
		if e := (*KeyRangeError)(nil); !errors.As(err, &e) || e.Text != text {
			t.Errorf("ParseKeyRange(%q): %v, want a KeyRangeError", text, err)
		}
	}
}

func TestKeyRangeContains(t *testing.T) {
	for _, tt := range []struct {
		r, id string
		want  bool
	}{
		{"-", "", true}, {"-", "\xff\xff", true},
		{"-80", "", true}, {"-80", "\x7f\xff", true}, {"-80", "\x80", false}, {"-80", "\x80\x00\x00", false},
		{"80-", "\x80", true}, {"80-", "\x80\x00", true}, {"8000-", "\x80", true}, {"-8000", "\x80", false},
		{"40-80", "\x40\x00\x01", true}, {"40-80", "\x3f\xff", false},
	} {
		r, err := ParseKeyRange(tt.r)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Contains([]byte(tt.id)); got != tt.want {
			t.Errorf("%s contains %x = %v", tt.r, tt.id, got)
		}
	}
	id := []byte("\x80\x00\x00\x00")
	r := KeyRange{"\x80", "\xc0"}
	if n := testing.AllocsPerRun(100, func() { r.Contains(id) }); n != 0 {
		t.Errorf("Contains allocates %v times", n)
	}
}

// TestKeyRangeAlgebra checks the set operations against membership.
func TestKeyRangeAlgebra(t *testing.T) {
	bounds := []string{"", "\x00", "\x01", "\x40", "\x40\x00", "\x40\x01", "\x80", "\xff"}
	ids := append(bounds, "\x00\x01", "\x3f\xff", "\x7f", "\xff\xff")
	for _, s := range bounds {
		for _, e := range bounds {
			for _, s2 := range bounds {
				for _, e2 := range bounds {
					checkAlgebra(t, KeyRange{s, e}, KeyRange{s2, e2}, ids)
				}
			}
		}
	}
}

func checkAlgebra(t *testing.T, a, b KeyRange, ids []string) {
	var inA, both, onlyB bool
	for _, id := range ids {
		x, y := a.Contains([]byte(id)), b.Contains([]byte(id))
		inA, both, onlyB = inA || x, both || x && y, onlyB || y && !x
	}
	if a.Empty() == inA {
		t.Errorf("%s.Empty() = %v", a, a.Empty())
	}
	if a.Intersects(b) != both {
		t.Errorf("%s.Intersects(%s) = %v", a, b, a.Intersects(b))
	}
	if a.ContainsRange(b) == onlyB {
		t.Errorf("%s.ContainsRange(%s) = %v", a, b, a.ContainsRange(b))
	}
	if a.Equal(b) != (a.ContainsRange(b) && b.ContainsRange(a)) {
		t.Errorf("%s.Equal(%s) = %v", a, b, a.Equal(b))
	}
}

func TestEvenRanges(t *testing.T) {
	for n, want := range map[int][]string{
		1:   {"-"},
		2:   {"-80", "80-"},
		3:   {"-55", "55-aa", "aa-"},
		4:   {"-40", "40-80", "80-c0", "c0-"},
		5:   {"-33", "33-66", "66-99", "99-cc", "cc-"},
		17:  {"-0f", "0f-1e"},
		256: {"-01", "01-02"},
		300: {"-00da", "00da-01b4"},
	} {
		got := EvenRanges(n)
		if len(got) != n {
			t.Errorf("EvenRanges(%d) has %d ranges", n, len(got))
		}
		for i, w := range want {
			if got[i].String() != w {
				t.Errorf("EvenRanges(%d)[%d] = %s, want %s", n, i, got[i], w)
			}
		}
	}
	for _, n := range []int{1, 2, 3, 7, 255, 256, 257, 300, 1000, 65536, 65537, 70000} {
		if err := CheckRanges(EvenRanges(n)); err != nil {
			t.Errorf("EvenRanges(%d): %v", n, err)
		}
	}
	if EvenRanges(0) != nil || EvenRanges(-1) != nil {
		t.Error("EvenRanges below 1 must give none")
	}
}

func TestCheckRanges(t *testing.T) {
	for _, names := range [][]string{
		nil, {"-80"}, {"80-"}, {"-80", "90-"}, {"-80", "70-"}, {"80-", "-80"}, {"-", "80-"}, {"-80", "80-", "80-"},
	} {
		var ranges []KeyRange
		for _, n := range names {
			r, err := ParseKeyRange(n)
			if err != nil {
				t.Fatal(err)
			}
			ranges = append(ranges, r)
		}
		if CheckRanges(ranges) == nil {
			t.Errorf("CheckRanges(%v) finds no fault", names)
		}
	}
}

func TestLocate(t *testing.T) {
	seed := rand.Int63()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewSource(seed))
	for range 2000 {
		ranges := EvenRanges(1 + rnd.Intn(300))
		id := make([]byte, rnd.Intn(10))
		rnd.Read(id)
		if rnd.Intn(2) == 0 {
			id = []byte(ranges[rnd.Intn(len(ranges))].Start)
		}
		i := Locate(ranges, id)
		if i < 0 || !ranges[i].Contains(id) {
			t.Fatalf("Locate of %x in %d ranges = %d", id, len(ranges), i)
		}
	}
	if i := Locate([]KeyRange{{"\x40", "\x80"}}, []byte{0x90}); i != -1 {
		t.Errorf("Locate outside = %d", i)
	}
	if i := Locate([]KeyRange{{"\x40", "\x80"}}, []byte{0x10}); i != -1 {
		t.Errorf("Locate below = %d", i)
	}
}

func FuzzParseKeyRange(f *testing.F) {
	for _, s := range []string{"-", "0", "-80", "80-", "40-80", "00-01", "-8000", "x-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseKeyRange(s)
		if err != nil {
			return
		}
		again, err := ParseKeyRange(r.String())
		if err != nil || again != r {
			t.Errorf("%q: %s read again gives %s, %v", s, r, again, err)
		}
		if r.Empty() || !r.Contains([]byte(r.Start)) {
			t.Errorf("%q is empty or lacks its start", s)
		}
	})
}
