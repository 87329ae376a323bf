package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// jsonRecords are lines with an object each.
type jsonRecords struct {
	lines csvReader // which is good at lines, too
	blob  Encoding
	table []column
	names map[string]string // from the file's to the table's; empty: they are the same
	sets  map[string][]string
}

func newJSONL(in *input, text Text, table []column, names map[string]string) *jsonRecords {
	return &jsonRecords{lines: csvReader{r: in.Reader}, blob: text.Blob, table: table, names: names, sets: map[string][]string{}}
}

func (j *jsonRecords) skip(place, line int64) error { return j.lines.skip(place, line) }

// next implements records.
func (j *jsonRecords) next() (record, error) {
	for {
		j.lines.raw = j.lines.raw[:0]
		if err := j.lines.take(); err != nil {
			return record{}, err
		}
		if len(bytes.TrimSpace(j.lines.raw)) > 0 {
			break
		}
	}
	r := record{line: j.lines.line, nextLine: j.lines.line, place: j.lines.place, raw: j.lines.raw}
	dec := json.NewDecoder(bytes.NewReader(j.lines.raw))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return r, &lineError{"no JSON object"}
	}
	var names []string
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return r, &lineError{"bad JSON: " + err.Error()}
		}
		key, _ := t.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return r, &lineError{"bad JSON: " + err.Error()}
		}
		if len(j.names) > 0 {
			to, ok := j.names[key]
			if !ok {
				continue
			}
			key = to
		}
		c, err := findColumn(j.table, key)
		if err != nil {
			return r, &lineError{err.Error()}
		}
		if slices.Contains(names, c.name) {
			return r, &lineError{fmt.Sprintf("key %q is there twice", key)}
		}
		v, err := c.fromJSON(value, j.blob)
		if err != nil {
			return r, err
		}
		names, r.values = append(names, c.name), append(r.values, v)
	}
	if _, err := dec.Token(); err != nil {
		return r, &lineError{"bad JSON: " + err.Error()}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return r, &lineError{"there is something behind the object"}
	}
	if len(names) == 0 {
		return r, &lineError{"an object without a key of the table's"}
	}
	r.columns = j.set(names)
	return r, nil
}

// set gives one slice for all records with the same keys in the same order.
func (j *jsonRecords) set(names []string) []string {
	key := strings.Join(names, "\x00")
	if s, ok := j.sets[key]; ok {
		return s
	}
	j.sets[key] = names
	return names
}

// fromJSON makes a value for the column.
func (c *column) fromJSON(raw json.RawMessage, blob Encoding) (any, error) {
	switch {
	case string(raw) == "null" && c.typ != "json", string(raw) == "null":
		return nil, nil
	case c.typ == "json":
		return string(raw), nil
	case raw[0] == '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, &lineError{err.Error()}
		}
		return c.parse(text, blob)
	case string(raw) == "true":
		return int64(1), nil
	case string(raw) == "false":
		return int64(0), nil
	case raw[0] == '{' || raw[0] == '[':
		return string(raw), nil
	}
	if c.blob() {
		return nil, &lineError{fmt.Sprintf("column %s: a BLOB is a string in %s", c.name, blob)}
	}
	return c.parse(string(raw), blob)
}

// parse makes a value of text. What isn't a value of the column's type is left to the
// database to refuse.
func (c *column) parse(text string, blob Encoding) (any, error) {
	switch {
	case c.blob():
		b, err := blob.decode(text)
		if err != nil {
			return nil, &lineError{fmt.Sprintf("column %s: %.40q is not in %s", c.name, text, blob)}
		}
		return b, nil
	case c.integer():
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	case c.float():
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f, nil
		}
	}
	return text, nil
}
