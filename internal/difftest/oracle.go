package difftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/internal/decimal"
	engine "github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

const oracleKeyspace = "main"

// ErrNoOracle says that plain SQLite has no single statement for what was asked.
var ErrNoOracle = errors.New("plain SQLite has no single statement for it")

// oracle is one plain SQLite database. Of vitessdo it uses the parser, the
// binder and the SQLite dialect, and none of what splits statements, moves rows
// or combines answers.
type oracle struct {
	exec.Session // nil: whatever is needed of it is defined below
	conn         *engine.Conn
	schema       *schema.Schema
	vschema      *vschema.VSchema
	next         map[string]int64 // AUTO_INCREMENT
}

// OpenOracle opens an empty plain database in memory.
func OpenOracle() (System, error) { return openOracle() }

func openOracle() (*oracle, error) {
	conn, err := engine.Open(context.Background(), ":memory:", engine.Options{})
	if err != nil {
		return nil, err
	}
	v, err := vschema.New().WithKeyspace(&vschema.Keyspace{Name: oracleKeyspace})
	if err == nil {
		v, err = v.Bind(oracleKeyspace, vindex.EvenRanges(1))
	}
	if err != nil {
		return nil, err
	}
	return &oracle{conn: conn, schema: (*schema.Schema)(nil).With(1), vschema: v, next: map[string]int64{}}, nil
}

func (o *oracle) Close() { _ = o.conn.Close() }

// The parts of a session that binding arguments asks for.

func (o *oracle) Now() time.Time           { return time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC) }
func (o *oracle) Location() *time.Location { return time.UTC }
func (o *oracle) Value(name string) (any, error) {
	return nil, fmt.Errorf("the oracle has no %s", name)
}

func (o *oracle) env() *route.Env {
	shards := &route.ShardMap{Keyspace: oracleKeyspace, Names: []string{"0"}, Ranges: vindex.EvenRanges(1)}
	return &route.Env{Schema: o.schema, VSchema: o.vschema, Keyspace: oracleKeyspace, Shard: -1, Printer: sqlite.Printer{},
		Shards: func(string) *route.ShardMap { return shards }}
}

func (o *oracle) Run(s Statement) Answer {
	text := inOne(forShards(s.SQL, 1))
	if s.Kind == Control {
		return Answer{Err: o.conn.Control(text)}
	}
	st, err := o.parse(text, s.Args)
	if err != nil {
		return Answer{Err: err}
	}
	if q, ok := st.Stmt.(*sqlast.Select); ok {
		q.Directives = nil
	}
	switch q := st.Stmt.(type) {
	case sqlast.Query:
		rows, err := o.query(q, st.Params, s.Args)
		return Answer{Rows: rows, Err: err}
	case *sqlast.Insert:
		n, err := o.insert(q, st.Params, s.Args)
		return Answer{Affected: n, Err: err}
	case *sqlast.Update:
		if q.Ignore {
			return Answer{Err: ErrNoOracle} // SQLite doesn't pass over rows that violate foreign keys
		}
		p, err := route.Update(o.env(), q, st.Params, false)
		return o.change(p, err, s.Args)
	case *sqlast.Delete:
		if q.Ignore {
			return Answer{Err: ErrNoOracle}
		}
		p, err := route.Delete(o.env(), q, st.Params, false)
		return o.change(p, err, s.Args)
	}
	return Answer{Err: o.ddl(st.Stmt)}
}

// parse reads a statement. The parameters that meet text and are numbers have the
// types of numbers, as they compare so.
func (o *oracle) parse(text string, args []any) (*sqlparse.Statement, error) {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil || len(args) == 0 {
		return st, err
	}
	var p *route.Plan
	switch q := st.Stmt.(type) {
	case sqlast.Query:
		p, err = route.Select(o.env(), q, st.Params, false)
	case *sqlast.Update:
		p, err = route.Update(o.env(), q, st.Params, false)
	case *sqlast.Delete:
		p, err = route.Delete(o.env(), q, st.Params, false)
	}
	kinds := make([]any, len(args))
	if p != nil && err == nil {
		for _, i := range p.Params.Texts {
			switch a := args[i].(type) {
			case bool, int, int64:
				kinds[i] = int64(0)
			case float64:
				kinds[i] = a
			}
		}
	}
	return sqlparse.ParseNormalized(text, sqlparse.Options{}, kinds)
}

func (o *oracle) ddl(st sqlast.Stmt) error {
	c, err := ddl.Plan(st, o.schema, o.vschema, ddl.Options{Keyspace: oracleKeyspace, Shards: map[string]int{oracleKeyspace: 1}})
	if err != nil {
		return err
	}
	statements := c.Shards
	if _, create := st.(*sqlast.CreateTable); create {
		// SQLite keeps every foreign key by itself.
		if statements, err = (dialect.Printers{sqlite.Printer{}}).Script(func(p dialect.Printer) ([]string, error) {
			return p.CreateTable(c.Schema[len(c.Schema)-1].Table, dialect.TableOptions{})
		}); err != nil {
			return err
		}
	}
	for _, sql := range statements {
		if err := o.conn.Script(sql.String()); err != nil {
			return err
		}
	}
	o.schema = o.schema.With(o.schema.Version+1, c.Schema...)
	if c.VSchema != nil {
		o.vschema, err = c.VSchema.Bind(oracleKeyspace, vindex.EvenRanges(1))
	}
	return err
}

func (o *oracle) query(q sqlast.Query, params int, args []any) ([][]any, error) {
	p, err := route.Select(o.env(), q, params, false)
	if err != nil {
		return nil, err
	}
	rows, err := o.plan(p, args)
	for _, row := range rows {
		for i := range row {
			if i < len(p.Columns) {
				row[i] = handedOut(row[i], &p.Columns[i].Type)
			}
		}
	}
	return rows, err
}

// vector makes the parameters of a plan's statement.
func (o *oracle) vector(p *route.Plan, args []any) ([]any, error) {
	vec, err := exec.Bind(context.Background(), o, &p.Params, args, nil)
	if err != nil {
		return nil, err
	}
	return vec, o.steps(&p.Params, vec)
}

// steps evaluates the subqueries that a plan wants the values of first.
func (o *oracle) steps(p *route.Params, vec []any) error {
	for _, s := range p.Steps {
		if s.Query == nil {
			rows, err := o.conn.QueryAll(context.Background(), "SELECT "+s.SQL, vec...)
			if err != nil {
				return err
			}
			vec[s.Slot] = rows[0][0]
			continue
		}
		if err := o.steps(&s.Query.Plan.Params, vec); err != nil {
			return err
		}
		rows, err := o.rows(s.Query.Plan, vec)
		switch {
		case err != nil:
			return err
		case s.Query.Exists:
			vec[s.Slot] = int64(len(rows))
		case len(rows) > 0:
			vec[s.Slot] = rows[0][0]
		}
	}
	return nil
}

// plan runs the one statement that a plan on one unsharded database is.
func (o *oracle) plan(p *route.Plan, args []any) ([][]any, error) {
	vec, err := o.vector(p, args)
	if err != nil {
		return nil, err
	}
	return o.rows(p, vec)
}

func (o *oracle) rows(p *route.Plan, vec []any) ([][]any, error) {
	if len(p.Fragments) != 1 || p.Combine.Kind != route.Pass {
		return nil, fmt.Errorf("%w: %d fragments, combined by %s", ErrNoOracle, len(p.Fragments), p.Combine.Kind)
	}
	text, ok := p.Fragments[0].SQL.Static()
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNoOracle, p.Fragments[0].SQL)
	}
	return o.conn.QueryAll(context.Background(), text, vec...)
}

func (o *oracle) change(p *route.Plan, err error, args []any) Answer {
	switch {
	case err != nil:
		return Answer{Err: err}
	case p.Write.Kind != route.WriteWhole || len(p.Fragments) != 1:
		return Answer{Err: ErrNoOracle}
	}
	vec, err := o.vector(p, args)
	if err != nil {
		return Answer{Err: err}
	}
	n, err := o.run(p.Fragments[0].SQL.String(), vec)
	return Answer{Affected: n, Err: err}
}

func (o *oracle) run(text string, args []any) (int64, error) {
	st, err := o.conn.Prepare(text)
	if err != nil {
		return 0, err
	}
	defer st.Release()
	n, _, err := st.Run(args)
	return n, err
}

// insert prints the statement as it stands: without the planner's rows.
func (o *oracle) insert(q *sqlast.Insert, params int, args []any) (int64, error) {
	def := o.schema.Table(oracleKeyspace, q.Table.Name)
	if def == nil {
		return 0, fmt.Errorf("there is no table %q", q.Table.Name)
	}
	q.Table.Table = def
	if q.Query != nil {
		rows, err := o.query(q.Query, params, args)
		if err != nil || len(rows) == 0 {
			return 0, err
		}
		q.Query, q.Rows, args, params = nil, literalRows(rows), nil, 0
	}
	if nullKey(q, def, args) {
		return 0, &tablet.Error{Code: tablet.CodeNotNull, Message: "NULL for a column that takes none"}
	}
	o.number(q, def, args)
	if o.rowByRow(q, def) {
		return 0, ErrNoOracle
	}
	canonicalDates(q, def)
	resolve(q, def)
	text, err := sqlite.Printer{}.Stmt(q)
	if err != nil {
		return 0, err
	}
	vec, err := exec.Bind(context.Background(), o, &route.Params{User: params}, args, nil)
	if err != nil {
		return 0, err
	}
	return o.run(text.String(), vec)
}

// resolve tells the columns in ON DUPLICATE KEY UPDATE their types, by which the
// dialect computes with them.
func resolve(q *sqlast.Insert, def *sqlast.TableDef) {
	for _, a := range q.OnDup {
		sqlast.WalkDeep(a.Expr, func(x sqlast.Expr) bool {
			switch x := x.(type) {
			case *sqlast.Col:
				x.Def = def.Column(x.Name)
			case *sqlast.Values:
				x.Def = def.Column(x.Name)
			}
			return true
		})
	}
}

// rowByRow says that rows of the statement are written one by one, with their
// foreign keys: those that lack a parent are passed over, or rows that were there
// come to meet them. SQLite looks at the keys at the end of the statement.
func (o *oracle) rowByRow(q *sqlast.Insert, def *sqlast.TableDef) bool {
	parents, children := len(def.ForeignKeys) > 0, len(o.schema.Children(oracleKeyspace, def.Name)) > 0
	if (len(q.OnDup) > 0 || q.Replace) && len(q.Rows) > 1 && (parents || children) {
		return true // what one row breaks, a later one may mend
	}
	for _, fk := range def.ForeignKeys {
		if q.Ignore || fk.RefTable == def.Name && (q.Replace || len(q.OnDup) > 0) {
			return true
		}
	}
	return q.Replace && children
}

// canonicalDates brings literals into the spelling in which date columns keep
// them.
func canonicalDates(q *sqlast.Insert, def *sqlast.TableDef) {
	cols := def.Columns
	if len(q.Columns) > 0 {
		cols = nil
		for _, name := range q.Columns {
			cols = append(cols, def.Column(name))
		}
	}
	for _, row := range q.Rows {
		for i, x := range row {
			if i < len(cols) && cols[i] != nil {
				canonicalDate(x, cols[i])
			}
		}
	}
	for _, set := range q.OnDup {
		if c := def.Column(set.Col.Name); c != nil {
			canonicalDate(set.Expr, c)
		}
	}
}

func canonicalDate(x sqlast.Expr, c *sqlast.ColumnDef) {
	l, ok := x.(*sqlast.Lit)
	if !ok || !c.Type.Class.Temporal() || l.Kind != sqlast.LitString {
		return
	}
	if s, ok := route.Coerce(l.Text, route.Coercion{Type: c.Type, Store: true}).(string); ok {
		l.Text = s
	}
}

// nullKey says whether a row has NULL where the table takes none. SQLite would
// number such a row when the column is its row ID.
// nullKey says whether a NULL is given to a column that takes none. INSERT IGNORE
// puts the type's empty value for it, if that has one.
func nullKey(q *sqlast.Insert, def *sqlast.TableDef, args []any) bool {
	for _, row := range q.Rows {
		for i, x := range row {
			c := def.Columns[min(i, len(def.Columns)-1)]
			if len(q.Columns) > 0 {
				c = def.Column(q.Columns[i])
			}
			if c == nil || !c.Type.NotNull || c.AutoInc || !isNull(x, args) {
				continue
			}
			empty, ok := emptyValues[c.Type.Class]
			if !q.Ignore || !ok {
				return true
			}
			row[i] = &sqlast.Lit{Kind: empty}
			if empty == sqlast.LitInt {
				row[i] = &sqlast.Lit{Kind: empty, Text: "0"}
			}
		}
	}
	return false
}

// emptyValues are the literals, of no text or 0, of the types' empty values.
var emptyValues = map[sqlast.Class]sqlast.LitKind{
	sqlast.ClassInt: sqlast.LitInt, sqlast.ClassDecimal: sqlast.LitInt, sqlast.ClassDouble: sqlast.LitInt,
	sqlast.ClassText: sqlast.LitString, sqlast.ClassBlob: sqlast.LitBytes,
}

func isNull(x sqlast.Expr, args []any) bool {
	switch x := x.(type) {
	case *sqlast.Lit:
		return x.Kind == sqlast.LitNull
	case *sqlast.Param:
		return args[x.Index] == nil
	}
	return false
}

func literalRows(rows [][]any) [][]sqlast.Expr {
	out := make([][]sqlast.Expr, len(rows))
	for i, row := range rows {
		for _, v := range row {
			out[i] = append(out[i], literal(v))
		}
	}
	return out
}

func literal(v any) sqlast.Expr {
	switch v := v.(type) {
	case int64:
		return &sqlast.Raw{Text: strconv.FormatInt(v, 10)}
	case float64:
		return &sqlast.Raw{Text: strconv.FormatFloat(v, 'e', -1, 64)}
	case []byte:
		return &sqlast.Raw{Text: fmt.Sprintf("x'%x'", v)}
	case string:
		return &sqlast.Lit{Kind: sqlast.LitString, Text: v}
	}
	return &sqlast.Lit{Kind: sqlast.LitNull}
}

// number gives AUTO_INCREMENT values to rows without one, as MySQL does.
func (o *oracle) number(q *sqlast.Insert, def *sqlast.TableDef, args []any) {
	at := -1
	for i, c := range def.Columns {
		if c.AutoInc {
			at = i
		}
	}
	if at < 0 {
		return
	}
	name := def.Columns[at].Name
	if len(q.Columns) > 0 {
		at = indexFold(q.Columns, name)
		if at < 0 {
			at = len(q.Columns)
			q.Columns = append(q.Columns, name)
		}
	}
	key := strings.ToLower(def.Name)
	next := max(o.next[key], 1)
	for i, row := range q.Rows {
		if at == len(row) {
			q.Rows[i] = append(row, &sqlast.Lit{Kind: sqlast.LitNull})
		} else if n, ok := wholeValue(row[at], args); ok && n >= next {
			next = n + 1
		}
	}
	for _, row := range q.Rows {
		if n, ok := wholeValue(row[at], args); !ok || n == 0 {
			row[at] = &sqlast.Raw{Text: strconv.FormatInt(next, 10)}
			next++
		}
	}
	o.next[key] = next
}

func indexFold(list []string, name string) int {
	for i, s := range list {
		if strings.EqualFold(s, name) {
			return i
		}
	}
	return -1
}

// wholeValue gives the integer that an expression of a generated insert is.
func wholeValue(x sqlast.Expr, args []any) (int64, bool) {
	text := ""
	switch x := x.(type) {
	case *sqlast.Lit:
		text = x.Text
	case *sqlast.Raw:
		text = x.Text
	case *sqlast.Unary:
		n, ok := wholeValue(x.X, args)
		return -n, ok
	case *sqlast.Param:
		text = fmt.Sprint(args[x.Index])
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// handedOut is how a driver hands out a value of a column of type t.
func handedOut(v any, t *sqlast.Type) any {
	switch t.Class {
	case sqlast.ClassBlob:
		if s, ok := v.(string); ok {
			return []byte(s)
		}
	case sqlast.ClassDecimal:
		switch x := v.(type) {
		case int64:
			if t.Scale > 0 {
				return strconv.FormatInt(x, 10) + "." + strings.Repeat("0", t.Scale)
			}
			if t.Scale == 0 {
				return strconv.FormatInt(x, 10)
			}
		case float64:
			if t.Scale >= 0 {
				return decimal.Format(x, t.Scale)
			}
		case []byte, string: // of more digits than a number has
			if d, ok := decimal.Of(x); ok {
				return d.Text(max(t.Scale, 0))
			}
		}
	}
	return v
}

// restore makes the tables hold the given rows; the names are in the order of
// creation.
func (o *oracle) restore(names []string, rows map[string][][]any) (err error) {
	if !o.conn.InTransaction() {
		if err := o.conn.Control("BEGIN"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.conn.Control("COMMIT")) }()
	}
	if err := o.conn.Control("PRAGMA defer_foreign_keys=ON"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.conn.Control("PRAGMA defer_foreign_keys=OFF")) }()
	for _, name := range slices.Backward(names) {
		if _, err := o.run(`DELETE FROM "`+inOne(name)+`"`, nil); err != nil {
			return err
		}
	}
	for _, name := range names {
		for _, row := range rows[name] {
			row = o.kept(name, row)
			if _, err := o.run(`INSERT INTO "`+inOne(name)+`" VALUES (`+strings.Repeat("?,", len(row)-1)+"?)", row); err != nil {
				return err
			}
		}
	}
	return nil
}

// kept is a row that was handed out as the table keeps it, where affinity doesn't see
// to that.
func (o *oracle) kept(name string, row []any) []any {
	def := o.schema.Table(oracleKeyspace, inOne(name))
	out := slices.Clone(row)
	for i, c := range def.Columns {
		if key, err := decimal.KeyOf(out[i]); err == nil && c.Type.Keyed() {
			out[i] = key
		}
	}
	return out
}

// Restore makes the tables of a system that OpenOracle gave hold other rows.
func Restore(s System, names []string, rows func(name string) [][]any) error {
	o, ok := s.(*oracle)
	if !ok {
		return errors.New("only the plain database can be restored")
	}
	all := map[string][][]any{}
	for _, name := range names {
		all[name] = rows(name)
	}
	return o.restore(names, all)
}
