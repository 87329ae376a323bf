package redolog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/vitessdo/vitessdo/tablet"
)

// Tags of values.
const (
	tagNil byte = iota
	tagInt
	tagFloat
	tagString
	tagBlob
)

var errShort = errors.New("it ends too early")

// entrySize is about how long an entry is, so that its buffer is made once.
func entrySize(dtid string, redos []tablet.Redo) int {
	n := len(dtid) + 16
	for i := range redos {
		r := &redos[i]
		n += len(r.Keyspace) + len(r.Shard) + len(r.Place.After) + len(r.Place.State) + 16
		for j := range r.Queries {
			q := &r.Queries[j]
			n += len(q.SQL) + 12 + 10*len(q.Args)
			for _, v := range q.Args {
				switch v := v.(type) {
				case string:
					n += len(v)
				case []byte:
					n += len(v)
				}
			}
		}
	}
	return n
}

// appendEntry encodes a transaction.
func appendEntry(b []byte, dtid string, redos []tablet.Redo) ([]byte, error) {
	b = appendString(b, dtid)
	b = binary.AppendUvarint(b, uint64(len(redos)))
	for i := range redos {
		r := &redos[i]
		b = appendString(b, r.Keyspace)
		b = appendString(b, r.Shard)
		f := flags(r)
		b = append(b, f)
		if f&flagHolder != 0 {
			b = appendString(appendString(b, r.Holder.Keyspace), r.Holder.Shard)
		}
		if f&flagPlace != 0 {
			b = appendString(appendString(b, r.Place.After), r.Place.State)
		}
		b = binary.AppendUvarint(b, uint64(len(r.Queries)))
		for j := range r.Queries {
			var err error
			if b, err = appendQuery(b, &r.Queries[j]); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// Flags of a redo.
const (
	flagNoForeignKeys = 1 // tablet.Redo.NoForeignKeys
	flagHolder        = 2 // the holder's keyspace and shard follow
	flagPlace         = 4 // tablet.Redo.Place follows
)

func flags(r *tablet.Redo) (f byte) {
	if r.NoForeignKeys {
		f |= flagNoForeignKeys
	}
	if r.Holder != (tablet.Target{}) {
		f |= flagHolder
	}
	if r.Place != (tablet.Place{}) {
		f |= flagPlace
	}
	return f
}

func appendQuery(b []byte, q *tablet.Query) ([]byte, error) {
	b = appendString(b, q.SQL)
	b = binary.AppendUvarint(b, uint64(max(q.Batch, 0)))
	b = binary.AppendUvarint(b, uint64(len(q.Args)))
	for i, v := range q.Args {
		switch v := v.(type) {
		case nil:
			b = append(b, tagNil)
		case int64:
			b = binary.AppendVarint(append(b, tagInt), v)
		case float64:
			b = binary.LittleEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v))
		case string:
			b = appendString(append(b, tagString), v)
		case []byte:
			b = binary.AppendUvarint(append(b, tagBlob), uint64(len(v)))
			b = append(b, v...)
		default:
			return nil, fmt.Errorf("value %d of %q is of type %T; only int64, float64, string, []byte and nil can be logged", i+1, q.SQL, v)
		}
	}
	return b, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeEntries reads a payload. What it returns shares no memory with it.
// Encode gives the bytes that keep a transaction's redos, for who keeps them elsewhere.
func Encode(dtid string, redos []tablet.Redo) ([]byte, error) {
	return appendEntry(make([]byte, 0, entrySize(dtid, redos)), dtid, redos)
}

// Decode gives what Encode was given. There is one entry at least.
func Decode(b []byte) ([]Entry, error) {
	list, err := decodeEntries(b)
	if err == nil && len(list) == 0 {
		err = errors.New("redo log: no entry in the bytes of one")
	}
	return list, err
}

func decodeEntries(payload []byte) ([]Entry, error) {
	d := decoder{b: payload}
	var out []Entry
	for len(d.b) > 0 && d.err == nil {
		out = append(out, d.entry())
	}
	return out, d.err
}

// decoder takes values off b until it fails; then it gives zeroes.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads the number of things that follow, each of at least size bytes,
// so that a bad number can't ask for much memory.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.fail(errShort)
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.b) {
		d.fail(errShort)
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) string() string { return string(d.bytes(d.count(1))) }

func (d *decoder) entry() Entry {
	e := Entry{DTID: d.string()}
	if n := d.count(3); n > 0 {
		e.Redos = make([]tablet.Redo, n)
	}
	for i := range e.Redos {
		if d.err != nil {
			break
		}
		e.Redos[i] = d.redo()
	}
	return e
}

func (d *decoder) redo() tablet.Redo {
	r := tablet.Redo{Keyspace: d.string(), Shard: d.string()}
	if f := d.bytes(1); len(f) == 1 {
		r.NoForeignKeys = f[0]&flagNoForeignKeys != 0
		if f[0]&flagHolder != 0 {
			r.Holder = tablet.Target{Keyspace: d.string(), Shard: d.string()}
		}
		if f[0]&flagPlace != 0 {
			r.Place = tablet.Place{After: d.string(), State: d.string()}
		}
		if f[0]&^(flagNoForeignKeys|flagHolder|flagPlace) != 0 {
			d.fail(fmt.Errorf("unknown flags %#x", f[0]))
		}
	}
	if n := d.count(3); n > 0 {
		r.Queries = make([]tablet.Query, n)
	}
	for i := range r.Queries {
		if d.err != nil {
			break
		}
		r.Queries[i] = d.query()
	}
	return r
}

func (d *decoder) query() tablet.Query {
	q := tablet.Query{SQL: d.string()}
	batch := d.uvarint()
	if batch > math.MaxInt32 {
		d.fail(fmt.Errorf("a batch of %d executions", batch))
	}
	q.Batch = int(batch)
	if n := d.count(1); n > 0 {
		q.Args = make([]tablet.Value, n)
	}
	for i := range q.Args {
		if d.err != nil {
			break
		}
		q.Args[i] = d.value()
	}
	return q
}

func (d *decoder) value() tablet.Value {
	tag := d.bytes(1)
	if len(tag) == 0 {
		return nil
	}
	switch tag[0] {
	case tagNil:
		return nil
	case tagInt:
		v, n := binary.Varint(d.b)
		if n <= 0 {
			d.fail(errShort)
			return nil
		}
		d.b = d.b[n:]
		return v
	case tagFloat:
		if b := d.bytes(8); b != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
		return nil
	case tagString:
		return d.string()
	case tagBlob:
		return append([]byte{}, d.bytes(d.count(1))...)
	}
	d.fail(fmt.Errorf("value tag %d is unknown", tag[0]))
	return nil
}
