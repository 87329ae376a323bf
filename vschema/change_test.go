package vschema

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const small = `{"keyspaces": {
  "ks": {"sharded": true,
    "vindexes": {"hash": {"type": "hash"}, "spare": {"type": "xxhash"}},
    "tables": {"t": {"column_vindexes": [{"column": "id", "name": "hash"}]}}},
  "un": {"tables": {"seq": {"type": "sequence"}, "plain": {}}}}}`

func TestApply(t *testing.T) {
	lookupParams := map[string]string{"table": "mail", "from": "email", "to": "keyspace_id"}
	for _, tt := range []struct {
		name     string
		keyspace string
		changes  []Change
		check    func(v *VSchema) bool
		err      string // of the last change
	}{
		{"create vindex", "ks", []Change{{Op: CreateVindex, Vindex: "v", Type: "xxhash"}},
			func(v *VSchema) bool {
				d := v.Keyspaces["ks"].Vindexes["v"]
				return d.Type == "xxhash" && d.Vindex != nil
			}, ""},
		{"create vindex twice", "ks", []Change{{Op: CreateVindex, Vindex: "hash", Type: "hash"}}, nil, "keyspaces.ks.vindexes.hash: vindex exists already"},
		{"create vindex of no type", "ks", []Change{{Op: CreateVindex, Vindex: "v", Type: "xxhsh"}}, nil, `did you mean "xxhash"`},
		{"create vindex, unsharded", "un", []Change{{Op: CreateVindex, Vindex: "v", Type: "hash"}}, nil, "not sharded"},
		{"drop vindex", "ks", []Change{{Op: DropVindex, Vindex: "spare"}},
			func(v *VSchema) bool { return v.Keyspaces["ks"].Vindexes["spare"] == nil }, ""},
		{"drop vindex in use", "ks", []Change{{Op: DropVindex, Vindex: "hash"}}, nil, "table t uses the vindex"},
		{"drop no vindex", "ks", []Change{{Op: DropVindex, Vindex: "spair"}}, nil, "no such vindex, did you mean spare"},
		{"add table", "un", []Change{{Op: AddTable, Table: "New"}},
			func(v *VSchema) bool { return v.Keyspaces["un"].Table("new").Type == TableUnsharded }, ""},
		{"add table twice", "un", []Change{{Op: AddTable, Table: "PLAIN"}}, nil, "table exists already"},
		{"add table, sharded", "ks", []Change{{Op: AddTable, Table: "n"}}, nil, "needs a vindex"},
		{"drop table", "ks", []Change{{Op: DropTable, Table: "T"}},
			func(v *VSchema) bool { return v.Keyspaces["ks"].Table("t") == nil }, ""},
		{"drop no table", "un", []Change{{Op: DropTable, Table: "plane"}}, nil, "no such table, did you mean plain"},
		{"add vindex, new table", "ks", []Change{{Op: AddColumnVindex, Table: "n", Vindex: "hash", Columns: []string{"a"}}},
			func(v *VSchema) bool { return v.Keyspaces["ks"].Table("n").Primary().Columns[0] == "a" }, ""},
		{"add vindex, new definition", "ks", []Change{{Op: AddColumnVindex, Table: "t", Vindex: "mail", Type: "lookup_unique", Owner: "t", Params: lookupParams, Columns: []string{"email"}}},
			func(v *VSchema) bool {
				cvs := v.Keyspaces["ks"].Table("t").ColumnVindexes
				return len(cvs) == 2 && cvs[1].OwnedBy("t") && reflect.DeepEqual(cvs[1].Params, lookupParams)
			}, ""},
		{"add vindex, same definition", "ks", []Change{{Op: AddColumnVindex, Table: "n", Vindex: "hash", Type: "hash", Columns: []string{"a"}}},
			func(v *VSchema) bool { return v.Keyspaces["ks"].Table("n") != nil }, ""},
		{"add vindex, other definition", "ks", []Change{{Op: AddColumnVindex, Table: "n", Vindex: "hash", Type: "xxhash", Columns: []string{"a"}}}, nil, "another type"},
		{"add vindex, no definition", "ks", []Change{{Op: AddColumnVindex, Table: "n", Vindex: "hsh", Columns: []string{"a"}}}, nil, "did you mean hash, name its type with USING"},
		{"add vindex twice", "ks", []Change{{Op: AddColumnVindex, Table: "t", Vindex: "hash", Columns: []string{"b"}}}, nil, "has vindex \"hash\" already"},
		{"add lookup first", "ks", []Change{{Op: AddColumnVindex, Table: "n", Vindex: "lk", Type: "lookup", Columns: []string{"b"}}}, nil, "can't be the primary vindex"},
		{"add vindex, unsharded", "un", []Change{{Op: AddColumnVindex, Table: "n", Vindex: "v", Type: "hash", Columns: []string{"b"}}}, nil, "not sharded"},
		{"drop last vindex", "ks", []Change{{Op: DropColumnVindex, Table: "t", Vindex: "hash"}},
			func(v *VSchema) bool { return v.Keyspaces["ks"].Table("t") == nil }, ""},
		{"drop missing vindex", "ks", []Change{{Op: DropColumnVindex, Table: "t", Vindex: "spare"}}, nil, "has no vindex \"spare\""},
		{"add sequence", "un", []Change{{Op: AddSequence, Table: "s2"}},
			func(v *VSchema) bool { return v.Keyspaces["un"].Table("s2").Type == TableSequence }, ""},
		{"add sequence, sharded", "ks", []Change{{Op: AddSequence, Table: "sq"}},
			func(v *VSchema) bool { return string(v.Keyspaces["ks"].Table("sq").Pinned) == "\x00" }, ""},
		{"add sequence, pinned", "ks", []Change{{Op: AddSequence, Table: "s2", Pinned: []byte{0}}},
			func(v *VSchema) bool { return len(v.Keyspaces["ks"].Table("s2").Pinned) == 1 }, ""},
		{"drop sequence", "un", []Change{{Op: DropSequence, Table: "seq"}},
			func(v *VSchema) bool { return v.Keyspaces["un"].Table("seq") == nil }, ""},
		{"drop no sequence", "un", []Change{{Op: DropSequence, Table: "plain"}}, nil, "is no sequence"},
		{"add auto_increment", "ks", []Change{{Op: AddAutoIncrement, Table: "t", Column: "id", Sequence: "un.seq"}},
			func(v *VSchema) bool {
				return *v.Keyspaces["ks"].Table("t").AutoIncrement == AutoIncrement{"id", "un.seq"}
			}, ""},
		{"add auto_increment twice", "ks", []Change{{Op: AddAutoIncrement, Table: "t", Column: "id"}, {Op: AddAutoIncrement, Table: "t", Column: "id"}}, nil, "on id already"},
		{"add auto_increment, no sequence", "ks", []Change{{Op: AddAutoIncrement, Table: "t", Column: "id", Sequence: "sq"}}, nil, `"sq" does not exist`},
		{"add auto_increment, no sequence table", "ks", []Change{{Op: AddAutoIncrement, Table: "t", Column: "id", Sequence: "plain"}}, nil, "is no sequence"},
		{"drop auto_increment", "ks", []Change{{Op: AddAutoIncrement, Table: "t", Column: "id"}, {Op: DropAutoIncrement, Table: "t"}},
			func(v *VSchema) bool { return v.Keyspaces["ks"].Table("t").AutoIncrement == nil }, ""},
		{"drop no auto_increment", "ks", []Change{{Op: DropAutoIncrement, Table: "t"}}, nil, "has no auto_increment"},
		{"rename", "ks", []Change{
			{Op: AddColumnVindex, Table: "t", Vindex: "mail", Type: "lookup", Owner: "t", Columns: []string{"email"}},
			{Op: RenameTable, Table: "T", NewName: "People"}},
			func(v *VSchema) bool {
				p := v.Keyspaces["ks"].Table("people")
				return p.Name == "People" && v.Keyspaces["ks"].Table("t") == nil && p.ColumnVindexes[1].OwnedBy("people")
			}, ""},
		{"rename onto another", "un", []Change{{Op: RenameTable, Table: "seq", NewName: "PLAIN"}}, nil, "table exists already"},
		{"rename in case", "ks", []Change{{Op: RenameTable, Table: "t", NewName: "T"}},
			func(v *VSchema) bool { return v.Keyspaces["ks"].Table("t").Name == "T" }, ""},
		{"unknown keyspace", "kss", []Change{{Op: DropTable, Table: "t"}}, nil, "keyspaces.kss: unknown keyspace, did you mean ks"},
		{"unknown change", "ks", []Change{{}}, nil, "unknown change 0"},
		{"declare nothing", "ks", []Change{{Op: SetTable}}, nil, "no table"},
	} {
		v := mustParse(t, small)
		var err error
		for _, c := range tt.changes {
			before := string(v.Marshal())
			var next *VSchema
			next, err = v.Apply(tt.keyspace, c)
			if string(v.Marshal()) != before {
				t.Errorf("%s: Apply changed its receiver", tt.name)
			}
			if err == nil {
				v = next
			}
		}
		if tt.err != "" {
			if e := (*Error)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		if err != nil || !tt.check(v) {
			t.Errorf("%s: %v\n%s", tt.name, err, v.Marshal())
			continue
		}
		if again, err := Parse(v.Marshal()); err != nil || !again.Equal(v) {
			t.Errorf("%s: read again: %v", tt.name, err)
		}
	}
}

func TestDropSequenceInUse(t *testing.T) {
	v := mustParse(t, small)
	v, err := v.Apply("ks", Change{Op: AddAutoIncrement, Table: "t", Column: "id", Sequence: "seq"})
	if err != nil {
		t.Fatal(err)
	}
	// Also when the sequence was copied by changes in between.
	if v, err = v.Apply("un", Change{Op: AddTable, Table: "more"}); err != nil {
		t.Fatal(err)
	}
	if _, err = v.Apply("un", Change{Op: DropSequence, Table: "seq"}); err == nil || !strings.Contains(err.Error(), "table ks.t takes its id") {
		t.Errorf("%v", err)
	}
}

func TestSetTable(t *testing.T) {
	v := mustParse(t, small)
	declare := func(name, comment string) {
		t.Helper()
		spec, _, err := ParseComment(comment)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = v.Apply("ks", Change{Op: SetTable, Declare: spec.Table(name)}); err != nil {
			t.Fatalf("%s: %v", comment, err)
		}
	}
	names := func(table string) (ns []string) {
		for _, cv := range v.Keyspace("ks").Table(table).ColumnVindexes {
			ns = append(ns, cv.Name)
		}
		return ns
	}
	declare("a", "vindex=hash(id)")
	declare("b", "vindex=range(id) boundaries=10,20; vindex=lookup_unique(mail) table=b_mail from=mail to=keyspace_id")
	declare("c", "vindex=range(id) boundaries=10,30")
	declare("d", "vindex=range(id) boundaries=10,20")
	for table, want := range map[string][]string{
		"a": {"hash"}, "b": {"range", "b_mail_lookup_unique"}, "c": {"c_id_range"}, "d": {"range"},
	} {
		if got := names(table); !reflect.DeepEqual(got, want) {
			t.Errorf("%s has vindexes %v, want %v", table, got, want)
		}
	}
	if cv := v.Keyspace("ks").Table("b").ColumnVindexes[1]; !cv.OwnedBy("b") {
		t.Errorf("lookup vindex %+v", cv)
	}
	declare("a", "reference") // replaces the first declaration
	if got := v.Keyspace("ks").Table("a"); got.Type != TableReference || len(got.ColumnVindexes) != 0 {
		t.Errorf("%+v", got)
	}
	if next, err := v.Apply("un", Change{Op: SetTable, Declare: &Table{Name: "x"}}); err != nil || next.Keyspace("un").Table("x").Type != TableUnsharded {
		t.Errorf("%v", err)
	}
}

func TestKeyspaces(t *testing.T) {
	v, err := New().WithKeyspace(&Keyspace{Name: "main", Sharded: true, Auto: true})
	if err != nil {
		t.Fatal(err)
	}
	table := AutoTable("users", []string{"id"}, nil, v.Keyspace("main").Table)
	if v, err = v.Apply("main", Change{Op: SetTable, Declare: table}); err != nil {
		t.Fatal(err)
	}
	again := mustParse(t, string(v.Marshal()))
	if !again.Keyspace("main").Auto || again.Keyspace("main").Table("USERS").Primary().Columns[0] != "id" {
		t.Errorf("%s", again.Marshal())
	}
	if len(v.WithoutKeyspace("main").Keyspaces) != 0 || len(v.Keyspaces) != 1 {
		t.Error("WithoutKeyspace")
	}
	if _, err := New().WithKeyspace(&Keyspace{}); err == nil {
		t.Error("a keyspace without a name")
	}
	var none *VSchema
	if none.Keyspace("x") != nil {
		t.Error("nil VSchema")
	}
	if _, _, err := none.FindTable("", "t"); err != nil {
		t.Error(err)
	}
}
