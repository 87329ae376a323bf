package sqlite

import (
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

const (
	memoryVFS    = "vitessdo-memory"
	memoryPrefix = "memory/"
)

// Memory is a database in memory, shared by the connections that are opened at
// its Path. It lives until Close, whatever connections there are.
//
// It is a store of immutable versions. A connection that begins to read keeps
// the version that stands then; one that writes builds the next version on the
// side, and ending its lock publishes it. So readers and the one writer never
// wait for each other, and a transaction that would write on a version that is
// no longer the newest is refused with BUSY_SNAPSHOT, all as with a WAL file.
type Memory struct {
	name    string
	current atomic.Pointer[version]
	mu      sync.Mutex
	owner   *memoryFile // holds the right to build the next version
}

// Databases in memory by name, and the source of names.
var (
	memories   sync.Map
	memorySeq  atomic.Int64
	memoryOnce sync.Once
)

// NewMemory makes an empty database.
func NewMemory() *Memory {
	memoryOnce.Do(func() { vfs.Register(memoryVFS, memoryFS{}) })
	m := &Memory{name: strconv.FormatInt(memorySeq.Add(1), 10)}
	m.current.Store(&version{})
	memories.Store(m.name, m)
	return m
}

// Path is what Open takes.
func (m *Memory) Path() string { return memoryPrefix + m.name }

// Close forgets the database. Connections that are open keep what they have.
func (m *Memory) Close() { memories.Delete(m.name) }

// version is one state of the database: immutable blocks, in immutable chunks,
// so that a commit copies only the chunks that it touches.
type version struct {
	chunks []*chunk
	size   int64
}

const (
	blockSize   = 4096
	chunkBlocks = 64
)

type (
	block [blockSize]byte
	chunk [chunkBlocks]*block
)

func (v *version) block(i int64) *block {
	c := i / chunkBlocks
	if c >= int64(len(v.chunks)) || v.chunks[c] == nil {
		return nil
	}
	return v.chunks[c][i%chunkBlocks]
}

func (v *version) readAt(b []byte, off int64) (int, error) {
	n := 0
	for n < len(b) && off < v.size {
		in := off % blockSize
		part := b[n:min(len(b), n+int(min(blockSize-in, v.size-off)))]
		if blk := v.block(off / blockSize); blk != nil {
			copy(part, blk[in:])
		} else {
			clear(part)
		}
		n += len(part)
		off += int64(len(part))
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// draft is a version under construction: what it holds alone may be changed.
type draft struct {
	version
	chunksOwned map[int64]struct{}
	blocksOwned map[int64]struct{}
}

func newDraft(v *version) *draft {
	return &draft{
		version:     version{chunks: append([]*chunk(nil), v.chunks...), size: v.size},
		chunksOwned: map[int64]struct{}{},
		blocksOwned: map[int64]struct{}{},
	}
}

// own gives a block that may be written to; whole says that all of it will be.
func (d *draft) own(i int64, whole bool) *block {
	c := i / chunkBlocks
	for c >= int64(len(d.chunks)) {
		d.chunks = append(d.chunks, nil)
	}
	if _, ok := d.chunksOwned[c]; !ok {
		fresh := new(chunk)
		if d.chunks[c] != nil {
			*fresh = *d.chunks[c]
		}
		d.chunks[c] = fresh
		d.chunksOwned[c] = struct{}{}
	}
	slot := &d.chunks[c][i%chunkBlocks]
	if _, ok := d.blocksOwned[i]; !ok {
		fresh := new(block)
		if *slot != nil && !whole {
			*fresh = **slot
		}
		*slot = fresh
		d.blocksOwned[i] = struct{}{}
	}
	return *slot
}

func (d *draft) writeAt(b []byte, off int64) {
	for len(b) > 0 {
		in := off % blockSize
		part := b[:min(int64(len(b)), blockSize-in)]
		copy(d.own(off/blockSize, len(part) == blockSize)[in:], part)
		b = b[len(part):]
		off += int64(len(part))
		d.size = max(d.size, off)
	}
}

func (d *draft) truncate(size int64) {
	if size < d.size {
		// What lies behind must read as zero when the file grows again.
		first := size / blockSize
		if in := size % blockSize; in != 0 {
			clear(d.own(first, false)[in:])
			first++
		}
		for i := first; i*blockSize < d.size; i++ {
			if d.block(i) != nil {
				*d.own(i, true) = block{}
			}
		}
		keep := (first + chunkBlocks - 1) / chunkBlocks
		for c := keep; c < int64(len(d.chunks)); c++ {
			delete(d.chunksOwned, c)
			for i := c * chunkBlocks; i < (c+1)*chunkBlocks; i++ {
				delete(d.blocksOwned, i)
			}
		}
		d.chunks = d.chunks[:min(keep, int64(len(d.chunks)))]
	}
	d.size = size
}

// memoryFS is the file system of the databases in memory.
type memoryFS struct{}

func (memoryFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if flags&vfs.OPEN_MAIN_DB == 0 {
		// Journals stay in SQLite's own memory, because of OPEN_MEMORY below;
		// temporary files are private and go away with their connection.
		m := &Memory{}
		m.current.Store(&version{})
		return &memoryFile{m: m}, flags | vfs.OPEN_MEMORY, nil
	}
	m, ok := memories.Load(strings.TrimPrefix(name, "/"))
	if !ok {
		return nil, flags, sqlite3.CANTOPEN
	}
	return &memoryFile{m: m.(*Memory), readOnly: flags&vfs.OPEN_READONLY != 0}, flags | vfs.OPEN_MEMORY, nil
}

func (memoryFS) Delete(string, bool) error                   { return sqlite3.IOERR_DELETE_NOENT }
func (memoryFS) Access(string, vfs.AccessFlag) (bool, error) { return false, nil }
func (memoryFS) FullPathname(name string) (string, error)    { return name, nil }

// memoryFile is one connection's view.
type memoryFile struct {
	m        *Memory
	snapshot *version // while a lock is held
	draft    *draft   // while the owner writes
	lock     vfs.LockLevel
	commit   bool // the draft is complete
	readOnly bool
}

var (
	_ vfs.FileLockState      = (*memoryFile)(nil)
	_ vfs.FileCommitPhaseTwo = (*memoryFile)(nil)
)

func (f *memoryFile) view() *version {
	switch {
	case f.draft != nil:
		return &f.draft.version
	case f.snapshot != nil:
		return f.snapshot
	}
	return f.m.current.Load()
}

func (f *memoryFile) Close() error { return f.Unlock(vfs.LOCK_NONE) }

func (f *memoryFile) ReadAt(b []byte, off int64) (int, error) { return f.view().readAt(b, off) }

func (f *memoryFile) Size() (int64, error) { return f.view().size, nil }

func (f *memoryFile) WriteAt(b []byte, off int64) (int, error) {
	f.edit(func(d *draft) { d.writeAt(b, off) })
	return len(b), nil
}

func (f *memoryFile) Truncate(size int64) error {
	f.edit(func(d *draft) { d.truncate(size) })
	return nil
}

// edit changes the draft of the owner. A temporary file is written without a
// lock and has no other user: its changes stand at once.
func (f *memoryFile) edit(change func(*draft)) {
	if f.draft == nil {
		f.draft = newDraft(f.view())
	}
	change(f.draft)
}

// Lock keeps a version for a reader; for a writer it takes the right to make
// the next one, which only the holder of the newest may have.
func (f *memoryFile) Lock(lock vfs.LockLevel) error {
	if f.lock >= lock {
		return nil
	}
	if lock == vfs.LOCK_SHARED {
		f.snapshot = f.m.current.Load()
		f.lock = lock
		return nil
	}
	if f.readOnly {
		return sqlite3.IOERR_LOCK
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.m.owner != f {
		if f.snapshot != f.m.current.Load() {
			return sqlite3.BUSY_SNAPSHOT
		}
		if f.m.owner != nil {
			return sqlite3.BUSY
		}
		f.m.owner = f
	}
	f.lock = lock
	return nil
}

// CommitPhaseTwo comes when SQLite has written all of a transaction.
func (f *memoryFile) CommitPhaseTwo() error {
	f.commit = true
	return nil
}

// Unlock publishes what an owner has committed. Anything else that it has
// written goes away, so that not even an engine that fails in the middle of a
// rollback can damage the database.
func (f *memoryFile) Unlock(lock vfs.LockLevel) error {
	if f.lock <= lock {
		return nil
	}
	f.m.mu.Lock()
	if f.m.owner == f {
		if f.draft != nil && f.commit {
			next := f.draft.version
			f.m.current.Store(&next)
			f.snapshot = &next
		}
		f.draft, f.commit = nil, false
		f.m.owner = nil
	}
	f.m.mu.Unlock()
	if lock == vfs.LOCK_NONE {
		f.snapshot = nil
	}
	f.lock = lock
	return nil
}

func (f *memoryFile) CheckReservedLock() (bool, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.m.owner != nil, nil
}

func (f *memoryFile) LockState() vfs.LockLevel { return f.lock }

func (f *memoryFile) Sync(vfs.SyncFlag) error { return nil }

func (f *memoryFile) SectorSize() int { return blockSize }

func (f *memoryFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_ATOMIC | vfs.IOCAP_SEQUENTIAL | vfs.IOCAP_SAFE_APPEND |
		vfs.IOCAP_POWERSAFE_OVERWRITE | vfs.IOCAP_SUBPAGE_READ
}
