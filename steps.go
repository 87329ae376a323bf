package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// A statement may have steps before it, as those of PostgreSQL have that write in WITH:
// statements of their own, in one transaction with it, whose rows are tables of the gate's
// to what comes after. A table that a step writes is named by no other part of the
// statement, so that it doesn't matter that each part sees what the ones before have done,
// where PostgreSQL's see the tables as they were.

// step is one of them, planned.
type step struct {
	*prepared
	rows *sqlast.TableDef // that it gives; nil for none
}

// planSteps plans a statement's steps. What follows them is planned in the environment
// that it returns, which knows their rows.
func (s *session) planSteps(env *route.Env, st *sqlparse.Statement) ([]step, *route.Env, error) {
	if len(st.Steps) == 0 {
		return nil, env, nil
	}
	var out []step
	with, known := *env, env.Catalog
	with.Catalog = func(table string) *sqlast.TableDef {
		for _, x := range out {
			if x.rows != nil && strings.EqualFold(x.rows.Name, table) {
				return x.rows
			}
		}
		return known(table)
	}
	for _, x := range st.Steps {
		part := &sqlparse.Statement{Stmt: x.Stmt, Params: st.Params, ParamNames: st.ParamNames, Repeats: true}
		p, err := s.planIn(&with, part)
		if err != nil {
			return nil, nil, err
		}
		one := step{prepared: p}
		if len(p.plan.Columns) > 0 {
			one.rows = stepRows(x.Name, p.plan.Columns)
		}
		out = append(out, one)
	}
	return out, &with, nil
}

// stepRows is the table of a step's rows.
func stepRows(name string, columns []route.Column) *sqlast.TableDef {
	def := &sqlast.TableDef{Name: name}
	for i, c := range columns {
		col := &sqlast.ColumnDef{Name: c.Name, Type: c.Type, Pos: i}
		col.Type.NotNull = false
		if col.Type.Class == sqlast.ClassDecimal && col.Type.Size < 0 {
			col.Type.Numbers = true
		}
		def.Columns = append(def.Columns, col)
	}
	return def
}

// stepsApart refuses a statement one part of which names a table that another writes.
func (s *session) stepsApart(p *prepared, st *sqlparse.Statement) error {
	parts := make([]*route.Plan, 0, len(p.steps)+1)
	for _, x := range p.steps {
		parts = append(parts, x.plan)
	}
	parts = append(parts, p.plan)
	for i, x := range parts {
		if x.Write == nil || x.Write.Table == nil {
			continue
		}
		name := x.Write.Schema + "." + x.Write.Table.Name
		for k, other := range parts {
			if k == i || k < len(st.Steps) && st.Steps[k].Early || !slices.Contains(other.Tables, name) {
				continue
			}
			return sqlast.UnsupportedAt(st.Text, st.Steps[min(i, k, len(st.Steps)-1)].Pos, "a WITH that writes the table "+x.Write.Table.Name+", which another part of the statement names",
				"run them one after the other in a transaction")
		}
	}
	return nil
}

// writes says whether a statement or one of its steps writes.
func (p *prepared) writes() bool {
	return p.plan.Write != nil || slices.ContainsFunc(p.steps, func(x step) bool { return x.plan.Write != nil })
}

// runSteps runs a statement with its steps, all or nothing, and gives its rows.
func (s *session) runSteps(ctx context.Context, p *prepared, args []driver.NamedValue, lits []any) (rows [][]any, res driver.Result, err error) {
	if s.uncheckedAlone() {
		return nil, nil, newError(CodeUnsupported, "a WITH that writes with foreign_key_checks=0 is not supported outside a transaction; BEGIN one")
	}
	if err := s.take(p, args, lits); err != nil {
		return nil, nil, err
	}
	given := slices.Clone(s.user)
	defer func() { s.stepRows = nil }()
	run := func() error {
		s.stepRows = map[string]stepResult{}
		for _, x := range p.steps {
			rows, _, err := s.runStep(ctx, x.prepared, given)
			if err == nil && x.rows != nil {
				err = s.keepStep(x, rows)
			}
			if err != nil {
				return err
			}
		}
		rows, res, err = s.runStep(ctx, p, given)
		return err
	}
	if s.tx != nil {
		err = s.tx.undoably(ctx, run)
	} else {
		err = s.Atomically(ctx, func(exec.Session) error { return run() })
	}
	if err != nil {
		return nil, nil, s.writeFailed(err)
	}
	return rows, res, nil
}

// runStep runs one part.
func (s *session) runStep(ctx context.Context, p *prepared, given []any) ([][]any, driver.Result, error) {
	vec, err := exec.Bind(ctx, s, &p.plan.Params, given, nil)
	if err != nil {
		return nil, nil, err
	}
	if len(p.cols) == 0 {
		res, err := s.write(ctx, p, vec)
		return nil, res, err
	}
	src, err := exec.Query(ctx, s, p.plan, vec)
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	var out [][]any
	bytes, limits := int64(0), s.Limits()
	for {
		row := make([]any, len(p.cols))
		if err := src.Next(row); errors.Is(err, io.EOF) {
			return out, result{rows: int64(len(out))}, nil
		} else if err != nil {
			return nil, nil, err
		}
		for i, v := range row {
			bytes += 16
			switch v := v.(type) {
			case []byte:
				row[i] = slices.Clone(v)
				bytes += int64(len(v))
			case string:
				bytes += int64(len(v))
			}
		}
		if out = append(out, row); limits.MaxCombineRows > 0 && int64(len(out)) > limits.MaxCombineRows {
			return nil, nil, &exec.LimitError{Option: "max_combine_rows", Limit: limits.MaxCombineRows, Fragment: "the rows of a WITH that writes"}
		}
		if limits.MaxCombineBytes > 0 && bytes > limits.MaxCombineBytes {
			return nil, nil, &exec.LimitError{Option: "max_combine_bytes", Limit: limits.MaxCombineBytes, Fragment: "the rows of a WITH that writes"}
		}
	}
}

// stepResult are a step's rows, in the form in which columns keep values.
type stepResult struct {
	def  *sqlast.TableDef
	rows [][]any
}

func (s *session) keepStep(x step, rows [][]any) error {
	for _, row := range rows {
		for i, c := range x.rows.Columns {
			if c.Type.Class == sqlast.ClassDecimal && c.Type.Numbers {
				continue
			}
			v, err := exec.Stored(row[i], c)
			if err != nil {
				return err
			}
			row[i] = v
		}
	}
	s.stepRows[strings.ToLower(x.rows.Name)] = stepResult{x.rows, rows}
	return nil
}

// cut gives the named columns.
func (r stepResult) cut(columns []string) [][]any {
	out := make([][]any, len(r.rows))
	for i, row := range r.rows {
		for _, name := range columns {
			at := slices.IndexFunc(r.def.Columns, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
			out[i] = append(out[i], row[at])
		}
	}
	return out
}

// givenRows are rows that are there already.
type givenRows struct{ rows [][]any }

func (g *givenRows) Next(dest []any) error {
	if len(g.rows) == 0 {
		return io.EOF
	}
	copy(dest, g.rows[0])
	g.rows = g.rows[1:]
	return nil
}

func (g *givenRows) Close() error { return nil }
