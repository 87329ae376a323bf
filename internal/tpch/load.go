package tpch

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// batch is how many rows one INSERT takes.
const batch = 200

// Load creates the layout's tables in a database and fills them.
func Load(ctx context.Context, db *sql.DB, c Config, l Layout) error {
	for _, q := range l.DDL() {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	ld := loader{ctx: ctx, db: db, pending: map[string][]any{}}
	if err := c.Generate(ld.add); err != nil {
		return err
	}
	for _, t := range Tables {
		if err := ld.flush(t.Name); err != nil {
			return err
		}
	}
	return nil
}

type loader struct {
	ctx     context.Context
	db      *sql.DB
	pending map[string][]any
}

func (l *loader) add(table string, row []any) error {
	l.pending[table] = append(l.pending[table], row...)
	if len(l.pending[table]) < batch*len(row) {
		return nil
	}
	return l.flush(table)
}

func (l *loader) flush(table string) error {
	args := l.pending[table]
	if len(args) == 0 {
		return nil
	}
	row := "(" + strings.Repeat("?, ", width(table)-1) + "?)"
	n := len(args) / width(table)
	q := "INSERT INTO " + table + " VALUES " + strings.Repeat(row+", ", n-1) + row
	l.pending[table] = args[:0]
	if _, err := l.db.ExecContext(l.ctx, q, args...); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

// width is a table's number of columns.
func width(table string) int {
	for _, t := range Tables {
		if t.Name == table {
			return len(t.Columns)
		}
	}
	return 0
}
