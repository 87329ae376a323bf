package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// LookupStep asks a lookup for one key's keyspace ID before the plan's own
// statements run: Text, with the values of Args, gives at most one row of one
// column, which becomes parameter Slot; NULL when there is none. A write, and a
// locking read in a transaction, runs LockText, so that the row can't move before
// it is written.
type LookupStep struct {
	Keyspace       string
	Text, LockText string
	Args           []Source
	Slot           int
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
			if rows := b.keyValues(t.src, x); rows != nil {
				return b.lookupDestination(t.src.keyspace, hidden, x, rows), true
			}
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

// keyValues gives the keys that a table's rows can have, when the conditions say
// so of every row that matters; nil otherwise.
func (b *binder) keyValues(src *source, x *sqlast.IndexDef) [][]Source {
	rows := [][]Source{nil}
	for _, name := range x.Columns() {
		f := b.facts.class(term{src, src.findAny(name)}).fact
		values := f.in
		if f.eq != nil {
			values = []Source{*f.eq}
		}
		if f.weak || f.null || len(values) == 0 || len(rows)*len(values) > maxLookups {
			return nil
		}
		rows = product(rows, values)
	}
	return rows
}

// lookupDestination asks for each key before the plan runs, and goes where the
// answers say.
func (b *binder) lookupDestination(keyspace string, hidden *sqlast.TableDef, x *sqlast.IndexDef, keys [][]Source) Destination {
	var where []string
	for _, k := range keyColumns(len(x.Parts)) {
		where = append(where, k+" = ?")
	}
	text := "SELECT " + schema.KeyspaceIDColumn + " FROM " + sqlName(keyspace, hidden.Name) + " WHERE " + strings.Join(where, " AND ")
	d := Destination{Kind: DestIn, Vindex: binaryVindex, Columns: []vindex.Column{{}}, Name: x.Name, Lookup: true}
	if len(keys) == 1 {
		d.Kind = DestEqual
	}
	for _, key := range keys {
		step := LookupStep{Keyspace: keyspace, Text: text, LockText: text + " FOR UPDATE", Args: key}
		slot := -1
		for _, s := range b.params.p.Lookups {
			if s.Text == text && sameSources(s.Args, key) {
				slot = s.Slot
			}
		}
		if slot < 0 {
			slot = b.params.add(Computed{Kind: ComputedConst}, sqlast.TypeOf(sqlast.ClassBlob)).Index
			step.Slot = slot
			b.params.p.Lookups = append(b.params.p.Lookups, step)
		}
		d.Rows = append(d.Rows, []Source{{Arg: slot}})
	}
	return d
}

func sameSources(a, b []Source) bool {
	for i := range a {
		if len(a) != len(b) || !sameSource(a[i], b[i]) {
			return false
		}
	}
	return true
}
