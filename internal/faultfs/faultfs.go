package faultfs

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/vitessdo/vitessdo/internal/disk"
)

// Kind is a sort of operation.
type Kind int

// The kinds.
const (
	Open Kind = iota
	Read
	Write
	Truncate
	Allocate
	Sync
	SyncDir
	Mkdir
	Rename
	Remove
	numKinds
)

var kindNames = [numKinds]string{"open", "read", "write", "truncate", "allocate", "sync", "sync of directory", "mkdir", "rename", "remove"}

// String names the kind.
func (k Kind) String() string { return kindNames[k] }

// Op is one operation, about to be done.
type Op struct {
	N    int // its number, from 0
	Kind Kind
	Path string // relative to the FS's directory
	Off  int64
	Len  int
}

// String says what is done where.
func (o Op) String() string {
	return "operation " + strconv.Itoa(o.N) + ", " + o.Kind.String() + " " + o.Path + " at " + strconv.FormatInt(o.Off, 10) + "+" + strconv.Itoa(o.Len)
}

// Fault says how an operation fails; with a nil Err it doesn't.
type Fault struct {
	Err  error
	Keep int // bytes that a failing write writes nevertheless
}

// Rule says of each operation how it fails. One is asked at a time.
type Rule func(Op) Fault

// The errors that a disk gives.
var (
	EIO    error = syscall.EIO
	ENOSPC error = syscall.ENOSPC
)

// FailNth fails one operation.
func FailNth(n int, f Fault) Rule {
	return func(o Op) Fault {
		if o.N == n {
			return f
		}
		return Fault{}
	}
}

// FailFrom fails everything that needs space, from operation n until operation
// m.
func FailFrom(n, m int) Rule {
	return func(o Op) Fault {
		if o.N < n || o.N >= m {
			return Fault{}
		}
		switch o.Kind {
		case Write, Allocate, Mkdir, Rename:
			return Fault{Err: ENOSPC}
		}
		return Fault{}
	}
}

// FS is a file system on a directory. It is safe for concurrent use.
type FS struct {
	root string
	name string
	os   vfs.VFSFilename

	mu      sync.Mutex
	rule    Rule
	ops     int
	hit     []Op
	names   map[string]*inode
	base    map[string]*inode // names when it was made
	journal []record
}

var (
	_     disk.FS         = (*FS)(nil)
	_     vfs.VFSFilename = (*FS)(nil)
	count atomic.Int64
)

// inode is a file whatever its name.
type inode struct {
	dir  bool
	base []byte // what it held, durably, when the FS was made
}

// record is a change in the journal.
type record struct {
	kind     Kind
	node     *inode
	path, to string
	off      int64  // of a write; the new length for Truncate and Allocate
	data     []byte // written
	failed   bool   // of a sync
}

// New makes a file system on a directory, all of whose content is durable. Close
// it.
func New(root string) (*FS, error) {
	f := &FS{root: root, name: "fault-" + strconv.FormatInt(count.Add(1), 10), names: map[string]*inode{}}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, _ := f.rel(path)
		node := &inode{dir: e.IsDir()}
		if !node.dir {
			node.base, err = os.ReadFile(path)
		}
		f.names[rel] = node
		return err
	})
	if err != nil {
		return nil, err
	}
	f.base = maps.Clone(f.names)
	f.os, _ = vfs.Find("os").(vfs.VFSFilename)
	vfs.Register(f.name, f)
	return f, nil
}

// Close forgets the file system; files that are open go on.
func (f *FS) Close() { vfs.Unregister(f.name) }

// Engine implements disk.FS.
func (f *FS) Engine() string { return f.name }

// SetRule makes operations fail from now on; nil ends that. It begins to count
// operations anew.
func (f *FS) SetRule(r Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rule, f.ops, f.hit = r, 0, nil
}

// Ops is the number of operations since SetRule, or New.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// Hit lists the operations that have failed since SetRule.
func (f *FS) Hit() []Op {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Op(nil), f.hit...)
}

// Changes is the length of the journal: the moments at which Crash may let the
// power go.
func (f *FS) Changes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.journal)
}

// rel makes a path relative to the root; outside of it ok is false.
func (f *FS) rel(path string) (rel string, ok bool) {
	rel, err := filepath.Rel(f.root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return path, false
	}
	return filepath.ToSlash(rel), true
}

// step counts an operation and asks the rule. f.mu is held.
func (f *FS) step(kind Kind, path string, off int64, n int) Fault {
	op := Op{N: f.ops, Kind: kind, Path: path, Off: off, Len: n}
	f.ops++
	if f.rule == nil {
		return Fault{}
	}
	fault := f.rule(op)
	if fault.Err != nil {
		f.hit = append(f.hit, op)
	}
	return fault
}

func (f *FS) note(r record) { f.journal = append(f.journal, r) }

// change does one operation that has no data: it asks, does, and notes.
func (f *FS) change(r record, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.step(r.kind, r.path, r.off, 0).Err; err != nil {
		if r.kind == Sync {
			r.failed = true
			f.note(r)
		}
		return err
	}
	if err := do(); err != nil {
		return err
	}
	f.note(r)
	return nil
}

func pathError(op, path string, err error) error {
	if err == EIO || err == ENOSPC {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return err
}

// OpenFile implements disk.FS.
func (f *FS) OpenFile(name string, flag int, perm os.FileMode) (disk.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rel, _ := f.rel(name)
	if err := f.step(Open, rel, 0, 0).Err; err != nil {
		return nil, pathError("open", name, err)
	}
	osf, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	node := f.opened(rel)
	if flag&os.O_TRUNC != 0 {
		f.note(record{kind: Truncate, node: node, path: rel})
	}
	return &plainFile{file: osf, fs: f, node: node, rel: rel}, nil
}

// opened gives the inode of a file that is there, noting it when it is new. f.mu
// is held.
func (f *FS) opened(rel string) *inode {
	node := f.names[rel]
	if node == nil {
		node = &inode{}
		f.names[rel] = node
		f.note(record{kind: Open, node: node, path: rel})
	}
	return node
}

// MkdirAll implements disk.FS.
func (f *FS) MkdirAll(path string, perm os.FileMode) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if up := filepath.Dir(path); up != path {
		if err := f.MkdirAll(up, perm); err != nil {
			return err
		}
	}
	rel, _ := f.rel(path)
	node := &inode{dir: true}
	err := f.change(record{kind: Mkdir, node: node, path: rel}, func() error {
		f.names[rel] = node
		return os.Mkdir(path, perm)
	})
	return pathError("mkdir", path, err)
}

// Rename implements disk.FS.
func (f *FS) Rename(from, to string) error {
	a, _ := f.rel(from)
	b, _ := f.rel(to)
	f.mu.Lock()
	node := f.names[a]
	f.mu.Unlock()
	err := f.change(record{kind: Rename, node: node, path: a, to: b}, func() error {
		if err := os.Rename(from, to); err != nil {
			return err
		}
		delete(f.names, a)
		f.names[b] = node
		return nil
	})
	return pathError("rename", from, err)
}

// Remove implements disk.FS.
func (f *FS) Remove(name string) error {
	rel, _ := f.rel(name)
	err := f.change(record{kind: Remove, path: rel}, func() error {
		if err := os.Remove(name); err != nil {
			return err
		}
		delete(f.names, rel)
		return nil
	})
	return pathError("remove", name, err)
}

// SyncDir implements disk.FS.
func (f *FS) SyncDir(path string) error {
	rel, _ := f.rel(path)
	if _, err := os.Stat(path); err != nil {
		return err
	}
	return pathError("sync", path, f.change(record{kind: SyncDir, path: rel}, func() error { return nil }))
}

// write does a write that may fail or be torn. f.mu is not held.
func (f *FS) write(node *inode, rel string, b []byte, off int64, do func([]byte) (int, error)) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault := f.step(Write, rel, off, len(b))
	part := b
	if fault.Err != nil {
		part = b[:min(fault.Keep, len(b))]
	}
	n, err := 0, error(nil)
	if len(part) > 0 {
		n, err = do(part)
		f.note(record{kind: Write, node: node, path: rel, off: off, data: append([]byte(nil), part[:n]...)})
	}
	if fault.Err != nil {
		err = fault.Err
	}
	return n, err
}

// plainFile is a file of package disk. It has no more methods than that wants: by
// os.File's others io.Copy would write past the journal.
type plainFile struct {
	file *os.File
	fs   *FS
	node *inode
	rel  string
	pos  int64 // of Write
}

func (p *plainFile) Read(b []byte) (int, error) {
	p.fs.mu.Lock()
	err := p.fs.step(Read, p.rel, p.pos, len(b)).Err
	p.fs.mu.Unlock()
	if err != nil {
		return 0, pathError("read", p.file.Name(), err)
	}
	return p.file.Read(b)
}

func (p *plainFile) Write(b []byte) (int, error) {
	n, err := p.WriteAt(b, p.pos)
	p.pos += int64(n)
	return n, err
}

func (p *plainFile) WriteAt(b []byte, off int64) (int, error) {
	n, err := p.fs.write(p.node, p.rel, b, off, func(b []byte) (int, error) { return p.file.WriteAt(b, off) })
	return n, pathError("write", p.file.Name(), err)
}

func (p *plainFile) Truncate(size int64) error {
	err := p.fs.change(record{kind: Truncate, node: p.node, path: p.rel, off: size}, func() error { return p.file.Truncate(size) })
	return pathError("truncate", p.file.Name(), err)
}

// Sync needs no sync of the file below: that one is thrown away.
func (p *plainFile) Sync() error {
	err := p.fs.change(record{kind: Sync, node: p.node, path: p.rel}, func() error { return nil })
	return pathError("sync", p.file.Name(), err)
}

func (p *plainFile) Close() error { return p.file.Close() }
