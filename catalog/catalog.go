package catalog

import (
	"context"
	"fmt"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vschema"
)

// Snapshot is one version of all that planning looks at. It isn't changed.
type Snapshot struct {
	Version uint64
	Schema  *schema.Schema
	VSchema *vschema.VSchema
	Shards  map[string]*route.ShardMap // by keyspace
	Auto    bool
}

// Error says what of a catalog can't be read.
type Error struct {
	VSchema bool // it is the VSchema, else a table or a view
	Message string
	Err     error
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Read makes a snapshot of a state. shard gives what reads the tables of any shard
// of a keyspace, or nil. An error is an [*Error], or the shard's.
func Read(ctx context.Context, st *topo.State, shard func(ks string) tablet.Runner) (*Snapshot, error) {
	snap := &Snapshot{Version: st.Version, Shards: map[string]*route.ShardMap{}, Auto: st.Auto}
	v := vschema.New()
	if len(st.VSchema) > 0 {
		var err error
		if v, err = vschema.Parse(st.VSchema); err != nil {
			return nil, &Error{VSchema: true, Err: err, Message: "the stored VSchema can't be read: " + err.Error()}
		}
	}
	for _, ks := range st.Keyspaces {
		m := &route.ShardMap{Keyspace: ks.Name, Ranges: ks.Ranges(), Schema: st.Schema(ks.Name)}
		for _, s := range ks.Shards {
			m.Names = append(m.Names, s.Name)
		}
		snap.Shards[ks.Name] = m
		var err error
		if v, err = bind(v, ks, st.Auto); err != nil {
			return nil, err
		}
	}
	snap.VSchema = v
	var changes []schema.Change
	for _, r := range st.Relations {
		ch, err := readRelation(r)
		if err == nil && ch.Table != nil {
			err = markNumbers(ctx, shard(r.Keyspace), ch.Table)
		}
		if err != nil {
			return nil, err
		}
		changes = append(changes, ch)
	}
	snap.Schema = (*schema.Schema)(nil).With(st.Version, changes...)
	return snap, nil
}

// bind completes a keyspace of the VSchema and binds its vindexes to the shards.
func bind(v *vschema.VSchema, ks topo.Keyspace, auto bool) (*vschema.VSchema, error) {
	if v.Keyspaces[ks.Name] == nil {
		var err error
		v, err = v.WithKeyspace(&vschema.Keyspace{Name: ks.Name, Sharded: ks.Sharded, Auto: auto && ks.Sharded})
		if err != nil {
			return nil, err
		}
	}
	v, err := v.Bind(ks.Name, ks.Ranges())
	if err != nil {
		return nil, &Error{VSchema: true, Err: err, Message: fmt.Sprintf("VSchema of keyspace %s: %v", ks.Name, err)}
	}
	return v, nil
}

// readRelation parses a stored definition.
func readRelation(r topo.Relation) (schema.Change, error) {
	st, err := sqlparse.Parse(r.DDL, sqlparse.Options{})
	if err != nil {
		return schema.Change{}, &Error{Err: err, Message: fmt.Sprintf("the stored definition of %s.%s can't be read: %v", r.Keyspace, r.Name, err)}
	}
	ch := schema.Change{Keyspace: r.Keyspace}
	switch s := st.Stmt.(type) {
	case *sqlast.CreateTable:
		ch.Table = s.Def
	case *sqlast.CreateView:
		ch.View = &schema.View{Name: r.Name, Columns: s.Columns, Query: s.Query, Text: s.QueryText, Check: s.Check}
	default:
		return ch, &Error{Message: fmt.Sprintf("the stored definition of %s.%s is no CREATE statement", r.Keyspace, r.Name)}
	}
	return ch, nil
}
