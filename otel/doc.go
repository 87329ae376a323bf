// Package vitessdootel tells OpenTelemetry what statements do: a span for each, with
// a child for every question to a shard, and metrics. It is an observer of the
// driver:
//
//	cfg.Observers = append(cfg.Observers, vitessdootel.New())
//
// Spans and metrics follow the semantic conventions for databases. What is ours has
// names that begin with "vitessdo.": plan type, shards, whether all were asked, the
// statement's digest, and the labels of [vitessdo.WithLabel].
//
// db.query.text is the statement without its literals, unless [WithQueryText] says
// otherwise. Arguments are never told.
//
// It is a module of its own, so that the driver doesn't depend on OpenTelemetry, and
// needs nothing of that but the API.
package vitessdootel
