package front

import "github.com/vitessdo/vitessdo/sqlast"

// PutWith puts WITH before a query; false where it has one of its own.
func PutWith(q sqlast.Query, with *sqlast.With) bool {
	var own **sqlast.With
	switch q := q.(type) {
	case *sqlast.Select:
		own = &q.With
	case *sqlast.SetOp:
		own = &q.With
	}
	if own == nil || *own != nil {
		return false
	}
	*own = with
	return true
}

// WithInsert puts WITH before the query of an INSERT, or before those among its values,
// the only ones that can name it; false where one has a WITH of its own. Parameters in it
// then stand in several places.
func WithInsert(in *sqlast.Insert, with *sqlast.With) bool {
	if in.Query != nil {
		return PutWith(in.Query, with)
	}
	ok := true
	for _, row := range in.Rows {
		for _, x := range row {
			sqlast.Walk(x, func(x sqlast.Expr) bool {
				if q := sqlast.SubQuery(x); q != nil {
					ok = PutWith(q, sqlast.CloneWith(with)) && ok
				}
				return ok
			})
		}
	}
	return ok
}
