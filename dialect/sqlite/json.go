package sqlite

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

func jsonFuncs() map[string]fnPrinter {
	return map[string]fnPrinter{
		"JSON_EXTRACT":       (*printer).jsonExtract,
		"JSON_UNQUOTE":       (*printer).jsonUnquote,
		"JSON_VALUE":         (*printer).jsonValue,
		"JSON_LENGTH":        (*printer).jsonLength,
		"JSON_TYPE":          (*printer).jsonType,
		"JSON_KEYS":          (*printer).jsonKeys,
		"JSON_CONTAINS":      (*printer).jsonContains,
		"JSON_CONTAINS_PATH": (*printer).jsonContainsPath,
		"JSON_MEMBER_OF":     (*printer).memberOf,
		"MEMBER_OF":          (*printer).memberOf,
		"JSON_SET":           (*printer).jsonEdit,
		"JSON_INSERT":        (*printer).jsonEdit,
		"JSON_REPLACE":       (*printer).jsonEdit,
		"JSON_ARRAY_APPEND":  (*printer).jsonEdit,
		"JSON_ARRAY_INSERT":  (*printer).jsonEdit,
		"JSON_SEARCH":        func(p *printer, f *sqlast.Func, _ int) { p.call("json_search", f.Args...) },
		"JSON_MERGE_PATCH":   (*printer).jsonMergePatch,
		"JSON_PRETTY":        (*printer).jsonPretty,
	}
}

// path prints a JSON path, with MySQL's last as SQLite's #-1.
func (p *printer) path(path string) {
	if strings.Contains(path, "*") {
		p.unsupported("the JSON path "+path, -1, "paths with wildcards have no counterpart")
		return
	}
	path = strings.ReplaceAll(path, "[last]", "[#-1]")
	if i := strings.Index(path, "[last-"); i >= 0 {
		if j := strings.IndexByte(path[i:], ']'); j == 7 && path[i+6] >= '0' && path[i+6] <= '8' {
			path = path[:i] + "[#-" + string(path[i+6]+1) + path[i+7:]
		} else {
			p.unsupported("the JSON path "+path, -1, "")
		}
	}
	p.str(path)
}

// jsonGet prints the part of a document at a path, as JSON.
func (p *printer) jsonGet(x, path sqlast.Expr, min int) {
	s, isLit := strLit(path)
	if !isLit || !plainPath(s) {
		p.call("json_extract_of", x, path)
		return
	}
	b := p.open(precConcat, min)
	p.expr(x, precConcat)
	p.s(" -> ")
	p.str(s)
	p.close(b)
}

// plainPath says whether SQLite reads a path as MySQL does. A wildcard, a range
// and last it doesn't know; [0] of what is no array is the value itself in
// MySQL.
func plainPath(s string) bool {
	return strings.HasPrefix(s, "$") && !strings.ContainsAny(s, "* \\") && !strings.Contains(s, "[0]") &&
		!strings.Contains(s, "last") && !strings.Contains(s, "[#")
}

func (p *printer) jsonExtract(f *sqlast.Func, min int) {
	switch {
	case len(f.Args) == 2:
		p.jsonGet(f.Args[0], f.Args[1], min)
	case len(f.Args) > 2:
		p.call("json_extract_of", f.Args...)
	default:
		p.unsupported("JSON_EXTRACT without a path", f.Pos, "")
	}
}

// jsonParts gives document and path of JSON_EXTRACT(x, path) and x -> path.
func jsonParts(e sqlast.Expr) (x, path sqlast.Expr, ok bool) {
	switch e := e.(type) {
	case *sqlast.Func:
		if e.Name == "JSON_EXTRACT" && len(e.Args) == 2 {
			return e.Args[0], e.Args[1], true
		}
	case *sqlast.Binary:
		if e.Op == sqlast.OpJSONGet {
			return e.L, e.R, true
		}
	}
	return nil, nil, false
}

// jsonAsValue prints a part of a document for comparing it with an SQL value:
// without its JSON quotes, and a number as one. It returns false where e is no
// such part.
func (p *printer) jsonAsValue(e sqlast.Expr, min int) bool {
	x, path, ok := jsonParts(e)
	if !ok {
		return false
	}
	s, isLit := strLit(path)
	if !isLit || !plainPath(s) {
		p.s("json_extract(")
		p.jsonGet(x, path, 0)
		p.s(", '$')")
		return true
	}
	b := p.open(precConcat, min)
	p.expr(x, precConcat)
	p.s(" ->> ")
	p.str(s)
	p.close(b)
	return true
}

func (p *printer) jsonUnquote(f *sqlast.Func, _ int) {
	if len(f.Args) != 1 {
		p.unsupported("JSON_UNQUOTE", f.Pos, "")
		return
	}
	p.call("json_unquote", f.Args[0])
}

// jsonValue: JSON's null is SQL's here.
func (p *printer) jsonValue(f *sqlast.Func, _ int) {
	if len(f.Args) != 2 {
		p.unsupported("JSON_VALUE with RETURNING or ON clauses", f.Pos, "")
		return
	}
	p.s("json_unquote(nullif(")
	p.jsonGet(f.Args[0], f.Args[1], 0)
	p.s(", 'null'))")
}

func (p *printer) jsonLength(f *sqlast.Func, _ int) { p.jsonPathCall("json_length", f) }

func (p *printer) jsonKeys(f *sqlast.Func, _ int) { p.jsonPathCall("json_keys", f) }

func (p *printer) jsonPathCall(name string, f *sqlast.Func) {
	if len(f.Args) != 1 && len(f.Args) != 2 {
		p.unsupported(f.Name, f.Pos, "")
		return
	}
	p.s(name)
	p.c('(')
	if len(f.Args) == 2 {
		p.jsonGet(f.Args[0], f.Args[1], 0)
	} else {
		p.expr(f.Args[0], 0)
	}
	p.c(')')
}

func (p *printer) jsonType(f *sqlast.Func, _ int) {
	if len(f.Args) != 1 {
		p.unsupported("JSON_TYPE", f.Pos, "")
		return
	}
	// MySQL's words for SQLite's types: TRUE and FALSE are BOOLEAN there, REAL is DOUBLE.
	p.s("CASE json_type(")
	p.expr(f.Args[0], 0)
	p.s(") WHEN 'true' THEN 'BOOLEAN' WHEN 'false' THEN 'BOOLEAN' WHEN 'text' THEN 'STRING' WHEN 'real' THEN 'DOUBLE' ELSE upper(json_type(")
	p.expr(f.Args[0], 0)
	p.s(")) END")
}

func (p *printer) memberOf(f *sqlast.Func, _ int) {
	if len(f.Args) != 2 {
		p.unsupported("MEMBER OF", f.Pos, "")
		return
	}
	p.binary(&sqlast.Binary{Op: sqlast.OpMember, L: f.Args[0], R: f.Args[1]}, 0)
}

// jsonArgs are the functions that build documents of their arguments' values.
var jsonArgs = map[string]bool{
	"JSON_OBJECT": true, "JSON_ARRAY": true,
}

// jsonArg prints a value that becomes part of a document: JSON text must be
// marked as such, and SQLite has no boolean of its own.
func (p *printer) jsonArg(e sqlast.Expr) {
	switch x := e.(type) {
	case *sqlast.Lit:
		switch x.Kind {
		case sqlast.LitTrue:
			p.s("json('true')")
			return
		case sqlast.LitFalse:
			p.s("json('false')")
			return
		}
	case *sqlast.Col, *sqlast.Param, *sqlast.Subquery:
		if class(e) == sqlast.ClassJSON {
			p.call("json", e)
			return
		}
	}
	if l, ok := e.(*sqlast.Lit); ok && l.Kind == sqlast.LitDecimal {
		p.s("json(")
		p.str(jsonNumber(l.Text))
		p.c(')')
		return
	}
	if _, _, ok := digits(e).Digits(); ok && class(e) == sqlast.ClassDecimal {
		p.s("json(") // with all digits of its scale
		p.decimalText(e)
		p.c(')')
		return
	}
	if isCondition(e) {
		p.call("json_bool", e)
		return
	}
	p.expr(e, 0)
}

// jsonNumber spells a decimal literal, such as .50, as JSON has it.
func jsonNumber(text string) string {
	if text = strings.TrimSuffix(text, "."); strings.HasPrefix(text, ".") {
		return "0" + text
	}
	return text
}

// label prints a key of a JSON object, which SQLite wants as text.
func (p *printer) label(e sqlast.Expr) {
	if c := class(e); c.Numeric() || c == sqlast.ClassUnknown {
		p.concat([]sqlast.Expr{e}, 0)
		return
	}
	p.expr(e, 0)
}

// isCondition says whether e's value is a truth value by its form, which is one
// in a JSON document too.
func isCondition(e sqlast.Expr) bool {
	switch e := e.(type) {
	case *sqlast.Binary:
		return e.Op.Comparison() || e.Op == sqlast.OpAnd || e.Op == sqlast.OpOr || e.Op == sqlast.OpXor ||
			e.Op == sqlast.OpRegexp || e.Op == sqlast.OpMember
	case *sqlast.Unary:
		return e.Op == sqlast.OpNot
	case *sqlast.Is, *sqlast.In, *sqlast.Between, *sqlast.Like:
		return true
	case *sqlast.Subquery:
		return e.Kind != sqlast.SubScalar
	}
	return false
}

// jsonContains looks at a part of the document if a path is given.
func (p *printer) jsonContains(f *sqlast.Func, _ int) {
	if len(f.Args) != 2 && len(f.Args) != 3 {
		p.unsupported("JSON_CONTAINS", f.Pos, "")
		return
	}
	p.s("json_contains(")
	if len(f.Args) == 3 {
		p.jsonGet(f.Args[0], f.Args[2], 0)
	} else {
		p.expr(f.Args[0], 0)
	}
	p.s(", ")
	p.expr(f.Args[1], 0)
	p.c(')')
}

func (p *printer) jsonContainsPath(f *sqlast.Func, _ int) {
	p.call("json_contains_path", f.Args...)
}

// jsonEdit prints the functions that take a document and pairs of path and
// value. SQLite's own create what is missing on the way, and nothing behind an
// array's end.
func (p *printer) jsonEdit(f *sqlast.Func, _ int) {
	name := map[string]string{"JSON_SET": "json_set_of(", "JSON_INSERT": "json_insert_of(", "JSON_REPLACE": "json_replace_of(",
		"JSON_ARRAY_APPEND": "json_array_append(", "JSON_ARRAY_INSERT": "json_array_insert_of("}[f.Name]
	p.s(name)
	for i, a := range f.Args {
		if i > 0 {
			p.s(", ")
		}
		if i > 0 && i%2 == 0 {
			p.jsonArg(a)
		} else {
			p.expr(a, 0)
		}
	}
	p.c(')')
}

// jsonMergePatch: SQLite's takes two documents.
func (p *printer) jsonMergePatch(f *sqlast.Func, _ int) {
	if len(f.Args) < 2 {
		p.unsupported("JSON_MERGE_PATCH of one document", f.Pos, "")
		return
	}
	for range f.Args[1:] {
		p.s("json_patch(")
	}
	p.expr(f.Args[0], 0)
	for _, a := range f.Args[1:] {
		p.s(", ")
		p.expr(a, 0)
		p.c(')')
	}
}

func (p *printer) jsonPretty(f *sqlast.Func, _ int) {
	if len(f.Args) != 1 {
		p.unsupported("JSON_PRETTY", f.Pos, "")
		return
	}
	p.s("json_pretty(")
	p.expr(f.Args[0], 0)
	p.s(", '  ')")
}

// memberOfArray prints x MEMBER OF (array).
func (p *printer) memberOfArray(x, array sqlast.Expr) {
	p.s("CASE WHEN ")
	p.expr(x, precBit)
	p.s(" IS NULL OR ")
	p.expr(array, precBit)
	p.s(" IS NULL THEN NULL ELSE EXISTS (SELECT 1 FROM json_each(")
	p.expr(array, 0)
	p.s(") WHERE value = ")
	p.expr(x, precBit)
	p.s(") END")
}
