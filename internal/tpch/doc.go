// Package tpch is the decision support benchmark TPC-H for vitessdo: a seed and
// a scale go in, rows come out ([Config.Generate]), in tables that are sharded in
// one of several ways ([Layouts]), for the benchmark's 22 queries ([Queries])
// with the parameters that its specification validates answers by.
//
// The rows follow the specification's keys, references and distributions, but
// are this package's own, and its texts are short; so answers agree with those
// of another database that holds the same rows, not with published ones. Small
// data would leave most answers empty: [Config.Favour] draws the values that the
// queries ask for more often than the specification does.
package tpch
