package postgres

import (
	"context"
	"strconv"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// Topology files name a database by its URL.
func init() {
	for _, scheme := range []string{"postgres", "postgresql"} {
		vitessdo.RegisterEngine(scheme, func(ctx context.Context, address, token string) (tabletserver.Engine, error) {
			e, err := open(ctx, address, token, Options{})
			if err != nil {
				return nil, err
			}
			return e, nil
		})
	}
}

// Storage is what vitessdo.Config.Storage takes: the URLs of shards by "keyspace/shard".
func Storage(urls map[string]string) func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
	return func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		at, ok := urls[keyspace+"/"+shard]
		if !ok {
			return nil, &tablet.Error{Code: tablet.CodeMisuse, Target: tablet.Target{Keyspace: keyspace, Shard: shard},
				Message: "no PostgreSQL database is given for shard " + strconv.Quote(keyspace+"/"+shard)}
		}
		for other, url := range urls {
			if url == at && other != keyspace+"/"+shard {
				return nil, &tablet.Error{Code: tablet.CodeMisuse, Target: tablet.Target{Keyspace: keyspace, Shard: shard},
					Message: "the shards " + strconv.Quote(keyspace+"/"+shard) + " and " + strconv.Quote(other) + " have the same PostgreSQL database; give each one of its own, or a schema by search_path"}
			}
		}
		e, err := Open(ctx, at, Options{})
		if err != nil {
			return nil, err
		}
		return e, nil
	}
}
