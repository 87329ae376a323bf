package faultfs

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Loss says what a loss of power takes of what wasn't synced.
type Loss struct {
	Seed uint64
	// Keep is the part of the sectors and names that stay, from 0 to 1.
	Keep float64
	// Ordered keeps a file's changes up to some moment, and loses the later
	// ones; else each sector has its own fate.
	Ordered bool
	// Rubbish fills what was lengthened but not written, which is zero otherwise.
	Rubbish bool
}

const sector = 512

// Crash makes in dir, which exists and is empty, what a loss of power after
// the first n changes may leave.
func (f *FS) Crash(n int, loss Loss, dir string) error {
	f.mu.Lock()
	journal := f.journal[:n:n]
	f.mu.Unlock()
	r := rand.New(rand.NewPCG(loss.Seed, uint64(n)))
	names := survivingNames(f.base, journal, loss, r)
	for _, path := range slices.Sorted(maps.Keys(names)) {
		at := filepath.Join(dir, filepath.FromSlash(path))
		node := names[path]
		if !reachable(names, path) {
			continue
		}
		if node.dir {
			if err := os.MkdirAll(at, 0o700); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(at, surviving(journal, node, loss, r), 0o600); err != nil {
			return err
		}
		if strings.HasSuffix(path, ".db") {
			rubbish := make([]byte, r.IntN(3)*1000)
			fill(rubbish, r)
			if err := os.WriteFile(at+"-shm", rubbish, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// reachable says whether every directory on the way to path is there.
func reachable(names map[string]*inode, path string) bool {
	for i := strings.LastIndexByte(path, '/'); i >= 0; i = strings.LastIndexByte(path[:i], '/') {
		if n := names[path[:i]]; n == nil || !n.dir {
			return false
		}
		path = path[:i]
	}
	return true
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return "."
}

// survivingNames gives the names that are found, and which file each is.
func survivingNames(base map[string]*inode, journal []record, loss Loss, r *rand.Rand) map[string]*inode {
	names := maps.Clone(base)
	pending := map[string][]record{} // by directory
	apply := func(c record) {
		switch c.kind {
		case Open, Mkdir:
			names[c.path] = c.node
		case Rename:
			delete(names, c.path)
			names[c.to] = c.node
		case Remove:
			delete(names, c.path)
		}
	}
	for _, c := range journal {
		switch c.kind {
		case Open, Mkdir, Rename, Remove:
			d := parent(c.path)
			pending[d] = append(pending[d], c)
		case SyncDir:
			for _, p := range pending[c.path] {
				apply(p)
			}
			delete(pending, c.path)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(pending)) {
		for _, c := range pending[d] {
			if r.Float64() < loss.Keep {
				apply(c)
			} else if loss.Ordered {
				break
			}
		}
	}
	return names
}

// surviving gives the content in which a file is found.
func surviving(journal []record, node *inode, loss Loss, r *rand.Rand) []byte {
	safe := bytes.Clone(node.base)
	var pending, limbo []record
	for _, c := range journal {
		if c.node != node {
			continue
		}
		switch c.kind {
		case Write, Truncate, Allocate:
			pending = append(pending, c)
		case Sync:
			if c.failed {
				limbo = append(limbo, pending...)
				pending = nil
				continue
			}
			if len(limbo) > 0 {
				safe = lose(safe, limbo, loss, r)
				limbo = nil
			}
			for _, p := range pending {
				safe = p.apply(safe)
			}
			pending = nil
		}
	}
	return lose(safe, append(limbo, pending...), loss, r)
}

// lose applies some of the changes to a file.
func lose(content []byte, changes []record, loss Loss, r *rand.Rand) []byte {
	content = bytes.Clone(content)
	if loss.Ordered && len(changes) > 0 {
		n := r.IntN(len(changes) + 1)
		if loss.Keep == 0 {
			n = 0
		}
		for i, c := range changes[:n] {
			if i == n-1 && c.kind == Write { // the last one is torn
				c.data = c.data[:r.IntN(len(c.data)+1)]
			}
			content = c.apply(content)
		}
		return content
	}
	for _, c := range changes {
		if c.kind != Write {
			if r.Float64() < loss.Keep {
				content = c.apply(content)
			}
			continue
		}
		end := c.off + int64(len(c.data))
		for at := c.off; at < end; {
			next := min(end, (at/sector+1)*sector)
			if r.Float64() < loss.Keep {
				old := len(content)
				content = record{kind: Write, off: at, data: c.data[at-c.off : next-c.off]}.apply(content)
				if loss.Rubbish && int(at) > old {
					fill(content[old:at], r)
				}
			}
			at = next
		}
	}
	return content
}

// apply does a change to a file's content.
func (c record) apply(content []byte) []byte {
	switch c.kind {
	case Write:
		if end := int(c.off) + len(c.data); end > len(content) {
			content = append(content, make([]byte, end-len(content))...)
		}
		copy(content[c.off:], c.data)
	case Truncate, Allocate:
		switch size := int(c.off); {
		case size > len(content):
			content = append(content, make([]byte, size-len(content))...)
		case c.kind == Truncate:
			content = content[:size:size]
		}
	}
	return content
}

func fill(b []byte, r *rand.Rand) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}
