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

func (p *printer) pathExpr(e sqlast.Expr, min int) {
	if s, ok := strLit(e); ok {
		p.path(s)
		return
	}
	p.expr(e, min)
}

func (p *printer) jsonGet(x, path sqlast.Expr, op string, min int) {
	b := p.open(precConcat, min)
	p.expr(x, precConcat)
	p.s(op)
	p.pathExpr(path, precConcat+1)
	p.close(b)
}

func (p *printer) jsonExtract(f *sqlast.Func, min int) {
	switch {
	case len(f.Args) == 2:
		p.jsonGet(f.Args[0], f.Args[1], " -> ", min)
	case len(f.Args) > 2:
		p.s("json_extract(")
		p.expr(f.Args[0], 0)
		for _, a := range f.Args[1:] {
			p.s(", ")
			p.pathExpr(a, 0)
		}
		p.c(')')
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
// without its JSON quotes. It returns false where e is no such part.
func (p *printer) jsonAsValue(e sqlast.Expr, min int) bool {
	x, path, ok := jsonParts(e)
	if ok {
		p.jsonGet(x, path, " ->> ", min)
	}
	return ok
}

func (p *printer) jsonUnquote(f *sqlast.Func, min int) {
	if len(f.Args) != 1 {
		p.unsupported("JSON_UNQUOTE", f.Pos, "")
		return
	}
	if !p.jsonAsValue(f.Args[0], min) {
		p.call("json_unquote", f.Args[0])
	}
}

func (p *printer) jsonValue(f *sqlast.Func, min int) {
	if len(f.Args) != 2 {
		p.unsupported("JSON_VALUE with RETURNING or ON clauses", f.Pos, "")
		return
	}
	p.jsonGet(f.Args[0], f.Args[1], " ->> ", min)
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
		p.jsonGet(f.Args[0], f.Args[1], " -> ", 0)
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
	"JSON_OBJECT": true, "JSON_ARRAY": true, "JSON_SET": true, "JSON_INSERT": true, "JSON_REPLACE": true,
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
	p.expr(e, 0)
}

// jsonContains looks at a part of the document if a path is given.
func (p *printer) jsonContains(f *sqlast.Func, _ int) {
	if len(f.Args) != 2 && len(f.Args) != 3 {
		p.unsupported("JSON_CONTAINS", f.Pos, "")
		return
	}
	p.s("json_contains(")
	if len(f.Args) == 3 {
		p.jsonGet(f.Args[0], f.Args[2], " -> ", 0)
	} else {
		p.expr(f.Args[0], 0)
	}
	p.s(", ")
	p.expr(f.Args[1], 0)
	p.c(')')
}

func (p *printer) jsonContainsPath(f *sqlast.Func, min int) {
	var word string
	if len(f.Args) > 2 {
		word, _ = strLit(f.Args[1])
	}
	sep, prec := " OR ", precOr
	switch strings.ToLower(word) {
	case "one":
	case "all":
		sep, prec = " AND ", precAnd
	default:
		p.unsupported("JSON_CONTAINS_PATH without a literal 'one' or 'all'", f.Pos, "")
		return
	}
	b := p.open(prec, min)
	for i, path := range f.Args[2:] {
		if i > 0 {
			p.s(sep)
		}
		p.s("json_type(")
		p.expr(f.Args[0], 0)
		p.s(", ")
		p.pathExpr(path, 0)
		p.s(") IS NOT NULL")
	}
	p.close(b)
}
