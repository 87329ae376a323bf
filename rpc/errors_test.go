package rpc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
)

// Every code of package tablet has a SQLSTATE on the wire.
func TestEveryCodeHasState(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../tablet/error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Code" {
			return true
		}
		for _, v := range spec.Values {
			text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes++
			if state := sqlStates[tablet.Code(text)]; len(state) != 5 {
				t.Errorf("code %s has the SQLSTATE %q", text, state)
			}
		}
		return true
	})
	if codes != len(sqlStates) || codes < 30 {
		t.Errorf("%d codes exist, %d have a SQLSTATE", codes, len(sqlStates))
	}
}

// What an error says beside its text gets across too.
func TestErrorIsWhole(t *testing.T) {
	in := &tablet.Error{Code: tablet.CodeUnique, Target: tablet.Target{Keyspace: "k", Shard: "-80"}, Message: "m", Table: "t", Columns: []string{"a", "b"},
		Constraint: "c", Execution: 3, Schema: 4, Topology: 5}
	sent := wireError("id", in)
	data, err := capnweb.Marshal(sent.Props)
	if err != nil {
		t.Fatal(err)
	}
	props, err := capnweb.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	sent.Props = props.(map[string]any)
	out, ok := fromWire(t.Context(), tablet.Target{}, sent).(*tablet.Error)
	if !ok {
		t.Fatal("no error of a tablet came back")
	}
	out.Err = nil
	if got, want := *out, *in; got.Code != want.Code || got.Target != want.Target || got.Table != want.Table || got.Constraint != want.Constraint ||
		len(got.Columns) != 2 || got.Execution != want.Execution || got.Schema != want.Schema || got.Topology != want.Topology {
		t.Errorf("%+v became %+v", want, got)
	}
}
