package vitessdo

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/rpc/capnweb"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
)

// host is one place of the topology, with any number of shards. It is safe for
// concurrent use.
type host interface {
	// tablet gives a shard that is there.
	tablet(ctx context.Context, at tablet.Target) (tablet.Tablet, error)
	// create makes the empty database of a shard, in the place of what an
	// interrupted creation has left.
	create(ctx context.Context, at tablet.Target) error
	// drop removes a shard, if it is there.
	drop(ctx context.Context, at tablet.Target) error
	close() error
}

// hosts says at which host each shard is.
type hosts struct {
	name string // of the whole, for errors
	main host   // of every shard that isn't listed; nil: all are
	at   map[tablet.Target]host
	all  []host
}

// newHosts makes the hosts that cfg names. None is connected to yet.
func newHosts(cfg *Config) (*hosts, error) {
	if cfg.Topology != "" {
		return readTopology(cfg)
	}
	h, err := newServerHost(cfg.Remote, string(cfg.AuthToken), cfg)
	if err != nil {
		return nil, err
	}
	return &hosts{name: cfg.Remote, main: h, all: []host{h}}, nil
}

// String names the topology.
func (h *hosts) String() string { return h.name }

func (h *hosts) of(at tablet.Target) (host, error) {
	if x := h.at[at]; x != nil {
		return x, nil
	}
	if h.main == nil {
		return nil, newError(CodeTopology, "%s: it doesn't say where shard %s/%s is; list it, or name a default", h.name, at.Keyspace, at.Shard)
	}
	return h.main, nil
}

// fit refuses a topology that places shards which the keyspace hasn't got: those that
// were meant would be elsewhere.
func (h *hosts) fit(k *topo.Keyspace) error {
	for at := range h.at {
		if !strings.EqualFold(at.Keyspace, k.Name) || at.Keyspace == k.Name && k.Shard(at.Shard) != nil {
			continue
		}
		var names []string
		for i := range k.Shards {
			names = append(names, k.Name+"/"+k.Shards[i].Name)
		}
		return newError(CodeTopology, "%s: it places shard %s/%s, and there are %s; correct the name there, or the number of shards", h.name, at.Keyspace, at.Shard, strings.Join(names, ", "))
	}
	return nil
}

// peer finds a tablet for another that settles a transaction with it.
func (h *hosts) peer(at tablet.Target) (tablet.Resolver, error) {
	return h.tablet(context.Background(), at)
}

func (h *hosts) tablet(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
	x, err := h.of(at)
	if err != nil {
		return nil, err
	}
	return x.tablet(ctx, at)
}

func (h *hosts) create(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
	x, err := h.of(at)
	if err == nil {
		err = x.create(ctx, at)
	}
	if err != nil {
		return nil, err
	}
	return x.tablet(ctx, at)
}

func (h *hosts) drop(ctx context.Context, at tablet.Target) error {
	x, err := h.of(at)
	if err != nil {
		return err
	}
	return x.drop(ctx, at)
}

func (h *hosts) close() error {
	var errs []error
	for _, x := range h.all {
		errs = append(errs, x.close())
	}
	return errors.Join(errs...)
}

// serverHost is a tablet server.
type serverHost struct {
	c    *rpc.Client
	http *http.Client
}

// keepAlive is how long a server may be silent before its connection is taken for
// lost.
const keepAlive = 5 * time.Second

// newServerHost reaches a server. Requests bring the token along, and how long
// they wait for locks.
func newServerHost(address, token string, cfg *Config) (host, error) {
	o := &rpc.ClientOptions{LockWait: cfg.LockWaitTimeout, HTTP: newHTTP(), Session: &capnweb.Options{KeepAlive: keepAlive}}
	if token != "" {
		o.Header = http.Header{"Authorization": {"Bearer " + token}}
	}
	c, err := rpc.NewClient(address, o)
	if err != nil {
		return nil, errorFrom(CodeDSN, err, "%v", err)
	}
	return serverHost{c, o.HTTP}, nil
}

// newHTTP is the default client with connections enough for a scatter's requests.
func newHTTP() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 64
	return &http.Client{Transport: t}
}

func (h serverHost) tablet(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
	t, err := h.c.Tablet(ctx, at)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (h serverHost) create(ctx context.Context, at tablet.Target) error {
	return h.c.CreateShard(ctx, at)
}

func (h serverHost) drop(ctx context.Context, at tablet.Target) error { return h.c.DropShard(ctx, at) }

func (h serverHost) close() error {
	err := h.c.Close()
	h.http.CloseIdleConnections()
	return err
}
