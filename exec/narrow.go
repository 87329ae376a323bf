package exec

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	gate "github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// fewest is a number of parameters that every engine takes.
const fewest = 100

// mostParameters is the highest number that a shard lets a parameter have.
func mostParameters(s Session, keyspace string, shard int) int {
	if t := s.Tablet(keyspace, shard); t != nil {
		if n := t.Capabilities().MaxParameters; n > 0 {
			return min(n, maxParam)
		}
	}
	return maxParam
}

// leastParameters is the highest number that each shard of a keyspace lets a parameter
// have.
func leastParameters(s Session, m *route.ShardMap) int {
	least := maxParam
	for shard := range m.Names {
		least = min(least, mostParameters(s, m.Keyspace, shard))
	}
	return least
}

// printer gives what prints for a shard.
func printer(m *route.ShardMap, shard int) dialect.Printer { return m.Printer(shard, gate.Printer{}) }

// narrow makes literals of the values that a shard takes no parameters for.
func narrow(s Session, m *route.ShardMap, shard int, q *tablet.Query) error {
	if len(q.Args) <= fewest {
		return nil
	}
	return inline(q, mostParameters(s, m.Keyspace, shard), printer(m, shard))
}

// inline makes literals of q's parameters above most, ?N or $N.
func inline(q *tablet.Query, most int, print dialect.Printer) error {
	if len(q.Args) <= most {
		return nil
	}
	var b strings.Builder
	text := q.SQL
	at := 0
	for i := 0; i < len(text); {
		if text[i] != '?' && text[i] != '$' {
			i = sqlite.Past(text, i)
			continue
		}
		end := i + 1
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if n, _ := strconv.Atoi(text[i+1 : end]); n > most && n <= len(q.Args) {
			b.WriteString(text[at:i])
			literal, err := print.Literal(q.Args[n-1])
			if err != nil {
				return err
			}
			b.WriteString("(" + literal + ")") // a sign behind another one begins a comment
			at = end
		}
		i = end
	}
	b.WriteString(text[at:])
	q.SQL, q.Args = b.String(), q.Args[:most]
	return nil
}

// execute is r.Exec for an engine that takes so many parameters.
func execute(ctx context.Context, r tablet.Runner, q *tablet.Query, most int, print dialect.Printer) (res tablet.Result, err error) {
	n := max(1, q.Batch)
	k := len(q.Args) / n
	if k <= fewest || k <= most {
		return r.Exec(ctx, q)
	}
	for i := range n {
		one := *q
		one.Batch, one.Args = 0, q.Args[i*k:(i+1)*k]
		if err := inline(&one, most, print); err != nil {
			return tablet.Result{}, err
		}
		got, err := r.Exec(ctx, &one)
		if err != nil {
			if e, ok := errors.AsType[*tablet.Error](err); ok && q.Batch > 0 {
				e.Execution = i + 1
			}
			return tablet.Result{}, err
		}
		res.RowsAffected += got.RowsAffected
		res.Changed, res.InsertIDs = append(res.Changed, got.RowsAffected), append(res.InsertIDs, got.LastInsertID)
		if got.LastInsertID != tablet.NoRowID || i == 0 {
			res.LastInsertID = got.LastInsertID
		}
	}
	if q.Batch == 0 {
		res.Changed, res.InsertIDs = nil, nil
	}
	return res, nil
}
