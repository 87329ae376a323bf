package vschemadiff

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/vschema"
)

// Parse reads a VSchema file: of all keyspaces, or of one, whose name the file
// doesn't have.
func Parse(data []byte, keyspace string) (*vschema.VSchema, error) {
	var shape map[string]json.RawMessage
	if json.Unmarshal(data, &shape) == nil && shape["keyspaces"] == nil &&
		(shape["tables"] != nil || shape["vindexes"] != nil || shape["sharded"] != nil) {
		return vschema.ParseKeyspace(keyspace, data)
	}
	return vschema.Parse(data)
}

// Finding is something in a VSchema file that is wrong, or doesn't fit the tables.
type Finding struct {
	Line, Column int // from 1; 0 when it is nowhere in the file
	Text         string
}

// Syntax makes a finding of what Parse has found wrong.
func Syntax(data []byte, err error) Finding {
	var e *vschema.Error
	if !errors.As(err, &e) {
		return Finding{Text: err.Error()}
	}
	f := Finding{Line: e.Line, Column: e.Column, Text: e.Reason}
	if e.Path != "" {
		f.Text = e.Path + ": " + e.Reason
	}
	if f.Line == 0 {
		f.Line, f.Column = locate(data, e.Path)
	}
	return f
}

// Columns lists the columns of each table, by keyspace and by table in lower case.
type Columns map[string]map[string][]string

// Check compares a VSchema with the tables that there are: what it says of tables
// or columns that aren't there, of live tables' sharding, and what it leaves out.
func Check(data []byte, file, live *vschema.VSchema, have Columns) []Finding {
	var out []Finding
	add := func(path, format string, args ...any) {
		line, column := locate(data, path)
		out = append(out, Finding{line, column, path + ": " + fmt.Sprintf(format, args...)})
	}
	for _, name := range slices.Sorted(maps.Keys(file.Keyspaces)) {
		k, path := file.Keyspaces[name], "keyspaces."+name
		if have[name] == nil {
			add(path, "there is no such keyspace")
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(k.Tables)) {
			t := k.Tables[key]
			at := path + ".tables." + t.Name
			columns, exists := have[name][key]
			if !exists {
				if t.Type != vschema.TableSequence {
					add(at, "there is no such table yet")
				}
				continue
			}
			for i := range t.ColumnVindexes {
				for _, c := range t.ColumnVindexes[i].Columns {
					if !slices.ContainsFunc(columns, func(x string) bool { return strings.EqualFold(x, c) }) {
						add(at+".column_vindexes", "the table has no column %q; it has %s", c, strings.Join(columns, ", "))
					}
				}
			}
			if l := live.Keyspaces[name]; l != nil && l.Tables[key] != nil && placing(l.Tables[key]) != placing(t) {
				add(at, "the table is sharded by %s, and the file says %s: its rows would have to move", TableText(l.Tables[key]), TableText(t))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(have[name])) {
			if k.Sharded && !k.Auto && k.Tables[key] == nil {
				add(path, "table %s isn't declared", key)
			}
		}
	}
	return out
}

// locate finds where a path leads to in a JSON text: its last name that is there.
func locate(data []byte, path string) (line, column int) {
	d := json.NewDecoder(bytes.NewReader(data))
	best, deepest := int64(-1), 0
	var walk func(at string, depth int) bool
	walk = func(at string, depth int) bool {
		t, err := d.Token()
		if err != nil {
			return false
		}
		open, nested := t.(json.Delim)
		for nested && d.More() {
			here := at
			if open == '{' {
				key, err := d.Token()
				if err != nil {
					return false
				}
				here = strings.TrimPrefix(at+"."+fmt.Sprint(key), ".")
				name := int64(len(fmt.Sprint(key)) + 2)
				if depth+1 > deepest && (here == path || strings.HasPrefix(path, here+".") || strings.HasPrefix(path, here+"[")) {
					best, deepest = d.InputOffset()-name, depth+1
				}
			}
			if !walk(here, depth+1) {
				return false
			}
		}
		if nested {
			_, err = d.Token()
		}
		return err == nil
	}
	walk("", 0)
	if best < 0 || best > int64(len(data)) {
		return 0, 0
	}
	before := data[:best]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
