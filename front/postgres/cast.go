package postgres

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// typeOf reads a type's name: what a column of it is. serial says that it numbers its
// rows.
func (c *conv) typeOf(n node) (t sqlast.Type, serial bool) {
	parts := n.names("names")
	name := parts[len(parts)-1]
	if n.has("arrayBounds") {
		c.refuse(n.at(), "type "+name+"[]", "keep lists as JSONB")
	}
	if n.is("setof") || n.is("pct_type") {
		c.refuse(n.at(), "this type", "")
	}
	var mods []int
	for _, m := range n.list("typmods") {
		mods = append(mods, m.message("ival").num("ival"))
	}
	mod := func(i, otherwise int) int {
		if i < len(mods) {
			return mods[i]
		}
		return otherwise
	}
	plain := func(name string, class sqlast.Class) sqlast.Type {
		t := sqlast.TypeOf(class)
		t.Name = name
		return t
	}
	switch name {
	case "int2", "smallint", "smallserial", "serial2":
		t = plain("SMALLINT", sqlast.ClassInt)
	case "int4", "integer", "int", "serial", "serial4":
		t = plain("INT", sqlast.ClassInt)
	case "int8", "bigint", "bigserial", "serial8":
		t = plain("BIGINT", sqlast.ClassInt)
	case "bool", "boolean":
		t = plain("TINYINT", sqlast.ClassInt)
		t.Size, t.Bool = 1, true
	case "float4", "real":
		t = plain("FLOAT", sqlast.ClassDouble)
	case "float8":
		t = plain("DOUBLE", sqlast.ClassDouble)
	case "numeric", "decimal":
		t = plain("DECIMAL", sqlast.ClassDecimal)
		t.Size, t.Scale = mod(0, -1), mod(1, 0)
		if t.Size > 65 || t.Scale > 30 || t.Scale > t.Size && t.Size >= 0 {
			c.refuse(n.at(), "NUMERIC of more than 65 digits, or 30 behind the point", "")
		}
	case "text", "citext", "name":
		t = plain("TEXT", sqlast.ClassText)
		if t.NoCase = name == "citext"; t.NoCase {
			t.Collation = "utf8mb4_general_ci"
		}
	case "varchar":
		if t = plain("TEXT", sqlast.ClassText); len(mods) > 0 {
			t.Name, t.Size = "VARCHAR", mods[0]
		}
	case "bpchar": // char is bpchar(1) to the parser, N'…' a cast to bpchar of any length
		if t = plain("TEXT", sqlast.ClassText); len(mods) > 0 {
			t.Name, t.Size = "CHAR", mods[0]
		}
	case "char": // of one byte, written in quotes
		t = plain("CHAR", sqlast.ClassText)
		t.Size = 1
	case "uuid":
		t = plain("VARCHAR", sqlast.ClassText)
		t.Size = 36
	case "bytea":
		t = plain("LONGBLOB", sqlast.ClassBlob)
	case "json", "jsonb":
		t = plain("JSON", sqlast.ClassJSON)
	case "date":
		t = plain("DATE", sqlast.ClassDate)
	case "timestamp":
		t = plain("DATETIME", sqlast.ClassDateTime)
		t.Scale = mod(0, 6)
	case "timestamptz":
		t = plain("TIMESTAMP", sqlast.ClassDateTime)
		t.Scale = mod(0, 6)
	case "time":
		t = plain("TIME", sqlast.ClassTime)
		t.Scale = mod(0, 6)
	default:
		c.refuse(n.at(), "type "+name, insteadOfType(name))
	}
	return t, strings.Contains(name, "serial")
}

// insteadOfType says what to use for types that there are none of.
func insteadOfType(name string) string {
	switch name {
	case "interval":
		return "keep seconds or days as a number"
	case "timetz":
		return "use TIMESTAMPTZ"
	case "money":
		return "use NUMERIC(19, 2)"
	case "bit", "varbit":
		return "use BYTEA or a whole number"
	case "hstore", "xml", "point", "box", "polygon", "circle", "line", "lseg", "path", "tsvector", "tsquery":
		return "use TEXT or JSONB"
	case "inet", "cidr", "macaddr", "macaddr8", "regclass", "oid":
		return "use TEXT"
	}
	return "an enumeration can be TEXT with a CHECK"
}

// cast converts CAST(x AS type), x::type and type 'literal'.
func (c *conv) cast(n node) sqlast.Expr {
	typ := n.message("typeName")
	if _, is := c.interval(tree{"TypeCast", n}); is {
		c.refuse(typ.at(), "an interval as a value", "add it to a date or time; keep lengths as numbers")
	}
	arg, at := n.child("arg"), max(n.num("location"), typ.at())
	if typ.has("arrayBounds") && (arg.kind == "A_ArrayExpr" || arg.kind == "A_Const") {
		list := c.arrayOf(tree{"TypeCast", n}, true, "")
		if list.null {
			return front.Null()
		}
		return c.arrayText(list.members)
	}
	to, _ := c.typeOf(typ)
	if arg.kind == "A_Const" && arg.has("sval") {
		return c.castText(arg.message("sval").str("sval"), to, typ, at)
	}
	return c.castExpr(c.expr(arg), to, typ, at)
}

// castExpr is x::type.
func (c *conv) castExpr(x sqlast.Expr, to sqlast.Type, typ node, at int) sqlast.Expr {
	if s, ok := front.StringOf(x); ok {
		return c.castText(s, to, typ, at)
	}
	if l, ok := x.(*sqlast.Lit); ok && l.Kind == sqlast.LitNull {
		return castTo(x, to)
	}
	return c.later(func(a []sqlast.Expr) sqlast.Expr { return c.castTyped(a[0], to, at) }, x)
}

// roundedCast converts round(x::numeric, 2), by which much is rounded since there is no
// round(double precision, int): it says how many digits the NUMERIC has in the end.
func (c *conv) roundedCast(name string, args []tree) (sqlast.Expr, bool) {
	if name != "round" || len(args) != 2 || args[0].kind != "TypeCast" {
		return nil, false
	}
	typ := args[0].message("typeName")
	to, _ := c.typeOf(typ)
	digits := args[1].message("ival")
	if to.Class != sqlast.ClassDecimal || to.Size >= 0 || args[1].kind != "A_Const" || digits == nil || digits.num("ival") > 30 {
		return nil, false
	}
	to.Scale = digits.num("ival")
	to.Size = 35 + to.Scale
	return c.castExpr(c.expr(args[0].child("arg")), to, typ, args[0].at()), true
}

// castText converts a string's literal of a type.
func (c *conv) castText(s string, to sqlast.Type, typ node, at int) sqlast.Expr {
	trimmed := strings.TrimSpace(s)
	switch {
	case to.Bool:
		return c.boolText(s, at)
	case to.Class == sqlast.ClassInt:
		return c.intText(s, at)
	case to.Class == sqlast.ClassDecimal && to.Size < 0:
		return c.numberText(s, at)
	case to.Class == sqlast.ClassDouble:
		x := c.numberText(s, at)
		return front.Cast(x, "DOUBLE", sqlast.ClassDouble, -1, -1)
	case to.Class == sqlast.ClassDecimal:
		return castTo(c.numberText(s, at), to)
	case to.Class == sqlast.ClassDate:
		day, _, _ := strings.Cut(c.momentText(trimmed, false, at), " ")
		return &sqlast.Lit{Kind: sqlast.LitDate, Text: day}
	case to.Class == sqlast.ClassDateTime:
		return front.Cast(front.Text(c.momentText(trimmed, to.Name == "TIMESTAMP", at)), "DATETIME", sqlast.ClassDateTime, -1, to.Scale)
	case to.Class == sqlast.ClassTime:
		return front.Cast(front.Text(trimmed), "TIME", sqlast.ClassTime, -1, to.Scale)
	case to.Class == sqlast.ClassBlob:
		return c.bytes(s, at)
	case to.Class == sqlast.ClassJSON:
		return castTo(front.Text(s), to)
	case to.Size >= 0 && len([]rune(s)) > to.Size:
		return front.Text(string([]rune(s)[:to.Size]))
	}
	if names := typ.names("names"); names[len(names)-1] == "uuid" {
		return front.Text(strings.ToLower(trimmed))
	}
	return front.Text(s)
}

// dateText checks a date's literal, as far as only PostgreSQL's own words are told.
func (c *conv) dateText(s string, at int) string {
	switch strings.ToLower(s) {
	case "now", "today", "yesterday", "tomorrow", "epoch", "infinity", "-infinity", "allballs":
		c.refuse(at, "the date "+strconv.Quote(s), "write NOW(), CURRENT_DATE or a date")
	}
	for _, layout := range dateLayouts {
		if _, err := time.Parse(layout, s); err == nil {
			return strings.Replace(s, "T", " ", 1)
		}
	}
	c.fail(at, "invalid input syntax for a date or time: "+strconv.Quote(s))
	return ""
}

var dateLayouts = []string{"2006-1-2", "2006-1-2 15:04:05", "2006-1-2T15:04:05", "2006-1-2 15:04", "2006-1-2T15:04"}

// bytes reads bytea's two spellings: \x and hexadecimal digits, and \ooo.
func (c *conv) bytes(s string, at int) sqlast.Expr {
	if rest, ok := strings.CutPrefix(s, `\x`); ok {
		b, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		if err != nil {
			c.fail(at, "invalid hexadecimal data for type bytea")
		}
		return &sqlast.Lit{Kind: sqlast.LitBytes, Text: string(b)}
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b.WriteByte(s[i])
		case strings.HasPrefix(s[i:], `\\`):
			b.WriteByte('\\')
			i++
		default:
			n, err := strconv.ParseUint(s[min(i+1, len(s)):min(i+4, len(s))], 8, 8)
			if err != nil || i+3 >= len(s) {
				c.fail(at, "invalid input syntax for type bytea")
			}
			b.WriteByte(byte(n))
			i += 3
		}
	}
	return &sqlast.Lit{Kind: sqlast.LitBytes, Text: b.String()}
}

// castTyped converts a cast of what has a type.
func (c *conv) castTyped(x sqlast.Expr, to sqlast.Type, at int) sqlast.Expr {
	from := x.Type()
	switch {
	case to.Bool:
		return c.toBool(x, at)
	case to.Class == sqlast.ClassText:
		return textOf(c.asText(x), to)
	case to.Class == sqlast.ClassInt && from.Class == sqlast.ClassBlob,
		to.Class.Numeric() && from.Class.Temporal(), to.Class.Temporal() && from.Class.Numeric():
		c.refuse(at, "a cast between these types", "EXTRACT(EPOCH FROM x) and to_timestamp(x) tell times as numbers")
	case to.Class == sqlast.ClassDecimal && to.Size < 0:
		switch from.Class {
		case sqlast.ClassInt:
			return front.Cast(x, "DECIMAL", sqlast.ClassDecimal, 19, 0)
		case sqlast.ClassDecimal:
			return x
		}
		c.refuse(at, "a cast to NUMERIC without digits", "say how many, as NUMERIC(20, 6)")
	case to.Class == sqlast.ClassBlob && from.Class == sqlast.ClassText:
		return castTo(x, to)
	}
	return castTo(x, to)
}

// toBool is x::boolean.
func (c *conv) toBool(x sqlast.Expr, at int) sqlast.Expr {
	switch t := x.Type(); {
	case t.Bool:
		return x
	case t.Class == sqlast.ClassInt || isParam(x):
		return front.Op(sqlast.OpNe, x, front.Int(0))
	case t.Class == sqlast.ClassJSON:
		return front.Op(sqlast.OpEq, front.Cast(x, "CHAR", sqlast.ClassText, -1, -1), front.Text("true"))
	case t.Class == sqlast.ClassText:
		in := &sqlast.In{X: front.Call("LOWER", x)}
		for _, w := range []string{"t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"} {
			in.List = append(in.List, front.Text(w))
		}
		return in
	}
	c.refuse(at, "a cast of this to BOOLEAN", "compare it")
	return nil
}

// asText gives values as PostgreSQL writes them: booleans in words.
func (c *conv) asText(x sqlast.Expr) sqlast.Expr {
	switch t := x.Type(); {
	case t.Bool:
		c.maybeTwice(x)
		return front.When(x, front.Text("true"), front.When(front.Not(sqlast.CloneExpr(x), true), front.Text("false"), nil))
	case t.Class == sqlast.ClassText:
		return x
	case t.Class == sqlast.ClassDateTime && !isParam(x):
		text := shortMoment(x, " ")
		if t.Name == "TIMESTAMP" {
			text = front.Op(sqlast.OpConcat, text, front.Text("+00"))
		}
		return text
	}
	return front.Cast(x, "CHAR", sqlast.ClassText, -1, -1)
}

// shortMoment is a moment as text, with no more digits than it has.
func shortMoment(x sqlast.Expr, between string) sqlast.Expr {
	text := front.Call("DATE_FORMAT", x, front.Text("%Y-%m-%d"+between+"%H:%i:%s.%f"))
	for _, end := range []string{"0", "."} {
		text = front.Call("TRIM", front.Word("TRAILING"), front.Text(end), text)
	}
	return text
}

// asWord is asText as functions of text take a boolean: t or f.
func (c *conv) asWord(x sqlast.Expr) sqlast.Expr {
	if !x.Type().Bool {
		return c.asText(x)
	}
	c.maybeTwice(x)
	return front.When(x, front.Text("t"), front.When(front.Not(sqlast.CloneExpr(x), true), front.Text("f"), nil))
}

// textOf cuts text to a type's length.
func textOf(x sqlast.Expr, to sqlast.Type) sqlast.Expr {
	if to.Size < 0 {
		return x
	}
	return front.Cast(x, "CHAR", sqlast.ClassText, to.Size, -1)
}

// castTo is the cast to a column's type.
func castTo(x sqlast.Expr, to sqlast.Type) sqlast.Expr {
	switch to.Class {
	case sqlast.ClassInt, sqlast.ClassDouble, sqlast.ClassDecimal:
		to.Bool = false
		if to.Class == sqlast.ClassInt && to.Name == "TINYINT" {
			to.Name = "BIGINT"
		}
		if to.Class == sqlast.ClassDecimal && to.Size < 0 {
			to.Size, to.Scale = 19, 0
		}
		return &sqlast.Cast{X: x, To: to, Strict: !to.Keyed()}
	case sqlast.ClassBlob:
		return front.Cast(x, "BINARY", sqlast.ClassBlob, -1, -1)
	case sqlast.ClassText:
		return front.Cast(x, "CHAR", sqlast.ClassText, max(to.Size, -1), -1)
	case sqlast.ClassDateTime:
		return front.Cast(x, "DATETIME", sqlast.ClassDateTime, -1, to.Scale)
	case sqlast.ClassJSON:
		return front.Cast(x, "JSON", sqlast.ClassJSON, -1, -1)
	}
	return front.Cast(x, to.Name, to.Class, -1, to.Scale)
}
