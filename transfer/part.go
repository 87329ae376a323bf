package transfer

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/vitessdo/vitessdo/internal/disk"
)

// part is the file that an export writes, before it takes the target's place. Beside it
// stands, in a file of its own, how far it has come.
type part struct {
	target string
	lock   *flock.Flock
	f      *os.File
	z      *gzip.Writer // nil: not packed
	sum    hash.Hash    // of the file
	size   int64        // of the file
	plain  int64        // of what was written, unpacked
	saved  bool         // there is a state
}

// exportState is how far an export has come.
type exportState struct {
	Export string `json:"export"` // a digest of what it was told
	Size   int64  `json:"size"`   // of the part that is whole
	Sum    []byte `json:"sum"`    // the state of its hash
	Plain  int64  `json:"plain"`
	Rows   int64  `json:"rows"`
	Table  int    `json:"table"` // whose rows are being written, by its place in Tables
	// After is the primary key of the last row of it that was written.
	After []keyValue `json:"after"`
}

const (
	partSuffix  = ".part"
	stateSuffix = ".part.state"
	// saveEvery is how much is written, unpacked, between two notes of how far an export
	// has come.
	saveEvery = 16 << 20
)

// openPart begins a part, or opens that of an interrupted export and cuts off what was
// written after its last note.
func openPart(target, export string, restart bool) (*part, *exportState, error) {
	p := &part{target: target, lock: flock.New(target + partSuffix), sum: sha256.New()}
	if locked, err := p.lock.TryLock(); err != nil || !locked {
		return nil, nil, errors.Join(fmt.Errorf("%s%s is being written by another export, or can't be", target, partSuffix), err)
	}
	st, err := p.open(export, restart)
	if err != nil {
		return nil, nil, errors.Join(err, p.lock.Unlock())
	}
	if strings.HasSuffix(strings.ToLower(target), ".gz") {
		p.z = gzip.NewWriter(fileWriter{p})
	}
	return p, st, nil
}

func (p *part) open(export string, restart bool) (_ *exportState, err error) {
	if p.f, err = os.OpenFile(p.target+partSuffix, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	st, err := p.readState()
	if err == nil && (restart || st == nil || st.Export != export) {
		st, p.sum = &exportState{Export: export}, sha256.New()
		if err = os.Remove(p.target + stateSuffix); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = p.f.Truncate(st.Size)
	}
	if err == nil {
		_, err = p.f.Seek(st.Size, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, p.f.Close())
	}
	p.size, p.plain, p.saved = st.Size, st.Plain, st.Size > 0
	return st, nil
}

// readState gives nil where there is none, or none that can be gone on with.
func (p *part) readState() (*exportState, error) {
	text, err := os.ReadFile(p.target + stateSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := p.f.Stat()
	if err != nil {
		return nil, err
	}
	st := new(exportState)
	if json.Unmarshal(text, st) != nil || info.Size() < st.Size || p.sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(st.Sum) != nil {
		return nil, nil
	}
	return st, nil
}

// Write packs and writes.
func (p *part) Write(b []byte) (int, error) {
	p.plain += int64(len(b))
	if p.z != nil {
		return p.z.Write(b)
	}
	return fileWriter{p}.Write(b)
}

// fileWriter writes to a part's file as it is.
type fileWriter struct{ p *part }

func (w fileWriter) Write(b []byte) (int, error) {
	n, err := w.p.f.Write(b)
	w.p.size += int64(n)
	w.p.sum.Write(b[:n])
	return n, err
}

// save makes all that was written durable, and then the note that says so.
func (p *part) save(w *bufio.Writer, st *exportState) error {
	if err := p.flush(w); err != nil {
		return err
	}
	if p.z != nil {
		p.z.Reset(fileWriter{p}) // packed files may have several members
	}
	sum, err := p.sum.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return err
	}
	st.Size, st.Plain, st.Sum = p.size, p.plain, sum
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	p.saved = true
	return disk.Replace(disk.OS, p.target+stateSuffix, text, 0o600)
}

func (p *part) flush(w *bufio.Writer) error {
	if err := w.Flush(); err != nil {
		return err
	}
	if p.z != nil {
		if err := p.z.Close(); err != nil {
			return err
		}
	}
	return p.f.Sync()
}

// end makes the part the target, and gives the file's SHA-256.
func (p *part) end(w *bufio.Writer) (sum string, err error) {
	if err := p.flush(w); err != nil {
		return "", errors.Join(err, p.leave())
	}
	if err := errors.Join(p.f.Close(), p.lock.Unlock()); err != nil {
		return "", err
	}
	if err := os.Rename(p.target+partSuffix, p.target); err != nil {
		return "", err
	}
	return hex.EncodeToString(p.sum.Sum(nil)), p.forget()
}

// leave lets go of a part that isn't whole: it stays if it can be gone on with.
func (p *part) leave() error {
	err := p.f.Close()
	if !p.saved {
		err = errors.Join(err, os.Remove(p.target+partSuffix), p.forget())
	}
	return errors.Join(err, p.lock.Unlock())
}

func (p *part) forget() error {
	if err := os.Remove(p.target + stateSuffix); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// keyValue is a value of a primary key, with its type.
type keyValue struct {
	Int  *int64  `json:"int,omitempty"`
	Text *string `json:"text,omitempty"`
	Blob []byte  `json:"blob,omitempty"`
}

func keyValueOf(v any) keyValue {
	switch v := v.(type) {
	case int64:
		return keyValue{Int: &v}
	case []byte:
		return keyValue{Blob: slices.Clone(v)}
	}
	text := textOf(v)
	return keyValue{Text: &text}
}

func (k keyValue) value() any {
	switch {
	case k.Int != nil:
		return *k.Int
	case k.Text != nil:
		return *k.Text
	}
	return append([]byte{}, k.Blob...) // nil would be NULL
}

// primaryKey gives the columns of a table's primary key, if the rows can be read in its
// order from any row on: not where there is none, and not where comparing its values
// with those that were written orders them otherwise than they are read.
func primaryKey(ctx context.Context, q querier, table string, columns []column) ([]string, error) {
	ks, bare := splitName(table)
	key, err := names(ctx, q, `SELECT column_name FROM information_schema.statistics
WHERE table_schema = IF(? = '', DATABASE(), ?) AND table_name = ? AND index_name = 'PRIMARY' AND sub_part IS NULL ORDER BY seq_in_index`, ks, ks, bare)
	if err != nil {
		return nil, err
	}
	for _, name := range key {
		i := slices.IndexFunc(columns, func(c column) bool { return strings.EqualFold(c.name, name) })
		if i < 0 || columns[i].generated || !columns[i].ordered() {
			return nil, nil
		}
	}
	return key, nil
}

// ordered says whether values of the column compare with their texts as they are sorted.
func (c *column) ordered() bool {
	switch c.typ {
	case "char", "varchar", "decimal", "date", "datetime", "timestamp":
		return true
	}
	return c.integer() || c.blob() || strings.HasSuffix(c.typ, "text")
}

// behind is the condition on rows behind one in the order of a key, and its arguments.
func behind(key []string, after []keyValue) (text string, args []any) {
	if len(after) == 0 {
		return "", nil
	}
	// The first comparison, which the others imply, is what an index is searched by.
	text = quote(key[0]) + " >= ? AND ("
	args = append(args, after[0].value())
	for n := range key {
		if n > 0 {
			text += " OR "
		}
		for i := range n {
			text += quote(key[i]) + " = ? AND "
			args = append(args, after[i].value())
		}
		text += quote(key[n]) + " > ?"
		args = append(args, after[n].value())
	}
	return " WHERE " + text + ")", args
}
