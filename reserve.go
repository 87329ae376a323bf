package vitessdo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
)

// reserveFile is ballast beside the databases: space that nothing else takes.
// A distributed commit that is decided must not find the disk full. Its
// participants' changes are in their logs by then, so that each needs a page or
// two more, and these can be had by giving the reserve up. No commit over
// several shards is decided without it.
const (
	reserveFile     = "reserve"
	reservePerShard = 64 << 10
)

type reserve struct {
	disk disk.FS
	path string
	size int64
	held atomic.Bool
	mu   sync.Mutex
}

// hold makes sure that the reserve is there. The error has code DISK_FULL.
func (r *reserve) hold() error {
	if r.held.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held.Load() {
		return nil
	}
	if info, err := os.Stat(r.path); err != nil || info.Size() != r.size {
		if err := disk.Write(r.disk, r.path, ballast(r.size), 0o600); err != nil {
			_ = r.disk.Remove(r.path)
			return &tablet.Error{Code: tablet.CodeFull, Err: err,
				Message: "the disk is full: there is no room for the reserve that a commit over several shards needs: " + err.Error()}
		}
	}
	r.held.Store(true)
	return nil
}

// resize fits the reserve to another number of databases.
func (r *reserve) resize(tablets int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = int64(tablets) * reservePerShard
	r.held.Store(false)
}

// ballast is bytes that a compressing file system can't make small.
func ballast(n int64) []byte {
	out := make([]byte, n)
	x := uint64(0x9e3779b97f4a7c15)
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = byte(x)
	}
	return out
}

// giveUp frees the space; it says whether there was any.
func (r *reserve) giveUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held.Store(false)
	return !errors.Is(r.disk.Remove(r.path), fs.ErrNotExist)
}

// decisions is the redo log as the coordinator sees it.
type decisions struct {
	*redolog.Log
	reserve *reserve
	settle  func([]tablet.Redo) (durably bool, err error)
}

// Append implements twopc.Log.
func (d *decisions) Append(dtid string, redos []tablet.Redo) error {
	if err := d.reserve.hold(); err != nil {
		return err
	}
	durably, err := d.settle(redos)
	switch {
	case err != nil:
		return err
	case durably:
		return d.Log.AppendDurably(dtid, redos)
	}
	return d.Log.Append(dtid, redos)
}

func newReserve(on disk.FS, dir string, tablets int) *reserve {
	return &reserve{disk: disk.Or(on), path: filepath.Join(dir, reserveFile), size: int64(tablets) * reservePerShard}
}
