// Command vitessplan measures planning of a statement that no cache has, from
// its text to a plan that can be run, by vitessdo and by Vitess's own planner
// (parse, normalise, build), on the same statements over the same four tables.
// The two take turns; what is printed are medians. The command fails when
// vitessdo's median over all statements is slower than Vitess's.
//
// It is a module of its own because of what Vitess depends on; the command in
// the folder above runs it.
package main
