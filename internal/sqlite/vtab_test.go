package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// goTable is a virtual table over rows that Go keeps, which serves equality with
// its first column from a hash index: the other way to hand gathered rows to the
// combining SQL. BenchmarkScratch measures it against temp tables.
type goTable struct {
	rows  [][]any
	index map[int64][]int32
}

func (t *goTable) BestIndex(x *sqlite3.IndexInfo) error {
	x.EstimatedRows, x.EstimatedCost = int64(len(t.rows)), float64(len(t.rows))
	for i, c := range x.Constraint {
		if c.Usable && c.Column == 0 && c.Op == sqlite3.INDEX_CONSTRAINT_EQ {
			x.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: 1, Omit: true}
			x.IdxNum, x.EstimatedRows, x.EstimatedCost = 1, 2, 2
			return nil
		}
	}
	return nil
}

func (t *goTable) Open() (sqlite3.VTabCursor, error) { return &goCursor{t: t}, nil }

type goCursor struct {
	t    *goTable
	list []int32 // the rows of an equality
	all  bool
	pos  int
}

func (c *goCursor) Filter(idx int, _ string, arg ...sqlite3.Value) error {
	c.pos, c.all = 0, idx == 0
	if !c.all {
		c.list = c.t.index[arg[0].Int64()]
	}
	return nil
}

func (c *goCursor) Next() error { c.pos++; return nil }

func (c *goCursor) EOF() bool {
	if c.all {
		return c.pos >= len(c.t.rows)
	}
	return c.pos >= len(c.list)
}

func (c *goCursor) at() int {
	if c.all {
		return c.pos
	}
	return int(c.list[c.pos])
}

func (c *goCursor) RowID() (int64, error) { return int64(c.at()), nil }

func (c *goCursor) Column(ctx sqlite3.Context, n int) error {
	switch v := c.t.rows[c.at()][n].(type) {
	case int64:
		ctx.ResultInt64(v)
	case string:
		ctx.ResultText(v)
	}
	return nil
}

// gathered makes rows of a key, a group and a text.
func gathered(n, keys int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{int64(i * 31 % keys), int64(i % 100), fmt.Sprintf("the name of %d", i*7919%n)}
	}
	return rows
}

// loadTemp puts rows into a temp table, as the combine does.
func loadTemp(c *Conn, name string, rows [][]any) error {
	const many = 64
	if err := c.Script("CREATE TEMP TABLE " + name + "(k INTEGER, g INTEGER, s TEXT); BEGIN"); err != nil {
		return err
	}
	one := "(?,?,?)"
	more, err := c.Prepare("INSERT INTO temp." + name + " VALUES " + strings.Repeat(one+",", many-1) + one)
	if err != nil {
		return err
	}
	defer more.Release()
	single, err := c.Prepare("INSERT INTO temp." + name + " VALUES " + one)
	if err != nil {
		return err
	}
	defer single.Release()
	var vals []any
	for ; len(rows) >= many; rows = rows[many:] {
		vals = vals[:0]
		for _, r := range rows[:many] {
			vals = append(vals, r...)
		}
		if err := more.Exec(vals); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if err := single.Exec(r); err != nil {
			return err
		}
	}
	return c.Script("COMMIT")
}

// loadGo makes a virtual table of rows, with its index.
func loadGo(c *Conn, name string, rows [][]any) error {
	t := &goTable{index: make(map[int64][]int32, len(rows))}
	for i, r := range rows {
		t.rows = append(t.rows, append([]any(nil), r...)) // a batch's rows are valid for a while only
		t.index[r[0].(int64)] = append(t.index[r[0].(int64)], int32(i))
	}
	//lint:ignore SA1019 the method that is to replace it needs a later Go
	return sqlite3.CreateModule(c.db, name, nil, func(db *sqlite3.Conn, _, _, _ string, _ ...string) (*goTable, error) {
		return t, db.DeclareVTab("CREATE TABLE x(k INTEGER, g INTEGER, s TEXT)")
	})
}

// BenchmarkScratch measures the two ways, loading included; exec's scratch.go has
// the numbers, and which way was taken.
func BenchmarkScratch(b *testing.B) {
	const n = 100_000
	tables := map[string][][]any{"f0": gathered(n, n), "f1": gathered(n/100, n/100), "f2": gathered(n, n/100), "f3": gathered(2000, 2000)}
	for _, q := range []scratchCase{
		{"load only", "f0", "SELECT 1", ""},
		{"scan", "f0", "SELECT sum(k), max(s) FROM f0", ""},
		{"group", "f0", "SELECT g, count(*), sum(k) FROM f0 GROUP BY g", ""},
		{"sort", "f0", "SELECT k, s FROM f0 ORDER BY s", ""},
		{"window", "f0", "SELECT k, sum(k) OVER (PARTITION BY g ORDER BY k) FROM f0", ""},
		{"join 100k x 1k", "f1 f2", "SELECT count(*), max(a.s) FROM f2 a JOIN f1 b ON a.k = b.k", ""},
		{"join 100k x 100k", "f0", "SELECT count(*), max(a.s) FROM f0 a JOIN f0 b ON a.k = b.k", ""},
		{"join by <, 2k x 2k", "f3", "SELECT count(*), max(b.s) FROM f3 a JOIN f3 b ON a.k < b.k", ""},
		{"correlated", "f1 f2", "SELECT b.k, (SELECT count(*) FROM f2 a WHERE a.k = b.k) FROM f1 b", "CREATE INDEX temp.i0 ON f2(k)"},
	} {
		b.Run(q.name+"/temp", func(b *testing.B) { q.bench(b, loadTemp, tables, q.index) })
		b.Run(q.name+"/virtual", func(b *testing.B) { q.bench(b, loadGo, tables, "") })
	}
}

// scratchCase is a query over gathered tables, and the index that the combine
// makes for it.
type scratchCase struct{ name, tables, query, index string }

func (q *scratchCase) bench(b *testing.B, load func(*Conn, string, [][]any) error, tables map[string][][]any, index string) {
	b.ReportAllocs()
	for b.Loop() {
		if err := q.once(load, tables, index); err != nil {
			b.Fatal(err)
		}
	}
}

// once loads the tables and runs the query.
func (q *scratchCase) once(load func(*Conn, string, [][]any) error, tables map[string][][]any, index string) error {
	c, err := Open(context.Background(), "", Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	for name := range strings.FieldsSeq(q.tables) {
		if err := load(c, name, tables[name]); err != nil {
			return err
		}
	}
	if err := c.Script(index); err != nil {
		return err
	}
	_, err = c.QueryAll(context.Background(), q.query)
	return err
}
