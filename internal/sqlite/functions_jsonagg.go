package sqlite

import (
	"github.com/ncruces/go-sqlite3"
)

// arrayAgg is JSON_ARRAYAGG: NULL of no rows.
type arrayAgg struct{ items []any }

func (a *arrayAgg) Step(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if v, ok := jsonValueOf(ctx, arg[0]); ok {
		a.items = append(a.items, v)
	}
}

func (a *arrayAgg) Value(ctx sqlite3.Context) {
	if len(a.items) > 0 {
		resultJSON(ctx, a.items)
	}
}

// objectAgg is JSON_OBJECTAGG: NULL of no rows; of a key's values the last one
// counts.
type objectAgg struct{ members map[string]any }

func (o *objectAgg) Step(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		ctx.ResultError(errNullMember)
		return
	}
	v, ok := jsonValueOf(ctx, arg[1])
	if !ok {
		return
	}
	if o.members == nil {
		o.members = map[string]any{}
	}
	o.members[arg[0].Text()] = v
}

func (o *objectAgg) Value(ctx sqlite3.Context) {
	if o.members != nil {
		resultJSON(ctx, o.members)
	}
}
