package topo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/vitessdo/vitessdo/internal/disk"
)

// Holder says which process has a directory open.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Program string    `json:"program"`
	Since   time.Time `json:"since"`
}

func (h *Holder) String() string {
	return fmt.Sprintf("%s (pid %d on %s) since %s", h.Program, h.PID, h.Host, h.Since.Format(time.RFC3339))
}

func thisProcess() *Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return &Holder{PID: os.Getpid(), Host: host, Program: filepath.Base(os.Args[0]), Since: time.Now().UTC().Truncate(time.Second)}
}

// acquire takes the directory's lock without waiting. The lock is the
// operating system's, so that it ends with the process, however that ends;
// holder.json only tells others whom to ask.
func acquire(d disk.FS, dir, purpose string) (*flock.Flock, error) {
	l := flock.New(filepath.Join(dir, lockFile))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("data directory %s: can't take the lock file: %w", dir, err)
	}
	if !ok {
		l.Close()
		return nil, lockedError(dir)
	}
	me := thisProcess()
	me.Program = cmp.Or(purpose, me.Program)
	text, err := json.Marshal(me)
	if err == nil {
		err = disk.Replace(d, filepath.Join(dir, holderFile), append(text, '\n'), 0o600)
	}
	if errors.Is(err, syscall.ENOSPC) {
		_ = d.Remove(filepath.Join(dir, holderFile)) // another's; who reads needs no space
	} else if err != nil {
		l.Close()
		return nil, fmt.Errorf("data directory %s: can't write %s: %w", dir, holderFile, err)
	}
	return l, nil
}

func lockedError(dir string) error {
	e := &DirError{Kind: ErrLocked, Path: dir}
	h := new(Holder)
	text, err := os.ReadFile(filepath.Join(dir, holderFile))
	who := "another process"
	if err == nil && json.Unmarshal(text, h) == nil && h.PID != 0 {
		e.Holder, who = h, h.String()
		if me := thisProcess(); h.PID == me.PID && h.Host == me.Host {
			who = "this process itself"
		}
	}
	e.Message = fmt.Sprintf("is in use by %s; one process owns a directory at a time: within a process share one *sql.DB, between processes run `vitessdo serve` on it and connect to that", who)
	return e
}
