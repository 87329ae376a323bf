package vitessdo

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
)

// session is the state of one connection: what it has selected and set, its
// transaction, and the buffers that it uses again. It is exec's view of the
// gate.
type session struct {
	cl       *cluster
	cfg      *Config
	id       uint64
	keyspace string
	shard    int // explicit target; -1 for none
	modes    sqlparse.Options
	dialect  *Dialect // nil: MySQL's
	sysvars  map[string]any
	uservars map[string]any
	noCommit bool             // SET autocommit=0
	next     *characteristics // of the next transaction alone; nil: the session's
	used     bool             // USE was run
	// unchecked: SET foreign_key_checks=0, or foreign_keys=off.
	unchecked bool
	readOnly  bool   // for good: see Conn.RefuseWrites
	login     string // what USER() tells; "" for the driver's own

	tx       *transaction
	released bool      // COMMIT RELEASE was run: the connection is to be closed
	guard    *guard    // nil without limits of time
	lostAge  uint64    // of the last transaction, if it was told to retry
	snap     *snapshot // the one that the running statement was planned with
	asOf     *snapshot // the older one that a statement of a transaction is to be planned with, or nil
	called   []any     // what the running statement's calls have given, for its next attempt
	calling  int       // the next of these that the attempt asks for
	local    map[string]*prepared
	literals map[string]*prepared // by what sqlparse.Normalize made of the text
	localFor *snapshot
	scratch  route.Scratch
	stepRows map[string]stepResult // of the running statement's steps, by name
	user     []any
	args     []any
	row      []any
	now      time.Time
	open     *rows             // the result that is still being read
	prepared map[string]string // texts of PREPARE, by lower-case name

	// Guarded by cl.locks: what GET_LOCK has taken, and what it waits for.
	locks []string
	waits *lockWaiter

	lastInsertID int64
	rowCount     int64
	foundRows    int64 // or unknownRows
	warnings     []info.Warning
	directed     *directed // by the running statement's directives

	quiet     bool // nobody is told: see Conn.Quiet
	observers []Observer
	log       *slog.Logger // gets every statement; may be nil
	running   *Statement   // that is observed; nil when nobody listens
}

// localPlans bounds the plans that a session keeps for itself.
const localPlans = 256

var _ exec.Session = (*session)(nil)

func newSession(cl *cluster, cfg *Config) *session {
	s := &session{cl: cl, cfg: cfg, id: cl.conns.Add(1)}
	s.guard = newGuard(s)
	s.reset()
	return s
}

// reset brings the session back to how a new connection has it.
func (s *session) reset() {
	s.keyspace = s.cl.keyspaceName(s.cfg)
	s.shard = s.cl.state.Load().shardOf(s.keyspace, s.cfg.Shard)
	s.modes = modesOf(s.cfg.SQLMode)
	s.dialect, _ = findDialect(s.cfg.Dialect) // the configuration is valid
	s.sysvars, s.uservars = nil, nil
	s.noCommit, s.used, s.next = false, false, nil
	s.unchecked = s.cfg.ForeignKeys == "off"
	s.warnings = nil
	s.local, s.literals = nil, nil
	s.prepared = nil
	s.releaseLocks()
}

func modesOf(list string) sqlparse.Options {
	var o sqlparse.Options
	for _, m := range strings.Split(strings.ToUpper(list), ",") {
		switch strings.TrimSpace(m) {
		case "ANSI_QUOTES":
			o.AnsiQuotes = true
		case "PIPES_AS_CONCAT":
			o.PipesAsConcat = true
		case "ANSI":
			o.AnsiQuotes, o.PipesAsConcat = true, true
		case "NO_BACKSLASH_ESCAPES":
			o.NoBackslashEscapes = true
		case "NO_AUTO_VALUE_ON_ZERO":
			o.NoAutoValueOnZero = true
		}
	}
	return o
}

// ShardMap implements exec.Session.
func (s *session) ShardMap(keyspace string) *route.ShardMap {
	return s.snap.shards[s.anywhere(keyspace)]
}

// anywhere is where a member of a union that reads no table runs when no keyspace is
// selected.
func (s *session) anywhere(keyspace string) string {
	if keyspace == "" {
		return s.cl.first
	}
	return keyspace
}

// Tablet implements exec.Session.
func (s *session) Tablet(keyspace string, shard int) tablet.Tablet {
	t := s.tabletAt(keyspace, shard)
	if s.running != nil && t != nil {
		return &tracedTablet{t, s.running}
	}
	return t
}

// tabletAt is Tablet for what isn't the statement's own.
func (s *session) tabletAt(keyspace string, shard int) tablet.Tablet {
	if list := s.cl.tabletsOf(s.anywhere(keyspace)); shard < len(list) {
		return list[shard]
	}
	return nil // the keyspace was dropped since the statement was planned
}

// seen gives what shows a shard's tables as the session plans with them.
func (s *session) seen(t tablet.Tablet) tablet.Runner {
	if s.tx != nil && s.tx.holds[t.Target().Keyspace] {
		return s.tx.part(t).tx
	}
	return t
}

func droppedKeyspace(name string) error {
	return newError(CodeUnknownDatabase, "unknown database '%s': it was dropped", name)
}

// InTx implements exec.Session.
func (s *session) InTx() bool { return s.tx != nil }

// Tx implements exec.Session.
func (s *session) Tx(ctx context.Context, keyspace string, shard int, to exec.Access) (tablet.Tx, error) {
	if s.tx == nil {
		return nil, nil
	}
	t := s.tabletAt(keyspace, shard)
	if t == nil {
		return nil, droppedKeyspace(keyspace)
	}
	tx, err := s.tx.on(ctx, t, to)
	if s.running != nil && err == nil {
		return &tracedTx{tx, s.running}, nil
	}
	return tx, err
}

// Atomically implements exec.Session.
func (s *session) Atomically(ctx context.Context, fn func(exec.Session) error) error {
	if s.tx != nil {
		return fn(s)
	}
	first := s.newTransaction(false)
	return again(ctx, s.lockWait(), func() error {
		tx := &transaction{s: s, id: s.cl.waiterID(), age: first.age, alone: true}
		s.tx = tx
		err := fn(s)
		s.tx = nil
		if err != nil {
			tx.rollback()
			return err
		}
		return tx.commit(ctx)
	})
}

// Value implements exec.Session.
func (s *session) Value(name string) (any, error) {
	switch name {
	case "database()":
		if s.keyspace == "" {
			return nil, nil
		}
		return s.keyspace, nil
	case "version()":
		return serverVersion, nil
	case "user()":
		if s.login != "" {
			return s.login, nil
		}
		return "root@localhost", nil
	case "connection_id()":
		return int64(s.id), nil
	case "last_insert_id()":
		return s.lastInsertID, nil
	case "row_count()":
		return s.rowCount, nil
	case "found_rows()":
		return s.foundRowsValue()
	}
	if v, ok := strings.CutPrefix(name, "@@"); ok {
		if v, global := strings.CutPrefix(v, "global."); global {
			return s.globalVar(v)
		}
		return s.sysvar(v)
	}
	return s.uservars[strings.TrimPrefix(name, "@")], nil
}

// Now implements exec.Session.
func (s *session) Now() time.Time {
	if s.now.IsZero() {
		s.now = time.Now()
		if t, ok := s.sysvars["timestamp"].(time.Time); ok {
			s.now = t
		}
	}
	return s.now
}

// Location implements exec.Session.
func (s *session) Location() *time.Location { return s.cfg.Loc }

// NextIDs implements exec.Session.
func (s *session) NextIDs(ctx context.Context, keyspace, sequence string, n int64) (int64, error) {
	if s.readOnly {
		return 0, readOnlySession()
	}
	if own, err := s.ownSequence(ctx, keyspace, sequence); own != nil || err != nil {
		if err != nil {
			return 0, err
		}
		return own.take(sequence, n)
	}
	return s.cl.seqs.Take(ctx, keyspace, sequence, n)
}

// ObserveID implements exec.Session.
func (s *session) ObserveID(ctx context.Context, keyspace, sequence string, v int64) error {
	if own, err := s.ownSequence(ctx, keyspace, sequence); own != nil || err != nil {
		if err == nil {
			own.observe(v)
		}
		return err
	}
	return s.cl.seqs.Observe(ctx, keyspace, sequence, v)
}

// Limits implements exec.Session.
func (s *session) Limits() exec.Limits {
	if s.directed != nil && s.directed.unlimited {
		return exec.Limits{}
	}
	return exec.Limits{MaxCombineRows: s.cfg.MaxCombineRows, MaxCombineBytes: s.cfg.MaxCombineBytes}
}

// Scratch implements exec.Session.
func (s *session) Scratch() *route.Scratch { return &s.scratch }

// prepare finds or makes what runs text. With literals, a text without
// parameters may share the plan of others that differ from it only in literals,
// which are then its arguments.
func (s *session) prepare(text string, literals bool) (*prepared, []any, error) {
	if s.snap = s.asOf; s.snap == nil {
		s.snap = s.newest()
	}
	if s.localFor != s.snap || s.local == nil {
		s.local, s.literals, s.localFor = map[string]*prepared{}, map[string]*prepared{}, s.snap
	}
	if p := s.local[text]; p != nil {
		s.cl.plans.hit(s.id)
		return p, nil, nil
	}
	if literals && s.modes == (sqlparse.Options{}) && s.dialect == nil {
		if key, lits, ok := sqlparse.Normalize(text); ok {
			if p, err := s.planned(key, lits); err == nil && p.params == len(lits) && p.plan != nil {
				return p, lits, nil
			}
			// What can't be planned with parameters is told of as it was written.
		}
	}
	p, err := s.planned(text, nil)
	return p, nil, err
}

// planned looks text up in the session's plans and the cluster's, and makes the
// plan where neither has it. With lits, text is what sqlparse.Normalize made:
// its plan depends on the literals' types, as that of the same text with
// arguments doesn't.
func (s *session) planned(text string, lits []any) (*prepared, error) {
	return s.plannedAs(text, lits, func() (*prepared, error) { return s.makePlan(text, lits) })
}

// planCache keeps the plans that are made with the session's snapshot.
func (s *session) planCache() *planCache {
	if s.snap.plans != nil {
		return s.snap.plans
	}
	return s.cl.plans
}

// plannedAs looks a plan up by its name, which is the text that it is of, or that and
// what else it hangs on.
func (s *session) plannedAs(name string, lits []any, makePlan func() (*prepared, error)) (*prepared, error) {
	local := s.local
	if lits != nil {
		local = s.literals
	}
	if p := local[name]; p != nil {
		s.cl.plans.hit(s.id)
		return p, nil
	}
	key := planKey{text: name, keyspace: s.keyspace, shard: s.shard, modes: s.modes, dialect: s.dialectName(), literals: lits != nil, options: s.planOptions()}
	p := s.planCache().get(key, s.snap.version)
	if p == nil {
		var err error
		if p, err = makePlan(); err != nil {
			return nil, err
		}
		if p.plan != nil {
			s.cl.plans.misses.Add(1)
			if s.running != nil {
				s.running.Cached = false
			}
		}
		if p.plan != nil && !p.skipsCache() {
			s.planCache().put(key, p)
		}
	} else {
		s.cl.plans.hit(s.id)
	}
	if p.plan != nil && !p.skipsCache() {
		if len(local) >= localPlans {
			clear(local)
		}
		local[name] = p
	}
	return p, nil
}

func (s *session) makePlan(text string, lits []any) (*prepared, error) {
	st, err := s.parse(text, lits)
	if err != nil {
		return nil, inStatement(err, text)
	}
	p, err := s.planOf(st)
	return p, inStatement(err, text)
}

func (s *session) planOf(st *sqlparse.Statement) (*prepared, error) { return s.planIn(s.env(), st) }

func (s *session) planIn(env *route.Env, st *sqlparse.Statement) (*prepared, error) {
	p := &prepared{version: s.snap.version, params: st.Params, names: st.ParamNames, parsed: st, into: st.Into, lists: st.Lists}
	foreign := s.dialect != nil && !env.Internal
	shared := st.ParamNames != nil || st.Repeats
	var err error
	if p.steps, env, err = s.planSteps(env, st); err != nil {
		return nil, err
	}
	switch q := st.Stmt.(type) {
	case sqlast.Query:
		p.plan, err = route.Select(env, q, st.Params, shared)
	case *sqlast.Insert:
		q.Changed, q.Found = assigned(q.OnDup), s.cfg.ClientFoundRows && len(q.OnDup) > 0
		if foreign {
			// Elsewhere than in MySQL a row counts that is met, whatever it gets.
			q.Changed, q.Once = nil, true
		}
		if q.Ignore && q.Query == nil && len(q.OnDup) == 0 {
			p.ignoring = int64(len(q.Rows))
		}
		p.plan, err = route.Insert(env, q, st.Params, shared)
	case *sqlast.Update:
		if !s.cfg.ClientFoundRows && !foreign {
			q.Changed = assigned(q.Set)
		}
		p.plan, err = route.Update(env, q, st.Params, shared)
	case *sqlast.Delete:
		p.plan, err = route.Delete(env, q, st.Params, shared)
	}
	if err != nil {
		return nil, err
	}
	if p.plan != nil {
		p.parsed = nil
		p.cols = columnsOfPlan(p.plan, s.cfg, s.dialect)
		if len(p.into) > 0 && len(p.into) != len(p.plan.Columns) {
			return nil, newError(CodeColumnCount, "the SELECT gives %d columns, INTO names %d variables", len(p.plan.Columns), len(p.into))
		}
		p.sequence = s.snap.writtenSequence(p.plan)
		if p.steps != nil {
			if err := s.stepsApart(p, st); err != nil {
				return nil, err
			}
		}
		if !env.Internal {
			if p.directed, err = readDirectives(st.Directives); err == nil {
				err = s.checkScatter(p)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// assigned names the columns that a SET list assigns to.
func assigned(set []sqlast.Assignment) []string {
	out := make([]string, len(set))
	for i := range set {
		out[i] = set[i].Col.Name
	}
	return out
}

func (s *session) env() *route.Env {
	return &route.Env{
		Schema: s.snap.schema, VSchema: s.snap.vschema,
		Shards:   func(ks string) *route.ShardMap { return s.snap.shards[ks] },
		Keyspace: s.keyspace, Shard: s.shard, Printer: gatePrinter, Foreign: s.foreignKeys(), Catalog: info.CatalogTable,
	}
}

// Statement implements exec.Session: a statement of the gate's own goes where
// its rows are, whatever the session has selected.
func (s *session) Statement(keyspace, text string) (*route.Plan, error) {
	key := planKey{text: text, keyspace: keyspace, shard: -1, internal: true,
		options: planOptions{foreignKeys: s.keptKeys()}}
	if p := s.planCache().get(key, s.snap.version); p != nil {
		s.notesScatter(p.plan)
		return p.plan, nil
	}
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return nil, err
	}
	env := s.env()
	env.Keyspace, env.Shard, env.Internal = keyspace, -1, true
	p, err := s.planIn(env, st)
	if err != nil {
		return nil, err
	}
	if p.plan == nil {
		return nil, newError(CodeInternal, "no plan can be made of %s", text)
	}
	s.planCache().put(key, p)
	s.notesScatter(p.plan)
	return p.plan, nil
}

// notesScatter notes what the gate has to do beside the running statement.
func (s *session) notesScatter(p *route.Plan) {
	if s.running != nil && s.snap.scatters(p) != nil {
		s.running.Scatter = true
	}
}

// bind checks the arguments' number and names and makes the vector that the
// plan's statements bind. The result is valid until the next statement.
func (s *session) bind(ctx context.Context, p *prepared, args []driver.NamedValue, lits []any) ([]any, error) {
	if err := s.take(p, args, lits); err != nil {
		return nil, err
	}
	out, err := exec.Bind(ctx, s, &p.plan.Params, s.user, s.args[:0])
	if err == nil {
		s.args = out
	}
	return out, err
}

// take begins a statement, or a command that evaluates something: it puts the
// arguments into s.user, in the order of the statement's parameters, and lets
// NOW() be asked anew.
func (s *session) take(p *prepared, args []driver.NamedValue, lits []any) error {
	s.user, s.now = s.user[:0], time.Time{}
	switch {
	case lits != nil:
		s.user = append(s.user, lits...)
		return nil
	case p.names != nil:
		return s.takeNamed(p, args)
	}
	if len(args) != p.params {
		return wrongCount(p.params, len(args))
	}
	if p.lists != nil {
		return s.takeLists(p, args)
	}
	for i := range args {
		if args[i].Name != "" {
			return newError(CodeParameterCount, "the statement has no parameter named %q: its parameters are positional (?)", args[i].Name)
		}
		s.user = append(s.user, args[i].Value)
	}
	return nil
}

func wrongCount(want, got int) error {
	return newError(CodeParameterCount, "the statement has %d parameters, %d arguments were given", want, got)
}

func (s *session) takeNamed(p *prepared, args []driver.NamedValue) error {
	if len(args) > p.params {
		return wrongCount(p.params, len(args))
	}
	for i, name := range p.names {
		at := -1
		for k := range args {
			if args[k].Name == name && name != "" || args[k].Name == "" && args[k].Ordinal == i+1 {
				at = k
				break
			}
		}
		if at < 0 {
			return newError(CodeParameterCount, "no argument for parameter :%s", name)
		}
		s.user = append(s.user, args[at].Value)
	}
	for k := range args {
		if args[k].Name != "" && !slices.Contains(p.names, args[k].Name) {
			return newError(CodeParameterCount, "the statement has no parameter named %q", args[k].Name)
		}
	}
	return nil
}

// settle reads what is left of the result that the connection has open, so that
// another statement can run.
func (s *session) settle() {
	if s.open != nil {
		s.open.keepRest()
		s.open = nil
	}
}

func (s *session) rowBuffer(n int) []any {
	if cap(s.row) < n {
		s.row = make([]any, n)
	}
	return s.row[:n]
}

func newBootID() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
