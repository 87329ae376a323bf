package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// sameFuncs are functions that mean the same by another name, or the same name.
var sameFuncs = map[string]string{
	"ABS": "ABS", "COALESCE": "COALESCE", "IFNULL": "IFNULL", "NULLIF": "NULLIF", "UPPER": "UPPER", "LOWER": "LOWER", "LENGTH": "CHAR_LENGTH",
	"REPLACE": "REPLACE", "SIGN": "SIGN", "SQRT": "SQRT", "POW": "POW", "POWER": "POW", "EXP": "EXP", "LN": "LN", "LOG": "LOG10", "LOG10": "LOG10", "LOG2": "LOG2",
	"PI": "PI", "SIN": "SIN", "COS": "COS", "TAN": "TAN", "ASIN": "ASIN", "ACOS": "ACOS", "ATAN": "ATAN", "ATAN2": "ATAN2",
	"DEGREES": "DEGREES", "RADIANS": "RADIANS", "CEIL": "CEIL", "CEILING": "CEIL", "FLOOR": "FLOOR", "CONCAT_WS": "CONCAT_WS",
	"LAST_INSERT_ROWID": "LAST_INSERT_ID", "CHANGES": "ROW_COUNT",
	"ROW_NUMBER": "ROW_NUMBER", "RANK": "RANK", "DENSE_RANK": "DENSE_RANK", "PERCENT_RANK": "PERCENT_RANK", "CUME_DIST": "CUME_DIST",
	"NTILE": "NTILE", "LAG": "LAG", "LEAD": "LEAD", "FIRST_VALUE": "FIRST_VALUE", "LAST_VALUE": "LAST_VALUE", "NTH_VALUE": "NTH_VALUE",
}

// natives are SQLite's own functions, with what they give.
var natives = map[string]sqlast.Class{
	"SUBSTR": sqlast.ClassText, "SUBSTRING": sqlast.ClassText, "TRIM": sqlast.ClassText, "LTRIM": sqlast.ClassText, "RTRIM": sqlast.ClassText,
	"INSTR": sqlast.ClassInt, "HEX": sqlast.ClassText, "CHAR": sqlast.ClassText, "UNICODE": sqlast.ClassInt, "QUOTE": sqlast.ClassText, "TYPEOF": sqlast.ClassText,
	"ROUND": sqlast.ClassDouble, "PRINTF": sqlast.ClassText, "FORMAT": sqlast.ClassText, "OCTET_LENGTH": sqlast.ClassInt, "ZEROBLOB": sqlast.ClassBlob,
	"UNIXEPOCH": sqlast.ClassInt, "JULIANDAY": sqlast.ClassDouble, "STRFTIME": sqlast.ClassText, "DATE": sqlast.ClassText, "TIME": sqlast.ClassText, "DATETIME": sqlast.ClassText,
	"JSON": sqlast.ClassJSON, "JSON_EXTRACT": sqlast.ClassUnknown, "JSON_TYPE": sqlast.ClassText, "JSON_VALID": sqlast.ClassInt, "JSON_ARRAY_LENGTH": sqlast.ClassInt,
	"JSON_QUOTE": sqlast.ClassText, "JSON_SET": sqlast.ClassJSON, "JSON_INSERT": sqlast.ClassJSON, "JSON_REPLACE": sqlast.ClassJSON, "JSON_REMOVE": sqlast.ClassJSON,
	"JSON_PATCH": sqlast.ClassJSON, "JSON_ARRAY": sqlast.ClassJSON, "JSON_OBJECT": sqlast.ClassJSON,
}

// dateFuncs take a time as their first argument, or the second of STRFTIME.
var dateFuncs = map[string]int{"UNIXEPOCH": 0, "JULIANDAY": 0, "STRFTIME": 1, "DATE": 0, "TIME": 0, "DATETIME": 0}

var aggregates = map[string]string{
	"COUNT": "COUNT", "SUM": "SUM", "TOTAL": "SUM", "AVG": "AVG", "MIN": "MIN", "MAX": "MAX", "GROUP_CONCAT": "GROUP_CONCAT", "STRING_AGG": "GROUP_CONCAT",
	"JSON_GROUP_ARRAY": "JSON_ARRAYAGG", "JSON_GROUP_OBJECT": "JSON_OBJECTAGG",
}

// call reads a function's call, with FILTER and OVER.
func (p *parser) call() sqlast.Expr {
	t := p.peek()
	name := strings.ToUpper(t.text)
	p.i++
	p.needOp("(")
	a := &sqlast.Agg{Distinct: p.take("DISTINCT")}
	switch {
	case p.takeOp("*"):
		a.Star = true
	case !p.isOp(0, ")"):
		a.Args = p.exprs()
	}
	if p.take("ORDER", "BY") {
		a.OrderBy = p.orderItems()
	}
	p.needOp(")")
	agg, isAgg := aggregates[name]
	if (name == "MIN" || name == "MAX") && len(a.Args) > 1 {
		isAgg = false
	}
	var x sqlast.Expr
	if isAgg {
		x = p.aggregate(a, name, agg, t.start)
	} else {
		if a.Star || a.Distinct || a.OrderBy != nil {
			p.refuse(t.start, "function "+t.text+" with *, DISTINCT or ORDER BY", "")
		}
		x = p.scalar(name, a.Args, t)
	}
	if p.isWord(0, "FILTER") && p.isOp(1, "(") {
		p.i += 2
		p.need("WHERE")
		cond := p.expr()
		p.needOp(")")
		if !isAgg {
			p.refuse(t.start, "FILTER of this", "")
		}
		front.Filter(a, cond, sqlast.CloneExpr) // no aggregate here has two arguments
	}
	if !p.take("OVER") {
		return ofNone(name, x)
	}
	w := &sqlast.Window{Func: x}
	switch x.(type) {
	case *sqlast.Agg, *sqlast.Func:
	default:
		p.refuse(t.start, "OVER behind "+t.text, "")
	}
	if p.isName(0) {
		w.Name = p.name()
	} else {
		w.Spec = p.window()
	}
	return ofNone(name, w)
}

// ofNone gives an aggregate that isn't NULL of no rows the value that it has then.
func ofNone(name string, x sqlast.Expr) sqlast.Expr {
	switch name {
	case "TOTAL":
		return front.Call("COALESCE", x, &sqlast.Lit{Kind: sqlast.LitFloat, Text: "0.0"})
	case "JSON_GROUP_ARRAY":
		return front.Call("COALESCE", x, front.Call("JSON_ARRAY"))
	case "JSON_GROUP_OBJECT":
		return front.Call("COALESCE", x, front.Call("JSON_OBJECT"))
	}
	return x
}

func (p *parser) aggregate(a *sqlast.Agg, name, mysql string, at int) sqlast.Expr {
	a.Name = mysql
	if mysql == "COUNT" && len(a.Args) == 0 {
		a.Star = true
	}
	if !a.Star && len(a.Args) == 0 || a.Star && mysql != "COUNT" {
		p.fail(at, "wrong number of arguments to "+strings.ToLower(name))
	}
	switch {
	case mysql == "GROUP_CONCAT":
		if len(a.Args) == 2 {
			sep, ok := front.StringOf(a.Args[1])
			if !ok {
				p.refuse(at, "a separator that isn't a string", "")
			}
			a.Args, a.Separator = a.Args[:1], &sep
		}
	case mysql != "JSON_ARRAYAGG":
		a.OrderBy = nil
	}
	switch name {
	case "AVG":
		a.Args[0] = double(a.Args[0])
	case "TOTAL":
		a.Args[0] = double(a.Args[0])
	}
	return a
}

// scalar converts a function that is no aggregate.
func (p *parser) scalar(name string, args []sqlast.Expr, t token) sqlast.Expr {
	n := len(args)
	switch {
	case (name == "MIN" || name == "MAX") && n > 1:
		return front.Call(map[string]string{"MIN": "LEAST", "MAX": "GREATEST"}[name], args...)
	case name == "IIF" || name == "IF":
		if n == 3 {
			return front.When(args[0], args[1], args[2])
		}
	case name == "RANDOM" && n == 0:
		bits := front.Op(sqlast.OpMul, front.Call("RAND"), &sqlast.Lit{Kind: sqlast.LitFloat, Text: "9223372036854775807.0"})
		return front.Cast(front.Op(sqlast.OpMul, bits, front.When(front.Op(sqlast.OpLt, front.Call("RAND"), &sqlast.Lit{Kind: sqlast.LitFloat, Text: "0.5"}), front.Int(-1), front.Int(1))),
			"SIGNED", sqlast.ClassInt, -1, -1)
	case (name == "LIKELY" || name == "UNLIKELY") && n == 1:
		return args[0]
	case name == "SQLITE_VERSION" && n == 0:
		return front.Text("3.50.0")
	case name == "LOG" && n == 2:
		return front.Call("LOG", args...)
	case name == "TRUNC" && n == 1:
		return front.Call("TRUNCATE", args[0], front.Int(0))
	case name == "LENGTH" && n == 1:
		return front.Later(func(a []sqlast.Expr) (sqlast.Expr, error) {
			if a[0].Type().Class == sqlast.ClassBlob {
				return front.Call("OCTET_LENGTH", a[0]), nil
			}
			return front.Call("CHAR_LENGTH", a[0]), nil
		}, args[0])
	case name == "GLOB" && n == 2:
		return p.glob(args[1], args[0], false, t.start)
	}
	if class, ok := natives[name]; ok {
		if i, date := dateFuncs[name]; date && n == i {
			args = append(args, front.Text("now"))
		}
		p.dateArgument(name, args, t.start)
		return native(class, strings.ToLower(name), args...)
	}
	if same := sameFuncs[name]; same != "" {
		f := front.Call(same, args...)
		f.Pos = t.start
		return f
	}
	p.refuse(t.start, "function "+strings.ToLower(name)+" with these arguments", "")
	return nil
}

// dateArgument lets 'now', said or not, be the statement's own moment, so that every
// shard has the same.
func (p *parser) dateArgument(name string, args []sqlast.Expr, at int) {
	i, ok := dateFuncs[name]
	if !ok {
		return
	}
	if s, text := front.StringOf(args[i]); text && strings.EqualFold(s, "now") {
		args[i] = front.Call("UTC_TIMESTAMP", front.Int(3))
	}
	for _, a := range args[i+1:] {
		if s, text := front.StringOf(a); !text || strings.EqualFold(s, "localtime") || strings.EqualFold(s, "utc") {
			if text {
				p.refuse(at, "the modifier "+s, "set loc in the data source name")
			}
		}
	}
}

// window reads a window in brackets.
func (p *parser) window() *sqlast.WindowSpec {
	w := &sqlast.WindowSpec{}
	p.needOp("(")
	if p.isName(0) && !p.isWord(0, "PARTITION") && !p.isWord(0, "RANGE") && !p.isWord(0, "ROWS") && !p.isWord(0, "GROUPS") {
		w.Base = p.name()
	}
	if p.take("PARTITION", "BY") {
		w.PartitionBy = p.exprs()
	}
	if p.take("ORDER", "BY") {
		w.OrderBy = p.orderItems()
	}
	for _, unit := range []string{"RANGE", "ROWS", "GROUPS"} {
		if p.take(unit) {
			w.Frame = &sqlast.Frame{Unit: unit}
			if p.take("BETWEEN") {
				w.Frame.Start = p.bound()
				p.need("AND")
				w.Frame.End = p.bound()
			} else {
				w.Frame.Start = p.bound()
			}
			if at := p.peek().start; p.take("EXCLUDE") && !p.take("NO", "OTHERS") {
				p.refuse(at, "EXCLUDE in a window's frame", "")
			}
		}
	}
	p.needOp(")")
	return w
}

func (p *parser) bound() sqlast.FrameBound {
	switch {
	case p.take("CURRENT", "ROW"):
		return sqlast.FrameBound{}
	case p.take("UNBOUNDED", "PRECEDING"):
		return sqlast.FrameBound{Kind: sqlast.BoundUnboundedPreceding}
	case p.take("UNBOUNDED", "FOLLOWING"):
		return sqlast.FrameBound{Kind: sqlast.BoundUnboundedFollowing}
	}
	b := sqlast.FrameBound{X: p.expr(), Kind: sqlast.BoundPreceding}
	if p.take("FOLLOWING") {
		b.Kind = sqlast.BoundFollowing
		return b
	}
	p.need("PRECEDING")
	return b
}
