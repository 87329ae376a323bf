package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/internal/service"
	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
)

// peers are the other tablet servers of a database that is spread over several. Its
// tablets settle by them what a gate has left half done.
type peers struct {
	servers []*rpc.Client

	mu    sync.Mutex
	known map[tablet.Target]*rpc.Tablet
}

// findTime bounds the search for a tablet.
const findTime = 5 * time.Second

// newPeers reaches the servers at the addresses, with the token that the file holds;
// "" sends none. nil without an address.
func newPeers(addresses []string, tokenFile string) (*peers, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	o := &rpc.ClientOptions{}
	if tokenFile != "" {
		f, err := service.OpenSecret(tokenFile)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		o.Header = http.Header{"Authorization": {"Bearer " + strings.TrimSpace(string(text))}}
	}
	p := &peers{known: map[tablet.Target]*rpc.Tablet{}}
	for _, a := range addresses {
		c, err := rpc.NewClient(a, o)
		if err != nil {
			return nil, errors.Join(UsageError("-peers: "+err.Error()), p.close())
		}
		p.servers = append(p.servers, c)
	}
	return p, nil
}

// find asks the servers which of them has a tablet. Where it was found before it is
// looked for first.
func (p *peers) find(at tablet.Target) (tablet.Resolver, error) {
	p.mu.Lock()
	t := p.known[at]
	p.mu.Unlock()
	if t != nil {
		return &found{Tablet: t, p: p}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), findTime)
	defer cancel()
	var errs []error
	for _, c := range p.servers {
		t, err := c.Tablet(ctx, at)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.mu.Lock()
		p.known[at] = t
		p.mu.Unlock()
		return &found{Tablet: t, p: p}, nil
	}
	return nil, fmt.Errorf("no peer has shard %s/%s: %w", at.Keyspace, at.Shard, errors.Join(errs...))
}

// found is a tablet that is looked for again when its server doesn't have it any
// more.
type found struct {
	*rpc.Tablet
	p *peers
}

func (f *found) check(err error) error {
	if tablet.CodeOf(err) == tablet.CodeWrongShard {
		f.p.mu.Lock()
		delete(f.p.known, f.Target())
		f.p.mu.Unlock()
	}
	return err
}

func (f *found) CommitPrepared(ctx context.Context, dtid string) error {
	return f.check(f.Tablet.CommitPrepared(ctx, dtid))
}

func (f *found) Confirm(ctx context.Context, dtid string, participant tablet.Target) error {
	return f.check(f.Tablet.Confirm(ctx, dtid, participant))
}

func (f *found) Outcome(ctx context.Context, dtid string) (tablet.Outcome, error) {
	out, err := f.Tablet.Outcome(ctx, dtid)
	return out, f.check(err)
}

func (p *peers) close() error {
	if p == nil {
		return nil
	}
	var errs []error
	for _, c := range p.servers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
