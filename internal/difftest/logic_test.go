package difftest

import (
	"errors"
	"testing"
)

// script answers each text as told.
type script map[string]Answer

func (s script) Run(st Statement) Answer { return s[st.SQL] }
func (s script) Close()                  {}

func rowsOf(values ...any) Answer {
	var a Answer
	for _, v := range values {
		a.Rows = append(a.Rows, []any{v})
	}
	return a
}

// A law is broken by every kind of answer that it forbids, and by no other.
func TestLaws(t *testing.T) {
	one, two := int64(1), int64(2)
	for _, tt := range []struct {
		name        string
		kind        lawKind
		ops         []lawOp
		whole, a, b Answer
		broken      bool
	}{
		{"rows", lawRows, nil, rowsOf(one, two, one), rowsOf(one, one), rowsOf(two), false},
		{"a row is missing", lawRows, nil, rowsOf(one, two, one), rowsOf(one), rowsOf(two), true},
		{"a row is twice there", lawRows, nil, rowsOf(one, two), rowsOf(one, two), rowsOf(two), true},
		{"another row", lawRows, nil, rowsOf(one, two), rowsOf(one), rowsOf("2"), true},
		{"set", lawSet, nil, rowsOf(one, two), rowsOf(one, two), rowsOf(two), false},
		{"the set has a row twice", lawSet, nil, rowsOf(one, two, two), rowsOf(one, two), rowsOf(two), true},
		{"sum", lawSums, []lawOp{opSum}, rowsOf("3.00"), rowsOf(one), rowsOf(2.0), false},
		{"sum of nothing", lawSums, []lawOp{opSum}, rowsOf(nil), rowsOf(nil), rowsOf(nil), false},
		{"a sum that should be NULL", lawSums, []lawOp{opSum}, rowsOf(0.0), rowsOf(nil), rowsOf(nil), true},
		{"wrong sum", lawSums, []lawOp{opSum}, rowsOf(3.5), rowsOf(one), rowsOf(two), true},
		{"min", lawSums, []lawOp{opMin}, rowsOf(one), rowsOf(one), rowsOf(nil), false},
		{"wrong min", lawSums, []lawOp{opMin}, rowsOf(two), rowsOf(one), rowsOf(two), true},
		{"wrong max", lawSums, []lawOp{opMax}, rowsOf(one), rowsOf(one), rowsOf(two), true},
		{"wrong count", lawSums, []lawOp{opCount}, rowsOf(two), rowsOf(one), rowsOf(two), true},
		{"count by condition", lawCount, nil, rowsOf(two), rowsOf(one, int64(0), one), rowsOf(), false},
		{"wrong count by condition", lawCount, nil, rowsOf(one), rowsOf(one, int64(0), one), rowsOf(), true},
		{"an error in one of them", lawRows, nil, rowsOf(one), rowsOf(one), Answer{Err: errors.New("no")}, true},
	} {
		l := &Law{Name: tt.name, kind: tt.kind, ops: tt.ops, Whole: Statement{SQL: "whole"}, Parts: []Statement{{SQL: "a"}, {SQL: "b"}}}
		diff, _, _, refused := l.Broken(script{"whole": tt.whole, "a": tt.a, "b": tt.b})
		if (diff != "") != tt.broken || refused != nil {
			t.Errorf("%s: %q, %v; broken should be %v", tt.name, diff, refused, tt.broken)
		}
	}
}
