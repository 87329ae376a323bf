package faultfs

import (
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// engineFile is a file of the engine's. Locks and shared memory are those of the
// operating system's file.
type engineFile struct {
	systemFile
	fs      *FS
	node    *inode
	rel     string
	syncDir bool // its name is to be made durable with its first sync
}

// systemFile is what the engine's own files can do.
type systemFile interface {
	vfs.FileLockState
	vfs.FileHasMoved
	vfs.FileSizeHint
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSharedMemory
	vfs.FileMemoryMapper
}

// Open implements vfs.VFS; files of no name only come this way.
func (f *FS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return f.os.Open(name, flags)
}

// OpenFilename implements vfs.VFSFilename.
func (f *FS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == nil || name.String() == "" {
		return f.os.OpenFilename(name, flags)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	rel, ok := f.rel(name.String())
	if !ok {
		return f.os.OpenFilename(name, flags)
	}
	if err := f.step(Open, rel, 0, 0).Err; err != nil {
		return nil, flags, err
	}
	inner, out, err := f.os.OpenFilename(name, flags)
	if err != nil {
		return nil, out, err
	}
	sys, ok := inner.(systemFile)
	if !ok {
		_ = inner.Close()
		return nil, out, sqlite3.CANTOPEN
	}
	journal := flags&(vfs.OPEN_MAIN_JOURNAL|vfs.OPEN_SUPER_JOURNAL|vfs.OPEN_WAL) != 0
	return &engineFile{systemFile: sys, fs: f, node: f.opened(rel), rel: rel,
		syncDir: journal && flags&vfs.OPEN_CREATE != 0}, out, nil
}

// Delete implements vfs.VFS.
func (f *FS) Delete(name string, syncDir bool) error {
	rel, _ := f.rel(name)
	err := f.change(record{kind: Remove, path: rel}, func() error {
		if err := f.os.Delete(name, false); err != nil {
			return err
		}
		delete(f.names, rel)
		return nil
	})
	if err != nil || !syncDir {
		return err
	}
	return f.SyncDir(filepath.Dir(name))
}

// Access implements vfs.VFS.
func (f *FS) Access(name string, flags vfs.AccessFlag) (bool, error) { return f.os.Access(name, flags) }

// FullPathname implements vfs.VFS.
func (f *FS) FullPathname(name string) (string, error) { return f.os.FullPathname(name) }

func (e *engineFile) ReadAt(b []byte, off int64) (int, error) {
	e.fs.mu.Lock()
	err := e.fs.step(Read, e.rel, off, len(b)).Err
	e.fs.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return e.systemFile.ReadAt(b, off)
}

func (e *engineFile) WriteAt(b []byte, off int64) (int, error) {
	n, err := e.fs.write(e.node, e.rel, b, off, func(b []byte) (int, error) { return e.systemFile.WriteAt(b, off) })
	if err == ENOSPC {
		err = sqlite3.FULL
	}
	return n, err
}

func (e *engineFile) Truncate(size int64) error {
	return e.fs.change(record{kind: Truncate, node: e.node, path: e.rel, off: size}, func() error { return e.systemFile.Truncate(size) })
}

// SizeHint lengthens a file ahead of its writes.
func (e *engineFile) SizeHint(size int64) error {
	if now, err := e.systemFile.Size(); err != nil || now >= size {
		return err
	}
	return e.fs.change(record{kind: Allocate, node: e.node, path: e.rel, off: size}, func() error { return e.systemFile.SizeHint(size) })
}

// Sync leaves the file below alone, which is thrown away.
func (e *engineFile) Sync(vfs.SyncFlag) error {
	if err := e.fs.change(record{kind: Sync, node: e.node, path: e.rel}, func() error { return nil }); err != nil {
		return err
	}
	if !e.syncDir {
		return nil
	}
	e.syncDir = false
	dir := "."
	if i := strings.LastIndexByte(e.rel, '/'); i >= 0 {
		dir = e.rel[:i]
	}
	if e.fs.change(record{kind: SyncDir, path: dir}, func() error { return nil }) != nil {
		return sqlite3.IOERR_DIR_FSYNC
	}
	return nil
}
