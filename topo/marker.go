package topo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/vindex"
)

// formatVersion is the directory format that this code writes and the newest
// that it reads.
const formatVersion = 2

// firstFormat is what a directory is in that was never resharded: versions that
// know nothing of generations read it.
const firstFormat = 1

const (
	phaseCreating = "creating"
	phaseReady    = "ready"
)

// marker is the content of vitessdo.json: which files make up the database.
// It is replaced by rename only, so that it is always whole.
type marker struct {
	Phase      string
	Generation int // how often all databases were replaced by others
	Keyspaces  []Keyspace
}

type markerJSON struct {
	Format     int            `json:"format"`
	Phase      string         `json:"phase"`
	Generation int            `json:"generation,omitempty"`
	Keyspaces  []keyspaceJSON `json:"keyspaces"`
}

type keyspaceJSON struct {
	Name    string      `json:"name"`
	Sharded bool        `json:"sharded"`
	Shards  []shardJSON `json:"shards"`
}

type shardJSON struct {
	Name string `json:"name"`
	File string `json:"file"`
}

func newMarker(ks []Keyspace) marker { return marker{Phase: phaseCreating, Keyspaces: ks} }

func (m marker) write(d disk.FS, dir string) error {
	text, err := m.text()
	if err != nil {
		return err
	}
	return disk.Replace(d, filepath.Join(dir, markerFile), text, 0o600)
}

func (m marker) text() ([]byte, error) {
	j := markerJSON{Format: firstFormat, Phase: m.Phase, Generation: m.Generation}
	if m.Generation > 0 {
		j.Format = formatVersion
	}
	for _, k := range m.Keyspaces {
		kj := keyspaceJSON{Name: k.Name, Sharded: k.Sharded}
		for _, s := range k.Shards {
			kj.Shards = append(kj.Shards, shardJSON{Name: s.Name, File: s.File})
		}
		j.Keyspaces = append(j.Keyspaces, kj)
	}
	text, err := json.MarshalIndent(j, "", "  ")
	return append(text, '\n'), err
}

// readMarker reads and checks vitessdo.json. When there is none the error is
// fs.ErrNotExist.
func readMarker(dir string) (marker, error) {
	text, err := os.ReadFile(filepath.Join(dir, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return marker{}, err
	}
	if err != nil {
		return marker{}, fmt.Errorf("data directory %s: %w", dir, err)
	}
	// The format comes first: a newer one may differ in everything else.
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return marker{}, damagedMarker(dir, err)
	}
	if head.Format > formatVersion {
		return marker{}, &DirError{Kind: ErrNewerFormat, Path: dir, Message: fmt.Sprintf(
			"has format %d, written by a newer version of vitessdo; this one reads formats up to %d: upgrade it", head.Format, formatVersion)}
	}
	m, err := parseMarker(text)
	if err != nil {
		return marker{}, damagedMarker(dir, err)
	}
	return m, nil
}

func damagedMarker(dir string, err error) error {
	return &DirError{Kind: ErrDamaged, Path: dir, Message: fmt.Sprintf(
		"is damaged: %s: %s; restore that file from a backup (nothing was changed)", markerFile, err)}
}

func parseMarker(text []byte) (marker, error) {
	var j markerJSON
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		return marker{}, err
	}
	if j.Format < 1 {
		return marker{}, fmt.Errorf("format %d is not one", j.Format)
	}
	if j.Phase != phaseCreating && j.Phase != phaseReady {
		return marker{}, fmt.Errorf("phase %q is not one", j.Phase)
	}
	if j.Generation < 0 || j.Generation > 0 && j.Format < formatVersion {
		return marker{}, fmt.Errorf("format %d has no generation %d", j.Format, j.Generation)
	}
	m := marker{Phase: j.Phase, Generation: j.Generation}
	for _, kj := range j.Keyspaces {
		k := Keyspace{Name: kj.Name, Sharded: kj.Sharded}
		for _, sj := range kj.Shards {
			r, err := vindex.ParseKeyRange(sj.Name)
			if err != nil {
				return marker{}, fmt.Errorf("keyspace %s: %w", kj.Name, err)
			}
			k.Shards = append(k.Shards, Shard{Name: sj.Name, Range: r, File: sj.File})
		}
		m.Keyspaces = append(m.Keyspaces, k)
	}
	return m, checkKeyspaces(m.Keyspaces)
}

// checkKeyspaces makes sure that no two shards share keyspace IDs or a file, nor a
// file lies outside the directory. A keyspace may lack shards: see checkWhole.
func checkKeyspaces(ks []Keyspace) error {
	names, files := map[string]bool{}, map[string]bool{}
	for i := range ks {
		k := &ks[i]
		if err := CheckKeyspaceName(k.Name); err != nil {
			return err
		}
		if folded := strings.ToLower(k.Name); names[folded] {
			return fmt.Errorf("keyspace %s is listed twice", k.Name)
		} else {
			names[folded] = true
		}
		if err := checkParts(k); err != nil {
			return err
		}
		for _, s := range k.Shards {
			if folded := strings.ToLower(s.File); !filepath.IsLocal(filepath.FromSlash(s.File)) || files[folded] || !strings.Contains(s.File, "/") {
				return fmt.Errorf("keyspace %s: shard %s can't have the file %q", k.Name, s.Name, s.File)
			} else {
				files[folded] = true
			}
		}
	}
	return nil
}

// checkWhole makes sure that the keyspaces have all their shards here. A directory
// that was served may have some only, of a database that is spread over servers,
// or no keyspace at all.
func checkWhole(ks []Keyspace) error {
	for i := range ks {
		if err := checkShards(&ks[i]); err != nil {
			return err
		}
	}
	return nil
}

func cloneKeyspaces(ks []Keyspace) []Keyspace {
	ks = slices.Clone(ks)
	for i := range ks {
		ks[i].Shards = slices.Clone(ks[i].Shards)
	}
	return ks
}
