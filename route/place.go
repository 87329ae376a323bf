package route

import (
	"github.com/vitessdo/vitessdo/vschema"
)

// placeKind is where rows are.
type placeKind uint8

const (
	placeAny   placeKind = iota // on every shard alike: reference tables, no tables
	placeFixed                  // on one known shard
	placeGroup                  // spread by the vindex columns' values
	placeMany                   // tables that aren't co-located
)

// place says where the rows of a query's tables are.
type place struct {
	kind     placeKind
	keyspace string
	dest     Destination // placeFixed
	classes  []*class    // placeGroup: one per vindex column
	vindex   *vschema.ColumnVindex
}

// sourcePlace says where a stored table's rows are.
func (b *binder) sourcePlace(s *source) place {
	if s.def == nil {
		return place{}
	}
	if s.catalog {
		return place{kind: placeMany}
	}
	m := b.env.Shards(s.keyspace)
	p := place{keyspace: s.keyspace}
	if s.target != nil { // whatever the vindexes say
		p.kind, p.dest = placeFixed, Destination{Kind: DestShard, Shard: *s.target}
		return p
	}
	if p.kind, p.dest = homeOf(s.vt, m); p.kind == placeGroup {
		p.vindex = &s.vt.ColumnVindexes[0]
	}
	return p
}

// sourceClasses is sourcePlace with the classes of the vindex columns.
func (f *facts) sourceClasses(s *source) place {
	p := f.b.sourcePlace(s)
	if p.kind != placeGroup {
		return p
	}
	for _, c := range p.vindex.Columns {
		p.classes = append(p.classes, f.class(term{s, s.findAny(c)}))
	}
	return p
}

// sourceAlone is sourceClasses for a table whose rows are fetched by themselves, so
// that all counts that is known of them.
func (f *facts) sourceAlone(s *source) place {
	p := f.sourceClasses(s)
	for i, c := range p.classes {
		for _, t := range c.terms {
			if n, ok := f.apart[t]; ok && t.src == s && c.fact.empty() {
				p.classes[i] = &class{terms: []term{t}, fact: n}
			}
		}
	}
	return p
}

// meet is the place of rows made of rows of both places.
func meet(a, b place) place {
	switch {
	case a.kind == placeAny && a.keyspace == "":
		return b
	case b.kind == placeAny && b.keyspace == "":
		return a
	case a.keyspace != b.keyspace:
		return place{kind: placeMany} // also reference tables: each keyspace has its own
	case a.kind == placeAny:
		return b
	case b.kind == placeAny:
		return a
	case a.kind == placeMany || b.kind == placeMany || a.kind != b.kind || a.keyspace != b.keyspace:
		return place{kind: placeMany}
	case a.kind == placeFixed:
		if a.dest.Kind == b.dest.Kind && a.dest.Shard == b.dest.Shard {
			return a
		}
		return place{kind: placeMany}
	}
	if sameVindex(a.vindex, b.vindex) && sameClasses(a.classes, b.classes) {
		return a
	}
	return place{kind: placeMany}
}

func sameVindex(a, b *vschema.ColumnVindex) bool {
	if a.Type != b.Type || len(a.Columns) != len(b.Columns) || len(a.Params) != len(b.Params) {
		return false
	}
	for k, v := range a.Params {
		if b.Params[k] != v {
			return false
		}
	}
	return true
}

// sameClasses says whether the columns are equal in every row, or have the same
// constant values.
func sameClasses(a, b []*class) bool {
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		x, y := a[i].fact.eq, b[i].fact.eq
		if x == nil || y == nil || !sameSource(*x, *y) || !compatible(columnOf(a[i].terms[0]), columnOf(b[i].terms[0])) {
			return false
		}
	}
	return true
}
