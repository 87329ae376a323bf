package vitessdo

import (
	"slices"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/postgres"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/route"
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

// speak says in a keyspace's shard map what prints for its shards. A statement may go
// to any of those that speak one dialect, so that the weakest of them decides; those
// that speak another have a text of their own.
func speak(m *route.ShardMap, shards []tablet.Tablet) {
	var dialects []string
	weakest := map[string]tablet.Capabilities{}
	speaks := make([]int, len(shards))
	for i, t := range shards {
		caps := t.Capabilities()
		if speaks[i] = slices.Index(dialects, caps.Dialect); speaks[i] < 0 {
			speaks[i] = len(dialects)
			dialects = append(dialects, caps.Dialect)
			weakest[caps.Dialect] = caps
		}
		weakest[caps.Dialect] = weakest[caps.Dialect].Weakest(caps)
	}
	if len(dialects) <= 1 && (len(dialects) == 0 || likeTheGate(weakest[dialects[0]])) {
		return
	}
	for _, name := range dialects {
		m.Printers = append(m.Printers, printerFor(weakest[name]))
	}
	if len(dialects) > 1 {
		m.Speaks = speaks
	}
}

// likeTheGate says whether engines can compute all that the gate's can.
func likeTheGate(caps tablet.Capabilities) bool {
	return caps.MySQLFunctions && caps.Dialect != "postgres"
}

// printerFor gives what prints for engines of one dialect.
func printerFor(caps tablet.Capabilities) dialect.Printer {
	switch {
	case caps.Dialect == "postgres":
		return postgres.Printer{}
	case likeTheGate(caps):
		return gatePrinter
	}
	return sqlite.Printer{Plain: &sqlite.Limits{Bytes: caps.MaxStatement, Columns: caps.MaxColumns, Terms: caps.MaxTerms, Depth: caps.MaxDepth}}
}

// printer gives what prints for one shard.
func (s *snapshot) printer(ks string, shard int) dialect.Printer {
	if m := s.shards[ks]; m != nil {
		return m.Printer(shard, gatePrinter)
	}
	return gatePrinter
}
