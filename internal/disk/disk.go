// Package disk is the file system under a database directory: what the redo
// log, the reserve and the directory's own files are written through, and the
// name of the way that the engine's files take. [OS] is the operating system's.
// Tests put one in its place that fails, tears and forgets.
package disk

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// FS is where files are changed. It is safe for concurrent use. What is merely
// looked at, such as a directory's list, is looked at by package os.
type FS interface {
	// OpenFile is os.OpenFile.
	OpenFile(name string, flag int, perm os.FileMode) (File, error)
	// MkdirAll is os.MkdirAll.
	MkdirAll(path string, perm os.FileMode) error
	// Rename is os.Rename.
	Rename(from, to string) error
	// Remove is os.Remove.
	Remove(name string) error
	// SyncDir makes the names in a directory durable that were created, changed
	// or removed.
	SyncDir(path string) error
	// Engine names the engine's file system that belongs to this one; "" is its
	// own.
	Engine() string
}

// File is an open file, such as an *os.File.
type File interface {
	io.ReadWriteCloser
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// OS is the operating system's file system.
var OS FS = osFS{}

type osFS struct{}

func (osFS) OpenFile(name string, flag int, perm os.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // a nil *os.File would be no nil File
	}
	return f, nil
}

func (osFS) MkdirAll(path string, perm os.FileMode) error { return os.MkdirAll(path, perm) }
func (osFS) Rename(from, to string) error                 { return os.Rename(from, to) }
func (osFS) Remove(name string) error                     { return os.Remove(name) }
func (osFS) Engine() string                               { return "" }

// SyncDir does nothing on Windows, which has no such call: its file systems log
// names themselves.
func (osFS) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}

// Or gives fs, or the operating system's in place of nil.
func Or(fs FS) FS {
	if fs == nil {
		return OS
	}
	return fs
}

// Write replaces a file's content, as os.WriteFile does. Nothing of it is
// durable yet.
func Write(fs FS, path string, content []byte, perm os.FileMode) error {
	f, err := fs.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// TmpSuffix ends the name under which Replace writes.
const TmpSuffix = ".tmp"

// Replace replaces a file durably, so that a crash leaves the old content or
// the new one, never a part. For a moment there is a file of that name and
// TmpSuffix.
func Replace(fs FS, path string, content []byte, perm os.FileMode) error {
	tmp := path + TmpSuffix
	f, err := fs.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = fs.Rename(tmp, path)
	}
	if err != nil {
		_ = fs.Remove(tmp)
		return err
	}
	return fs.SyncDir(filepath.Dir(path))
}
