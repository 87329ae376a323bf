package sqlparse

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/vitessdo/vitessdo/sqlast"
)

// dump prints a tree as Name{Field: value, …} without zero fields, and without
// positions unless they are asked for.
func dump(v any, positions bool) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(v), positions)
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value, positions bool) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dumpValue(b, v.Elem(), positions)
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			dumpValue(b, v.Index(i), positions)
		}
		b.WriteByte(']')
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, fmt.Sprintf("%v=%v", k, v.MapIndex(k)))
		}
		sort.Strings(parts)
		b.WriteString("{" + strings.Join(parts, " ") + "}")
	case reflect.Struct:
		dumpStruct(b, v, positions)
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func dumpStruct(b *strings.Builder, v reflect.Value, positions bool) {
	if t, ok := v.Interface().(sqlast.Type); ok {
		dumpType(b, t)
		return
	}
	b.WriteString(v.Type().Name() + "{")
	first := true
	for i := range v.NumField() {
		f, x := v.Type().Field(i), v.Field(i)
		kind := f.Name == "Kind" || f.Name == "Op" || f.Name == "What" && x.Kind() == reflect.Uint8
		if f.Name == "typed" || f.Name == "Pos" && !positions || x.IsZero() && !kind {
			continue
		}
		if !first {
			b.WriteString(" ")
		}
		first = false
		b.WriteString(f.Name + ":")
		dumpValue(b, x, positions)
	}
	b.WriteByte('}')
}

func dumpType(b *strings.Builder, t sqlast.Type) {
	fmt.Fprintf(b, "<%s/%d", t.Name, t.Class)
	if t.Size >= 0 {
		fmt.Fprintf(b, " size=%d", t.Size)
	}
	if t.Scale >= 0 {
		fmt.Fprintf(b, " scale=%d", t.Scale)
	}
	for _, f := range []struct {
		on   bool
		name string
	}{
		{t.Unsigned, "unsigned"},
		{t.Zerofill, "zerofill"},
		{t.NotNull, "notnull"},
		{t.Bool, "bool"},
		{t.NoCase, "nocase"},
		{t.Collation != "", t.Collation},
		{t.Values != nil, fmt.Sprint(t.Values)},
	} {
		if f.on {
			b.WriteString(" " + f.name)
		}
	}
	b.WriteByte('>')
}

// TestGolden parses the statements in testdata/golden and compares the trees.
// go test -rewrite writes them anew; read the difference.
//
//	parse [ansi] [pipes] [nobackslash] [pos]
//	expr
//	split
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/golden", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			o := Options{AnsiQuotes: d.HasArg("ansi"), PipesAsConcat: d.HasArg("pipes"), NoBackslashEscapes: d.HasArg("nobackslash")}
			switch d.Cmd {
			case "parse":
				var out strings.Builder
				for _, text := range strings.Split(d.Input, "\n") {
					out.WriteString(golden(text, o, d.HasArg("pos")) + "\n")
				}
				return out.String()
			case "expr":
				x, err := parseExpr(d.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				return dump(x, false) + "\n"
			case "split":
				parts, err := Split(d.Input, o)
				if err != nil {
					return err.Error() + "\n"
				}
				return fmt.Sprintf("%q\n", parts)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func golden(text string, o Options, positions bool) string {
	st, err := Parse(text, o)
	if err != nil {
		return err.Error()
	}
	s := dump(st.Stmt, positions)
	if st.Params > 0 {
		s += fmt.Sprintf(" params=%d", st.Params)
	}
	if st.ParamNames != nil {
		s += fmt.Sprintf(" names=%q", st.ParamNames)
	}
	return s
}
