package postgres

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// sameFuncs are functions that mean the same by another name, or the same name.
var sameFuncs = map[string]string{
	"char_length": "CHAR_LENGTH", "character_length": "CHAR_LENGTH", "octet_length": "OCTET_LENGTH", "bit_length": "BIT_LENGTH",
	"lower": "LOWER", "upper": "UPPER", "replace": "REPLACE", "repeat": "REPEAT", "reverse": "REVERSE", "md5": "MD5", "ascii": "ASCII",
	"abs": "ABS", "ceil": "CEIL", "ceiling": "CEIL", "floor": "FLOOR", "sqrt": "SQRT", "power": "POW", "pow": "POW",
	"exp": "EXP", "ln": "LN", "log10": "LOG10", "pi": "PI", "sin": "SIN", "cos": "COS", "tan": "TAN", "asin": "ASIN",
	"acos": "ACOS", "atan": "ATAN", "atan2": "ATAN2", "degrees": "DEGREES", "radians": "RADIANS", "cot": "COT", "round": "ROUND",
	"current_database": "DATABASE", "pg_backend_pid": "CONNECTION_ID", "lastval": "LAST_INSERT_ID",
	"coalesce": "COALESCE", "nullif": "NULLIF", "row_number": "ROW_NUMBER", "rank": "RANK", "dense_rank": "DENSE_RANK",
	"percent_rank": "PERCENT_RANK", "cume_dist": "CUME_DIST", "ntile": "NTILE", "lag": "LAG", "lead": "LEAD",
	"first_value": "FIRST_VALUE", "last_value": "LAST_VALUE", "nth_value": "NTH_VALUE", "gen_random_uuid": "UUID",
	"uuid_generate_v4": "UUID", "pg_sleep": "SLEEP", "concat_ws": "CONCAT_WS",
}

// clocks are the functions that tell the time.
var clocks = map[string]bool{"now": true, "transaction_timestamp": true, "statement_timestamp": true, "clock_timestamp": true}

// insteadOf says what to use for functions that there are none of.
var insteadOf = map[string]string{
	"unnest": "write VALUES, or keep rows in a table", "array_length": "keep lists as JSONB: jsonb_array_length",
	"age": "EXTRACT(EPOCH FROM a - b) gives seconds", "currval": "RETURNING gives the number",
	"setval": "ALTER TABLE t ALTER COLUMN c RESTART WITH n", "percentile_cont": "order by the value and pick a row",
	"percentile_disc": "order by the value and pick a row", "to_tsvector": "there is no full text search", "row_to_json": "jsonb_build_object names the columns",
	"to_jsonb": "jsonb_build_object, or a cast to JSONB", "to_json": "json_build_object, or a cast to JSON", "format": "put text together by ||",
	"string_to_array": "keep lists as JSONB", "justify_interval": "keep lengths as numbers",
}

// call converts a function's call.
func (c *conv) call(n node) sqlast.Expr {
	parts := n.names("funcname")
	name, at := parts[len(parts)-1], n.at()
	if len(parts) > 1 && parts[0] != "pg_catalog" {
		c.refuse(at, "the function "+strings.Join(parts, "."), "there are no stored functions")
	}
	if n.is("func_variadic") || n.is("agg_within_group") {
		c.refuse(at, "VARIADIC and WITHIN GROUP", insteadOf[name])
	}
	for _, a := range n.list("args") {
		if a.kind == "NamedArgExpr" {
			c.refuse(a.at(), "a function's arguments by name", "give them in order")
		}
	}
	if f, ok := aggregates[name]; ok {
		x := c.over(n, c.aggregate(n, f))
		if name == "array_agg" {
			return inBraces(x)
		}
		return x
	}
	if len(n.list("agg_order")) > 0 || n.has("agg_filter") || n.is("agg_distinct") || n.is("agg_star") {
		c.refuse(at, "the aggregate "+name, insteadOf[name])
	}
	if x, ok := c.timeCall(name, n); ok {
		return x
	}
	if x, ok := c.roundedCast(name, n.list("args")); ok {
		return x
	}
	if name == "nextval" {
		if x, ok := c.sequenceCall(n.list("args"), at); ok {
			return x
		}
	}
	args := c.exprs(n.list("args"))
	if x, ok := c.lockCall(name, args, at); ok {
		return x
	}
	x, ok := c.textFunc(name, args, at)
	if !ok {
		x, ok = c.plainFunc(name, args, at)
	}
	if !ok && (strings.HasPrefix(name, "json_") || strings.HasPrefix(name, "jsonb_")) {
		x, ok = c.jsonFunc(name, args, at)
	}
	if !ok {
		c.refuse(at, "function "+name+" with these arguments", insteadOf[name])
	}
	if f, ok := x.(*sqlast.Func); ok && f.Pos < 0 {
		f.Pos = at
	}
	return c.over(n, x)
}

// plainFunc converts functions of numbers, and those that only their name is other of.
func (c *conv) plainFunc(name string, args []sqlast.Expr, at int) (sqlast.Expr, bool) {
	if clocks[name] && len(args) == 0 {
		return front.Call("NOW", front.Int(6)), true
	}
	switch {
	case name == "random" && len(args) == 0:
		return front.Call("RAND"), true
	case name == "trunc" && len(args) == 1:
		return front.Call("TRUNCATE", args[0], front.Int(0)), true
	case name == "trunc" && len(args) == 2:
		return front.Call("TRUNCATE", args...), true
	case name == "log" && len(args) == 1:
		return front.Call("LOG10", args[0]), true
	case name == "log" && len(args) == 2:
		return front.Call("LOG", args...), true
	case name == "div" && len(args) == 2:
		return c.later(func(a []sqlast.Expr) sqlast.Expr { return front.Op(sqlast.OpIntDiv, a[0], divisor(a[1])) }, args...), true
	case name == "mod" && len(args) == 2:
		return c.later(func(a []sqlast.Expr) sqlast.Expr { return front.Op(sqlast.OpMod, a[0], divisor(a[1])) }, args...), true
	case name == "cbrt" && len(args) == 1:
		return front.Call("POW", args[0], front.Op(sqlast.OpDiv, front.Int(1), front.Cast(front.Int(3), "DOUBLE", sqlast.ClassDouble, -1, -1))), true
	case name == "sign" && len(args) == 1: // of floating point, but for NUMERIC's
		return c.later(func(a []sqlast.Expr) sqlast.Expr {
			if a[0].Type().Class == sqlast.ClassDecimal {
				return front.Call("SIGN", a[0])
			}
			return double(front.Call("SIGN", a[0]))
		}, args...), true
	case name == "current_schema" && len(args) == 0:
		return front.Text("public"), true
	case name == "version" && len(args) == 0:
		return front.Text(serverVersion), true
	case name == "to_timestamp" && len(args) == 1:
		return front.Call("FROM_UNIXTIME", args[0]), true
	case name == "pg_typeof":
		return nil, false
	}
	if same := sameFuncs[name]; same != "" {
		return front.Call(same, args...), true
	}
	return nil, false
}

// serverVersion is what version() tells: programs look for PostgreSQL's number in it.
const serverVersion = "PostgreSQL 17.0 (vitessdo)"

// textFunc converts the functions of text that need more than another name.
func (c *conv) textFunc(name string, args []sqlast.Expr, at int) (sqlast.Expr, bool) {
	n := len(args)
	switch {
	case name == "length" && n == 1:
		return c.later(func(a []sqlast.Expr) sqlast.Expr {
			if a[0].Type().Class == sqlast.ClassBlob {
				return front.Call("OCTET_LENGTH", a[0])
			}
			return front.Call("CHAR_LENGTH", a[0])
		}, args[0]), true
	case (name == "substr" || name == "substring") && (n == 2 || n == 3):
		return c.substring(args, at), true
	case name == "strpos" && n == 2:
		return front.Call("LOCATE", args[1], args[0]), true
	case name == "position" && n == 2: // the grammar gives (text, part)
		return front.Call("LOCATE", args[1], args[0]), true
	case name == "left" || name == "right":
		if k, ok := front.IntOf(args[n-1]); n == 2 && ok && k < 0 { // all but so many
			rest := front.Op(sqlast.OpAdd, front.Call("CHAR_LENGTH", c.twice(args[0])), args[1])
			args[1] = front.Call("GREATEST", rest, front.Int(0))
		}
		if n != 2 {
			return nil, false
		}
		return front.Call(strings.ToUpper(name), args...), true
	case name == "lpad" || name == "rpad":
		if n == 2 {
			args = append(args, front.Text(" "))
		}
		return front.Call(strings.ToUpper(name), args...), n == 2 || n == 3
	case name == "btrim" || name == "ltrim" || name == "rtrim":
		return c.trim(name, args, at), n == 1 || n == 2
	case name == "chr" && n == 1:
		return front.Call("CHAR", args[0], front.Word("UTF8MB4")), true
	case name == "concat" && n > 0:
		return c.later(func(a []sqlast.Expr) sqlast.Expr {
			f := front.Call("CONCAT")
			for _, x := range a {
				f.Args = append(f.Args, front.Call("COALESCE", c.asWord(x), front.Text("")))
			}
			return f
		}, args...), true
	case name == "regexp_replace" && (n == 3 || n == 4):
		return c.regexpReplace(args, at), true
	case name == "regexp_like" && (n == 2 || n == 3):
		if n == 2 {
			args = append(args, front.Text("c"))
		}
		return front.Call("REGEXP_LIKE", args...), true
	case name == "starts_with" && n == 2:
		return front.Op(sqlast.OpEq, front.Call("LEFT", args[0], front.Call("CHAR_LENGTH", c.twice(args[1]))), args[1]), true
	case name == "split_part" && n == 3:
		return c.splitPart(args, at), true
	case name == "encode" && n == 2:
		switch f, _ := front.StringOf(args[1]); f {
		case "hex":
			return front.Call("LOWER", front.Call("HEX", args[0])), true
		case "base64":
			return front.Call("TO_BASE64", args[0]), true
		}
	case name == "decode" && n == 2:
		switch f, _ := front.StringOf(args[1]); f {
		case "hex":
			return front.Call("UNHEX", args[0]), true
		case "base64":
			return front.Call("FROM_BASE64", args[0]), true
		}
	case name == "to_hex" && n == 1:
		return front.Call("LOWER", front.Call("HEX", args[0])), true
	}
	return nil, false
}

// substring converts substring(x FROM n FOR m): positions below 1 lie before the text.
func (c *conv) substring(args []sqlast.Expr, at int) sqlast.Expr {
	if _, pattern := front.StringOf(args[1]); pattern {
		c.refuse(at, "substring by a regular expression", "there is regexp_replace")
	}
	if from, ok := front.IntOf(args[1]); !ok || from < 1 {
		if !ok {
			return front.Call("SUBSTRING", args...) // of a position from 1 on
		}
		if len(args) == 2 {
			return args[0]
		}
		if m, ok := front.IntOf(args[2]); ok {
			return front.Call("LEFT", args[0], front.Int(max(m+from-1, 0)))
		}
		c.refuse(at, "substring from before the text", "begin at 1")
	}
	return front.Call("SUBSTRING", args...)
}

// trim converts btrim and its kin: the second argument is a set of characters.
func (c *conv) trim(name string, args []sqlast.Expr, at int) sqlast.Expr {
	side := map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name]
	what := front.Text(" ")
	if len(args) == 2 {
		if s, ok := front.StringOf(args[1]); !ok || len([]rune(s)) != 1 {
			c.refuse(at, "trimming of other than one character", "trim them one after the other")
		}
		what = args[1]
	}
	return front.Call("TRIM", front.Word(side), what, args[0])
}

func (c *conv) regexpReplace(args []sqlast.Expr, at int) sqlast.Expr {
	flags := ""
	if len(args) == 4 {
		var ok bool
		if flags, ok = front.StringOf(args[3]); !ok || strings.Trim(flags, "gi") != "" {
			c.refuse(at, "regexp_replace with flags other than g and i", "")
		}
	}
	with, ok := front.StringOf(args[2])
	if !ok {
		c.refuse(at, "regexp_replace by what isn't a string", "")
	}
	occurrence, match := 1, "c"
	if strings.Contains(flags, "g") {
		occurrence = 0
	}
	if strings.Contains(flags, "i") {
		match = "i"
	}
	var b strings.Builder
	for i := 0; i < len(with); i++ {
		switch {
		case with[i] == '$':
			b.WriteString(`\$`)
		case with[i] == '\\' && i+1 < len(with) && with[i+1] >= '1' && with[i+1] <= '9':
			b.WriteString("$" + with[i+1:i+2])
			i++
		case with[i] == '\\' && i+1 < len(with) && with[i+1] == '&':
			b.WriteString("$0")
			i++
		default:
			b.WriteByte(with[i])
		}
	}
	return front.Call("REGEXP_REPLACE", args[0], args[1], front.Text(b.String()), front.Int(1), front.Int(occurrence), front.Text(match))
}

// splitPart is the field of a number, or ” behind the last.
func (c *conv) splitPart(args []sqlast.Expr, at int) sqlast.Expr {
	k, ok := front.IntOf(args[2])
	if sep, text := front.StringOf(args[1]); !ok || k < 1 || !text || sep == "" {
		c.refuse(at, "split_part by what isn't a string and a number from 1", "")
	}
	upTo := front.Call("SUBSTRING_INDEX", c.twice(args[0]), args[1], front.Int(k))
	field := front.Call("SUBSTRING_INDEX", upTo, c.twice(args[1]), front.Int(-1))
	if k == 1 {
		return field
	}
	before := front.Call("SUBSTRING_INDEX", args[0], c.twice(args[1]), front.Int(k-1))
	return front.When(front.Op(sqlast.OpEq, before, c.twice(args[0])), front.Text(""), field)
}
