package vindex

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Factory builds a vindex from the name and parameters of its definition. It
// must not retain params and must refuse parameters that it doesn't know.
type Factory func(name string, params map[string]string) (Vindex, error)

var registry struct {
	sync.RWMutex
	factories map[string]Factory
}

// The built-in types are entered here because some of them build others.
func init() {
	registry.factories = map[string]Factory{
		"binary":               newBinary,
		"binary_md5":           newBinaryMD5,
		"cfc":                  newCFC,
		"consistent_hash":      newConsistentHash,
		"hash":                 newHash,
		"multicol":             newMultiCol,
		"null":                 newNull,
		"numeric":              newNumeric,
		"numeric_static_map":   newNumericStaticMap,
		"range":                newRange,
		"region_experimental":  newRegionExperimental,
		"region_json":          newRegionJSON,
		"reverse_bits":         newReverseBits,
		"unicode_loose_md5":    newUnicodeLooseMD5,
		"unicode_loose_xxhash": newUnicodeLooseXXHash,
		"xxh3":                 newXXH3,
		"xxhash":               newXXHash,
	}
}

// Register adds a vindex type. It panics when typ is empty, f is nil or typ is
// taken: two packages that claim one name are a mistake in the program.
func Register(typ string, f Factory) {
	if typ == "" || f == nil {
		panic("vindex: Register needs a type and a factory")
	}
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.factories[typ]; taken {
		panic("vindex: type " + strconv.Quote(typ) + " is registered twice")
	}
	registry.factories[typ] = f
}

// Types lists the registered types in alphabetical order.
func Types() []string {
	registry.RLock()
	defer registry.RUnlock()
	types := make([]string, 0, len(registry.factories))
	for t := range registry.factories {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// New builds a vindex of a registered type. name is used in errors. The error
// is an *UnknownTypeError or a *ParamError.
func New(typ, name string, params map[string]string) (Vindex, error) {
	registry.RLock()
	f := registry.factories[typ]
	registry.RUnlock()
	if f == nil {
		return nil, &UnknownTypeError{Type: typ, Nearest: Nearest(typ, Types())}
	}
	v, err := f(name, params)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// UnknownTypeError says that no vindex type has the name.
type UnknownTypeError struct {
	Type    string
	Nearest string // the most similar registered type, "" if none is similar
}

func (e *UnknownTypeError) Error() string {
	if e.Nearest != "" {
		return fmt.Sprintf("unknown vindex type %q, did you mean %q", e.Type, e.Nearest)
	}
	return fmt.Sprintf("unknown vindex type %q, known types are %s", e.Type, strings.Join(Types(), ", "))
}

// ParamError says what is wrong with a parameter of a vindex definition.
type ParamError struct {
	Type, Name string // the vindex's type and name
	Param      string
	Reason     string
}

func (e *ParamError) Error() string {
	return fmt.Sprintf("vindex %q of type %s: parameter %q: %s", e.Name, e.Type, e.Param, e.Reason)
}

func (id identity) paramError(param, format string, args ...any) error {
	return &ParamError{Type: id.typ, Name: id.name, Param: param, Reason: fmt.Sprintf(format, args...)}
}

// checkParams refuses parameters outside valid.
func (id identity) checkParams(params map[string]string, valid ...string) error {
	names := make([]string, 0, len(params))
	for p := range params {
		names = append(names, p)
	}
	slices.Sort(names)
	for _, p := range names {
		if slices.Contains(valid, p) {
			continue
		}
		switch near := Nearest(p, valid); {
		case len(valid) == 0:
			return id.paramError(p, "unknown, this type takes no parameters")
		case near != "":
			return id.paramError(p, "unknown, did you mean %q; valid are %s", near, strings.Join(valid, ", "))
		default:
			return id.paramError(p, "unknown, valid are %s", strings.Join(valid, ", "))
		}
	}
	return nil
}

// Nearest returns the candidate most similar to word, for "did you mean" in
// errors, or "" if none is close: a third of the letters may be wrong. Case and
// what joins words are ignored; the earliest candidate wins a tie.
func Nearest(word string, candidates []string) string {
	plain := func(s string) string { return joints.Replace(strings.ToLower(s)) }
	best, bestDist := "", 1+max(1, (len(word)+1)/3)
	for _, c := range candidates {
		if d := editDistance(plain(word), plain(c)); d < bestDist && d < len(c) {
			best, bestDist = c, d
		}
	}
	return best
}

var joints = strings.NewReplacer("_", "", "-", "")

// editDistance counts insertions, deletions, substitutions and transpositions
// of neighbours (optimal string alignment).
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var prev2, prev, cur [65]int
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev = prev, cur
	}
	return prev[len(b)]
}
