package ddl

import (
	"maps"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vschema"
)

// Rescale plans what it means for the tables of o.Keyspace that its rows are to be
// spread over another number of shards: o.Shards has the new one, was the old one.
// Between several and several it means nothing. One shard keeps by itself what
// several can't: unique keys, for which hidden tables come, or go when one shard is
// left; and foreign keys, which change hands between the shards and the gate, also
// of other keyspaces.
//
// params are parameters that vindexes, by name, are to have beside those they have:
// which ranges of values go to which of the new shards. Then the Change's VSchema has
// them, and so have the comments of tables that declare such a vindex.
//
// A Change's Fills are about the rows as they are spread before.
func Rescale(s *schema.Schema, v *vschema.VSchema, o Options, was int, params map[string]map[string]string) (*Change, error) {
	p := &planner{o: o, s0: s, s: s, v0: v, v: v, touched: map[relation]bool{}, made: map[string][]string{}}
	if v == nil || v.Keyspaces[o.Keyspace] == nil {
		return nil, fail(errNoDatabase, "unknown keyspace %q", o.Keyspace)
	}
	before := o
	before.Shards = maps.Clone(o.Shards)
	before.Shards[o.Keyspace] = was
	p.keys0 = keysOf(s, v, &before)
	if scattered := p.keyspace().Sharded && was > 1; scattered != p.scattered() {
		for _, def := range s.Tables(o.Keyspace) {
			if err := p.rescaleKeys(def); err != nil {
				return nil, err
			}
		}
	}
	if err := p.followKeys(); err != nil {
		return nil, err
	}
	if len(params) > 0 {
		return p.reassign(params)
	}
	return p.finish(), nil
}

// reassign ends a plan with other parameters of vindexes.
func (p *planner) reassign(params map[string]map[string]string) (*Change, error) {
	for _, def := range p.s.Tables(p.o.Keyspace) {
		pv := p.vtable(def.Name).Primary()
		if pv == nil || params[pv.Name] == nil {
			continue
		}
		next := *def
		if next.Comment = vschema.CommentWith(def.Comment, params[pv.Name]); next.Comment != def.Comment {
			p.put("", &next)
		}
	}
	v, err := p.v.WithParams(p.o.Keyspace, params)
	if err != nil {
		return nil, &Error{Number: errVSchema, Message: err.Error(), err: err}
	}
	c := p.finish()
	c.VSchema = v
	return c, nil
}

// rescaleKeys makes the hidden tables of a table's keys, or drops them.
func (p *planner) rescaleKeys(def *sqlast.TableDef) error {
	t := p.vtable(def.Name)
	if err := p.checkUnique(def, t, func(*sqlast.IndexDef) bool { return p.scattered() }); err != nil {
		return err
	}
	for _, x := range def.Indexes {
		h := p.hidden(def.Name, x)
		want, _ := p.byLookup(def, t, x)
		var err error
		switch {
		case want && h == nil:
			err = p.addLookup(def, x, true)
		case !want && h != nil:
			err = p.dropLookup(h)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
