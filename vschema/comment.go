package vschema

import (
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// TableSpec is what a table's COMMENT says about its place. Declared is false
// when the comment says nothing; then the rest is the zero value.
type TableSpec struct {
	Declared bool
	Type     TableType
	Vindexes []VindexSpec // the first is the primary one
	Pinned   []byte
	Source   string // as Table.Source
	// UniqueShard: unique keys without the sharding columns are left to each
	// shard alone. It declares no place.
	UniqueShard bool
}

// VindexSpec is one vindex of a comment.
type VindexSpec struct {
	Type    string
	Columns []string
	Params  map[string]string
}

// Table gives the declaration for Change.Declare.
func (s TableSpec) Table(name string) *Table {
	t := &Table{Name: name, Type: s.Type, Pinned: slices.Clone(s.Pinned), Source: s.Source}
	for _, v := range s.Vindexes {
		cv := ColumnVindex{Type: v.Type, Columns: v.Columns, Params: v.Params}
		if owner := v.Params["owner"]; owner != "" && IsLookupType(v.Type) {
			cv.Owner, cv.Params = owner, maps.Clone(v.Params)
			delete(cv.Params, "owner")
		}
		t.ColumnVindexes = append(t.ColumnVindexes, cv)
	}
	return t
}

// ParseComment reads what a table's COMMENT says about sharding: parts
// separated by semicolons, each one of
//
//	vindex=TYPE(column, …) [param=value …]
//	reference, or reference source=KEYSPACE.TABLE
//	sequence, or Vitess's vitess_sequence
//	unsharded
//	pinned=HEX
//	unique=shard
//
// in any case. A value with blanks or semicolons stands in single or double
// quotes. All other parts are the user's and come back as rest, joined by
// "; ". The error is an *Error.
func ParseComment(comment string) (spec TableSpec, rest string, err error) {
	var others []string
	for _, part := range splitOutside(comment, ';') {
		part = strings.TrimSpace(part)
		known, err := spec.read(part)
		if err != nil {
			return TableSpec{}, "", err
		}
		if !known && part != "" {
			others = append(others, part)
		}
	}
	if len(spec.Vindexes) > 0 && IsLookupType(spec.Vindexes[0].Type) {
		return TableSpec{}, "", commentError("vindex=%s can't come first: a lookup vindex does not say where a row lives, put a functional one such as hash before it", spec.Vindexes[0].Type)
	}
	return spec, strings.Join(others, "; "), nil
}

func commentError(format string, args ...any) error {
	return &Error{Path: "comment", Reason: fmt.Sprintf(format, args...)}
}

var (
	copied    = regexp.MustCompile(`(?i)^reference\s+source\s*=\s*(\S+)$`)
	directive = regexp.MustCompile(`^(\w+)\s*=\s*(.*)$`)
	call      = regexp.MustCompile(`(?s)^(\w+)\s*\(([^()]*)\)\s*(.*)$`)
	hexDigits = regexp.MustCompile(`^(?:0[xX])?([0-9a-fA-F]+)$`)
)

// read takes one part of the comment; known is false for the user's own.
func (s *TableSpec) read(part string) (known bool, err error) {
	switch word := strings.ToLower(part); word {
	case "reference":
		return true, s.setType(word, TableReference)
	case "sequence", "vitess_sequence":
		return true, s.setType(word, TableSequence)
	case "unsharded":
		return true, s.setType(word, TableUnsharded)
	}
	if m := copied.FindStringSubmatch(part); m != nil {
		if s.Source != "" {
			return true, commentError("source stands twice")
		}
		s.Source = strings.ReplaceAll(m[1], "`", "")
		return true, s.setType("reference", TableReference)
	}
	m := directive.FindStringSubmatch(part)
	if m == nil {
		return false, nil
	}
	switch key := strings.ToLower(m[1]); {
	case key == "vindex":
		return true, s.readVindex(m[2])
	case key == "pinned":
		return true, s.readPinned(m[2])
	case key == "unique" && strings.EqualFold(strings.TrimSpace(m[2]), "shard"):
		s.UniqueShard = true
		return true, nil
	case vindex.Nearest(key, []string{"vindex"}) != "" && call.MatchString(m[2]):
		return true, commentError("unknown part %q, did you mean vindex=", part)
	case vindex.Nearest(key, []string{"pinned"}) != "" && hexDigits.MatchString(m[2]):
		return true, commentError("unknown part %q, did you mean pinned=", part)
	}
	return false, nil
}

func (s *TableSpec) setType(word string, t TableType) error {
	if s.Declared && (s.Type != t || t == TableSharded) {
		return commentError("%s contradicts what stands before it, a table has one place", word)
	}
	s.Declared, s.Type = true, t
	return nil
}

func (s *TableSpec) readPinned(text string) error {
	m := hexDigits.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || len(m[1])%2 != 0 {
		return commentError("pinned=%s must be a keyspace ID in pairs of hexadecimal digits", text)
	}
	if s.Pinned != nil {
		return commentError("pinned stands twice")
	}
	// A sequence may be pinned too.
	if s.Type != TableSequence {
		if err := s.setType("pinned", TablePinned); err != nil {
			return err
		}
	}
	s.Pinned, _ = hex.DecodeString(m[1])
	return nil
}

func (s *TableSpec) readVindex(text string) error {
	if s.Declared && s.Type != TableSharded {
		return commentError("vindex=%s contradicts %s, a table has one place", text, s.Type)
	}
	m := call.FindStringSubmatch(text)
	if m == nil {
		return commentError("vindex=%s must be vindex=TYPE(column, ...), with parameters behind it", text)
	}
	spec := VindexSpec{Type: strings.ToLower(m[1])}
	if !slices.Contains(VindexTypes(), spec.Type) {
		return commentError("vindex=%s: %s", text, unknownType(m[1]))
	}
	for _, c := range strings.Split(m[2], ",") {
		c = strings.Trim(strings.TrimSpace(c), "`")
		if c == "" {
			return commentError("vindex=%s: a column needs a name", text)
		}
		spec.Columns = append(spec.Columns, c)
	}
	var err error
	if spec.Params, err = ParseParams(m[3]); err != nil {
		return commentError("vindex=%s: %v", text, err)
	}
	if !IsLookupType(spec.Type) {
		if _, err := vindex.New(spec.Type, spec.Type, spec.Params); err != nil {
			return &Error{Path: "comment", Reason: err.Error(), Err: err}
		}
	}
	s.Declared = true
	s.Vindexes = append(s.Vindexes, spec)
	return nil
}

// ParseParams reads a vindex's parameters as a comment has them: param=value, with
// blanks between them. None is nil.
func ParseParams(text string) (map[string]string, error) {
	var out map[string]string
	for _, p := range splitOutside(text, ' ') {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		key, value, ok := strings.Cut(p, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%q must be param=value", p)
		}
		if out == nil {
			out = map[string]string{}
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("parameter %q stands twice", key)
		}
		out[key] = unquote(value)
	}
	return out, nil
}

// CommentWith gives a table's comment in which the vindex that places the rows has the
// parameters, beside those it had. A comment that declares none stays as it is.
func CommentWith(comment string, params map[string]string) string {
	parts := splitOutside(comment, ';')
	for i, part := range parts {
		m := directive.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil || !strings.EqualFold(m[1], "vindex") {
			continue
		}
		c := call.FindStringSubmatch(m[2])
		if c == nil {
			return comment
		}
		had, err := ParseParams(c[3])
		if err != nil {
			return comment
		}
		all := maps.Clone(params)
		for k, v := range had {
			if _, ok := all[k]; !ok {
				all[k] = v
			}
		}
		text := fmt.Sprintf("vindex=%s(%s)", c[1], c[2])
		for _, k := range slices.Sorted(maps.Keys(all)) {
			text += " " + k + "=" + quoteValue(all[k])
		}
		parts[i] = part[:len(part)-len(strings.TrimLeft(part, " "))] + text
		return strings.Join(parts, ";")
	}
	return comment
}

func quoteValue(s string) string {
	switch {
	case !strings.ContainsAny(s, " \t\n\r;'\""):
		return s
	case !strings.Contains(s, `"`):
		return `"` + s + `"`
	}
	return "'" + s + "'"
}

// splitOutside splits at separators outside quotes; ' ' stands for any blank.
// A quote opens only behind "=", so that an apostrophe in prose stays one.
func splitOutside(s string, separator rune) []string {
	var parts []string
	var quote, before rune
	from := 0
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '\'' || c == '"') && before == '=' && strings.ContainsRune(s[i+1:], c):
			quote = c
		case c == separator, separator == ' ' && (c == '\t' || c == '\n' || c == '\r'):
			parts = append(parts, s[from:i])
			from = i + 1
		}
		before = c
	}
	return append(parts, s[from:])
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && strings.IndexByte(s[1:], s[0]) == len(s)-2 {
		return s[1 : len(s)-1]
	}
	return s
}
