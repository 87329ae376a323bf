package topo

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// NewKeyspace lays out a keyspace with that many shards of equal size; one that
// isn't sharded has one. Its shards have no files yet: see [Dir.Prepare].
func NewKeyspace(name string, shards int, sharded bool) (Keyspace, error) {
	if name == "" {
		return Keyspace{}, CheckKeyspaceName(name)
	}
	if !sharded && shards > 1 {
		return Keyspace{}, fmt.Errorf("keyspace %s is to be unsharded and to have %d shards", name, shards)
	}
	ks, err := newKeyspace(shards, name)
	ks.Sharded = sharded
	return ks, err
}

// Prepare gives the shards of a keyspace that is to be created their files, and
// makes the folders. What an interrupted creation or removal of a keyspace of
// that name left is removed; one that is listed is refused. The keyspace is the
// directory's only once SetKeyspaces lists it.
func (d *Dir) Prepare(k *Keyspace) error {
	for _, o := range d.State().Keyspaces {
		if strings.EqualFold(o.Name, k.Name) {
			return fmt.Errorf("data directory %s: keyspace %s exists already", d.path, o.Name)
		}
	}
	for i := range k.Shards {
		k.Shards[i].File = d.folder() + shardFile(k.Name, k.Shards[i].Name)
	}
	if err := d.RemoveFiles(*k); err != nil {
		return err
	}
	for _, s := range k.Shards {
		if err := makeDir(d.disk, filepath.Dir(d.File(s.File))); err != nil {
			return fmt.Errorf("data directory %s: %w", d.path, err)
		}
	}
	return nil
}

// PrepareShard gives a shard that is to be made its file, and makes the folder. A
// file of that name, which an interrupted creation has left, is removed. The shard
// is the directory's only once SetKeyspaces lists it.
func (d *Dir) PrepareShard(keyspace, shard string) (Shard, error) {
	s := Shard{Name: shard}
	if err := CheckKeyspaceName(keyspace); err != nil {
		return s, err
	}
	var err error
	if s.Range, err = vindex.ParseKeyRange(shard); err != nil || s.Range.String() != shard {
		return s, fmt.Errorf("keyspace %s: shard name %.40q is no key range such as -80", keyspace, shard)
	}
	s.File = d.folder() + shardFile(keyspace, shard)
	if err := d.RemoveShard(s); err != nil {
		return s, err
	}
	if err := makeDir(d.disk, filepath.Dir(d.File(s.File))); err != nil {
		return s, fmt.Errorf("data directory %s: %w", d.path, err)
	}
	return s, nil
}

// RemoveShard removes the database of a shard that is not listed, and its folder
// if nothing else is in it.
func (d *Dir) RemoveShard(s Shard) error {
	for _, o := range d.State().Keyspaces {
		for _, x := range o.Shards {
			if x.File == s.File {
				return fmt.Errorf("data directory %s: shard %s/%s is in use", d.path, o.Name, x.Name)
			}
		}
	}
	if err := removeDatabase(d.disk, d.File(s.File)); err != nil {
		return fmt.Errorf("data directory %s: can't remove a shard: %w", d.path, err)
	}
	_ = d.disk.Remove(filepath.Dir(d.File(s.File))) // unless others are in it
	return nil
}

// RemoveFiles removes the databases of a keyspace that is not listed, and its
// folder unless other files are in it.
func (d *Dir) RemoveFiles(k Keyspace) error {
	for _, o := range d.State().Keyspaces {
		if strings.EqualFold(o.Name, k.Name) {
			return fmt.Errorf("data directory %s: keyspace %s is in use", d.path, o.Name)
		}
	}
	for _, s := range k.Shards {
		if err := removeDatabase(d.disk, d.File(s.File)); err != nil {
			return fmt.Errorf("data directory %s: can't remove keyspace %s: %w", d.path, k.Name, err)
		}
	}
	for _, s := range k.Shards {
		if err := d.disk.Remove(filepath.Dir(d.File(s.File))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break // other files are in it, or another shard's
		}
	}
	return nil
}

// ForgetKeyspace drops the reserved blocks of all sequences of a keyspace,
// after it was dropped.
func (s *Sequences) ForgetKeyspace(keyspace string) {
	folded := strings.ToLower(keyspace)
	s.mu.Lock()
	var gone []*sequence
	for k, q := range s.m {
		if k.keyspace == folded {
			gone = append(gone, q)
			delete(s.m, k)
		}
	}
	s.mu.Unlock()
	for _, q := range gone {
		q.kill()
	}
}
