package route

import (
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// from binds a FROM clause and returns it, views replaced, with its sources.
func (b *binder) from(t sqlast.TableExpr, own *block, nullable bool) (sqlast.TableExpr, []*source, error) {
	switch t := t.(type) {
	case *sqlast.TableRef:
		return b.tableRef(t, own, nullable)
	case *sqlast.Derived:
		s, err := b.derived(t, own, nullable)
		return t, []*source{s}, err
	case *sqlast.Join:
		return b.join(t, own, nullable)
	}
	return t, nil, nil
}

func (b *binder) tableRef(t *sqlast.TableRef, own *block, nullable bool) (sqlast.TableExpr, []*source, error) {
	if t.Schema == "" {
		if c := own.cteNamed(t.Name); c != nil {
			if c.binding && c.cols == nil {
				return nil, nil, unsupported("a recursive common table expression whose first member refers to itself ("+c.name+")", "")
			}
			if c.binding {
				c.recursive = true
			}
			c.refs++
			b.nests = true
			s := &source{label: t.Label(), ref: t, query: c.query, cols: slices.Clone(c.cols), cte: c, nullable: nullable}
			return t, []*source{s}, b.addSource(s, own)
		}
	}
	ks := t.Schema
	if ks == "" {
		ks = b.env.Keyspace
	}
	if isCatalog(ks) {
		return b.catalogRef(t, own, nullable)
	}
	if ks == "" {
		return nil, nil, errorf(CodeNoKeyspace, t.Pos, "no database selected")
	}
	if b.env.Shards(ks) == nil {
		return nil, nil, errorf(CodeUnknownKeyspace, t.Pos, "unknown database '%s'", ks)
	}
	def := b.env.Schema.Table(ks, t.Name)
	if def != nil && schema.Hidden(def.Name) && !b.env.Internal {
		def = nil
	}
	if def == nil {
		if v := b.env.Schema.View(ks, t.Name); v != nil {
			if b.merge && !nullable && own.parent == nil {
				if s, err := b.writtenView(t, ks, own); s != nil || err != nil {
					return t, []*source{s}, err
				}
			}
			return b.view(t, ks, own, nullable)
		}
		return nil, nil, &Error{Code: CodeUnknownTable, Pos: t.Pos, Table: t.Name,
			Message: "table '" + ks + "." + t.Name + "' doesn't exist"}
	}
	s, err := b.written(t, ks, def, own)
	if err != nil {
		return nil, nil, err
	}
	s.nullable = nullable
	return t, []*source{s}, b.addSource(s, own)
}

// base makes the source of a stored table.
func (b *binder) base(t *sqlast.TableRef, ks string, def *sqlast.TableDef) (*source, error) {
	t.Table, t.Schema = def, ""
	if t.Alias == "" && t.Name != def.Name {
		t.Alias = t.Name
	}
	t.Name = def.Name
	s := &source{label: t.Label(), keyspace: ks, ref: t, def: def}
	if t.Shard != "" {
		m := b.env.Shards(ks)
		at := slices.Index(m.Names, t.Shard)
		if at < 0 {
			return nil, errorf(CodeUnknownKeyspace, t.Pos, "keyspace %s has no shard %q; it has %s", ks, t.Shard, strings.Join(m.Names, ", "))
		}
		s.target, t.Shard = &at, ""
	} else if b.env.Shard >= 0 && ks == b.home {
		s.target = &b.env.Shard
	}
	if k := b.env.VSchema.Keyspaces[ks]; k != nil {
		s.vt = k.Table(def.Name)
		if schema.Hidden(def.Name) {
			s.vt = vschema.KeyTable(def.Name, def.PartitionKey)
		}
		if s.vt == nil && k.Sharded {
			return nil, errorf(CodeNotInVSchema, t.Pos, "table '%s' is not in the VSchema of keyspace '%s': declare it with ALTER VSCHEMA ON %s ADD VINDEX …, or in CREATE TABLE by PARTITION BY KEY(…)", def.Name, ks, def.Name)
		}
	}
	for _, c := range def.Columns {
		s.cols = append(s.cols, outCol{name: c.Name, typ: c.Type, def: c})
	}
	b.bases = append(b.bases, s)
	if name := ks + "." + def.Name; !slices.Contains(b.tables, name) {
		b.tables = append(b.tables, name)
	}
	return s, nil
}

// view puts a view's query in its place.
func (b *binder) view(t *sqlast.TableRef, ks string, own *block, nullable bool) (sqlast.TableExpr, []*source, error) {
	v := b.env.Schema.View(ks, t.Name)
	d := &sqlast.Derived{Query: sqlast.CloneQuery(v.Query), Alias: t.Label(), Columns: v.Columns}
	// Bare names in it are of the view's keyspace.
	session, env := b.env, *b.env
	env.Keyspace = ks
	b.env = &env
	s, err := b.derivedIn(d, &block{}, own, nullable)
	b.env = session
	return d, []*source{s}, err
}

func (b *binder) derived(d *sqlast.Derived, own *block, nullable bool) (*source, error) {
	if d.Lateral {
		return b.lateral(d, own, nullable)
	}
	return b.derivedIn(d, &block{parent: own.parent, ctes: own.ctes}, own, nullable)
}

func (b *binder) derivedIn(d *sqlast.Derived, parent, own *block, nullable bool) (*source, error) {
	if d.Alias == "" {
		return nil, errorf(CodeDuplicateAlias, -1, "every derived table must have its own alias")
	}
	cols, err := b.query(d.Query, parent)
	if err != nil {
		return nil, err
	}
	nameItems(d.Query)
	if len(d.Columns) > 0 && len(d.Columns) != len(cols) {
		return nil, errorf(CodeColumnCount, -1, "derived table %s names %d columns, its query gives %d", d.Alias, len(d.Columns), len(cols))
	}
	b.nests = true
	cols = renamed(cols, d.Columns)
	if d.JSON != nil {
		if cols, err = jsonColumns(d.JSON); err != nil {
			return nil, err
		}
	}
	s := &source{label: d.Alias, query: d.Query, cols: cols, nullable: nullable, json: d.JSON != nil}
	return s, b.addSource(s, own)
}

func (b *binder) addSource(s *source, own *block) error {
	for _, o := range own.sources {
		if !o.called("", s.label) {
			continue
		}
		if o.keyspace == s.keyspace || s.ref == nil {
			return errorf(CodeDuplicateAlias, -1, "not unique table/alias: '%s'", s.label)
		}
		// Tables of two keyspaces may have one name; the engine needs two.
		s.name = s.label
		s.label = s.keyspace + "." + s.label
		s.ref.Alias = s.label
	}
	s.block = own
	if s.nullable {
		for i := range s.cols {
			s.cols[i].typ.NotNull = false
		}
	}
	own.sources = append(own.sources, s)
	return nil
}

func (b *binder) join(j *sqlast.Join, own *block, nullable bool) (sqlast.TableExpr, []*source, error) {
	l, left, err := b.from(j.L, own, nullable || j.Kind == sqlast.JoinRight || j.Kind == sqlast.JoinFull)
	if err != nil {
		return nil, nil, err
	}
	r, right, err := b.from(j.R, own, nullable || j.Kind == sqlast.JoinLeft || j.Kind == sqlast.JoinFull)
	if err != nil {
		return nil, nil, err
	}
	j.L, j.R = l, r
	if err := b.using(j, left, right); err != nil {
		return nil, nil, err
	}
	if err := b.condition(&j.On, own, clauseOn); err != nil {
		return nil, nil, err
	}
	own.joins = append(own.joins, &joinInfo{join: j, left: left, right: right})
	return j, append(slices.Clone(left), right...), nil
}

// using turns USING and NATURAL into ON, and hides the merged columns.
func (b *binder) using(j *sqlast.Join, left, right []*source) error {
	names := j.Using
	if j.Natural {
		names = commonColumns(left, right)
	}
	var conds []sqlast.Expr
	for _, name := range names {
		l, r := holder(left, name), holder(right, name)
		if l == nil || r == nil {
			return errorf(CodeUnknownColumn, -1, "unknown column '%s' in 'from clause': USING needs it on both sides", name)
		}
		eq := &sqlast.Binary{Op: sqlast.OpEq,
			L: &sqlast.Col{Schema: l.keyspace, Table: l.label, Name: name, Pos: -1},
			R: &sqlast.Col{Schema: r.keyspace, Table: r.label, Name: name, Pos: -1}}
		conds = append(conds, eq)
		if j.Kind == sqlast.JoinRight {
			l.cols[l.find(name)].hidden = true
		} else {
			r.cols[r.find(name)].hidden = true
		}
	}
	if len(names) > 0 || j.Natural {
		j.On = sqlast.And(conds...)
		j.Using, j.Natural = nil, false
	}
	return nil
}

func commonColumns(left, right []*source) []string {
	var names []string
	for _, l := range left {
		for _, c := range l.cols {
			if !c.hidden && holder(right, c.name) != nil {
				names = append(names, c.name)
			}
		}
	}
	return names
}

func holder(sources []*source, name string) *source {
	for _, s := range sources {
		if s.find(name) >= 0 {
			return s
		}
	}
	return nil
}

// expandStars replaces * and t.* by columns, in the schema's order: a shard's
// own order may be another.
func (b *binder) expandStars(s *sqlast.Select, own *block) error {
	var out []sqlast.SelectItem
	for i, it := range s.Items {
		if !it.Star {
			out = append(out, it)
			continue
		}
		found := false
		for _, src := range own.sources {
			if it.Table != "" && !src.called(it.Schema, it.Table) {
				continue
			}
			found = true
			for _, c := range src.cols {
				if c.hidden && it.Table == "" || containsFold(it.Hide, c.name) {
					continue
				}
				out = append(out, sqlast.SelectItem{Expr: &sqlast.Col{Schema: src.keyspace, Table: starQualifier(src, own), Name: c.name, Pos: -1}})
			}
		}
		if !found {
			if it.Table != "" {
				return errorf(CodeUnknownTable, -1, "unknown table '%s' in '%s.*'", it.Table, it.Table)
			}
			return errorf(CodeUnknownTable, -1, "no tables used: item %d is *, and there is no FROM", i+1)
		}
	}
	s.Items = out
	return nil
}

func starQualifier(src *source, own *block) string {
	if len(own.sources) == 1 && own.parent == nil {
		return ""
	}
	return src.label
}
