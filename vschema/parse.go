package vschema

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Parse reads a complete VSchema: an object with "keyspaces", as Vitess's
// SrvVSchema. The error is an *Error.
func Parse(data []byte) (*VSchema, error) {
	root, err := readTree(data)
	if err != nil {
		return nil, err
	}
	for _, m := range root.members {
		if m.name == "sharded" || m.name == "tables" || m.name == "vindexes" {
			return nil, m.value.errorf(m.name, "this is the VSchema of a single keyspace, put it under {\"keyspaces\": {\"NAME\": ...}}")
		}
	}
	v := New()
	const rules = "routing rules are not supported, remove them"
	err = object(root, "",
		mapField("keyspaces", func(name string, n *node, path string) error {
			ks, err := readKeyspace(name, n, path)
			v.Keyspaces[name] = ks
			return err
		}),
		emptyField("routing_rules", rules),
		emptyField("shard_routing_rules", rules),
		emptyField("keyspace_routing_rules", rules),
		emptyField("mirror_rules", "mirror rules are not supported, remove them"),
	)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(v.Keyspaces)) {
		if err := v.finish(v.Keyspaces[name], true); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// ParseKeyspace reads the VSchema of a single keyspace, as Vitess's
// ApplyVSchema takes it. Sequences and sources in other keyspaces are taken on
// trust. The error is an *Error.
func ParseKeyspace(name string, data []byte) (*VSchema, error) {
	root, err := readTree(data)
	if err != nil {
		return nil, err
	}
	for _, m := range root.members {
		if m.name == "keyspaces" {
			return nil, m.value.errorf(m.name, "this is a VSchema of several keyspaces, give the object of one")
		}
	}
	ks, err := readKeyspace(name, root, "keyspaces."+name)
	if err != nil {
		return nil, err
	}
	return New().WithKeyspace(ks)
}

func readKeyspace(name string, n *node, path string) (*Keyspace, error) {
	ks := &Keyspace{Name: name, Vindexes: map[string]*VindexDef{}, Tables: map[string]*Table{}}
	if name == "" {
		return nil, n.errorf(path, "a keyspace needs a name")
	}
	tables := map[string]*node{}
	err := object(n, path,
		boolField("sharded", &ks.Sharded),
		boolField("auto", &ks.Auto),
		mapField("vindexes", func(name string, n *node, path string) error {
			def, err := readVindex(n, path)
			ks.Vindexes[name] = def
			return err
		}),
		mapField("tables", func(name string, n *node, path string) error {
			t, err := readTable(name, n, path)
			if err != nil {
				return err
			}
			key := strings.ToLower(name)
			if other := ks.Tables[key]; other != nil {
				return n.errorf(path, "table %s differs in case only", other.Name)
			}
			ks.Tables[key], tables[key] = t, n
			return nil
		}),
		boolField("require_explicit_routing", &ks.RequireExplicitRouting),
		enumField("foreign_key_mode", foreignKeyModes, func(i int) { ks.ForeignKeyMode = ForeignKeyMode(i) }),
		field{"multi_tenant_spec", func(n *node, path string) error {
			ks.MultiTenant = &MultiTenantSpec{}
			return object(n, path,
				stringField("tenant_id_column_name", &ks.MultiTenant.Column),
				queryTypeField("tenant_id_column_type", &ks.MultiTenant.Type))
		}},
	)
	if err != nil {
		return nil, err
	}
	if !ks.Sharded {
		for _, t := range ks.Tables {
			if t.Type == TableSharded {
				t.Type = TableUnsharded
			}
		}
	}
	return ks, nil
}

// enumField reads an enum by name or number.
func enumField(name string, names []string, set func(i int)) field {
	return field{name, func(n *node, path string) error {
		i := slices.Index(names, n.text)
		if n.kind == '0' {
			if number, err := strconv.Atoi(n.text); err == nil && number >= 0 && number < len(names) {
				i = number
			}
		}
		if n.kind != '0' && n.kind != '"' || i < 0 {
			return n.errorf(path, "want one of %s, found %s", strings.Join(names, ", "), n.describe())
		}
		set(i)
		return nil
	}}
}

func readVindex(n *node, path string) (*VindexDef, error) {
	def := &VindexDef{}
	err := object(n, path,
		stringField("type", &def.Type),
		mapField("params", func(key string, n *node, path string) error {
			value, err := stringValue(n, path)
			if def.Params == nil {
				def.Params = map[string]string{}
			}
			def.Params[key] = value
			return err
		}),
		stringField("owner", &def.Owner))
	if err == nil && def.Type == "" {
		err = n.errorf(path+".type", "missing, name the vindex type")
	}
	return def, err
}

func readTable(name string, n *node, path string) (*Table, error) {
	t := &Table{Name: name}
	var typ, pinned string
	err := object(n, path,
		stringField("type", &typ),
		listField("column_vindexes", func(n *node, path string) error {
			cv, err := readColumnVindex(n, path)
			t.ColumnVindexes = append(t.ColumnVindexes, cv)
			return err
		}),
		field{"auto_increment", func(n *node, path string) error {
			t.AutoIncrement = &AutoIncrement{}
			return object(n, path,
				stringField("column", &t.AutoIncrement.Column),
				stringField("sequence", &t.AutoIncrement.Sequence))
		}},
		listField("columns", func(n *node, path string) error {
			c, err := readColumn(n, path)
			t.Columns = append(t.Columns, c)
			return err
		}),
		stringField("pinned", &pinned),
		boolField("column_list_authoritative", &t.ColumnListAuthoritative),
		stringField("source", &t.Source),
	)
	if err != nil {
		return nil, err
	}
	if t.Pinned, err = hex.DecodeString(pinned); err != nil {
		return nil, n.errorf(path+".pinned", "%q is no keyspace ID in hexadecimal", pinned)
	}
	if len(t.Pinned) == 0 {
		t.Pinned = nil
	}
	switch typ {
	case "":
		if t.Pinned != nil {
			t.Type = TablePinned
		}
	case "sequence":
		t.Type = TableSequence
	case "reference":
		t.Type = TableReference
	case "unsharded":
		t.Type = TableUnsharded
	default:
		return nil, n.errorf(path+".type", "unknown table type %q, want sequence, reference, unsharded or nothing", typ)
	}
	return t, nil
}

// readColumnVindex takes Vitess's older "column" beside "columns".
func readColumnVindex(n *node, path string) (ColumnVindex, error) {
	var cv ColumnVindex
	var column string
	err := object(n, path,
		stringField("column", &column),
		stringField("name", &cv.Name),
		stringsField("columns", &cv.Columns))
	switch {
	case err != nil:
	case column != "" && len(cv.Columns) > 0:
		err = n.errorf(path, "give either column or columns")
	case column != "":
		cv.Columns = []string{column}
	case len(cv.Columns) == 0:
		err = n.errorf(path+".columns", "missing, name the columns that the vindex takes")
	}
	return cv, err
}

func readColumn(n *node, path string) (Column, error) {
	var c Column
	nullable := true
	err := object(n, path,
		stringField("name", &c.Name),
		queryTypeField("type", &c.Type),
		boolField("invisible", &c.Invisible),
		stringField("default", &c.Default),
		stringField("collation_name", &c.Collation),
		intField("size", &c.Size),
		intField("scale", &c.Scale),
		boolField("nullable", &nullable),
		stringsField("values", &c.Values))
	c.NotNull = !nullable
	return c, err
}

// queryTypes are the names and numbers of Vitess's query.Type.
var queryTypes = map[string]int{
	"NULL_TYPE": 0, "INT8": 257, "UINT8": 770, "INT16": 259, "UINT16": 772,
	"INT24": 261, "UINT24": 774, "INT32": 263, "UINT32": 776, "INT64": 265,
	"UINT64": 778, "FLOAT32": 1035, "FLOAT64": 1036, "TIMESTAMP": 2061,
	"DATE": 2062, "TIME": 2063, "DATETIME": 2064, "YEAR": 785, "DECIMAL": 18,
	"TEXT": 6163, "BLOB": 10260, "VARCHAR": 6165, "VARBINARY": 10262,
	"CHAR": 6167, "BINARY": 10264, "BIT": 2073, "ENUM": 2074, "SET": 2075,
	"TUPLE": 28, "GEOMETRY": 2077, "JSON": 2078, "EXPRESSION": 31,
	"HEXNUM": 4128, "HEXVAL": 4129, "BITNUM": 4130, "VECTOR": 2083, "RAW": 2084,
	"ROW_TUPLE": 2085,
}

func queryTypeField(name string, dst *string) field {
	return field{name, func(n *node, path string) error {
		if _, ok := queryTypes[n.text]; ok && n.kind == '"' {
			*dst = n.text
			return nil
		}
		if number, err := strconv.Atoi(n.text); err == nil && n.kind == '0' {
			for name, i := range queryTypes {
				if i == number {
					*dst = name
					return nil
				}
			}
		}
		return n.errorf(path, "unknown column type, found %s, want a name such as INT64, VARCHAR or DATETIME", n.describe())
	}}
}
