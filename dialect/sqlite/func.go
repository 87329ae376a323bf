package sqlite

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// sameArgs maps MySQL's functions that differ from SQLite's (or ours) in
// nothing but perhaps their name.
var sameArgs = map[string]string{
	"ABS": "abs", "ACOS": "acos", "ASIN": "asin", "ATAN2": "atan2", "COS": "cos",
	"SIN": "sin", "TAN": "tan", "DEGREES": "degrees", "RADIANS": "radians", "EXP": "exp",
	"SIGN": "sign", "SQRT": "sqrt",
	"POW": "pow", "POWER": "pow", "PI": "pi", "LN": "ln", "LOG2": "log2", "LOG10": "log10",
	"LENGTH": "octet_length", "OCTET_LENGTH": "octet_length", "CHAR_LENGTH": "length",
	"CHARACTER_LENGTH": "length", "UPPER": "upper", "UCASE": "upper", "LOWER": "lower", "LCASE": "lower",
	"LTRIM": "ltrim", "RTRIM": "rtrim", "REPLACE": "replace", "CONCAT_WS": "concat_ws", "QUOTE": "quote_text", "ASCII": "ascii_code", "ORD": "ord_code", "MAKE_SET": "make_set", "EXPORT_SET": "export_set",
	"LPAD": "lpad", "RPAD": "rpad", "REVERSE": "reverse", "REPEAT": "repeat", "SPACE": "space",
	"SUBSTRING_INDEX": "substring_index", "SOUNDEX": "soundex",
	"MD5": "md5", "SHA1": "sha1", "SHA": "sha1", "SHA2": "sha2", "CRC32": "crc32",
	"TO_BASE64": "to_base64", "FROM_BASE64": "from_base64", "CONV": "conv", "BIN": "bin", "OCT": "oct",
	"BIT_LENGTH": "bit_length", "INET_ATON": "inet_aton", "INET_NTOA": "inet_ntoa",
	"INET6_ATON": "inet6_aton", "INET6_NTOA": "inet6_ntoa",
	"IS_IPV4": "is_ipv4", "IS_IPV6": "is_ipv6", "IS_UUID": "is_uuid",
	"_DIVISOR":       "divisor",
	"IS_IPV4_COMPAT": "is_ipv4_compat", "IS_IPV4_MAPPED": "is_ipv4_mapped",
	"UUID_TO_BIN": "uuid_to_bin", "BIN_TO_UUID": "bin_to_uuid", "INSERT": "insert_str",
	"UNHEX":     "unhex_of",
	"MONTHNAME": "monthname", "DAYNAME": "dayname", "WEEK": "week", "WEEKOFYEAR": "weekofyear",
	"YEARWEEK": "yearweek", "STR_TO_DATE": "str_to_date", "SEC_TO_TIME": "sec_to_time",
	"TIME_TO_SEC": "time_to_sec", "MAKETIME": "maketime", "_TIME_KEY": "time_key", "_TIME_OF_KEY": "time_of_key", "_JSON_KEY": "json_key",
	"_ENUM_KEY": "enum_key", "_SET_KEY": "set_key", "MAKEDATE": "makedate", "ADDTIME": "addtime", "SUBTIME": "subtime",
	"TIMEDIFF": "timediff_sql", "PERIOD_ADD": "period_add", "PERIOD_DIFF": "period_diff",
	"FROM_DAYS": "from_days", "TO_SECONDS": "to_seconds", "TIME_FORMAT": "time_format",
	"CONVERT_TZ": "convert_tz", "MICROSECOND": "microsecond",
	"JSON_VALID": "json_valid", "JSON_OBJECT": "json_object", "JSON_ARRAY": "json_array",
	"JSON_SET": "json_set", "JSON_INSERT": "json_insert", "JSON_REPLACE": "json_replace",
	"JSON_REMOVE": "json_remove", "JSON_MERGE_PATCH": "json_patch",
	"JSON_OVERLAPS": "json_overlaps", "JSON_MERGE_PRESERVE": "json_merge_preserve", "JSON_MERGE": "json_merge_preserve",
	"JSON_DEPTH": "json_depth", "JSON_PRETTY": "json_pretty", "JSON_QUOTE": "json_quote",
	"JSON_STORAGE_SIZE": "octet_length",
	"ROW_NUMBER":        "row_number", "RANK": "rank", "DENSE_RANK": "dense_rank", "PERCENT_RANK": "percent_rank",
	"CUME_DIST": "cume_dist", "NTILE": "ntile", "LAG": "lag", "LEAD": "lead",
	"FIRST_VALUE": "first_value", "LAST_VALUE": "last_value", "NTH_VALUE": "nth_value",
}

// jsonPathArgs are the functions whose arguments are paths from the second on.
var jsonPathArgs = map[string]bool{
	"JSON_SET": true, "JSON_INSERT": true, "JSON_REPLACE": true, "JSON_REMOVE": true,
}

// exactFuncs are ours for the functions of a DECIMAL of many digits.
var exactFuncs = map[string]string{"CEIL": "dec_ceil(", "CEILING": "dec_ceil(", "FLOOR": "dec_floor(", "SIGN": "dec_sign("}

// textArgs says which arguments of the functions in sameArgs are text, a bit for
// each.
var textArgs = map[string]int{
	"LENGTH": 1, "OCTET_LENGTH": 1, "CHAR_LENGTH": 1, "CHARACTER_LENGTH": 1, "BIT_LENGTH": 1, "UPPER": 1, "UCASE": 1,
	"LOWER": 1, "LCASE": 1, "LTRIM": 1, "RTRIM": 1, "REPLACE": everyArg, "CONCAT_WS": everyArg, "QUOTE": 1, "ASCII": 1,
	"ORD": 1, "MAKE_SET": everyArg &^ 1, "EXPORT_SET": 0b1110, "LPAD": 0b101, "RPAD": 0b101, "REVERSE": 1, "REPEAT": 1,
	"SUBSTRING_INDEX": 0b11, "SOUNDEX": 1, "MD5": 1, "SHA1": 1, "SHA": 1, "SHA2": 1, "CRC32": 1, "TO_BASE64": 1,
	"INSERT": 0b1001,
}

const everyArg = ^0

type fnPrinter func(p *printer, f *sqlast.Func, min int)

var special map[string]fnPrinter

func init() {
	special = map[string]fnPrinter{
		"COT": func(p *printer, f *sqlast.Func, min int) {
			b := p.open(precMul, min)
			p.s("1.0 / ")
			p.call("tan", f.Args...)
			p.close(b)
		},
		"CONCAT": func(p *printer, f *sqlast.Func, min int) { p.concat(f.Args, min) },
		"ISNULL": (*printer).isnull, "GREATEST": (*printer).extreme, "LEAST": (*printer).extreme,
		"CEIL": (*printer).ceil, "CEILING": (*printer).ceil, "FLOOR": (*printer).ceil,
		"ROUND": (*printer).round, "TRUNCATE": (*printer).truncate,
		"LOG": (*printer).log, "MOD": (*printer).modFn, "RAND": (*printer).rand, "UUID": (*printer).uuid,
		"ANY_VALUE": func(p *printer, f *sqlast.Func, min int) { p.expr(f.Args[0], min) },
		"GROUPING":  (*printer).grouping, "DEFAULT": (*printer).defaultFn,
		"CONVERT": (*printer).convert, "BINARY": (*printer).convert, "VALUES": (*printer).valuesFn,
	}
	for _, family := range [...]map[string]fnPrinter{textFuncs(), conditionFuncs(), bitFuncs(), dateFuncs(), jsonFuncs()} {
		for name, f := range family {
			special[name] = f
		}
	}
}

// arity says how many arguments a specially printed function takes.
var arity = map[string][2]int{
	"CONCAT": {1, 1 << 20}, "LEFT": {2, 2}, "RIGHT": {2, 2}, "SUBSTRING": {2, 3}, "SUBSTR": {2, 3}, "MID": {3, 3},
	"LOCATE": {2, 3}, "POSITION": {2, 2}, "INSTR": {2, 2}, "TRIM": {1, 3}, "FIELD": {2, 1 << 20}, "ELT": {2, 1 << 20},
	"HEX": {1, 1}, "ASCII": {1, 1}, "ORD": {1, 1}, "STRCMP": {2, 2}, "ISNULL": {1, 1},
	"GREATEST": {2, 1 << 20}, "LEAST": {2, 1 << 20}, "INTERVAL": {2, 1 << 20}, "ROUND": {1, 2}, "TRUNCATE": {2, 2},
	"LOG": {1, 2}, "MOD": {2, 2}, "ANY_VALUE": {1, 1}, "GROUPING": {1, 1}, "CONVERT": {1, 2}, "CHAR": {1, 1 << 20},
	"CHAR_FUNC": {1, 1 << 20}, "DEFAULT": {1, 1}, "VALUES": {1, 1}, "BINARY": {1, 1}, "REGEXP_LIKE": {2, 3}, "REGEXP_REPLACE": {3, 6}, "REGEXP_SUBSTR": {2, 5}, "REGEXP_INSTR": {2, 6},
	"FIND_IN_SET": {2, 2}, "FORMAT": {2, 3}, "NULLIF": {2, 2}, "IF": {3, 3}, "COALESCE": {1, 1 << 20}, "IFNULL": {2, 2}, "ATAN": {1, 2}, "CEIL": {1, 1}, "CEILING": {1, 1}, "FLOOR": {1, 1}, "BIT_COUNT": {1, 1},
}

func (p *printer) fn(f *sqlast.Func, min int) {
	if class(f) == sqlast.ClassDouble && !p.approx {
		p.approximately(func() { p.fn(f, min) })
		return
	}
	if name := exactFuncs[f.Name]; name != "" && len(f.Args) == 1 && (keyed(f.Args[0]) || unrounded(f.Args[0])) && !p.approx {
		p.s(name)
		p.exactArg(f.Args[0])
		p.c(')')
		return
	}
	if sp, ok := special[f.Name]; ok {
		n := len(f.Args)
		if a, ok := arity[f.Name]; ok && (n < a[0] || n > a[1]) {
			p.unsupported("function "+f.Name+" with this number of arguments", f.Pos, "")
			return
		}
		sp(p, f, min)
		return
	}
	if own, ok := strings.CutPrefix(f.Name, nativePrefix); ok {
		p.native(strings.ToLower(own), f.Args, min)
		return
	}
	name, ok := sameArgs[f.Name]
	if !ok {
		p.unsupported("function "+f.Name, f.Pos, "")
		return
	}
	p.s(name)
	p.c('(')
	for i, a := range f.Args {
		if i > 0 {
			p.s(", ")
		}
		if path, isLit := strLit(a); isLit && i > 0 && jsonPathArgs[f.Name] && strings.HasPrefix(path, "$") {
			p.path(path)
			continue
		}
		switch {
		case f.Name == "JSON_OBJECT" && i%2 == 0:
			p.label(a)
		case jsonArgs[f.Name]:
			p.jsonArg(a)
		case textArgs[f.Name]>>i&1 != 0:
			p.textArg(a, 0)
		default:
			p.bytesArg(a, 0)
		}
	}
	p.c(')')
}

// nativePrefix begins the names of SQLite's own functions, which mean what they mean
// there: a front end for its language calls them.
const nativePrefix = "_SQLITE_"

// native prints a function or operator of SQLite's own.
func (p *printer) native(name string, args []sqlast.Expr, min int) {
	if arrow := map[string]string{"json_arrow": " -> ", "json_arrow2": " ->> "}[name]; arrow != "" {
		b := p.open(precConcat, min)
		p.bytesArg(args[0], precConcat)
		p.s(arrow)
		p.bytesArg(args[1], precCollate)
		p.close(b)
		return
	}
	p.s(name)
	p.c('(')
	for i, a := range args {
		if i > 0 {
			p.s(", ")
		}
		p.bytesArg(a, 0)
	}
	p.c(')')
}

// call prints name(args…).
func (p *printer) call(name string, args ...sqlast.Expr) {
	p.s(name)
	p.c('(')
	p.exprs(args)
	p.c(')')
}

// trim prints TRIM(side, what, from).
func (p *printer) trim(f *sqlast.Func, _ int) {
	name, args := "trim", f.Args
	var rest []sqlast.Expr
	for _, a := range args {
		if k, ok := a.(*sqlast.Keyword); ok {
			switch strings.ToUpper(k.Word) {
			case "LEADING":
				name = "ltrim"
			case "TRAILING":
				name = "rtrim"
			}
			continue
		}
		if a != nil {
			rest = append(rest, a)
		}
	}
	if len(rest) == 0 || len(rest) > 2 {
		p.unsupported("TRIM", f.Pos, "")
		return
	}
	if len(rest) == 2 {
		// SQLite's second argument is a set of characters, MySQL's a word.
		if s, ok := strLit(rest[0]); !ok || len(s) != 1 {
			name += "_word"
		}
		rest[0], rest[1] = rest[1], rest[0]
	}
	p.callText(name, rest...)
}

func (p *printer) isnull(f *sqlast.Func, min int) {
	b := p.open(precEq, min)
	p.anyForm(f.Args[0], precBit)
	p.s(" IS NULL")
	p.close(b)
}

func (p *printer) extreme(f *sqlast.Func, _ int) {
	name := "max("
	if f.Name == "LEAST" {
		name = "min("
	}
	p.s(name)
	for i, a := range f.Args {
		if i > 0 {
			p.s(", ")
		}
		if i > 0 || keyed(a) {
			p.expr(a, 0)
		} else {
			p.collated(a, 0)
		}
	}
	p.c(')')
}

// ceil prints CEIL and FLOOR, which give a DECIMAL's whole number.
func (p *printer) ceil(f *sqlast.Func, _ int) {
	name := "ceil"
	if f.Name == "FLOOR" {
		name = "floor"
	}
	if class(f.Args[0]) != sqlast.ClassDecimal {
		p.call(name, f.Args[0])
		return
	}
	p.s("CAST(")
	p.call(name, f.Args[0])
	p.s(" AS INTEGER)")
}

// round: SQLite's ROUND gives a REAL always, and takes no negative digits.
func (p *printer) round(f *sqlast.Func, min int) {
	if (keyed(f.Args[0]) || unrounded(f.Args[0])) && !p.approx {
		p.cut("dec_", f)
		return
	}
	digits := int64(0)
	if len(f.Args) == 2 {
		n, ok := intLit(f.Args[1])
		if !ok {
			p.call("round_digits", f.Args...)
			return
		}
		digits = n
	}
	if class(f.Args[0]) == sqlast.ClassDouble {
		p.s("round_even(")
		p.expr(f.Args[0], 0)
		p.s(", ")
		p.buf = strconv.AppendInt(p.buf, digits, 10)
		p.c(')')
		return
	}
	exact := class(f.Args[0]) == sqlast.ClassInt || class(f.Args[0]) == sqlast.ClassDecimal
	switch {
	case digits < 0, digits > 0 && class(f.Args[0]) == sqlast.ClassDecimal:
		// A DECIMAL is exact in MySQL: 1.005 rounds to 1.01, as its text does, not
		// the REAL that SQLite keeps it in.
		p.call("round_digits", f.Args...)
	case digits == 0 && exact:
		p.s("CAST(round(")
		p.expr(f.Args[0], 0)
		p.s(") AS INTEGER)")
	case digits == 0:
		p.s("round(")
		p.expr(f.Args[0], 0)
		p.c(')')
	default:
		p.call("round", f.Args...)
	}
}

func (p *printer) truncate(f *sqlast.Func, _ int) {
	if (keyed(f.Args[0]) || unrounded(f.Args[0])) && !p.approx {
		p.cut("dec_", f)
		return
	}
	if n, ok := intLit(f.Args[1]); ok && n == 0 && class(f.Args[0]) != sqlast.ClassDouble {
		p.s("CAST(")
		p.expr(f.Args[0], 0)
		p.s(" AS INTEGER)")
		return
	}
	p.call("truncate_digits", f.Args...)
}

// log: LOG(x) is natural in MySQL, base 10 in SQLite.
func (p *printer) log(f *sqlast.Func, _ int) {
	if len(f.Args) == 1 {
		p.call("ln", f.Args[0])
		return
	}
	p.call("log", f.Args...)
}

func (p *printer) modFn(f *sqlast.Func, min int) { p.mod(f.Args[0], f.Args[1], min) }

const randText = "((random() & 9007199254740991) / 9007199254740992.0)"

func (p *printer) rand(f *sqlast.Func, _ int) {
	if len(f.Args) > 0 {
		p.unsupported("RAND(seed)", f.Pos, "its sequence is MySQL's own")
		return
	}
	p.s(randText)
}

const uuidText = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || " +
	"substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"

func (p *printer) uuid(*sqlast.Func, int) { p.s(uuidText) }

// grouping: the planner has replaced every one that a ROLLUP gives a meaning.
func (p *printer) grouping(f *sqlast.Func, _ int) {
	p.unsupported("GROUPING of what GROUP BY … WITH ROLLUP doesn't have", f.Pos, "")
}

func (p *printer) defaultFn(f *sqlast.Func, _ int) {
	c, ok := f.Args[0].(*sqlast.Col)
	if !ok {
		p.unsupported("DEFAULT() of an expression", f.Pos, "")
		return
	}
	p.defaultOf(c)
}

func (p *printer) valuesFn(f *sqlast.Func, _ int) {
	c, ok := f.Args[0].(*sqlast.Col)
	if !ok {
		p.unsupported("VALUES() of an expression", f.Pos, "")
		return
	}
	p.expr(&sqlast.Values{Name: c.Name, Def: c.Def}, 0)
}

// convert is CONVERT(x USING charset): all text is UTF-8.
func (p *printer) convert(f *sqlast.Func, min int) { p.expr(f.Args[0], min) }
