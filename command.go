package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
)

// serverVersion is what VERSION() says: clients switch features on by it.
const serverVersion = "8.0.40-vitessdo"

// command runs a statement that is no query or write of rows.
func (s *session) command(ctx context.Context, p *prepared, args []driver.NamedValue) (driver.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.take(p, args, nil); err != nil {
		return nil, err
	}
	if changesSchema(p.parsed.Stmt) {
		return result{}, s.runDDL(ctx, p.parsed)
	}
	switch st := p.parsed.Stmt.(type) {
	case *sqlast.Empty, *sqlast.LockTables:
		return result{}, nil
	case *sqlast.Begin:
		return result{}, s.begin(ctx, st)
	case *sqlast.Commit:
		before := s.tx
		return result{}, s.chained(ctx, st.After, before, s.commit(ctx))
	case *sqlast.Rollback:
		return result{}, s.rollbackCommand(ctx, st)
	case *sqlast.Savepoint:
		if s.tx == nil {
			return result{}, nil // in autocommit it would end with its own statement
		}
		s.settle()
		return result{}, s.tx.savepoint(ctx, st.Name)
	case *sqlast.Release:
		if s.tx == nil {
			return nil, noSavepoint(st.Name)
		}
		s.settle()
		return result{}, s.tx.release(ctx, st.Name)
	case *sqlast.Use:
		return result{}, s.use(st)
	case *sqlast.Set:
		return result{}, s.set(ctx, p, st)
	case *sqlast.Do:
		return s.do(ctx, p, st)
	case *sqlast.Prepare:
		return result{}, s.prepareText(st)
	case *sqlast.Execute:
		return s.execute(ctx, st)
	case *sqlast.Deallocate:
		return result{}, s.deallocate(st)
	case *sqlast.Kill:
		return nil, noKill()
	case *sqlast.CreateDatabase:
		return result{rows: 1}, s.createDatabase(ctx, st, p.parsed)
	case *sqlast.DropDatabase:
		return result{}, s.dropDatabase(ctx, st)
	case *sqlast.Show, *sqlast.Explain, *sqlast.Maintain:
		r, err := s.commandRows(ctx, p, args)
		if err == nil {
			err = r.Close()
		}
		return result{}, err
	}
	return nil, newError(CodeUnsupported, "%s is not supported", statementName(p.parsed))
}

// statementName names a statement by its first words.
func statementName(st *sqlparse.Statement) string {
	words := strings.Fields(st.Text)
	return strings.ToUpper(strings.Join(words[:min(2, len(words))], " "))
}

// commandRows runs a command for its rows.
func (s *session) commandRows(ctx context.Context, p *prepared, args []driver.NamedValue) (*rows, error) {
	switch st := p.parsed.Stmt.(type) {
	case *sqlast.Show:
		if err := s.take(p, args, nil); err != nil {
			return nil, err
		}
		return s.show(ctx, p, st)
	case *sqlast.Explain:
		return s.explain(ctx, st, args)
	case *sqlast.Maintain:
		return s.maintain(ctx, st)
	case *sqlast.Execute:
		return s.executeRows(ctx, st)
	}
	return s.without(s.command(ctx, p, args))
}

func mapInfo(err error) error {
	var e *info.Error
	if !errors.As(err, &e) {
		return err
	}
	out := errorFrom(CodePlan, err, "%s", e.Message)
	if c, ok := codeOfNumber[e.Number]; ok {
		out = errorFrom(c, err, "%s", e.Message)
	}
	out.Number = e.Number
	return out
}

func (s *session) begin(ctx context.Context, st *sqlast.Begin) error {
	if s.tx != nil && s.tx.broken != nil {
		s.rollback() // the error has said so; as in MySQL, there is nothing to commit
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	level, readOnly := s.nextTransaction()
	if st.Isolation != "" {
		name, ok := isolationName(st.Isolation)
		if !ok {
			return newError(CodeUnsupported, "isolation level %s is not supported; it must be %s", st.Isolation, validIsolation)
		}
		level = isolationNames[name]
	}
	if st.ConsistentSnapshot && level == repeatableRead {
		level = snapshotLevel
	}
	return s.start(ctx, level, (readOnly || st.ReadOnly) && !st.ReadWrite)
}

// chained does what COMMIT and ROLLBACK ask for behind them, or completion_type
// where they say nothing: RELEASE closes the connection, AND CHAIN opens a
// transaction like the one before.
func (s *session) chained(ctx context.Context, after sqlast.Completion, before *transaction, err error) error {
	chain := after.Chain || s.sysvars["completion_type"] == "CHAIN" && !after.NoChain
	release := after.Release || s.sysvars["completion_type"] == "RELEASE" && !after.NoRelease
	s.released = s.released || release && err == nil
	if err != nil || !chain {
		return err
	}
	if before == nil {
		level, readOnly := s.nextTransaction()
		return s.start(ctx, level, readOnly)
	}
	return s.start(ctx, before.level, before.readOnly)
}

func (s *session) rollbackCommand(ctx context.Context, st *sqlast.Rollback) error {
	if st.To == "" {
		before := s.tx
		s.rollback()
		return s.chained(ctx, st.After, before, nil)
	}
	if s.tx == nil {
		return noSavepoint(st.To)
	}
	s.settle()
	return s.tx.rollbackTo(ctx, st.To)
}

// use selects a keyspace, and with `ks/-80` one of its shards.
func (s *session) use(st *sqlast.Use) error {
	name := st.Keyspace
	if name == "" {
		name = s.keyspace
	}
	ks := s.snap.keyspaceOf(name)
	if ks == "" && strings.EqualFold(name, route.CatalogKeyspace) && st.Shard == "" {
		ks = route.CatalogKeyspace
	}
	if ks == "" {
		return newError(CodeUnknownDatabase, "unknown database '%s'; there is %s", name, strings.Join(s.snap.keyspaces(), ", "))
	}
	switch strings.ToLower(st.TabletType) {
	case "", "primary", "master", "replica", "rdonly": // there is one copy, which is as fresh as any
	default:
		return newError(CodeUnknownDatabase, "unknown tablet type %q in USE; write primary, replica, rdonly or nothing", st.TabletType)
	}
	shard := s.snap.shardOf(ks, st.Shard)
	if shard < 0 && st.Shard != "" {
		return s.snap.noShard(ks, st.Shard)
	}
	s.keyspace, s.shard, s.used = ks, shard, true
	clear(s.local)
	clear(s.literals)
	return nil
}

func (s *session) infoInput(ctx context.Context) info.Input {
	in := info.Input{Schema: s.snap.schema, VSchema: s.snap.vschema, Keyspace: s.keyspace, ConnectionID: s.id}
	for _, ks := range s.snap.keyspaces() {
		for _, n := range s.snap.shards[ks].Names {
			in.Shards = append(in.Shards, info.Shard{Keyspace: ks, Name: n})
		}
	}
	in.Variables = func(global bool) []info.Variable {
		var out []info.Variable
		for _, v := range s.variables(global) {
			out = append(out, info.Variable{Name: v.name, Value: v.text()})
		}
		return out
	}
	in.Warnings = s.warnings
	in.Next = func(keyspace, sequence string) (int64, error) { return s.nextValue(ctx, keyspace, sequence) }
	in.Transactions = func() ([]info.Transaction, error) { return s.cl.transactions(ctx) }
	in.Status = []info.Variable{
		{Name: "Connections", Value: strconv.FormatUint(s.cl.conns.Load(), 10)}, {Name: "Ssl_cipher"}, {Name: "Ssl_version"},
	}
	in.Status = append(in.Status, s.cl.plans.status()...)
	if in.Statistics = s.cl.told; s.cfg.Statistics != nil {
		in.Statistics = s.cfg.Statistics
	}
	return in
}

// evaluation is SELECT x, … for expressions of a command, whose arguments are in
// s.user.
func (s *session) evaluation(ctx context.Context, p *prepared, exprs ...sqlast.Expr) (*route.Plan, []any, error) {
	sel := &sqlast.Select{}
	for _, x := range exprs {
		sel.Items = append(sel.Items, sqlast.SelectItem{Expr: x})
	}
	plan, err := route.Select(s.env(), sel, p.params, p.names != nil)
	if err != nil {
		return nil, nil, err
	}
	vec, err := exec.Bind(ctx, s, &plan.Params, s.user, nil)
	return plan, vec, err
}

// do evaluates expressions for nothing but their effects.
func (s *session) do(ctx context.Context, p *prepared, st *sqlast.Do) (driver.Result, error) {
	plan, vec, err := s.evaluation(ctx, p, st.Exprs...)
	if err != nil {
		return nil, err
	}
	return s.drain(ctx, plan, vec)
}

// explain answers EXPLAIN, VEXPLAIN and DESCRIBE.
func (s *session) explain(ctx context.Context, st *sqlast.Explain, args []driver.NamedValue) (*rows, error) {
	if st.Table != nil {
		cols, data, err := info.Describe(st.Table, st.Column, s.infoInput(ctx))
		if err != nil {
			return nil, mapInfo(err)
		}
		return s.literal(cols, data), nil
	}
	p, err := s.makePlan(st.Text, nil)
	if err != nil {
		return nil, err
	}
	if p.plan == nil {
		return nil, newError(CodeUnsupported, "only queries and writes can be explained, not %s", statementName(p.parsed))
	}
	if p.plan.Calls() {
		return nil, newError(CodeUnsupported, "a statement whose functions do something, as GET_LOCK, can't be explained without doing it")
	}
	vec, err := s.bind(ctx, p, args, nil)
	if err != nil {
		return nil, err
	}
	if err := exec.Prepare(ctx, s, &p.plan.Params, vec, false); err != nil {
		return nil, err
	}
	switch {
	case st.Vexplain && st.Format == "PLAN", st.Format == "VITESS_JSON":
		text, err := p.plan.JSON(s.ShardMap, vec)
		return s.literal([]string{"JSON"}, [][]any{{text}}), err
	case st.Vexplain:
		return nil, newError(CodeUnsupported, "VEXPLAIN %s is not supported; use VEXPLAIN PLAN or EXPLAIN FORMAT='vitess'", st.Format)
	case st.Format == "VITESS":
		return s.explainFragments(p.plan, vec)
	}
	return s.explainEngine(ctx, p.plan, vec)
}

func (s *session) explainFragments(p *route.Plan, vec []any) (*rows, error) {
	list, err := p.Explain(s.ShardMap, vec)
	if err != nil {
		return nil, err
	}
	var data [][]any
	for _, r := range list {
		data = append(data, []any{string(r.PlanType), r.Text(), r.Keyspace, strings.Join(r.Shards, ","), r.Query})
	}
	return s.literal([]string{"plan_type", "combine", "keyspace", "shards", "query"}, data), nil
}

// explainEngine gives the storage engine's own plan of every fragment, shard by
// shard.
func (s *session) explainEngine(ctx context.Context, p *route.Plan, vec []any) (*rows, error) {
	var data [][]any
	var frags []*route.Fragment
	p.Asks(func(f *route.Fragment) { frags = append(frags, f) })
	for _, f := range frags {
		if f.Catalog != nil {
			data = append(data, []any{f.Keyspace, int64(0), int64(0), "SCAN " + f.Catalog.Table + " OF THE GATE"})
			continue
		}
		m := s.ShardMap(f.Keyspace)
		at, err := f.Dest.Resolve(m, vec, &s.scratch)
		if err != nil {
			return nil, err
		}
		for _, i := range append([]int(nil), at...) {
			sql := strings.ReplaceAll(m.Text(&f.SQL, i).String(), "::list0", "NULL")
			if err := s.explainOn(ctx, f.Keyspace, i, sql, vec, &data); err != nil {
				return nil, err
			}
		}
	}
	if ins := p.Write; ins != nil && ins.Insert != nil {
		if err := s.explainOn(ctx, ins.Insert.Keyspace, 0, s.ShardMap(ins.Insert.Keyspace).Text(&ins.Insert.SQL, 0).String(), make([]any, ins.Insert.Width()), &data); err != nil {
			return nil, err
		}
	}
	return s.literal([]string{"shard", "id", "parent", "detail"}, data), nil
}

// explainOn adds what a shard's engine says of its part: the lines of PostgreSQL's text are
// numbered.
func (s *session) explainOn(ctx context.Context, ks string, shard int, sql string, vec []any, data *[][]any) error {
	t := s.tabletAt(ks, shard)
	word := "EXPLAIN QUERY PLAN "
	if t.Capabilities().Dialect == "postgres" {
		word = "EXPLAIN "
	}
	r, err := s.seen(t).Query(ctx, &tablet.Query{SQL: word + sql, Args: vec})
	if err != nil {
		return err
	}
	defer r.Close()
	row := make([]any, len(r.Columns()))
	for line := int64(1); ; line++ {
		if err := r.Next(row); err != nil {
			if isEOF(err) {
				return nil
			}
			return err
		}
		if len(row) == 1 {
			*data = append(*data, []any{t.Target().Shard, line, int64(0), row[0]})
			continue
		}
		*data = append(*data, []any{t.Target().Shard, row[0], row[1], row[3]})
	}
}
