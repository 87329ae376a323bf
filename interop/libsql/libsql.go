package libsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"strconv"
	"strings"

	client "github.com/tursodatabase/libsql-client-go/libsql"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/sqldb"
)

// Topology files name a database by its URL, or by one of these, as libsql+ws.
func init() {
	for _, scheme := range []string{"libsql", "libsql+http", "libsql+https", "libsql+ws", "libsql+wss"} {
		vitessdo.RegisterEngine(scheme, func(ctx context.Context, address, token string) (tabletserver.Engine, error) {
			return open(ctx, strings.TrimPrefix(address, "libsql+"), token, sqldb.Options{})
		})
	}
}

// Open makes the caller the owner of the database at a URL, whose scheme is libsql,
// https, http, wss or ws. A token is the URL's authToken.
func Open(ctx context.Context, at string, o sqldb.Options) (*sqldb.Engine, error) {
	return open(ctx, at, "", o)
}

func open(ctx context.Context, at, token string, o sqldb.Options) (*sqldb.Engine, error) {
	if o.Name == "" {
		o.Name = plain(at)
	}
	c, err := connector(at, token)
	if err != nil {
		return nil, &tablet.Error{Code: tablet.CodeMisuse, Message: o.Name + " is no libSQL database: " + err.Error(), Err: err}
	}
	db := sql.OpenDB(c)
	// Each connection has a statement at work at a time, and the tablet keeps few.
	db.SetMaxIdleConns(16)
	o.JSON = true
	if o.MaxParameters == 0 {
		o.MaxParameters = 32766
	}
	return sqldb.New(ctx, db, o)
}

// Storage is what vitessdo.Config.Storage takes: the URLs of shards by "keyspace/shard".
func Storage(urls map[string]string) func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
	return func(ctx context.Context, keyspace, shard string) (tabletserver.Engine, error) {
		at, ok := urls[keyspace+"/"+shard]
		if !ok {
			return nil, &tablet.Error{Code: tablet.CodeMisuse, Target: tablet.Target{Keyspace: keyspace, Shard: shard},
				Message: "no libSQL database is given for shard " + strconv.Quote(keyspace+"/"+shard)}
		}
		e, err := Open(ctx, at, sqldb.Options{})
		if err != nil {
			return nil, err
		}
		return e, nil
	}
}

// connector takes the token out of the URL, as the client wants it.
func connector(at, given string) (driver.Connector, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, errors.New("its URL can't be read") // the error has the token in it
	}
	q := u.Query()
	var opts []client.Option
	if given != "" {
		opts = append(opts, client.WithAuthToken(given))
	}
	for _, name := range []string{"authToken", "auth_token"} {
		if token := q.Get(name); token != "" {
			opts = append(opts, client.WithAuthToken(token))
		}
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	return client.NewConnector(u.String(), opts...)
}

// plain is a URL without its secrets.
func plain(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return "the libSQL database"
	}
	u.RawQuery, u.User = "", nil
	return u.String()
}
