package exec

import (
	"context"
	"database/sql"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

type kind int16
type name string

func TestBindConverts(t *testing.T) {
	s := newSession(&stub{})
	s.zone = time.FixedZone("", 2*3600)
	at := time.Date(2024, 5, 6, 23, 30, 0, 0, time.UTC)
	n := int64(7)
	for _, tt := range []struct{ in, want any }{
		{nil, nil}, {int64(1), int64(1)}, {1.5, 1.5}, {"x", "x"}, {[]byte("x"), []byte("x")},
		{true, int64(1)}, {false, int64(0)}, {int(3), int64(3)}, {int8(-3), int64(-3)}, {uint32(3), int64(3)},
		{uint64(math.MaxInt64), int64(math.MaxInt64)}, {float32(0.5), 0.5}, {kind(4), int64(4)}, {name("n"), "n"},
		{at, "2024-05-07 01:30:00"}, {at.Add(1500 * time.Microsecond), "2024-05-07 01:30:00.001500"}, {time.Time{}, "0000-00-00 00:00:00"},
		{sql.NullInt64{Int64: 5, Valid: true}, int64(5)}, {sql.NullString{}, nil}, {&n, int64(7)}, {(*int64)(nil), nil},
	} {
		got, err := Bind(context.Background(), s, &route.Params{User: 1}, []any{tt.in}, nil)
		if err != nil || !reflect.DeepEqual(got[0], tt.want) {
			t.Errorf("%T %v: got %#v, %v; want %#v", tt.in, tt.in, got, err, tt.want)
		}
	}
	for _, bad := range []any{uint64(math.MaxInt64) + 1, struct{}{}, map[string]int{}, 1i} {
		code := tablet.CodeDataType
		if _, number := bad.(uint64); number {
			code = tablet.CodeValueRange
		}
		if got, err := Bind(context.Background(), s, &route.Params{User: 1}, []any{bad}, nil); tablet.CodeOf(err) != code || !strings.Contains(err.Error(), "argument 1") {
			t.Errorf("%T: got %v, %v", bad, got, err)
		}
	}
	if _, err := Bind(context.Background(), s, &route.Params{User: 2}, []any{1}, nil); err == nil || err.Error() != "the statement takes 2 arguments, 1 were given" {
		t.Error(err)
	}
}

func TestBindCoercesAndComputes(t *testing.T) {
	s := newSession(&stub{})
	s.now = time.Date(2024, 5, 6, 23, 30, 1, 987654321, time.UTC)
	s.zone = time.FixedZone("", 2*3600)
	s.values = map[string]any{"@x": true, "last_insert_id()": 9}
	scaled := func(c sqlast.Class, n int) sqlast.Type {
		ty := typ(c)
		ty.Scale = n
		return ty
	}
	p := &route.Params{
		User: 3,
		Coerce: []route.Coercion{{Arg: 0, Type: scaled(sqlast.ClassDateTime, 0)}, {Arg: 1, Type: scaled(sqlast.ClassDateTime, 3), Store: true},
			{Arg: 2, Type: typ(sqlast.ClassDate), Store: true}},
		Computed: []route.Computed{
			{Kind: route.ComputedConst, Value: "c"},
			{Kind: route.ComputedNow, Type: scaled(sqlast.ClassDateTime, 0)},
			{Kind: route.ComputedNow, Type: scaled(sqlast.ClassDateTime, 3), UTC: true},
			{Kind: route.ComputedNow, Type: typ(sqlast.ClassDate)},
			{Kind: route.ComputedNow, Type: typ(sqlast.ClassTime)},
			{Kind: route.ComputedNow, Type: typ(sqlast.ClassInt)},
			{Kind: route.ComputedSession, Name: "@x"},
			{Kind: route.ComputedSession, Name: "last_insert_id()"},
			{Kind: route.ComputedCoerced, Arg: 0, Type: typ(sqlast.ClassDate)},
			{Kind: route.ComputedExpr, SQL: "?11 * 2 + length(?4)"},
			{Kind: route.ComputedExpr, SQL: "?13 + 1"},
			{Kind: route.ComputedUUID},
			{Kind: route.ComputedRand},
		},
	}
	got, err := Bind(context.Background(), s, p, []any{"2024-1-2 3:4", time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"2024-01-02 03:04:00", "2024-01-02 05:04:05.000", "2024-02-03", "c", "2024-05-07 01:30:01", "2024-05-06 23:30:01.987",
		"2024-05-07", "01:30:01", s.now.Unix(), int64(1), int64(9), "2024-01-02 03:04:00", int64(19), int64(20)}
	if !reflect.DeepEqual(got[:len(want)], want) {
		t.Errorf("got  %#v\nwant %#v", got[:len(want)], want)
	}
	if id, _ := got[14].(string); len(id) != 36 || id[14] != '4' {
		t.Errorf("UUID %v", got[14])
	}
	if f, ok := got[15].(float64); !ok || f < 0 || f >= 1 {
		t.Errorf("RAND %v", got[15])
	}
	p.Computed = []route.Computed{{Kind: route.ComputedSession, Name: "@none"}}
	if _, err := Bind(context.Background(), s, p, []any{nil, nil, nil}, nil); err == nil {
		t.Error("no error for an unknown value")
	}
	p.Computed = []route.Computed{{Kind: route.ComputedExpr, SQL: "nosuch(1)"}}
	if _, err := Bind(context.Background(), s, p, []any{nil, nil, nil}, nil); err == nil || !strings.Contains(err.Error(), "nosuch(1)") {
		t.Error(err)
	}
	CloseIdle()
}

func TestBindDoesNotAllocate(t *testing.T) {
	s := newSession(&stub{})
	p := &route.Params{User: 3}
	user, buf := []any{int64(1 << 40), "text", []byte("blob")}, make([]any, 0, 3)
	if n := testing.AllocsPerRun(100, func() { _, _ = Bind(context.Background(), s, p, user, buf) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
