package vschemadiff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/vschema"
)

// Change is a difference between two VSchemas.
type Change struct {
	// Sign is "+" for what only the new one has, "-" for what only the old one has,
	// "~" for what is otherwise.
	Sign     string `json:"sign"`
	Keyspace string `json:"keyspace"`
	// What is "keyspace", "table NAME" or "vindex NAME".
	What string `json:"what"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
	// Table is set where rows of that table would have to move.
	Table string `json:"moves_rows_of,omitempty"`
}

// String writes it on a line.
func (c Change) String() string {
	text := c.Sign + " " + c.Keyspace + ": " + c.What
	switch {
	case c.Sign == "~":
		text += ": " + c.Old + " → " + c.New
	case c.Old+c.New != "":
		text += ": " + c.Old + c.New
	}
	return text
}

// Diff tells what leads from one VSchema to another, by keyspace and name.
func Diff(before, after *vschema.VSchema) []Change {
	var out []Change
	for _, name := range keys(before.Keyspaces, after.Keyspaces) {
		was, is := before.Keyspaces[name], after.Keyspaces[name]
		switch {
		case was == nil:
			out = append(out, Change{Sign: "+", Keyspace: name, What: "keyspace", New: kind(is)})
			was = &vschema.Keyspace{}
		case is == nil:
			out = append(out, Change{Sign: "-", Keyspace: name, What: "keyspace", Old: kind(was)})
			is = &vschema.Keyspace{}
		case kind(was) != kind(is):
			out = append(out, Change{Sign: "~", Keyspace: name, What: "keyspace", Old: kind(was), New: kind(is)})
		}
		out = append(out, diffOf(name, "vindex", was.Vindexes, is.Vindexes, vindexText)...)
		for _, c := range diffOf(name, "table", was.Tables, is.Tables, TableText) {
			if c.Sign == "~" {
				key := strings.ToLower(strings.TrimPrefix(c.What, "table "))
				if placing(was.Tables[key]) != placing(is.Tables[key]) {
					c.Table = was.Tables[key].Name
				}
			}
			out = append(out, c)
		}
	}
	return out
}

func keys[V any](a, b map[string]V) []string {
	both := maps.Clone(a)
	if both == nil {
		both = map[string]V{}
	}
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}

func diffOf[V any](keyspace, what string, before, after map[string]*V, text func(*V) string) []Change {
	var out []Change
	for _, name := range keys(before, after) {
		was, is := before[name], after[name]
		c := Change{Keyspace: keyspace, What: what + " " + name}
		switch {
		case was == nil:
			c.Sign, c.New = "+", text(is)
		case is == nil:
			c.Sign, c.Old = "-", text(was)
		case text(was) != text(is):
			c.Sign, c.Old, c.New = "~", text(was), text(is)
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

func kind(k *vschema.Keyspace) string {
	text := "unsharded"
	if k.Sharded {
		text = "sharded"
	}
	if k.Auto {
		text += ", auto"
	}
	return text
}

func vindexText(d *vschema.VindexDef) string {
	text := d.Type
	for _, k := range slices.Sorted(maps.Keys(d.Params)) {
		text += fmt.Sprintf(" %s=%s", k, d.Params[k])
	}
	if d.Owner != "" {
		text += " owner=" + d.Owner
	}
	return text
}

// TableText says in a few words how a table is sharded: "hash(id), lookup(email)".
func TableText(t *vschema.Table) string {
	if len(t.ColumnVindexes) == 0 {
		text := t.Type.String()
		if text == "" {
			text = "unsharded"
		}
		if t.Source != "" {
			text += " of " + t.Source
		}
		return text
	}
	var list []string
	for i := range t.ColumnVindexes {
		list = append(list, columnVindexText(&t.ColumnVindexes[i]))
	}
	return strings.Join(list, ", ")
}

func columnVindexText(c *vschema.ColumnVindex) string {
	name := c.Name
	if c.Type != "" && c.Type != c.Name {
		name = c.Type
	}
	return name + "(" + strings.Join(c.Columns, ", ") + ")"
}

// placing is what a row's shard hangs on.
func placing(t *vschema.Table) string {
	if len(t.ColumnVindexes) == 0 {
		return fmt.Sprintf("%s %x %s", t.Type, t.Pinned, t.Source)
	}
	c := &t.ColumnVindexes[0]
	text := strings.ToLower(columnVindexText(c))
	for _, k := range slices.Sorted(maps.Keys(c.Params)) {
		text += fmt.Sprintf(" %s=%s", k, c.Params[k])
	}
	return text
}
