package reshard

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/catalog"
	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

// plan is all that a run is to do.
type plan struct {
	old       *topo.State
	now       *topo.State // keyspaces only, with the files of the next generation
	snap      *catalog.Snapshot
	params    map[string]map[string]map[string]string // new ones, by keyspace and vindex
	vschema   *vschema.VSchema                        // bound to the new shards
	schema    *schema.Schema                          // as it is to be
	relations []ddl.Relation                          // that the catalog is to have
	drop      []relation                              // that it is to lose
	keyspaces []*keyspace
}

type relation struct{ keyspace, name string }

// keyspace is what becomes of one keyspace.
type keyspace struct {
	name       string
	old, now   *topo.Keyspace
	from, to   *route.ShardMap
	whole      bool     // its databases are copied as they are
	changed    bool     // its shards are others
	statements []string // that turn an empty old shard into an empty new one
	fills      []ddl.LookupFill
	jobs       []*job
	sources    []*source
	targets    []*target
	strays     int64
}

func (p *plan) nothing() bool {
	return !slices.ContainsFunc(p.keyspaces, func(k *keyspace) bool { return k.changed })
}

// wanted gives, of each keyspace that there is, its name and the shards that it is to
// have.
func (m *mover) wanted(st *topo.State) ([][]string, error) {
	chosen := map[string]bool{}
	for _, name := range m.o.Keyspaces {
		k := st.Keyspace(name)
		switch {
		case k == nil:
			return nil, fmt.Errorf("data directory %s has no keyspace %s", m.dir.Path(), name)
		case !k.Sharded && (m.o.Shards > 1 || len(m.o.Ranges) > 1):
			return nil, fmt.Errorf("keyspace %s is unsharded: nothing says which columns its tables would be sharded by; "+
				"create a sharded keyspace (CREATE DATABASE), its tables with their sharding, and export and import the rows", k.Name)
		}
		chosen[k.Name] = true
	}
	var out [][]string
	for i := range st.Keyspaces {
		k := &st.Keyspaces[i]
		names := shardNames(k)
		if chosen[k.Name] || len(chosen) == 0 && k.Sharded {
			var err error
			if names, err = m.target(k.Name); err != nil {
				return nil, err
			}
		}
		out = append(out, append([]string{k.Name}, names...))
	}
	return out, nil
}

func shardNames(k *topo.Keyspace) []string {
	out := make([]string, len(k.Shards))
	for i := range k.Shards {
		out[i] = k.Shards[i].Name
	}
	return out
}

// target names the shards that a resharded keyspace is to have.
func (m *mover) target(ks string) ([]string, error) {
	if len(m.o.Ranges) == 0 {
		k, err := topo.NewKeyspace(ks, m.o.Shards, true)
		return shardNames(&k), err
	}
	ranges := make([]vindex.KeyRange, len(m.o.Ranges))
	for i, name := range m.o.Ranges {
		var err error
		if ranges[i], err = vindex.ParseKeyRange(name); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(ranges, func(a, b vindex.KeyRange) int { return strings.Compare(a.Start, b.Start) })
	if err := vindex.CheckRanges(ranges); err != nil {
		return nil, err
	}
	out := make([]string, len(ranges))
	for i, r := range ranges {
		out[i] = r.String()
	}
	return out, nil
}

// planAll reads the catalog and plans everything, down to the jobs.
func (m *mover) planAll(ctx context.Context) (*plan, error) {
	p := &plan{now: &topo.State{}}
	if err := m.readCatalog(ctx, p); err != nil {
		return nil, err
	}
	want, err := m.wanted(p.old)
	if err != nil {
		return nil, err
	}
	for i := range p.old.Keyspaces {
		old := &p.old.Keyspaces[i]
		now := topo.Keyspace{Name: old.Name, Sharded: old.Sharded}
		for _, name := range want[i][1:] {
			r, err := vindex.ParseKeyRange(name)
			if err != nil {
				return nil, err
			}
			now.Shards = append(now.Shards, topo.Shard{Name: name, Range: r, File: m.dir.NextPath(old.Name, name)})
		}
		p.now.Keyspaces = append(p.now.Keyspaces, now)
	}
	if err := m.params(p); err != nil {
		return nil, err
	}
	for i := range p.now.Keyspaces {
		old, now := &p.old.Keyspaces[i], &p.now.Keyspaces[i]
		k := &keyspace{name: old.Name, old: old, now: now, from: p.snap.Shards[old.Name],
			to: &route.ShardMap{Keyspace: old.Name, Names: shardNames(now), Ranges: now.Ranges()}}
		k.changed = !slices.Equal(k.from.Names, k.to.Names) || p.params[k.name] != nil
		k.whole = !k.changed
		p.keyspaces = append(p.keyspaces, k)
	}
	if p.nothing() {
		return p, nil
	}
	if err := p.rescale(m.o.UniqueKeys); err != nil {
		return nil, err
	}
	moved, err := p.moved()
	if err != nil {
		return nil, err
	}
	for _, k := range p.keyspaces {
		if !k.whole {
			if err := p.jobs(k, moved); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// params finds the vindexes that get other parameters.
func (m *mover) params(p *plan) error {
	for _, name := range slices.Sorted(maps.Keys(m.o.Vindexes)) {
		ks, vx, qualified := strings.Cut(name, ".")
		var found []string
		for _, k := range p.old.Keyspaces {
			if def := p.snap.VSchema.Keyspaces[k.Name].Vindexes[vx]; qualified && def != nil && k.Name == ks {
				found = append(found, k.Name)
			} else if def := p.snap.VSchema.Keyspaces[k.Name].Vindexes[name]; !qualified && def != nil {
				vx, found = name, append(found, k.Name)
			}
		}
		switch {
		case len(found) == 0:
			return fmt.Errorf("there is no vindex %q; SHOW VSCHEMA VINDEXES lists them", name)
		case len(found) > 1:
			return fmt.Errorf("vindex %q is in keyspaces %s; write keyspace.vindex", name, strings.Join(found, ", "))
		case !m.chosen(found[0]):
			return fmt.Errorf("vindex %q is in keyspace %s, which isn't resharded; name that too", name, found[0])
		}
		def := p.snap.VSchema.Keyspaces[found[0]].Vindexes[vx]
		if def.Type != "range" {
			return fmt.Errorf("vindex %q is of type %s; only range vindexes can have other parameters", name, def.Type)
		}
		for key, value := range m.o.Vindexes[name] {
			if key != "shards" && key != "boundaries" {
				return fmt.Errorf("vindex %q: parameter %q stays as it is; shards and boundaries can become others", name, key)
			}
			if was, there := def.Params[key]; there && was == value {
				continue
			}
			if p.params == nil {
				p.params = map[string]map[string]map[string]string{}
			}
			if p.params[found[0]] == nil {
				p.params[found[0]] = map[string]map[string]string{}
			}
			p.params[found[0]][vx] = m.o.Vindexes[name]
		}
	}
	return nil
}

func (m *mover) chosen(ks string) bool {
	return len(m.o.Keyspaces) == 0 || slices.ContainsFunc(m.o.Keyspaces, func(name string) bool { return strings.EqualFold(name, ks) })
}

// readCatalog reads the old state, without changing anything.
func (m *mover) readCatalog(ctx context.Context, p *plan) error {
	open := map[string]*tabletserver.Tablet{}
	get := func(ks, shard, file string) (*tabletserver.Tablet, error) {
		t, err := tabletserver.Open(ctx, tabletserver.Config{Target: tablet.Target{Keyspace: ks, Shard: shard}, Path: file, Disk: m.disk, ReadOnly: true})
		if err == nil {
			open[ks] = t
		}
		return t, err
	}
	defer func() {
		for _, t := range open {
			_ = t.Close()
		}
	}()
	t, err := get("_vt", "catalog", m.dir.CatalogFile())
	if err != nil {
		return err
	}
	c, err := topo.NewCatalog(ctx, t)
	if err != nil {
		return err
	}
	if p.old, err = c.Load(ctx); err != nil {
		return err
	}
	listed := m.dir.State()
	for i := range p.old.Keyspaces {
		k := &p.old.Keyspaces[i]
		l := listed.Keyspace(k.Name)
		if l == nil || !slices.Equal(shardNames(l), shardNames(k)) {
			return fmt.Errorf("data directory %s: its list of files and its catalog tell different shards of keyspace %s", m.dir.Path(), k.Name)
		}
		k.Shards = l.Shards // which says where the files are
		if _, err := get(k.Name, k.Shards[0].Name, m.dir.File(k.Shards[0].File)); err != nil {
			return err
		}
	}
	p.snap, err = catalog.Read(ctx, p.old, func(ks string) tablet.Runner { return open[ks] })
	return err
}

// appendTexts adds statements for the directory's engine, the only one there is.
func appendTexts[T fmt.Stringer](to []string, list []T) []string {
	for _, t := range list {
		to = append(to, t.String())
	}
	return to
}

// rescale finds what the shards' tables are to be, and binds the VSchema to the new
// shards.
func (p *plan) rescale(uniqueKeys string) error {
	p.schema, p.vschema = p.snap.Schema, p.snap.VSchema
	o := ddl.Options{UniqueKeys: uniqueKeys, Shards: map[string]int{}}
	for _, k := range p.keyspaces {
		o.Shards[k.name] = len(k.from.Names)
	}
	for _, k := range p.keyspaces {
		if !k.changed {
			continue
		}
		o.Keyspace, o.Shards[k.name] = k.name, len(k.to.Names)
		change, err := ddl.Rescale(p.schema, p.vschema, o, len(k.from.Names), p.params[k.name])
		if err != nil {
			return fmt.Errorf("keyspace %s can't have %d shards: %w", k.name, len(k.to.Names), err)
		}
		k.statements = appendTexts(k.statements, change.Shards)
		for _, other := range change.Others {
			at := p.keyspace(other.Keyspace)
			at.statements, at.whole = appendTexts(at.statements, other.Shards), at.whole && len(other.Shards) == 0
		}
		for _, name := range change.Drop {
			p.drop = append(p.drop, relation{k.name, name})
		}
		p.relations = append(p.relations, change.Relations...)
		k.fills = append(k.fills, change.Fills...)
		p.schema = p.schema.With(p.schema.Version, change.Schema...)
		if change.VSchema != nil {
			p.vschema = change.VSchema
		}
		if p.vschema, err = p.vschema.Bind(k.name, k.to.Ranges); err != nil {
			return fmt.Errorf("keyspace %s can't have %d shards: VSchema: %w; the option --vindex 'NAME shards=…' says so", k.name, len(k.to.Names), err)
		}
	}
	return nil
}

func (p *plan) keyspace(name string) *keyspace {
	for _, k := range p.keyspaces {
		if k.name == name {
			return k
		}
	}
	return nil
}

// idColumn is a column with keyspace IDs of a table whose rows move to others.
type idColumn struct {
	table  relation
	column string
	old    vindex.Vindex
	now    vindex.Follower
}

// moved lists the columns whose keyspace IDs become others: entries of tables whose
// vindex depends on the shards. A keyspace that has one is copied row by row.
func (p *plan) moved() (out []idColumn, err error) {
	for _, k := range p.keyspaces {
		if !k.changed {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(p.vschema.Keyspaces[k.name].Tables)) {
			vt := p.vschema.Keyspaces[k.name].Tables[name]
			pv := vt.Primary()
			if pv == nil {
				continue
			}
			now, ok := pv.Vindex.(vindex.Follower)
			if !ok {
				continue
			}
			old, n := p.snap.VSchema.Keyspaces[k.name].Table(name).Primary().Vindex, len(out)
			for _, h := range p.hiddenOf(k.name, vt.Name) {
				out = append(out, idColumn{relation{k.name, h.Name}, schema.KeyspaceIDColumn, old, now})
			}
			for _, e := range route.EntriesOf(k.name, vt) {
				out = append(out, idColumn{relation{e.Keyspace, e.Table}, e.To, old, now})
				if at := p.keyspace(e.Keyspace); at != nil {
					at.whole = false
				}
			}
			if len(out) == n {
				continue
			}
			if err := now.Follows(old); err != nil {
				return nil, fmt.Errorf("keyspace %s: table %s: %w", k.name, vt.Name, err)
			}
		}
	}
	return out, nil
}

// hiddenOf lists the hidden tables of a table's keys.
func (p *plan) hiddenOf(ks, table string) (out []*sqlast.TableDef) {
	def := p.schema.Table(ks, table)
	if def == nil {
		return nil
	}
	for _, x := range def.Indexes {
		if h := p.schema.Unique(ks, table, x); h != nil {
			out = append(out, h)
		}
	}
	return out
}

// results tells what was done.
func (p *plan) results() (out []Keyspace) {
	for _, k := range p.keyspaces {
		if !k.changed {
			continue
		}
		r := Keyspace{Name: k.name, From: k.from.Names, To: k.to.Names, Strays: k.strays}
		for _, j := range k.jobs {
			if !schema.Hidden(j.table) {
				r.Tables = append(r.Tables, Table{Name: j.table, Rows: j.sum.rows, Sum: j.sum.String()})
			}
		}
		out = append(out, r)
	}
	return out
}
