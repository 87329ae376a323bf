package service

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Secret is what a file with secrets says, which nobody but its owner may read. It is
// read again when it changes; what can't be used then is logged, and the old is kept.
// It is safe for concurrent use.
type Secret[T any] struct {
	path, what string
	read       func(io.Reader) (T, error)

	mu    sync.Mutex
	value T
	reads int // how often it was read anew
	watch watch
}

// ReadSecret reads a file of what it names, as "tokens".
func ReadSecret[T any](path, what string, read func(io.Reader) (T, error)) (*Secret[T], error) {
	s := &Secret[T]{path: path, what: what, read: read}
	s.watch.changed(path)
	var err error
	s.value, err = s.load()
	return s, err
}

func (s *Secret[T]) load() (v T, err error) {
	f, err := OpenSecret(s.path)
	if err != nil {
		return v, err
	}
	defer f.Close()
	return s.read(f)
}

// Now gives what the file says.
func (s *Secret[T]) Now() T {
	v, _ := s.now()
	return v
}

func (s *Secret[T]) now() (T, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watch.changed(s.path) {
		if v, err := s.load(); err != nil {
			slog.Warn("the new "+s.what+" can't be used; the old ones are kept", "file", s.path, "error", err)
		} else {
			s.value = v
			s.reads++
		}
	}
	return s.value, s.reads
}

// Watch calls changed, about a second after the file has changed, until ctx ends.
func (s *Secret[T]) Watch(ctx context.Context, changed func()) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for _, seen := s.now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, n := s.now(); n != seen {
			seen = n
			changed()
		}
	}
}

// OpenSecret opens a file with secrets, unless others may read it too.
func OpenSecret(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && open(st.Mode()) {
		err = fmt.Errorf("%s holds secrets and may be read by others (mode %s): chmod 600 it", path, st.Mode().Perm())
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
