package vitessdo

import (
	"context"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vschema"
)

// backfillPage is how many rows a step of a backfill takes; meanwhile writers of
// their shard wait.
const backfillPage = 200

// backfillVindex makes the entries of a write-only lookup vindex for the rows
// that are there, shard by shard and page by page, while writes go on, which keep
// the entries of what they write themselves. Then the vindex is used. progress, if
// not nil, is told of every page. The session is in no transaction, and the caller
// holds cl.ddl.
func (s *session) backfillVindex(ctx context.Context, ks, table, name string, progress func(rows int64)) error {
	s.snap = s.cl.state.Load()
	effects, err := route.Backfill(s.env(), ks, table, name)
	if err != nil {
		return err
	}
	for shard := range s.snap.shards[ks].Names {
		if err := s.backfillShard(ctx, ks, shard, table, effects, progress); err != nil {
			return err
		}
	}
	if err := s.checkFilled(ctx, ks, table, name); err != nil {
		return err
	}
	return s.plannedChange(ctx, func() error {
		return s.within(ctx, func(t *transaction) error { return s.useVindex(ctx, ks, name) })
	})
}

// useVindex has a write-only lookup vindex be used.
func (s *session) useVindex(ctx context.Context, ks, name string) error {
	v, err := s.snap.vschema.Apply(ks, vschema.Change{Op: vschema.SetWriteOnly, Vindex: name})
	if err != nil {
		return err
	}
	return s.tx.apply(ctx, ks, &ddl.Change{VSchema: v})
}

// backfillWithin makes a vindex's entries in the session's transaction, which holds
// all shards of the keyspace, and has it used.
func (s *session) backfillWithin(ctx context.Context, ks string, b ddl.Backfill) error {
	effects, err := route.Backfill(s.env(), ks, b.Table, b.Vindex)
	if err != nil {
		return err
	}
	for shard := range s.snap.shards[ks].Names {
		if err := s.backfillShard(ctx, ks, shard, b.Table, effects, nil); err != nil {
			return err
		}
	}
	if err := s.checkDistinct(ctx, ks, b); err != nil {
		return err
	}
	return s.useVindex(ctx, ks, b.Vindex)
}

// checkDistinct sees that no two rows have one key of a unique vindex.
func (s *session) checkDistinct(ctx context.Context, ks string, b ddl.Backfill) error {
	for _, cv := range s.snap.vschema.Keyspaces[ks].Table(b.Table).ColumnVindexes {
		if cv.Name != b.Vindex || !cv.Unique() {
			continue
		}
		columns, there := make([]string, len(cv.Columns)), make([]string, len(cv.Columns))
		for i, c := range cv.Columns {
			columns[i] = backquoted(c)
			there[i] = columns[i] + " IS NOT NULL"
		}
		list := strings.Join(columns, ", ")
		found, err := s.finds(ctx, "SELECT 1 FROM "+backquoted(ks)+"."+backquoted(b.Table)+" WHERE "+strings.Join(there, " AND ")+
			" GROUP BY "+list+" HAVING COUNT(*) > 1 LIMIT 1")
		if err != nil {
			return err
		}
		if found {
			e := newError(CodeUnique, "Duplicate entry for key '%s.%s': two rows have the same", b.Table, b.Vindex)
			e.Keyspace, e.Table, e.Constraint = ks, b.Table, b.Vindex
			return e
		}
	}
	return nil
}

func (s *session) backfillShard(ctx context.Context, ks string, shard int, table string, effects *route.Effects, progress func(int64)) error {
	columns := make([]string, len(effects.Columns))
	for i, c := range effects.Columns {
		columns[i] = quoteName(c.Name)
	}
	query := s.pageByRowID(ks, shard, table, strings.Join(columns, ", "))
	for last := int64(-1 << 63); ; {
		n, next := 0, last
		err := s.Atomically(ctx, func(in exec.Session) error {
			// Under the shard's lock the rows can't change before their entries are
			// there.
			tx, err := in.Tx(ctx, ks, shard, exec.Locking)
			if err != nil {
				return err
			}
			page, err := readPage(ctx, tx, query, last)
			if err != nil || len(page) == 0 {
				n = 0
				return err
			}
			n, next = len(page), page[len(page)-1][0].(int64)
			for i := range page {
				page[i] = page[i][1:]
			}
			return exec.Follow(ctx, in, effects, page)
		})
		if err != nil {
			return err
		}
		if progress != nil && n > 0 {
			progress(int64(n))
		}
		if n < backfillPage {
			return nil
		}
		last = next
	}
}

func readPage(ctx context.Context, r tablet.Runner, query string, after int64) ([][]any, error) {
	return allOf(ctx, r, query, after, int64(backfillPage))
}
