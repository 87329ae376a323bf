package exec

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// run is one fragment on one shard.
type run struct {
	frag   *route.Fragment
	ord    int // of the fragment in the plan
	shard  int
	runner tablet.Runner // set by connect
	q      tablet.Query
}

// resolve makes the runs of all fragments, by fragment, then by shard.
func resolve(s Session, frags []*route.Fragment, args []any) ([]run, error) {
	var runs []run
	for i, f := range frags {
		if f.Catalog != nil {
			runs = append(runs, run{frag: f, ord: i, q: tablet.Query{SQL: f.SQL.String(), Args: args}})
			continue
		}
		m, err := shardMap(s, f.Keyspace)
		if err != nil {
			return nil, err
		}
		if f.Split {
			shards, parts, err := f.Dest.Split(m, args, s.Scratch())
			if err != nil {
				return nil, err
			}
			for k, shard := range shards {
				r, err := splitRun(s, m, f, i, shard, args, parts[k])
				if err != nil {
					return nil, err
				}
				runs = append(runs, r)
			}
			continue
		}
		shards, err := f.Dest.Resolve(m, args, s.Scratch())
		if err != nil {
			return nil, err
		}
		if runs == nil {
			runs = make([]run, 0, len(shards)*len(frags))
		}
		for _, shard := range shards {
			sql, err := static(m.Text(&f.SQL, shard))
			if err != nil {
				return nil, err
			}
			q := tablet.Query{SQL: sql, Args: args, Schema: m.Schema}
			if err := narrow(s, m, shard, &q); err != nil {
				return nil, err
			}
			runs = append(runs, run{frag: f, ord: i, shard: shard, q: q})
		}
	}
	return runs, nil
}

// places lists the shards of runs, ascending: the order in which locks are
// taken.
func places(runs []run) []Place {
	out := make([]Place, 0, len(runs))
	for i := range runs {
		if runs[i].frag.Catalog != nil {
			continue
		}
		out = append(out, Place{runs[i].frag.Keyspace, runs[i].shard})
	}
	slices.SortFunc(out, comparePlaces)
	return slices.Compact(out)
}

func comparePlaces(a, b Place) int {
	return cmp.Or(strings.Compare(a.Keyspace, b.Keyspace), a.Shard-b.Shard)
}

func shardMap(s Session, keyspace string) (*route.ShardMap, error) {
	m := s.ShardMap(keyspace)
	if m == nil || len(m.Names) == 0 {
		return nil, fmt.Errorf("keyspace %q has no shards", keyspace)
	}
	return m, nil
}

func static(t *dialect.Text) (string, error) {
	sql, ok := t.Static()
	if !ok {
		return "", fmt.Errorf("fragment %q has a list slot, but its destination doesn't split a list", t)
	}
	return sql, nil
}

// connect gives each run its runner: the session's transaction on the shard,
// or the tablet itself.
func connect(ctx context.Context, s Session, runs []run) error {
	if err := see(ctx, s, runs); err != nil {
		return err
	}
	for i := range runs {
		r := &runs[i]
		if r.frag.Catalog != nil {
			rows, err := s.Catalog(ctx, r.frag.Catalog, r.frag.Names, r.q.Args)
			if err != nil {
				return err
			}
			r.runner = &catalogRunner{frag: r.frag, rows: rows}
			continue
		}
		var err error
		if r.runner, err = runner(ctx, s, r.frag.Keyspace, r.shard, Reading); err != nil {
			return err
		}
	}
	return nil
}

func runner(ctx context.Context, s Session, keyspace string, shard int, to Access) (tablet.Runner, error) {
	if _, has := s.(*viewed); !has && s.InTx() {
		tx, err := s.Tx(ctx, keyspace, shard, to)
		if err != nil {
			return nil, err
		}
		if tx != nil {
			return tx, nil
		}
	}
	t := s.Tablet(keyspace, shard)
	if t == nil {
		if v, ok := s.(*viewed); ok && v.err != nil {
			return nil, v.err
		}
		return nil, fmt.Errorf("keyspace %q has no tablet for shard %d", keyspace, shard)
	}
	return t, nil
}

const (
	// maxParam is SQLite's highest parameter number.
	maxParam = 32766
	// padUpTo is the length up to which a list is filled up to a power of two
	// by its last member, so that few statement texts cover all lengths.
	padUpTo = 1024
)

// splitRun is a fragment for a shard's part of a list.
func splitRun(s Session, m *route.ShardMap, f *route.Fragment, ord, shard int, args, part []any) (run, error) {
	most := maxParam
	if len(args)+padded(len(part)) > fewest {
		most = mostParameters(s, f.Keyspace, shard)
	}
	q, err := splitQuery(m, f, shard, args, part, most)
	if err == nil {
		err = narrow(s, m, shard, &q)
	}
	return run{frag: f, ord: ord, shard: shard, q: q}, err
}

// splitQuery fills the slots of f's text with a shard's part of a list, as parameters
// behind args or, when those would be more than most, as literals.
func splitQuery(m *route.ShardMap, f *route.Fragment, shard int, args, part []any, most int) (tablet.Query, error) {
	t := m.Text(&f.SQL, shard)
	var list strings.Builder
	q := tablet.Query{Args: args, Schema: m.Schema}
	if n := padded(len(part)); len(args)+n <= most {
		all := make([]any, 0, len(args)+n)
		all = append(append(all, args...), part...)
		for len(part) > 0 && len(all) < cap(all) {
			all = append(all, part[len(part)-1])
		}
		q.Args = all
		for i := range n {
			if i > 0 {
				list.WriteString(", ")
			}
			list.WriteByte('?')
			list.WriteString(strconv.Itoa(len(args) + i + 1))
		}
	} else {
		for i, v := range part {
			if i > 0 {
				list.WriteString(", ")
			}
			text, err := printer(m, shard).Literal(v)
			if err != nil {
				return q, err
			}
			list.WriteString(text)
		}
	}
	var sql strings.Builder
	for i, s := range t.Segments {
		sql.WriteString(s)
		if i < len(t.Lists) {
			sql.WriteString(list.String())
		}
	}
	q.SQL = sql.String()
	return q, nil
}

func padded(n int) int {
	if n > padUpTo {
		return n
	}
	p := 1
	for p < n {
		p *= 2
	}
	if n == 0 {
		return 0
	}
	return p
}
