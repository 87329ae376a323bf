package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vindex"
)

// cluster is an exec.Session over tablets, of as many keyspaces as wanted.
type cluster struct {
	maps    map[string]*route.ShardMap
	tablets map[string][]tablet.Tablet
	inTx    bool
	txs     map[string]tablet.Tx
	scratch route.Scratch
	next    map[string]int64
	now     time.Time
	side    *side // what information_schema tells of
	env     func(ks string) *route.Env
}

// Statement plans a statement of the gate's own.
func (c *cluster) Statement(ks, text string) (*route.Plan, error) {
	env := c.env(ks)
	env.Internal = true
	p, _, err := plan(env, text, nil)
	return p, err
}

func newCluster() *cluster {
	return &cluster{maps: map[string]*route.ShardMap{}, tablets: map[string][]tablet.Tablet{}, next: map[string]int64{},
		now: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
}

// add makes a keyspace of the given tablets.
func (c *cluster) add(ks string, tablets []tablet.Tablet) {
	m := &route.ShardMap{Keyspace: ks, Ranges: vindex.EvenRanges(len(tablets))}
	for _, r := range m.Ranges {
		m.Names = append(m.Names, r.String())
	}
	c.maps[ks], c.tablets[ks] = m, tablets
}

func (c *cluster) ShardMap(ks string) *route.ShardMap            { return c.maps[ks] }
func (c *cluster) Tablet(ks string, shard int) tablet.Tablet     { return c.tablets[ks][shard] }
func (c *cluster) InTx() bool                                    { return c.inTx }
func (c *cluster) Moment() exec.Moment                           { return nil }
func (c *cluster) View(context.Context, bool) (exec.View, error) { return nil, nil }
func (c *cluster) Together(context.Context, []exec.Place) error  { return nil }
func (c *cluster) Now() time.Time                                { return c.now }
func (c *cluster) Location() *time.Location                      { return time.UTC }
func (c *cluster) Limits() exec.Limits                           { return exec.Limits{} }
func (c *cluster) Scratch() *route.Scratch                       { return &c.scratch }
func (c *cluster) Catalog(_ context.Context, scan *route.CatalogScan, columns []string, _ []any) ([][]any, error) {
	return info.CatalogRows(scan.Table, columns, nil, info.Input{Schema: c.side.schema, VSchema: c.side.vschema})
}
func (c *cluster) Value(name string) (any, error) { return name, nil }
func (c *cluster) Call(_ context.Context, name string, args []any) (any, error) {
	return fmt.Sprint(name, args), nil
}

func (c *cluster) ObserveID(_ context.Context, ks, seq string, v int64) error {
	c.next[ks+"."+seq] = max(c.next[ks+"."+seq], v)
	return nil
}

func (c *cluster) NextIDs(_ context.Context, ks, seq string, n int64) (int64, error) {
	first := c.next[ks+"."+seq] + 1
	c.next[ks+"."+seq] += n
	return first, nil
}

func (c *cluster) Tx(ctx context.Context, ks string, shard int, to exec.Access) (tablet.Tx, error) {
	if !c.inTx {
		return nil, nil
	}
	key := fmt.Sprint(ks, "/", shard)
	if tx := c.txs[key]; tx != nil {
		return tx, nil
	}
	tx, err := c.tablets[ks][shard].Begin(ctx, tablet.TxOptions{Write: to != exec.Reading})
	if err != nil {
		return nil, err
	}
	c.txs[key] = tx
	return tx, nil
}

func (c *cluster) Atomically(ctx context.Context, fn func(exec.Session) error) error {
	if c.inTx {
		return fn(c)
	}
	c.begin()
	if err := fn(c); err != nil {
		return errors.Join(err, c.end(ctx, false))
	}
	return c.end(ctx, true)
}

func (c *cluster) begin() { c.inTx, c.txs = true, map[string]tablet.Tx{} }

func (c *cluster) end(ctx context.Context, commit bool) (err error) {
	c.inTx = false
	for _, tx := range c.txs {
		if commit {
			err = errors.Join(err, tx.Commit(ctx))
		} else {
			err = errors.Join(err, tx.Rollback())
		}
	}
	return err
}

// plan parses and plans a statement; tweak may change its tree before.
func plan(env *route.Env, text string, tweak func(sqlast.Stmt)) (*route.Plan, *sqlparse.Statement, error) {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return nil, nil, err
	}
	if tweak != nil {
		tweak(st.Stmt)
	}
	p, err := planTree(env, st)
	return p, st, err
}

func planTree(env *route.Env, st *sqlparse.Statement) (*route.Plan, error) {
	shared := st.ParamNames != nil
	switch s := st.Stmt.(type) {
	case sqlast.Query:
		return route.Select(env, s, st.Params, shared)
	case *sqlast.Insert:
		return route.Insert(env, s, st.Params, shared)
	case *sqlast.Update:
		return route.Update(env, s, st.Params, shared)
	case *sqlast.Delete:
		return route.Delete(env, s, st.Params, shared)
	}
	return nil, fmt.Errorf("no plan for a %T", st.Stmt)
}

// forceQuery asks for the universal combine.
func forceQuery(s sqlast.Stmt) {
	d := sqlast.Directives{"COMBINE": "query"}
	switch s := s.(type) {
	case *sqlast.Select:
		s.Directives = d
	case *sqlast.SetOp:
		s.Directives = d
	case *sqlast.Update:
		s.Directives = d
	case *sqlast.Delete:
		s.Directives = d
	}
}

// run plans and runs a statement; a write's answer is its number of rows.
func (c *cluster) run(env *route.Env, text string, args []any, tweak func(sqlast.Stmt)) ([][]any, error) {
	p, _, err := plan(env, text, tweak)
	if err != nil {
		return nil, err
	}
	return c.runPlan(p, args)
}

func (c *cluster) runPlan(p *route.Plan, args []any) ([][]any, error) {
	ctx := context.Background()
	v, err := exec.Bind(ctx, c, &p.Params, args, nil)
	if err != nil {
		return nil, err
	}
	if p.Write != nil {
		res, err := exec.Exec(ctx, c, p, v)
		return [][]any{{res.RowsAffected}}, err
	}
	rows, err := exec.Query(ctx, c, p, v)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	for {
		row := make([]any, len(p.Columns))
		if err := rows.Next(row); err != nil {
			if err == io.EOF {
				err = nil
			}
			return out, err
		}
		for i, x := range row {
			if b, ok := x.([]byte); ok {
				row[i] = slices.Clone(b)
			}
		}
		out = append(out, row)
	}
}

// rowText prints a row so that equal values print alike.
func rowText(row []any) string {
	cells := make([]string, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case nil:
			cells[i] = "NULL"
		case float64:
			cells[i] = fmt.Sprintf("%.10g", v)
		case []byte:
			cells[i] = fmt.Sprintf("x'%x'", v)
		default:
			cells[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(cells, ",")
}

func rowTexts(rows [][]any) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = rowText(r)
	}
	return out
}

func newEnv(c *cluster, w *side, ks string) *route.Env {
	c.side = w
	return &route.Env{Catalog: info.CatalogTable, Schema: w.schema, VSchema: w.vschema, Shards: c.ShardMap, Keyspace: ks, Shard: -1, Printer: sqlite.Printer{}}
}

// contents lists all rows of all tables, sorted; a table that is on every shard
// must be the same there.
func (w *side) contents(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, ks := range w.schema.Keyspaces() {
		for _, def := range w.schema.Tables(ks) {
			ref := w.isReference(ks, def.Name)
			var first []string
			for i, tb := range w.cluster.tablets[ks] {
				rows, err := w.cluster.all(tb, "SELECT * FROM "+`"`+def.Name+`"`)
				if err != nil {
					t.Fatal(err)
				}
				list := rowTexts(rows)
				slices.Sort(list)
				if ref && i > 0 {
					if !slices.Equal(list, first) {
						t.Errorf("reference table %s differs between shards", def.Name)
					}
					continue
				}
				first = list
				for _, r := range list {
					out = append(out, def.Name+": "+r)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func (c *cluster) all(tb tablet.Tablet, sql string) ([][]any, error) {
	rows, err := tb.Query(context.Background(), &tablet.Query{SQL: sql})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	for {
		row := make([]any, len(rows.Columns()))
		if err := rows.Next(row); err != nil {
			if err == io.EOF {
				err = nil
			}
			return out, err
		}
		out = append(out, row)
	}
}

// vectorOf is the parameter vector of a plan.
func vectorOf(c *cluster, p *route.Plan, args []any) ([]any, error) {
	return exec.Bind(context.Background(), c, &p.Params, args, nil)
}
