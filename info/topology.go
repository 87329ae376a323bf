package info

import (
	"maps"
	"slices"
	"strings"
)

func (r *request) databases() (*answer, error) {
	a := &answer{columns: []string{"Database"}, likeName: true}
	names := r.keyspaces()
	if r.show.What == "DATABASES" {
		names = append(names, "information_schema")
		slices.Sort(names)
		names = slices.Compact(names)
	}
	for _, ks := range names {
		a.add(ks)
	}
	return a, nil
}

func (r *request) createDatabase() (*answer, error) {
	name := r.show.Name
	if !slices.Contains(r.keyspaces(), name) {
		return nil, fail(errNoDatabase, "unknown keyspace %q", name)
	}
	a := &answer{columns: []string{"Database", "Create Database"}}
	a.add(name, "CREATE DATABASE `"+strings.ReplaceAll(name, "`", "``")+"` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE "+defaultCollation+" */")
	return a, nil
}

func (r *request) shards() (*answer, error) {
	a := &answer{columns: []string{"Shards"}}
	for _, s := range r.Shards {
		a.add(s.Keyspace + "/" + s.Name)
	}
	return a, nil
}

func (r *request) tablets() (*answer, error) {
	a := &answer{like: 1, columns: []string{"Cell", "Keyspace", "Shard", "TabletType", "State", "Alias", "Hostname", "PrimaryTermStartTime"}}
	for _, s := range r.Shards {
		a.add("", s.Keyspace, s.Name, "PRIMARY", "SERVING", s.Keyspace+"/"+s.Name, "", "")
	}
	return a, nil
}

func (r *request) vschemaTables() (*answer, error) {
	ks, err := r.keyspace()
	if err != nil {
		return nil, err
	}
	a := &answer{columns: []string{"Tables"}}
	if k := r.VSchema.Keyspace(ks); k != nil {
		for _, key := range slices.Sorted(maps.Keys(k.Tables)) {
			a.add(k.Tables[key].Name)
		}
	}
	return a, nil
}

func (r *request) vschemaVindexes() (*answer, error) {
	if r.show.Table != nil {
		return r.tableVindexes()
	}
	a := &answer{like: 1, columns: []string{"Keyspace", "Name", "Type", "Params", "Owner"}}
	for _, ks := range r.keyspaces() {
		k := r.VSchema.Keyspace(ks)
		if k == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(k.Vindexes)) {
			v := k.Vindexes[name]
			a.add(ks, name, v.Type, params(v.Params), v.Owner)
		}
	}
	return a, nil
}

func (r *request) tableVindexes() (*answer, error) {
	ks, err := r.keyspace()
	if err != nil {
		return nil, err
	}
	k := r.VSchema.Keyspace(ks)
	if k == nil || k.Table(r.show.Table.Name) == nil {
		return nil, fail(errNoSuchTable, "table %q isn't in the VSchema of keyspace %q", r.show.Table.Name, ks)
	}
	a := &answer{like: 1, columns: []string{"Columns", "Name", "Type", "Params", "Owner"}}
	for _, v := range k.Table(r.show.Table.Name).ColumnVindexes {
		a.add(strings.Join(v.Columns, ", "), v.Name, v.Type, params(v.Params), v.Owner)
	}
	return a, nil
}

func (r *request) vschemaKeyspaces() (*answer, error) {
	a := &answer{columns: []string{"Keyspace", "Sharded", "Foreign Key", "Comment"}}
	for _, ks := range r.keyspaces() {
		k := r.VSchema.Keyspace(ks)
		if k == nil {
			continue
		}
		comment := ""
		if k.Auto {
			comment = "auto"
		}
		sharded := "false"
		if k.Sharded {
			sharded = "true"
		}
		a.add(ks, sharded, k.ForeignKeyMode.String(), comment)
	}
	return a, nil
}

// params prints a vindex's parameters in order, as Vitess does.
func params(p map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(p)) {
		parts = append(parts, k+"="+p[k])
	}
	return strings.Join(parts, "; ")
}

// vschemaJSON answers SHOW VSCHEMA: all of it, as a VSchema file has it.
func (r *request) vschemaJSON() (*answer, error) {
	a := &answer{columns: []string{"VSchema"}}
	a.add(string(r.VSchema.Marshal()))
	return a, nil
}
