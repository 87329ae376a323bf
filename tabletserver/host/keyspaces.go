package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vindex"
)

// view is what is served as of one state of the catalog. It is never changed.
type view struct {
	commits   int64 // of the catalog's tablet, when it was read
	version   uint64
	keyspaces []topo.Keyspace // the catalog's
	listed    map[string]bool // their names
	served    map[tablet.Target]*Shard
}

// look gives the view of all that is committed in the catalog.
func (h *Host) look(ctx context.Context) (*view, error) {
	if v := h.view.Load(); v.current(h.cat.Commits()) {
		return v, nil
	}
	h.ddl.Lock()
	defer h.ddl.Unlock()
	return h.lookAgain(ctx)
}

// current says that nothing was committed since the view was made.
func (v *view) current(commits int64) bool { return v != nil && v.commits == commits && commits&1 == 0 }

// lookAgain reads the catalog if it may have changed. The caller holds ddl.
func (h *Host) lookAgain(ctx context.Context) (*view, error) {
	v := h.view.Load()
	now := h.cat.Commits()
	if v.current(now) {
		return v, nil
	}
	version, err := h.catalog.Version(ctx)
	if err != nil {
		return nil, err
	}
	if v != nil && v.version == version {
		next := *v
		next.commits = now
		h.view.Store(&next)
		return &next, nil
	}
	st, err := h.catalog.Keyspaces(ctx)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, k := range st.Keyspaces {
		listed[k.Name] = true
		delete(h.made, k.Name)
	}
	return h.publish(&view{commits: now, version: st.Version, listed: listed, keyspaces: st.Keyspaces}), nil
}

// publish completes a view with the shards that it serves. The caller holds ddl.
func (h *Host) publish(v *view) *view {
	v.served = map[tablet.Target]*Shard{}
	for _, k := range v.keyspaces {
		for _, s := range k.Shards {
			h.serve(v, tablet.Target{Keyspace: k.Name, Shard: s.Name})
		}
	}
	// A catalog without keyspaces isn't this database's: that one is elsewhere.
	for _, k := range h.dir.State().Keyspaces {
		for _, s := range k.Shards {
			if h.made[k.Name] || len(v.keyspaces) == 0 {
				h.serve(v, tablet.Target{Keyspace: k.Name, Shard: s.Name})
			}
		}
	}
	h.serve(v, Catalog)
	h.view.Store(v)
	return v
}

func (h *Host) serve(v *view, at tablet.Target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.shards[at]; s != nil {
		v.served[at] = s
	}
}

// Create makes the empty database of a shard, in the place of what an interrupted
// creation has left: a shard of that name, and those that share keyspace IDs with
// it. It is served from then on. Keyspaces that the catalog lists stay as they are.
func (h *Host) Create(ctx context.Context, at tablet.Target) error {
	if err := topo.CheckKeyspaceName(at.Keyspace); err != nil {
		return misuse(err)
	}
	r, err := vindex.ParseKeyRange(at.Shard)
	if err != nil || r.String() != at.Shard {
		return misuse(fmt.Errorf("shard name %.40q is no key range such as -80", at.Shard))
	}
	h.ddl.Lock()
	defer h.ddl.Unlock()
	v, err := h.unlisted(ctx, at.Keyspace)
	if err != nil {
		return err
	}
	if err := h.remove(ctx, at.Keyspace, func(s topo.Shard) bool { return topo.Overlap(s.Range, r) }); err != nil {
		return err
	}
	s, err := h.dir.PrepareShard(at.Keyspace, at.Shard)
	if err != nil {
		return err
	}
	k := topo.Keyspace{Name: at.Keyspace, Sharded: true, Shards: []topo.Shard{s}}
	h.list(k)
	_, err = use(ctx, h.shard(at), func(*tabletserver.Tablet) (struct{}, error) { return struct{}{}, nil })
	if err == nil {
		all := h.dir.State().Keyspaces
		if i := find(all, at.Keyspace); i >= 0 {
			all[i].Shards = append(all[i].Shards, s)
		} else {
			all = append(all, k)
		}
		err = h.dir.SetKeyspaces(all)
	}
	if err != nil {
		return errors.Join(err, h.forget(at.Keyspace, s))
	}
	h.made[at.Keyspace] = true
	next := *v
	h.publish(&next)
	return nil
}

// Drop removes a shard of a keyspace that the catalog doesn't list, with all that
// is in it. It does nothing when there is none.
func (h *Host) Drop(ctx context.Context, at tablet.Target) error {
	h.ddl.Lock()
	defer h.ddl.Unlock()
	if _, err := h.unlisted(ctx, at.Keyspace); err != nil {
		return err
	}
	return h.remove(ctx, at.Keyspace, func(s topo.Shard) bool { return s.Name == at.Shard })
}

// unlisted refuses a keyspace that the catalog lists, in any spelling. The caller
// holds ddl.
func (h *Host) unlisted(ctx context.Context, keyspace string) (*view, error) {
	v, err := h.lookAgain(ctx)
	if err != nil {
		return nil, err
	}
	if find(v.keyspaces, keyspace) >= 0 {
		return nil, misuse(fmt.Errorf("the catalog lists keyspace %s: its shards stay until it is deleted there", keyspace))
	}
	if i := find(h.dir.State().Keyspaces, keyspace); i >= 0 && h.dir.State().Keyspaces[i].Name != keyspace {
		return nil, misuse(fmt.Errorf("there are shards of a keyspace %s, which differs from %s in case only", h.dir.State().Keyspaces[i].Name, keyspace))
	}
	return v, nil
}

// remove takes shards off the directory's list, and then removes them. The caller
// holds ddl.
func (h *Host) remove(ctx context.Context, keyspace string, which func(topo.Shard) bool) error {
	all := h.dir.State().Keyspaces
	i := find(all, keyspace)
	if i < 0 {
		return nil
	}
	var gone []topo.Shard
	all[i].Shards = slices.DeleteFunc(all[i].Shards, func(s topo.Shard) bool {
		if which(s) {
			gone = append(gone, s)
			return true
		}
		return false
	})
	if len(gone) == 0 {
		return nil
	}
	if len(all[i].Shards) == 0 {
		all = slices.Delete(all, i, i+1)
	}
	for _, s := range gone {
		if err := h.settled(ctx, tablet.Target{Keyspace: keyspace, Shard: s.Name}); err != nil {
			return err
		}
	}
	if err := h.dir.SetKeyspaces(all); err != nil {
		return err
	}
	var errs []error
	for _, s := range gone {
		errs = append(errs, h.forget(keyspace, s))
	}
	next := *h.view.Load()
	h.publish(&next)
	return errors.Join(errs...)
}

// settled refuses to lose what other shards wait for.
func (h *Host) settled(ctx context.Context, at tablet.Target) error {
	s := h.shard(at)
	t, err := s.enter(ctx, true)
	if err != nil {
		return err
	}
	defer s.leave()
	if t.Unsettled() {
		return &tablet.Error{Code: tablet.CodeOverloaded, Target: at, Message: "a distributed transaction of this shard isn't settled yet; remove it a little later"}
	}
	return nil
}

// forget closes a shard that the directory doesn't list for good, and removes its
// files.
func (h *Host) forget(keyspace string, s topo.Shard) error {
	at := tablet.Target{Keyspace: keyspace, Shard: s.Name}
	shard := h.shard(at)
	shard.mu.Lock()
	shard.gone = true
	shard.mu.Unlock()
	err := shard.shut()
	h.mu.Lock()
	delete(h.shards, at)
	h.mu.Unlock()
	return errors.Join(err, h.dir.RemoveShard(s))
}

func (h *Host) shard(at tablet.Target) *Shard {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shards[at]
}

func find(ks []topo.Keyspace, name string) int {
	return slices.IndexFunc(ks, func(k topo.Keyspace) bool { return strings.EqualFold(k.Name, name) })
}

func misuse(err error) error {
	return &tablet.Error{Code: tablet.CodeMisuse, Message: err.Error(), Err: err}
}
