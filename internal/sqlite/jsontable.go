package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/jsontable"
)

// JSON_TABLE is the table-valued function json_rows(doc, spec), whose columns are
// c0, c1, … as those of lateral_rows are.

const (
	jsonMissing = "Missing value for JSON_TABLE column '"
	jsonMisfit  = "Can't store the value in JSON_TABLE column '"
)

// jsonNode is a row path with its columns.
type jsonNode struct {
	path    jsonPath
	columns []jsonColumn
	nested  []*jsonNode
	// from and to bound the table's columns that it and what is nested in it fill.
	from, to int
}

// jsonColumn is column at of the table.
type jsonColumn struct {
	*jsontable.Column
	at           int
	path         jsonPath
	empty, error any // the defaults, as the column keeps them
}

// newJSONNode reads a spec whose first column is the table's column at.
func newJSONNode(s *jsontable.Spec, at int) (n *jsonNode, err error) {
	n = &jsonNode{from: at}
	if n.path, err = parsePath(s.Path); err != nil {
		return nil, err
	}
	for _, c := range s.Columns {
		if c.Nested != nil {
			child, err := newJSONNode(c.Nested, at)
			if err != nil {
				return nil, err
			}
			n.nested, at = append(n.nested, child), child.to
			continue
		}
		col := jsonColumn{Column: c, at: at}
		if !c.Ordinality {
			if col.path, err = parsePath(c.Path); err != nil {
				return nil, err
			}
		}
		if col.empty, err = col.fallback(c.Empty); err != nil {
			return nil, err
		}
		if col.error, err = col.fallback(c.Error); err != nil {
			return nil, err
		}
		n.columns = append(n.columns, col)
		at++
	}
	n.to = at
	return n, nil
}

// fallback is a default as the column keeps it.
func (c *jsonColumn) fallback(in jsontable.Instead) (any, error) {
	if in.Default == "" {
		return nil, nil
	}
	doc, err := readJSON([]byte(in.Default))
	if err != nil {
		return nil, err
	}
	v, ok := fitJSON(c.Column, doc)
	if !ok {
		//lint:ignore ST1005 these are MySQL's words
		return nil, fmt.Errorf("Invalid default value for '%s'", c.Name)
	}
	return v, nil
}

// expand makes the rows of a value. row is the one being filled; each is handed out
// when it is full.
func (n *jsonNode) expand(v any, row []any, out func()) (err error) {
	count := int64(0)
	visit(v, n.path.legs, "", func(v any, _ string) {
		if err != nil {
			return
		}
		count++
		for i := range n.columns {
			c := &n.columns[i]
			if row[c.at], err = c.value(v, count); err != nil {
				return
			}
		}
		found := false
		for _, child := range n.nested {
			if err == nil {
				err = child.expand(v, row, func() { found = true; out() })
			}
			clear(row[child.from:child.to])
		}
		if !found && err == nil {
			out()
		}
	})
	return err
}

// value is what the column has in the row of v.
func (c *jsonColumn) value(v any, number int64) (any, error) {
	if c.Ordinality {
		return number, nil
	}
	var found []any
	visit(v, c.path.legs, "", func(v any, _ string) { found = append(found, v) })
	if c.Exists {
		n := json.Number("0")
		if len(found) > 0 {
			n = "1"
		}
		found = []any{n}
	}
	switch {
	case len(found) == 0 && c.Empty.Fail:
		return nil, errors.New(jsonMissing + c.Name + "'")
	case len(found) == 0:
		return c.empty, nil
	case len(found) == 1:
		if v, ok := fitJSON(c.Column, found[0]); ok {
			return v, nil
		}
	case c.Fit == jsontable.JSON:
		if v, ok := fitJSON(c.Column, found); ok {
			return v, nil
		}
	}
	if c.Error.Fail {
		return nil, errors.New(jsonMisfit + c.Name + "'")
	}
	return c.error, nil
}

// jsonRows is the table-valued function.
type jsonRows struct{}

func registerJSONTable(c *sqlite3.Conn) error {
	cols := make([]string, lateralColumns)
	for i := range cols {
		cols[i] = fmt.Sprintf("c%d", i)
	}
	ddl := "CREATE TABLE x(" + strings.Join(cols, ", ") + ", doc HIDDEN, spec HIDDEN)"
	//lint:ignore SA1019 the method that is to replace it needs a later Go
	err := sqlite3.CreateModule(c, "json_rows", nil, func(db *sqlite3.Conn, _, _, _ string, _ ...string) (jsonRows, error) {
		return jsonRows{}, db.DeclareVTab(ddl)
	})
	if err != nil {
		return fmt.Errorf("sqlite: registering json_rows: %w", err)
	}
	return nil
}

// BestIndex takes the two arguments.
func (jsonRows) BestIndex(x *sqlite3.IndexInfo) error {
	x.EstimatedCost, x.EstimatedRows = 1e9, 1e6
	given := 0
	for i, c := range x.Constraint {
		if c.Column < lateralColumns || c.Op != sqlite3.INDEX_CONSTRAINT_EQ {
			continue
		}
		if !c.Usable {
			return sqlite3.CONSTRAINT // the tables that they read must come before
		}
		x.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: c.Column - lateralColumns + 1, Omit: true}
		given++
	}
	if given == 2 {
		x.IdxNum, x.EstimatedCost, x.EstimatedRows = 1, 10, 10
	}
	return nil
}

func (jsonRows) Open() (sqlite3.VTabCursor, error) { return &jsonCursor{}, nil }

type jsonCursor struct {
	spec string
	root *jsonNode
	rows [][]any
	pos  int
}

func (c *jsonCursor) Filter(_ int, _ string, arg ...sqlite3.Value) error {
	c.rows, c.pos = c.rows[:0], 0
	if len(arg) != 2 || arg[0].Type() == sqlite3.NULL {
		return nil
	}
	if spec := arg[1].RawText(); c.root == nil || string(spec) != c.spec {
		s, err := jsontable.Parse(string(spec))
		if err != nil {
			return err
		}
		if c.root, err = newJSONNode(s, 0); err != nil {
			return err
		}
		c.spec = string(spec)
	}
	doc, err := readJSON(arg[0].RawText())
	if err != nil {
		return fmt.Errorf("invalid JSON text in argument 1 to function json_table: %w", err)
	}
	row := make([]any, c.root.to)
	return c.root.expand(doc, row, func() { c.rows = append(c.rows, slices.Clone(row)) })
}

func (c *jsonCursor) Next() error           { c.pos++; return nil }
func (c *jsonCursor) EOF() bool             { return c.pos >= len(c.rows) }
func (c *jsonCursor) RowID() (int64, error) { return int64(c.pos), nil }

func (c *jsonCursor) Column(ctx sqlite3.Context, n int) error {
	if n < len(c.rows[c.pos]) {
		result(ctx, c.rows[c.pos][n])
	}
	return nil
}
