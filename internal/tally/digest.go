package tally

import (
	"regexp"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/vitessdo/vitessdo/sqlparse"
)

// Digests finds the digests of what shards are asked. Of these texts, which are in the
// engine's dialect, gates send a few again and again. It is safe for concurrent use.
type Digests struct {
	known *lru.Cache[string, [2]string]
}

// NewDigests makes one that remembers so many.
func NewDigests(size int) *Digests {
	known, err := lru.New[string, [2]string](size)
	if err != nil {
		panic(err) // the size is the program's own
	}
	return &Digests{known}
}

// parameter is one with its number.
var parameter = regexp.MustCompile(`\?[0-9]+`)

// Of gives the digest of a text, and the text without its literals.
func (d *Digests) Of(sql string) (id, text string) {
	if found, ok := d.known.Get(sql); ok {
		return found[0], found[1]
	}
	// As MySQL would write it: the names, and the places of parameters.
	id, text = sqlparse.Digest(strings.ReplaceAll(parameter.ReplaceAllString(sql, "?"), `"`, "`"))
	d.known.Add(sql, [2]string{id, text})
	return id, text
}
