package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// Assign sets a user variable to the value of a result column, row by row.
type Assign struct {
	Col  int
	Name string // lower case
}

// assignments takes the @a := x that are whole columns of the outermost SELECT
// out of it. What they mean doesn't hang on the order in which rows are made, so
// long as nothing else reads the variables.
func assignments(q sqlast.Query) ([]Assign, error) {
	s, ok := q.(*sqlast.Select)
	if !ok {
		return nil, nil
	}
	var out []Assign
	set := map[string]bool{}
	for i := range s.Items {
		v, ok := s.Items[i].Expr.(*sqlast.UserVar)
		if !ok || v.Value == nil {
			continue
		}
		name := strings.ToLower(v.Name)
		out = append(out, Assign{Col: i, Name: name})
		set[name] = true
		s.Items[i].Expr = v.Value
	}
	if out == nil {
		return nil, nil
	}
	for i := range s.Items {
		if s.Items[i].Star {
			return nil, unsupported("@"+out[0].Name+" := … beside *", "name the columns")
		}
	}
	var read error
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		if v, ok := e.(*sqlast.UserVar); ok && set[strings.ToLower(v.Name)] {
			read = unsupported("reading @"+v.Name+" in the statement that sets it row by row", "use a window function, as SUM(…) OVER (ORDER BY …)")
		}
		return read == nil
	})
	return out, read
}

// FoundRows is the LIMIT of a query with SQL_CALC_FOUND_ROWS: the plan gives
// all rows, whoever runs it counts them and hands these out.
type FoundRows struct{ Limit, Offset *Source }

// calcRows takes SQL_CALC_FOUND_ROWS and the LIMIT that it looks beyond out of
// a bound query; nil when it isn't there.
func calcRows(q sqlast.Query) *FoundRows {
	limit := topLimit(q)
	first := q
	for {
		set, ok := first.(*sqlast.SetOp)
		if !ok {
			break
		}
		first = set.L
	}
	s, ok := first.(*sqlast.Select)
	if !ok || !s.CalcRows {
		return nil
	}
	s.CalcRows = false
	f := &FoundRows{}
	f.Limit, f.Offset = limitSources(*limit)
	*limit = nil
	return f
}

func topLimit(q sqlast.Query) **sqlast.Limit {
	if set, ok := q.(*sqlast.SetOp); ok {
		return &set.Limit
	}
	return &q.(*sqlast.Select).Limit
}
