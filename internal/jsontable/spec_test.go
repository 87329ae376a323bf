package jsontable

import (
	"reflect"
	"testing"
)

// What the printer writes is what the engine reads.
func TestText(t *testing.T) {
	s := &Spec{Path: "$[*]", Columns: []*Column{
		{Name: "i", Ordinality: true},
		{Name: "a", Path: `$."it's"`, Fit: Int, Args: []int64{-1 << 63, 1<<63 - 1}, Empty: Instead{Default: `"<&>"`}, Error: Instead{Fail: true}},
		{Nested: &Spec{Path: "$.b", Columns: []*Column{
			{Name: "e", Path: "$", Exists: true, Fit: Enum, Members: []string{"x", "y"}},
			{Name: "j", Path: "$", Fit: JSON},
		}}},
	}}
	got, err := Parse(s.Text())
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("%s is read as %s, %v", s.Text(), got.Text(), err)
	}
}
