package main

import (
	"vitess.io/vitess/go/json2"
	"vitess.io/vitess/go/test/vschemawrapper"
	vschemapb "vitess.io/vitess/go/vt/proto/vschema"
	"vitess.io/vitess/go/vt/vtenv"
	"vitess.io/vitess/go/vt/vtgate/planbuilder"
	"vitess.io/vitess/go/vt/vtgate/vindexes"
)

// openVitess gives Vitess's planner over the tables, as its own tests call it.
func openVitess() (planner, error) {
	var formal vschemapb.SrvVSchema
	if err := json2.UnmarshalPB([]byte(vitessVSchema), &formal); err != nil {
		return nil, err
	}
	env, err := vtenv.New(vtenv.Options{})
	if err != nil {
		return nil, err
	}
	vs := vindexes.BuildVSchema(&formal, env.Parser())
	ks := vs.Keyspaces[keyspace]
	if ks.Error != nil {
		return nil, ks.Error
	}
	w, err := vschemawrapper.NewVschemaWrapper(env, vs, planbuilder.TestBuilder)
	if err != nil {
		return nil, err
	}
	w.Keyspace = ks.Keyspace
	if err := w.Vcursor.SetTarget(keyspace); err != nil {
		return nil, err
	}
	return func(text string) error {
		_, err := planbuilder.TestBuilder(text, w, keyspace)
		return err
	}, nil
}
