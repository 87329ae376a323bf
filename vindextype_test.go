package vitessdo

import (
	"slices"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/vindex"
)

// byLetter places a text by its first byte.
type byLetter struct{}

func (byLetter) Type() string { return "by_letter" }
func (byLetter) Cost() int    { return 1 }
func (byLetter) Unique() bool { return true }

func (byLetter) Map(dst []byte, v any) ([]byte, error) {
	var first byte
	switch v := v.(type) {
	case string:
		if v != "" {
			first = v[0] << 1
		}
	case nil:
		return append(dst, vindex.NullKeyspaceID...), nil
	default:
		return dst, &vindex.ValueError{Type: "by_letter", Value: v, Reason: "it places text alone"}
	}
	return append(dst, first, 0, 0, 0, 0, 0, 0, 0), nil
}

var registerByLetter = sync.OnceFunc(func() {
	vindex.Register("by_letter", func(string, map[string]string) (vindex.Vindex, error) { return byLetter{}, nil })
})

// A vindex type that the program has registered is as good as a built-in one.
func TestVindexOfTheProgram(t *testing.T) {
	registerByLetter()
	db := openDB(t, ":memory:?shards=4")
	do(t, db, "CREATE TABLE words (word VARCHAR(20) PRIMARY KEY, n INT) COMMENT 'vindex=by_letter(word)'")
	do(t, db, "INSERT INTO words VALUES ('1st', 1), ('Ann', 2), ('bob', 3)")
	var on []string
	for _, word := range []string{"1st", "Ann", "bob"} {
		want(t, db, word, "SELECT word FROM words WHERE word = ?", word)
		on = append(on, shardOf(t, db, "SELECT n FROM words WHERE word = ?", word))
	}
	if !slices.Equal(on, []string{"40-80", "80-c0", "c0-"}) {
		t.Errorf("the words are on %v", on)
	}
	do(t, db, "UPDATE words SET word = 'Bob' WHERE word = 'bob'")
	if got := shardOf(t, db, "SELECT n FROM words WHERE word = ?", "Bob"); got != "80-c0" {
		t.Errorf("the word that has changed is on %s", got)
	}
	want(t, db, "3", "SELECT n FROM words WHERE word = 'Bob'")
}
