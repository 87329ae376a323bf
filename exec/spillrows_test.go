package exec

import (
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"testing"
)

// A spill gives back what was put in, in its order, from memory and from its
// file, and leaves no file.
func TestSpill(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	row := func(i int) []any {
		return []any{int64(i), math.Float64frombits(uint64(i) << 40), fmt.Sprintf("text \x00 %d", i), []byte{byte(i), 0}, nil, "", int64(math.MinInt64), []byte{}}
	}
	for _, rows := range []int{0, 1, frameRows, frameRows + 1, 5*frameRows + 7} {
		s := newSpill(8)
		s.memory = 600_000
		for i := range rows {
			r := row(i)
			if err := s.add(r); err != nil {
				t.Fatal(err)
			}
			r[3].([]byte)[0]++ // the spill has its own
		}
		if big := rows > 2*frameRows; (s.file != nil) != big {
			t.Errorf("%d rows: in a file: %v", rows, s.file != nil)
		}
		n := 0
		for {
			got, err := s.next(10)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range got {
				want := append(row(n), nil, nil)
				if !reflect.DeepEqual(r, want) {
					t.Fatalf("row %d of %d: %v, want %v", n, rows, r, want)
				}
				n++
			}
		}
		if n != rows {
			t.Errorf("%d rows came back, not %d", n, rows)
		}
		s.close()
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := newSpill(1).add([]any{true}); err == nil {
		t.Error("a bool was kept")
	}
}
