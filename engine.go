package vitessdo

import (
	"github.com/vitessdo/vitessdo/dialect"
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
	if first || all.MySQLFunctions {
		return gatePrinter, nil
	}
	return sqlite.Printer{Plain: &sqlite.Limits{Bytes: all.MaxStatement, Columns: all.MaxColumns, Terms: all.MaxTerms, Depth: all.MaxDepth}}, gatePrinter
}
