package vitessdo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
	"github.com/vitessdo/vitessdo/tabletserver/waits"
	"github.com/vitessdo/vitessdo/topo"
)

// folder is a host in this process: shards of a topology whose databases are files
// here. Unlike those of a directory that is opened as file:DIR they share no log:
// each keeps its own, as if it were elsewhere. Nobody else may have it open.
type folder struct {
	path  string
	cfg   *Config
	peer  peerFinder
	lock  *flock.Flock
	waits *waits.Graph

	mu   sync.Mutex
	open map[tablet.Target]*tabletserver.Tablet // nil once closed
}

const folderLock = "folder.lock"

func openFolder(address, _ string, cfg *Config, peer peerFinder) (host, error) {
	path := filepath.Clean(strings.TrimPrefix(address, "file:"))
	if _, err := os.Stat(filepath.Join(path, topo.MarkerFile)); err == nil {
		return nil, newError(CodeTopology, "%s is a data directory, whose shards belong together; open it by file:%s without topology=", path, path)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, errorFrom(CodeTopology, err, "topology: %v", err)
	}
	f := &folder{path: path, cfg: cfg.Clone(), peer: peer, lock: flock.New(filepath.Join(path, folderLock)), waits: waits.New(), open: map[tablet.Target]*tabletserver.Tablet{}}
	if ok, err := f.lock.TryLock(); err != nil {
		return nil, errorFrom(CodeTopology, err, "topology: %v", err)
	} else if !ok {
		return nil, newError(CodeTopology, "the folder %s is open already, here or in another process; several share its shards through a tablet server", path)
	}
	return f, nil
}

func (f *folder) file(at tablet.Target) string {
	return filepath.Join(f.path, at.Keyspace, at.Shard+".db")
}

func (f *folder) tablet(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := os.Stat(f.file(at)); err != nil && at != catalogTarget {
		return nil, &tablet.Error{Code: tablet.CodeWrongShard, Target: at, Err: err, Message: "the folder " + f.path + " has no such shard"}
	}
	return f.get(ctx, at)
}

// get opens a shard, or gives the one that is open. The caller holds mu.
func (f *folder) get(ctx context.Context, at tablet.Target) (tablet.Tablet, error) {
	if f.open == nil {
		return nil, newError(CodeClosed, "the database is closed")
	}
	if t := f.open[at]; t != nil {
		return t, nil
	}
	if err := os.MkdirAll(filepath.Dir(f.file(at)), 0o700); err != nil {
		return nil, err
	}
	c, err := tabletConfig(ctx, f.cfg, at, f.file(at))
	if err != nil {
		return nil, err
	}
	c.Peer, c.Waits = f.peer, f.waits
	t, err := tabletserver.Open(context.WithoutCancel(ctx), c)
	if err != nil {
		return nil, err
	}
	f.open[at] = t
	return t, nil
}

func (f *folder) create(ctx context.Context, at tablet.Target) error {
	if err := f.drop(ctx, at); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.get(ctx, at)
	return err
}

func (f *folder) drop(_ context.Context, at tablet.Target) error {
	f.mu.Lock()
	t := f.open[at]
	delete(f.open, at)
	f.mu.Unlock()
	if t != nil {
		if err := t.Close(); err != nil {
			return err
		}
	}
	for _, end := range []string{"", "-wal", "-shm", "-journal", "-redo"} {
		if err := os.Remove(f.file(at) + end); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func (f *folder) close() error {
	f.mu.Lock()
	open := f.open
	f.open = nil
	f.mu.Unlock()
	var errs []error
	for _, t := range open {
		errs = append(errs, t.Close())
	}
	return errors.Join(append(errs, f.lock.Unlock())...)
}
