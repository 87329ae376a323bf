package sqlite

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// LATERAL. SQLite's derived tables don't see the tables beside them, but the
// arguments of its table-valued functions do. So a lateral query's rows are packed
// into one value, by an aggregate over a correlated subquery, and unpacked by
// lateral_rows, whose columns are c0, c1, …:
//
//	t JOIN lateral_rows((SELECT pack_rows(a, b) FROM (SELECT … WHERE w.uid = t.id))) AS x
//
// The value is a blob: the number of columns, then the values, each by its kind.

// lateralColumns is how many columns a lateral query may give.
const lateralColumns = 100

// packRows is pack_rows(a, b, …).
type packRows struct{ b []byte }

func (p *packRows) Step(_ sqlite3.Context, arg ...sqlite3.Value) {
	if p.b == nil {
		p.b = binary.AppendUvarint(nil, uint64(len(arg)))
	}
	for _, v := range arg {
		switch v.Type() {
		case sqlite3.INTEGER:
			p.b = binary.AppendVarint(append(p.b, 'i'), v.Int64())
		case sqlite3.FLOAT:
			p.b = binary.LittleEndian.AppendUint64(append(p.b, 'f'), math.Float64bits(v.Float()))
		case sqlite3.TEXT:
			p.bytes('t', v.RawText())
		case sqlite3.BLOB:
			p.bytes('b', v.RawBlob())
		default:
			p.b = append(p.b, 'n')
		}
	}
}

func (p *packRows) bytes(kind byte, v []byte) {
	p.b = append(binary.AppendUvarint(append(p.b, kind), uint64(len(v))), v...)
}

func (p *packRows) Value(ctx sqlite3.Context) { ctx.ResultBlob(p.b) }

// unpack reads what pack_rows has made.
func unpack(b []byte) (width int, vals []any) {
	n, at := binary.Uvarint(b)
	if n == 0 || at <= 0 {
		return 0, nil
	}
	for at < len(b) {
		kind := b[at]
		at++
		switch kind {
		case 'i':
			v, k := binary.Varint(b[at:])
			vals, at = append(vals, v), at+k
		case 'f':
			vals, at = append(vals, math.Float64frombits(binary.LittleEndian.Uint64(b[at:]))), at+8
		case 't', 'b':
			size, k := binary.Uvarint(b[at:])
			v := b[at+k : at+k+int(size)]
			at += k + int(size)
			if kind == 't' {
				vals = append(vals, string(v))
			} else {
				vals = append(vals, v)
			}
		default:
			vals = append(vals, nil)
		}
	}
	return int(n), vals
}

// lateralRows is the table-valued function.
type lateralRows struct{}

func registerLateral(c *sqlite3.Conn) error {
	cols := make([]string, lateralColumns)
	for i := range cols {
		cols[i] = fmt.Sprintf("c%d", i)
	}
	ddl := "CREATE TABLE x(" + strings.Join(cols, ", ") + ", packed HIDDEN)"
	//lint:ignore SA1019 the method that is to replace it needs a later Go
	err := sqlite3.CreateModule(c, "lateral_rows", nil, func(db *sqlite3.Conn, _, _, _ string, _ ...string) (lateralRows, error) {
		return lateralRows{}, db.DeclareVTab(ddl)
	})
	if err != nil {
		return fmt.Errorf("sqlite: registering lateral_rows: %w", err)
	}
	const flags = sqlite3.DETERMINISTIC | sqlite3.INNOCUOUS
	return c.CreateWindowFunction("pack_rows", -1, flags, func() sqlite3.AggregateFunction { return &packRows{} })
}

// BestIndex takes the argument, without which there are no rows.
func (lateralRows) BestIndex(x *sqlite3.IndexInfo) error {
	x.EstimatedCost, x.EstimatedRows = 1e9, 1e6
	for i, c := range x.Constraint {
		if c.Column != lateralColumns || c.Op != sqlite3.INDEX_CONSTRAINT_EQ {
			continue
		}
		if !c.Usable {
			return sqlite3.CONSTRAINT // the tables that it reads must come before
		}
		x.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: 1, Omit: true}
		x.IdxNum, x.EstimatedCost, x.EstimatedRows = 1, 10, 10
	}
	return nil
}

func (lateralRows) Open() (sqlite3.VTabCursor, error) { return &lateralCursor{}, nil }

type lateralCursor struct {
	width, pos int
	vals       []any
}

func (c *lateralCursor) Filter(_ int, _ string, arg ...sqlite3.Value) error {
	c.width, c.vals, c.pos = 0, nil, 0
	if len(arg) == 1 {
		c.width, c.vals = unpack(arg[0].Blob(nil))
	}
	return nil
}

func (c *lateralCursor) Next() error           { c.pos++; return nil }
func (c *lateralCursor) EOF() bool             { return c.pos*c.width >= len(c.vals) }
func (c *lateralCursor) RowID() (int64, error) { return int64(c.pos), nil }

func (c *lateralCursor) Column(ctx sqlite3.Context, n int) error {
	if n >= c.width {
		return nil
	}
	result(ctx, c.vals[c.pos*c.width+n])
	return nil
}

// result gives a value; nil is NULL.
func result(ctx sqlite3.Context, v any) {
	switch v := v.(type) {
	case int64:
		ctx.ResultInt64(v)
	case float64:
		ctx.ResultFloat(v)
	case string:
		ctx.ResultText(v)
	case []byte:
		ctx.ResultBlob(v)
	}
}
