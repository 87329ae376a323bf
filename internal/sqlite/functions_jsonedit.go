package sqlite

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"
)

// jsonPathFunctions take MySQL's paths, with what SQLite's lack: wildcards,
// ranges, and values that count as arrays of themselves.
var jsonPathFunctions = []function{
	{"json_extract_of", []int{-1}, strict(jsonExtract)},
	{"json_set_of", []int{-1}, func(c sqlite3.Context, a ...sqlite3.Value) { jsonModify(c, a, true, true) }},
	{"json_insert_of", []int{-1}, func(c sqlite3.Context, a ...sqlite3.Value) { jsonModify(c, a, true, false) }},
	{"json_replace_of", []int{-1}, func(c sqlite3.Context, a ...sqlite3.Value) { jsonModify(c, a, false, true) }},
	{"json_array_append", []int{-1}, jsonArrayAppend},
	{"json_array_insert_of", []int{-1}, jsonArrayInsert},
	{"json_contains_path", []int{-1}, strict(jsonContainsPath)},
	{"json_search", []int{-1}, jsonSearch},
	{"json_bool", []int{1}, jsonBool},
}

var (
	errWildcard   = errors.New("wildcards and ranges may not stand in the path of a change to a JSON document")
	errJSONBlob   = errors.New("a JSON document can't hold bytes")
	errNullMember = errors.New("JSON documents may not contain NULL member names")
)

// pathOf parses the path in argument i, which SQLite keeps as long as it stays
// the same.
func pathOf(ctx sqlite3.Context, arg []sqlite3.Value, i int) (jsonPath, bool) {
	if p, ok := ctx.GetAuxData(i).(jsonPath); ok {
		return p, true
	}
	p, err := parsePath(arg[i].Text())
	if err != nil {
		ctx.ResultError(err)
		return p, false
	}
	ctx.SetAuxData(i, p)
	return p, true
}

// jsonValue is an SQL value as a part of a document.
func jsonValueOf(ctx sqlite3.Context, v sqlite3.Value) (any, bool) {
	switch v.Type() {
	case sqlite3.NULL:
		return nil, true
	case sqlite3.INTEGER:
		return json.Number(strconv.FormatInt(v.Int64(), 10)), true
	case sqlite3.FLOAT:
		return json.Number(strconv.FormatFloat(v.Float(), 'g', -1, 64)), true
	case sqlite3.BLOB:
		ctx.ResultError(errJSONBlob)
		return nil, false
	}
	if v.Subtype() == jsonSubtype {
		return decodeJSON(ctx, v)
	}
	return v.Text(), true
}

// jsonExtract is JSON_EXTRACT(doc, path, …): the value, or an array of them all
// where there may be several.
func jsonExtract(ctx sqlite3.Context, arg ...sqlite3.Value) {
	doc, ok := decodeJSON(ctx, arg[0])
	if !ok {
		return
	}
	many := len(arg) > 2
	var found []any
	for i := 1; i < len(arg); i++ {
		p, ok := pathOf(ctx, arg, i)
		if !ok {
			return
		}
		many = many || p.many
		visit(doc, p.legs, "$", func(v any, _ string) { found = append(found, v) })
	}
	switch {
	case len(found) == 0:
	case many:
		resultJSON(ctx, found)
	default:
		resultJSON(ctx, found[0])
	}
}

// editing runs one change for every pair of path and value behind the document.
func editing(ctx sqlite3.Context, arg []sqlite3.Value, change func(doc any, p jsonPath, v any) any) {
	if len(arg)%2 == 0 {
		ctx.ResultError(errors.New("wrong number of arguments to a JSON function: a path and a value each"))
		return
	}
	for i, a := range arg {
		if a.Type() == sqlite3.NULL && (i == 0 || i%2 == 1) {
			return
		}
	}
	doc, ok := decodeJSON(ctx, arg[0])
	for i := 1; ok && i < len(arg); i += 2 {
		var p jsonPath
		var v any
		if p, ok = pathOf(ctx, arg, i); !ok {
			return
		}
		if p.many {
			ctx.ResultError(errWildcard)
			return
		}
		if v, ok = jsonValueOf(ctx, arg[i+1]); ok {
			doc = change(doc, p, v)
		}
	}
	if ok {
		resultJSON(ctx, doc)
	}
}

func jsonModify(ctx sqlite3.Context, arg []sqlite3.Value, insert, replace bool) {
	editing(ctx, arg, func(doc any, p jsonPath, v any) any {
		return edit(doc, p.legs, func(_ any, exists bool) (any, bool) { return v, exists && replace || !exists && insert })
	})
}

func jsonArrayAppend(ctx sqlite3.Context, arg ...sqlite3.Value) {
	editing(ctx, arg, func(doc any, p jsonPath, v any) any {
		return edit(doc, p.legs, func(old any, exists bool) (any, bool) { return append(asArray(old), v), exists })
	})
}

func jsonArrayInsert(ctx sqlite3.Context, arg ...sqlite3.Value) {
	editing(ctx, arg, func(doc any, p jsonPath, v any) any {
		n := len(p.legs)
		if n == 0 || p.legs[n-1].kind != legIndex {
			ctx.ResultError(errors.New("a path of JSON_ARRAY_INSERT must end with an array's place"))
			return doc
		}
		last := p.legs[n-1]
		return edit(doc, p.legs[:n-1], func(old any, exists bool) (any, bool) {
			array, ok := old.([]any)
			if !ok || !exists {
				return old, exists
			}
			i := min(max(at(last.from, last.fromEnd, len(array)), 0), len(array))
			out := append([]any{}, array[:i]...)
			return append(append(out, v), array[i:]...), true
		})
	})
}

// oneOrAll reads the second argument of the functions that search.
func oneOrAll(ctx sqlite3.Context, v sqlite3.Value) (all, ok bool) {
	switch word := strings.ToLower(v.Text()); word {
	case "one", "all":
		return word == "all", true
	}
	ctx.ResultError(errors.New("the oneOrAll argument of a JSON function must be 'one' or 'all'"))
	return false, false
}

func jsonContainsPath(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if len(arg) < 3 {
		ctx.ResultError(errors.New("wrong number of arguments to function JSON_CONTAINS_PATH"))
		return
	}
	doc, ok := decodeJSON(ctx, arg[0])
	if !ok {
		return
	}
	all, ok := oneOrAll(ctx, arg[1])
	if !ok {
		return
	}
	for i := 2; i < len(arg); i++ {
		p, ok := pathOf(ctx, arg, i)
		if !ok {
			return
		}
		found := false
		visit(doc, p.legs, "$", func(any, string) { found = true })
		if found != all {
			ctx.ResultBool(found)
			return
		}
	}
	ctx.ResultBool(all)
}

// jsonSearch is JSON_SEARCH(doc, one_or_all, pattern[, escape[, path, …]]).
func jsonSearch(ctx sqlite3.Context, arg ...sqlite3.Value) {
	if len(arg) < 3 {
		ctx.ResultError(errors.New("wrong number of arguments to function JSON_SEARCH"))
		return
	}
	for i, a := range arg {
		if i != 3 && a.Type() == sqlite3.NULL {
			return
		}
	}
	doc, ok := decodeJSON(ctx, arg[0])
	if !ok {
		return
	}
	all, ok := oneOrAll(ctx, arg[1])
	if !ok {
		return
	}
	escape := '\\'
	if len(arg) > 3 && arg[3].Type() != sqlite3.NULL && arg[3].Text() != "" {
		escape, _ = utf8.DecodeRuneInString(arg[3].Text())
	}
	paths := []jsonPath{{}}
	for i := 4; i < len(arg); i++ {
		p, ok := pathOf(ctx, arg, i)
		if !ok {
			return
		}
		if i == 4 {
			paths = nil
		}
		paths = append(paths, p)
	}
	resultFound(ctx, searchText(doc, arg[2].Text(), escape, paths), all)
}

func searchText(doc any, pattern string, escape rune, paths []jsonPath) []any {
	var found []any
	seen := map[string]bool{}
	for _, p := range paths {
		visit(doc, p.legs, "$", func(v any, path string) {
			visitBelow(v, nil, path, func(v any, path string) {
				if s, ok := v.(string); ok && !seen[path] && likeMatch(pattern, s, escape) {
					seen[path] = true
					found = append(found, path)
				}
			})
		})
	}
	return found
}

func resultFound(ctx sqlite3.Context, found []any, all bool) {
	switch {
	case len(found) == 0:
	case len(found) == 1 || !all:
		resultJSON(ctx, found[0])
	default:
		resultJSON(ctx, found)
	}
}

// jsonBool makes true, false or null of a condition.
func jsonBool(ctx sqlite3.Context, arg ...sqlite3.Value) {
	switch {
	case arg[0].Type() == sqlite3.NULL:
		resultJSON(ctx, nil)
	default:
		resultJSON(ctx, arg[0].Bool())
	}
}
