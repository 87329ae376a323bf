package vindex

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeyRange is the half-open range [Start, End) of keyspace IDs. Start and End
// are byte strings, compared after their trailing zero bytes are stripped, as
// Vitess does; an empty one leaves that side open.
type KeyRange struct{ Start, End string }

// KeyRangeError says what is wrong with the text of a key range.
type KeyRangeError struct {
	Text   string
	Reason string
}

func (e *KeyRangeError) Error() string {
	return fmt.Sprintf("key range %q: %s", e.Text, e.Reason)
}

// ParseKeyRange reads a shard's name: "-80", "80-c0", "80-", and "-" or "0"
// for everything. The error is a *KeyRangeError.
func ParseKeyRange(s string) (KeyRange, error) {
	if s == "0" {
		return KeyRange{}, nil
	}
	start, end, ok := strings.Cut(s, "-")
	if !ok || strings.Contains(end, "-") {
		return KeyRange{}, &KeyRangeError{s, `want START-END in hexadecimal with either side left out when open, such as "40-80", or "0" for all`}
	}
	from, err := parseHexBound(s, "start", start)
	if err != nil {
		return KeyRange{}, err
	}
	to, err := parseHexBound(s, "end", end)
	if err != nil {
		return KeyRange{}, err
	}
	r := KeyRange{from, to}
	if r.Empty() {
		return KeyRange{}, &KeyRangeError{s, "holds nothing, the start must be below the end"}
	}
	return r, nil
}

func parseHexBound(text, side, digits string) (string, error) {
	if len(digits)%2 != 0 {
		return "", &KeyRangeError{text, fmt.Sprintf("the %s %q has an odd number of hexadecimal digits", side, digits)}
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return "", &KeyRangeError{text, fmt.Sprintf("the %s %q is not hexadecimal", side, digits)}
	}
	// A bound of zero bytes only is the open start, or an end below everything.
	if side == "end" && digits != "" && len(trimZeros(b)) == 0 {
		return "", &KeyRangeError{text, "holds nothing, the end is the smallest keyspace ID"}
	}
	return string(b), nil
}

// String gives the shard's name, "-" for the full range.
func (r KeyRange) String() string {
	return hex.EncodeToString([]byte(r.Start)) + "-" + hex.EncodeToString([]byte(r.End))
}

// Contains says whether the keyspace ID lies in the range. It doesn't allocate.
func (r KeyRange) Contains(ksid []byte) bool {
	id := trimZeros(ksid)
	if string(id) < trimZeros(r.Start) {
		return false
	}
	return r.End == "" || string(id) < trimZeros(r.End)
}

// Intersects says whether some keyspace ID lies in both ranges.
func (r KeyRange) Intersects(o KeyRange) bool {
	if r.Empty() || o.Empty() {
		return false
	}
	return (r.End == "" || trimZeros(o.Start) < trimZeros(r.End)) &&
		(o.End == "" || trimZeros(r.Start) < trimZeros(o.End))
}

// ContainsRange says whether every keyspace ID of o lies in r.
func (r KeyRange) ContainsRange(o KeyRange) bool {
	if o.Empty() {
		return true
	}
	if trimZeros(o.Start) < trimZeros(r.Start) {
		return false
	}
	return r.End == "" || o.End != "" && trimZeros(o.End) <= trimZeros(r.End)
}

// Empty says that no keyspace ID lies in the range.
func (r KeyRange) Empty() bool {
	return r.End != "" && trimZeros(r.Start) >= trimZeros(r.End)
}

// Full says that every keyspace ID lies in the range.
func (r KeyRange) Full() bool {
	return r.End == "" && trimZeros(r.Start) == ""
}

// Equal says that both ranges hold the same keyspace IDs, whatever zeros
// their bounds end in.
func (r KeyRange) Equal(o KeyRange) bool {
	if r.Empty() || o.Empty() {
		return r.Empty() == o.Empty()
	}
	return trimZeros(r.Start) == trimZeros(o.Start) &&
		(r.End == "") == (o.End == "") && trimZeros(r.End) == trimZeros(o.End)
}

// Locate returns the index of the range that contains the keyspace ID, or -1.
// ranges are in ascending order and don't overlap. It doesn't allocate.
func Locate(ranges []KeyRange, ksid []byte) int {
	id := trimZeros(ksid)
	lo, hi := 0, len(ranges)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if end := ranges[mid].End; end == "" || string(id) < trimZeros(end) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if lo < len(ranges) && ranges[lo].Contains(ksid) {
		return lo
	}
	return -1
}

// CheckRanges returns nil if the ranges, in the order given, cover all
// keyspace IDs without gap or overlap, and otherwise an error that names the
// first fault.
func CheckRanges(ranges []KeyRange) error {
	if len(ranges) == 0 {
		return errors.New("no shards: the key ranges must cover all keyspace IDs")
	}
	want := ""
	for i, r := range ranges {
		switch {
		case r.Empty():
			return fmt.Errorf("key range %s of shard %d holds nothing", r, i)
		case trimZeros(r.Start) != want:
			return fmt.Errorf("key range %s of shard %d must start at %x, where the one before it ends", r, i, want)
		case r.End == "" && i < len(ranges)-1:
			return fmt.Errorf("key range %s of shard %d is open, but %d more follow", r, i, len(ranges)-1-i)
		}
		want = trimZeros(r.End)
	}
	if last := ranges[len(ranges)-1]; last.End != "" {
		return fmt.Errorf("key range %s is the last one and must have an open end", last)
	}
	return nil
}

// EvenRanges splits the keyspace IDs into n ranges of the same size, with the
// bounds of Vitess's GenerateShardRanges: one byte wide up to 256 shards, two
// up to 65536, then four. n below 1 gives none.
func EvenRanges(n int) []KeyRange {
	if n < 1 {
		return nil
	}
	width, space := 1, uint64(1)<<8
	if n > 1<<8 {
		width, space = 2, 1<<16
	}
	if n > 1<<16 {
		width, space = 4, 1<<32
	}
	ranges := make([]KeyRange, n)
	for i := 1; i < n; i++ {
		at := uint64(i) * space / uint64(n)
		var b [4]byte
		for j := range width {
			b[j] = byte(at >> (8 * (width - 1 - j)))
		}
		ranges[i-1].End = string(b[:width])
		ranges[i].Start = ranges[i-1].End
	}
	return ranges
}

// PrefixRange is the range of all keyspace IDs that begin with prefix; an
// empty prefix gives the full range.
func PrefixRange(prefix []byte) KeyRange {
	return KeyRange{Start: string(prefix), End: prefixEnd(prefix)}
}

// prefixEnd is the smallest byte string above everything that begins with
// prefix, "" if there is none.
func prefixEnd(prefix []byte) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := append([]byte{}, prefix[:i+1]...)
			end[i]++
			return string(end)
		}
	}
	return ""
}

func trimZeros[T string | []byte](s T) T {
	n := len(s)
	for n > 0 && s[n-1] == 0 {
		n--
	}
	return s[:n]
}
