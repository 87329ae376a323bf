package sqlparse

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	tidb "github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/format"
)

// TiDB's parser makes literals through process-wide hooks. Ours keep what the
// text said: decimals as digits, x'…' apart from 0x…, COUNT(*) apart from
// COUNT(1) (the grammar makes an int for the star, an int64 for a literal).
func init() {
	ast.NewValueExpr = func(v any, charset, _ string) ast.ValueExpr {
		if x, ok := v.(*value); ok {
			return x
		}
		return &value{v: v, charset: charset, projection: -1}
	}
	ast.NewParamMarkerExpr = func(offset int) ast.ParamMarkerExpr {
		return &param{value: value{projection: -1}, offset: offset}
	}
	ast.NewDecimal = func(s string) (any, error) { return decimal(s), nil }
	ast.NewHexLiteral = func(s string) (any, error) { return hexBytes(s) }
	ast.NewBitLiteral = func(s string) (any, error) { return bitBytes(s) }
}

// decimal is a decimal literal's text; also an integer's that has no 64 bits.
type decimal string

// binary is the value of a hexadecimal or bit literal.
type binary struct {
	bytes string
	// prefixed: written as 0x…, 0b… or b'…', not as x'…'.
	prefixed bool
}

// ToString implements ast.BinaryLiteral.
func (b binary) ToString() string { return b.bytes }

// value is a literal.
type value struct {
	ast.TexprNode
	v          any // nil, bool, int, int64, uint64, float64, string, decimal, binary
	charset    string
	projection int
}

func (n *value) SetValue(v any)             { n.v = v }
func (n *value) GetValue() any              { return n.v }
func (n *value) GetDatumString() string     { return n.GetString() }
func (n *value) GetProjectionOffset() int   { return n.projection }
func (n *value) SetProjectionOffset(at int) { n.projection = at }

// GetString gives a string's or binary's bytes, other values as text.
func (n *value) GetString() string {
	switch v := n.v.(type) {
	case nil:
		return ""
	case string:
		return v
	case binary:
		return v.bytes
	case decimal:
		return string(v)
	}
	return fmt.Sprint(n.v)
}

// Accept implements ast.Node.
func (n *value) Accept(v ast.Visitor) (ast.Node, bool) {
	node, _ := v.Enter(n)
	return v.Leave(node)
}

// Restore implements ast.Node.
func (n *value) Restore(ctx *format.RestoreCtx) error {
	switch v := n.v.(type) {
	case nil:
		ctx.WriteKeyWord("NULL")
	case string:
		ctx.WriteString(v)
	case binary:
		ctx.WritePlain("x'" + hex.EncodeToString([]byte(v.bytes)) + "'")
	case float64:
		ctx.WritePlain(strconv.FormatFloat(v, 'g', -1, 64))
	default:
		ctx.WritePlain(n.GetString())
	}
	return nil
}

// Format implements ast.ExprNode.
func (n *value) Format(w io.Writer) { _, _ = io.WriteString(w, n.GetString()) }

// param is a ?.
type param struct {
	value
	offset int
}

// SetOrder implements ast.ParamMarkerExpr; our order is that of the text.
func (n *param) SetOrder(int) {}

// Restore implements ast.Node.
func (n *param) Restore(ctx *format.RestoreCtx) error { ctx.WritePlain("?"); return nil }

// Accept implements ast.Node.
func (n *param) Accept(v ast.Visitor) (ast.Node, bool) {
	node, _ := v.Enter(n)
	return v.Leave(node)
}

// hexBytes reads x'4142' or 0x4142; only the latter may have an odd number of
// digits.
func hexBytes(s string) (any, error) {
	prefixed := len(s) > 1 && s[0] == '0'
	digits := strings.Trim(s[min(len(s), 1):], "'")
	if prefixed {
		digits = s[2:]
		if len(digits)%2 == 1 {
			digits = "0" + digits
		}
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("malformed hexadecimal literal %s", s)
	}
	return binary{string(b), prefixed}, nil
}

// bitBytes reads b'0101' or 0b0101: big endian, as few bytes as hold the digits.
func bitBytes(s string) (any, error) {
	digits := strings.Trim(s[min(len(s), 1):], "'")
	if len(s) > 1 && s[0] == '0' {
		digits = s[2:]
	}
	out := make([]byte, (len(digits)+7)/8)
	for i := range len(digits) {
		switch d := digits[len(digits)-1-i]; d {
		case '1':
			out[len(out)-1-i/8] |= 1 << (i % 8)
		case '0':
		default:
			return nil, fmt.Errorf("malformed bit literal %s", s)
		}
	}
	return binary{string(out), true}, nil
}

// probe checks once that the hooks are still ours: another package linked into
// the program (TiDB's own drivers do it) may have set them after us.
var probe = sync.OnceValue(func() error {
	taken := errors.New("sqlparse: another package has taken over the literal hooks of github.com/pingcap/tidb/pkg/parser: " +
		"don't link its test_driver or types/parser_driver into this program")
	if _, ok := ast.NewValueExpr("x", "", "").(*value); !ok {
		return taken
	}
	stmt, err := tidb.New().ParseOneStmt("SELECT 1.50", "", "")
	if err != nil {
		return taken
	}
	sel, ok := stmt.(*ast.SelectStmt)
	if !ok || len(sel.Fields.Fields) != 1 {
		return taken
	}
	if v, ok := sel.Fields.Fields[0].Expr.(*value); !ok || v.v != decimal("1.50") {
		return taken
	}
	return nil
})
