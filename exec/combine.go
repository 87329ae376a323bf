package exec

import (
	"fmt"
	"io"
	"slices"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/tablet"
)

// combined is what comes behind every combine: DISTINCT, OFFSET, LIMIT and the
// cut to the result's columns.
type combined struct {
	src      source
	distinct distinct // nil: none
	skip     int64
	left     int64 // -1: no limit
	err      error
}

func (c *combined) Next(dest []any) error {
	if c.err != nil {
		return c.err
	}
	row, err := c.row()
	if err != nil {
		// The end, too, frees the shards at once.
		c.err = err
		if cerr := c.src.close(); cerr != nil && err == io.EOF {
			c.err = cerr
		}
		return c.err
	}
	if len(row) < len(dest) {
		c.err = fmt.Errorf("a combined row has %d columns, %d are wanted", len(row), len(dest))
		return c.err
	}
	copy(dest, row)
	return nil
}

func (c *combined) row() ([]any, error) {
	if c.left == 0 {
		return nil, io.EOF
	}
	for {
		row, err := c.src.next()
		if err != nil {
			return nil, err
		}
		if c.distinct != nil {
			fresh, err := c.distinct.fresh(row)
			if err != nil {
				return nil, err
			}
			if !fresh {
				continue
			}
		}
		if c.skip > 0 {
			c.skip--
			continue
		}
		if c.left > 0 {
			c.left--
		}
		return row, nil
	}
}

func (c *combined) Close() error {
	if c.err == nil {
		c.err = io.EOF
	}
	return c.src.close()
}

// bounds reads OFFSET and LIMIT; a limit of -1 means none.
func bounds(c *route.Combine, args []any) (skip, left int64, err error) {
	left = -1
	if c.Offset != nil {
		if skip, err = bound("OFFSET", *c.Offset, args); err != nil {
			return 0, 0, err
		}
	}
	if c.Limit != nil {
		if left, err = bound("LIMIT", *c.Limit, args); err != nil {
			return 0, 0, err
		}
	}
	return skip, left, nil
}

func bound(what string, src route.Source, args []any) (int64, error) {
	v := src.Value(args)
	if n, ok := v.(int64); ok && n >= 0 {
		return n, nil
	}
	return 0, &tablet.Error{Code: tablet.CodeMisuse,
		Message: fmt.Sprintf("%s is %s; it must be a non-negative integer", what, describe(v))}
}

// describe shows a value in an error.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		if len(v) > 40 {
			v = v[:40] + "..."
		}
		return fmt.Sprintf("the text %q", v)
	case []byte:
		return fmt.Sprintf("a blob of %d bytes", len(v))
	}
	return fmt.Sprint(v)
}

// distinct tells rows that were not there before.
type distinct interface {
	fresh(row []any) (bool, error)
}

// newDistinct chooses the way: rows that come sorted by the columns that tell
// them apart have their equals as neighbours.
func newDistinct(c *route.Combine, sorted bool, m *meter) distinct {
	if sorted && sortCovers(c.Sort, c.Distinct) {
		return &distinctSorted{keys: c.Distinct}
	}
	return &distinctSet{keys: c.Distinct, seen: map[string]struct{}{}, meter: m}
}

// sortCovers says whether the columns of keys are those of the first sort keys,
// compared in the same way.
func sortCovers(sort, keys []route.SortKey) bool {
	if len(keys) == 0 || len(sort) < len(keys) {
		return false
	}
	for _, s := range sort[:len(keys)] {
		if !slices.ContainsFunc(keys, func(k route.SortKey) bool { return k.Col == s.Col && k.NoCase == s.NoCase }) {
			return false
		}
	}
	for _, k := range keys {
		if !slices.ContainsFunc(sort[:len(keys)], func(s route.SortKey) bool { return k.Col == s.Col }) {
			return false
		}
	}
	return true
}

type distinctSet struct {
	keys  []route.SortKey
	seen  map[string]struct{}
	buf   []byte
	meter *meter
}

func (d *distinctSet) fresh(row []any) (bool, error) {
	d.buf = appendKey(d.buf[:0], row, d.keys)
	if _, ok := d.seen[string(d.buf)]; ok {
		return false, nil
	}
	if err := d.meter.add(1, int64(len(d.buf))+48, "DISTINCT"); err != nil {
		return false, err
	}
	d.seen[string(d.buf)] = struct{}{}
	return true, nil
}

type distinctSorted struct {
	keys []route.SortKey
	buf  []byte
	prev []byte
	any  bool
}

func (d *distinctSorted) fresh(row []any) (bool, error) {
	d.buf = appendKey(d.buf[:0], row, d.keys)
	if d.any && string(d.buf) == string(d.prev) {
		return false, nil
	}
	d.any = true
	d.buf, d.prev = d.prev, d.buf
	return true, nil
}

// kept is a source of rows in memory.
type kept struct {
	rows [][]any
	pos  int
}

func (k *kept) next() ([]any, error) {
	if k.pos >= len(k.rows) {
		return nil, io.EOF
	}
	k.pos++
	return k.rows[k.pos-1], nil
}

func (k *kept) close() error {
	k.rows, k.pos = nil, 0
	return nil
}

// keepAll reads a source to its end, and closes it.
func keepAll(src source, m *meter, what string) (_ [][]any, err error) {
	defer func() {
		if cerr := src.close(); err == nil {
			err = cerr
		}
	}()
	var rows [][]any
	for {
		row, err := src.next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		if err := m.add(1, rowSize(row), what); err != nil {
			return nil, err
		}
		rows = append(rows, keep(row))
	}
}

func sortRows(rows [][]any, keys []route.SortKey) {
	if len(keys) > 0 {
		slices.SortStableFunc(rows, func(a, b []any) int { return compareRows(a, b, keys) })
	}
}
