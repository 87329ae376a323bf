package main

import (
	"fmt"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

const (
	// keyspace is the name of the one that Vitess's test fixture selects.
	keyspace = "main"
	shards   = 4
)

// openOurs gives vitessdo's planner over the tables.
func openOurs() (planner, error) {
	sch := (*schema.Schema)(nil).With(1)
	vs, err := vschema.New().WithKeyspace(&vschema.Keyspace{Name: keyspace, Sharded: true, Auto: true})
	if err == nil {
		vs, err = vs.Bind(keyspace, vindex.EvenRanges(shards))
	}
	if err != nil {
		return nil, err
	}
	texts, err := sqlparse.Split(tables, sqlparse.Options{})
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		st, err := sqlparse.Parse(text, sqlparse.Options{})
		if err != nil {
			return nil, err
		}
		c, err := ddl.Plan(st.Stmt, sch, vs, ddl.Options{Keyspace: keyspace, Shards: map[string]int{keyspace: shards}, UniqueKeys: "shard"})
		if err != nil {
			return nil, err
		}
		sch = sch.With(sch.Version+1, c.Schema...)
		if c.VSchema != nil {
			if vs, err = c.VSchema.Bind(keyspace, vindex.EvenRanges(shards)); err != nil {
				return nil, err
			}
		}
	}
	m := &route.ShardMap{Keyspace: keyspace, Ranges: vindex.EvenRanges(shards)}
	for _, r := range m.Ranges {
		m.Names = append(m.Names, r.String())
	}
	return func(text string) error {
		// A session makes its environment anew for every plan.
		return planOurs(&route.Env{Schema: sch, VSchema: vs, Shards: func(string) *route.ShardMap { return m },
			Keyspace: keyspace, Shard: -1, Printer: sqlite.Printer{}}, text)
	}, nil
}

func planOurs(env *route.Env, text string) error {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return err
	}
	switch q := st.Stmt.(type) {
	case sqlast.Query:
		_, err = route.Select(env, q, st.Params, false)
	case *sqlast.Insert:
		_, err = route.Insert(env, q, st.Params, false)
	case *sqlast.Update:
		_, err = route.Update(env, q, st.Params, false)
	case *sqlast.Delete:
		_, err = route.Delete(env, q, st.Params, false)
	default:
		err = fmt.Errorf("a statement of type %T is not planned", q)
	}
	return err
}
