package vitessdo

import (
	"context"
	"fmt"
	"sync"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// RegisterEngine makes a scheme known to topology files: open gives the engine of the
// database at an address "scheme:…", which is then one shard. It is to be called by
// init functions, and panics when the scheme is taken.
func RegisterEngine(scheme string, open func(ctx context.Context, address, token string) (tabletserver.Engine, error)) {
	if hostKinds[scheme] != nil {
		panic("vitessdo: places with the scheme " + scheme + " are known already")
	}
	hostKinds[scheme] = func(address, token string, cfg *Config, peer peerFinder) (host, error) {
		return &engineHost{cfg: cfg.Clone(), peer: peer, open: func(ctx context.Context) (tabletserver.Engine, error) { return open(ctx, address, token) }}, nil
	}
}

// engineHost is a host of one shard, which is a database elsewhere. The table _vt_shard
// says which shard it is.
type engineHost struct {
	cfg  *Config
	peer peerFinder
	open func(ctx context.Context) (tabletserver.Engine, error)

	mu     sync.Mutex
	t      *tabletserver.Tablet // nil while it isn't open
	closed bool
}

const (
	createShardMark = "CREATE TABLE IF NOT EXISTS _vt_shard(keyspace TEXT NOT NULL, shard TEXT NOT NULL)"
	readShardMark   = "SELECT keyspace, shard FROM _vt_shard"
	// tablesOfUsers lists what isn't the tablet's or the engine's own.
	tablesOfUsers = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'` +
		` AND name NOT IN ('_vt_shard', '_vt_meta', '_vt_mark', '_vt_applied', '_vt_decided', '_vt_redo')`
)

func (h *engineHost) tablet(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, err := h.get(ctx, at)
	if err != nil {
		return nil, err
	}
	is, err := shardMark(ctx, t)
	if err == nil && is != at {
		err = &tablet.Error{Code: tablet.CodeWrongShard, Target: at, Message: "the database is " + markText(is)}
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// get opens the tablet. The caller holds mu.
func (h *engineHost) get(ctx context.Context, at tablet.Target) (*tabletserver.Tablet, error) {
	switch {
	case h.closed:
		return nil, newError(CodeClosed, "the database is closed")
	case h.t != nil && h.t.Target() != at:
		return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: at, Message: "the place is that of shard " + h.t.Target().Keyspace + "/" + h.t.Target().Shard + " already"}
	case h.t != nil:
		return h.t, nil
	}
	c, err := tabletConfig(ctx, h.cfg, at, "")
	if err == nil {
		c.Engine, err = h.open(ctx)
	}
	if err != nil {
		return nil, err
	}
	c.Peer = h.peer
	h.t, err = tabletserver.Open(context.WithoutCancel(ctx), c)
	return h.t, err
}

func (h *engineHost) create(ctx context.Context, at tablet.Target) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, err := h.get(ctx, at)
	if err != nil {
		return err
	}
	is, err := shardMark(ctx, t)
	if err != nil {
		return err
	}
	names, err := allOf(ctx, t, tablesOfUsers)
	if err != nil {
		return err
	}
	if is != at && (is != tablet.Target{} || len(names) > 0) {
		return newError(CodeTopology, "the database of shard %s/%s isn't empty: it is %s", at.Keyspace, at.Shard, markText(is))
	}
	return h.clear(ctx, names, at)
}

// clear drops tables, and says which shard the database is from then on; the zero
// Target is none.
func (h *engineHost) clear(ctx context.Context, names [][]any, is tablet.Target) error {
	tx, err := h.t.Begin(ctx, tablet.TxOptions{Write: true, NoForeignKeys: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	run := func(sql string, args ...any) {
		if err == nil {
			_, err = tx.Exec(ctx, &tablet.Query{SQL: sql, Args: args})
		}
	}
	for _, row := range names {
		run("DROP TABLE " + quoteName(fmt.Sprint(row[0])))
	}
	run(createShardMark)
	run("DELETE FROM _vt_shard")
	if is != (tablet.Target{}) {
		run("INSERT INTO _vt_shard VALUES(?1, ?2)", is.Keyspace, is.Shard)
	}
	if err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func (h *engineHost) drop(ctx context.Context, at tablet.Target) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, err := h.get(ctx, at)
	if err != nil {
		return err
	}
	is, err := shardMark(ctx, t)
	if err != nil || is != at {
		return err
	}
	names, err := allOf(ctx, t, tablesOfUsers)
	if err != nil {
		return err
	}
	return h.clear(ctx, names, tablet.Target{})
}

func (h *engineHost) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.t == nil {
		return nil
	}
	return h.t.Close()
}

// shardMark says which shard a database is; the zero Target is none.
func shardMark(ctx context.Context, t tablet.Tablet) (is tablet.Target, err error) {
	rows, err := allOf(ctx, t, readShardMark)
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return is, nil
	}
	if err == nil && len(rows) > 0 {
		is = tablet.Target{Keyspace: fmt.Sprint(rows[0][0]), Shard: fmt.Sprint(rows[0][1])}
	}
	return is, err
}

func markText(is tablet.Target) string {
	if is == (tablet.Target{}) {
		return "no shard's"
	}
	return "shard " + is.Keyspace + "/" + is.Shard
}
