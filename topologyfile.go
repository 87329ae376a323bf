package vitessdo

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vindex"
)

// topologyFile is what the option topology names: which shard is where.
// docs/remote.md describes it.
type topologyFile struct {
	Catalog string            `json:"catalog"`
	Shards  map[string]string `json:"shards"` // by keyspace/shard
	Tokens  map[string]string `json:"tokens"` // by place
}

// hostKind opens the host of one place, whose address is "scheme:…". peer finds any
// shard's tablet, for hosts whose tablets settle transactions by themselves.
type hostKind func(address, token string, cfg *Config, peer peerFinder) (host, error)

// peerFinder finds a shard's tablet, wherever it is.
type peerFinder func(tablet.Target) (tablet.Resolver, error)

// hostKinds are the places that a topology can name, by their scheme.
var hostKinds = map[string]hostKind{
	"http":  openServerHost,
	"https": openServerHost,
	"ws":    openServerHost,
	"wss":   openServerHost,
	"file":  openFolder,
}

func openServerHost(address, token string, cfg *Config, _ peerFinder) (host, error) {
	return newServerHost(address, token, cfg)
}

// readTopology reads the file, and makes the hosts that it names. The place of the
// data source name has whatever isn't listed.
func readTopology(cfg *Config) (_ *hosts, err error) {
	data, err := os.ReadFile(cfg.Topology)
	if err != nil {
		return nil, errorFrom(CodeTopology, err, "topology file: %v", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var f topologyFile
	if err := dec.Decode(&f); err != nil {
		return nil, errorFrom(CodeTopology, err, "topology file %s: %v", cfg.Topology, err)
	}
	t := &topologyReader{cfg: cfg, file: &f, open: map[string]host{}, hosts: &hosts{name: "topology " + cfg.Topology, at: map[tablet.Target]host{}}}
	defer func() {
		if err != nil {
			_ = t.hosts.close()
		}
	}()
	return t.hosts, t.read()
}

type topologyReader struct {
	cfg   *Config
	file  *topologyFile
	open  map[string]host // by place
	hosts *hosts
}

func (t *topologyReader) bad(format string, args ...any) error {
	return newError(CodeTopology, "topology file "+t.cfg.Topology+": "+format, args...)
}

func (t *topologyReader) read() (err error) {
	own, token := t.cfg.Remote, string(t.cfg.AuthToken)
	if own == "" {
		own = "file:" + t.cfg.Dir
	}
	if t.hosts.main, err = t.host(own, token); err != nil {
		return err
	}
	if t.file.Catalog != "" {
		if t.hosts.at[catalogTarget], err = t.place(t.file.Catalog); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.file.Shards)) {
		ks, shard, ok := strings.Cut(name, "/")
		if _, err := vindex.ParseKeyRange(shard); !ok || ks == "" || err != nil {
			return t.bad("%q is no shard; write keyspace/range, such as main/-80", name)
		}
		if t.hosts.at[tablet.Target{Keyspace: ks, Shard: shard}], err = t.place(t.file.Shards[name]); err != nil {
			return err
		}
	}
	for place := range t.file.Tokens {
		if t.open[place] == nil {
			return t.bad("there is a token for %s, which no shard is at", place)
		}
	}
	return nil
}

// place gives the host of a place as the file writes it.
func (t *topologyReader) place(place string) (host, error) {
	if h := t.open[place]; h != nil {
		return h, nil
	}
	token, err := t.token(t.file.Tokens[place])
	if err != nil {
		return nil, err
	}
	if token == "" && place == t.cfg.Remote {
		return t.hosts.main, nil
	}
	address := place
	if dir, ok := strings.CutPrefix(place, "file:"); ok && !filepath.IsAbs(dir) {
		address = "file:" + filepath.Join(filepath.Dir(t.cfg.Topology), dir)
	}
	h, err := t.host(address, token)
	if err == nil {
		t.open[place] = h
	}
	return h, err
}

func (t *topologyReader) host(address, token string) (host, error) {
	scheme, _, _ := strings.Cut(address, ":")
	kind := hostKinds[scheme]
	if kind == nil {
		return nil, t.bad("the place %.20q… has no scheme that is known; there are %s", scheme, strings.Join(slices.Sorted(maps.Keys(hostKinds)), ", "))
	}
	h, err := kind(address, token, t.cfg, t.hosts.peer)
	if err != nil {
		return nil, err
	}
	t.hosts.all = append(t.hosts.all, h)
	return h, nil
}

// token reads a secret from where the file says that it is: the file itself holds
// none.
func (t *topologyReader) token(from string) (string, error) {
	kind, name, _ := strings.Cut(from, ":")
	switch {
	case from == "":
		return "", nil
	case kind == "env":
		if v := os.Getenv(name); v != "" {
			return v, nil
		}
		return "", t.bad("the environment has no variable %s, which is to hold a token", name)
	case kind == "file":
		data, err := os.ReadFile(name)
		if err != nil {
			return "", t.bad("can't read a token: %v", err)
		}
		return strings.TrimSpace(string(data)), nil
	}
	return "", t.bad("a token is given as env:NAME or file:PATH, and not itself")
}
