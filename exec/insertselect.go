package exec

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/route"
)

// insertSelected runs an INSERT … SELECT whose rows go over the gate. They are
// read to their end before any is inserted, as reading and writing go through the
// same transactions, and the statement must not meet its own rows. What is read
// goes to a spill, and from there to the shards frame by frame, so that memory
// doesn't grow with the number of rows.
func insertSelected(ctx context.Context, s Session, p *route.Plan, args []any) (out [][]any, res Result, err error) {
	err = atomically(ctx, s, func(sc *scope) error {
		out, res = nil, Result{} // the session may try again
		if err := lockSelected(sc, p, args); err != nil {
			return err
		}
		read, err := readAside(ctx, sc, p, args)
		if err != nil {
			return err
		}
		defer read.close()
		f := &following{}
		defer f.close()
		var sum total
		for {
			rows, err := nextSelected(p.Write.Insert, read)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			in, err := prepareInsert(ctx, sc, p, rows, sum.rows, args)
			if err != nil {
				return err
			}
			in.later = f
			if err := in.runAll(sc); err != nil {
				return err
			}
			out = sum.add(in, out)
		}
		res = sum.result()
		return f.run(sc, p.Write.Insert.Effects)
	})
	return out, res, err
}

// lockSelected takes the write locks of the shards that INSERT … SELECT may
// both read and write, before it reads: later, another commit in between would
// be a conflict. When it reads several shards, it may write all of them.
func lockSelected(sc *scope, p *route.Plan, args []any) error {
	runs, err := resolve(sc, p.Fragments, args)
	if err != nil {
		return err
	}
	keyspace := p.Write.Insert.Keyspace
	at := slices.DeleteFunc(places(runs), func(at Place) bool { return at.Keyspace != keyspace })
	if len(at) > 1 && p.Write.Insert.Dest != nil {
		m, err := shardMap(sc, keyspace)
		if err != nil {
			return err
		}
		at = at[:0]
		for i := range m.Names {
			at = append(at, Place{keyspace, i})
		}
	}
	return sc.lock(at)
}

// readAside runs a write's fragments and combine, and keeps the rows in a spill.
func readAside(ctx context.Context, s Session, p *route.Plan, args []any) (_ *spill, err error) {
	src, what, err := finding(ctx, s, p, args)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := src.close(); err == nil {
			err = cerr
		}
	}()
	sp, m := newSpill(len(src.row)), &meter{limits: s.Limits()}
	for {
		row, err := src.next()
		if err == io.EOF {
			return sp, nil
		}
		if err == nil {
			err = m.add(1, rowSize(row), what)
		}
		if err == nil {
			err = sp.add(row)
		}
		if err != nil {
			sp.close()
			return nil, err
		}
	}
}

// nextSelected makes rows to insert of rows that were read. A SELECT that has
// nothing for the AUTO_INCREMENT column leaves it to be generated.
func nextSelected(ins *route.InsertRows, read *spill) ([][]any, error) {
	k, behind := len(ins.Columns), ins.Beside
	generated := read.width == k-1 && ins.AutoInc >= 0 && behind == 0
	if read.width < k+behind && !generated {
		return nil, fmt.Errorf("the SELECT gives %d columns, %d are inserted", read.width, k)
	}
	width := ins.Width()
	rows, err := read.next(width)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if generated {
			copy(row[ins.AutoInc+1:k], row[ins.AutoInc:])
			row[ins.AutoInc] = nil
		}
		for c, scale := range ins.Spell {
			if d, ok := decimal.Of(row[c]); ok && row[c] != nil {
				row[c] = d.Text(scale)
			}
		}
		clear(row[k+behind:])
		rows[i] = row[:width]
	}
	return rows, nil
}

// following keeps, of the rows of an INSERT … SELECT, the columns of the effects
// that come behind the rows: these look at what the statement leaves in the end,
// so that its rows may be each other's parents.
type following struct{ rows *spill }

func (f *following) add(changes []change) error {
	for i := range changes {
		if f.rows == nil {
			f.rows = newSpill(len(changes[i].after))
		}
		if err := f.rows.add(changes[i].after); err != nil {
			return err
		}
	}
	return nil
}

// run runs the effects, frame by frame.
func (f *following) run(sc *scope, e *route.Effects) error {
	if f.rows == nil {
		return nil
	}
	for {
		rows, err := f.rows.next(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		changes := make([]change, len(rows))
		for i, r := range rows {
			changes[i].after = r
		}
		if err := sc.effects(e, false, changes); err != nil {
			return err
		}
	}
}

func (f *following) close() {
	if f.rows != nil {
		f.rows.close()
	}
}

// total sums up what inserts of parts of the rows have done.
type total struct {
	rows                  int // so far
	affected              int64
	generated, told, last Result
}

// add takes in a part; it gives out with the part's returned rows behind.
func (t *total) add(in *inserting, out [][]any) [][]any {
	t.rows += len(in.rows)
	for _, n := range in.count {
		t.affected += n
	}
	if !t.generated.HasInsertID {
		t.generated = in.firstGenerated()
	}
	if in.told.HasInsertID {
		t.told = Result{LastInsertID: in.told.LastInsertID, HasInsertID: true, Generated: true}
	}
	if last := in.lastGiven(); last.HasInsertID {
		t.last = last
	}
	for _, rows := range in.returned {
		out = append(out, rows...)
	}
	return out
}

// result tells, as LastInsertID, the value of the first row whose value was
// generated and which was added or, if there is none, what LAST_INSERT_ID(x) told
// last, or else the explicit value of the last row that was added.
func (t *total) result() Result {
	res := t.last
	if t.told.HasInsertID {
		res = t.told
	}
	if t.generated.HasInsertID {
		res = t.generated
	}
	res.RowsAffected = t.affected
	return res
}
