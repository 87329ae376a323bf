package exec

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	gate "github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// Scratch databases. Rows are loaded into temporary tables, which SQLite keeps
// in the page cache as long as they fit and moves to a temporary file
// beyond that; so memory stays bounded whatever is loaded, and
// max_combine_bytes bounds the file.
//
// Virtual tables over rows that Go keeps, with a hash index for equality, were
// measured against them (BenchmarkScratch of internal/sqlite; 100k rows, loading
// included, time of the virtual table's way to the temporary one's): loading 0.8,
// scan 1.8, GROUP BY 1.0, sorting 0.9, a window 1.2, joins on equal columns 0.3
// to 0.7, a correlated subquery 0.3, a join by < 2.0. They win where one looks
// rows up, which the gate's own joins and the shards' groups do better still, and
// lose where SQL reads them again and again, as each value costs a call out of the
// engine; and they keep all rows in memory.
const (
	scratchMemory   = 512 << 20
	scratchCacheKiB = 32 << 10
	// discardBytes is the load after which a scratch isn't used again, as its
	// file keeps its size.
	discardBytes = 16 << 20
)

// idle has room for those of as many queries as run side by side: opening one takes
// a thousand times as long as SELECT 1 on it.
var idle = make(chan *scratch, max(4, 2*runtime.GOMAXPROCS(0)))

// scratch is a private database at the gate. It belongs to one goroutine.
type scratch struct {
	conn   *sqlite.Conn
	made   []string       // "TABLE f0", "VIEW j0", in the order of their making
	rows   map[string]int // of each table
	loaded int64
	failed bool // a load was broken off: the tables may be damaged
}

// takeScratch gives an empty scratch, opening one when none is idle.
func takeScratch(ctx context.Context) (*scratch, error) {
	select {
	case s := <-idle:
		return s, nil
	default:
	}
	return openScratch(ctx, scratchMemory)
}

func openScratch(ctx context.Context, memory int64) (*scratch, error) {
	conn, err := sqlite.Open(ctx, "", sqlite.Options{MaxMemory: memory, Statements: 64})
	if err != nil {
		return nil, fmt.Errorf("opening a scratch database: %w", err)
	}
	// Nothing in it outlives a statement, so that it needs no journal.
	if err := conn.Script("PRAGMA temp.journal_mode=OFF; PRAGMA temp.cache_size=-" + strconv.Itoa(scratchCacheKiB)); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("opening a scratch database: %w", err)
	}
	return &scratch{conn: conn, rows: map[string]int{}}, nil
}

// release empties the scratch and puts it back, or closes it.
func (s *scratch) release() {
	s.conn.SetContext(context.Background())
	if s.failed || s.conn.Broken() || s.loaded > discardBytes || s.drop() != nil {
		_ = s.conn.Close()
		return
	}
	s.loaded = 0
	select {
	case idle <- s:
	default:
		_ = s.conn.Close()
	}
}

func (s *scratch) drop() error {
	var b strings.Builder
	for i := len(s.made) - 1; i >= 0; i-- {
		kind, name, _ := strings.Cut(s.made[i], " ")
		fmt.Fprintf(&b, "DROP %s IF EXISTS temp.%s;", kind, name)
	}
	s.made = s.made[:0]
	clear(s.rows)
	if b.Len() == 0 {
		return nil
	}
	return s.conn.Script(b.String())
}

// CloseIdle closes the scratch databases that wait to be used again. Their
// number is bounded; a program that opens no more databases may want their
// memory back.
func CloseIdle() {
	for {
		select {
		case s := <-idle:
			_ = s.conn.Close()
		default:
			return
		}
	}
}

// eval gives the value of a SQLite expression over args.
func (s *scratch) eval(ctx context.Context, expr string, args []any) (any, error) {
	text := expr
	if len(args) > fewest { // of very many arguments, those that it names
		var at []int
		text, at = sqlite.Dense(expr)
		own := make([]any, len(at))
		for i, k := range at {
			own[i] = args[k]
		}
		args = own
	}
	rows, err := s.conn.QueryAll(ctx, "SELECT "+text, args...)
	if err != nil {
		return nil, fmt.Errorf("evaluating %s: %w", expr, err)
	}
	return keepValue(rows[0][0]), nil
}

// create makes the table that fragment i's rows go to.
func (s *scratch) create(i int, f *route.Fragment) (*loader, error) {
	names, types := f.Names, f.Types
	if f.Tag && (len(names) == 0 || names[len(names)-1] != tagColumn) {
		names = append(names[:len(names):len(names)], tagColumn)
		types = append(types[:len(types):len(types)], sqlast.TypeOf(sqlast.ClassInt))
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("fragment %q names no columns for the query that combines it", f.SQL)
	}
	return s.createTable(route.Rel(i).Name(), names, types)
}

func (s *scratch) createTable(table string, names []string, types []sqlast.Type) (*loader, error) {
	var ddl strings.Builder
	fmt.Fprintf(&ddl, "CREATE TEMP TABLE %s(", table)
	for k, name := range names {
		if k > 0 {
			ddl.WriteString(", ")
		}
		ddl.WriteString(quoteName(name))
		if k < len(types) {
			ddl.WriteString(affinity(&types[k]))
		}
	}
	s.made = append(s.made, "TABLE "+table)
	if err := s.conn.Script(ddl.String() + ")"); err != nil {
		return nil, err
	}
	return &loader{s: s, table: table, width: len(names), many: max(1, min(loadRows, loadParams/len(names)))}, nil
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func insertText(table string, width, rows int) string {
	row := "(" + strings.Repeat("?,", width-1) + "?)"
	return "INSERT INTO temp." + table + " VALUES " + strings.Repeat(row+",", rows-1) + row
}

// How many rows go in by one execution, where there are so many, and how many
// parameters it takes at the most: half the time of row by row.
const (
	loadRows   = 64
	loadParams = 1024
)

// loader fills one scratch table.
type loader struct {
	s           *scratch
	table       string
	one, more   *sqlite.Stmt // prepared when first needed
	width, many int
}

// add inserts rows whose values lie one behind the other.
func (l *loader) add(vals []any) (err error) {
	l.s.rows[l.table] += len(vals) / l.width
	for n := l.width * l.many; len(vals) >= n; vals = vals[n:] {
		if err := l.insert(&l.more, l.many, vals[:n]); err != nil {
			return err
		}
	}
	for ; len(vals) > 0; vals = vals[l.width:] {
		if err := l.insert(&l.one, 1, vals[:l.width]); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) insert(st **sqlite.Stmt, rows int, vals []any) (err error) {
	if *st == nil {
		if *st, err = l.s.conn.Prepare(insertText(l.table, l.width, rows)); err != nil {
			return err
		}
	}
	return (*st).Exec(vals)
}

func (l *loader) release() {
	if l == nil {
		return
	}
	for _, st := range []*sqlite.Stmt{l.one, l.more} {
		if st != nil {
			st.Release()
		}
	}
}

// tagColumn holds the ordinal of the shard that a row came from.
const tagColumn = "_shard"

// affinity is the declared type that makes a column compare as its type says.
func affinity(t *sqlast.Type) string {
	switch t.Class {
	case sqlast.ClassInt:
		return " INTEGER"
	case sqlast.ClassDecimal:
		if t.Keyed() {
			return " BLOB"
		}
		return " NUMERIC"
	case sqlast.ClassDouble:
		return " REAL"
	case sqlast.ClassText:
		if t.NoCase {
			return " TEXT COLLATE NOCASE"
		}
		return " TEXT"
	case sqlast.ClassDate, sqlast.ClassDateTime, sqlast.ClassTime, sqlast.ClassJSON:
		return " TEXT"
	case sqlast.ClassBlob:
		return " BLOB"
	}
	if t.NoCase {
		return " COLLATE NOCASE"
	}
	return ""
}

// universal is the query combine: the fragments' rows become tables f0, f1 …,
// and the combine's SQL runs over them.
func universal(ctx context.Context, p *route.Plan, runs []run, args []any, inTx bool, m *meter) (Rows, error) {
	s, err := takeScratch(ctx)
	if err != nil {
		return nil, err
	}
	if len(p.Fragments) > 0 {
		err = s.fill(ctx, m, func() error {
			if err := s.load(ctx, p.Fragments, runs, inTx, m); err != nil {
				return err
			}
			return s.index(&p.Combine)
		})
		if err != nil {
			s.release()
			return nil, err
		}
	}
	rows, err := s.query(ctx, p.Combine.SQL, args)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// indexFrom is the number of rows from which an index is worth its making.
const indexFrom = 100

// index makes the indexes that the combine's SQL wants.
func (s *scratch) index(c *route.Combine) error {
	for i, x := range c.Indexes {
		if s.rows[x.Table] < indexFrom {
			continue
		}
		sql := fmt.Sprintf("CREATE INDEX temp.i%d ON %s(%s)", i, x.Table, quoteName(x.Column))
		if err := s.conn.Script(sql); err != nil {
			return err
		}
	}
	return nil
}

// fill runs what puts rows in, in one transaction.
func (s *scratch) fill(ctx context.Context, m *meter, load func() error) error {
	s.conn.SetContext(ctx)
	s.failed = true
	if err := s.conn.Script("BEGIN"); err != nil {
		return err
	}
	if err := load(); err != nil {
		return err
	}
	if err := s.conn.Script("COMMIT"); err != nil {
		return err
	}
	s.failed = false
	s.loaded = m.bytes
	return nil
}

// query gives a statement's rows, which then own the scratch.
func (s *scratch) query(ctx context.Context, sql string, args []any) (_ *scratchRows, err error) {
	s.conn.SetContext(ctx)
	rows := &scratchRows{s: s}
	q := tablet.Query{SQL: sql, Args: args}
	// What the shards leave to the gate may be a long list.
	if err = inline(&q, maxParam, gate.Printer{}); err == nil {
		rows.stmt, err = s.conn.Prepare(q.SQL)
	}
	if err == nil {
		err = rows.stmt.Bind(q.Args)
	}
	if err != nil {
		_ = rows.Close()
		return nil, err
	}
	return rows, nil
}

// load fetches all fragments side by side and inserts their rows as they come;
// one that is nil has no runs.
func (s *scratch) load(ctx context.Context, frags []*route.Fragment, runs []run, inTx bool, m *meter) (err error) {
	loaders := make([]*loader, len(frags))
	defer func() {
		for _, l := range loaders {
			l.release()
		}
	}()
	for i, f := range frags {
		if f == nil {
			continue
		}
		if loaders[i], err = s.create(i, f); err != nil {
			return err
		}
	}
	if len(runs) == 1 {
		return loadOne(ctx, &runs[0], loaders[runs[0].ord], m)
	}
	return eachBatch(ctx, groups(runs, inTx), func(b *batch) error {
		l := loaders[b.run.ord]
		if err := checkWidth(b.run, b.width, l.width); err != nil {
			return err
		}
		if err := m.add(int64(b.rows()), int64(b.bytes), b.run.q.SQL); err != nil {
			return err
		}
		return l.add(b.vals)
	})
}

func loadOne(ctx context.Context, r *run, l *loader, m *meter) (err error) {
	var in rowReader
	if err := in.open(ctx, r); err != nil {
		return err
	}
	defer func() {
		if cerr := in.rows.Close(); err == nil {
			err = cerr
		}
	}()
	if err := checkWidth(r, len(in.row), l.width); err != nil {
		return err
	}
	b := &batch{width: l.width}
	for end := false; !end; b.reset() {
		if end, err = b.fill(&in, maxBatch); err != nil {
			return err
		}
		if err := m.add(int64(b.rows()), int64(b.bytes), r.q.SQL); err != nil {
			return err
		}
		if err := l.add(b.vals); err != nil {
			return err
		}
	}
	return nil
}

func checkWidth(r *run, got, want int) error {
	if got != want {
		return fmt.Errorf("fragment %q gave rows of %d columns, its table has %d", r.q.SQL, got, want)
	}
	return nil
}

// scratchRows streams a statement on a scratch, and puts the scratch back at
// the end.
type scratchRows struct {
	s    *scratch
	stmt *sqlite.Stmt
	row  []any // when there are hidden columns
	err  error
}

func (r *scratchRows) Next(dest []any) error {
	if r.err != nil {
		return r.err
	}
	ok, err := r.stmt.Step()
	if err == nil && ok {
		err = r.fill(dest)
	}
	switch {
	case err != nil:
		r.err = err
	case !ok:
		r.err = io.EOF
	default:
		return nil
	}
	_ = r.Close()
	return r.err
}

func (r *scratchRows) fill(dest []any) error {
	n := len(r.stmt.Columns())
	if n == len(dest) {
		return r.stmt.Row(dest)
	}
	if n < len(dest) {
		return fmt.Errorf("the combining query gives %d columns, %d are wanted", n, len(dest))
	}
	if len(r.row) != n {
		r.row = make([]any, n)
	}
	if err := r.stmt.Row(r.row); err != nil {
		return err
	}
	copy(dest, r.row)
	return nil
}

func (r *scratchRows) Close() error {
	if r.err == nil {
		r.err = io.EOF
	}
	if r.s == nil {
		return nil
	}
	if r.stmt != nil {
		r.stmt.Release()
		r.stmt = nil
	}
	r.s.release()
	r.s = nil
	return nil
}
