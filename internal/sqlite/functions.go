package sqlite

import (
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// function is a scalar SQL function of ours. With it stands how many arguments
// it takes (several, where it has optional ones).
type function struct {
	name string
	args []int
	fn   sqlite3.ScalarFunction
}

// RegisterFunctions adds to c the SQL functions that dialect/sqlite prints and
// SQLite lacks, or has with another meaning. All are deterministic. The tables
// are shared between connections; registering them is most of what it costs.
func RegisterFunctions(c *sqlite3.Conn) error {
	const flags = sqlite3.DETERMINISTIC | sqlite3.INNOCUOUS
	for _, table := range [...][]function{textFunctions, numberFunctions, decimalFunctions, storeFunctions, dateFunctions, timeFunctions, netFunctions,
		byteFunctions, regexpFunctions, datePartFunctions, keyFunctions} {
		if err := register(c, table, flags); err != nil {
			return err
		}
	}
	for _, table := range [...][]function{jsonFunctions, jsonPathFunctions} {
		if err := register(c, table, flags|sqlite3.SUBTYPE|sqlite3.RESULT_SUBTYPE); err != nil {
			return err
		}
	}
	if err := registerLateral(c); err != nil {
		return err
	}
	if err := registerJSONTable(c); err != nil {
		return err
	}
	for i := range aggregates {
		a := &aggregates[i]
		if err := c.CreateWindowFunction(a.name, a.args, flags|sqlite3.SUBTYPE|sqlite3.RESULT_SUBTYPE, a.make); err != nil {
			return fmt.Errorf("sqlite: registering aggregate %s: %w", a.name, err)
		}
	}
	return nil
}

func register(c *sqlite3.Conn, table []function, flags sqlite3.FunctionFlag) error {
	for i := range table {
		f := &table[i]
		for _, n := range f.args {
			if err := c.CreateFunction(f.name, n, flags, f.fn); err != nil {
				return fmt.Errorf("sqlite: registering function %s: %w", f.name, err)
			}
		}
	}
	return nil
}

// strict makes a function whose result is NULL if any argument is.
func strict(fn sqlite3.ScalarFunction) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, arg ...sqlite3.Value) {
		for _, a := range arg {
			if a.Type() == sqlite3.NULL {
				return
			}
		}
		fn(ctx, arg...)
	}
}

// optInt gives argument i, or def if there are fewer.
func optInt(arg []sqlite3.Value, i int, def int64) int64 {
	if i < len(arg) {
		return arg[i].Int64()
	}
	return def
}
