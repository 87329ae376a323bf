package vschema

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseComment(t *testing.T) {
	one := func(typ string, params map[string]string, columns ...string) TableSpec {
		return TableSpec{Declared: true, Vindexes: []VindexSpec{{typ, columns, params}}}
	}
	for _, tt := range []struct {
		comment string
		want    TableSpec
		rest    string
	}{
		{"", TableSpec{}, ""},
		{"the shop's customers; one row each", TableSpec{}, "the shop's customers; one row each"},
		{"a=b", TableSpec{}, "a=b"},
		{"vindex=hash(tenant_id)", one("hash", nil, "tenant_id"), ""},
		{" VINDEX = Hash ( `Tenant_id` ) ", one("hash", nil, "Tenant_id"), ""},
		{"customers; vindex=xxhash(id); see the wiki", one("xxhash", nil, "id"), "customers; see the wiki"},
		{"vindex=range(id) boundaries=10,20 shards=0,1,0", one("range", map[string]string{"boundaries": "10,20", "shards": "0,1,0"}, "id"), ""},
		{`vindex=range(name) type=text boundaries='b c;d,"x,y"'`, one("range", map[string]string{"type": "text", "boundaries": `b c;d,"x,y"`}, "name"), ""},
		{`vindex=range(name) type=text boundaries="a","b"`, one("range", map[string]string{"type": "text", "boundaries": `"a","b"`}, "name"), ""},
		{"vindex=multicol(region, id) column_count=2", one("multicol", map[string]string{"column_count": "2"}, "region", "id"), ""},
		{"vindex=hash(id); vindex=lookup_unique(email) table=mail", TableSpec{Declared: true, Vindexes: []VindexSpec{
			{"hash", []string{"id"}, nil}, {"lookup_unique", []string{"email"}, map[string]string{"table": "mail"}}}}, ""},
		{"reference", TableSpec{Declared: true, Type: TableReference}, ""},
		{"Sequence; pinned=00", TableSpec{Declared: true, Type: TableSequence, Pinned: []byte{0}}, ""},
		{"unsharded; notes", TableSpec{Declared: true, Type: TableUnsharded}, "notes"},
		{"pinned=0x80A0", TableSpec{Declared: true, Type: TablePinned, Pinned: []byte{0x80, 0xa0}}, ""},
	} {
		got, rest, err := ParseComment(tt.comment)
		if err != nil || !reflect.DeepEqual(got, tt.want) || rest != tt.rest {
			t.Errorf("ParseComment(%q) = %+v, %q, %v, want %+v, %q", tt.comment, got, rest, err, tt.want, tt.rest)
		}
	}
	for comment, want := range map[string]string{
		"vindex=hsh(a)":      `unknown vindex type "hsh", did you mean "hash"`,
		"vindex=lokup(a)":    `did you mean "lookup"`,
		"vndex=hash(a)":      "did you mean vindex=",
		"pined=80":           "did you mean pinned=",
		"vindex=hash":        "must be vindex=TYPE(column, ...)",
		"vindex=hash()":      "a column needs a name",
		"vindex=hash(a) x=1": "takes no parameters",
		"vindex=hash(a) x":   `"x" must be param=value`,
		"vindex=range(a) type=int type=int boundaries=1": `"type" stands twice`,
		"vindex=lookup(a) table=t":                       "can't come first",
		"reference; vindex=hash(a)":                      "contradicts reference",
		"vindex=hash(a); reference":                      "reference contradicts",
		"reference; sequence":                            "sequence contradicts",
		"pinned=8":                                       "pairs of hexadecimal digits",
		"pinned=80; pinned=81":                           "stands twice",
		"pinned=80; unsharded":                           "unsharded contradicts",
	} {
		spec, _, err := ParseComment(comment)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "comment: ") {
			t.Errorf("ParseComment(%q) = %+v, %v, want %q", comment, spec, err, want)
		}
	}
}

func FuzzParseComment(f *testing.F) {
	f.Add("vindex=hash(a); x; pinned=80")
	f.Add(`vindex=range(a) type=text boundaries='a b'; reference`)
	f.Fuzz(func(t *testing.T, comment string) {
		if strings.Contains(comment, "path") || strings.Contains(comment, "region_json") {
			return // these read files
		}
		_, rest, err := ParseComment(comment)
		if err != nil {
			return
		}
		spec, again, err := ParseComment(rest)
		if err != nil || spec.Declared || again != rest {
			t.Errorf("%q leaves %q, which gives %+v, %q, %v", comment, rest, spec, again, err)
		}
	})
}

func TestAutoTable(t *testing.T) {
	tables := map[string]*Table{
		"tenant":  AutoTable("tenant", []string{"id"}, nil, nil),
		"log":     AutoTable("log", nil, nil, nil),
		"country": {Name: "country", Type: TableReference},
		"shop": {Name: "shop", ColumnVindexes: []ColumnVindex{
			{Name: "mc", Type: "multicol", Columns: []string{"region", "id"}, Params: map[string]string{"column_count": "2"}}}},
		"item": {Name: "item", ColumnVindexes: []ColumnVindex{{Name: "x", Type: "xxhash", Columns: []string{"sku"}}}},
	}
	lookup := func(name string) *Table { return tables[strings.ToLower(name)] }
	fk := func(column, table, ref string) ForeignKey {
		return ForeignKey{strings.Split(column, ","), table, strings.Split(ref, ",")}
	}
	for _, tt := range []struct {
		name string
		pk   []string
		fks  []ForeignKey
		want string // type(columns), "" for the first shard
	}{
		{"single key", []string{"id"}, nil, "hash(id)"},
		{"composite key", []string{"tenant_id", "id"}, nil, "hash(tenant_id)"},
		{"no key", nil, nil, ""},
		{"parent", []string{"id"}, []ForeignKey{fk("tenant_id", "Tenant", "ID")}, "hash(tenant_id)"},
		{"parent without a key of one's own", nil, []ForeignKey{fk("tenant_id", "tenant", "id")}, "hash(tenant_id)"},
		{"not the parent's sharding key", []string{"id"}, []ForeignKey{fk("name", "tenant", "name")}, "hash(id)"},
		{"the parent's vindex is taken over", []string{"id"}, []ForeignKey{fk("sku", "item", "sku")}, "xxhash(sku)"},
		{"several columns", []string{"id"}, []ForeignKey{fk("sid,reg", "shop", "id,region")}, "multicol(reg,sid)"},
		{"one of several columns", []string{"id"}, []ForeignKey{fk("sid", "shop", "id")}, "hash(id)"},
		{"the first of two parents", []string{"id"}, []ForeignKey{fk("a", "tenant", "id"), fk("b", "item", "sku")}, "hash(a)"},
		{"the parent in the primary key", []string{"b", "n"}, []ForeignKey{fk("a", "tenant", "id"), fk("b", "item", "sku")}, "xxhash(b)"},
		{"itself", []string{"id"}, []ForeignKey{fk("parent_id", "itself", "id")}, "hash(id)"},
		{"a reference table", []string{"id"}, []ForeignKey{fk("c", "country", "id")}, "hash(id)"},
		{"a table on the first shard", []string{"id"}, []ForeignKey{fk("c", "log", "id")}, "hash(id)"},
		{"an unknown table", []string{"id"}, []ForeignKey{fk("c", "nowhere", "id")}, "hash(id)"},
	} {
		got := AutoTable(tt.name, tt.pk, tt.fks, lookup)
		text := ""
		if p := got.Primary(); p != nil {
			text = p.Type + "(" + strings.Join(p.Columns, ",") + ")"
		}
		if text != tt.want || (tt.want == "") != (got.Type == TableUnsharded) || got.Name != tt.name {
			t.Errorf("%s: %s, %s, want %s", tt.name, text, got.Type, tt.want)
		}
	}
	if got := AutoTable("itself", []string{"id"}, []ForeignKey{{[]string{"parent_id"}, "ITSELF", []string{"id"}}}, func(string) *Table { return tables["tenant"] }); got.Primary().Columns[0] != "id" {
		t.Errorf("a table that references itself is sharded by %v", got.Primary().Columns)
	}
}
