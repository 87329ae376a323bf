package advise

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

// keyspace is the name of the one that is planned.
type keyspace struct {
	name   string
	shards int
}

// home is how a table is sharded.
type home struct {
	column    string // "" where it isn't by a column
	vindex    string // its type
	reference bool
	given     string // the table's own vindex, which column and vindex can't say
}

func (h home) String() string {
	switch {
	case h.given != "":
		return h.given
	case h.reference:
		return "reference"
	case h.column == "":
		return "unsharded"
	}
	return h.vindex + "(" + h.column + ")"
}

// given is a table's vindex as it is declared: of several columns, or with parameters.
type given struct {
	columns []string
	name    string
	def     fileVindex
}

func (g *given) text() string { return g.def.Type + "(" + strings.Join(g.columns, ", ") + ")" }

// givenOf finds what a table has beside the vindexes that are tried.
func givenOf(w *world, ks string, def *sqlast.TableDef) *given {
	p := w.env.VSchema.Keyspaces[ks].Table(def.Name).Primary()
	if p == nil || len(p.Columns) == 1 && len(p.Params) == 0 && p.Type == columnVindex(def.Column(p.Columns[0])) {
		return nil
	}
	return &given{p.Columns, strings.ToLower(def.Name) + "_" + p.Type, fileVindex{Type: p.Type, Params: p.Params}}
}

// layout says of every table, by its name in lower case, how it is sharded.
type layout struct {
	homes   map[string]home
	lookups []lookup
}

// lookup is a lookup vindex of a table, on one column or several.
type lookup struct {
	table   string
	columns string // joined by commas
	unique  bool   // a unique key has these columns
}

func lookupOn(def *sqlast.TableDef, columns ...string) lookup {
	l := lookup{table: strings.ToLower(def.Name), columns: strings.Join(columns, ",")}
	for _, x := range def.Indexes {
		l.unique = l.unique || x.Kind == sqlast.IndexUnique && sameColumns(x, columns)
	}
	return l
}

// sameColumns says whether a key has just these columns, whole, in any order.
func sameColumns(x *sqlast.IndexDef, columns []string) bool {
	if len(x.Parts) != len(columns) {
		return false
	}
	for _, p := range x.Parts {
		if p.Column == "" || p.Length > 0 || !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, p.Column) }) {
			return false
		}
	}
	return true
}

func (l lookup) list() []string { return strings.Split(l.columns, ",") }
func (l lookup) name() string   { return l.table + "_by_" + strings.Join(l.list(), "_") }
func (l lookup) entry() string  { return l.name() + "_lookup" }

func (l lookup) typ() string {
	if l.unique {
		return "lookup_unique"
	}
	return "lookup"
}

func (l lookup) String() string { return l.typ() + "(" + strings.Join(l.list(), ", ") + ")" }

func (l layout) with(table string, h home) layout {
	out := layout{homes: map[string]home{}, lookups: l.lookups}
	for k, v := range l.homes {
		out.homes[k] = v
	}
	out.homes[table] = h
	return out
}

// lookupsOf tells the lookup vindexes of a table.
func (l layout) lookupsOf(table string) (text string) {
	for _, x := range l.lookups {
		if x.table == table {
			text += "+" + x.columns
		}
	}
	return text
}

// The shapes of a VSchema's JSON that layouts need.
type (
	fileKeyspace struct {
		Sharded  bool                  `json:"sharded"`
		Vindexes map[string]fileVindex `json:"vindexes,omitempty"`
		Tables   map[string]fileTable  `json:"tables"`
	}
	fileVindex struct {
		Type   string            `json:"type"`
		Params map[string]string `json:"params,omitempty"`
		Owner  string            `json:"owner,omitempty"`
	}
	fileTable struct {
		Type           string             `json:"type,omitempty"`
		ColumnVindexes []fileColumnVindex `json:"column_vindexes,omitempty"`
	}
	fileColumnVindex struct {
		Columns []string `json:"columns"`
		Name    string   `json:"name"`
	}
)

// vschema writes the layout of tables as a VSchema.
func (l layout) vschema(k keyspace, tables []*table) string {
	f := fileKeyspace{Sharded: true, Vindexes: map[string]fileVindex{}, Tables: map[string]fileTable{}}
	for _, of := range tables {
		def := of.def
		h, t := l.homes[of.key], fileTable{}
		switch {
		case h.given != "":
			f.Vindexes[of.given.name] = of.given.def
			t.ColumnVindexes = []fileColumnVindex{{of.given.columns, of.given.name}}
		case h.reference:
			t.Type = "reference"
		case h.column == "":
			t.Type = "unsharded"
		default:
			f.Vindexes[h.vindex] = fileVindex{Type: h.vindex}
			t.ColumnVindexes = []fileColumnVindex{{[]string{h.column}, h.vindex}}
		}
		for _, x := range l.lookups {
			if !strings.EqualFold(x.table, def.Name) {
				continue
			}
			typ := columnVindex(def.Column(x.list()[0]))
			f.Vindexes[typ] = fileVindex{Type: typ}
			f.Vindexes[x.name()] = fileVindex{Type: x.typ(), Owner: def.Name, Params: map[string]string{"table": x.entry(), "from": x.columns, "to": "keyspace_id"}}
			f.Tables[x.entry()] = fileTable{ColumnVindexes: []fileColumnVindex{{x.list()[:1], typ}}}
			t.ColumnVindexes = append(t.ColumnVindexes, fileColumnVindex{x.list(), x.name()})
		}
		f.Tables[def.Name] = t
	}
	text, err := json.MarshalIndent(map[string]map[string]fileKeyspace{"keyspaces": {k.name: f}}, "", "  ")
	if err != nil {
		panic(err) // there is nothing in it that JSON can't have
	}
	return string(text) + "\n"
}

// entryDDL makes the table of a lookup vindex's entries.
func (l lookup) entryDDL(def *sqlast.TableDef) string {
	var columns, key []string
	for _, name := range l.list() {
		c := def.Column(name)
		columns = append(columns, fmt.Sprintf("`%s` %s", c.Name, typeText(c)))
		key = append(key, "`"+c.Name+"`")
	}
	if !l.unique {
		key = append(key, "keyspace_id")
	}
	return fmt.Sprintf("CREATE TABLE `%s` (%s, keyspace_id VARBINARY(16) NOT NULL, PRIMARY KEY (%s))",
		l.entry(), strings.Join(columns, ", "), strings.Join(key, ", "))
}

func typeText(c *sqlast.ColumnDef) string {
	text := c.Type.Name
	if c.Type.Size >= 0 && c.Type.Class != sqlast.ClassInt {
		text += fmt.Sprintf("(%d)", c.Type.Size)
	}
	if c.Type.Unsigned {
		text += " UNSIGNED"
	}
	if c.Type.Collation != "" {
		text += " COLLATE " + c.Type.Collation
	}
	return text + " NOT NULL"
}

// columnVindex is the type of vindex that fits a column, "" if none does.
func columnVindex(c *sqlast.ColumnDef) string {
	if c == nil {
		return ""
	}
	switch {
	case c.Type.Bool || c.Generated != nil:
		return ""
	case c.Type.Class == sqlast.ClassInt:
		return "hash"
	case c.Type.Class == sqlast.ClassText && c.Type.NoCase:
		return "unicode_loose_xxhash"
	case c.Type.Class == sqlast.ClassText && len(c.Type.Values) == 0, c.Type.Class == sqlast.ClassBlob:
		return "xxhash"
	}
	return ""
}

// world is what statements are planned against.
type world struct{ env *route.Env }

// build makes the world of tables under a VSchema; "" is auto mode.
func build(k keyspace, creates []string, lookups []string, text string) (*world, error) {
	v := vschema.New()
	var err error
	if text != "" {
		v, err = vschema.Parse([]byte(text))
	} else {
		v, err = v.WithKeyspace(&vschema.Keyspace{Name: k.name, Sharded: k.shards > 1, Auto: true})
	}
	if err != nil {
		return nil, err
	}
	s := (*schema.Schema)(nil).With(0)
	o := ddl.Options{Keyspace: k.name, Shards: map[string]int{k.name: k.shards}, Unchecked: true}
	for _, create := range slices.Concat(lookups, creates) {
		st, err := sqlparse.Parse(create, sqlparse.Options{})
		if err != nil {
			return nil, err
		}
		c, err := ddl.Plan(st.Stmt, s, v, o)
		if err != nil {
			return nil, err
		}
		s = s.With(s.Version+1, c.Schema...)
		if c.VSchema != nil {
			v = c.VSchema
		}
	}
	m := &route.ShardMap{Keyspace: k.name, Ranges: vindex.EvenRanges(k.shards)}
	for _, r := range m.Ranges {
		m.Names = append(m.Names, r.String())
	}
	if v, err = v.Bind(k.name, m.Ranges); err != nil {
		return nil, err
	}
	keys := foreign.Of(s, v, func(string) foreign.Shards { return foreign.Shards{Number: k.shards} })
	return &world{&route.Env{Schema: s, VSchema: v, Shards: func(string) *route.ShardMap { return m }, Keyspace: k.name, Shard: -1,
		Printer: sqlite.Printer{}, Foreign: keys}}, nil
}

// plan plans a statement.
func (w *world) plan(text string) (*route.Plan, error) {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return nil, err
	}
	shared := st.ParamNames != nil
	switch q := st.Stmt.(type) {
	case sqlast.Query:
		return route.Select(w.env, q, st.Params, shared)
	case *sqlast.Insert:
		return route.Insert(w.env, q, st.Params, shared)
	case *sqlast.Update:
		return route.Update(w.env, q, st.Params, shared)
	case *sqlast.Delete:
		return route.Delete(w.env, q, st.Params, shared)
	}
	return nil, fmt.Errorf("statements like this have no plan")
}
