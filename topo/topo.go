package topo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/vindex"
)

// MaxShards is the largest number of shards that a keyspace can be created
// with.
const MaxShards = 256

// DefaultKeyspace names the keyspace that is created when none is named.
const DefaultKeyspace = "main"

// Shard is one part of a keyspace: the rows whose keyspace IDs lie in Range.
type Shard struct {
	Name  string          // the key range as text, such as "-80"
	Range vindex.KeyRange // parsed from Name
	File  string          // the database file, relative to the directory and with slashes; "" in memory
}

// Keyspace is a logical database.
type Keyspace struct {
	Name    string
	Sharded bool
	Shards  []Shard // in key order, without gaps or overlaps
}

// Relation is a table or a view as it was last defined.
type Relation struct {
	Keyspace, Name string
	View           bool
	DDL            string // the canonical CREATE statement in MySQL's dialect
}

// State is what a catalog holds at one version. It is a value to read: whoever
// wants a change asks the catalog for it.
type State struct {
	// Version grows with every change to anything else in the state, sequences
	// excepted.
	Version   uint64
	Keyspaces []Keyspace
	// VSchema is the VSchema's JSON; nil while Auto is set and nothing has been
	// declared.
	VSchema []byte
	// Auto says that no explicit VSchema was given: tables route themselves.
	Auto      bool
	Relations []Relation // ordered as they were first created
	// Schemas holds the versions of the keyspaces' schemas, by names in lower case;
	// one that isn't there is at 1. A version is the state's at the last change: it
	// never comes twice, also not when another keyspace gets the name.
	Schemas map[string]uint64
}

// Schema returns the version of a keyspace's schema.
func (s *State) Schema(keyspace string) uint64 { return max(1, s.Schemas[strings.ToLower(keyspace)]) }

// Keyspace returns the named keyspace, in any spelling of its case, or nil.
func (s *State) Keyspace(name string) *Keyspace {
	for i := range s.Keyspaces {
		if strings.EqualFold(s.Keyspaces[i].Name, name) {
			return &s.Keyspaces[i]
		}
	}
	return nil
}

// Relation returns the named table or view, in any spelling of its case, or
// nil.
func (s *State) Relation(keyspace, name string) *Relation {
	for i := range s.Relations {
		r := &s.Relations[i]
		if strings.EqualFold(r.Name, name) && strings.EqualFold(r.Keyspace, keyspace) {
			return r
		}
	}
	return nil
}

// Shard returns the named shard, or nil.
func (k *Keyspace) Shard(name string) *Shard {
	for i := range k.Shards {
		if k.Shards[i].Name == name {
			return &k.Shards[i]
		}
	}
	return nil
}

// Ranges returns the key ranges of the keyspace's shards, in key order.
func (k *Keyspace) Ranges() []vindex.KeyRange {
	rs := make([]vindex.KeyRange, len(k.Shards))
	for i := range k.Shards {
		rs[i] = k.Shards[i].Range
	}
	return rs
}

// Memory returns the state of a new database without files: one keyspace,
// [DefaultKeyspace] when the name is empty, with that many shards, one when 0.
func Memory(shards int, keyspace string) (*State, error) {
	ks, err := newKeyspace(shards, keyspace)
	if err != nil {
		return nil, err
	}
	return &State{Keyspaces: []Keyspace{ks}, Auto: true}, nil
}

func newKeyspace(shards int, name string) (Keyspace, error) {
	if name == "" {
		name = DefaultKeyspace
	}
	if err := CheckKeyspaceName(name); err != nil {
		return Keyspace{}, err
	}
	if shards == 0 {
		shards = 1
	}
	if shards < 1 || shards > MaxShards {
		return Keyspace{}, fmt.Errorf("keyspace %s: %d shards asked for; give 1 to %d", name, shards, MaxShards)
	}
	ks := Keyspace{Name: name, Sharded: true}
	for _, r := range vindex.EvenRanges(shards) {
		ks.Shards = append(ks.Shards, Shard{Name: r.String(), Range: r})
	}
	return ks, nil
}

// CheckKeyspaceName returns an error that says why name can't name a keyspace.
// Names are kept to what is a folder on every system and an identifier in SQL.
func CheckKeyspaceName(name string) error {
	if len(name) > 64 {
		return fmt.Errorf("keyspace name %.20q… has %d bytes; 64 is the limit", name, len(name))
	}
	for i, c := range name {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '$')
		if !ok {
			return fmt.Errorf("keyspace name %q: character %q is not allowed; use letters, digits, _, - and $, beginning with a letter or _", name, c)
		}
	}
	if len(name) >= 3 && strings.EqualFold(name[:3], "_vt") {
		return fmt.Errorf("keyspace name %q is reserved: names with _vt in front are the system's; choose another", name)
	}
	switch strings.ToLower(name) {
	case "":
		return fmt.Errorf("the keyspace name is empty")
	case "information_schema", "mysql", "performance_schema", "sys":
		return fmt.Errorf("keyspace name %q is reserved for the system; choose another", name)
	}
	return nil
}

// checkParts makes sure that no two of a keyspace's shards overlap, and puts them
// in key order.
func checkParts(k *Keyspace) error {
	slices.SortFunc(k.Shards, func(a, b Shard) int { return strings.Compare(a.Range.Start, b.Range.Start) })
	for i := 1; i < len(k.Shards); i++ {
		if a, b := &k.Shards[i-1], &k.Shards[i]; Overlap(a.Range, b.Range) {
			return fmt.Errorf("keyspace %s: shards %s and %s overlap", k.Name, a.Name, b.Name)
		}
	}
	return nil
}

// Overlap says whether two key ranges share keyspace IDs.
func Overlap(a, b vindex.KeyRange) bool {
	return (a.End == "" || b.Start < a.End) && (b.End == "" || a.Start < b.End)
}

// checkShards makes sure that a keyspace's shards cover the space of keyspace
// IDs exactly once, and puts them in key order.
func checkShards(k *Keyspace) error {
	if len(k.Shards) == 0 {
		return fmt.Errorf("keyspace %s has no shards", k.Name)
	}
	slices.SortFunc(k.Shards, func(a, b Shard) int { return strings.Compare(a.Range.Start, b.Range.Start) })
	if err := vindex.CheckRanges(k.Ranges()); err != nil {
		return fmt.Errorf("keyspace %s: %w", k.Name, err)
	}
	return nil
}
