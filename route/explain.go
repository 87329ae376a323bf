package route

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
)

// ExplainRow is one fragment as EXPLAIN FORMAT='vitess' shows it.
type ExplainRow struct {
	// First is the parameter, as ?1, for whose value the fragment is asked before the
	// rest; "": it is the statement's own.
	First    string   `json:"first,omitempty"`
	PlanType PlanType `json:"plan_type"`
	// Combine is what the gate does with the rows, or what a fragment that writes is
	// for. Of the first fragment of a plan Joins are the joins that the gate makes, and
	// Run is what it runs over the rows.
	Combine  string   `json:"combine"`
	Joins    []string `json:"joins,omitempty"`
	Run      string   `json:"combine_query,omitempty"`
	Keyspace string   `json:"keyspace"`
	Shards   []string `json:"shards"` // names, or one word on what decides row by row
	Query    string   `json:"query"`
}

// Text is the row's combine in one column: with joins, query, and what it is for.
func (r *ExplainRow) Text() string {
	var list []string
	for _, j := range r.Joins {
		list = append(list, "join "+j)
	}
	if r.Run != "" {
		list = append(list, "query: "+r.Run)
	}
	text := strings.Join(list, "; ")
	if text == "" {
		text = r.Combine
	}
	if r.First != "" {
		return "first " + r.First + ": " + text
	}
	return text
}

// Explain tells the plan, one row per fragment, with the shards resolved for the
// given parameters. A query of which the shards are asked nothing has one row.
func (p *Plan) Explain(shards func(keyspace string) *ShardMap, args []any) ([]ExplainRow, error) {
	out, err := p.explainSteps(shards, args)
	if err != nil {
		return nil, err
	}
	steps := len(out)
	var b Scratch
	for _, f := range p.Fragments {
		if f.Catalog != nil {
			out = append(out, ExplainRow{PlanType: Unsharded, Combine: p.combineName(), Keyspace: f.Keyspace, Query: f.SQL.String()})
			continue
		}
		m := shards(f.Keyspace)
		at, err := f.Dest.Resolve(m, args, &b)
		if err != nil {
			return nil, err
		}
		out = append(out, ExplainRow{
			PlanType: p.typeOf(&f.Dest, len(at), f.Partial), Combine: p.combineName(), Keyspace: f.Keyspace,
			Shards: names(m, at), Query: queryAt(m, &f.SQL, at),
		})
	}
	if p.Write != nil {
		rows, err := p.explainWrite(shards, args)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	} else if len(p.Fragments) == 0 {
		out = append(out, ExplainRow{PlanType: Unsharded, Combine: p.combineName()})
	}
	if len(p.Combine.Joins) > 0 && p.Combine.Kind == Joined {
		out[steps].Joins = p.joins()
	}
	if p.Combine.Kind == Query && p.Write == nil || p.Write != nil && p.Write.Kind == WriteByKey && p.Combine.Kind == Query {
		for i := steps; i < len(out); i++ {
			if out[i].Combine == Query.String() {
				out[i].Joins, out[i].Run = p.joins(), p.Combine.SQL
				break
			}
		}
	}
	return out, nil
}

// explainSteps shows the subqueries that are evaluated first.
func (p *Plan) explainSteps(shards func(keyspace string) *ShardMap, args []any) ([]ExplainRow, error) {
	var out []ExplainRow
	for _, s := range p.Params.Steps {
		if s.Query == nil {
			continue
		}
		rows, err := s.Query.Plan.Explain(shards, args)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if rows[i].First == "" {
				rows[i].First = "?" + itoa(s.Slot+1)
			}
		}
		out = append(out, rows...)
	}
	return out, nil
}

// joins tells the joins of the gate.
func (p *Plan) joins() (list []string) {
	for i, j := range p.Combine.Joins {
		list = append(list, JoinRel(i).Name()+": "+j.String())
	}
	return list
}

func (p *Plan) combineName() string {
	if p.Write != nil && p.Write.Kind == WriteWhole {
		return "sum"
	}
	return p.Combine.Kind.String()
}

// typeOf names the plan of a destination that resolved to n shards.
func (p *Plan) typeOf(d *Destination, n int, partial bool) PlanType {
	switch {
	case d.Kind == DestFirst:
		return Unsharded
	case d.Lookup:
		return Lookup
	case d.Single() || n == 1:
		return SingleShard
	case p.Combine.Kind == Aggregate || partial:
		return ScatterAggregate
	}
	return Scatter
}

func names(m *ShardMap, at []int) []string {
	list := make([]string, len(at))
	for i, k := range at {
		list[i] = m.Names[k]
	}
	return list
}

// queryAt is a text as some shards read it. Where they speak several dialects, each
// one's stands behind the names of its shards.
func queryAt(m *ShardMap, t *dialect.Text, at []int) string {
	var texts []*dialect.Text
	readers := map[*dialect.Text][]int{}
	for _, shard := range at {
		own := m.Text(t, shard)
		if readers[own] == nil {
			texts = append(texts, own)
		}
		readers[own] = append(readers[own], shard)
	}
	switch len(texts) {
	case 0:
		return t.String()
	case 1:
		return texts[0].String()
	}
	out := make([]string, len(texts))
	for i, own := range texts {
		out[i] = strings.Join(names(m, readers[own]), ",") + ": " + own.String()
	}
	return strings.Join(out, " | ")
}

// every lists all shards.
func every(m *ShardMap) []int {
	out := make([]int, len(m.Names))
	for i := range out {
		out[i] = i
	}
	return out
}

func (p *Plan) explainWrite(shards func(keyspace string) *ShardMap, args []any) ([]ExplainRow, error) {
	switch p.Write.Kind {
	case WriteRows:
		r, err := p.explainInsert(shards, args)
		return append([]ExplainRow{r}, p.Write.Insert.Effects.explain()...), err
	case WriteByKey:
		var out []ExplainRow
		for i := range p.Write.ByKey {
			r, err := p.explainByKey(&p.Write.ByKey[i], shards, args)
			if err != nil {
				return nil, err
			}
			out = append(append(out, r), p.Write.ByKey[i].Effects.explain()...)
			if c := p.Write.ByKey[i].Children; c != nil {
				out = append(out, c.Effects.explain()...)
			}
		}
		return out, nil
	}
	return nil, nil
}

// explain shows what follows the rows; where it goes hangs on each row's values.
func (e *Effects) explain() []ExplainRow {
	if e == nil {
		return nil
	}
	var out []ExplainRow
	for i := range e.List {
		f := &e.List[i]
		out = append(out, ExplainRow{PlanType: Lookup, Combine: "effect of " + f.Name, Keyspace: f.Keyspace, Shards: []string{"by row"}, Query: f.Text(1)})
	}
	return out
}

// explainByKey shows where rows may be written: on the shards that they are looked
// for on, or anywhere when they move.
func (p *Plan) explainByKey(k *KeyWrite, shards func(keyspace string) *ShardMap, args []any) (ExplainRow, error) {
	row := ExplainRow{PlanType: Scatter, Combine: "by key", Keyspace: k.Keyspace}
	m := shards(k.Keyspace)
	dest := Destination{Kind: DestAll}
	if k.Move == nil {
		for _, f := range p.Fragments {
			if f.Tag && f.Keyspace == k.Keyspace && (f.Table == nil || f.Table == k.Table) {
				dest = f.Dest
			}
		}
	}
	var b Scratch
	at, err := dest.Resolve(m, args, &b)
	if err != nil {
		return row, err
	}
	row.PlanType, row.Shards, row.Query = p.typeOf(&dest, len(at), false), names(m, at), queryAt(m, &k.SQL, at)
	return row, nil
}

func (p *Plan) explainInsert(shards func(keyspace string) *ShardMap, args []any) (ExplainRow, error) {
	ins := p.Write.Insert
	m := shards(ins.Keyspace)
	row := ExplainRow{PlanType: SingleShard, Combine: "rows", Keyspace: ins.Keyspace, Query: queryAt(m, &ins.SQL, every(m))}
	var b Scratch
	if ins.Dest == nil {
		at, err := ins.Fixed.Resolve(m, args, &b)
		if err != nil {
			return row, err
		}
		row.Shards, row.PlanType = names(m, at), p.typeOf(&ins.Fixed, len(at), false)
		return row, nil
	}
	if ins.Rows == nil {
		row.PlanType, row.Shards = Scatter, names(m, every(m))
		return row, nil
	}
	var at []int
	for _, r := range ins.Rows {
		vals := make([]any, len(r))
		generated := false
		for i, s := range r {
			vals[i] = s.Value(args)
			if i == ins.AutoInc && ins.Generated(vals[i]) {
				for _, o := range ins.Dest.Ordinal {
					generated = generated || o == i
				}
			}
		}
		if generated {
			row.Shards, row.PlanType = []string{"by the generated value"}, SingleShard
			return row, nil
		}
		i, err := ins.Dest.ShardOf(m, vals, &b)
		if err != nil {
			return row, err
		}
		at = insertShard(at, i)
	}
	row.Shards = names(m, at)
	if len(at) > 1 {
		row.PlanType = Scatter
	}
	return row, nil
}

// JSON gives the plan as VEXPLAIN PLAN and EXPLAIN FORMAT='vitess_json' print it.
func (p *Plan) JSON(shards func(keyspace string) *ShardMap, args []any) (string, error) {
	rows, err := p.Explain(shards, args)
	if err != nil {
		return "", err
	}
	type planJSON struct {
		Combine   string       `json:"combine"`
		Query     string       `json:"combine_query,omitempty"`
		Tables    []string     `json:"tables"`
		Columns   []string     `json:"columns,omitempty"`
		Fragments []ExplainRow `json:"fragments"`
	}
	if len(p.Fragments) == 0 && p.Write == nil {
		rows = rows[:len(rows)-1] // the combine is all that its row tells
	}
	out := planJSON{Combine: p.combineName(), Query: p.Combine.SQL, Tables: p.Tables, Fragments: rows}
	for _, c := range p.Columns {
		out.Columns = append(out.Columns, c.Name)
	}
	text, err := json.MarshalIndent(out, "", "  ")
	return string(text), err
}

// Type is the plan type of the dearest part of a statement that has asked so many
// shards of each keyspace.
func (p *Plan) Type(asked func(keyspace string) int) PlanType {
	worst, rank := Unsharded, 0 // what no shard is asked for
	take := func(t PlanType) {
		if r := slices.Index(byCost, t); r > rank {
			worst, rank = t, r
		}
	}
	if w := p.Write; w != nil && w.Kind == WriteRows {
		take(p.insertType(w.Insert, asked))
	}
	p.Asks(func(f *Fragment) {
		if f.Catalog != nil {
			take(Unsharded)
			return
		}
		take(p.typeOf(&f.Dest, asked(f.Keyspace), f.Partial))
	})
	return worst
}

// byCost has the plan types from the cheapest to the dearest.
var byCost = []PlanType{Unsharded, SingleShard, Lookup, ScatterAggregate, Scatter}

// insertType is the plan type of rows that were written.
func (p *Plan) insertType(ins *InsertRows, asked func(string) int) PlanType {
	switch {
	case ins.Dest == nil:
		return p.typeOf(&ins.Fixed, asked(ins.Keyspace), false)
	case len(ins.Rows) == 1, asked(ins.Keyspace) <= 1:
		return SingleShard
	}
	return Scatter
}
