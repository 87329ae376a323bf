package plantree

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/vitessdo/vitessdo/internal/present"
)

// Plan is how one statement is run.
type Plan struct {
	// First are the subqueries whose values the plan needs.
	First []First `json:"first,omitempty"`
	// Combine is what the gate does with the fragments' rows: pass, concat, merge,
	// aggregate, query, join or sum; "" of an INSERT that reads nothing.
	Combine string `json:"combine,omitempty"`
	// Joins are made by the gate, each over fragments or earlier joins.
	Joins []string `json:"joins,omitempty"`
	// Query is what the gate runs over the fragments' rows.
	Query     string     `json:"query,omitempty"`
	Fragments []Fragment `json:"fragments,omitempty"`
	// Writes are what follows from the rows that the fragments have found, or from
	// those of the statement itself.
	Writes []Write `json:"writes,omitempty"`
}

// First is a subquery that runs before the rest, for the value of a parameter.
type First struct {
	Parameter string `json:"parameter"`
	Plan
}

// Fragment is one statement for some shards.
type Fragment struct {
	Name     string `json:"name,omitempty"`
	PlanType string `json:"plan_type"`
	Keyspace string `json:"keyspace"`
	// Shards are names, or one word on what decides row by row.
	Shards []string `json:"shards"`
	SQL    string   `json:"sql"`
}

// Write is a fragment that writes: "rows" go to the shards that own them, "by key"
// follows what was found, "effect of NAME" keeps a lookup vindex, a unique key or a
// foreign key.
type Write struct {
	Kind string `json:"kind"`
	Fragment
}

// row is a fragment as EXPLAIN FORMAT='vitess_json' gives it.
type row struct {
	First    string   `json:"first"`
	PlanType string   `json:"plan_type"`
	Combine  string   `json:"combine"`
	Joins    []string `json:"joins"`
	Run      string   `json:"combine_query"`
	Keyspace string   `json:"keyspace"`
	Shards   []string `json:"shards"`
	Query    string   `json:"query"`
}

// Read explains a statement on a connection.
func Read(ctx context.Context, conn *sql.Conn, statement string, args ...any) (*Plan, error) {
	var text string
	if err := conn.QueryRowContext(ctx, "EXPLAIN FORMAT='vitess_json' "+statement, args...).Scan(&text); err != nil {
		return nil, err
	}
	var list struct {
		Combine   string
		Run       string `json:"combine_query"`
		Fragments []row
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	p := &Plan{}
	for _, r := range list.Fragments {
		p.add(r)
	}
	if p.Combine == "" && len(p.Writes) == 0 { // no shard is asked
		p.Combine, p.Query = list.Combine, list.Run
	}
	return p, nil
}

// add puts a row where it says.
func (p *Plan) add(r row) {
	if parameter := r.First; parameter != "" {
		if n := len(p.First); n == 0 || p.First[n-1].Parameter != parameter {
			p.First = append(p.First, First{Parameter: parameter})
		}
		r.First = ""
		p.First[len(p.First)-1].add(r)
		return
	}
	f := Fragment{PlanType: r.PlanType, Keyspace: r.Keyspace, Shards: append([]string{}, r.Shards...), SQL: r.Query}
	if r.Combine == "rows" || r.Combine == "by key" || strings.HasPrefix(r.Combine, "effect of ") {
		p.Writes = append(p.Writes, Write{Kind: r.Combine, Fragment: f})
		return
	}
	if f.SQL != "" { // else the combine is all there is
		f.Name = fmt.Sprintf("f%d", len(p.Fragments))
		p.Fragments = append(p.Fragments, f)
	}
	if p.Combine == "" { // the first row tells it
		p.Combine, p.Joins, p.Query = r.Combine, r.Joins, r.Run
	}
}

// Scatters says whether a fragment asks several shards.
func (p *Plan) Scatters() bool {
	for _, f := range p.Fragments {
		if len(f.Shards) > 1 {
			return true
		}
	}
	return false
}

// meaning says in words what a combine does.
var meaning = map[string]string{
	"pass":      "the shard's rows are the result",
	"concat":    "the shards' rows, one after the other",
	"merge":     "the shards' sorted rows are merged",
	"aggregate": "the shards' partial results are put together",
	"query":     "the gate runs the rest over the rows",
	"join":      "the gate joins the rows",
	"sum":       "the shards' counts are added",
}

// JSON writes the plan as JSON.
func (p *Plan) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// Text writes the plan as a tree, every line behind indent.
func (p *Plan) Text(w io.Writer, indent string) error {
	var b strings.Builder
	p.draw(&b, indent)
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Plan) draw(b *strings.Builder, indent string) {
	for i := range p.First {
		f := &p.First[i]
		fmt.Fprintf(b, "%sfirst, for %s:\n", indent, f.Parameter)
		f.draw(b, indent+"  ")
	}
	switch {
	case p.Combine == "":
		fmt.Fprintf(b, "%swrite\n", indent)
	case len(p.Fragments) == 0:
		fmt.Fprintf(b, "%s%s: the gate runs it, no shard is asked\n", indent, p.Combine)
	default:
		fmt.Fprintf(b, "%s%s: %s\n", indent, p.Combine, meaning[p.Combine])
	}
	last := len(p.Fragments) + len(p.Writes) - 1
	for _, j := range p.Joins {
		fmt.Fprintf(b, "%s│  join %s\n", indent, j)
	}
	if p.Query != "" {
		fmt.Fprintf(b, "%s│  %s\n", indent, p.Query)
	}
	for i := range p.Fragments {
		f := &p.Fragments[i]
		name := ""
		if len(p.Fragments) > 1 || p.Query != "" {
			name = f.Name + " "
		}
		f.draw(b, indent, name, i == last)
	}
	for i := range p.Writes {
		write := &p.Writes[i]
		write.draw(b, indent, write.Kind+", ", len(p.Fragments)+i == last)
	}
}

func (f *Fragment) draw(b *strings.Builder, indent, name string, last bool) {
	branch, down := "├─ ", "│    "
	if last {
		branch, down = "└─ ", "     "
	}
	where := f.Keyspace + ": " + strings.Join(f.Shards, " ")
	if len(f.Shards) == 1 && !strings.Contains(f.Shards[0], " ") {
		where = f.Keyspace + "/" + f.Shards[0]
	}
	if len(f.Shards) == 0 {
		where = f.Keyspace
	}
	fmt.Fprintf(b, "%s%s%s%s on %s\n%s%s%s\n", indent, branch, name, f.PlanType, where, indent, down, f.SQL)
}

// Grid gives a row per fragment and write, what runs first in front.
func (p *Plan) Grid() *present.Grid {
	g := &present.Grid{Head: []string{"part", "plan_type", "keyspace", "shards", "sql"}}
	p.grid(g, "")
	return g
}

func (p *Plan) grid(g *present.Grid, before string) {
	for i := range p.First {
		p.First[i].grid(g, before+"first "+p.First[i].Parameter+": ")
	}
	add := func(part string, f *Fragment) {
		g.Add(before+part, f.PlanType, f.Keyspace, strings.Join(f.Shards, ","), f.SQL)
	}
	for i := range p.Fragments {
		add(p.Fragments[i].Name, &p.Fragments[i])
	}
	if p.Query != "" {
		g.Add(before+"query", "", "", "", p.Query)
	}
	for i := range p.Writes {
		add(p.Writes[i].Kind, &p.Writes[i].Fragment)
	}
}
