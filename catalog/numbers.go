package catalog

import (
	"context"
	"errors"
	"io"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// markNumbers finds the DECIMAL columns of many digits that keep numbers, of tables
// that were made before such columns had keys: a shard of theirs tells.
func markNumbers(ctx context.Context, shard tablet.Runner, def *sqlast.TableDef) (err error) {
	keyed := false
	for _, col := range def.Columns {
		keyed = keyed || col.Type.Keyed()
	}
	if !keyed || shard == nil {
		return nil
	}
	rows, err := shard.Query(ctx, &tablet.Query{
		SQL: "SELECT name FROM pragma_table_xinfo(?1) WHERE type = 'NUMERIC'", Args: []any{def.Name}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var row [1]tablet.Value
	for {
		if err := rows.Next(row[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if name, ok := row[0].(string); ok && def.Column(name) != nil {
			def.Column(name).Type.Numbers = true
		}
	}
}
