package gate

import (
	"database/sql/driver"
	"errors"
	"time"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
)

// reader reads a statement's rows as values of the protocol.
type reader struct {
	rows    driver.Rows
	columns []vitessdo.Column
	dest    []driver.Value
	row     []any
}

func newReader(out *vitessdo.Outcome) *reader {
	n := len(out.Columns)
	return &reader{rows: out.Rows, columns: out.Columns, dest: make([]driver.Value, n), row: make([]any, n)}
}

// head names the columns and their types, for the answer.
func (r *reader) head() map[string]any {
	names, types := make([]string, len(r.columns)), make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i], types[i] = c.Name, c.Type
		if c.Unsigned && c.Type != "" {
			types[i] += " UNSIGNED"
		}
	}
	return map[string]any{"columns": names, "types": types}
}

// next adds the next row to a chunk.
func (r *reader) next(w *rpc.RowWriter) error {
	if err := r.rows.Next(r.dest); err != nil {
		return err
	}
	for i, v := range r.dest {
		switch x := v.(type) {
		case nil, int64, float64, string, []byte, bool:
			r.row[i] = v
		case time.Time:
			r.row[i] = TimeText(x, r.columns[i])
		default:
			return gateError(vitessdo.CodeInternal, "column %s has a value of type %T", r.columns[i].Name, v)
		}
	}
	err := w.Add(r.row)
	var row rpc.RowError
	if errors.As(err, &row) {
		return gateError(vitessdo.CodeTooBig, "%v", row)
	}
	return err
}

// TimeText spells a time as MySQL does a value of the column.
func TimeText(t time.Time, c vitessdo.Column) string {
	if c.Type == "DATE" {
		return t.Format("2006-01-02")
	}
	if c.Scale > 0 {
		return t.Format("2006-01-02 15:04:05." + "000000"[:min(c.Scale, 6)])
	}
	return t.Format("2006-01-02 15:04:05.999999")
}
