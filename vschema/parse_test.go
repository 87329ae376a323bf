package vschema

import (
	"errors"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/vindex"
)

// shop is a VSchema as Vitess users write them: a sharded keyspace with owned
// lookup vindexes and an unsharded one with the sequences.
const shop = `{
  "keyspaces": {
    "commerce": {
      "sharded": true,
      "foreign_key_mode": "managed",
      "vindexes": {
        "hash": {"type": "hash"},
        "by_mail": {"type": "consistent_lookup_unique", "owner": "customer",
          "params": {"table": "commerce.customer_mail", "from": "email", "to": "keyspace_id"}},
        "region": {"type": "multicol", "params": {"column_count": "2", "column_bytes": "1,7"}}
      },
      "tables": {
        "customer": {
          "column_vindexes": [{"column": "customer_id", "name": "hash"}, {"columns": ["email"], "name": "by_mail"}],
          "auto_increment": {"column": "customer_id", "sequence": "lookup.customer_seq"},
          "columns": [
            {"name": "customer_id", "type": "INT64", "nullable": false},
            {"name": "email", "type": "VARCHAR", "collation_name": "utf8mb4_bin", "size": 128},
            {"name": "state", "type": "ENUM", "values": ["new", "old"], "default": "'new'"},
            {"name": "credit", "type": "DECIMAL", "size": 10, "scale": 2, "invisible": true}
          ],
          "column_list_authoritative": true
        },
        "customer_mail": {"column_vindexes": [{"column": "email", "name": "hash"}]},
        "Orders": {"column_vindexes": [{"columns": ["region", "order_id"], "name": "region"}]},
        "country": {"type": "reference", "source": "lookup.country"},
        "settings": {"pinned": "80a0"},
        "counter": {"type": "sequence", "pinned": "00"},
        "audit": {"type": "unsharded"}
      }
    },
    "lookup": {"tables": {"customer_seq": {"type": "sequence"}, "country": {}}}
  },
  "routing_rules": {"rules": []}
}`

// shopCamel is the same in protobuf's other spelling, with enums as numbers.
var shopCamel = strings.NewReplacer(
	"foreign_key_mode", "foreignKeyMode", `"managed"`, "3", "column_vindexes", "columnVindexes",
	"auto_increment", "autoIncrement", "collation_name", "collationName",
	"column_list_authoritative", "columnListAuthoritative", "routing_rules", "routingRules",
	`"INT64"`, "265", `"VARCHAR"`, "6165",
).Replace(shop)

func mustParse(t testing.TB, text string) *VSchema {
	t.Helper()
	v, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParse(t *testing.T) {
	v := mustParse(t, shop)
	if c := mustParse(t, shopCamel); !c.Equal(v) {
		t.Errorf("the camel case spelling differs:\n%s", c.Marshal())
	}
	ks := v.Keyspace("commerce")
	if !ks.Sharded || ks.ForeignKeyMode != ForeignKeyManaged || ks.Auto {
		t.Errorf("keyspace %+v", ks)
	}
	c := ks.Table("CUSTOMER")
	if c == nil || c.Name != "customer" || c != ks.Table("customer") {
		t.Fatalf("table %+v", c)
	}
	p := c.Primary()
	if p.Name != "hash" || p.Type != "hash" || p.Columns[0] != "customer_id" || p.Vindex == nil || p.Cost() != 1 || !p.Unique() {
		t.Errorf("primary vindex %+v", p)
	}
	mail := &c.ColumnVindexes[1]
	if mail.Vindex != nil || !mail.IsLookup() || !mail.OwnedBy("Customer") || !mail.Unique() || mail.Cost() != 10 || mail.Params["from"] != "email" {
		t.Errorf("lookup vindex %+v", mail)
	}
	if col := c.Column("CREDIT"); col == nil || !col.Invisible || col.Scale != 2 || col.NotNull || !c.Columns[0].NotNull {
		t.Errorf("columns %+v", c.Columns)
	}
	if o := ks.Table("orders"); o.Name != "Orders" || len(o.Primary().Columns) != 2 {
		t.Errorf("table %+v", o)
	}
	for name, want := range map[string]TableType{"country": TableReference, "settings": TablePinned, "counter": TableSequence, "audit": TableUnsharded, "customer": TableSharded} {
		if got := ks.Table(name).Type; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := v.Keyspace("lookup").Table("country").Type; got != TableUnsharded {
		t.Errorf("a plain table of an unsharded keyspace is %s", got)
	}
}

func TestFindTable(t *testing.T) {
	v := mustParse(t, shop)
	for _, tt := range []struct{ keyspace, table, want, err string }{
		{"", "customer", "commerce.customer", ""},
		{"", "CUSTOMER_SEQ", "lookup.customer_seq", ""},
		{"", "country", "", "ambiguous"},
		{"lookup", "country", "lookup.country", ""},
		{"lookup", "nothing", "", ""},
		{"", "nothing", "", ""},
		{"comerce", "customer", "", "did you mean commerce"},
	} {
		ks, table, err := v.FindTable(tt.keyspace, tt.table)
		got := ""
		if table != nil {
			got = ks.Name + "." + table.Name
		}
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("FindTable(%q, %q) = %s, %v", tt.keyspace, tt.table, got, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	sharded := func(rest string) string { return `{"keyspaces": {"ks": {"sharded": true, ` + rest + `}}}` }
	tables := func(rest string) string {
		return sharded(`"vindexes": {"hash": {"type": "hash"}, "lk": {"type": "lookup"}, "mc": {"type": "multicol", "params": {"column_count": "2"}}, "own": {"type": "xxhash", "owner": "t"}}, "tables": {` + rest + `}`)
	}
	for text, want := range map[string]string{
		`{"keyspaces": {"ks": {"tables": {"t": {"colum_vindexes": []}}}}}`: "keyspaces.ks.tables.t.colum_vindexes: unknown field, did you mean column_vindexes",
		`{"keyspaces": {"ks": {"foo": 1}}}`:                                "keyspaces.ks.foo: unknown field, known are sharded",
		`{"sharded": true}`:                                                "sharded: this is the VSchema of a single keyspace",
		`{"keyspaces": {"ks": {"sharded": 1}}}`:                            "keyspaces.ks.sharded: want true or false, found the number 1",
		`{"keyspaces": []}`:                                                "keyspaces: want an object, found a list",
		`[]`:                                                               "want an object, found a list",
		"{\n \"keyspaces\": {,}}":                                          "line 2, column 16: no valid JSON",
		`{"keyspaces": {}} x`:                                              "line 1, column 19: no valid JSON",
		"{\n":                                                              "line 2, column 1: no valid JSON",
		"":                                                                 "line 1, column 1: no valid JSON",
		`{"keyspaces": {"ks": {}, "ks": {}}}`:                              "keyspaces.ks: stands twice",
		`{"keyspaces": {"": {}}}`:                                          "a keyspace needs a name",
		`{"keyspaces": {"ks": {"tables": {"t": {}, "T": {}}}}}`:                                     "keyspaces.ks.tables.T: table t differs in case only",
		`{"keyspaces": {"ks": {"requireExplicitRouting": true, "require_explicit_routing": true}}}`: "stands twice, in two spellings",
		`{"routing_rules": {"rules": [{"from_table": "t"}]}}`:                                       "routing_rules: routing rules are not supported",
		`{"keyspaces": {"ks": {"foreign_key_mode": "magic"}}}`:                                      "keyspaces.ks.foreign_key_mode: want one of unspecified, disallow, unmanaged, managed",
		`{"keyspaces": {"ks": {"foreign_key_mode": 7}}}`:                                            "found the number 7",
		`{"keyspaces": {"ks": {"tables": {"t": {"columns": [{"name": "a", "type": "INT65"}]}}}}}`:   "keyspaces.ks.tables.t.columns[0].type: unknown column type",
		`{"keyspaces": {"ks": {"tables": {"t": {"columns": [{"name": "a"}, {"name": "A"}]}}}}}`:     "keyspaces.ks.tables.t.columns[1]: column \"A\" stands twice",
		sharded(`"vindexes": {"v": {"type": "hsh"}}`):                                               `keyspaces.ks.vindexes.v.type: unknown vindex type "hsh", did you mean "hash"`,
		sharded(`"vindexes": {"v": {"type": "lookup_uniqe"}}`):                                      `did you mean "lookup_unique"`,
		sharded(`"vindexes": {"v": {}}`):                                                            "keyspaces.ks.vindexes.v.type: missing",
		sharded(`"vindexes": {"v": {"type": "hash", "params": {"a": "b"}}}`):                        "takes no parameters",
		sharded(`"vindexes": {"v": {"type": "hash", "params": {"a": 1}}}`):                          "keyspaces.ks.vindexes.v.params.a: want a string",
		tables(`"t": {}`): "keyspaces.ks.tables.t: missing primary vindex",
		tables(`"t": {"column_vindexes": [{"column": "a", "name": "hsh"}]}`):                                                                                       `keyspaces.ks.tables.t.column_vindexes[0].name: vindex "hsh" is not defined, did you mean "hash"`,
		tables(`"t": {"column_vindexes": [{"column": "a", "columns": ["b"], "name": "hash"}]}`):                                                                    "give either column or columns",
		tables(`"t": {"column_vindexes": [{"name": "hash"}]}`):                                                                                                     "column_vindexes[0].columns: missing",
		tables(`"t": {"column_vindexes": [{"column": "a", "name": "lk"}]}`):                                                                                        "can't be the primary vindex: a lookup vindex",
		tables(`"t": {"column_vindexes": [{"column": "a", "name": "own"}]}`):                                                                                       "the table owns it",
		tables(`"t": {"column_vindexes": [{"column": "a", "name": "hash"}, {"columns": ["a", "b"], "name": "mc"}]}`):                                               "must come first",
		tables(`"t": {"column_vindexes": [{"columns": ["a", "b"], "name": "hash"}]}`):                                                                              "takes 1 columns, not 2",
		tables(`"t": {"column_vindexes": [{"columns": ["a"], "name": "mc"}]}`):                                                                                     "takes 2 columns, not 1",
		tables(`"t": {"column_vindexes": [{"columns": ["a", "A"], "name": "mc"}]}`):                                                                                `column "A" stands twice`,
		tables(`"t": {"column_vindexes": [{"column": "a", "name": "hash"}], "columns": [{"name": "b"}], "column_list_authoritative": true}`):                       `column "a" is not in the table's columns`,
		tables(`"t": {"type": "sequence"}`):                                                                                                                        "a sequence table must be in an unsharded keyspace or be pinned",
		tables(`"t": {"type": "seqence"}`):                                                                                                                         `unknown table type "seqence"`,
		tables(`"t": {"pinned": "8"}`):                                                                                                                             `keyspaces.ks.tables.t.pinned: "8" is no keyspace ID`,
		tables(`"t": {"pinned": "80", "column_vindexes": [{"column": "a", "name": "hash"}]}`):                                                                      "a pinned table has no vindexes",
		tables(`"t": {"type": "reference", "pinned": "80"}`):                                                                                                       "a reference table can't be pinned",
		tables(`"t": {"type": "reference", "source": "ks.t"}`):                                                                                                     "same keyspace",
		tables(`"t": {"type": "reference", "source": "t"}`):                                                                                                        "must be keyspace.table",
		tables(`"t": {"type": "reference", "source": "other.t"}`):                                                                                                  `keyspace "other" does not exist`,
		tables(`"t": {"type": "unsharded", "source": "other.t"}`):                                                                                                  "only a reference table has a source",
		tables(`"t": {"type": "unsharded", "auto_increment": {"column": "id", "sequence": "s"}}`):                                                                  `sequence "s" does not exist`,
		tables(`"t": {"type": "unsharded", "auto_increment": {"column": "id", "sequence": "u"}}, "u": {"type": "unsharded"}`):                                      "is no sequence",
		tables(`"t": {"type": "unsharded", "auto_increment": {}}`):                                                                                                 "auto_increment.column: missing",
		`{"keyspaces": {"a": {"tables": {"t": {"pinned": "80"}}}}}`:                                                                                                "is not sharded, there is nothing to pin to",
		`{"keyspaces": {"a": {"tables": {"t": {"column_vindexes": [{"column": "a", "name": "v"}]}}, "vindexes": {"v": {"type": "hash"}}}}}`:                        "is not sharded, its tables have no vindexes",
		`{"keyspaces": {"a": {"tables": {"t": {"type": "reference", "source": "b.t"}}}, "b": {"tables": {"t": {"type": "reference", "source": "c.t"}}}, "c": {}}}`: `copies "c.t" itself`,
		`{"keyspaces": {"a": {"tables": {"t": {"type": "reference", "source": "b.t"}, "u": {"type": "reference", "source": "b.T"}}}, "b": {}}}`:                    "table t copies \"b.T\" already",
		strings.Repeat("[", 100) + strings.Repeat("]", 100):                                                                                                        "nested too deep",
	} {
		_, err := Parse([]byte(text))
		if e := (*Error)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
	_, err := Parse([]byte("{\"keyspaces\": {\n  \"ks\": {\n    \"shard\": true}}}"))
	if e := (*Error)(nil); !errors.As(err, &e) || e.Line != 3 || e.Path != "keyspaces.ks.shard" {
		t.Errorf("place of an unknown field: %+v", err)
	}
}

func TestParseKeyspace(t *testing.T) {
	v, err := ParseKeyspace("ks", []byte(`{"sharded": true, "vindexes": {"hash": {"type": "hash"}}, "tables": {
		"t": {"column_vindexes": [{"column": "id", "name": "hash"}], "auto_increment": {"column": "id", "sequence": "other.seq"}},
		"own": {"column_vindexes": [{"column": "id", "name": "hash"}], "auto_increment": {"column": "id"}}}}`))
	if err != nil || v.Keyspace("ks").Table("t").AutoIncrement.Sequence != "other.seq" {
		t.Fatalf("%v", err)
	}
	text := v.Keyspace("ks").Marshal()
	again, err := ParseKeyspace("ks", text)
	if err != nil || !again.Equal(v) {
		t.Errorf("%v: %s", err, text)
	}
	if _, err := ParseKeyspace("ks", []byte(`{"keyspaces": {}}`)); err == nil || !strings.Contains(err.Error(), "several keyspaces") {
		t.Errorf("%v", err)
	}
	if _, err := ParseKeyspace("ks", []byte(`{"tables": {"t": {"kolumns": 1}}}`)); err == nil || !strings.HasPrefix(err.Error(), "keyspaces.ks.tables.t.kolumns: unknown field, did you mean columns") {
		t.Errorf("%v", err)
	}
}

func TestMarshal(t *testing.T) {
	v := mustParse(t, shop)
	text := v.Marshal()
	again := mustParse(t, string(text))
	if string(again.Marshal()) != string(text) {
		t.Errorf("written again:\n%s\nfirst:\n%s", again.Marshal(), text)
	}
	for _, part := range []string{`"nullable": false`, `"foreign_key_mode": "managed"`, `"Orders"`, `"pinned": "80a0"`, `"type": "unsharded"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is missing in\n%s", part, text)
		}
	}
	if got := string((*VSchema)(nil).Marshal()); got != "{\n  \"keyspaces\": {}\n}\n" {
		t.Errorf("no VSchema gives %q", got)
	}
}

func TestBind(t *testing.T) {
	v := mustParse(t, `{"keyspaces": {"ks": {"sharded": true,
		"vindexes": {"ring": {"type": "consistent_hash"}, "r": {"type": "range", "params": {"boundaries": "10,20"}}},
		"tables": {"a": {"column_vindexes": [{"column": "id", "name": "ring"}]}, "b": {"column_vindexes": [{"column": "id", "name": "r"}]}}}}}`)
	mapTo := func(v *VSchema, table string, value any) ([]byte, error) {
		return v.Keyspace("ks").Table(table).Primary().Vindex.(vindex.SingleColumn).Map(nil, value)
	}
	if _, err := mapTo(v, "a", int64(1)); err == nil {
		t.Error("an unbound vindex must not map")
	}
	bound, err := v.Bind("ks", vindex.EvenRanges(4))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"a", "b"} {
		if _, err := mapTo(bound, table, int64(1)); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
	if v.Keyspace("ks").Ranges != nil {
		t.Error("Bind changed its receiver")
	}
	// A change keeps the binding, also for new vindexes.
	changed, err := bound.Apply("ks", Change{Op: AddColumnVindex, Table: "c", Vindex: "ring2", Type: "consistent_hash", Columns: []string{"id"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mapTo(changed, "c", int64(1)); err != nil {
		t.Error(err)
	}
	if !bound.Equal(v) {
		t.Error("binding shows in the JSON")
	}
	if _, err := v.Bind("ks", vindex.EvenRanges(2)); err == nil || !strings.Contains(err.Error(), "shard 2") {
		t.Errorf("too few shards for the range vindex: %v", err)
	}
	if _, err := v.Bind("ks", nil); err == nil {
		t.Error("no shards")
	}
	if _, err := v.Bind("k", vindex.EvenRanges(2)); err == nil {
		t.Error("unknown keyspace")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(shop))
	f.Add([]byte(shopCamel))
	f.Add([]byte(`{"keyspaces": {"ks": {"auto": true, "multi_tenant_spec": {"tenant_id_column_name": "t", "tenant_id_column_type": 265}}}}`))
	f.Add([]byte(`{"keyspaces": null, "mirror_rules": {}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "path") || strings.Contains(string(data), "region_json") {
			return // these read files
		}
		v, err := Parse(data)
		if err != nil {
			return
		}
		text := v.Marshal()
		again, err := Parse(text)
		if err != nil || !again.Equal(v) {
			t.Errorf("%v: %s\nfrom %s", err, text, data)
		}
	})
}
