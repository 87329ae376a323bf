package sqlite

import (
	"errors"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/internal/fit"
)

// What a shard computes for a column goes through these, which bring it into what
// the column keeps or fail with MySQL's error. The last argument is the column's
// name.
var storeFunctions = []function{
	{"store_int", []int{4}, store("integer", func(v any, arg []sqlite3.Value) (any, fit.Fault) {
		return fit.Int(v, arg[0].Int64(), arg[1].Int64())
	})},
	{"store_decimal", []int{5}, store("decimal", func(v any, arg []sqlite3.Value) (any, fit.Fault) {
		return fit.Decimal(v, int(arg[0].Int64()), int(arg[1].Int64()), arg[2].Bool())
	})},
	{"store_key", []int{5}, store("decimal", func(v any, arg []sqlite3.Value) (any, fit.Fault) {
		return fit.Key(v, int(arg[0].Int64()), int(arg[1].Int64()), arg[2].Bool())
	})},
	{"store_double", []int{3}, store("DOUBLE", func(v any, arg []sqlite3.Value) (any, fit.Fault) {
		return fit.Double(v, arg[0].Bool())
	})},
	{"store_text", []int{3}, store("string", storeText(fit.Text))},
	{"store_char", []int{3}, store("string", storeText(fit.Char))},
	{"store_blob", []int{3}, store("string", storeBlob(fit.Bytes))},
	{"store_binary", []int{3}, store("string", storeBlob(fit.Binary))},
	{"not_null", []int{2}, notNull},
	{"one_row", []int{1}, oneRow},
	{"check_option", []int{3}, checkOption},
	{"divisor", []int{1}, divisor},
	{"store_year", []int{2}, store("integer", func(v any, _ []sqlite3.Value) (any, fit.Fault) { return fit.Year(v) })},
}

const manyRows = "subquery returns more than 1 row"

// oneRow fails for a scalar subquery with more rows than one.
func oneRow(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Int64() > 1 {
		ctx.ResultError(errors.New(manyRows))
		return
	}
	ctx.ResultBool(true)
}

const checkFailed = "CHECK OPTION failed "

// checkOption is check_option(cond, x, view): x, where the condition of the view
// holds, that its rows are written through.
func checkOption(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL || arg[0].Float() == 0 {
		ctx.ResultError(errors.New(checkFailed + "'" + arg[2].Text() + "'"))
		return
	}
	ctx.ResultValue(arg[1])
}

const byZero = "division by zero"

// divisor is what something is divided by, and fails for 0.
func divisor(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if t := arg[0].Type(); (t == sqlite3.INTEGER || t == sqlite3.FLOAT) && arg[0].Float() == 0 {
		ctx.ResultError(errors.New(byZero))
		return
	}
	ctx.ResultValue(arg[0])
}

const (
	nullBefore = "Column '"
	nullAfter  = "' cannot be null"
)

// notNull refuses NULL for a column that SQLite would give a value of its own.
func notNull(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		ctx.ResultError(errors.New(nullBefore + arg[1].Text() + nullAfter))
		return
	}
	ctx.ResultValue(arg[0])
}

// store makes a function of what fits a value into a column; NULL stays NULL.
func store(kind string, fn func(v any, arg []sqlite3.Value) (any, fit.Fault)) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		v := plain(arg[0])
		if v == nil {
			return
		}
		out, fault := fn(v, arg[1:])
		if fault != fit.None {
			ctx.ResultError(fault.Error(kind, v, arg[len(arg)-1].Text()))
			return
		}
		switch out := out.(type) {
		case int64:
			ctx.ResultInt64(out)
		case float64:
			ctx.ResultFloat(out)
		case string:
			ctx.ResultText(out)
		case []byte:
			if len(out) == 0 {
				ctx.ResultZeroBlob(0) // nil would be NULL
				return
			}
			ctx.ResultBlob(out)
		default:
			ctx.ResultValue(arg[0])
		}
	}
}

// storeText fits text; what fits goes back as it came.
func storeText(fits func(s string, n int) (string, fit.Fault)) func(v any, arg []sqlite3.Value) (any, fit.Fault) {
	return func(v any, arg []sqlite3.Value) (any, fit.Fault) {
		n := int(arg[0].Int64())
		text := ""
		switch v := v.(type) {
		case string:
			text = v
		case []byte:
			text = string(v)
		case int64:
			text = strconv.FormatInt(v, 10)
		case float64:
			text = fit.DoubleText(v)
			return fits(text, n)
		}
		s, fault := fits(text, n)
		if len(s) == len(text) {
			return nil, fault
		}
		return s, fault
	}
}

// storeBlob fits bytes, and makes bytes of anything else's text: SQLite takes text
// and bytes for different.
func storeBlob(fits func(b []byte, n int) ([]byte, fit.Fault)) func(v any, arg []sqlite3.Value) (any, fit.Fault) {
	return func(v any, arg []sqlite3.Value) (any, fit.Fault) {
		out, fault := fits(fit.AsBytes(v), int(arg[0].Int64()))
		if b, ok := v.([]byte); ok && len(b) == len(out) {
			return nil, fault // it stays as it is
		}
		return out, fault
	}
}

// plain copies a value.
func plain(v sqlite3.Value) any {
	switch v.Type() {
	case sqlite3.INTEGER:
		return v.Int64()
	case sqlite3.FLOAT:
		return v.Float()
	case sqlite3.TEXT:
		return v.Text()
	case sqlite3.BLOB:
		return v.Blob(nil)
	}
	return nil
}
