package vitessdo

import (
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/postgres"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// engines are what the option engine makes of the shards of this process, so that an
// application can be tried as it will run elsewhere.
var engines = map[string]func(*tabletserver.Config){
	"sqlite": func(*tabletserver.Config) {},
	"plain":  func(c *tabletserver.Config) { c.Plain = true },
	"durable_object": func(c *tabletserver.Config) {
		c.Plain, c.Replays = true, true
		c.Limits = tabletserver.Limits{Parameters: 100, Bytes: 100_000, Columns: 100, Terms: 5, Depth: 100}
	},
}

// gatePrinter prints for the gate's own engine, and for shards whose engine is like it.
var gatePrinter dialect.Printer = sqlite.Printer{}

// printers gives what prints for the shards, and what for the gate; the latter is nil
// when the shards can do all that the gate can. A statement may go to any shard, so
// that the weakest engine decides.
func (m tabletMap) printers() (shards, gate dialect.Printer) {
	var all tablet.Capabilities
	first := true
	for _, list := range m {
		for _, t := range list {
			caps := t.Capabilities()
			if !first {
				caps = all.Weakest(caps)
			}
			all, first = caps, false
		}
	}
	if all.Dialect == "postgres" {
		return postgres.Printer{}, gatePrinter
	}
	if first || all.MySQLFunctions {
		return gatePrinter, nil
	}
	return sqlite.Printer{Plain: &sqlite.Limits{Bytes: all.MaxStatement, Columns: all.MaxColumns, Terms: all.MaxTerms, Depth: all.MaxDepth}}, gatePrinter
}

// oneDialect refuses shards that speak different dialects: a statement is printed once,
// and may go to any of them.
func (m tabletMap) oneDialect() error {
	var one tablet.Tablet
	for _, list := range m {
		for _, t := range list {
			if one != nil && (t.Capabilities().Dialect == "postgres") != (one.Capabilities().Dialect == "postgres") {
				a, b := one.Target(), t.Target()
				return newError(CodeTopology, "shard %s/%s speaks %s and shard %s/%s %s: all shards of a database must speak one dialect",
					a.Keyspace, a.Shard, one.Capabilities().Dialect, b.Keyspace, b.Shard, t.Capabilities().Dialect)
			}
			one = t
		}
	}
	return nil
}
