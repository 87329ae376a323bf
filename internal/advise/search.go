package advise

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// Input is what advice is wanted for.
type Input struct {
	Keyspace string
	Shards   int
	// Creates are the CREATE TABLE statements, parents before children.
	Creates []string
	// VSchema is how the tables are sharded today; "" is auto mode.
	VSchema    string
	Statements []Statement
	// Rows are the tables' sizes by name in lower case, where they are known: a table
	// of many rows isn't made a reference table.
	Rows map[string]int64
	// Values counts the different values of a column, where that is known: few don't
	// spread rows over shards. It may be nil.
	Values func(table, column string) (n int64, known bool)
}

// spread is how many values a sharding key has at least, for each shard.
const spread = 10

// referenceRows is how many rows a reference table may have.
const referenceRows = 10_000

// table is a table with what may be done with it.
type table struct {
	def     *sqlast.TableDef
	key     string // its name in lower case
	given   *given // nil: a choice is like it
	choices []home
}

// search tries layouts.
type search struct {
	in     Input
	k      keyspace
	tables []*table
	usable []Statement                    // those that have a plan
	needs  [][]string                     // of each usable one: the tables that its plan hangs on
	seen   map[string]*usage              // of tables
	uses   map[string]map[string]bool     // columns by table that statements compare
	pairs  map[string]map[[2]string]int64 // columns by table that a statement compares with values at once, and how often
	links  [][2]columnOf                  // columns that mean the same
	costs  map[string]float64             // of a statement, by it and how its tables are sharded
}

type columnOf struct{ table, column string }

// usage is how often a table is read, in joins with others among them, and written.
type usage struct{ reads, joins, writes int64 }

// newSearch reads tables and statements; before is how the tables are sharded.
func newSearch(in Input, before *world) (*search, error) {
	s := &search{in: in, k: keyspace{in.Keyspace, in.Shards}, seen: map[string]*usage{}, uses: map[string]map[string]bool{}, pairs: map[string]map[[2]string]int64{}, costs: map[string]float64{}}
	for _, create := range in.Creates {
		st, err := sqlparse.Parse(create, sqlparse.Options{})
		if err != nil {
			return nil, err
		}
		c, ok := st.Stmt.(*sqlast.CreateTable)
		if !ok || c.Def == nil {
			return nil, fmt.Errorf("%.60s … is no CREATE TABLE with columns", create)
		}
		s.tables = append(s.tables, &table{def: c.Def, key: strings.ToLower(c.Def.Name), given: givenOf(before, in.Keyspace, c.Def)})
	}
	if len(s.tables) == 0 {
		return nil, errors.New("there are no tables to shard")
	}
	for _, st := range in.Statements {
		s.look(st)
	}
	for _, t := range s.tables {
		t.choices = s.choices(t)
		for _, fk := range t.def.ForeignKeys {
			for i, c := range fk.Columns {
				if i < len(fk.RefColumns) {
					s.link(columnOf{t.key, c}, columnOf{strings.ToLower(fk.RefTable), fk.RefColumns[i]})
				}
			}
		}
	}
	return s, nil
}

func (s *search) link(a, b columnOf) { s.links = append(s.links, [2]columnOf{a, b}) }

func (s *search) table(name string) *table {
	for _, t := range s.tables {
		if t.key == strings.ToLower(name) {
			return t
		}
	}
	return nil
}

// look notes which columns a statement compares, and with which others. It gives the
// tables that the statement names.
func (s *search) look(stmt Statement) (refs []*sqlast.TableRef) {
	st, err := sqlparse.Parse(stmt.SQL, sqlparse.Options{})
	if err != nil {
		return nil
	}
	var compared []sqlast.Expr
	note := func(e sqlast.Expr) bool {
		switch x := e.(type) {
		case *sqlast.Binary:
			if x.Op == sqlast.OpEq {
				compared = append(compared, e)
			}
		case *sqlast.In:
			compared = append(compared, e)
		}
		return true
	}
	switch q := st.Stmt.(type) {
	case sqlast.Query:
		sqlast.EachRef(q, func(r *sqlast.TableRef) { refs = append(refs, r) })
		sqlast.WalkQuery(q, note)
		s.read(refs, stmt.Count)
	case *sqlast.Insert:
		s.usage(q.Table.Name).writes += stmt.Count
		refs = append(refs, q.Table)
		if q.Query != nil {
			sqlast.EachRef(q.Query, func(r *sqlast.TableRef) { refs = append(refs, r) })
			sqlast.WalkQuery(q.Query, note)
		}
	case *sqlast.Update:
		refs = s.writes(q.From, q.Where, note, stmt.Count)
	case *sqlast.Delete:
		refs = s.writes(q.From, q.Where, note, stmt.Count)
	}
	fixed := map[string][]string{}
	for _, e := range compared {
		switch x := e.(type) {
		case *sqlast.Binary:
			l, r := s.resolve(x.L, refs), s.resolve(x.R, refs)
			switch {
			case l != nil && r != nil:
				s.link(*l, *r)
			case l != nil:
				fixed[l.table] = append(fixed[l.table], l.column)
			case r != nil:
				fixed[r.table] = append(fixed[r.table], r.column)
			}
		case *sqlast.In:
			s.resolve(x.X, refs)
		}
	}
	for table, columns := range fixed {
		s.pair(table, columns, stmt.Count)
	}
	return refs
}

// usage is that of a table.
func (s *search) usage(table string) *usage {
	key := strings.ToLower(table)
	if s.seen[key] == nil {
		s.seen[key] = &usage{}
	}
	return s.seen[key]
}

func (s *search) read(refs []*sqlast.TableRef, n int64) {
	for _, r := range refs {
		u := s.usage(r.Name)
		u.reads += n
		if len(refs) > 1 {
			u.joins += n
		}
	}
}

// pair notes columns of a table that a statement compares with values at once.
func (s *search) pair(table string, columns []string, n int64) {
	slices.Sort(columns)
	columns = slices.Compact(columns)
	for i, a := range columns {
		for _, b := range columns[i+1:] {
			if s.pairs[table] == nil {
				s.pairs[table] = map[[2]string]int64{}
			}
			s.pairs[table][[2]string{a, b}] += n
		}
	}
}

func (s *search) writes(from sqlast.TableExpr, where sqlast.Expr, note func(sqlast.Expr) bool, n int64) []*sqlast.TableRef {
	q := &sqlast.Select{From: from, Where: where}
	var refs []*sqlast.TableRef
	sqlast.EachRef(q, func(r *sqlast.TableRef) {
		refs = append(refs, r)
		s.usage(r.Name).writes += n
	})
	sqlast.WalkQuery(q, note)
	return refs
}

// resolve finds the column that an expression is, and notes that it is compared.
func (s *search) resolve(e sqlast.Expr, refs []*sqlast.TableRef) *columnOf {
	c, ok := e.(*sqlast.Col)
	if !ok {
		return nil
	}
	for _, r := range refs {
		t := s.table(r.Name)
		if t == nil || t.def.Column(c.Name) == nil || c.Table != "" && !strings.EqualFold(c.Table, r.Label()) {
			continue
		}
		if s.uses[t.key] == nil {
			s.uses[t.key] = map[string]bool{}
		}
		name := t.def.Column(c.Name).Name
		s.uses[t.key][name] = true
		return &columnOf{t.key, name}
	}
	return nil
}

// choices are the ways to shard a table: by columns that statements compare or that
// keys begin with, if many values can be expected of them; or as a reference table.
func (s *search) choices(t *table) []home {
	var out []home
	if t.given != nil {
		out = append(out, home{given: t.given.text()})
	}
	for _, c := range t.def.Columns {
		typ := columnVindex(c)
		if typ == "" || !s.uses[t.key][c.Name] && !isKey(t.def, c.Name) || !selective(t.def, c.Name) {
			continue
		}
		if s.spreads(t, c.Name) {
			out = append(out, home{column: c.Name, vindex: typ})
		}
	}
	if s.copied(t) {
		out = append(out, home{reference: true})
	}
	return out
}

// readsPerWrite is how often a reference table is read at least, for each time that it
// is written.
const readsPerWrite = 100

// copied says whether a table may be a reference table: it is small, or doesn't look as
// if it grew where sizes aren't known; and it is only read or, if it doesn't look so,
// written now and then and read in joins. A database that has just begun has small
// tables only.
func (s *search) copied(t *table) bool {
	rows, known := s.in.Rows[t.key]
	if known && rows > referenceRows || !known && grows(t.def) {
		return false
	}
	u := s.usage(t.def.Name)
	return u.writes == 0 || !grows(t.def) && u.joins > 0 && u.writes*readsPerWrite <= u.reads
}

// spreads says whether a column's values are enough for all shards, as far as that is
// known: a table with few rows may have few values yet.
func (s *search) spreads(t *table, column string) bool {
	enough := int64(spread * s.in.Shards)
	if s.in.Values == nil || s.in.Rows[t.key] < 2*enough {
		return true
	}
	n, known := s.in.Values(t.def.Name, column)
	return !known || n >= enough
}

// grows says whether a table looks like one that gets rows day by day: its key is
// numbered, or its rows belong to others.
func grows(def *sqlast.TableDef) bool {
	return len(def.ForeignKeys) > 0 || slices.ContainsFunc(def.Columns, func(c *sqlast.ColumnDef) bool { return c.AutoInc })
}

// isKey says whether the primary key begins with a column.
func isKey(def *sqlast.TableDef, column string) bool {
	pk := def.PrimaryKey()
	return pk != nil && strings.EqualFold(pk.Parts[0].Column, column)
}

// selective says whether a column can be expected to have many values: it is part of a
// key, or named like one.
func selective(def *sqlast.TableDef, column string) bool {
	if strings.HasSuffix(strings.ToLower(column), "id") {
		return true
	}
	for _, x := range def.Indexes {
		if x.Kind != sqlast.IndexPrimary && x.Kind != sqlast.IndexUnique {
			continue
		}
		for _, p := range x.Parts {
			if strings.EqualFold(p.Column, column) {
				return true
			}
		}
	}
	for _, fk := range def.ForeignKeys {
		if slices.ContainsFunc(fk.Columns, func(c string) bool { return strings.EqualFold(c, column) }) {
			return true
		}
	}
	return false
}

// world builds that of a layout.
func (s *search) world(l layout) (*world, string, error) {
	text := l.vschema(s.k, s.tables)
	w, err := build(s.k, s.in.Creates, s.entries(l), text)
	return w, text, err
}

func (s *search) entries(l layout) []string {
	var out []string
	for _, x := range l.lookups {
		out = append(out, x.entryDDL(s.table(x.table).def))
	}
	return out
}

// use takes a statement into account.
func (s *search) use(st Statement) {
	parsed, err := sqlparse.Parse(st.SQL, sqlparse.Options{})
	if err != nil {
		return
	}
	needs := map[string]bool{}
	_, reads := parsed.Stmt.(sqlast.Query)
	for _, r := range s.look(Statement{SQL: st.SQL}) { // which has been counted
		needs[strings.ToLower(r.Name)] = true
	}
	// What a write keeps of foreign keys goes on from table to table.
	for grown := !reads; grown; {
		grown = false
		for _, t := range s.tables {
			for _, fk := range t.def.ForeignKeys {
				parent := strings.ToLower(fk.RefTable)
				if needs[t.key] != needs[parent] {
					needs[t.key], needs[parent], grown = true, true, true
				}
			}
		}
	}
	s.usable, s.needs = append(s.usable, st), append(s.needs, slices.Sorted(maps.Keys(needs)))
}

// cost of a layout: what all statements cost under it. One that the tables can't have
// is dearer than any other. What is known of a statement whose tables are sharded alike
// is used again.
func (s *search) cost(l layout) float64 {
	var w *world
	var err error
	total := 0.0
	for i, st := range s.usable {
		key := fmt.Sprint(i)
		for _, t := range s.needs[i] {
			key += " " + l.homes[t].String() + l.lookupsOf(t)
		}
		one, known := s.costs[key]
		if !known {
			if w == nil && err == nil {
				w, _, err = s.world(l)
			}
			if err != nil {
				return math.Inf(1)
			}
			one = float64(refusedCost * s.in.Shards)
			if p, e := w.plan(st.SQL); e == nil {
				one, _ = weigh(p, s.in.Shards)
			}
			s.costs[key] = one
		}
		total += one * float64(st.Count)
	}
	return total
}

// start is auto mode's layout, as far as a column says it, and what is sharded otherwise.
func (s *search) start() layout {
	l := layout{homes: map[string]home{}}
	for _, t := range s.tables {
		h := home{}
		if t.given != nil {
			l.homes[t.key] = home{given: t.given.text()}
			continue
		}
		if pk := t.def.PrimaryKey(); pk != nil {
			if c := t.def.Column(pk.Parts[0].Column); columnVindex(c) != "" {
				h = home{column: c.Name, vindex: columnVindex(c)}
			}
		}
		l.homes[t.key] = h
	}
	return l
}

// descend improves a layout table by table as long as that helps.
func (s *search) descend(l layout) (layout, float64) {
	best := s.cost(l)
	for better := true; better; {
		better = false
		for _, t := range s.tables {
			for _, h := range t.choices {
				if l.homes[t.key] == h {
					continue
				}
				next := l.with(t.key, h)
				if c := s.cost(next); c < best*(1-1e-9) {
					l, best, better = next, c, true
				}
			}
		}
	}
	return l, best
}

// groups are sets of columns, of several tables, that mean the same: they are compared
// with each other, tied by foreign keys, or of one name. Tables that are sharded by
// them are co-located, which pays only when all move at once.
func (s *search) groups() [][]columnOf {
	parent := map[columnOf]columnOf{}
	var find func(c columnOf) columnOf
	find = func(c columnOf) columnOf {
		if p, ok := parent[c]; ok && p != c {
			return find(p)
		}
		return c
	}
	canon := func(c columnOf) columnOf {
		if t := s.table(c.table); t != nil && t.def.Column(c.column) != nil {
			return columnOf{t.key, t.def.Column(c.column).Name}
		}
		return c
	}
	for _, l := range s.links {
		parent[find(canon(l[0]))] = find(canon(l[1]))
	}
	byName := map[string]columnOf{}
	members := map[columnOf][]columnOf{}
	var roots []columnOf
	for _, t := range s.tables {
		for _, c := range t.def.Columns {
			at, name := columnOf{t.key, c.Name}, strings.ToLower(c.Name)
			if name == "id" {
				continue
			}
			if first, ok := byName[name]; ok {
				parent[find(at)] = find(first)
			} else {
				byName[name] = at
			}
		}
	}
	for _, t := range s.tables {
		for _, c := range t.def.Columns {
			at := columnOf{t.key, c.Name}
			r := find(at)
			if members[r] == nil {
				roots = append(roots, r)
			}
			members[r] = append(members[r], at)
		}
	}
	var out [][]columnOf
	for _, r := range roots {
		if len(members[r]) > 1 {
			out = append(out, members[r])
		}
	}
	return out
}

// moved shards all tables of a group by its columns.
func (s *search) moved(l layout, group []columnOf) layout {
	done := map[string]bool{}
	for _, c := range group {
		if done[c.table] {
			continue
		}
		for _, h := range s.table(c.table).choices {
			if h.column == c.column {
				l, done[c.table] = l.with(c.table, h), true
			}
		}
	}
	return l
}

// run finds the best layout that it can: from every group of columns, and from auto
// mode, downhill.
func (s *search) run() layout {
	first := s.start()
	best, least := s.descend(first)
	for _, g := range s.groups() {
		if l, c := s.descend(s.moved(first, g)); c < least {
			best, least = l, c
		}
		if l, c := s.descend(s.moved(best, g)); c < least {
			best, least = l, c
		}
	}
	return s.addLookups(best, least)
}

// Advise finds a layout. The error tells what of the tables can't be read.
func Advise(in Input) (*Advice, error) {
	before, err := build(keyspace{in.Keyspace, in.Shards}, in.Creates, nil, in.VSchema)
	if err != nil {
		return nil, err
	}
	s, err := newSearch(in, before)
	if err != nil {
		return nil, err
	}
	a := &Advice{Shards: in.Shards}
	for _, st := range in.Statements {
		p, err := before.plan(st.SQL)
		if err != nil {
			a.Unplanned = append(a.Unplanned, Unplanned{st, err.Error()})
			continue
		}
		r := Routed{Statement: st}
		r.CostBefore, r.Before = weigh(p, in.Shards)
		a.Statements = append(a.Statements, r)
		s.use(st)
	}
	if len(s.usable) == 0 {
		return nil, errors.New("none of the statements can be planned on these tables")
	}
	best := s.run()
	after, text, err := s.world(best)
	if err != nil {
		return nil, err
	}
	for i := range a.Statements {
		r := &a.Statements[i]
		p, err := after.plan(r.SQL)
		if err != nil {
			r.CostAfter, r.After = float64(refusedCost*in.Shards), Refused
			continue
		}
		r.CostAfter, r.After = weigh(p, in.Shards)
	}
	// What is there already is kept unless another layout is really better: of few
	// statements, if fewer of them scatter.
	calls, scattered, scatters := a.scatters()
	if a.cost(false) <= a.cost(true)*1.001 || calls < fewCalls && scatters >= scattered {
		a.Kept = true
		for i := range a.Statements {
			a.Statements[i].After, a.Statements[i].CostAfter = a.Statements[i].Before, a.Statements[i].CostBefore
		}
		a.tables(s, before, before, layout{})
		return a, nil
	}
	a.VSchema, a.Entries = text, s.entries(best)
	a.tables(s, before, after, best)
	slices.SortStableFunc(a.Statements, func(x, y Routed) int {
		return cmp.Compare(y.CostBefore*float64(y.Count), x.CostBefore*float64(x.Count))
	})
	return a, nil
}
