package process

import (
	"time"

	"github.com/vitessdo/vitessdo/gate/console"
	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/internal/tally"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/host"
)

// asked is what gates have asked of the tablets, whichever gates they are: the page's
// own sees only what is asked through itself.
type asked struct {
	*tally.Tally
	digests *tally.Digests
}

func newAsked() *asked {
	return &asked{tally.New(console.Statements), tally.NewDigests(console.Statements)}
}

// add counts a request, if it is of statements. How many rows it gave shows only when
// they were read, which others may do by requests of their own.
func (a *asked) add(d rpc.Done, code tablet.Code, slow bool) {
	switch d.Type {
	case rpc.TypeShardQuery, rpc.TypeShardExecute, rpc.TypeShardBatch:
	default:
		return
	}
	if d.Target.Keyspace == host.Catalog.Keyspace {
		return
	}
	a.Asked(info.Shard{Keyspace: d.Target.Keyspace, Name: d.Target.Shard}, d.Took, -1, d.Err != nil)
	texts := d.Batch
	if d.Type != rpc.TypeShardBatch {
		texts = []tablet.Query{{SQL: d.SQL}}
	}
	s := tally.Statement{Asked: 1, Failed: d.Err != nil, Slow: slow}
	s.Start, s.Duration, s.Rows = time.Now().Add(-d.Took), d.Took/time.Duration(max(1, len(texts))), -1
	s.Keyspace, s.Shards, s.Code = d.Target.Keyspace, d.Target.Shard, string(code)
	for i := range texts {
		s.Digest, s.Text = a.digests.Of(texts[i].SQL)
		a.Count(&s)
	}
}
