package vschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// node is a JSON value that remembers where it stood.
type node struct {
	kind    byte // one of { [ " 0 t n
	text    string
	truth   bool
	members []member
	items   []*node
	at      place
}

type member struct {
	name  string
	value *node
}

// place is a position in the text, both from 1.
type place struct{ line, column int }

func placeOf(data []byte, offset int64) place {
	before := data[:min(max(offset, 0), int64(len(data)))]
	return place{1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')}
}

func (n *node) errorf(path, format string, args ...any) error {
	return &Error{Path: path, Reason: fmt.Sprintf(format, args...), Line: n.at.line, Column: n.at.column}
}

func (n *node) describe() string {
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "the string " + quote(n.text)
	case '0':
		return "the number " + n.text
	case 't':
		return strconv.FormatBool(n.truth)
	}
	return "null"
}

// readTree parses text, refusing what isn't JSON.
func readTree(data []byte) (*node, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		offset := int64(len(data))
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			offset = syntax.Offset - 1 // the offset counts the faulty byte
			if offset >= int64(len(data))-1 && strings.HasPrefix(err.Error(), "unexpected end") {
				offset = int64(len(data))
			}
		}
		at := placeOf(data, offset)
		return nil, &Error{Reason: "no valid JSON: " + err.Error(), Line: at.line, Column: at.column}
	}
	t := treeReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	t.dec.UseNumber()
	return t.value("", 0)
}

type treeReader struct {
	data []byte
	dec  *json.Decoder
}

// maxDepth is far above what the format nests.
const maxDepth = 32

func (t *treeReader) value(path string, depth int) (*node, error) {
	token, err := t.dec.Token()
	if err != nil {
		return nil, errorAt(path, "%v", err)
	}
	n := &node{kind: 'n', at: placeOf(t.data, t.dec.InputOffset()-1)}
	if depth > maxDepth {
		return nil, n.errorf(path, "nested too deep")
	}
	switch v := token.(type) {
	case string:
		n.kind, n.text = '"', v
	case json.Number:
		n.kind, n.text = '0', v.String()
	case bool:
		n.kind, n.truth = 't', v
	case json.Delim:
		n.kind = byte(v)
		for i := 0; t.dec.More(); i++ {
			if err := t.child(n, path, i, depth); err != nil {
				return nil, err
			}
		}
		_, err = t.dec.Token() // the closing bracket
	}
	return n, err
}

func (t *treeReader) child(n *node, path string, i, depth int) error {
	if n.kind == '[' {
		v, err := t.value(indexed(path, i), depth+1)
		n.items = append(n.items, v)
		return err
	}
	token, err := t.dec.Token()
	if err != nil {
		return errorAt(path, "%v", err)
	}
	name, _ := token.(string)
	path = join(path, name)
	v, err := t.value(path, depth+1)
	if err != nil {
		return err
	}
	for _, m := range n.members {
		if m.name == name {
			return v.errorf(path, "stands twice")
		}
	}
	n.members = append(n.members, member{name, v})
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func quote(s string) string { return strconv.Quote(s) }

// field reads one member of an object into its place.
type field struct {
	name string // in snake_case; lowerCamelCase is taken too
	read func(n *node, path string) error
}

// object reads an object whose members are known. null leaves a field unset,
// as in protobuf's JSON.
func object(n *node, path string, fields ...field) error {
	if n.kind != '{' {
		return n.errorf(path, "want an object, found %s", n.describe())
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		at := join(path, m.name)
		f := findField(fields, m.name)
		if f == nil {
			return m.value.errorf(at, "unknown field%s", didYouMean(m.name, fields))
		}
		if seen[f.name] {
			return m.value.errorf(at, "stands twice, in two spellings")
		}
		seen[f.name] = true
		if m.value.kind == 'n' {
			continue
		}
		if err := f.read(m.value, at); err != nil {
			return err
		}
	}
	return nil
}

func findField(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name || camel(fields[i].name) == name {
			return &fields[i]
		}
	}
	return nil
}

func didYouMean(name string, fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	if near := vindex.Nearest(name, names); near != "" {
		return ", did you mean " + near
	}
	return ", known are " + strings.Join(names, ", ")
}

func camel(snake string) string {
	parts := strings.Split(snake, "_")
	for i := 1; i < len(parts); i++ {
		if p := parts[i]; p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

func boolField(name string, dst *bool) field {
	return field{name, func(n *node, path string) error {
		if n.kind != 't' {
			return n.errorf(path, "want true or false, found %s", n.describe())
		}
		*dst = n.truth
		return nil
	}}
}

func stringField(name string, dst *string) field {
	return field{name, func(n *node, path string) (err error) {
		*dst, err = stringValue(n, path)
		return err
	}}
}

func stringValue(n *node, path string) (string, error) {
	if n.kind != '"' {
		return "", n.errorf(path, "want a string, found %s", n.describe())
	}
	return n.text, nil
}

func intField(name string, dst *int) field {
	return field{name, func(n *node, path string) error {
		v, err := strconv.ParseInt(n.text, 10, 32)
		if err != nil || n.kind != '0' && n.kind != '"' {
			return n.errorf(path, "want an integer, found %s", n.describe())
		}
		*dst = int(v)
		return nil
	}}
}

func listField(name string, each func(n *node, path string) error) field {
	return field{name, func(n *node, path string) error {
		if n.kind != '[' {
			return n.errorf(path, "want a list, found %s", n.describe())
		}
		for i, item := range n.items {
			if err := each(item, indexed(path, i)); err != nil {
				return err
			}
		}
		return nil
	}}
}

func stringsField(name string, dst *[]string) field {
	return listField(name, func(n *node, path string) error {
		s, err := stringValue(n, path)
		*dst = append(*dst, s)
		return err
	})
}

func mapField(name string, each func(key string, n *node, path string) error) field {
	return field{name, func(n *node, path string) error {
		if n.kind != '{' {
			return n.errorf(path, "want an object, found %s", n.describe())
		}
		for _, m := range n.members {
			if err := each(m.name, m.value, join(path, m.name)); err != nil {
				return err
			}
		}
		return nil
	}}
}

// emptyField accepts a field of Vitess that has no meaning here, as long as it
// says nothing.
func emptyField(name, reason string) field {
	return field{name, func(n *node, path string) error {
		if len(n.items) > 0 || n.text != "" || n.truth {
			return n.errorf(path, "%s", reason)
		}
		for _, m := range n.members {
			if len(m.value.items) > 0 || len(m.value.members) > 0 {
				return n.errorf(path, "%s", reason)
			}
		}
		return nil
	}}
}
