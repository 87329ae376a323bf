package vitessdo

import (
	"context"
	"slices"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
)

// show answers SHOW. Its WHERE is run as a query over the answer, as if that
// were a table of information_schema.
func (s *session) show(ctx context.Context, p *prepared, st *sqlast.Show) (*rows, error) {
	cols, data, err := info.Answer(st, s.infoInput(ctx))
	if err != nil {
		return nil, mapInfo(err)
	}
	if st.Where == nil {
		return s.literal(cols, data), nil
	}
	a := &shown{session: s, def: answerTable(cols, data), rows: data}
	env := s.env()
	env.Catalog = func(table string) *sqlast.TableDef {
		if table == a.def.Name {
			return a.def
		}
		return info.CatalogTable(table)
	}
	plan, err := route.Select(env, &sqlast.Select{
		Items: []sqlast.SelectItem{{Star: true}},
		From:  &sqlast.TableRef{Schema: route.CatalogKeyspace, Name: a.def.Name, Pos: -1},
		Where: sqlast.CloneExpr(st.Where),
	}, p.params, p.names != nil)
	if err != nil {
		return nil, err
	}
	vec, err := exec.Bind(ctx, a, &plan.Params, s.user, nil)
	if err != nil {
		return nil, err
	}
	src, err := exec.Query(ctx, a, plan, vec)
	if err != nil {
		return nil, err
	}
	out := &rows{s: s, src: src, cols: columnsOfPlan(plan, s.cfg, nil)}
	s.open = out
	return out, nil
}

// shown is a session whose catalog holds an answer, too.
type shown struct {
	*session
	def  *sqlast.TableDef
	rows [][]any
}

// Catalog implements exec.Session.
func (a *shown) Catalog(ctx context.Context, scan *route.CatalogScan, columns []string, args []any) ([][]any, error) {
	if scan.Table != a.def.Name {
		return a.session.Catalog(ctx, scan, columns, args)
	}
	at := make([]int, len(columns))
	for i, name := range columns {
		at[i] = slices.IndexFunc(a.def.Columns, func(c *sqlast.ColumnDef) bool { return c.Name == name })
	}
	out := make([][]any, len(a.rows))
	for i, r := range a.rows {
		out[i] = make([]any, len(at))
		for k, c := range at {
			out[i][k] = r[c]
		}
	}
	return out, nil
}

// answerTable is the table that an answer could be of: its text has no case, as
// that of information_schema.
func answerTable(names []string, data [][]any) *sqlast.TableDef {
	def := &sqlast.TableDef{Name: "the answer"}
	for i, name := range names {
		t := sqlast.TypeOf(sqlast.ClassText)
		t.Name, t.NoCase = "VARCHAR", true
		for _, r := range data {
			if _, ok := r[i].(int64); ok {
				t = sqlast.TypeOf(sqlast.ClassInt)
				t.Name = "BIGINT"
				break
			}
		}
		def.Columns = append(def.Columns, &sqlast.ColumnDef{Name: name, Type: t, Pos: i})
	}
	return def
}
