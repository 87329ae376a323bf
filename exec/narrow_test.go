package exec

import (
	"testing"

	gate "github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
)

// TestInline: the parameters that a shard doesn't take become literals, wherever
// question marks stand that are none.
func TestInline(t *testing.T) {
	q := tablet.Query{SQL: `SELECT "a?3", '?3 it''s ?2', -?3, ?1 FROM t WHERE b IN (?2, ?4, ?22)`, Args: []any{int64(1), "x", int64(-5), "it's"}}
	err := inline(&q, 1, gate.Printer{})
	want := `SELECT "a?3", '?3 it''s ?2', -(-5), ?1 FROM t WHERE b IN (('x'), ('it''s'), ?22)`
	if err != nil || q.SQL != want || len(q.Args) != 1 {
		t.Errorf("is %s with %d arguments, want %s with 1: %v", q.SQL, len(q.Args), want, err)
	}
}
