package route

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// LookupStep asks a lookup for one key's keyspace ID: Text, with the values of
// Args, gives at most one row of one column, which is the step's value; NULL when
// there is none. A write, and a locking read in a transaction, runs LockText, so
// that the row can't move before it is written.
type LookupStep struct {
	Keyspace       string
	Text, LockText string
	Args           []Source
	// List: the key may have any number of keyspace IDs, and the value is a list of
	// them (see AppendItem).
	List bool
}

// maxLookups bounds the keys that one condition looks up; with more, asking all
// shards is cheaper.
const maxLookups = 64

// binaryVindex takes keyspace IDs as they are.
var binaryVindex = func() vindex.Vindex {
	v, err := vindex.New("binary", "lookup", nil)
	if err != nil {
		panic(err) // the type is built in
	}
	return v
}()

// byLookup finds a place's shards by a unique key of one of its tables, when the
// conditions give its values; false when there is none.
func (b *binder) byLookup(p place) (Destination, bool) {
	for _, t := range p.classes[0].terms {
		own := b.facts.sourceClasses(t.src)
		if t.src.def == nil || own.kind != placeGroup || !sameVindex(own.vindex, p.vindex) || !identical(own.classes, p.classes) {
			continue
		}
		for _, x := range t.src.def.Indexes {
			hidden := b.env.Schema.Unique(t.src.keyspace, t.src.def.Name, x)
			if hidden == nil {
				continue
			}
			if keys := b.keyValues(b.partTerms(t.src, x)); keys != nil {
				var where []string
				for _, k := range keyColumns(len(x.Parts)) {
					where = append(where, k+" = ?")
				}
				d := b.lookupDestination(t.src.keyspace, "SELECT "+schema.KeyspaceIDColumn+" FROM "+
					sqlName(t.src.keyspace, hidden.Name)+" WHERE "+strings.Join(where, " AND "), keys, false)
				d.Name = x.Name
				return d, true
			}
		}
		if d, ok := b.byDeclared(t.src); ok {
			return d, true
		}
	}
	return Destination{}, false
}

func identical(a, b []*class) bool {
	for i := range a {
		if len(a) != len(b) || a[i] != b[i] {
			return false
		}
	}
	return true
}

// partTerms gives the terms of a key's parts; nil where the key is on prefixes, as
// the whole value isn't what it has.
func (b *binder) partTerms(src *source, x *sqlast.IndexDef) []term {
	var out []term
	for i := range x.Parts {
		t, ok := b.partTerm(src, &x.Parts[i])
		if !ok || x.Parts[i].Length > 0 {
			return nil
		}
		out = append(out, t)
	}
	return out
}

// columnTerms gives the terms of columns.
func columnTerms(src *source, columns []string) []term {
	out := make([]term, len(columns))
	for i, name := range columns {
		out[i] = term{src, src.findAny(name)}
	}
	return out
}

// keyValues gives the keys that a table's rows can have, when the conditions say
// so of every row that matters; nil otherwise, as for no terms.
func (b *binder) keyValues(terms []term) [][]Source {
	if terms == nil {
		return nil
	}
	of := func(i int) *fact { return &b.facts.class(terms[i]).fact }
	for i := range terms {
		if f := of(i); f.weak || f.null {
			return nil
		}
	}
	if keys := tuples(len(terms), of); keys != nil && len(keys) <= maxLookups {
		return keys
	}
	rows := [][]Source{nil}
	for i := range terms {
		f := of(i)
		values := f.in
		if f.eq != nil {
			values = []Source{*f.eq}
		}
		if len(values) == 0 || len(rows)*len(values) > maxLookups {
			return nil
		}
		rows = product(rows, values)
	}
	return rows
}

// lookupDestination asks for each key before the plan runs, and goes where the
// answers say.
func (b *binder) lookupDestination(keyspace, text string, keys [][]Source, list bool) Destination {
	d := Destination{Kind: DestIn, Vindex: binaryVindex, Columns: []vindex.Column{{}}, Lookup: true}
	switch {
	case list:
		d.Kind = DestList
	case len(keys) == 1:
		d.Kind = DestEqual
	}
	for _, key := range keys {
		slot := -1
		for _, s := range b.params.p.Steps {
			if s.Lookup != nil && s.Lookup.Text == text && sameSources(s.Lookup.Args, key) {
				slot = s.Slot
			}
		}
		if slot < 0 {
			step := &LookupStep{Keyspace: keyspace, Text: text, LockText: text + " FOR UPDATE", Args: key, List: list}
			slot = b.params.step(Step{Lookup: step}, sqlast.TypeOf(sqlast.ClassBlob)).Index
		}
		d.Rows = append(d.Rows, []Source{{Arg: slot}})
	}
	return d
}

func sameSources(a, b []Source) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameSource(a[i], b[i]) {
			return false
		}
	}
	return true
}

// AppendItem adds a number or a text or bytes to a list, as a list parameter of
// a step holds them.
func AppendItem(list []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.BigEndian.AppendUint64(append(list, 'i'), uint64(v))
	case string:
		return append(binary.AppendUvarint(append(list, 's'), uint64(len(v))), v...)
	case []byte:
		return append(binary.AppendUvarint(append(list, 'b'), uint64(len(v))), v...)
	case float64:
		return binary.BigEndian.AppendUint64(append(list, 'f'), math.Float64bits(v))
	}
	return list // NULL leads nowhere
}

// eachItem visits the items of a list.
func eachItem(v any, f func(any) error) error {
	list, _ := v.([]byte)
	for len(list) > 1 {
		tag := list[0]
		list = list[1:]
		var item any
		switch tag {
		case 'i':
			item, list = int64(binary.BigEndian.Uint64(list)), list[8:]
		case 'f':
			item, list = math.Float64frombits(binary.BigEndian.Uint64(list)), list[8:]
		default:
			n, k := binary.Uvarint(list)
			b := list[k : k+int(n)]
			if item, list = b, list[k+int(n):]; tag == 's' {
				item = string(b)
			}
		}
		if err := f(item); err != nil {
			return err
		}
	}
	return nil
}

// resolveList gives the shards of all keyspace IDs in the lists.
func (d *Destination) resolveList(m *ShardMap, args []any, b *Scratch, out []int) ([]int, error) {
	for _, r := range d.Rows {
		err := eachItem(r[0].Value(args), func(v any) error {
			i, err := d.shardOf(m, []Source{{Arg: -1, Const: v}}, nil, b)
			if i >= 0 && err == nil {
				out = insertShard(out, i)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
