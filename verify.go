package vitessdo

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// VindexReport is what verifying a lookup vindex has found.
type VindexReport struct {
	Rows, Entries int64 // looked at
	Missing       int64 // rows without an entry
	Wrong         int64 // rows of a unique vindex whose entry leads to where no such row is
	Duplicate     int64 // rows of a unique vindex whose key another row has too
	Stray         int64 // entries without a row
	Repaired      int64
}

// Clean says whether rows and entries agree.
func (r VindexReport) Clean() bool {
	return r.Missing+r.Wrong+r.Duplicate+r.Stray == r.Repaired
}

// VerifyVindex compares a lookup vindex that a table of the connection's keyspace
// owns with the table's rows, while both are in use; what looks wrong is looked at again under locks. With
// repair, missing entries are made, wrong ones led to their rows, and strays
// removed. progress, if not nil, is told how many more rows and entries are done.
func VerifyVindex(ctx context.Context, conn *sql.Conn, table, vindex string, repair bool, progress func(n int64)) (VindexReport, error) {
	var out VindexReport
	err := onSession(conn, func(s *session) (err error) {
		out, err = s.verifyVindex(ctx, s.keyspace, table, vindex, repair, progress)
		return err
	})
	return out, err
}

// BackfillVindex makes the entries of a write-only lookup vindex for the rows that
// are there, while writes go on; then the vindex is used to find rows. progress,
// if not nil, is told how many more rows are done. When it is interrupted, it can
// be run again.
func BackfillVindex(ctx context.Context, conn *sql.Conn, table, vindex string, progress func(n int64)) error {
	return onSession(conn, func(s *session) error {
		done, err := s.inTurn(ctx)
		if err != nil {
			return err
		}
		defer done()
		return s.backfillVindex(ctx, s.keyspace, table, vindex, progress)
	})
}

func onSession(c *sql.Conn, f func(*session) error) error {
	return c.Raw(func(dc any) error {
		conn, ok := dc.(*Conn)
		if !ok {
			return newError(CodeMisuse, "the connection is not vitessdo's but a %T", dc)
		}
		if conn.s.tx != nil {
			return newError(CodeTxState, "a transaction is open on the connection")
		}
		conn.s.settle()
		return mapError(f(conn.s))
	})
}

// verifying is a lookup vindex being verified.
type verifying struct {
	*route.LookupCheck
	s         *session
	ks, table string
	repair    bool
	out       VindexReport
	list      string // the columns, in SQL of the table's shards
	progress  func(int64)
}

func (s *session) verifyVindex(ctx context.Context, ks, table, name string, repair bool, progress func(int64)) (VindexReport, error) {
	s.snap = s.cl.state.Load()
	check, err := route.Check(s.env(), ks, table, name)
	if err != nil {
		return VindexReport{}, err
	}
	v := &verifying{LookupCheck: check, s: s, ks: ks, table: table, repair: repair, progress: progress}
	var columns []string
	for _, c := range check.Effects.Columns {
		columns = append(columns, quoteName(c.Name))
	}
	v.list = strings.Join(columns, ", ")
	if err := v.walk(ctx, ks, table, v.list, &v.out.Rows, v.checkRow); err != nil {
		return v.out, err
	}
	var entry []string
	for _, c := range append(slices.Clone(check.From), check.To) {
		entry = append(entry, quoteName(c))
	}
	err = v.walk(ctx, check.Keyspace, check.Table, strings.Join(entry, ", "), &v.out.Entries, v.checkEntry)
	return v.out, err
}

// rowID names what a shard knows a table's rows by.
func (s *session) rowID(ks string, shard int, table string) string {
	def := s.snap.schema.Table(ks, table)
	if def == nil {
		return "rowid" // the statement will say that it isn't there
	}
	return s.snap.printer(ks, shard).RowID(def)
}

// pageByRowID is the query of a table's columns, the row ID before them, of the ?2
// rows of a shard whose IDs come next after ?1.
func (s *session) pageByRowID(ks string, shard int, table, columns string) string {
	id := s.rowID(ks, shard, table)
	return "SELECT " + id + ", " + columns + " FROM " + quoteName(table) + " WHERE " + id + " > ?1 ORDER BY " + id + " LIMIT ?2"
}

// walk visits the rows of a table on every shard of a keyspace, page by page.
func (v *verifying) walk(ctx context.Context, ks, table, columns string, count *int64, check func(context.Context, int, []any) error) error {
	for shard := range v.s.snap.shards[ks].Names {
		query := v.s.pageByRowID(ks, shard, table, columns)
		for last := int64(-1 << 63); ; {
			page, err := readPage(ctx, v.s.Tablet(ks, shard), query, last)
			if err != nil {
				return err
			}
			for _, row := range page {
				if err := check(ctx, shard, row); err != nil {
					return err
				}
			}
			*count += int64(len(page))
			if v.progress != nil && len(page) > 0 {
				v.progress(int64(len(page)))
			}
			if len(page) < backfillPage {
				break
			}
			last = page[len(page)-1][0].(int64)
		}
	}
	return nil
}

// checkRow looks for the entry of a row.
func (v *verifying) checkRow(ctx context.Context, shard int, row []any) error {
	if ok, _, err := v.hasEntry(ctx, v.s, row[1:]); ok || err != nil {
		return err
	}
	before := v.out
	return v.s.Atomically(ctx, func(in exec.Session) error {
		v.out = before // it may be tried again
		tx, err := in.Tx(ctx, v.ks, shard, exec.Locking)
		if err != nil {
			return err
		}
		id := v.s.rowID(v.ks, shard, v.table)
		now, err := allOf(ctx, tx, "SELECT "+id+", "+v.list+" FROM "+quoteName(v.table)+" WHERE "+id+" = ?1", row[0])
		if err != nil || len(now) == 0 {
			return err
		}
		values := now[0][1:]
		ok, others, err := v.hasEntry(ctx, in, values)
		if ok || err != nil {
			return err
		}
		return v.mend(ctx, in, values, others)
	})
}

// mend counts, and with repair makes good, a row without its entry; others are
// where entries of its key lead.
func (v *verifying) mend(ctx context.Context, in exec.Session, values []any, others []any) error {
	if !v.Unique || len(others) == 0 {
		v.out.Missing++
		if !v.repair {
			return nil
		}
		v.out.Repaired++
		return exec.Follow(ctx, in, v.Effects, [][]any{values})
	}
	held, err := v.held(ctx, in, values[:v.Keys], others[0])
	if err != nil {
		return err
	}
	if held {
		v.out.Duplicate++
		return nil
	}
	v.out.Wrong++
	if !v.repair {
		return nil
	}
	v.out.Repaired++
	to, err := v.ToOf(values, v.s.Scratch())
	if err != nil {
		return err
	}
	return v.run(ctx, in, v.Move, append([]any{to}, values[:v.Keys]...))
}

// hasEntry says whether a row has its entry; if not, where the entries of its
// key lead. A row whose key has a NULL needs none.
func (v *verifying) hasEntry(ctx context.Context, in exec.Session, values []any) (bool, []any, error) {
	if slices.Contains(values[:v.Keys], nil) {
		return true, nil, nil
	}
	to, err := v.ToOf(values, v.s.Scratch())
	if err != nil {
		return false, nil, err
	}
	found, err := v.query(ctx, in, v.Entry, values[:v.Keys])
	if err != nil {
		return false, nil, err
	}
	var others []any
	for _, f := range found {
		if sameTo(f[0], to) {
			return true, nil, nil
		}
		others = append(others, f[0])
	}
	return false, others, nil
}

// checkEntry looks for the row of an entry.
func (v *verifying) checkEntry(ctx context.Context, _ int, entry []any) error {
	key, to := entry[1:1+v.Keys], entry[1+v.Keys]
	if held, err := v.held(ctx, v.s, key, to); held || err != nil {
		return err
	}
	before := v.out
	return v.s.Atomically(ctx, func(in exec.Session) error {
		v.out = before                               // it may be tried again
		found, err := v.query(ctx, in, v.Entry, key) // under the lock of the entry's shard
		if err != nil || !slices.ContainsFunc(found, func(f []any) bool { return sameTo(f[0], to) }) {
			return err
		}
		held, err := v.held(ctx, in, key, to)
		if held || err != nil {
			return err
		}
		if v.repair {
			if err := v.run(ctx, in, v.Remove, append(slices.Clone(key), to)); err != nil {
				return err
			}
			v.out.Repaired++
		}
		v.out.Stray++
		return nil
	})
}

// held says whether there is a row with the key where an entry leads.
func (v *verifying) held(ctx context.Context, in exec.Session, key []any, to any) (bool, error) {
	shard, err := v.ShardOf(v.s.snap.shards[v.ks], to, v.s.Scratch())
	if err != nil || shard < 0 {
		return false, err
	}
	var r tablet.Runner = v.s.Tablet(v.ks, shard)
	if in.InTx() {
		if r, err = in.Tx(ctx, v.ks, shard, exec.Locking); err != nil {
			return false, err
		}
	}
	rows, err := allOf(ctx, r, v.claim(shard), key...)
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		own, err := v.ToOf(row, v.s.Scratch())
		if err != nil {
			return false, err
		}
		if sameTo(own, to) {
			return true, nil
		}
	}
	return false, nil
}

// claim asks a shard for the rows that an entry may mean.
func (v *verifying) claim(shard int) string {
	var keys []string
	for i, c := range v.Effects.Columns[:v.Keys] {
		keys = append(keys, v.s.snap.printer(v.ks, shard).Has(c, i+1))
	}
	return "SELECT " + v.list + " FROM " + quoteName(v.table) + " WHERE " + strings.Join(keys, " AND ")
}

func sameTo(a, b any) bool {
	x, ok := a.([]byte)
	if t, isText := a.(string); isText {
		x, ok = []byte(t), true
	}
	y, ok2 := b.([]byte)
	if t, isText := b.(string); isText {
		y, ok2 = []byte(t), true
	}
	if ok && ok2 {
		return bytes.Equal(x, y)
	}
	return !ok && !ok2 && a == b
}

func (v *verifying) run(ctx context.Context, in exec.Session, text string, args []any) error {
	p, err := in.Statement(v.Keyspace, text)
	if err != nil {
		return err
	}
	vec, err := exec.Bind(ctx, in, &p.Params, args, nil)
	if err != nil {
		return err
	}
	_, err = exec.Exec(ctx, in, p, vec)
	return err
}

func (v *verifying) query(ctx context.Context, in exec.Session, text string, args []any) (out [][]any, err error) {
	p, err := in.Statement(v.Keyspace, text)
	if err != nil {
		return nil, err
	}
	vec, err := exec.Bind(ctx, in, &p.Params, args, nil)
	if err != nil {
		return nil, err
	}
	rows, err := exec.Query(ctx, in, p, vec)
	if err != nil {
		return nil, err
	}
	return drainAll(rows.Next, rows.Close, len(p.Columns))
}

// allOf gives the rows of a statement that a tablet or transaction runs as it stands.
func allOf(ctx context.Context, r tablet.Runner, query string, args ...any) ([][]any, error) {
	rows, err := r.Query(ctx, &tablet.Query{SQL: query, Args: args})
	if err != nil {
		return nil, err
	}
	return drainAll(rows.Next, rows.Close, len(rows.Columns()))
}

// drainAll reads a stream to its end and closes it.
func drainAll(next func([]any) error, done func() error, width int) (out [][]any, err error) {
	defer func() {
		if cerr := done(); err == nil {
			err = cerr
		}
	}()
	for {
		row := make([]any, width)
		if err := next(row); err != nil {
			if isEOF(err) {
				err = nil
			}
			return out, err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = slices.Clone(b)
			}
		}
		out = append(out, row)
	}
}

// checkFilled makes what entries a filled vindex lacks, and refuses to use one whose
// key two rows have. The rows that were written meanwhile have theirs: who writes
// has planned with the vindex, or has written before it was declared.
func (s *session) checkFilled(ctx context.Context, ks, table, name string) error {
	r, err := s.verifyVindex(ctx, ks, table, name, true, nil)
	if err != nil || r.Duplicate == 0 {
		return err
	}
	e := newError(CodeUnique, "Duplicate entry for key '%s.%s': %d rows of table %s have a key that another row has too; the vindex stays write-only until one of each is changed and it is filled again",
		table, name, r.Duplicate, table)
	e.Table, e.Constraint = table, name
	return e
}
