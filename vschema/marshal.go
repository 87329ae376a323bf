package vschema

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
)

// The shapes of Vitess's JSON; encoding/json writes maps in order of their
// keys, which makes the text deterministic.
type (
	jsonVSchema struct {
		Keyspaces map[string]jsonKeyspace `json:"keyspaces"`
	}
	jsonKeyspace struct {
		Sharded                bool                  `json:"sharded,omitempty"`
		Auto                   bool                  `json:"auto,omitempty"`
		Vindexes               map[string]jsonVindex `json:"vindexes,omitempty"`
		Tables                 map[string]jsonTable  `json:"tables,omitempty"`
		RequireExplicitRouting bool                  `json:"require_explicit_routing,omitempty"`
		ForeignKeyMode         string                `json:"foreign_key_mode,omitempty"`
		MultiTenant            *jsonMultiTenant      `json:"multi_tenant_spec,omitempty"`
	}
	jsonMultiTenant struct {
		Column string `json:"tenant_id_column_name,omitempty"`
		Type   string `json:"tenant_id_column_type,omitempty"`
	}
	jsonVindex struct {
		Type   string            `json:"type"`
		Params map[string]string `json:"params,omitempty"`
		Owner  string            `json:"owner,omitempty"`
	}
	jsonTable struct {
		Type                    string             `json:"type,omitempty"`
		ColumnVindexes          []jsonColumnVindex `json:"column_vindexes,omitempty"`
		AutoIncrement           *jsonAutoIncrement `json:"auto_increment,omitempty"`
		Columns                 []jsonColumn       `json:"columns,omitempty"`
		Pinned                  string             `json:"pinned,omitempty"`
		ColumnListAuthoritative bool               `json:"column_list_authoritative,omitempty"`
		Source                  string             `json:"source,omitempty"`
	}
	jsonColumnVindex struct {
		Columns []string `json:"columns"`
		Name    string   `json:"name"`
	}
	jsonAutoIncrement struct {
		Column   string `json:"column"`
		Sequence string `json:"sequence,omitempty"`
	}
	jsonColumn struct {
		Name      string   `json:"name"`
		Type      string   `json:"type,omitempty"`
		Invisible bool     `json:"invisible,omitempty"`
		Default   string   `json:"default,omitempty"`
		Collation string   `json:"collation_name,omitempty"`
		Size      int      `json:"size,omitempty"`
		Scale     int      `json:"scale,omitempty"`
		Nullable  *bool    `json:"nullable,omitempty"`
		Values    []string `json:"values,omitempty"`
	}
)

// Marshal gives the JSON that Parse reads, and Vitess too where it uses none of
// our additions. Equal VSchemas give equal text; shards it is bound to are not
// part of it.
func (v *VSchema) Marshal() []byte {
	out := jsonVSchema{Keyspaces: map[string]jsonKeyspace{}}
	if v != nil {
		for name, ks := range v.Keyspaces {
			out.Keyspaces[name] = ks.json()
		}
	}
	return marshal(out)
}

// Marshal gives the JSON that ParseKeyspace reads.
func (k *Keyspace) Marshal() []byte { return marshal(k.json()) }

// Equal says that both mean the same, whatever shards they are bound to.
func (v *VSchema) Equal(o *VSchema) bool { return bytes.Equal(v.Marshal(), o.Marshal()) }

func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic("vschema: " + err.Error()) // strings, numbers and maps always encode
	}
	return b.Bytes()
}

func (k *Keyspace) json() jsonKeyspace {
	out := jsonKeyspace{
		Sharded: k.Sharded, Auto: k.Auto, RequireExplicitRouting: k.RequireExplicitRouting,
		Vindexes: map[string]jsonVindex{}, Tables: map[string]jsonTable{},
	}
	if k.ForeignKeyMode != ForeignKeyUnspecified {
		out.ForeignKeyMode = k.ForeignKeyMode.String()
	}
	if k.MultiTenant != nil {
		out.MultiTenant = &jsonMultiTenant{k.MultiTenant.Column, k.MultiTenant.Type}
	}
	for name, d := range k.Vindexes {
		out.Vindexes[name] = jsonVindex{d.Type, d.Params, d.Owner}
	}
	for _, t := range k.Tables {
		out.Tables[t.Name] = t.json(k.Sharded)
	}
	return out
}

func (t *Table) json(sharded bool) jsonTable {
	out := jsonTable{
		Pinned: hex.EncodeToString(t.Pinned), Source: t.Source,
		ColumnListAuthoritative: t.ColumnListAuthoritative,
	}
	switch {
	case t.Type == TableSequence, t.Type == TableReference, t.Type == TableUnsharded && sharded:
		out.Type = t.Type.String()
	}
	for _, cv := range t.ColumnVindexes {
		out.ColumnVindexes = append(out.ColumnVindexes, jsonColumnVindex{cv.Columns, cv.Name})
	}
	if a := t.AutoIncrement; a != nil {
		out.AutoIncrement = &jsonAutoIncrement{a.Column, a.Sequence}
	}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, c.json())
	}
	return out
}

func (c Column) json() jsonColumn {
	out := jsonColumn{
		Name: c.Name, Type: c.Type, Invisible: c.Invisible, Default: c.Default,
		Collation: c.Collation, Size: c.Size, Scale: c.Scale, Values: c.Values,
	}
	if c.NotNull {
		out.Nullable = new(bool)
	}
	return out
}
