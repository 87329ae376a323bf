package vindex

import (
	"crypto/md5"
	"encoding/binary"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// weigher gives the primary weights of text: what stays when case, accents and
// width are ignored (UCA level 1). A Collator isn't safe for concurrent use,
// hence the pool.
type weigher struct {
	collator *collate.Collator
	buffer   collate.Buffer
}

var weighers = sync.Pool{New: func() any {
	return &weigher{collator: collate.New(language.English, collate.Loose)}
}}

// unicodeLoose is Vitess's unicode_loose_md5 and unicode_loose_xxhash: a hash
// of the primary weights of the text without its trailing blanks.
type unicodeLoose struct {
	identity
	sum func(dst, weights []byte) []byte
}

func newUnicodeLooseMD5(name string, params map[string]string) (Vindex, error) {
	v := &unicodeLoose{identity{"unicode_loose_md5", name, 1}, func(dst, weights []byte) []byte {
		sum := md5.Sum(weights)
		return append(dst, sum[:]...)
	}}
	return v, v.checkParams(params)
}

func newUnicodeLooseXXHash(name string, params map[string]string) (Vindex, error) {
	v := &unicodeLoose{identity{"unicode_loose_xxhash", name, 1}, func(dst, weights []byte) []byte {
		return binary.LittleEndian.AppendUint64(dst, xxhash.Sum64(weights))
	}}
	return v, v.checkParams(params)
}

// Map fails for text that isn't valid UTF-8, as Vitess does: it has no weights.
func (x *unicodeLoose) Map(dst []byte, v any) ([]byte, error) {
	if !rawSupported(v) {
		return dst, x.invalid(v, "a value of this Go type has no text")
	}
	text, ok := v.(string)
	if !ok {
		text = string(appendRaw(nil, v))
	}
	if !utf8.ValidString(text) {
		return dst, x.invalid(v, "it takes valid UTF-8")
	}
	w := weighers.Get().(*weigher)
	defer weighers.Put(w)
	w.buffer.Reset()
	return x.sum(dst, w.collator.KeyFromString(&w.buffer, strings.TrimRight(text, " "))), nil
}
